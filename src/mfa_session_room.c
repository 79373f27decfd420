/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_session_room.h"

/* Room that a shard is given, and gives back, at a time. Of spare room it keeps less than two steps. */
#define STEP 8

void mfa_session_room_init(struct mfa_session_room *room, uint32_t shard_count)
{
    room->reserve = shard_count * 2 * STEP;
    atomic_init(&room->limit, 0);
    atomic_init(&room->given, 0);
}

void mfa_session_room_set_limit(struct mfa_session_room *room, uint32_t limit)
{
    atomic_store(&room->limit, limit);
}

bool mfa_session_room_is_left(const struct mfa_session_room *room)
{
    const uint64_t limit = atomic_load(&room->limit);

    return limit == 0 || atomic_load(&room->given) < limit;
}

/* Whether so little is left that none must lie about unused. */
static bool is_scarce(const struct mfa_session_room *room, uint64_t limit, uint64_t given)
{
    return limit > 0 && given + room->reserve > limit;
}

static uint8_t step(const struct mfa_session_room *room, uint64_t limit, uint64_t given)
{
    if (!is_scarce(room, limit, given))
        return STEP;
    return given < limit ? 1 : 0;
}

bool mfa_session_room_take(struct mfa_session_room *room, uint8_t *spare)
{
    const uint64_t limit = atomic_load(&room->limit);
    uint64_t given = atomic_load(&room->given);
    uint8_t more = step(room, limit, given);

    if (limit > 0 && given > limit)
        return false; /* it has become lower */
    if (*spare == 0) {
        while (more > 0 && !atomic_compare_exchange_weak(&room->given, &given, given + more))
            more = step(room, limit, given);
        *spare = more;
    }
    if (*spare == 0)
        return false;
    (*spare)--;
    return true;
}

static void give_back(struct mfa_session_room *room, uint8_t *spare, uint8_t count)
{
    *spare = (uint8_t)(*spare - count);
    atomic_fetch_sub(&room->given, count);
}

void mfa_session_room_leave(struct mfa_session_room *room, uint8_t *spare)
{
    (*spare)++;
    if (is_scarce(room, atomic_load(&room->limit), atomic_load(&room->given)))
        give_back(room, spare, *spare);
    else if (*spare == 2 * STEP)
        give_back(room, spare, STEP);
}

/* Where there is none, the count that all share is left alone. */
void mfa_session_room_give_back(struct mfa_session_room *room, uint8_t *spare)
{
    if (*spare > 0)
        give_back(room, spare, *spare);
}
