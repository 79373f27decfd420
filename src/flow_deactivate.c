/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_profile.h"
#include "mfa_step_up.h"

static enum mfa_outcome deactivate(struct mfa_flow *flow)
{
    enum mfa_status status = mfa_profile_remove(&flow->core->host, flow->user_id);

    if (status != MFA_OK && status != MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_INTERNAL;
    mfa_sessions_drop_user(flow->core->sessions, flow->user_id, 1u << MFA_PURPOSE_LOGIN);
    return MFA_OUTCOME_DEACTIVATED;
}

static enum mfa_outcome deactivate_where_it_may_wait(struct mfa_flow *flow)
{
    return mfa_flow_where_it_may_wait(flow, deactivate);
}

enum mfa_outcome mfa_flow_deactivate(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_body(flow);

    return outcome == MFA_OUTCOME_PENDING ? mfa_step_up(flow, deactivate_where_it_may_wait) : outcome;
}
