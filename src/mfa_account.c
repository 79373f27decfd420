/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_account.h"

/* How often an account may become unknown while it is tried; more often is a fault. */
#define MAX_TRIES 8

/* Whether anything is counted at all. */
static bool is_throttled(const struct mfa_flow *flow)
{
    const struct mfa_policy *policy = &flow->settings->config.policy;

    return policy->attempts_max_consecutive > 0 || policy->backoff_base_s > 0;
}

static enum mfa_status learn(struct mfa_flow *flow, const struct mfa_tally *tally)
{
    const struct mfa_host_port *host = &flow->core->host;
    int64_t wall_ms = 0;
    enum mfa_status status = host->wall_ms(host->ctx, &wall_ms);

    if (status != MFA_OK)
        return status;
    return mfa_throttle_learn(flow->core->throttle, flow->user_id, tally, flow->now_ms, wall_ms);
}

static enum mfa_status know(struct mfa_flow *flow)
{
    struct mfa_tally tally;
    enum mfa_status status = MFA_OK;

    if (mfa_throttle_knows(flow->core->throttle, flow->user_id))
        return MFA_OK;
    status = mfa_tally_load(&tally, &flow->core->host, flow->user_id);
    return status == MFA_OK ? learn(flow, &tally) : status;
}

enum mfa_outcome mfa_account_admit(struct mfa_flow *flow)
{
    if (!is_throttled(flow))
        return MFA_OUTCOME_PENDING;
    if (know(flow) != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    return mfa_throttle_is_stopped(flow->core->throttle, flow->user_id) ? MFA_OUTCOME_STOPPED : MFA_OUTCOME_PENDING;
}

/* A success at the same time makes an account unknown again, between the two steps. */
static enum mfa_status reserve(struct mfa_flow *flow, bool may_be_stopped)
{
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    for (int i = 0; status == MFA_ERR_NOT_FOUND && i < MAX_TRIES; i++) {
        if (know(flow) != MFA_OK)
            return MFA_ERR_INTERNAL;
        status = mfa_throttle_reserve(flow->core->throttle, flow->user_id, flow->now_ms, may_be_stopped,
                                      &flow->reply.retry_after_s);
    }
    return status;
}

enum mfa_outcome mfa_account_reserve(struct mfa_flow *flow, bool may_be_stopped)
{
    if (!is_throttled(flow))
        return MFA_OUTCOME_PENDING;
    switch (reserve(flow, may_be_stopped)) {
    case MFA_OK: return MFA_OUTCOME_PENDING;
    case MFA_ERR_FULL: return MFA_OUTCOME_THROTTLED;
    case MFA_ERR_DENIED: return MFA_OUTCOME_STOPPED;
    default: return MFA_OUTCOME_INTERNAL;
    }
}

void mfa_account_return(struct mfa_flow *flow)
{
    if (is_throttled(flow))
        mfa_throttle_return(flow->core->throttle, flow->user_id, flow->now_ms);
}

static enum mfa_outcome store_failure(struct mfa_flow *flow)
{
    uint32_t window_s = flow->settings->config.policy.backoff_window_s;
    struct mfa_tally tally;

    if (mfa_tally_add_failure(&tally, &flow->core->host, flow->user_id, window_s) != MFA_OK ||
        learn(flow, &tally) != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    return flow->reply.outcome;
}

enum mfa_outcome mfa_account_fail(struct mfa_flow *flow, enum mfa_outcome outcome)
{
    if (!is_throttled(flow))
        return outcome;
    flow->reply.outcome = outcome;
    /* Neither a full queue nor a client that has left must keep a failure from being counted. */
    flow->must_go_on = true;
    return mfa_flow_on_to_worker(flow, flow->core->storage_workers, store_failure);
}

/* Also where nothing is counted at the moment: it may have been before a reload, and may be again. */
bool mfa_account_has_failures(const struct mfa_flow *flow)
{
    return mfa_throttle_is_stored(flow->core->throttle, flow->user_id);
}

enum mfa_outcome mfa_account_succeed(struct mfa_flow *flow)
{
    if (!mfa_throttle_clear(flow->core->throttle, flow->user_id))
        return MFA_OUTCOME_PENDING;
    return mfa_account_forgive(flow);
}

enum mfa_outcome mfa_account_forgive(struct mfa_flow *flow)
{
    enum mfa_status status = mfa_tally_remove(&flow->core->host, flow->user_id);

    /* Last, as an attempt in between learns again what is stored. */
    (void)mfa_throttle_clear(flow->core->throttle, flow->user_id);
    return status == MFA_OK ? MFA_OUTCOME_PENDING : MFA_OUTCOME_INTERNAL;
}
