/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_account.h"
#include "mfa_profile.h"

static enum mfa_outcome reset(struct mfa_flow *flow)
{
    enum mfa_status status = mfa_profile_remove(&flow->core->host, flow->user_id);

    if (status != MFA_OK && status != MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_INTERNAL;
    mfa_sessions_drop_user(flow->core->sessions, flow->user_id, 1u << MFA_PURPOSE_LOGIN);
    return mfa_account_forgive(flow) == MFA_OUTCOME_PENDING ? MFA_OUTCOME_RESET : MFA_OUTCOME_INTERNAL;
}

enum mfa_outcome mfa_flow_reset(struct mfa_flow *flow)
{
    return mfa_flow_to_worker(flow, flow->core->storage_workers, reset);
}
