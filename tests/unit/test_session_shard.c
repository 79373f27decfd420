/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mfa_session_shard.h"

#define USERS 50
#define SESSIONS_EACH 7

/* A name of a user or session. They meet in few buckets, however many there are. */
static void name(unsigned char out[static 16], uint32_t number)
{
    memset(out, 0, 16);
    out[0] = (unsigned char)(number % 8);
    memcpy(out + 8, &number, sizeof number);
}

static struct mfa_session_ref ref_of(uint32_t user, uint32_t session)
{
    struct mfa_session_ref ref;

    name(ref.user, user);
    name(ref.key, user * SESSIONS_EACH + session);
    return ref;
}

#define EXPIRES_MS 1000

static struct mfa_session *add_until(struct mfa_session_shard *shard, uint32_t user, uint32_t number,
                                     uint64_t expires_ms)
{
    struct mfa_session_ref ref = ref_of(user, number);
    struct mfa_session_facts facts = {.user_data = "{}", .user_data_len = 2};
    struct mfa_session *session = mfa_session_new(&ref, &facts, expires_ms);

    assert_non_null(session);
    mfa_session_shard_add(shard, session);
    return session;
}

static struct mfa_session *add(struct mfa_session_shard *shard, uint32_t user, uint32_t number)
{
    return add_until(shard, user, number, EXPIRES_MS);
}

/* In turns: the first session of each user, the second of each, ... */
static void add_all(struct mfa_session_shard *shard)
{
    for (uint32_t i = 0; i < SESSIONS_EACH; i++)
        for (uint32_t user = 0; user < USERS; user++)
            add(shard, user, i);
}

static size_t count_of_user(const struct mfa_session_shard *shard, uint32_t user)
{
    struct mfa_session_ref ref = ref_of(user, 0);
    const struct mfa_session *session = NULL;
    size_t count = 0;

    while ((session = mfa_session_shard_next_of_user(shard, ref.user, session)) != NULL)
        count++;
    return count;
}

static void drop(struct mfa_session_shard *shard, struct mfa_session *session)
{
    mfa_session_shard_remove(shard, session);
    mfa_session_free(session);
}

static struct mfa_session_shard shard;

static int setup(void **state)
{
    (void)state;
    return mfa_session_shard_init(&shard) == MFA_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    mfa_session_shard_clear(&shard);
    return 0;
}

static void each_session_is_found_by_its_key_however_many_there_are(void **state)
{
    (void)state;
    add_all(&shard);
    assert_int_equal(shard.count, USERS * SESSIONS_EACH);
    for (uint32_t user = 0; user < USERS; user++) {
        for (uint32_t i = 0; i < SESSIONS_EACH; i++) {
            struct mfa_session_ref ref = ref_of(user, i);
            struct mfa_session *found = mfa_session_shard_find(&shard, &ref);
            assert_non_null(found);
            assert_memory_equal(found->key, ref.key, sizeof ref.key);
            assert_memory_equal(found->user, ref.user, sizeof ref.user);
        }
    }
}

static void a_key_that_is_not_there_finds_nothing(void **state)
{
    struct mfa_session_ref ref = ref_of(USERS, 0);

    (void)state;
    assert_null(mfa_session_shard_find(&shard, &ref));
    add_all(&shard);
    assert_null(mfa_session_shard_find(&shard, &ref));
}

static void a_users_sessions_are_walked_from_the_oldest_and_no_others(void **state)
{
    (void)state;
    add_all(&shard);
    for (uint32_t user = 0; user < USERS; user++) {
        const struct mfa_session *session = NULL;
        struct mfa_session_ref ref;
        for (uint32_t i = 0; i < SESSIONS_EACH; i++) {
            ref = ref_of(user, i);
            session = mfa_session_shard_next_of_user(&shard, ref.user, session);
            assert_non_null(session);
            assert_memory_equal(session->key, ref.key, sizeof ref.key);
        }
        assert_null(mfa_session_shard_next_of_user(&shard, ref.user, session));
    }
}

static void the_first_to_expire_is_the_one_that_came_in_first(void **state)
{
    struct mfa_session *second = NULL;

    (void)state;
    assert_null(shard.first);
    struct mfa_session *first = add(&shard, 3, 0);
    second = add(&shard, 1, 0);
    assert_ptr_equal(shard.first, first);
    mfa_session_shard_remove(&shard, first);
    assert_ptr_equal(shard.first, second);
    mfa_session_shard_add(&shard, first);
    assert_ptr_equal(shard.first, second);
}

static void a_shorter_life_ends_sooner_and_makes_nobody_older(void **state)
{
    struct mfa_session *last = NULL;
    const struct mfa_session *session = NULL;

    (void)state;
    for (uint32_t i = 0; i < SESSIONS_EACH; i++)
        last = add_until(&shard, 3, i, EXPIRES_MS - i);
    assert_ptr_equal(shard.first, last);
    for (uint32_t i = 0; i < SESSIONS_EACH; i++) {
        struct mfa_session_ref ref = ref_of(3, i);
        session = mfa_session_shard_next_of_user(&shard, ref.user, session);
        assert_non_null(session);
        assert_memory_equal(session->key, ref.key, sizeof ref.key);
    }
}

static void what_is_removed_is_gone_and_nothing_else(void **state)
{
    (void)state;
    add_all(&shard);
    for (uint32_t user = 0; user < USERS; user++) {
        struct mfa_session_ref removed = ref_of(user, 3);
        struct mfa_session_ref next = ref_of(user, 4);
        drop(&shard, mfa_session_shard_find(&shard, &removed));
        assert_null(mfa_session_shard_find(&shard, &removed));
        assert_non_null(mfa_session_shard_find(&shard, &next));
        assert_int_equal(count_of_user(&shard, user), SESSIONS_EACH - 1);
    }
    assert_int_equal(shard.count, USERS * (SESSIONS_EACH - 1));
    while (shard.first != NULL)
        drop(&shard, shard.first);
    assert_int_equal(shard.count, 0);
}

#define IN_SHARD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SHARD(each_session_is_found_by_its_key_however_many_there_are),
        IN_SHARD(a_key_that_is_not_there_finds_nothing),
        IN_SHARD(a_users_sessions_are_walked_from_the_oldest_and_no_others),
        IN_SHARD(the_first_to_expire_is_the_one_that_came_in_first),
        IN_SHARD(a_shorter_life_ends_sooner_and_makes_nobody_older),
        IN_SHARD(what_is_removed_is_gone_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
