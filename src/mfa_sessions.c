/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_sessions.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_session_room.h"
#include "mfa_session_shard.h"

#define SHARD_COUNT 1024
/* Expired sessions that one operation frees, and one step of expire under one lock. */
#define EXPIRE_PER_CALL 4
#define EXPIRE_PER_STEP 64
/* How long a client is told to wait while a message of the same session is on its way. */
#define SENDING_WAIT_S 1

/* What of the policy is about sessions. Each number is read by itself, so one can change while others are at work. */
struct limits {
    _Atomic uint32_t session_ttl_s;
    _Atomic uint32_t code_ttl_s;
    _Atomic uint32_t max_pending_per_user;
    _Atomic uint32_t accept_previous_codes;
    _Atomic uint32_t attempts_per_session;
    _Atomic uint32_t resend_interval_s;
};

struct mfa_sessions {
    struct limits limits;
    unsigned char hash_secret[MFA_SESSIONS_SEED_LEN];
    _Alignas(MFA_CACHE_LINE) struct mfa_session_room room;
    struct mfa_session_shard shards[SHARD_COUNT];
};

/* --- Hashes ----------------------------------------------------------------------------------------------------- */

static void hash_user(const struct mfa_sessions *sessions, const char *user_id,
                      unsigned char user[static MFA_SESSION_USER_LEN])
{
    crypto_shorthash_siphashx24(user, (const unsigned char *)user_id, strlen(user_id), sessions->hash_secret);
}

void mfa_sessions_ref(const struct mfa_sessions *sessions, const char *user_id, const char *token_secret,
                      size_t token_len, struct mfa_session_ref *ref)
{
    crypto_generichash_state state_secret;

    hash_user(sessions, user_id, ref->user);
    crypto_generichash_init(&state_secret, sessions->hash_secret, sizeof sessions->hash_secret, sizeof ref->key);
    crypto_generichash_update(&state_secret, ref->user, sizeof ref->user);
    crypto_generichash_update(&state_secret, (const unsigned char *)token_secret, token_len);
    crypto_generichash_final(&state_secret, ref->key, sizeof ref->key);
    sodium_memzero(&state_secret, sizeof state_secret);
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

/* A session that is taken is freed by whoever has it. */
static void drop(struct mfa_sessions *sessions, struct mfa_session_shard *shard, struct mfa_session *session)
{
    mfa_session_shard_remove(shard, session);
    mfa_session_room_leave(&sessions->room, &shard->spare_room);
    if (session->is_taken)
        session->is_taken = false;
    else
        mfa_session_free(session);
}

/* Frees up to `most` expired sessions. Returns false when there are no more. */
static bool expire(struct mfa_sessions *sessions, struct mfa_session_shard *shard, uint64_t now_ms, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        if (shard->first == NULL || shard->first->expires_ms > now_ms)
            return false;
        drop(sessions, shard, shard->first);
    }
    return true;
}

static struct mfa_session *find_unexpired(const struct mfa_session_shard *shard, const struct mfa_session_ref *ref,
                                          uint64_t now_ms)
{
    struct mfa_session *session = mfa_session_shard_find(shard, ref);

    return session != NULL && session->expires_ms > now_ms ? session : NULL;
}

static struct mfa_session *find_live(const struct mfa_session_shard *shard, const struct mfa_session_ref *ref,
                                     uint64_t now_ms)
{
    struct mfa_session *session = find_unexpired(shard, ref, now_ms);

    return session != NULL && !session->is_taken ? session : NULL;
}

static struct mfa_session_shard *lock_shard(struct mfa_sessions *sessions,
                                            const unsigned char user[static MFA_SESSION_USER_LEN])
{
    struct mfa_session_shard *shard = NULL;
    uint32_t hash = 0;

    /* The other end of it chooses the bucket. */
    memcpy(&hash, user + MFA_SESSION_USER_LEN - sizeof hash, sizeof hash);
    shard = &sessions->shards[hash % SHARD_COUNT];
    pthread_mutex_lock(&shard->mutex);
    return shard;
}

static void unlock_shard(struct mfa_session_shard *shard)
{
    pthread_mutex_unlock(&shard->mutex);
}

/* --- The table -------------------------------------------------------------------------------------------------- */

void mfa_sessions_set_policy(struct mfa_sessions *sessions, const struct mfa_policy *policy)
{
    struct limits *limits = &sessions->limits;

    mfa_session_room_set_limit(&sessions->room, policy->max_pending);
    atomic_store(&limits->session_ttl_s, policy->session_ttl_s);
    atomic_store(&limits->code_ttl_s, policy->code_ttl_s);
    atomic_store(&limits->max_pending_per_user, policy->max_pending_per_user);
    atomic_store(&limits->accept_previous_codes, policy->accept_previous_codes);
    atomic_store(&limits->attempts_per_session, policy->attempts_per_session);
    atomic_store(&limits->resend_interval_s, policy->resend_interval_s);
}

enum mfa_status mfa_sessions_new(struct mfa_sessions **out, const struct mfa_policy *policy,
                                 const unsigned char key_secret[static MFA_SESSIONS_SEED_LEN])
{
    struct mfa_sessions *sessions = aligned_alloc(_Alignof(struct mfa_sessions), sizeof *sessions);

    *out = NULL;
    if (sessions == NULL)
        return MFA_ERR_MEMORY;
    memset(sessions, 0, sizeof *sessions);
    mfa_session_room_init(&sessions->room, SHARD_COUNT);
    mfa_sessions_set_policy(sessions, policy);
    memcpy(sessions->hash_secret, key_secret, sizeof sessions->hash_secret);
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        if (mfa_session_shard_init(&sessions->shards[i]) != MFA_OK) {
            mfa_sessions_free(sessions);
            return MFA_ERR_MEMORY;
        }
    }
    *out = sessions;
    return MFA_OK;
}

void mfa_sessions_free(struct mfa_sessions *sessions)
{
    if (sessions == NULL)
        return;
    for (size_t i = 0; i < SHARD_COUNT; i++)
        mfa_session_shard_clear(&sessions->shards[i]);
    mfa_secret_free(sessions, sizeof *sessions);
}

uint64_t mfa_sessions_count(const struct mfa_sessions *sessions)
{
    uint64_t count = 0;

    for (size_t i = 0; i < SHARD_COUNT; i++)
        count += atomic_load(&sessions->shards[i].count);
    return count;
}

static bool expire_at(struct mfa_sessions *sessions, size_t i, uint64_t now_ms, uint32_t most)
{
    struct mfa_session_shard *shard = &sessions->shards[i];
    bool has_more = false;

    pthread_mutex_lock(&shard->mutex);
    has_more = expire(sessions, shard, now_ms, most);
    unlock_shard(shard);
    return has_more;
}

/* Round by round: whoever waits for a shard gets it before it is the shard's turn again. */
void mfa_sessions_expire(struct mfa_sessions *sessions, uint64_t now_ms)
{
    bool has_more = true;

    while (has_more) {
        has_more = false;
        for (size_t i = 0; i < SHARD_COUNT; i++)
            has_more |= expire_at(sessions, i, now_ms, EXPIRE_PER_STEP);
    }
}

static void give_back_room_at(struct mfa_sessions *sessions, size_t i, uint64_t now_ms)
{
    struct mfa_session_shard *shard = &sessions->shards[i];

    pthread_mutex_lock(&shard->mutex);
    (void)expire(sessions, shard, now_ms, EXPIRE_PER_CALL);
    mfa_session_room_give_back(&sessions->room, &shard->spare_room);
    unlock_shard(shard);
}

/* Frees no more than is needed, since a client waits. Returns false when the table stays full. */
static bool make_room(struct mfa_sessions *sessions, uint64_t now_ms)
{
    for (size_t i = 0; i < SHARD_COUNT && !mfa_session_room_is_left(&sessions->room); i++)
        give_back_room_at(sessions, i, now_ms);
    return mfa_session_room_is_left(&sessions->room);
}

static void make_room_for_user(struct mfa_sessions *sessions, struct mfa_session_shard *shard,
                               const struct mfa_session_ref *ref)
{
    uint64_t limit = atomic_load(&sessions->limits.max_pending_per_user);
    struct mfa_session *session = NULL;
    uint64_t count = 0;

    if (limit == 0)
        return;
    while ((session = mfa_session_shard_next_of_user(shard, ref->user, session)) != NULL)
        count++;
    /* More than one only when the limit has become lower. */
    for (; count >= limit; count--)
        drop(sessions, shard, mfa_session_shard_next_of_user(shard, ref->user, NULL));
}

/* Returns false when the table is full. */
static bool add(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                struct mfa_session *session)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    bool has_room = false;

    (void)expire(sessions, shard, now_ms, EXPIRE_PER_CALL);
    has_room = mfa_session_room_take(&sessions->room, &shard->spare_room);
    if (has_room) {
        make_room_for_user(sessions, shard, ref);
        mfa_session_shard_add(shard, session); /* transferred */
    }
    unlock_shard(shard);
    return has_room;
}

enum mfa_status mfa_sessions_open(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                                  const struct mfa_session_facts *facts)
{
    uint64_t expires_ms = now_ms + (uint64_t)atomic_load(&sessions->limits.session_ttl_s) * 1000;
    struct mfa_session *session = mfa_session_new(ref, facts, expires_ms);
    bool is_added = false;

    if (session == NULL)
        return MFA_ERR_MEMORY;
    do
        is_added = add(sessions, now_ms, ref, session);
    while (!is_added && make_room(sessions, now_ms)); /* which others may have been quicker to take */
    if (is_added)
        return MFA_OK;
    mfa_session_free(session);
    return MFA_ERR_FULL;
}

static uint64_t code_expiry(const struct mfa_sessions *sessions, uint64_t now_ms)
{
    uint64_t ttl_s = atomic_load(&sessions->limits.code_ttl_s);

    return ttl_s == 0 ? UINT64_MAX : now_ms + ttl_s * 1000;
}

bool mfa_sessions_has(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    bool is_there = find_live(shard, ref, now_ms) != NULL;

    unlock_shard(shard);
    return is_there;
}

enum mfa_status mfa_sessions_user_data(struct mfa_sessions *sessions, uint64_t now_ms,
                                       const struct mfa_session_ref *ref, char **text, size_t *len)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    const struct mfa_session *session = find_live(shard, ref, now_ms);
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

enum mfa_status mfa_sessions_set_challenge(struct mfa_sessions *sessions, uint64_t now_ms,
                                           const struct mfa_session_ref *ref,
                                           const struct mfa_session_challenge *challenge)
{
    struct mfa_session_challenge copy;
    struct mfa_session_challenge before = {0};
    struct mfa_session_shard *shard = NULL;
    struct mfa_session *session = NULL;
    enum mfa_status status = mfa_session_challenge_copy(&copy, challenge);

    if (status != MFA_OK)
        return status;
    shard = lock_shard(sessions, ref->user);
    session = find_unexpired(shard, ref, now_ms);
    if (session != NULL) {
        mfa_session_challenge(session, &before);
        mfa_session_set_challenge(session, &copy); /* transferred */
    }
    unlock_shard(shard);
    mfa_session_challenge_clear(session != NULL ? &before : &copy);
    return session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;
}

enum mfa_status mfa_sessions_challenge(struct mfa_sessions *sessions, uint64_t now_ms,
                                       const struct mfa_session_ref *ref, struct mfa_session_challenge *out)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    const struct mfa_session *session = find_live(shard, ref, now_ms);
    struct mfa_session_challenge challenge;
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    *out = (struct mfa_session_challenge){0};
    if (session != NULL) {
        mfa_session_challenge(session, &challenge);
        status = mfa_session_challenge_copy(out, &challenge);
    }
    unlock_shard(shard);
    return status;
}

enum mfa_status mfa_sessions_begin_send(struct mfa_sessions *sessions, uint64_t now_ms,
                                        const struct mfa_session_ref *ref, uint32_t *wait_s)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    struct mfa_session *session = find_live(shard, ref, now_ms);
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
    struct mfa_session_shard *shard = NULL;
    struct mfa_session *session = NULL;

    hash_code(sessions, ref, code_secret, hash);
    shard = lock_shard(sessions, ref->user);
    session = find_live(shard, ref, now_ms);
    if (session != NULL) {
        session->has_new_code = true;
        mfa_session_push_code(session, hash, code_expiry(sessions, now_ms));
    }
    unlock_shard(shard);
    return session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;
}

static void book_send(const struct limits *limits, struct mfa_session *session, uint64_t begun_ms)
{
    mfa_session_keep_codes(session, atomic_load(&limits->accept_previous_codes) + 1);
    if (session->was_sent_to)
        session->next_send_ms = begun_ms + (uint64_t)atomic_load(&limits->resend_interval_s) * 1000;
    session->was_sent_to = true;
}

void mfa_sessions_end_send(struct mfa_sessions *sessions, uint64_t begun_ms, const struct mfa_session_ref *ref,
                           bool was_sent)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    struct mfa_session *session = mfa_session_shard_find(shard, ref);

    if (session != NULL) {
        if (was_sent)
            book_send(&sessions->limits, session, begun_ms);
        else if (session->has_new_code)
            mfa_session_withdraw_code(session);
        session->is_sending = false;
        session->has_new_code = false;
    }
    unlock_shard(shard);
}

/* Where attempts have no limit there may be more than can be counted, and a limit later. */
static void count_one(uint16_t *count)
{
    if (*count < UINT16_MAX)
        (*count)++;
}

enum mfa_status mfa_sessions_reserve_attempt(struct mfa_sessions *sessions, uint64_t now_ms,
                                             const struct mfa_session_ref *ref, enum mfa_purpose purpose)
{
    uint32_t limit = atomic_load(&sessions->limits.attempts_per_session);
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    struct mfa_session *session = find_live(shard, ref, now_ms);
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    if (session != NULL && session->purpose == purpose) {
        status = limit > 0 && session->attempts >= limit ? MFA_ERR_DENIED : MFA_OK;
        if (status == MFA_OK)
            count_one(&session->attempts);
    }
    unlock_shard(shard);
    return status;
}

enum mfa_status mfa_sessions_match(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                                   const char *code_secret)
{
    unsigned char hash[MFA_CODE_HASH_LEN];
    struct mfa_session_shard *shard = NULL;
    const struct mfa_session *session = NULL;
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    hash_code(sessions, ref, code_secret, hash);
    shard = lock_shard(sessions, ref->user);
    session = find_live(shard, ref, now_ms);
    if (session != NULL)
        status = mfa_session_match(session, hash, now_ms);
    unlock_shard(shard);
    return status;
}

/* The limit may have become lower than what was reserved. */
static uint32_t attempts_left(const struct mfa_session *session, uint32_t limit)
{
    if (limit == 0)
        return UINT32_MAX;
    return limit > session->attempts ? limit - session->attempts : 0;
}

enum mfa_status mfa_sessions_fail_attempt(struct mfa_sessions *sessions, const struct mfa_session_ref *ref,
                                          uint32_t *left)
{
    uint32_t limit = atomic_load(&sessions->limits.attempts_per_session);
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    struct mfa_session *session = mfa_session_shard_find(shard, ref);
    enum mfa_status status = session != NULL ? MFA_OK : MFA_ERR_NOT_FOUND;

    *left = 0;
    if (session != NULL) {
        count_one(&session->failures);
        *left = attempts_left(session, limit);
        if (limit > 0 && session->failures >= limit)
            drop(sessions, shard, session);
    }
    unlock_shard(shard);
    return status;
}

void mfa_sessions_return_attempt(struct mfa_sessions *sessions, const struct mfa_session_ref *ref)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    struct mfa_session *session = mfa_session_shard_find(shard, ref);

    if (session != NULL && session->attempts > 0)
        session->attempts--;
    unlock_shard(shard);
}

struct mfa_session *mfa_sessions_take(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    struct mfa_session *session = find_live(shard, ref, now_ms);

    if (session != NULL)
        session->is_taken = true;
    unlock_shard(shard);
    return session;
}

void mfa_sessions_put_back(struct mfa_sessions *sessions, struct mfa_session *session)
{
    struct mfa_session_shard *shard = lock_shard(sessions, session->user);
    bool is_there = session->is_taken;

    session->is_taken = false;
    unlock_shard(shard);
    if (!is_there)
        mfa_session_free(session);
}

void mfa_sessions_use_up(struct mfa_sessions *sessions, struct mfa_session *session)
{
    struct mfa_session_shard *shard = lock_shard(sessions, session->user);

    if (session->is_taken)
        drop(sessions, shard, session);
    unlock_shard(shard);
}

void mfa_sessions_drop(struct mfa_sessions *sessions, const struct mfa_session_ref *ref)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    struct mfa_session *session = mfa_session_shard_find(shard, ref);

    if (session != NULL)
        drop(sessions, shard, session);
    unlock_shard(shard);
}

/* Those of the user, from the oldest one on, up to `end`; NULL: all of them. Called with the mutex held. */
static void drop_until(struct mfa_sessions *sessions, struct mfa_session_shard *shard,
                       const unsigned char user[static MFA_SESSION_USER_LEN], unsigned purposes,
                       const struct mfa_session *end)
{
    struct mfa_session *session = mfa_session_shard_next_of_user(shard, user, NULL);

    while (session != end) {
        struct mfa_session *next = mfa_session_shard_next_of_user(shard, user, session);
        if ((purposes & 1u << session->purpose) != 0)
            drop(sessions, shard, session);
        session = next;
    }
}

void mfa_sessions_drop_user(struct mfa_sessions *sessions, const char *user_id, unsigned purposes)
{
    unsigned char user[MFA_SESSION_USER_LEN];
    struct mfa_session_shard *shard = NULL;

    hash_user(sessions, user_id, user);
    shard = lock_shard(sessions, user);
    drop_until(sessions, shard, user, purposes, NULL);
    unlock_shard(shard);
}

void mfa_sessions_drop_older(struct mfa_sessions *sessions, const struct mfa_session_ref *ref, unsigned purposes)
{
    struct mfa_session_shard *shard = lock_shard(sessions, ref->user);
    const struct mfa_session *session = mfa_session_shard_find(shard, ref);

    if (session != NULL)
        drop_until(sessions, shard, ref->user, purposes, session);
    unlock_shard(shard);
}
