/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_account.h"
#include "mfa_challenge.h"
#include "mfa_profile.h"

static enum mfa_outcome settle(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_challenge_settle_open(flow);

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    flow->reply.token_secret = flow->token_secret;
    return MFA_OUTCOME_CHALLENGED;
}

static enum mfa_outcome challenge(struct mfa_flow *flow, const struct mfa_profile *profile)
{
    struct mfa_session_facts facts = {.purpose = MFA_PURPOSE_LOGIN,
                                      .grant_secret = flow->request->grant_secret,
                                      .grant_len = flow->request->grant_len};
    enum mfa_outcome outcome = mfa_account_admit(flow);

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    if (mfa_profile_enrolment_id(profile, facts.enrolment_id) != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    return mfa_challenge_open(flow, facts, profile->user_data, settle);
}

enum mfa_outcome mfa_flow_login(struct mfa_flow *flow)
{
    struct mfa_profile profile;
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    switch (mfa_profile_load(&profile, &flow->core->host, flow->user_id)) {
    case MFA_OK: outcome = challenge(flow, &profile); break;
    case MFA_ERR_NOT_FOUND: outcome = MFA_OUTCOME_ALLOWED; break;
    default: break;
    }
    mfa_profile_clear(&profile);
    return outcome;
}
