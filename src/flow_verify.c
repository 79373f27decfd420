/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "flows.h"
#include "mfa_account.h"
#include "mfa_check.h"
#include "mfa_profile.h"

/* MFA_OK: the enrolment is the one the login was challenged for; MFA_ERR_CONFLICT: it has changed since. */
static enum mfa_status check_enrolment(const struct mfa_profile *profile, const struct mfa_session *session)
{
    unsigned char id[MFA_ENROLMENT_ID_LEN];
    struct mfa_session_facts facts;
    enum mfa_status status = mfa_profile_enrolment_id(profile, id);

    mfa_session_facts(session, &facts);
    if (status == MFA_OK && sodium_memcmp(id, facts.enrolment_id, sizeof id) != 0)
        return MFA_ERR_CONFLICT;
    return status;
}

/* Returns what the check says, for the session that was taken: a fault puts it back. */
static enum mfa_outcome settle_release(struct mfa_flow *flow, enum mfa_status status)
{
    struct mfa_session_facts facts;

    if (status == MFA_ERR_CONFLICT || status == MFA_ERR_NOT_FOUND)
        return mfa_check_lost(flow);
    if (status == MFA_OK) {
        mfa_session_facts(flow->session, &facts);
        flow->reply.grant_secret = facts.grant_secret;
        flow->reply.grant_len = facts.grant_len;
        return MFA_OUTCOME_VERIFIED;
    }
    mfa_sessions_put_back(flow->core->sessions, flow->session);
    flow->session = NULL; /* transferred */
    mfa_check_return(flow);
    return MFA_OUTCOME_INTERNAL;
}

static enum mfa_outcome release(struct mfa_flow *flow)
{
    struct mfa_profile profile;
    enum mfa_status status = MFA_ERR_INTERNAL;

    flow->session = mfa_sessions_take(flow->core->sessions, flow->now_ms, &flow->session_ref);
    if (flow->session == NULL)
        return mfa_check_lost(flow);
    status = mfa_profile_load(&profile, &flow->core->host, flow->user_id);
    if (status == MFA_OK)
        status = check_enrolment(&profile, flow->session);
    mfa_profile_clear(&profile);
    if (status == MFA_OK && mfa_account_succeed(flow) != MFA_OUTCOME_PENDING)
        status = MFA_ERR_INTERNAL;
    return settle_release(flow, status);
}

/* A success at once writes nothing, so it needs no worker. */
static enum mfa_outcome release_at_once(struct mfa_flow *flow)
{
    return mfa_account_has_failures(flow) ? mfa_flow_where_it_may_wait(flow, release) : release(flow);
}

/* --- With a recovery code ------------------------------------------------------------------------------------------ */

static enum mfa_outcome consume(struct mfa_flow *flow)
{
    struct mfa_session_facts facts;
    enum mfa_status status = MFA_ERR_INTERNAL;

    flow->session = mfa_sessions_take(flow->core->sessions, flow->now_ms, &flow->session_ref);
    if (flow->session == NULL)
        return mfa_check_lost(flow);
    mfa_session_facts(flow->session, &facts);
    status = mfa_profile_consume(&flow->core->host, flow->user_id, facts.enrolment_id, flow->recovery_stored);
    /* The code is used up: failures that stay only make the next login's throttling stricter. */
    if (status == MFA_OK)
        (void)mfa_account_succeed(flow);
    if (status != MFA_ERR_DENIED)
        return settle_release(flow, status);
    mfa_sessions_put_back(flow->core->sessions, flow->session);
    flow->session = NULL; /* transferred */
    return mfa_check_fail(flow, MFA_OUTCOME_BAD_RECOVERY_CODE);
}

/* A wrong code must not take the session away from a right one that comes at the same time. */
static enum mfa_outcome look_and_consume(struct mfa_flow *flow)
{
    switch (mfa_profile_find_recovery_code(&flow->core->host, flow->user_id, flow->recovery_stored)) {
    case MFA_OK:
    case MFA_ERR_NOT_FOUND: return consume(flow);
    case MFA_ERR_DENIED: return mfa_check_fail(flow, MFA_OUTCOME_BAD_RECOVERY_CODE);
    default: mfa_check_return(flow); return MFA_OUTCOME_INTERNAL;
    }
}

/* Reserves no sooner than here, since this step is not run when nobody waits for the answer any more. */
static enum mfa_outcome reserve_and_consume(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_check_begin(flow, MFA_PURPOSE_LOGIN, true);

    return outcome == MFA_OUTCOME_PENDING ? look_and_consume(flow) : outcome;
}

static enum mfa_outcome check_recovery_code(struct mfa_flow *flow, const json_t *code)
{
    if (!json_is_string(code))
        return mfa_flow_refuse_parameter(flow, "#/recoveryCode", "The recovery code must be given as a string.");
    mfa_recovery_hash_typed(json_string_value(code), json_string_length(code), flow->recovery_stored);
    return mfa_flow_to_worker(flow, flow->core->storage_workers, reserve_and_consume);
}

enum mfa_outcome mfa_flow_verify(struct mfa_flow *flow)
{
    const json_t *recovery_code = NULL;
    enum mfa_outcome outcome = mfa_check_read(flow);

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    recovery_code = json_object_get(flow->body_secret, "recoveryCode");
    if (recovery_code != NULL && flow->settings->config.recovery_mode == MFA_RECOVERY_CONSUME)
        return check_recovery_code(flow, recovery_code);
    return mfa_check_code(flow, MFA_PURPOSE_LOGIN, release_at_once);
}
