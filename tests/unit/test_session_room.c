/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "mfa_session_room.h"

#define SHARDS 4
#define PLENTY 100000

/* How many sessions one shard gets room for, `most` at most. */
static uint32_t fill(struct mfa_session_room *room, uint8_t *spare, uint32_t most)
{
    uint32_t count = 0;

    while (count < most && mfa_session_room_take(room, spare))
        count++;
    return count;
}

static void there_is_room_for_as_many_as_the_limit_says(void **state)
{
    (void)state;
    for (uint32_t limit = 1; limit < 300; limit++) {
        struct mfa_session_room room;
        uint8_t spare[SHARDS] = {0};
        uint32_t count = 0;

        mfa_session_room_init(&room, SHARDS);
        mfa_session_room_set_limit(&room, limit);
        for (uint32_t i = 0; i < 2 * limit; i++) /* in turn, so that no shard has more than the others */
            count += mfa_session_room_take(&room, &spare[i % SHARDS]);
        for (size_t i = 0; i < SHARDS; i++) /* as the table does when one of them is out of room */
            mfa_session_room_give_back(&room, &spare[i]);
        count += fill(&room, &spare[0], limit);
        assert_int_equal(count, limit);
        assert_false(mfa_session_room_is_left(&room));
    }
}

static void without_a_limit_there_is_always_room(void **state)
{
    struct mfa_session_room room;
    uint8_t spare = 0;

    (void)state;
    mfa_session_room_init(&room, SHARDS);
    assert_int_equal(fill(&room, &spare, PLENTY), PLENTY);
    assert_true(mfa_session_room_is_left(&room));
}

static void the_shared_count_is_written_once_for_several_sessions(void **state)
{
    struct mfa_session_room room;
    uint8_t spare = 0;

    (void)state;
    mfa_session_room_init(&room, SHARDS);
    mfa_session_room_set_limit(&room, PLENTY);
    assert_true(mfa_session_room_take(&room, &spare));
    const uint64_t given = atomic_load(&room.given);
    assert_true(given > 1);
    assert_int_equal(spare, given - 1);
    assert_int_equal(fill(&room, &spare, spare), given - 1);
    assert_int_equal(atomic_load(&room.given), given);
    for (uint64_t i = 0; i < given; i++)
        mfa_session_room_leave(&room, &spare);
    assert_int_equal(atomic_load(&room.given), given);
}

static void a_shard_keeps_little_of_what_its_sessions_leave(void **state)
{
    struct mfa_session_room room;
    uint8_t spare = 0;

    (void)state;
    mfa_session_room_init(&room, SHARDS);
    mfa_session_room_set_limit(&room, PLENTY);
    const uint32_t count = fill(&room, &spare, PLENTY / 2);
    for (uint32_t i = 0; i < count; i++)
        mfa_session_room_leave(&room, &spare);
    assert_int_equal(atomic_load(&room.given), spare);
    assert_in_range(spare, 1, 15);
    mfa_session_room_give_back(&room, &spare);
    assert_int_equal(atomic_load(&room.given), 0);
}

static void where_little_is_left_nobody_keeps_any(void **state)
{
    struct mfa_session_room room;
    uint8_t spare = 0;

    (void)state;
    mfa_session_room_init(&room, SHARDS);
    mfa_session_room_set_limit(&room, 10);
    assert_int_equal(fill(&room, &spare, 5), 5);
    assert_int_equal(spare, 0);
    mfa_session_room_leave(&room, &spare);
    assert_int_equal(spare, 0);
    assert_int_equal(atomic_load(&room.given), 4);
}

static void a_lower_limit_lets_nobody_in_until_enough_have_left(void **state)
{
    struct mfa_session_room room;
    uint8_t spare = 0;

    (void)state;
    mfa_session_room_init(&room, SHARDS);
    assert_int_equal(fill(&room, &spare, 20), 20);
    assert_int_not_equal(spare, 0);
    mfa_session_room_set_limit(&room, 10);
    assert_false(mfa_session_room_take(&room, &spare));
    assert_false(mfa_session_room_is_left(&room));
    for (int i = 0; i < 10; i++)
        mfa_session_room_leave(&room, &spare);
    assert_false(mfa_session_room_take(&room, &spare));
    mfa_session_room_leave(&room, &spare);
    assert_int_equal(fill(&room, &spare, 20), 1);
}

/* --- Many at once ---------------------------------------------------------------------------------------------------- */

#define LIMIT 50 /* so few that each is given by itself */
#define TIMES 20000

struct shard {
    struct mfa_session_room *room;
    uint8_t spare;
    uint32_t most;
};

/* Comes and goes, then stays with as many as it gets. */
static void *come_and_go(void *arg)
{
    struct shard *shard = arg;

    for (uint32_t i = 0; i < TIMES; i++)
        if (mfa_session_room_take(shard->room, &shard->spare))
            mfa_session_room_leave(shard->room, &shard->spare);
    shard->most = fill(shard->room, &shard->spare, LIMIT);
    return NULL;
}

static void shards_at_once_never_have_more_than_there_is(void **state)
{
    struct mfa_session_room room;
    struct shard shards[SHARDS];
    pthread_t threads[SHARDS];
    uint32_t count = 0;

    (void)state;
    mfa_session_room_init(&room, SHARDS);
    mfa_session_room_set_limit(&room, LIMIT);
    for (size_t i = 0; i < SHARDS; i++) {
        shards[i] = (struct shard){.room = &room};
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &shards[i]), 0);
    }
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_join(threads[i], NULL);
        mfa_session_room_give_back(&room, &shards[i].spare);
        count += shards[i].most;
    }
    assert_int_equal(atomic_load(&room.given), count);
    assert_in_range(count, 1, LIMIT);
    assert_int_equal(fill(&room, &shards[0].spare, LIMIT), LIMIT - count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_room_for_as_many_as_the_limit_says),
        cmocka_unit_test(without_a_limit_there_is_always_room),
        cmocka_unit_test(the_shared_count_is_written_once_for_several_sessions),
        cmocka_unit_test(a_shard_keeps_little_of_what_its_sessions_leave),
        cmocka_unit_test(where_little_is_left_nobody_keeps_any),
        cmocka_unit_test(a_lower_limit_lets_nobody_in_until_enough_have_left),
        cmocka_unit_test(shards_at_once_never_have_more_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
