/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mfa_limiter.h"

#define NOW UINT32_C(1700000000)
#define WINDOW 3600

static int setup(void **state)
{
    static struct mfa_limiter limiter;

    assert_int_equal(mfa_limiter_init(&limiter, 3, WINDOW), MFA_OK);
    *state = &limiter;
    return 0;
}

static int teardown(void **state)
{
    mfa_limiter_clear(*state);
    mfa_limiter_clear(*state);
    return 0;
}

static void add(struct mfa_limiter *limiter, uint32_t at_s)
{
    assert_int_equal(mfa_limiter_wait_s(limiter, at_s), 0);
    mfa_limiter_add(limiter, at_s);
}

static void assert_events(const struct mfa_limiter *limiter, uint32_t count, const uint32_t *expected)
{
    uint32_t events[16];

    assert_int_equal(mfa_limiter_events(limiter, events), count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(events[i], expected[i]);
}

static void there_is_room_up_to_the_limit(void **state)
{
    for (int i = 0; i < 3; i++)
        add(*state, NOW);
    assert_int_equal(mfa_limiter_wait_s(*state, NOW), WINDOW);
}

static void the_window_slides_from_event_to_event(void **state)
{
    add(*state, NOW);
    add(*state, NOW + 10);
    add(*state, NOW + 20);
    assert_int_equal(mfa_limiter_wait_s(*state, NOW + 20), WINDOW - 20);
    assert_int_equal(mfa_limiter_wait_s(*state, NOW + WINDOW - 1), 1);
    add(*state, NOW + WINDOW);
    assert_int_equal(mfa_limiter_wait_s(*state, NOW + WINDOW), 10);
    add(*state, NOW + WINDOW + 10);
    assert_int_equal(mfa_limiter_wait_s(*state, NOW + WINDOW + 10), 10);
}

static void never_are_there_more_events_than_the_limit_in_any_window(void **state)
{
    uint32_t events[1000];
    uint32_t count = 0;

    for (uint32_t now_s = NOW; now_s < NOW + 20 * WINDOW; now_s += 97) {
        if (mfa_limiter_wait_s(*state, now_s) > 0)
            continue;
        mfa_limiter_add(*state, now_s);
        events[count++] = now_s;
    }
    assert_true(count >= 3 * 19);
    for (uint32_t i = 3; i < count; i++)
        assert_true(events[i] - events[i - 3] >= WINDOW);
}

static void an_event_taken_back_leaves_its_room(void **state)
{
    add(*state, NOW);
    add(*state, NOW + 1);
    add(*state, NOW + 1);
    mfa_limiter_take_back(*state, NOW + 1);
    assert_events(*state, 2, (const uint32_t[]){NOW, NOW + 1});
    mfa_limiter_take_back(*state, NOW + 7); /* not there */
    mfa_limiter_take_back(*state, NOW);
    assert_events(*state, 1, (const uint32_t[]){NOW + 1});
    mfa_limiter_take_back(*state, NOW + 1);
    mfa_limiter_take_back(*state, NOW + 1);
    assert_events(*state, 0, NULL);
}

static void events_are_kept_in_order_whatever_order_they_come_in(void **state)
{
    add(*state, NOW + 2);
    add(*state, NOW);
    add(*state, NOW + 1);
    assert_events(*state, 3, (const uint32_t[]){NOW, NOW + 1, NOW + 2});
    assert_int_equal(mfa_limiter_empty_at_s(*state), NOW + 2 + WINDOW);
}

static void time_that_goes_back_makes_no_room(void **state)
{
    for (int i = 0; i < 3; i++)
        add(*state, NOW);
    assert_int_equal(mfa_limiter_wait_s(*state, NOW - 100000), WINDOW);
    assert_int_equal(mfa_limiter_wait_s(*state, NOW + WINDOW), 0);
}

static void at_the_end_of_time_nothing_is_forgotten_early(void **state)
{
    for (int i = 0; i < 3; i++)
        add(*state, UINT32_MAX);
    assert_int_equal(mfa_limiter_wait_s(*state, UINT32_MAX), WINDOW);
    assert_int_equal(mfa_limiter_empty_at_s(*state), UINT32_MAX);
}

static void what_others_have_booked_counts_and_what_both_know_counts_once(void **state)
{
    add(*state, NOW);
    add(*state, NOW + 5);
    assert_int_equal(mfa_limiter_merge(*state, NOW + 9, (const uint32_t[]){NOW, NOW + 3}, 2), MFA_OK);
    assert_events(*state, 3, (const uint32_t[]){NOW, NOW + 3, NOW + 5});
    assert_int_equal(mfa_limiter_merge(*state, NOW + 9, (const uint32_t[]){NOW, NOW + 3}, 2), MFA_OK);
    assert_events(*state, 3, (const uint32_t[]){NOW, NOW + 3, NOW + 5});
}

static void of_more_than_the_limit_the_newest_stay(void **state)
{
    const uint32_t theirs[] = {NOW - 4, NOW - 3, NOW - 2, NOW - 1, NOW};

    add(*state, NOW - 9);
    assert_int_equal(mfa_limiter_merge(*state, NOW, theirs, 5), MFA_OK);
    assert_events(*state, 3, (const uint32_t[]){NOW - 2, NOW - 1, NOW});
}

static void what_others_have_booked_in_the_future_counts_as_now(void **state)
{
    const uint32_t theirs[] = {NOW - 1, NOW + 500000, UINT32_MAX};

    assert_int_equal(mfa_limiter_merge(*state, NOW, theirs, 3), MFA_OK);
    assert_events(*state, 3, (const uint32_t[]){NOW - 1, NOW, NOW});
    assert_int_equal(mfa_limiter_wait_s(*state, NOW), WINDOW - 1);
}

#define IN_LIMITER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LIMITER(there_is_room_up_to_the_limit),
        IN_LIMITER(the_window_slides_from_event_to_event),
        IN_LIMITER(never_are_there_more_events_than_the_limit_in_any_window),
        IN_LIMITER(an_event_taken_back_leaves_its_room),
        IN_LIMITER(events_are_kept_in_order_whatever_order_they_come_in),
        IN_LIMITER(time_that_goes_back_makes_no_room),
        IN_LIMITER(at_the_end_of_time_nothing_is_forgotten_early),
        IN_LIMITER(what_others_have_booked_counts_and_what_both_know_counts_once),
        IN_LIMITER(of_more_than_the_limit_the_newest_stay),
        IN_LIMITER(what_others_have_booked_in_the_future_counts_as_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
