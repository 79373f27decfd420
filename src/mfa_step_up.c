/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_step_up.h"

#include "mfa_account.h"

/* Reserves no sooner than here, since this step is not run when nobody waits for the answer any more. */
static enum mfa_outcome check_password(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_account_reserve(flow, true);
    enum mfa_status status = MFA_ERR_INTERNAL;

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    status = mfa_flow_check_password(flow);
    if (status == MFA_ERR_DENIED)
        return mfa_account_fail(flow, MFA_OUTCOME_BAD_STEP_UP);
    mfa_account_return(flow);
    return status == MFA_OK ? flow->after_check(flow) : mfa_flow_fault(flow, status);
}

enum mfa_outcome mfa_step_up(struct mfa_flow *flow, mfa_flow_step_fn *then)
{
    if (!flow->settings->config.step_up_is_required)
        return then(flow);
    if (json_string_length(json_object_get(flow->body_secret, "password")) == 0)
        return MFA_OUTCOME_STEP_UP_NEEDED;
    flow->after_check = then;
    return mfa_flow_to_worker(flow, flow->core->password_workers, check_password);
}
