/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_profile.h"
#include "mfa_step_up.h"

static enum mfa_outcome renew(struct mfa_flow *flow)
{
    const char(*codes_secret)[MFA_RECOVERY_CODE_SIZE] =
        (const char(*)[MFA_RECOVERY_CODE_SIZE])flow->recovery_codes_secret;
    const struct mfa_host_port *host = &flow->core->host;
    enum mfa_status status = mfa_recovery_draw(host, flow->recovery_codes_secret);

    if (status == MFA_OK)
        status = mfa_profile_renew_recovery_codes(host, flow->user_id, codes_secret);
    if (status == MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_NOT_ACTIVE;
    if (status != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    flow->reply.recovery_codes_secret = codes_secret;
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
