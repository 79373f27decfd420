/* SPDX-License-Identifier: Apache-2.0
 *
 * One pending session: what it is bound to, what it remembers, and the codes that are good for it. Nothing here locks; the
 * table in mfa_sessions.h does.
 */
#ifndef MFA_SESSION_H
#define MFA_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_code.h"
#include "mfa_status.h"

struct mfa_settings; /* mfa_settings.h */

#define MFA_SESSION_KEY_LEN 16
#define MFA_SESSION_USER_LEN 16
#define MFA_ENROLMENT_ID_LEN 16
#define MFA_USER_ID_SIZE 129 /* with NUL */

enum mfa_purpose { MFA_PURPOSE_ACTIVATION, MFA_PURPOSE_LOGIN };

/* A set of purposes. */
#define MFA_ANY_PURPOSE (1u << MFA_PURPOSE_ACTIVATION | 1u << MFA_PURPOSE_LOGIN)

/* Names one session by keyed hashes: of the user's id, and of that and the token. So a key is nobody's but that user's, and
 * what either hashes to cannot be chosen. Made by mfa_sessions_ref. */
struct mfa_session_ref {
    unsigned char user[MFA_SESSION_USER_LEN];
    unsigned char key[MFA_SESSION_KEY_LEN];
};

/* What a session remembers, fixed when it opens. */
struct mfa_session_facts {
    enum mfa_purpose purpose;
    unsigned char enrolment_id[MFA_ENROLMENT_ID_LEN]; /* a login: challenged for it; an activation: may replace it */
    const char *user_data;                            /* JSON text of the variables for the templates */
    size_t user_data_len;
    const char *grant_secret; /* of a login; NULL for an activation */
    size_t grant_len;
};

/* By what the last code that was sent is to be checked. Released with mfa_session_challenge_clear. */
struct mfa_session_challenge {
    struct mfa_settings *settings; /* it was sent by; held; NULL: none was sent */
    uint8_t service;               /* that sent it: 0 is the endpoint, 1 its first fallback */
    char *captured_secret;         /* of its answer: JSON, NUL-terminated; owned; NULL: nothing */
    bool has_message;              /* one was sent, or may have been, or is on its way; told, not set */
};

#define MFA_CODE_HASH_LEN 16

/* The newest code, which may still be on its way, and at most two that were sent before it. */
#define MFA_SESSION_CODES 3

struct mfa_session_code {
    unsigned char hash[MFA_CODE_HASH_LEN];
    uint32_t spare_ms; /* it ends so long before its session does */
};

/* One allocation: the variable parts stand behind the struct. Released with mfa_session_free. There may be a million of them,
 * so that its size counts; what a lookup looks at comes first. */
struct mfa_session {
    struct mfa_session *next_by_key; /* the five links belong to the shard it is in, mfa_session_shard.h */
    unsigned char key[MFA_SESSION_KEY_LEN];
    uint64_t expires_ms; /* monotonic */
    unsigned char user[MFA_SESSION_USER_LEN];
    struct mfa_session *prev_by_user, *next_by_user;
    struct mfa_session *prev, *next;
    uint64_t next_send_ms;        /* monotonic; when the next message may be sent */
    struct mfa_settings *sent_by; /* these three are a challenge, apart so that no room is lost between them */
    char *captured_secret;
    /* Nothing that changes shares a word with these: who has taken the session reads them without a lock. */
    uint32_t user_data_len : 31;
    uint32_t purpose : 1;
    uint16_t grant_len;
    uint16_t attempts; /* reserved; these two are not looked at where attempts have no limit */
    uint16_t failures; /* settled as failed */
    uint8_t service;
    uint8_t code_count : 2; /* the first so many of `codes` are there */
    bool is_taken : 1;      /* and in the table still, where nobody can use it */
    bool is_sending : 1;
    bool has_new_code : 1; /* the newest code goes with the message that is being sent */
    bool was_sent_to : 1;
    struct mfa_session_code codes[MFA_SESSION_CODES]; /* newest first */
    unsigned char enrolment_id[MFA_ENROLMENT_ID_LEN];
    char data[]; /* user data, NUL, grant, NUL */
};

/* Makes a session; everything is copied. Returns NULL when memory is short or a part is larger than a session can hold. */
struct mfa_session *mfa_session_new(const struct mfa_session_ref *ref, const struct mfa_session_facts *facts,
                                    uint64_t expires_ms);

/* Wipes and frees a session that is in no table. Accepts NULL. */
void mfa_session_free(struct mfa_session *session);

/* Tells what the session remembers; the pointers in `*facts` are borrowed from it. */
void mfa_session_facts(const struct mfa_session *session, struct mfa_session_facts *facts);

/* Tells what a session remembers of its challenge; borrowed from it. */
void mfa_session_challenge(const struct mfa_session *session, struct mfa_session_challenge *challenge);

/* Puts a challenge, which is transferred, in the place of the one before, which the caller has taken over. */
void mfa_session_set_challenge(struct mfa_session *session, const struct mfa_session_challenge *challenge);

/* Copies a challenge, which is released with mfa_session_challenge_clear. Returns MFA_OK; MFA_ERR_MEMORY, `*out` is zeroed. */
MFA_MUST_CHECK enum mfa_status mfa_session_challenge_copy(struct mfa_session_challenge *out,
                                                          const struct mfa_session_challenge *challenge);

/* Wipes and zeroes. Accepts a zeroed struct. */
void mfa_session_challenge_clear(struct mfa_session_challenge *challenge);

/* Makes a code good until `expires_ms` or the session's end; those before it stay good. */
void mfa_session_push_code(struct mfa_session *session, const unsigned char hash[static MFA_CODE_HASH_LEN],
                           uint64_t expires_ms);

/* Takes the newest code back; those before it are as they were. */
void mfa_session_withdraw_code(struct mfa_session *session);

/* Leaves only the newest `kept` codes good. */
void mfa_session_keep_codes(struct mfa_session *session, uint32_t kept);

/* Compares a code's hash with those that are good. Takes the same time for any wrong one.
 * Returns MFA_OK; MFA_ERR_DENIED: wrong, or there is no code to match; MFA_ERR_EXPIRED: it was good once. */
MFA_MUST_CHECK enum mfa_status mfa_session_match(const struct mfa_session *session,
                                                 const unsigned char hash[static MFA_CODE_HASH_LEN], uint64_t now_ms);

#endif
