/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"

static const char *session_grant(const struct mfa_session *session)
{
    return session->data + session->user_data_len + 1;
}

const char *mfa_session_user_id(const struct mfa_session *session)
{
    return session_grant(session) + session->grant_len + 1;
}

static size_t session_size(const struct mfa_session *session)
{
    return sizeof *session + session->user_data_len + session->grant_len + (size_t)session->user_id_len + 3;
}

struct mfa_session *mfa_session_new(const struct mfa_session_ref *ref, const struct mfa_session_facts *facts,
                                    uint64_t expires_ms)
{
    size_t user_id_len = strlen(ref->user_id);
    struct mfa_session *session = NULL;

    if (facts->user_data_len > UINT32_MAX || facts->grant_len > UINT16_MAX || user_id_len >= MFA_USER_ID_SIZE)
        return NULL;
    session = calloc(1, sizeof *session + facts->user_data_len + facts->grant_len + user_id_len + 3);
    if (session == NULL)
        return NULL;
    session->expires_ms = expires_ms;
    session->user_data_len = (uint32_t)facts->user_data_len;
    session->grant_len = (uint16_t)facts->grant_len;
    session->user_id_len = (uint16_t)user_id_len;
    session->purpose = (uint8_t)facts->purpose;
    memcpy(session->key, ref->key, sizeof session->key);
    memcpy(session->enrolment_id, facts->enrolment_id, sizeof session->enrolment_id);
    memcpy(session->data, facts->user_data, facts->user_data_len);
    if (facts->grant_len > 0)
        memcpy(session->data + session->user_data_len + 1, facts->grant_secret, facts->grant_len);
    memcpy(session->data + session->user_data_len + 1 + session->grant_len + 1, ref->user_id, user_id_len);
    return session;
}

void mfa_session_set_captured(struct mfa_session *session, uint8_t service, char *captured_secret)
{
    if (session->captured_secret != NULL)
        mfa_secret_free(session->captured_secret, strlen(session->captured_secret));
    session->captured_secret = captured_secret;
    session->service = service;
}

void mfa_session_free(struct mfa_session *session)
{
    if (session == NULL)
        return;
    mfa_session_set_captured(session, 0, NULL);
    mfa_secret_free(session, session_size(session));
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
    memmove(&session->codes[1], &session->codes[0], (MFA_SESSION_CODES - 1) * sizeof session->codes[0]);
    memcpy(session->codes[0].hash, hash, MFA_CODE_HASH_LEN);
    session->codes[0].expires_ms = expires_ms;
}

void mfa_session_withdraw_code(struct mfa_session *session)
{
    memmove(&session->codes[0], &session->codes[1], (MFA_SESSION_CODES - 1) * sizeof session->codes[0]);
    sodium_memzero(&session->codes[MFA_SESSION_CODES - 1], sizeof session->codes[0]);
}

void mfa_session_keep_codes(struct mfa_session *session, uint32_t kept)
{
    for (size_t i = kept; i < MFA_SESSION_CODES; i++)
        sodium_memzero(&session->codes[i], sizeof session->codes[i]);
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
        if (is_equal && code->expires_ms > now_ms)
            status = MFA_OK;
        else if (is_equal && code->expires_ms > 0 && status != MFA_OK)
            status = MFA_ERR_EXPIRED;
    }
    return status;
}
