/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_session_shard.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define MAX_BUCKET_BITS 31

enum mfa_status mfa_session_shard_init(struct mfa_session_shard *shard)
{
    *shard = (struct mfa_session_shard){.buckets = calloc(1, sizeof *shard->buckets)};
    if (shard->buckets == NULL)
        return MFA_ERR_MEMORY;
    pthread_mutex_init(&shard->mutex, NULL); /* with default attributes it cannot fail on Linux */
    return MFA_OK;
}

void mfa_session_shard_clear(struct mfa_session_shard *shard)
{
    struct mfa_session *session = NULL;
    struct mfa_session *next = NULL;

    if (shard->buckets == NULL)
        return;
    DL_FOREACH_SAFE(shard->first, session, next)
    {
        mfa_session_free(session);
    }
    free(shard->buckets);
    pthread_mutex_destroy(&shard->mutex);
    *shard = (struct mfa_session_shard){0};
}

static uint32_t bucket_count(const struct mfa_session_shard *shard)
{
    return UINT32_C(1) << shard->bucket_bits;
}

/* What names a session is a hash already. */
static struct mfa_session_bucket *bucket_of(const struct mfa_session_shard *shard, const unsigned char *name)
{
    uint32_t hash = 0;

    memcpy(&hash, name, sizeof hash);
    return &shard->buckets[hash & (bucket_count(shard) - 1)];
}

/* Searched from its end, where a new session belongs unless lives have become shorter. */
static void link_by_expiry(struct mfa_session_shard *shard, struct mfa_session *session)
{
    struct mfa_session *before = shard->first != NULL ? shard->first->prev : NULL;

    while (before != NULL && before->expires_ms > session->expires_ms)
        before = before != shard->first ? before->prev : NULL;
    DL_APPEND_ELEM(shard->first, before, session);
}

static void link_in_buckets(const struct mfa_session_shard *shard, struct mfa_session *session)
{
    LL_PREPEND2(bucket_of(shard, session->key)->by_key, session, next_by_key);
    DL_APPEND2(bucket_of(shard, session->user)->by_user, session, prev_by_user, next_by_user);
}

static void move_bucket(const struct mfa_session_shard *shard, const struct mfa_session_bucket *bucket)
{
    struct mfa_session *next = NULL;

    for (struct mfa_session *session = bucket->by_user; session != NULL; session = next) {
        next = session->next_by_user;
        link_in_buckets(shard, session);
    }
}

/* Without memory the chains just become longer. */
static void grow(struct mfa_session_shard *shard)
{
    struct mfa_session_bucket *before = shard->buckets;
    const uint32_t count_before = bucket_count(shard);
    struct mfa_session_bucket *buckets = calloc(2 * (size_t)count_before, sizeof *buckets);

    if (buckets == NULL)
        return;
    shard->buckets = buckets; /* transferred */
    shard->bucket_bits++;
    for (uint32_t i = 0; i < count_before; i++)
        move_bucket(shard, &before[i]);
    free(before);
}

void mfa_session_shard_add(struct mfa_session_shard *shard, struct mfa_session *session)
{
    if (atomic_load(&shard->count) >= bucket_count(shard) && shard->bucket_bits < MAX_BUCKET_BITS)
        grow(shard);
    link_in_buckets(shard, session);
    link_by_expiry(shard, session);
    atomic_fetch_add(&shard->count, 1);
}

void mfa_session_shard_remove(struct mfa_session_shard *shard, struct mfa_session *session)
{
    struct mfa_session_bucket *of_key = bucket_of(shard, session->key);
    struct mfa_session_bucket *of_user = bucket_of(shard, session->user);

    LL_DELETE2(of_key->by_key, session, next_by_key);
    DL_DELETE2(of_user->by_user, session, prev_by_user, next_by_user);
    DL_DELETE(shard->first, session);
    atomic_fetch_sub(&shard->count, 1);
}

struct mfa_session *mfa_session_shard_find(const struct mfa_session_shard *shard, const struct mfa_session_ref *ref)
{
    struct mfa_session *session = bucket_of(shard, ref->key)->by_key;

    while (session != NULL && memcmp(session->key, ref->key, sizeof ref->key) != 0)
        session = session->next_by_key;
    return session;
}

struct mfa_session *mfa_session_shard_next_of_user(const struct mfa_session_shard *shard,
                                                   const unsigned char user[static MFA_SESSION_USER_LEN],
                                                   const struct mfa_session *session)
{
    struct mfa_session *next = session != NULL ? session->next_by_user : bucket_of(shard, user)->by_user;

    while (next != NULL && memcmp(next->user, user, MFA_SESSION_USER_LEN) != 0)
        next = next->next_by_user;
    return next;
}
