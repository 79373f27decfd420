/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_account.h"
#include "mfa_challenge.h"

static enum mfa_outcome settle(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_challenge_settle(flow);

    return outcome == MFA_OUTCOME_PENDING ? MFA_OUTCOME_CHALLENGE_SENT : outcome;
}

enum mfa_outcome mfa_flow_challenge(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_token(flow);

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    /* First the session: without one nobody learns anything about the account. */
    if (!mfa_sessions_has(flow->core->sessions, flow->now_ms, &flow->session_ref))
        return MFA_OUTCOME_BAD_TOKEN;
    outcome = mfa_account_admit(flow);
    return outcome == MFA_OUTCOME_PENDING ? mfa_challenge_send(flow, settle) : outcome;
}
