/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_challenge.h"

static enum mfa_outcome settle(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_challenge_settle(flow);

    return outcome == MFA_OUTCOME_PENDING ? MFA_OUTCOME_CHALLENGE_SENT : outcome;
}

enum mfa_outcome mfa_flow_challenge(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_token(flow);

    return outcome == MFA_OUTCOME_PENDING ? mfa_challenge_send(flow, settle) : outcome;
}
