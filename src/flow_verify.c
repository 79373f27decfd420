/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "flows.h"
#include "mfa_check.h"
#include "mfa_profile.h"

/* MFA_OK: the enrolment is the one the login was challenged for; MFA_ERR_CONFLICT: it has changed since. */
static enum mfa_status check_enrolment(const struct mfa_flow *flow, const struct mfa_session_facts *facts)
{
    unsigned char id[MFA_ENROLMENT_ID_LEN];
    struct mfa_profile profile;
    enum mfa_status status = mfa_profile_load(&profile, &flow->core->host, flow->user_id);

    if (status == MFA_OK)
        status = mfa_profile_enrolment_id(&profile, id);
    if (status == MFA_OK && sodium_memcmp(id, facts->enrolment_id, sizeof id) != 0)
        status = MFA_ERR_CONFLICT;
    mfa_profile_clear(&profile);
    return status;
}

static enum mfa_outcome release(struct mfa_flow *flow)
{
    struct mfa_sessions *sessions = flow->core->sessions;
    struct mfa_session_facts facts;

    flow->session = mfa_sessions_take(sessions, flow->now_ms, &flow->session_ref);
    if (flow->session == NULL)
        return MFA_OUTCOME_BAD_TOKEN;
    mfa_session_facts(flow->session, &facts);
    switch (check_enrolment(flow, &facts)) {
    case MFA_OK:
        flow->reply.grant_secret = facts.grant_secret;
        flow->reply.grant_len = facts.grant_len;
        return MFA_OUTCOME_VERIFIED;
    case MFA_ERR_CONFLICT:
    case MFA_ERR_NOT_FOUND: return MFA_OUTCOME_BAD_TOKEN;
    default:
        mfa_sessions_put_back(sessions, flow->session);
        flow->session = NULL; /* transferred */
        return MFA_OUTCOME_INTERNAL;
    }
}

enum mfa_outcome mfa_flow_verify(struct mfa_flow *flow)
{
    return mfa_check_code(flow, MFA_PURPOSE_LOGIN, release);
}
