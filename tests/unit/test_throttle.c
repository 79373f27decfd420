/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "mfa_throttle.h"

/* An odd moment of the monotonic clock, and one of the wall's. */
#define NOW UINT64_C(86399977)
#define WALL INT64_C(1700000000123)
#define SECOND UINT64_C(1000)

static const struct mfa_tally nothing_stored;

static int setup(void **state)
{
    struct mfa_policy policy;
    struct mfa_throttle *throttle = NULL;

    mfa_policy_init(&policy);
    assert_int_equal(mfa_throttle_new(&throttle, &policy), MFA_OK);
    assert_int_equal(mfa_throttle_learn(throttle, "alice", &nothing_stored, NOW, WALL), MFA_OK);
    *state = throttle;
    return 0;
}

static int teardown(void **state)
{
    mfa_throttle_free(*state);
    return 0;
}

/* Reserves an attempt and returns the seconds to wait; 0: it was reserved. */
static uint32_t attempt(struct mfa_throttle *throttle, uint64_t now_ms)
{
    uint32_t retry_after_s = 0;
    enum mfa_status status = mfa_throttle_reserve(throttle, "alice", now_ms, false, &retry_after_s);

    assert_true(status == MFA_OK ? retry_after_s == 0 : status == MFA_ERR_FULL && retry_after_s > 0);
    return retry_after_s;
}

static void three_failures_are_free_and_each_further_one_doubles_the_delay(void **state)
{
    static const uint32_t delays_s[] = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
    uint64_t now_ms = NOW;

    for (int i = 0; i < 3; i++)
        assert_int_equal(attempt(*state, now_ms), 0);
    for (size_t i = 0; i < sizeof delays_s / sizeof delays_s[0]; i++) {
        assert_int_equal(attempt(*state, now_ms), 0); /* this one delays the next */
        assert_int_equal(attempt(*state, now_ms), delays_s[i]);
        assert_int_equal(attempt(*state, now_ms + delays_s[i] * SECOND - 1), 1);
        now_ms += delays_s[i] * SECOND;
    }
}

static void another_policy_holds_from_the_next_failure_on(void **state)
{
    struct mfa_policy policy;

    mfa_policy_init(&policy);
    policy.backoff_free_failures = 0;
    policy.backoff_base_s = 7;
    assert_int_equal(attempt(*state, NOW), 0);
    assert_int_equal(attempt(*state, NOW), 0);
    mfa_throttle_set_policy(*state, &policy);
    assert_int_equal(attempt(*state, NOW), 0); /* the third, which delays by 7, 14, 28 */
    assert_int_equal(attempt(*state, NOW), 28);
    policy.attempts_max_consecutive = 3;
    mfa_throttle_set_policy(*state, &policy);
    assert_true(mfa_throttle_is_stopped(*state, "alice"));
}

static void quiet_time_starts_the_delays_anew(void **state)
{
    for (int i = 0; i < 4; i++)
        assert_int_equal(attempt(*state, NOW), 0);
    assert_int_equal(attempt(*state, NOW), 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(attempt(*state, NOW + 901 * SECOND), 0);
    assert_int_equal(attempt(*state, NOW + 901 * SECOND), 0);
    assert_int_equal(attempt(*state, NOW + 901 * SECOND), 2);
}

static void a_flow_that_waited_neither_waits_longer_nor_starts_the_delays_anew(void **state)
{
    assert_int_equal(attempt(*state, NOW + 5 * SECOND), 0);
    assert_int_equal(attempt(*state, NOW), 0); /* began before the other, and comes after it */
    assert_int_equal(attempt(*state, NOW), 0);
    assert_int_equal(attempt(*state, NOW), 0);
    assert_int_equal(attempt(*state, NOW), 2);
}

static void after_a_hundred_in_a_row_the_factor_stops_but_for_recovery(void **state)
{
    uint64_t now_ms = NOW;
    uint32_t retry_after_s = 0;

    for (int i = 0; i < 100; i++) {
        assert_false(mfa_throttle_is_stopped(*state, "alice"));
        assert_int_equal(attempt(*state, now_ms), 0);
        now_ms += 1000 * SECOND; /* waiting does not help */
    }
    assert_true(mfa_throttle_is_stopped(*state, "alice"));
    assert_int_equal(mfa_throttle_reserve(*state, "alice", now_ms, false, &retry_after_s), MFA_ERR_DENIED);
    assert_int_equal(mfa_throttle_reserve(*state, "alice", now_ms, true, &retry_after_s), MFA_OK);
    mfa_throttle_clear(*state, "alice");
    assert_false(mfa_throttle_is_stopped(*state, "alice"));
}

static void what_is_stored_is_taken_over_and_the_stricter_stays(void **state)
{
    struct mfa_tally tally = {.consecutive = 7, .recent = 5, .last_wall_ms = WALL - 1000};

    assert_int_equal(mfa_throttle_learn(*state, "alice", &tally, NOW, WALL), MFA_OK);
    assert_true(mfa_throttle_is_stored(*state, "alice"));
    assert_int_equal(attempt(*state, NOW), 3); /* four seconds, one of which has passed */
    assert_int_equal(mfa_throttle_learn(*state, "alice", &nothing_stored, NOW, WALL), MFA_OK);
    assert_int_equal(attempt(*state, NOW), 3);
    assert_int_equal(attempt(*state, NOW + 3 * SECOND), 0);
    assert_int_equal(attempt(*state, NOW + 3 * SECOND), 8);
}

static void a_wall_clock_that_went_back_shows_no_time_as_passed(void **state)
{
    struct mfa_tally tally = {.consecutive = 4, .recent = 4, .last_wall_ms = WALL + 3600000};

    assert_int_equal(mfa_throttle_learn(*state, "alice", &tally, NOW, WALL), MFA_OK);
    assert_int_equal(attempt(*state, NOW), 2);
}

static void old_failures_delay_nothing_but_count_towards_the_stop(void **state)
{
    struct mfa_tally tally = {.consecutive = 99, .recent = 50, .last_wall_ms = WALL - 901000};

    assert_int_equal(mfa_throttle_learn(*state, "alice", &tally, NOW, WALL), MFA_OK);
    assert_int_equal(attempt(*state, NOW), 0);
    assert_true(mfa_throttle_is_stopped(*state, "alice"));
}

static void an_attempt_given_back_does_not_count(void **state)
{
    for (int i = 0; i < 50; i++) {
        assert_int_equal(attempt(*state, NOW), 0);
        mfa_throttle_return(*state, "alice", NOW);
    }
    assert_false(mfa_throttle_clear(*state, "alice"));
}

static void an_attempt_given_back_takes_its_delay_with_it_but_no_other(void **state)
{
    for (int i = 0; i < 4; i++)
        assert_int_equal(attempt(*state, NOW), 0);
    assert_int_equal(attempt(*state, NOW + 2 * SECOND), 0); /* delays by four seconds */
    mfa_throttle_return(*state, "alice", NOW + 2 * SECOND);
    assert_int_equal(attempt(*state, NOW + 2 * SECOND), 0);
    assert_int_equal(attempt(*state, NOW + 6 * SECOND), 0); /* eight */
    mfa_throttle_return(*state, "alice", NOW + 2 * SECOND);
    assert_int_equal(attempt(*state, NOW + 6 * SECOND), 8);
}

static void who_is_not_known_may_not_try(void **state)
{
    uint32_t retry_after_s = 0;

    assert_false(mfa_throttle_knows(*state, "bob"));
    assert_int_equal(mfa_throttle_reserve(*state, "bob", NOW, false, &retry_after_s), MFA_ERR_NOT_FOUND);
    assert_true(mfa_throttle_knows(*state, "alice"));
    mfa_throttle_expire(*state, NOW + 900 * SECOND);
    assert_true(mfa_throttle_knows(*state, "alice"));
    mfa_throttle_expire(*state, NOW + 900 * SECOND + 1);
    assert_false(mfa_throttle_knows(*state, "alice"));
}

#define THREADS 8
#define TRIES 200

struct crowd {
    struct mfa_throttle *throttle;
    pthread_barrier_t start;
    unsigned reserved[THREADS];
};

struct member {
    struct crowd *crowd;
    unsigned number;
};

static void *try_all_the_time(void *arg)
{
    const struct member *member = arg;
    uint32_t retry_after_s = 0;

    pthread_barrier_wait(&member->crowd->start);
    for (int i = 0; i < TRIES; i++) {
        if (mfa_throttle_reserve(member->crowd->throttle, "alice", NOW, false, &retry_after_s) == MFA_OK)
            member->crowd->reserved[member->number]++;
    }
    return NULL;
}

static void of_any_number_at_once_four_are_let_through(void **state)
{
    struct crowd crowd = {.throttle = *state};
    struct member members[THREADS];
    pthread_t threads[THREADS];
    unsigned reserved = 0;

    pthread_barrier_init(&crowd.start, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++) {
        members[i] = (struct member){&crowd, i};
        assert_int_equal(pthread_create(&threads[i], NULL, try_all_the_time, &members[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        reserved += crowd.reserved[i];
    }
    pthread_barrier_destroy(&crowd.start);
    assert_int_equal(reserved, 4); /* three free ones, and the one that delays what follows */
}

#define WITH_ALICE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ALICE(three_failures_are_free_and_each_further_one_doubles_the_delay),
        WITH_ALICE(another_policy_holds_from_the_next_failure_on),
        WITH_ALICE(quiet_time_starts_the_delays_anew),
        WITH_ALICE(a_flow_that_waited_neither_waits_longer_nor_starts_the_delays_anew),
        WITH_ALICE(after_a_hundred_in_a_row_the_factor_stops_but_for_recovery),
        WITH_ALICE(what_is_stored_is_taken_over_and_the_stricter_stays),
        WITH_ALICE(a_wall_clock_that_went_back_shows_no_time_as_passed),
        WITH_ALICE(old_failures_delay_nothing_but_count_towards_the_stop),
        WITH_ALICE(an_attempt_given_back_does_not_count),
        WITH_ALICE(an_attempt_given_back_takes_its_delay_with_it_but_no_other),
        WITH_ALICE(who_is_not_known_may_not_try),
        WITH_ALICE(of_any_number_at_once_four_are_let_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
