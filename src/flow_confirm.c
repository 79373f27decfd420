/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_account.h"
#include "mfa_check.h"
#include "mfa_json.h"
#include "mfa_profile.h"

static enum mfa_status store(struct mfa_flow *flow, bool *was_enrolled)
{
    struct mfa_session_facts facts;
    json_t *user_data = NULL;
    enum mfa_status status = mfa_flow_draw_recovery_codes(flow);

    *was_enrolled = false;
    mfa_session_facts(flow->session, &facts);
    if (status == MFA_OK)
        status = mfa_json_parse_object(&user_data, facts.user_data, facts.user_data_len, MFA_BODY_MAX_DEPTH);
    if (status == MFA_OK)
        status = mfa_profile_replace(&flow->core->host, flow->user_id, facts.enrolment_id, user_data,
                                     flow->recovery_codes_secret, was_enrolled);
    mfa_json_free(user_data);
    return status;
}

static enum mfa_outcome enrol(struct mfa_flow *flow)
{
    struct mfa_sessions *sessions = flow->core->sessions;
    bool was_enrolled = false;
    enum mfa_status status = MFA_ERR_INTERNAL;

    flow->session = mfa_sessions_take(sessions, flow->now_ms, &flow->session_ref);
    if (flow->session == NULL)
        return mfa_check_lost(flow);
    status = store(flow, &was_enrolled);
    if (status == MFA_ERR_DENIED)
        return mfa_check_lost(flow);
    if (status != MFA_OK) {
        mfa_sessions_put_back(sessions, flow->session);
        flow->session = NULL; /* transferred */
        mfa_check_return(flow);
        return MFA_OUTCOME_INTERNAL;
    }
    /* The enrolment is there already: failures that stay only make its throttling stricter. */
    (void)mfa_account_succeed(flow);
    mfa_sessions_drop_user(sessions, flow->user_id, 1u << MFA_PURPOSE_LOGIN);
    flow->reply.recovery_codes_secret = flow->recovery_codes_secret;
    return was_enrolled ? MFA_OUTCOME_REPLACED : MFA_OUTCOME_ENROLLED;
}

static enum mfa_outcome enrol_where_it_may_wait(struct mfa_flow *flow)
{
    return mfa_flow_where_it_may_wait(flow, enrol);
}

enum mfa_outcome mfa_flow_confirm(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_check_read(flow);

    return outcome == MFA_OUTCOME_PENDING ? mfa_check_code(flow, MFA_PURPOSE_ACTIVATION, enrol_where_it_may_wait)
                                          : outcome;
}
