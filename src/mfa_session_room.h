/* SPDX-License-Identifier: Apache-2.0
 *
 * Room for pending sessions, given out to the shards of their table: several at a time while there is plenty, so that threads
 * in different shards seldom meet at the count; and one by one once little is left, when nobody keeps any to spare, so that
 * the limit is exact. Private to the table in mfa_sessions.h.
 */
#ifndef MFA_SESSION_ROOM_H
#define MFA_SESSION_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mfa_session_room {
    atomic_uint_fast64_t given; /* to sessions, and to shards that have it to spare */
    _Atomic uint32_t limit;     /* 0: none */
    uint32_t reserve;           /* as much as all shards together may have to spare */
};

/* Makes room without a limit, for `shard_count` shards. */
void mfa_session_room_init(struct mfa_session_room *room, uint32_t shard_count);

/* Sets how many sessions there may be, 0: any number. Those that are there already may stay. [any thread] */
void mfa_session_room_set_limit(struct mfa_session_room *room, uint32_t limit);

/* True when another session could be let in, as far as is known before somebody else takes the room. [any thread] */
bool mfa_session_room_is_left(const struct mfa_session_room *room);

/* The rest is to be called with the shard's mutex held. `spare` is what the shard has been given and does not use. */

/* Takes room for one session. Returns false when there is none. */
bool mfa_session_room_take(struct mfa_session_room *room, uint8_t *spare);

/* Leaves the room of one session. */
void mfa_session_room_leave(struct mfa_session_room *room, uint8_t *spare);

/* Gives all spare room back, for other shards to take. */
void mfa_session_room_give_back(struct mfa_session_room *room, uint8_t *spare);

#endif
