/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char user_data[] =
    "{\"number\":\"41791231212\",\"message\":\"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\"}";

/* What the sample host seals: user, application, position and expiry, and what secretbox adds. */
static const char grant[344];

size_t crowd_data_len(void)
{
    return sizeof user_data - 1 + sizeof grant + CROWD_USER_SIZE - 1;
}

struct mfa_sessions *crowd_table(uint32_t max_pending)
{
    struct mfa_sessions *sessions = NULL;
    const unsigned char seed[MFA_SESSIONS_SEED_LEN] = {42};
    struct mfa_policy policy;

    mfa_policy_init(&policy);
    policy.max_pending = max_pending;
    if (sodium_init() < 0 || mfa_sessions_new(&sessions, &policy, seed) != MFA_OK)
        abort();
    return sessions;
}

static void hex_of(uint64_t number, char out[static 33])
{
    unsigned char hash[16];

    crypto_generichash(hash, sizeof hash, (const unsigned char *)&number, sizeof number, NULL, 0);
    sodium_bin2hex(out, 33, hash, sizeof hash);
}

void crowd_name(uint64_t i, struct crowd_login *login)
{
    hex_of(2 * i, login->user_id);
    hex_of(2 * i + 1, login->token);
}

struct mfa_session_ref crowd_ref(const struct mfa_sessions *sessions, const struct crowd_login *login)
{
    struct mfa_session_ref ref;

    mfa_sessions_ref(sessions, login->user_id, login->token, CROWD_TOKEN_SIZE - 1, &ref);
    return ref;
}

void crowd_open(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref)
{
    const struct mfa_session_facts facts = {.purpose = MFA_PURPOSE_LOGIN,
                                            .user_data = user_data,
                                            .user_data_len = sizeof user_data - 1,
                                            .grant_secret = grant,
                                            .grant_len = sizeof grant};

    if (mfa_sessions_open(sessions, now_ms, ref, &facts) != MFA_OK)
        abort();
}
