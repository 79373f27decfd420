/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_profile.h"
#include "mfa_step_up.h"

static enum mfa_outcome renew(struct mfa_flow *flow)
{
    enum mfa_status status = mfa_flow_draw_recovery_codes(flow);

    if (status == MFA_OK)
        status = mfa_profile_renew_recovery_codes(&flow->core->host, flow->user_id, flow->recovery_codes_secret);
    if (status == MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_NOT_ACTIVE;
    if (status != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    flow->reply.recovery_codes_secret = flow->recovery_codes_secret;
    return MFA_OUTCOME_RECOVERY_CODES_RENEWED;
}

static enum mfa_outcome renew_where_it_may_wait(struct mfa_flow *flow)
{
    return mfa_flow_where_it_may_wait(flow, renew);
}

enum mfa_outcome mfa_flow_recovery_codes(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_body(flow);

    return outcome == MFA_OUTCOME_PENDING ? mfa_step_up(flow, renew_where_it_may_wait) : outcome;
}
