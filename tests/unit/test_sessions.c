/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_code.h"
#include "mfa_sessions.h"

#define NOW UINT64_C(86399977)
#define SECOND UINT64_C(1000)
#define THREADS 8
#define MANY 100000
/* So many users that, however they are spread, some are neighbours of alice. */
#define NEIGHBOURS 10000

static uint32_t fail_attempt(struct mfa_sessions *sessions, const struct mfa_session_ref *ref)
{
    uint32_t left = 0;

    return mfa_sessions_fail_attempt(sessions, ref, &left) == MFA_OK ? left : 0;
}

static const unsigned char seed[MFA_SESSIONS_SEED_LEN] = "a seed for the tests of sessions";

static struct mfa_sessions *table_with(const struct mfa_policy *policy)
{
    struct mfa_sessions *sessions = NULL;

    assert_int_equal(mfa_sessions_new(&sessions, policy, seed), MFA_OK);
    return sessions;
}

static int setup(void **state)
{
    struct mfa_policy policy;

    mfa_policy_init(&policy);
    policy.resend_interval_s = 0;
    *state = table_with(&policy);
    return 0;
}

static int teardown(void **state)
{
    mfa_sessions_free(*state);
    return 0;
}

static void restart(void **state, const struct mfa_policy *policy)
{
    mfa_sessions_free(*state);
    *state = table_with(policy);
}

static struct mfa_session_ref ref_of(const struct mfa_sessions *sessions, const char *user_id, const char *token)
{
    struct mfa_session_ref ref;

    mfa_sessions_ref(sessions, user_id, token, strlen(token), &ref);
    return ref;
}

static enum mfa_status try_open(struct mfa_sessions *sessions, uint64_t now_ms, const char *user_id, const char *token,
                                enum mfa_purpose purpose)
{
    struct mfa_session_ref ref = ref_of(sessions, user_id, token);
    struct mfa_session_facts facts = {.purpose = purpose, .user_data = "{\"number\":\"4179\"}", .user_data_len = 17};

    return mfa_sessions_open(sessions, now_ms, &ref, &facts);
}

static struct mfa_session_ref open_login(struct mfa_sessions *sessions, uint64_t now_ms, const char *user_id,
                                         const char *token)
{
    assert_int_equal(try_open(sessions, now_ms, user_id, token, MFA_PURPOSE_LOGIN), MFA_OK);
    return ref_of(sessions, user_id, token);
}

static enum mfa_status begin_send(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref)
{
    uint32_t wait_s = 0;
    enum mfa_status status = mfa_sessions_begin_send(sessions, now_ms, ref, &wait_s);

    assert_int_equal(wait_s > 0, status == MFA_ERR_FULL);
    return status;
}

static void send_code(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                      const char *code)
{
    assert_int_equal(begin_send(sessions, now_ms, ref), MFA_OK);
    if (code != NULL)
        assert_int_equal(mfa_sessions_add_code(sessions, now_ms, ref, code), MFA_OK);
    mfa_sessions_end_send(sessions, now_ms, ref, true);
}

static enum mfa_status is_there(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref)
{
    char *text = NULL;
    size_t len = 0;
    enum mfa_status status = mfa_sessions_user_data(sessions, now_ms, ref, &text, &len);

    if (status == MFA_OK) {
        assert_string_equal(text, "{\"number\":\"4179\"}");
        assert_int_equal(len, 17);
    }
    mfa_secret_free(text, len);
    return status;
}

/* --- Binding ------------------------------------------------------------------------------------------------------ */

static void a_session_is_found_by_its_user_and_token_only(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token-1");
    struct mfa_session_ref others[] = {ref_of(*state, "bob", "token-1"), ref_of(*state, "alice", "token-2"),
                                       ref_of(*state, "alice", ""), ref_of(*state, "", "token-1")};

    assert_int_equal(is_there(*state, NOW, &ref), MFA_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(is_there(*state, NOW, &others[i]), MFA_ERR_NOT_FOUND);
        assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &others[i], MFA_PURPOSE_LOGIN), MFA_ERR_NOT_FOUND);
        assert_int_equal(begin_send(*state, NOW, &others[i]), MFA_ERR_NOT_FOUND);
        assert_int_equal(mfa_sessions_add_code(*state, NOW, &others[i], "1234"), MFA_ERR_NOT_FOUND);
        assert_int_equal(mfa_sessions_match(*state, NOW, &others[i], "1234"), MFA_ERR_NOT_FOUND);
        assert_null(mfa_sessions_take(*state, NOW, &others[i]));
        mfa_sessions_drop(*state, &others[i]);
    }
    assert_int_equal(is_there(*state, NOW, &ref), MFA_OK);
}

static void no_other_user_finds_it_wherever_they_are_kept(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token-1");

    for (size_t i = 0; i < NEIGHBOURS; i++) {
        char user[32];
        struct mfa_session_ref other;
        snprintf(user, sizeof user, "user-%zu", i);
        other = ref_of(*state, user, "token-1");
        assert_int_equal(is_there(*state, NOW, &other), MFA_ERR_NOT_FOUND);
        assert_null(mfa_sessions_take(*state, NOW, &other));
    }
    assert_int_equal(is_there(*state, NOW, &ref), MFA_OK);
}

static void an_attempt_is_of_the_sessions_own_purpose(void **state)
{
    struct mfa_session_ref login = open_login(*state, NOW, "alice", "login");
    struct mfa_session_ref activation = ref_of(*state, "alice", "activation");

    assert_int_equal(try_open(*state, NOW, "alice", "activation", MFA_PURPOSE_ACTIVATION), MFA_OK);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &login, MFA_PURPOSE_ACTIVATION), MFA_ERR_NOT_FOUND);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &activation, MFA_PURPOSE_LOGIN), MFA_ERR_NOT_FOUND);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &login, MFA_PURPOSE_LOGIN), MFA_OK);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &activation, MFA_PURPOSE_ACTIVATION), MFA_OK);
}

static void the_same_code_hashes_differently_in_another_session(void **state)
{
    struct mfa_session_ref first = open_login(*state, NOW, "alice", "first");
    struct mfa_session_ref second = open_login(*state, NOW, "alice", "second");
    struct mfa_session *a = NULL, *b = NULL;

    send_code(*state, NOW, &first, "123456");
    send_code(*state, NOW, &second, "123456");
    a = mfa_sessions_take(*state, NOW, &first);
    b = mfa_sessions_take(*state, NOW, &second);
    assert_memory_not_equal(a->codes[0].hash, b->codes[0].hash, MFA_CODE_HASH_LEN);
    mfa_sessions_put_back(*state, a);
    mfa_sessions_put_back(*state, b);
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

static void the_end_is_fixed_when_a_session_opens(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");
    uint64_t end = NOW + 1800 * SECOND;

    send_code(*state, end - 1, &ref, "123456");
    assert_int_equal(mfa_sessions_reserve_attempt(*state, end - 1, &ref, MFA_PURPOSE_LOGIN), MFA_OK);
    assert_int_equal(fail_attempt(*state, &ref), 4);
    assert_int_equal(mfa_sessions_match(*state, end - 1, &ref, "123456"), MFA_OK);
    assert_int_equal(mfa_sessions_match(*state, end, &ref, "123456"), MFA_ERR_NOT_FOUND);
    assert_int_equal(is_there(*state, end, &ref), MFA_ERR_NOT_FOUND);
    assert_int_equal(begin_send(*state, end, &ref), MFA_ERR_NOT_FOUND);
    assert_int_equal(mfa_sessions_add_code(*state, end, &ref, "1"), MFA_ERR_NOT_FOUND);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, end, &ref, MFA_PURPOSE_LOGIN), MFA_ERR_NOT_FOUND);
    assert_null(mfa_sessions_take(*state, end, &ref));
}

static void expired_sessions_are_freed_and_live_ones_stay(void **state)
{
    struct mfa_session_ref live;

    for (int i = 0; i < 3; i++) {
        char user[32];
        snprintf(user, sizeof user, "user-%d", i);
        open_login(*state, NOW, user, "old");
    }
    live = open_login(*state, NOW + 1, "alice", "new");
    assert_int_equal(mfa_sessions_count(*state), 4);
    mfa_sessions_expire(*state, NOW + 1800 * SECOND - 1);
    assert_int_equal(mfa_sessions_count(*state), 4);
    mfa_sessions_expire(*state, NOW + 1800 * SECOND);
    assert_int_equal(mfa_sessions_count(*state), 1);
    assert_int_equal(is_there(*state, NOW + 1, &live), MFA_OK);
}

static void a_session_can_be_dropped(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    mfa_sessions_drop(*state, &ref);
    mfa_sessions_drop(*state, &ref);
    assert_int_equal(is_there(*state, NOW, &ref), MFA_ERR_NOT_FOUND);
    assert_int_equal(mfa_sessions_count(*state), 0);
}

static void a_users_sessions_are_dropped_by_purpose(void **state)
{
    struct mfa_session_ref login = open_login(*state, NOW, "alice", "login");
    struct mfa_session_ref other_login = open_login(*state, NOW, "alice", "login-2");
    struct mfa_session_ref bobs = open_login(*state, NOW, "bob", "login");
    struct mfa_session_ref activation = ref_of(*state, "alice", "activation");

    assert_int_equal(try_open(*state, NOW, "alice", "activation", MFA_PURPOSE_ACTIVATION), MFA_OK);
    mfa_sessions_drop_user(*state, "alice", 1u << MFA_PURPOSE_LOGIN);
    assert_int_equal(is_there(*state, NOW, &login), MFA_ERR_NOT_FOUND);
    assert_int_equal(is_there(*state, NOW, &other_login), MFA_ERR_NOT_FOUND);
    assert_int_equal(is_there(*state, NOW, &activation), MFA_OK);
    assert_int_equal(is_there(*state, NOW, &bobs), MFA_OK);
    mfa_sessions_drop_user(*state, "alice", MFA_ANY_PURPOSE);
    mfa_sessions_drop_user(*state, "nobody", MFA_ANY_PURPOSE);
    assert_int_equal(mfa_sessions_count(*state), 1);
}

/* --- Bounds ------------------------------------------------------------------------------------------------------- */

static void a_user_at_the_limit_loses_only_the_own_oldest(void **state)
{
    struct mfa_session_ref refs[12];

    for (size_t i = 0; i < NEIGHBOURS; i++) {
        char user[32];
        snprintf(user, sizeof user, "user-%zu", i);
        open_login(*state, NOW, user, user);
    }
    for (size_t i = 0; i < 12; i++) {
        char token[32];
        snprintf(token, sizeof token, "token-%zu", i);
        refs[i] = open_login(*state, NOW + i, "alice", token);
    }
    assert_int_equal(mfa_sessions_count(*state), NEIGHBOURS + 10);
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        char user[32];
        struct mfa_session_ref neighbour;
        snprintf(user, sizeof user, "user-%zu", i);
        neighbour = ref_of(*state, user, user);
        assert_int_equal(is_there(*state, NOW, &neighbour), MFA_OK);
    }
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(is_there(*state, NOW, &refs[i]), i < 2 ? MFA_ERR_NOT_FOUND : MFA_OK);
}

/* A policy like the default one, for a table that is in use. */
static struct mfa_policy default_policy(void)
{
    struct mfa_policy policy;

    mfa_policy_init(&policy);
    return policy;
}

static void a_lower_limit_per_user_holds_from_the_next_session_on(void **state)
{
    struct mfa_policy policy = default_policy();
    struct mfa_session_ref refs[6];

    for (size_t i = 0; i < 6; i++) {
        char token[32];
        snprintf(token, sizeof token, "token-%zu", i);
        if (i == 5) {
            policy.max_pending_per_user = 2;
            mfa_sessions_set_policy(*state, &policy);
            assert_int_equal(mfa_sessions_count(*state), 5);
        }
        refs[i] = open_login(*state, NOW + i, "alice", token);
    }
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(is_there(*state, NOW, &refs[i]), i < 4 ? MFA_ERR_NOT_FOUND : MFA_OK);
}

static void a_shorter_life_is_that_of_the_next_session(void **state)
{
    struct mfa_policy policy = default_policy();
    struct mfa_session_ref first = open_login(*state, NOW, "alice", "first");
    struct mfa_session_ref second;

    policy.session_ttl_s = policy.code_ttl_s = 60;
    mfa_sessions_set_policy(*state, &policy);
    second = open_login(*state, NOW, "alice", "second");
    assert_int_equal(is_there(*state, NOW + 60 * SECOND, &second), MFA_ERR_NOT_FOUND);
    mfa_sessions_expire(*state, NOW + 60 * SECOND);
    assert_int_equal(mfa_sessions_count(*state), 1);
    assert_int_equal(is_there(*state, NOW + 1800 * SECOND - 1, &first), MFA_OK);
}

static void fewer_attempts_hold_for_sessions_that_are_open(void **state)
{
    struct mfa_policy policy = default_policy();
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    for (int i = 0; i < 3; i++)
        assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_OK);
    policy.attempts_per_session = 2;
    mfa_sessions_set_policy(*state, &policy);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_ERR_DENIED);
    assert_int_equal(fail_attempt(*state, &ref), 0);
    assert_int_equal(is_there(*state, NOW, &ref), MFA_OK);
    assert_int_equal(fail_attempt(*state, &ref), 0);
    assert_int_equal(is_there(*state, NOW, &ref), MFA_ERR_NOT_FOUND);
}

static void attempts_beyond_counting_are_none_left_once_there_is_a_limit(void **state)
{
    struct mfa_policy policy = default_policy();
    struct mfa_session_ref ref;

    policy.attempts_per_session = 0;
    restart(state, &policy);
    ref = open_login(*state, NOW, "alice", "token");
    for (int i = 0; i <= UINT16_MAX; i++)
        assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_OK);
    policy.attempts_per_session = 5;
    mfa_sessions_set_policy(*state, &policy);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_ERR_DENIED);
}

static void a_full_table_refuses_until_sessions_expire(void **state)
{
    struct mfa_policy policy;
    struct mfa_session_ref first;

    mfa_policy_init(&policy);
    policy.max_pending = 3;
    restart(state, &policy);
    first = open_login(*state, NOW, "alice", "1");
    open_login(*state, NOW + SECOND, "bob", "2");
    open_login(*state, NOW + SECOND, "carol", "3");
    assert_int_equal(try_open(*state, NOW + SECOND, "dave", "4", MFA_PURPOSE_LOGIN), MFA_ERR_FULL);
    assert_int_equal(is_there(*state, NOW, &first), MFA_OK);
    assert_int_equal(mfa_sessions_count(*state), 3);
    assert_int_equal(try_open(*state, NOW + 1800 * SECOND, "dave", "4", MFA_PURPOSE_LOGIN), MFA_OK);
    assert_int_equal(try_open(*state, NOW + 1800 * SECOND, "erin", "5", MFA_PURPOSE_LOGIN), MFA_ERR_FULL);
    mfa_sessions_drop_user(*state, "dave", MFA_ANY_PURPOSE);
    assert_int_equal(try_open(*state, NOW + 1800 * SECOND, "erin", "5", MFA_PURPOSE_LOGIN), MFA_OK);
}

static void who_finds_the_table_full_frees_no_more_than_is_needed(void **state)
{
    enum { LIMIT = 5000 };
    uint64_t later = NOW + 1800 * SECOND;

    restart(state, &(struct mfa_policy){.session_ttl_s = 1800, .max_pending = LIMIT});
    for (size_t i = 0; i < LIMIT; i++) {
        char user[32];
        snprintf(user, sizeof user, "user-%zu", i);
        open_login(*state, NOW, user, "token");
    }
    open_login(*state, later, "alice", "token");
    assert_in_range(mfa_sessions_count(*state), LIMIT - 16, LIMIT);
    mfa_sessions_expire(*state, later);
    assert_int_equal(mfa_sessions_count(*state), 1);
}

#define OPENERS 8
#define OPENED_EACH 2500
#define ROOM 20000 /* less than they want, more than is given out one by one: 16 for each of 1,024 shards */

static void *open_many(void *sessions)
{
    static atomic_uint next;
    const unsigned number = atomic_fetch_add(&next, 1);

    for (unsigned i = 0; i < OPENED_EACH; i++) {
        char user[32];
        snprintf(user, sizeof user, "user-%u-%u", number, i);
        (void)!try_open(sessions, NOW, user, "token", MFA_PURPOSE_LOGIN);
        if (i % 3 == 0)
            mfa_sessions_drop_user(sessions, user, MFA_ANY_PURPOSE);
    }
    return NULL;
}

/* Opens sessions until it is refused, which must be at the limit. */
static void fill(struct mfa_sessions *sessions, uint32_t limit)
{
    enum mfa_status status = MFA_OK;

    for (int i = 0; status == MFA_OK; i++) {
        char user[32];
        snprintf(user, sizeof user, "last-%d", i);
        status = try_open(sessions, NOW, user, "token", MFA_PURPOSE_LOGIN);
    }
    assert_int_equal(status, MFA_ERR_FULL);
    assert_int_equal(mfa_sessions_count(sessions), limit);
}

static void openings_at_the_same_time_fill_the_table_and_no_more(void **state)
{
    pthread_t threads[OPENERS];

    restart(state, &(struct mfa_policy){.session_ttl_s = 1800, .max_pending = ROOM});
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < OPENERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, open_many, *state), 0);
        for (size_t i = 0; i < OPENERS; i++)
            pthread_join(threads[i], NULL);
        assert_true(mfa_sessions_count(*state) <= ROOM);
    }
    fill(*state, ROOM);
    mfa_sessions_expire(*state, NOW + 1800 * SECOND);
    assert_int_equal(mfa_sessions_count(*state), 0);
}

static void what_one_user_leaves_is_there_for_all(void **state)
{
    struct mfa_policy policy = {.session_ttl_s = 1800, .max_pending = 100000};

    restart(state, &policy);
    for (int i = 0; i < 1000; i++) {
        char token[32];
        snprintf(token, sizeof token, "token-%d", i);
        open_login(*state, NOW, "alice", token);
    }
    mfa_sessions_drop_user(*state, "alice", MFA_ANY_PURPOSE);
    policy.max_pending = 1200;
    mfa_sessions_set_policy(*state, &policy);
    fill(*state, 1200);
}

static void a_limit_that_becomes_lower_holds_at_once(void **state)
{
    struct mfa_policy policy = {.session_ttl_s = 1800, .max_pending = 100000};

    restart(state, &policy);
    for (int i = 0; i < 100; i++) {
        char user[32];
        snprintf(user, sizeof user, "user-%d", i);
        open_login(*state, NOW, user, "token");
    }
    policy.max_pending = 101;
    mfa_sessions_set_policy(*state, &policy);
    /* What shards were given before is as good as nothing now. */
    assert_int_equal(try_open(*state, NOW, "user-0", "second", MFA_PURPOSE_LOGIN), MFA_OK);
    for (int i = 0; i < 100; i++) {
        char user[32];
        snprintf(user, sizeof user, "user-%d", i);
        assert_int_equal(try_open(*state, NOW, user, "third", MFA_PURPOSE_LOGIN), MFA_ERR_FULL);
    }
    assert_int_equal(mfa_sessions_count(*state), 101);
}

static void zero_switches_the_bounds_off(void **state)
{
    struct mfa_policy policy;
    struct mfa_session_ref first;

    mfa_policy_init(&policy);
    policy.max_pending = policy.max_pending_per_user = policy.attempts_per_session = 0;
    restart(state, &policy);
    first = open_login(*state, NOW, "alice", "first");
    for (int i = 0; i < 100; i++) {
        char token[32];
        snprintf(token, sizeof token, "token-%d", i);
        open_login(*state, NOW, "alice", token);
        assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &first, MFA_PURPOSE_LOGIN), MFA_OK);
        assert_int_equal(fail_attempt(*state, &first), UINT32_MAX);
    }
    assert_int_equal(mfa_sessions_count(*state), 101);
}

/* --- Attempts ----------------------------------------------------------------------------------------------------- */

static void the_fifth_failure_ends_the_session(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    for (uint32_t left = 5; left-- > 0;) {
        assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_OK);
        assert_int_equal(fail_attempt(*state, &ref), left);
    }
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_ERR_NOT_FOUND);
    assert_int_equal(fail_attempt(*state, &ref), 0);
    assert_int_equal(mfa_sessions_count(*state), 0);
}

static void attempts_are_reserved_before_any_has_failed(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    for (int i = 0; i < 5; i++)
        assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_OK);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_ERR_DENIED);
    for (int i = 0; i < 4; i++)
        assert_int_equal(fail_attempt(*state, &ref), 0);
    assert_int_equal(is_there(*state, NOW, &ref), MFA_OK); /* the fifth may yet be right */
    assert_int_equal(fail_attempt(*state, &ref), 0);
    assert_int_equal(is_there(*state, NOW, &ref), MFA_ERR_NOT_FOUND);
}

static void an_attempt_given_back_can_be_made_again(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    for (int i = 0; i < 20; i++) {
        assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_OK);
        mfa_sessions_return_attempt(*state, &ref);
    }
    mfa_sessions_return_attempt(*state, &ref);
    assert_int_equal(mfa_sessions_reserve_attempt(*state, NOW, &ref, MFA_PURPOSE_LOGIN), MFA_OK);
    assert_int_equal(fail_attempt(*state, &ref), 4);
}

/* --- Codes -------------------------------------------------------------------------------------------------------- */

static void without_a_code_sent_none_is_right(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, ""), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "000000"), MFA_ERR_DENIED);
    send_code(*state, NOW, &ref, NULL);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, ""), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "000000"), MFA_ERR_DENIED);
}

static void a_code_is_good_from_before_it_is_sent_to_its_own_expiry(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    assert_int_equal(mfa_sessions_add_code(*state, NOW, &ref, "123456"), MFA_OK);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "123456"), MFA_OK);
    mfa_sessions_end_send(*state, NOW, &ref, true);
    assert_int_equal(mfa_sessions_match(*state, NOW + 600 * SECOND - 1, &ref, "123456"), MFA_OK);
    assert_int_equal(mfa_sessions_match(*state, NOW + 600 * SECOND, &ref, "123456"), MFA_ERR_EXPIRED);
    assert_int_equal(mfa_sessions_match(*state, NOW + 600 * SECOND, &ref, "123457"), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "1234567"), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "12345"), MFA_ERR_DENIED);
}

static void the_code_before_stays_good_and_the_one_before_that_does_not(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    send_code(*state, NOW, &ref, "111111");
    send_code(*state, NOW + 60 * SECOND, &ref, "222222");
    send_code(*state, NOW + 90 * SECOND, &ref, "333333");
    assert_int_equal(mfa_sessions_match(*state, NOW + 90 * SECOND, &ref, "111111"), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW + 90 * SECOND, &ref, "222222"), MFA_OK);
    assert_int_equal(mfa_sessions_match(*state, NOW + 90 * SECOND, &ref, "333333"), MFA_OK);
    assert_int_equal(mfa_sessions_match(*state, NOW + 660 * SECOND, &ref, "222222"), MFA_ERR_EXPIRED);
    assert_int_equal(mfa_sessions_match(*state, NOW + 660 * SECOND, &ref, "333333"), MFA_OK);
}

static void no_earlier_code_is_good_where_the_operator_says_so(void **state)
{
    struct mfa_policy policy;
    struct mfa_session_ref ref;

    mfa_policy_init(&policy);
    policy.accept_previous_codes = 0;
    restart(state, &policy);
    ref = open_login(*state, NOW, "alice", "token");
    send_code(*state, NOW, &ref, "111111");
    send_code(*state, NOW, &ref, "222222");
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "111111"), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "222222"), MFA_OK);
}

static void a_code_lives_as_long_as_its_session_at_most(void **state)
{
    struct mfa_policy policy;
    struct mfa_session_ref ref;

    mfa_policy_init(&policy);
    policy.code_ttl_s = 0;
    restart(state, &policy);
    ref = open_login(*state, NOW, "alice", "token");
    send_code(*state, NOW, &ref, "111111");
    assert_int_equal(mfa_sessions_match(*state, NOW + 1800 * SECOND - 1, &ref, "111111"), MFA_OK);
    assert_int_equal(mfa_sessions_match(*state, NOW + 1800 * SECOND, &ref, "111111"), MFA_ERR_NOT_FOUND);
}

static void a_message_not_sent_takes_its_code_with_it(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    send_code(*state, NOW, &ref, "111111");
    send_code(*state, NOW, &ref, "222222");
    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    assert_int_equal(mfa_sessions_add_code(*state, NOW, &ref, "333333"), MFA_OK);
    mfa_sessions_end_send(*state, NOW, &ref, false);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "333333"), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "222222"), MFA_OK);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "111111"), MFA_OK);
}

static void one_message_at_a_time_is_on_its_way(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    assert_int_equal(mfa_sessions_add_code(*state, NOW, &ref, "111111"), MFA_OK);
    assert_int_equal(begin_send(*state, NOW, &ref), MFA_ERR_FULL);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "222222"), MFA_ERR_DENIED);
    mfa_sessions_end_send(*state, NOW, &ref, true);
    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    assert_int_equal(mfa_sessions_add_code(*state, NOW, &ref, "222222"), MFA_OK);
    mfa_sessions_drop(*state, &ref);
    mfa_sessions_end_send(*state, NOW, &ref, true);
}

static void assert_not_before(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref,
                              uint32_t expected_wait_s)
{
    uint32_t wait_s = 0;

    assert_int_equal(mfa_sessions_begin_send(sessions, now_ms, ref, &wait_s), MFA_ERR_FULL);
    assert_int_equal(wait_s, expected_wait_s);
}

static void the_first_message_after_the_one_that_opened_is_free_and_then_there_is_an_interval(void **state)
{
    struct mfa_sessions *sessions = table_with(&(struct mfa_policy){.session_ttl_s = 1800, .resend_interval_s = 30});
    struct mfa_session_ref ref = open_login(sessions, NOW, "alice", "token");

    (void)state;
    send_code(sessions, NOW, &ref, NULL);
    send_code(sessions, NOW, &ref, NULL);
    assert_not_before(sessions, NOW, &ref, 30);
    assert_not_before(sessions, NOW + 1, &ref, 30);
    assert_not_before(sessions, NOW + 30 * SECOND - 1, &ref, 1);
    send_code(sessions, NOW + 30 * SECOND, &ref, NULL);
    assert_not_before(sessions, NOW + 59 * SECOND, &ref, 1);
    mfa_sessions_free(sessions);
}

static void a_message_that_was_not_sent_takes_no_part_in_the_interval(void **state)
{
    struct mfa_sessions *sessions = table_with(&(struct mfa_policy){.session_ttl_s = 1800, .resend_interval_s = 30});
    struct mfa_session_ref ref = open_login(sessions, NOW, "alice", "token");

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(begin_send(sessions, NOW, &ref), MFA_OK);
        mfa_sessions_end_send(sessions, NOW, &ref, false);
    }
    send_code(sessions, NOW, &ref, NULL);
    assert_int_equal(begin_send(sessions, NOW, &ref), MFA_OK);
    mfa_sessions_end_send(sessions, NOW, &ref, false);
    send_code(sessions, NOW, &ref, NULL);
    assert_not_before(sessions, NOW, &ref, 30);
    mfa_sessions_free(sessions);
}

static void a_message_refused_before_it_had_a_code_takes_no_earlier_one_with_it(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    send_code(*state, NOW, &ref, "111111");
    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    mfa_sessions_end_send(*state, NOW, &ref, false);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "111111"), MFA_OK);
}

/* --- Taking ------------------------------------------------------------------------------------------------------- */

static void what_is_put_back_is_as_it_was(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");
    struct mfa_session *session = NULL;

    send_code(*state, NOW, &ref, "123456");
    for (int i = 0; i < 20; i++) {
        session = mfa_sessions_take(*state, NOW, &ref);
        assert_non_null(session);
        assert_int_equal(is_there(*state, NOW, &ref), MFA_ERR_NOT_FOUND);
        assert_null(mfa_sessions_take(*state, NOW, &ref));
        mfa_sessions_put_back(*state, session);
        assert_int_equal(mfa_sessions_count(*state), 1);
        assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "123456"), MFA_OK);
    }
    assert_int_equal(mfa_sessions_match(*state, NOW + 1800 * SECOND, &ref, "123456"), MFA_ERR_NOT_FOUND);
}

static void what_is_used_up_is_gone(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");
    struct mfa_session *session = mfa_sessions_take(*state, NOW, &ref);

    mfa_sessions_use_up(*state, session);
    mfa_session_free(session);
    assert_int_equal(is_there(*state, NOW, &ref), MFA_ERR_NOT_FOUND);
    assert_int_equal(mfa_sessions_count(*state), 0);
}

static void a_message_goes_on_while_its_session_is_taken(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");

    send_code(*state, NOW, &ref, "111111");
    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    assert_int_equal(mfa_sessions_add_code(*state, NOW, &ref, "222222"), MFA_OK);
    mfa_sessions_put_back(*state, mfa_sessions_take(*state, NOW, &ref));
    assert_int_equal(begin_send(*state, NOW, &ref), MFA_ERR_FULL);
    mfa_sessions_end_send(*state, NOW, &ref, false);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "222222"), MFA_ERR_DENIED);
    assert_int_equal(mfa_sessions_match(*state, NOW, &ref, "111111"), MFA_OK);
}

static void a_message_may_end_while_its_session_is_taken(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");
    const struct mfa_session_challenge challenge = {.service = 1};
    struct mfa_session_challenge remembered;
    struct mfa_session *session = NULL;

    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    session = mfa_sessions_take(*state, NOW, &ref);
    assert_int_equal(mfa_sessions_set_challenge(*state, NOW, &ref, &challenge), MFA_OK);
    mfa_sessions_end_send(*state, NOW, &ref, true);
    mfa_sessions_put_back(*state, session);
    assert_int_equal(begin_send(*state, NOW, &ref), MFA_OK);
    assert_int_equal(mfa_sessions_challenge(*state, NOW, &ref, &remembered), MFA_OK);
    assert_int_equal(remembered.service, 1);
    mfa_session_challenge_clear(&remembered);
}

static void what_is_dropped_while_it_is_taken_is_not_put_back(void **state)
{
    struct mfa_session_ref ref = open_login(*state, NOW, "alice", "token");
    struct mfa_session *session = mfa_sessions_take(*state, NOW, &ref);

    mfa_sessions_drop_user(*state, "alice", MFA_ANY_PURPOSE);
    assert_int_equal(mfa_sessions_count(*state), 0);
    mfa_sessions_put_back(*state, session);
    assert_int_equal(is_there(*state, NOW, &ref), MFA_ERR_NOT_FOUND);
    ref = open_login(*state, NOW, "alice", "token");
    session = mfa_sessions_take(*state, NOW, &ref);
    mfa_sessions_expire(*state, NOW + 1800 * SECOND);
    mfa_sessions_use_up(*state, session);
    mfa_session_free(session);
    assert_int_equal(mfa_sessions_count(*state), 0);
}

static void what_is_put_back_is_as_old_as_it_was(void **state)
{
    struct mfa_session_ref first = open_login(*state, NOW, "alice", "first");
    struct mfa_session_ref second = open_login(*state, NOW + 1, "alice", "second");

    for (int i = 2; i < 10; i++)
        open_login(*state, NOW + 2, "alice", (char[]){'0', (char)('0' + i), '\0'});
    mfa_sessions_put_back(*state, mfa_sessions_take(*state, NOW + 3, &second));
    mfa_sessions_put_back(*state, mfa_sessions_take(*state, NOW + 3, &first));
    open_login(*state, NOW + 3, "alice", "one more");
    assert_int_equal(is_there(*state, NOW + 3, &first), MFA_ERR_NOT_FOUND);
    assert_int_equal(is_there(*state, NOW + 3, &second), MFA_OK);
    mfa_sessions_expire(*state, NOW + 1 + 1800 * SECOND);
    assert_int_equal(mfa_sessions_count(*state), 9);
}

struct taker {
    struct mfa_sessions *sessions;
    struct mfa_session_ref ref;
    pthread_barrier_t *start;
    atomic_uint *taken;
};

static void *take(void *arg)
{
    struct taker *taker = arg;
    struct mfa_session *session = NULL;

    pthread_barrier_wait(taker->start);
    session = mfa_sessions_take(taker->sessions, NOW, &taker->ref);
    if (session == NULL)
        return NULL;
    atomic_fetch_add(taker->taken, 1);
    mfa_sessions_use_up(taker->sessions, session);
    mfa_session_free(session);
    return NULL;
}

static void of_many_threads_one_takes_a_session(void **state)
{
    for (int round = 0; round < 50; round++) {
        pthread_barrier_t start;
        atomic_uint taken = 0;
        pthread_t threads[THREADS];
        struct taker taker = {*state, open_login(*state, NOW, "alice", "token"), &start, &taken};

        pthread_barrier_init(&start, NULL, THREADS);
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, take, &taker), 0);
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&start);
        assert_int_equal(taken, 1);
    }
}

static void *live_a_life(void *arg)
{
    struct taker *taker = arg;

    pthread_barrier_wait(taker->start);
    for (uint64_t i = 0; i < 500; i++) {
        enum mfa_status opened = try_open(taker->sessions, NOW + i, "alice", "token", MFA_PURPOSE_LOGIN);
        enum mfa_status sent = begin_send(taker->sessions, NOW + i, &taker->ref);
        if (opened == MFA_OK && sent == MFA_OK)
            mfa_sessions_end_send(taker->sessions, NOW + i, &taker->ref, i % 2 == 0);
        if (mfa_sessions_reserve_attempt(taker->sessions, NOW, &taker->ref, MFA_PURPOSE_LOGIN) == MFA_OK)
            fail_attempt(taker->sessions, &taker->ref);
        mfa_sessions_drop_user(taker->sessions, "alice", MFA_ANY_PURPOSE);
        mfa_sessions_expire(taker->sessions, NOW);
    }
    return NULL;
}

static void operations_at_the_same_time_leave_the_count_right(void **state)
{
    pthread_barrier_t start;
    pthread_t threads[THREADS];
    struct taker taker = {*state, ref_of(*state, "alice", "token"), &start, NULL};

    pthread_barrier_init(&start, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, live_a_life, &taker), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    assert_int_equal(mfa_sessions_count(*state), 0);
}

static void a_hundred_thousand_sessions_are_held_and_freed(void **state)
{
    size_t bytes = mallinfo2().uordblks;

    for (size_t i = 0; i < MANY; i++) {
        char user[32], token[MFA_TOKEN_SIZE];
        snprintf(user, sizeof user, "user-%zu", i);
        snprintf(token, sizeof token, "token-%zu", i);
        open_login(*state, NOW, user, token);
    }
    bytes = mallinfo2().uordblks - bytes;
    print_message("a session of another user each: %zu bytes, data of 17 included\n", bytes / MANY);
    assert_int_equal(mfa_sessions_count(*state), MANY);
    assert_int_equal(try_open(*state, NOW, "one-more", "token", MFA_PURPOSE_LOGIN), MFA_ERR_FULL);
    mfa_sessions_expire(*state, NOW + 1800 * SECOND);
    assert_int_equal(mfa_sessions_count(*state), 0);
}

#define IN_TABLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TABLE(a_session_is_found_by_its_user_and_token_only),
        IN_TABLE(no_other_user_finds_it_wherever_they_are_kept),
        IN_TABLE(an_attempt_is_of_the_sessions_own_purpose),
        IN_TABLE(the_same_code_hashes_differently_in_another_session),
        IN_TABLE(the_end_is_fixed_when_a_session_opens),
        IN_TABLE(expired_sessions_are_freed_and_live_ones_stay),
        IN_TABLE(a_session_can_be_dropped),
        IN_TABLE(a_users_sessions_are_dropped_by_purpose),
        IN_TABLE(a_user_at_the_limit_loses_only_the_own_oldest),
        IN_TABLE(a_lower_limit_per_user_holds_from_the_next_session_on),
        IN_TABLE(a_shorter_life_is_that_of_the_next_session),
        IN_TABLE(fewer_attempts_hold_for_sessions_that_are_open),
        IN_TABLE(attempts_beyond_counting_are_none_left_once_there_is_a_limit),
        IN_TABLE(a_full_table_refuses_until_sessions_expire),
        IN_TABLE(who_finds_the_table_full_frees_no_more_than_is_needed),
        IN_TABLE(openings_at_the_same_time_fill_the_table_and_no_more),
        IN_TABLE(what_one_user_leaves_is_there_for_all),
        IN_TABLE(a_limit_that_becomes_lower_holds_at_once),
        IN_TABLE(zero_switches_the_bounds_off),
        IN_TABLE(the_fifth_failure_ends_the_session),
        IN_TABLE(attempts_are_reserved_before_any_has_failed),
        IN_TABLE(an_attempt_given_back_can_be_made_again),
        IN_TABLE(without_a_code_sent_none_is_right),
        IN_TABLE(a_code_is_good_from_before_it_is_sent_to_its_own_expiry),
        IN_TABLE(the_code_before_stays_good_and_the_one_before_that_does_not),
        IN_TABLE(no_earlier_code_is_good_where_the_operator_says_so),
        IN_TABLE(a_code_lives_as_long_as_its_session_at_most),
        IN_TABLE(a_message_not_sent_takes_its_code_with_it),
        IN_TABLE(one_message_at_a_time_is_on_its_way),
        cmocka_unit_test(the_first_message_after_the_one_that_opened_is_free_and_then_there_is_an_interval),
        cmocka_unit_test(a_message_that_was_not_sent_takes_no_part_in_the_interval),
        IN_TABLE(a_message_refused_before_it_had_a_code_takes_no_earlier_one_with_it),
        IN_TABLE(what_is_put_back_is_as_it_was),
        IN_TABLE(what_is_used_up_is_gone),
        IN_TABLE(a_message_goes_on_while_its_session_is_taken),
        IN_TABLE(a_message_may_end_while_its_session_is_taken),
        IN_TABLE(what_is_dropped_while_it_is_taken_is_not_put_back),
        IN_TABLE(what_is_put_back_is_as_old_as_it_was),
        IN_TABLE(of_many_threads_one_takes_a_session),
        IN_TABLE(operations_at_the_same_time_leave_the_count_right),
        IN_TABLE(a_hundred_thousand_sessions_are_held_and_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
