/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_settings.h"

static const char *session_grant(const struct mfa_session *session)
{
    return session->data + session->user_data_len + 1;
}

static size_t size_of(size_t user_data_len, size_t grant_len)
{
    return offsetof(struct mfa_session, data) + user_data_len + 1 + grant_len + 1;
}

/* Copies `len` bytes and puts a NUL behind them; returns where that is over. */
static char *put(char *end, const char *bytes, size_t len)
{
    if (len > 0)
        memcpy(end, bytes, len);
    end[len] = '\0';
    return end + len + 1;
}

struct mfa_session *mfa_session_new(const struct mfa_session_ref *ref, const struct mfa_session_facts *facts,
                                    uint64_t expires_ms)
{
    struct mfa_session *session = NULL;
    char *end = NULL;

    if (facts->user_data_len > INT32_MAX || facts->grant_len > UINT16_MAX)
        return NULL;
    session = malloc(size_of(facts->user_data_len, facts->grant_len));
    if (session == NULL)
        return NULL;
    *session = (struct mfa_session){.expires_ms = expires_ms,
                                    .user_data_len = (uint32_t)facts->user_data_len & INT32_MAX,
                                    .grant_len = (uint16_t)facts->grant_len,
                                    .purpose = facts->purpose == MFA_PURPOSE_LOGIN};
    memcpy(session->user, ref->user, sizeof session->user);
    memcpy(session->key, ref->key, sizeof session->key);
    memcpy(session->enrolment_id, facts->enrolment_id, sizeof session->enrolment_id);
    end = put(session->data, facts->user_data, facts->user_data_len);
    put(end, facts->grant_secret, facts->grant_len);
    return session;
}

void mfa_session_challenge(const struct mfa_session *session, struct mfa_session_challenge *challenge)
{
    *challenge = (struct mfa_session_challenge){.settings = session->sent_by,
                                                .service = session->service,
                                                .captured_secret = session->captured_secret,
                                                .has_message = session->was_sent_to || session->is_sending};
}

void mfa_session_set_challenge(struct mfa_session *session, const struct mfa_session_challenge *challenge)
{
    session->sent_by = challenge->settings;
    session->service = challenge->service;
    session->captured_secret = challenge->captured_secret;
}

enum mfa_status mfa_session_challenge_copy(struct mfa_session_challenge *out,
                                           const struct mfa_session_challenge *challenge)
{
    *out = (struct mfa_session_challenge){.service = challenge->service, .has_message = challenge->has_message};
    if (challenge->captured_secret != NULL) {
        out->captured_secret = strdup(challenge->captured_secret);
        if (out->captured_secret == NULL)
            return MFA_ERR_MEMORY;
    }
    out->settings = mfa_settings_hold(challenge->settings);
    return MFA_OK;
}

void mfa_session_challenge_clear(struct mfa_session_challenge *challenge)
{
    if (challenge->captured_secret != NULL)
        mfa_secret_free(challenge->captured_secret, strlen(challenge->captured_secret));
    mfa_settings_release(challenge->settings);
    *challenge = (struct mfa_session_challenge){0};
}

void mfa_session_free(struct mfa_session *session)
{
    struct mfa_session_challenge challenge;

    if (session == NULL)
        return;
    mfa_session_challenge(session, &challenge);
    mfa_session_challenge_clear(&challenge);
    mfa_secret_free(session, size_of(session->user_data_len, session->grant_len));
}

void mfa_session_facts(const struct mfa_session *session, struct mfa_session_facts *facts)
{
    facts->purpose = (enum mfa_purpose)session->purpose;
    memcpy(facts->enrolment_id, session->enrolment_id, sizeof facts->enrolment_id);
    facts->user_data = session->data;
    facts->user_data_len = session->user_data_len;
    facts->grant_secret = session->grant_len > 0 ? session_grant(session) : NULL;
    facts->grant_len = session->grant_len;
}

void mfa_session_push_code(struct mfa_session *session, const unsigned char hash[static MFA_CODE_HASH_LEN],
                           uint64_t expires_ms)
{
    bool is_shorter = expires_ms < session->expires_ms;

    memmove(&session->codes[1], &session->codes[0], (MFA_SESSION_CODES - 1) * sizeof session->codes[0]);
    memcpy(session->codes[0].hash, hash, MFA_CODE_HASH_LEN);
    session->codes[0].spare_ms = is_shorter ? (uint32_t)(session->expires_ms - expires_ms) : 0;
    if (session->code_count < MFA_SESSION_CODES)
        session->code_count++;
}

void mfa_session_withdraw_code(struct mfa_session *session)
{
    memmove(&session->codes[0], &session->codes[1], (MFA_SESSION_CODES - 1) * sizeof session->codes[0]);
    if (session->code_count > 0)
        mfa_session_keep_codes(session, session->code_count - 1u);
}

void mfa_session_keep_codes(struct mfa_session *session, uint32_t kept)
{
    for (; session->code_count > kept; session->code_count--)
        sodium_memzero(&session->codes[session->code_count - 1], sizeof session->codes[0]);
}

/* Looks at every slot, so that the time tells nothing; and compares before it looks at the expiry, so that an expired
 * and a wrong code cost the same. */
enum mfa_status mfa_session_match(const struct mfa_session *session, const unsigned char hash[static MFA_CODE_HASH_LEN],
                                  uint64_t now_ms)
{
    enum mfa_status status = MFA_ERR_DENIED;

    for (size_t i = 0; i < MFA_SESSION_CODES; i++) {
        const struct mfa_session_code *code = &session->codes[i];
        bool is_equal = sodium_memcmp(code->hash, hash, MFA_CODE_HASH_LEN) == 0;
        if (is_equal && i < session->code_count && status != MFA_OK)
            status = session->expires_ms - code->spare_ms > now_ms ? MFA_OK : MFA_ERR_EXPIRED;
    }
    return status;
}
