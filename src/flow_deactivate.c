/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_profile.h"

static enum mfa_outcome remove_enrolment(struct mfa_flow *flow, enum mfa_outcome done)
{
    enum mfa_status status = mfa_profile_remove(&flow->core->host, flow->user_id);

    if (status != MFA_OK && status != MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_INTERNAL;
    mfa_sessions_drop_user(flow->core->sessions, flow->user_id, 1u << MFA_PURPOSE_LOGIN);
    return done;
}

static enum mfa_outcome deactivate(struct mfa_flow *flow)
{
    return remove_enrolment(flow, MFA_OUTCOME_DEACTIVATED);
}

static enum mfa_outcome reset(struct mfa_flow *flow)
{
    return remove_enrolment(flow, MFA_OUTCOME_RESET);
}

enum mfa_outcome mfa_flow_deactivate(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_body(flow);

    return outcome == MFA_OUTCOME_PENDING ? mfa_flow_to_worker(flow, flow->core->storage_workers, deactivate) : outcome;
}

enum mfa_outcome mfa_flow_reset(struct mfa_flow *flow)
{
    return mfa_flow_to_worker(flow, flow->core->storage_workers, reset);
}
