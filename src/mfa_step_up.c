/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_step_up.h"

#include "mfa_account.h"

#define BUSY_RETRY_AFTER_S 5

static enum mfa_outcome check_password(struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    const json_t *password = json_object_get(flow->body_secret, "password");
    enum mfa_status status =
        host->password_check(host->ctx, flow->user_id, json_string_value(password), json_string_length(password));

    if (status == MFA_ERR_DENIED)
        return mfa_account_fail(flow, MFA_OUTCOME_BAD_STEP_UP);
    mfa_account_return(flow);
    if (status == MFA_OK)
        return flow->after_check(flow);
    flow->reply.retry_after_s = BUSY_RETRY_AFTER_S;
    return status == MFA_ERR_FULL ? MFA_OUTCOME_QUEUE_FULL : MFA_OUTCOME_INTERNAL;
}

enum mfa_outcome mfa_step_up(struct mfa_flow *flow, mfa_flow_step_fn *then)
{
    enum mfa_outcome outcome = MFA_OUTCOME_PENDING;

    if (!flow->core->config.step_up_is_required)
        return then(flow);
    if (json_string_length(json_object_get(flow->body_secret, "password")) == 0)
        return MFA_OUTCOME_STEP_UP_NEEDED;
    outcome = mfa_account_reserve(flow, true);
    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    flow->after_check = then;
    outcome = mfa_flow_to_worker(flow, flow->core->password_workers, check_password);
    if (outcome != MFA_OUTCOME_PENDING)
        mfa_account_return(flow);
    return outcome;
}
