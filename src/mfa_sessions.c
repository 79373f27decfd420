/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_sessions.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "mfa_buffer.h"

#define SHARD_COUNT 64
/* Expired sessions that one operation frees, and one step of expire under one lock. */
#define EXPIRE_PER_CALL 4
#define EXPIRE_PER_STEP 256
/* How long a client is told to wait while a message of the same session is on its way. */
#define SENDING_WAIT_S 1

/* The sessions of one user, oldest first. */
struct mfa_session_owner {
    UT_hash_handle hh;
    struct mfa_session *sessions;
    uint32_t count;
    char user_id[];
};

struct session_shard {
    pthread_mutex_t mutex; /* guards all below, and every session and owner in it */
    struct mfa_session *by_key;
    struct mfa_session_owner *by_user;
};

struct mfa_sessions {
    struct mfa_policy policy;
    unsigned char hash_secret[MFA_SESSIONS_SEED_LEN];
    atomic_uint_fast64_t count;
    struct session_shard shards[SHARD_COUNT];
};

/* --- Hashes ----------------------------------------------------------------------------------------------------- */

void mfa_sessions_ref(const struct mfa_sessions *sessions, const char *user_id, const char *token_secret,
                      size_t token_len, struct mfa_session_ref *ref)
{
    ref->user_id = user_id;
    crypto_generichash(ref->key, sizeof ref->key, (const unsigned char *)token_secret, token_len, sessions->hash_secret,
                       sizeof sessions->hash_secret);
}

/* A code's hash is bound to its session: the same digits in another one hash to something else. */
static void hash_code(const struct mfa_sessions *sessions, const struct mfa_session_ref *ref, const char *code_secret,
                      unsigned char hash[static MFA_CODE_HASH_LEN])
{
    unsigned char input_secret[MFA_SESSION_KEY_LEN + MFA_CODE_SIZE] = {0};
    size_t code_len = strnlen(code_secret, MFA_CODE_SIZE);

    memcpy(input_secret, ref->key, MFA_SESSION_KEY_LEN);
    memcpy(input_secret + MFA_SESSION_KEY_LEN, code_secret, code_len);
    crypto_generichash(hash, MFA_CODE_HASH_LEN, input_secret, MFA_SESSION_KEY_LEN + code_len, sessions->hash_secret,
                       sizeof sessions->hash_secret);
    sodium_memzero(input_secret, sizeof input_secret);
}

/* --- Shards; all with the shard's mutex held -------------------------------------------------------------------- */

static struct mfa_session_owner *shard_find_owner(const struct session_shard *shard, const char *user_id)
{
    struct mfa_session_owner *owner = NULL;

    HASH_FIND_STR(shard->by_user, user_id, owner);
    return owner;
}

static struct mfa_session_owner *shard_add_owner(struct session_shard *shard, const char *user_id)
{
    size_t size = sizeof(struct mfa_session_owner) + strlen(user_id) + 1;
    struct mfa_session_owner *owner = calloc(1, size);

    if (owner == NULL)
        return NULL;
    memcpy(owner->user_id, user_id, size - sizeof *owner);
    HASH_ADD_STR(shard->by_user, user_id, owner);
    if (owner->hh.tbl != NULL)
        return owner;
    free(owner);
    return NULL;
}

static void shard_drop_owner_without_sessions(struct session_shard *shard, struct mfa_session_owner *owner)
{
    if (owner->sessions != NULL)
        return;
    HASH_DEL(shard->by_user, owner);
    free(owner);
}

static enum mfa_status shard_add(struct session_shard *shard, struct mfa_session *session)
{
    const char *user_id = mfa_session_user_id(session);
    struct mfa_session_owner *owner = shard_find_owner(shard, user_id);

    if (owner == NULL)
        owner = shard_add_owner(shard, user_id);
    if (owner == NULL)
        return MFA_ERR_MEMORY;
    HASH_ADD(hh, shard->by_key, key, sizeof session->key, session);
    if (session->hh.tbl == NULL) {
        shard_drop_owner_without_sessions(shard, owner);
        return MFA_ERR_MEMORY;
    }
    DL_APPEND(owner->sessions, session);
    owner->count++;
    session->owner = owner;
    return MFA_OK;
}

static void shard_remove(struct mfa_sessions *sessions, struct session_shard *shard, struct mfa_session *session)
{
    struct mfa_session_owner *owner = session->owner;

    HASH_DEL(shard->by_key, session);
    DL_DELETE(owner->sessions, session);
    owner->count--;
    session->owner = NULL;
    shard_drop_owner_without_sessions(shard, owner);
    atomic_fetch_sub(&sessions->count, 1);
}

static void shard_drop(struct mfa_sessions *sessions, struct session_shard *shard, struct mfa_session *session)
{
    shard_remove(sessions, shard, session);
    mfa_session_free(session);
}

/* Frees up to `most` expired sessions. Returns false when the oldest is still alive or there is none. */
static bool shard_expire(struct mfa_sessions *sessions, struct session_shard *shard, uint64_t now_ms, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        if (shard->by_key == NULL || shard->by_key->expires_ms > now_ms)
            return false;
        shard_drop(sessions, shard, shard->by_key);
    }
    return true;
}

static struct mfa_session *shard_find(const struct session_shard *shard, const struct mfa_session_ref *ref)
{
    struct mfa_session *session = NULL;

    HASH_FIND(hh, shard->by_key, ref->key, sizeof ref->key, session);
    if (session == NULL || strcmp(session->owner->user_id, ref->user_id) != 0)
        return NULL;
    return session;
}

static struct mfa_session *shard_find_live(const struct session_shard *shard, const struct mfa_session_ref *ref,
                                           uint64_t now_ms)
{
    struct mfa_session *session = shard_find(shard, ref);

    return session != NULL && session->expires_ms > now_ms ? session : NULL;
}

static struct session_shard *lock_shard(struct mfa_sessions *sessions, const char *user_id)
{
    unsigned hash = 0;
    struct session_shard *shard = NULL;

    HASH_VALUE(user_id, strlen(user_id), hash);
    shard = &sessions->shards[(hash >> 8) % SHARD_COUNT]; /* the low bits choose the bucket within */
    pthread_mutex_lock(&shard->mutex);
    return shard;
}

static void unlock_shard(struct session_shard *shard)
{
    pthread_mutex_unlock(&shard->mutex);
}

/* --- The table -------------------------------------------------------------------------------------------------- */

enum mfa_status mfa_sessions_new(struct mfa_sessions **out, const struct mfa_policy *policy,
                                 const unsigned char key_secret[static MFA_SESSIONS_SEED_LEN])
{
    struct mfa_sessions *sessions = calloc(1, sizeof *sessions);

    *out = NULL;
    if (sessions == NULL)
        return MFA_ERR_MEMORY;
    sessions->policy = *policy;
    memcpy(sessions->hash_secret, key_secret, sizeof sessions->hash_secret);
    atomic_init(&sessions->count, 0);
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        if (pthread_mutex_init(&sessions->shards[i].mutex, NULL) != 0) {
            while (i-- > 0)
                pthread_mutex_destroy(&sessions->shards[i].mutex);
            mfa_secret_free(sessions, sizeof *sessions);
            return MFA_ERR_INTERNAL;
        }
    }
    *out = sessions;
    return MFA_OK;
}

void mfa_sessions_free(struct mfa_sessions *sessions)
{
    if (sessions == NULL)
        return;
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        struct session_shard *shard = &sessions->shards[i];
        while (shard->by_key != NULL)
            shard_drop(sessions, shard, shard->by_key);
        pthread_mutex_destroy(&shard->mutex);
    }
    mfa_secret_free(sessions, sizeof *sessions);
}

uint64_t mfa_sessions_count(const struct mfa_sessions *sessions)
{
    return atomic_load(&sessions->count);
}

void mfa_sessions_expire(struct mfa_sessions *sessions, uint64_t now_ms)
{
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        bool more = true;
        while (more) {
            pthread_mutex_lock(&sessions->shards[i].mutex);
            more = shard_expire(sessions, &sessions->shards[i], now_ms, EXPIRE_PER_STEP);
            unlock_shard(&sessions->shards[i]);
        }
    }
}

/* Reserves room before the session exists, so that openings at the same time cannot pass the limit together. */
static enum mfa_status reserve_room(struct mfa_sessions *sessions, uint64_t now_ms)
{
    uint64_t limit = sessions->policy.max_pending;

    if (atomic_fetch_add(&sessions->count, 1) < limit || limit == 0)
        return MFA_OK;
    mfa_sessions_expire(sessions, now_ms);
    if (atomic_load(&sessions->count) <= limit)
        return MFA_OK;
    atomic_fetch_sub(&sessions->count, 1);
    return MFA_ERR_FULL;
}

static void make_room_for_owner(struct mfa_sessions *sessions, struct session_shard *shard, const char *user_id)
{
    struct mfa_session_owner *owner = shard_find_owner(shard, user_id);
    uint32_t limit = sessions->policy.max_pending_per_user;

    if (owner != NULL && limit > 0 && owner->count >= limit)
        shard_drop(sessions, shard, owner->sessions);
}

enum mfa_status mfa_sessions_open(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                                  const struct mfa_session_facts *facts)
{
    uint64_t expires_ms = now_ms + (uint64_t)sessions->policy.session_ttl_s * 1000;
    struct mfa_session *session = NULL;
    struct session_shard *shard = NULL;
    enum mfa_status status = reserve_room(sessions, now_ms);

    if (status != MFA_OK)
        return status;
    status = MFA_ERR_MEMORY;
    session = mfa_session_new(ref, facts, expires_ms);
    if (session != NULL) {
        shard = lock_shard(sessions, ref->user_id);
        shard_expire(sessions, shard, now_ms, EXPIRE_PER_CALL);
        make_room_for_owner(sessions, shard, ref->user_id);
        status = shard_add(shard, session);
        unlock_shard(shard);
    }
    if (status != MFA_OK) {
        mfa_session_free(session);
        atomic_fetch_sub(&sessions->count, 1);
    }
    return status;
}

static uint64_t code_expiry(const struct mfa_policy *policy, const struct mfa_session *session, uint64_t now_ms)
{
    uint64_t expires_ms = now_ms + (uint64_t)policy->code_ttl_s * 1000;

    return policy->code_ttl_s == 0 || expires_ms > session->expires_ms ? session->expires_ms : expires_ms;
}

bool mfa_sessions_has(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    bool is_there = shard_find_live(shard, ref, now_ms) != NULL;

    unlock_shard(shard);
    return is_there;
}

enum mfa_status mfa_sessions_user_data(struct mfa_sessions *sessions, uint64_t now_ms,
                                       const struct mfa_session_ref *ref, char **text, size_t *len)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    const struct mfa_session *session = shard_find_live(shard, ref, now_ms);
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    *text = NULL;
    *len = 0;
    if (session != NULL) {
        *text = malloc((size_t)session->user_data_len + 1);
        status = *text != NULL ? MFA_OK : MFA_ERR_MEMORY;
    }
    if (status == MFA_OK) {
        memcpy(*text, session->data, (size_t)session->user_data_len + 1);
        *len = session->user_data_len;
    }
    unlock_shard(shard);
    return status;
}

enum mfa_status mfa_sessions_set_captured(struct mfa_sessions *sessions, uint64_t now_ms,
                                          const struct mfa_session_ref *ref, uint8_t service,
                                          const char *captured_secret)
{
    char *copy_secret = captured_secret != NULL ? strdup(captured_secret) : NULL;
    struct session_shard *shard = NULL;
    struct mfa_session *session = NULL;

    if (copy_secret == NULL && captured_secret != NULL)
        return MFA_ERR_MEMORY;
    shard = lock_shard(sessions, ref->user_id);
    session = shard_find_live(shard, ref, now_ms);
    if (session != NULL)
        mfa_session_set_captured(session, service, copy_secret); /* transferred */
    unlock_shard(shard);
    if (session == NULL && copy_secret != NULL)
        mfa_secret_free(copy_secret, strlen(copy_secret));
    return session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;
}

enum mfa_status mfa_sessions_captured(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                                      uint8_t *service, char **captured_secret)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    const struct mfa_session *session = shard_find_live(shard, ref, now_ms);
    enum mfa_status status = session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;

    *service = session != NULL ? session->service : 0;
    *captured_secret = NULL;
    if (session != NULL && session->captured_secret != NULL) {
        *captured_secret = strdup(session->captured_secret);
        status = *captured_secret != NULL ? MFA_OK : MFA_ERR_MEMORY;
    }
    unlock_shard(shard);
    return status;
}

enum mfa_status mfa_sessions_begin_send(struct mfa_sessions *sessions, uint64_t now_ms,
                                        const struct mfa_session_ref *ref, uint32_t *wait_s)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    struct mfa_session *session = shard_find_live(shard, ref, now_ms);
    enum mfa_status status = session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;

    *wait_s = 0;
    if (session != NULL && session->is_sending)
        *wait_s = SENDING_WAIT_S;
    else if (session != NULL && session->next_send_ms > now_ms)
        *wait_s = (uint32_t)((session->next_send_ms - now_ms + 999) / 1000);
    if (*wait_s > 0)
        status = MFA_ERR_FULL;
    if (status == MFA_OK)
        session->is_sending = true;
    unlock_shard(shard);
    return status;
}

enum mfa_status mfa_sessions_add_code(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                                      const char *code_secret)
{
    unsigned char hash[MFA_CODE_HASH_LEN];
    struct session_shard *shard = NULL;
    struct mfa_session *session = NULL;

    hash_code(sessions, ref, code_secret, hash);
    shard = lock_shard(sessions, ref->user_id);
    session = shard_find_live(shard, ref, now_ms);
    if (session != NULL) {
        session->has_new_code = true;
        mfa_session_push_code(session, hash, code_expiry(&sessions->policy, session, now_ms));
    }
    unlock_shard(shard);
    return session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;
}

static void book_send(const struct mfa_policy *policy, struct mfa_session *session, uint64_t begun_ms)
{
    mfa_session_keep_codes(session, policy->accept_previous_codes + 1);
    if (session->was_sent_to)
        session->next_send_ms = begun_ms + (uint64_t)policy->resend_interval_s * 1000;
    session->was_sent_to = true;
}

bool mfa_sessions_end_send(struct mfa_sessions *sessions, uint64_t begun_ms, const struct mfa_session_ref *ref,
                           bool was_sent)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    struct mfa_session *session = shard_find(shard, ref);

    if (session != NULL) {
        if (was_sent)
            book_send(&sessions->policy, session, begun_ms);
        else if (session->has_new_code)
            mfa_session_withdraw_code(session);
        session->is_sending = false;
        session->has_new_code = false;
    }
    unlock_shard(shard);
    return session != NULL;
}

enum mfa_status mfa_sessions_reserve_attempt(struct mfa_sessions *sessions, uint64_t now_ms,
                                             const struct mfa_session_ref *ref, enum mfa_purpose purpose)
{
    uint32_t limit = sessions->policy.attempts_per_session;
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    struct mfa_session *session = shard_find_live(shard, ref, now_ms);
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    if (session != NULL && session->purpose == purpose) {
        status = limit > 0 && session->attempts >= limit ? MFA_ERR_DENIED : MFA_OK;
        if (status == MFA_OK)
            session->attempts++;
    }
    unlock_shard(shard);
    return status;
}

enum mfa_status mfa_sessions_match(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                                   const char *code_secret)
{
    unsigned char hash[MFA_CODE_HASH_LEN];
    struct session_shard *shard = NULL;
    const struct mfa_session *session = NULL;
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    hash_code(sessions, ref, code_secret, hash);
    shard = lock_shard(sessions, ref->user_id);
    session = shard_find_live(shard, ref, now_ms);
    if (session != NULL)
        status = mfa_session_match(session, hash, now_ms);
    unlock_shard(shard);
    return status;
}

enum mfa_status mfa_sessions_fail_attempt(struct mfa_sessions *sessions, const struct mfa_session_ref *ref,
                                          uint32_t *left)
{
    uint32_t limit = sessions->policy.attempts_per_session;
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    struct mfa_session *session = shard_find(shard, ref);
    enum mfa_status status = session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;

    *left = 0;
    if (session != NULL) {
        session->failures++;
        *left = limit == 0 ? UINT32_MAX : limit - session->attempts;
        if (limit > 0 && session->failures >= limit)
            shard_drop(sessions, shard, session);
    }
    unlock_shard(shard);
    return status;
}

void mfa_sessions_return_attempt(struct mfa_sessions *sessions, const struct mfa_session_ref *ref)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    struct mfa_session *session = shard_find(shard, ref);

    if (session != NULL && session->attempts > 0)
        session->attempts--;
    unlock_shard(shard);
}

struct mfa_session *mfa_sessions_take(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    struct mfa_session *session = shard_find_live(shard, ref, now_ms);

    if (session != NULL)
        shard_remove(sessions, shard, session);
    unlock_shard(shard);
    return session;
}

void mfa_sessions_put_back(struct mfa_sessions *sessions, struct mfa_session *session)
{
    struct session_shard *shard = lock_shard(sessions, mfa_session_user_id(session));
    enum mfa_status status = MFA_ERR_MEMORY;

    session->is_sending = false;
    session->has_new_code = false;
    status = shard_add(shard, session);
    unlock_shard(shard);
    if (status == MFA_OK)
        atomic_fetch_add(&sessions->count, 1);
    else
        mfa_session_free(session);
}

void mfa_sessions_drop(struct mfa_sessions *sessions, const struct mfa_session_ref *ref)
{
    struct session_shard *shard = lock_shard(sessions, ref->user_id);
    struct mfa_session *session = shard_find(shard, ref);

    if (session != NULL)
        shard_drop(sessions, shard, session);
    unlock_shard(shard);
}

static void drop_all_but(struct mfa_sessions *sessions, const char *user_id, unsigned purposes,
                         const struct mfa_session_ref *kept)
{
    struct session_shard *shard = lock_shard(sessions, user_id);
    const struct mfa_session *spared = kept != NULL ? shard_find(shard, kept) : NULL;
    struct mfa_session_owner *owner = shard_find_owner(shard, user_id);
    struct mfa_session *session = owner != NULL ? owner->sessions : NULL;

    while (session != NULL) {
        struct mfa_session *next = session->next;
        if (session != spared && (purposes & 1u << session->purpose) != 0)
            shard_drop(sessions, shard, session);
        session = next;
    }
    unlock_shard(shard);
}

void mfa_sessions_drop_user(struct mfa_sessions *sessions, const char *user_id, unsigned purposes)
{
    drop_all_but(sessions, user_id, purposes, NULL);
}

void mfa_sessions_drop_others(struct mfa_sessions *sessions, const struct mfa_session_ref *ref, unsigned purposes)
{
    drop_all_but(sessions, ref->user_id, purposes, ref);
}
