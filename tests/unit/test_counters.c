/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mfa_counters.h"

#define NOW UINT32_C(1700000000)
#define WINDOW 3600

static struct mfa_counters table;

static int setup_stored(void **state)
{
    (void)state;
    table = (struct mfa_counters){.limit = 2, .window_s = WINDOW, .max_count = 3, .is_stored = true};
    return 0;
}

static int setup_not_stored(void **state)
{
    setup_stored(state);
    table.is_stored = false;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mfa_counters_clear(&table);
    return 0;
}

static void key_of(char name, unsigned char key[static MFA_COUNTER_KEY_LEN])
{
    memset(key, name, MFA_COUNTER_KEY_LEN);
}

static struct mfa_counter *use(char name)
{
    unsigned char key[MFA_COUNTER_KEY_LEN];

    key_of(name, key);
    return mfa_counters_use(&table, key);
}

/* Adds a counter with one event at `at_s`; NULL: there is no room. */
static struct mfa_counter *add(char name, uint32_t at_s)
{
    unsigned char key[MFA_COUNTER_KEY_LEN];
    struct mfa_counter *counter = NULL;

    key_of(name, key);
    counter = mfa_counter_new(key, table.limit, table.window_s);
    assert_non_null(counter);
    mfa_limiter_add(&counter->limiter, at_s);
    if (mfa_counters_add(&table, counter, NOW) == MFA_OK)
        return counter;
    mfa_counter_free(counter);
    return NULL;
}

static void counters_are_found_by_key(void **state)
{
    struct mfa_counter *a = add('a', NOW);
    struct mfa_counter *b = add('b', NOW);

    (void)state;
    assert_ptr_equal(use('a'), a);
    assert_ptr_equal(use('b'), b);
    assert_null(use('c'));
}

static void the_one_not_used_for_longest_makes_room(void **state)
{
    (void)state;
    add('a', NOW);
    add('b', NOW);
    add('c', NOW);
    use('a');
    assert_non_null(add('d', NOW));
    assert_null(use('b'));
    assert_non_null(use('a'));
    assert_non_null(use('c'));
}

static void one_that_is_pinned_or_not_stored_yet_makes_no_room(void **state)
{
    struct mfa_counter *a = add('a', NOW);

    (void)state;
    a->pins = 1;
    mfa_counters_note_change(&table, add('b', NOW));
    add('c', NOW);
    assert_non_null(add('d', NOW));
    assert_null(use('c'));
    mfa_counters_note_change(&table, use('d'));
    assert_null(add('e', NOW));
    assert_non_null(mfa_counters_take_change(&table)); /* b */
    assert_non_null(add('e', NOW));
    assert_null(use('b'));
}

static void without_a_store_only_one_that_is_over_makes_room(void **state)
{
    (void)state;
    add('a', NOW - WINDOW + 1);
    add('b', NOW);
    add('c', NOW);
    assert_null(add('d', NOW));
    use('a')->limiter.at_s[0]--;
    assert_non_null(add('d', NOW));
    assert_null(use('a'));
}

static void changes_are_taken_in_their_order_and_each_once(void **state)
{
    struct mfa_counter *a = add('a', NOW);
    struct mfa_counter *b = add('b', NOW);

    (void)state;
    mfa_counters_note_change(&table, b);
    mfa_counters_note_change(&table, a);
    mfa_counters_note_change(&table, b);
    assert_ptr_equal(mfa_counters_take_change(&table), b);
    mfa_counters_note_change(&table, b);
    assert_ptr_equal(mfa_counters_take_change(&table), a);
    assert_ptr_equal(mfa_counters_take_change(&table), b);
    assert_null(mfa_counters_take_change(&table));
}

static void without_a_store_there_are_no_changes(void **state)
{
    (void)state;
    mfa_counters_note_change(&table, add('a', NOW));
    assert_null(mfa_counters_take_change(&table));
}

static void what_is_over_is_freed_and_the_rest_stays(void **state)
{
    (void)state;
    add('a', NOW - WINDOW);
    add('b', NOW - WINDOW);
    add('c', NOW - WINDOW + 1);
    assert_true(mfa_counters_expire(&table, NOW, 1));
    assert_null(use('a'));
    assert_false(mfa_counters_expire(&table, NOW, 9));
    assert_null(use('b'));
    assert_non_null(use('c'));
}

static void what_is_over_but_pinned_or_changed_stays(void **state)
{
    struct mfa_counter *a = add('a', NOW - WINDOW);

    (void)state;
    a->pins = 1;
    assert_false(mfa_counters_expire(&table, NOW, 9));
    a->pins = 0;
    mfa_counters_note_change(&table, a);
    assert_false(mfa_counters_expire(&table, NOW, 9));
    assert_ptr_equal(use('a'), a);
    mfa_counters_take_change(&table);
    mfa_counters_expire(&table, NOW, 9);
    assert_null(use('a'));
}

#define IN_STORED(test) cmocka_unit_test_setup_teardown(test, setup_stored, teardown)
#define IN_NOT_STORED(test) cmocka_unit_test_setup_teardown(test, setup_not_stored, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_STORED(counters_are_found_by_key),
        IN_STORED(the_one_not_used_for_longest_makes_room),
        IN_STORED(one_that_is_pinned_or_not_stored_yet_makes_no_room),
        IN_NOT_STORED(without_a_store_only_one_that_is_over_makes_room),
        IN_STORED(changes_are_taken_in_their_order_and_each_once),
        IN_NOT_STORED(without_a_store_there_are_no_changes),
        IN_STORED(what_is_over_is_freed_and_the_rest_stays),
        IN_STORED(what_is_over_but_pinned_or_changed_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
