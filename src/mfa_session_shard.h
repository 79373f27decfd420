/* SPDX-License-Identifier: Apache-2.0
 *
 * One shard of the table of pending sessions: found by key, walked by user in the order of creation, and kept in that of
 * expiry. All of it is threaded through the sessions themselves, so that putting one in takes no memory and cannot fail.
 * Private to the table in mfa_sessions.h, which locks.
 */
#ifndef MFA_SESSION_SHARD_H
#define MFA_SESSION_SHARD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_session.h"
#include "mfa_status.h"

/* Two chains that have nothing to do with each other: the sessions whose key, and those whose user, lead here. */
struct mfa_session_bucket {
    struct mfa_session *by_key;
    struct mfa_session *by_user; /* oldest first */
};

/* What processors pass to each other as a whole. */
#define MFA_CACHE_LINE 64

/* One cache line, so that threads in different shards do not get in each other's way. */
struct mfa_session_shard {
    _Alignas(MFA_CACHE_LINE) pthread_mutex_t mutex; /* guards all below, and every session in it */
    struct mfa_session_bucket *buckets;
    struct mfa_session *first; /* to expire */
    _Atomic uint32_t count;    /* of sessions; may be read without the mutex */
    uint8_t bucket_bits;       /* there are two to the power of them */
    uint8_t spare_room;        /* mfa_session_room.h */
};

/* Makes an empty shard, cleared with mfa_session_shard_clear. Returns MFA_OK, or MFA_ERR_MEMORY with nothing to clear. */
MFA_MUST_CHECK enum mfa_status mfa_session_shard_init(struct mfa_session_shard *shard);

/* Wipes and frees every session, and what the shard has of its own. Accepts a zeroed struct. */
void mfa_session_shard_clear(struct mfa_session_shard *shard);

/* The rest is to be called with the mutex held. */

/* Puts a session in, as its user's newest; it stays where it is in memory. */
void mfa_session_shard_add(struct mfa_session_shard *shard, struct mfa_session *session);

/* Takes out a session that is in the shard. */
void mfa_session_shard_remove(struct mfa_session_shard *shard, struct mfa_session *session);

/* Returns the session that `ref` names, or NULL. */
struct mfa_session *mfa_session_shard_find(const struct mfa_session_shard *shard, const struct mfa_session_ref *ref);

/* Walks the sessions of a user, oldest first: returns the one behind `session`, or the first when that is NULL; NULL at the
 * end. */
struct mfa_session *mfa_session_shard_next_of_user(const struct mfa_session_shard *shard,
                                                   const unsigned char user[static MFA_SESSION_USER_LEN],
                                                   const struct mfa_session *session);

#endif
