/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "fakes/fake_kv.h"
#include "mfa_send_limits.h"

#define THREADS 8
#define ROUNDS 200
#define NUMBER "41791231212"

static struct fake_host fake;
static struct fake_kv table;
static struct mfa_host_port host;
static struct mfa_kv_port kv;
static struct mfa_send_limits *limits;

static struct mfa_policy policy_of(uint32_t per_user, uint32_t per_destination, uint32_t per_day)
{
    return (struct mfa_policy){
        .sends_per_user_hour = per_user, .sends_per_destination_day = per_destination, .sends_per_day = per_day};
}

static void restart(struct mfa_policy policy)
{
    mfa_send_limits_free(limits);
    assert_int_equal(mfa_send_limits_new(&limits, &host, &kv, &policy), MFA_OK);
}

static int setup(void **state)
{
    (void)state;
    fake_host_init(&fake);
    fake_kv_init(&table);
    host = fake_host_port(&fake);
    kv = fake_kv_port(&table);
    limits = NULL;
    restart(policy_of(3, 5, 0));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mfa_send_limits_free(limits);
    fake_kv_clear(&table);
    fake_host_clear(&fake);
    return 0;
}

static void advance_s(uint64_t s)
{
    fake_host_advance(&fake, s * 1000);
}

static void write(void)
{
    mfa_send_limits_write(limits, fake.monotonic_ms);
}

/* Reserves a message; returns the seconds to wait, 0: reserved. */
static uint32_t reserve_as(const char *user_id, const char *destination, struct mfa_send_reservation *reservation)
{
    uint32_t wait_s = 0;
    enum mfa_status status =
        mfa_send_limits_reserve(limits, fake.monotonic_ms, user_id, destination, reservation, &wait_s);

    assert_int_equal(status, wait_s > 0 ? MFA_ERR_FULL : MFA_OK);
    return wait_s;
}

static uint32_t reserve(const char *user_id, const char *destination)
{
    struct mfa_send_reservation reservation;

    return reserve_as(user_id, destination, &reservation);
}

static void reserve_times(uint32_t times, const char *user_id, const char *destination)
{
    for (uint32_t i = 0; i < times; i++)
        assert_int_equal(reserve(user_id, destination), 0);
}

/* --- The limits --------------------------------------------------------------------------------------------------- */

static void a_user_gets_so_many_messages_in_an_hour_wherever_they_go(void **state)
{
    (void)state;
    reserve_times(1, "alice", "a");
    advance_s(100);
    reserve_times(2, "alice", "b");
    assert_int_equal(reserve("alice", "c"), 3500);
    reserve_times(1, "bob", "c");
    advance_s(3500);
    reserve_times(1, "alice", "c");
    assert_int_equal(reserve("alice", "c"), 100);
}

static void a_destination_gets_so_many_messages_in_a_day_whoever_asks(void **state)
{
    (void)state;
    reserve_times(3, "alice", NUMBER);
    advance_s(7200);
    reserve_times(2, "bob", NUMBER);
    assert_int_equal(reserve("carol", NUMBER), 86400 - 7200);
    reserve_times(1, "carol", "41791231213");
    advance_s(86400 - 7200);
    reserve_times(1, "carol", NUMBER);
}

static void the_process_sends_so_many_messages_in_a_day(void **state)
{
    (void)state;
    restart(policy_of(0, 0, 2));
    reserve_times(1, "alice", "a");
    advance_s(10);
    reserve_times(1, "bob", "b");
    assert_int_equal(reserve("carol", "c"), 86390);
    advance_s(86390);
    reserve_times(1, "carol", "c");
}

static void limits_that_are_off_count_nothing(void **state)
{
    (void)state;
    restart(policy_of(0, 0, 0));
    reserve_times(100, "alice", NUMBER);
    write();
    assert_int_equal(fake_kv_count(&table), 1); /* the key of the hashes */
}

static void set_policy(struct mfa_policy policy)
{
    assert_int_equal(mfa_send_limits_set_policy(limits, &policy), MFA_OK);
}

static void a_higher_limit_lets_through_what_is_missing_to_it(void **state)
{
    (void)state;
    reserve_times(3, "alice", "a");
    assert_int_equal(reserve("alice", "a"), 3600);
    set_policy(policy_of(5, 5, 0));
    reserve_times(2, "alice", "a");
    assert_int_equal(reserve("alice", "b"), 3600);
}

static void a_lower_limit_counts_what_was_sent_before(void **state)
{
    (void)state;
    reserve_times(1, "alice", "a");
    advance_s(100);
    reserve_times(1, "alice", "a");
    advance_s(100);
    set_policy(policy_of(1, 5, 0));
    assert_int_equal(reserve("alice", "b"), 3500); /* until the second is an hour ago */
    advance_s(3500);
    reserve_times(1, "alice", "b");
    assert_int_equal(reserve("alice", "b"), 3600);
}

static void a_limit_can_be_switched_off_and_on(void **state)
{
    (void)state;
    reserve_times(3, "alice", "a");
    set_policy(policy_of(0, 0, 0));
    reserve_times(20, "alice", "a");
    set_policy(policy_of(3, 0, 0));
    assert_int_equal(reserve("alice", "a"), 3600);
    set_policy(policy_of(0, 0, 2));
    reserve_times(2, "alice", "a");
    assert_int_equal(reserve("bob", "b"), 86400);
    set_policy(policy_of(0, 0, 3));
    reserve_times(1, "bob", "b");
    assert_int_equal(reserve("bob", "b"), 86400);
    set_policy(policy_of(0, 0, 0));
    reserve_times(5, "bob", "b");
}

static void a_changed_count_is_stored_like_any(void **state)
{
    (void)state;
    reserve_times(3, "alice", "a");
    set_policy(policy_of(4, 5, 0));
    reserve_times(1, "alice", "a");
    write();
    restart(policy_of(4, 5, 0));
    assert_int_equal(reserve("alice", "b"), 3600);
}

static void without_a_destination_the_user_is_counted_in_its_place(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        reserve_times(1, "alice", NULL);
        advance_s(3600);
    }
    assert_int_equal(reserve("alice", NULL), 86400 - 5 * 3600);
    reserve_times(1, "bob", NULL);
    reserve_times(1, "alice", "alice"); /* a destination that looks like her id is another thing */
}

static void the_longest_wait_is_told(void **state)
{
    (void)state;
    restart(policy_of(2, 2, 2));
    reserve_times(2, "alice", NUMBER);
    advance_s(1);
    assert_int_equal(reserve("alice", NUMBER), 86399);
    assert_int_equal(reserve("alice", "b"), 86399); /* the process */
    restart(policy_of(2, 9, 0));
    write();
    reserve_times(2, "bob", "d");
    assert_int_equal(reserve("bob", "d"), 3600);
}

static void a_refused_message_is_counted_nowhere(void **state)
{
    (void)state;
    reserve_times(3, "alice", NUMBER);
    for (int i = 0; i < 10; i++)
        assert_int_equal(reserve("alice", NUMBER), 3600);
    reserve_times(2, "bob", NUMBER);
}

static void what_is_given_back_can_be_had_again_from_all(void **state)
{
    struct mfa_send_reservation reservation;

    (void)state;
    restart(policy_of(2, 2, 2));
    reserve_times(1, "alice", NUMBER);
    for (int i = 0; i < 5; i++) {
        advance_s(1);
        assert_int_equal(reserve_as("alice", NUMBER, &reservation), 0);
        mfa_send_limits_give_back(limits, &reservation);
    }
    reserve_times(1, "alice", NUMBER);
    assert_int_not_equal(reserve("alice", NUMBER), 0);
    assert_int_not_equal(reserve("bob", NUMBER), 0);
    assert_int_not_equal(reserve("bob", "b"), 0);
}

/* --- The store ------------------------------------------------------------------------------------------------------ */

static void counts_per_user_and_destination_survive_a_restart(void **state)
{
    (void)state;
    reserve_times(3, "alice", NUMBER);
    write();
    advance_s(60);
    restart(policy_of(3, 5, 0));
    assert_int_equal(reserve("alice", "b"), 3540);
    reserve_times(2, "bob", NUMBER);
    assert_int_equal(reserve("carol", NUMBER), 86340);
}

static void a_count_that_was_not_written_is_lost(void **state)
{
    (void)state;
    reserve_times(3, "alice", NUMBER);
    write();
    reserve_times(2, "bob", NUMBER);
    restart(policy_of(3, 5, 0));
    reserve_times(2, "bob", NUMBER);
    assert_int_not_equal(reserve("bob", NUMBER), 0);
}

static void the_clock_of_the_next_process_may_be_behind(void **state)
{
    (void)state;
    reserve_times(3, "alice", NUMBER);
    write();
    fake.wall_ms -= INT64_C(365) * 86400 * 1000;
    fake.monotonic_ms = 5;
    restart(policy_of(3, 5, 0));
    assert_int_equal(reserve("alice", "b"), 3600); /* as if it were now */
    advance_s(3600);
    reserve_times(1, "alice", "b");
}

static void a_jump_of_the_wall_clock_changes_nothing_in_a_running_process(void **state)
{
    (void)state;
    reserve_times(3, "alice", NUMBER);
    fake.wall_ms += INT64_C(10) * 86400 * 1000;
    assert_int_equal(reserve("alice", NUMBER), 3600);
    fake.wall_ms = 0;
    assert_int_equal(reserve("alice", NUMBER), 3600);
}

static void a_count_is_read_once_and_only_changes_are_written(void **state)
{
    unsigned gets = table.gets, puts = table.puts;

    (void)state;
    reserve_times(2, "alice", NUMBER);
    assert_int_equal(table.gets - gets, 2);
    assert_int_equal(table.puts - puts, 0); /* nobody waits for a write */
    write();
    assert_int_equal(table.puts - puts, 2);
    write();
    assert_int_equal(table.puts - puts, 2);
    reserve_times(1, "alice", NUMBER);
    assert_int_not_equal(reserve("alice", NUMBER), 0); /* refused: no change */
    write();
    assert_int_equal(table.puts - puts, 4);
    assert_int_equal(table.gets - gets, 2);
}

static void what_is_stored_goes_when_its_window_has_passed(void **state)
{
    const int64_t sent_ms = fake.wall_ms / 1000 * 1000;
    bool has_hour = false, has_day = false;

    (void)state;
    reserve_times(1, "alice", NUMBER);
    write();
    for (size_t i = 0; i < FAKE_KV_MAX_ENTRIES; i++) {
        has_hour = has_hour || table.entries[i].expires_ms == sent_ms + 3600 * 1000;
        has_day = has_day || table.entries[i].expires_ms == sent_ms + 86400 * 1000;
    }
    assert_true(has_hour && has_day);
}

static void nothing_stored_shows_whom_it_is_about(void **state)
{
    (void)state;
    reserve_times(1, "id-of-alice", NUMBER);
    write();
    for (size_t i = 0; i < FAKE_KV_MAX_ENTRIES; i++) {
        assert_null(strstr(table.entries[i].key, NUMBER));
        assert_null(strstr(table.entries[i].key, "alice"));
        assert_null(memmem(table.entries[i].value, table.entries[i].len, NUMBER, strlen(NUMBER)));
    }
    assert_null(strstr(fake.log, NUMBER));
}

static void a_count_that_cannot_be_read_sends_nothing(void **state)
{
    struct mfa_send_reservation reservation;
    uint32_t wait_s = 0;

    (void)state;
    table.get_fails = true;
    for (int i = 0; i < 2; i++)
        assert_int_equal(mfa_send_limits_reserve(limits, fake.monotonic_ms, "alice", NUMBER, &reservation, &wait_s),
                         MFA_ERR_INTERNAL);
    table.get_fails = false;
    reserve_times(3, "alice", NUMBER);
    assert_int_equal(reserve("alice", NUMBER), 3600);
}

static size_t log_count(const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(fake.log, text); at != NULL; at = strstr(at + 1, text))
        count++;
    return count;
}

static void what_cannot_be_written_is_written_later_and_said_once(void **state)
{
    (void)state;
    reserve_times(3, "alice", NUMBER);
    table.put_fails = true;
    write();
    write();
    assert_int_equal(log_count("cannot be written"), 1);
    table.put_fails = false;
    write();
    restart(policy_of(3, 5, 0));
    assert_int_equal(reserve("alice", NUMBER), 3600);
}

static void processes_over_one_table_learn_of_each_other(void **state)
{
    struct mfa_send_limits *first = limits, *second = NULL;

    (void)state;
    limits = NULL;
    restart(policy_of(3, 5, 0));
    second = limits;
    limits = first;
    reserve_times(1, "alice", NUMBER);
    advance_s(1);
    limits = second;
    reserve_times(1, "alice", NUMBER);
    write();
    advance_s(1);
    limits = first;
    reserve_times(1, "alice", NUMBER);
    write(); /* a conflict: now it knows all three */
    assert_int_equal(reserve("alice", NUMBER), 3598);
    mfa_send_limits_free(first);
    limits = second;
    reserve_times(1, "alice", NUMBER);
    write();
    assert_int_not_equal(reserve("alice", NUMBER), 0);
}

static void a_count_that_the_table_has_dropped_is_stored_anew(void **state)
{
    (void)state;
    reserve_times(1, "alice", NUMBER);
    write();
    for (size_t i = 0; i < FAKE_KV_MAX_ENTRIES; i++)
        if (strncmp(table.entries[i].key, "send.count.", 11) == 0)
            table.entries[i].len = 0;
    reserve_times(2, "alice", NUMBER);
    write();
    restart(policy_of(3, 5, 0));
    assert_int_equal(reserve("alice", NUMBER), 3600);
}

static void a_message_given_back_is_given_back_in_the_store(void **state)
{
    struct mfa_send_reservation reservation;

    (void)state;
    reserve_times(2, "alice", NUMBER);
    advance_s(1);
    assert_int_equal(reserve_as("alice", NUMBER, &reservation), 0);
    write();
    mfa_send_limits_give_back(limits, &reservation);
    write();
    restart(policy_of(3, 5, 0));
    reserve_times(1, "alice", NUMBER);
    assert_int_not_equal(reserve("alice", NUMBER), 0);
}

static void what_is_over_is_forgotten_and_read_again(void **state)
{
    unsigned gets = 0;

    (void)state;
    reserve_times(1, "alice", NUMBER);
    write();
    gets = table.gets;
    advance_s(3600);
    mfa_send_limits_expire(limits, fake.monotonic_ms);
    reserve_times(1, "alice", NUMBER);
    assert_int_equal(table.gets - gets, 1); /* the user's, not yet the destination's */
    advance_s(86400);
    write();
    mfa_send_limits_expire(limits, fake.monotonic_ms);
    gets = table.gets;
    reserve_times(1, "alice", NUMBER);
    assert_int_equal(table.gets - gets, 2);
}

static void a_host_without_a_table_is_warned_of_and_works(void **state)
{
    struct mfa_policy policy = policy_of(3, 5, 0);

    (void)state;
    assert_int_equal(log_count("key-value table"), 0);
    mfa_send_limits_free(limits);
    limits = NULL;
    assert_int_equal(mfa_send_limits_new(&limits, &host, &(struct mfa_kv_port){0}, &policy), MFA_OK);
    assert_int_equal(log_count("key-value table"), 1);
    reserve_times(3, "alice", NUMBER);
    write();
    assert_int_equal(reserve("alice", NUMBER), 3600);
    advance_s(3600);
    mfa_send_limits_expire(limits, fake.monotonic_ms);
    reserve_times(2, "alice", NUMBER);
    assert_int_equal(reserve("alice", NUMBER), 86400 - 3600);
}

static void without_a_table_or_a_clock_there_are_no_limits_to_start_with(void **state)
{
    struct mfa_send_limits *none = limits;
    struct mfa_policy policy = policy_of(3, 5, 0);

    (void)state;
    table.get_fails = true;
    assert_int_equal(mfa_send_limits_new(&none, &host, &kv, &policy), MFA_ERR_INTERNAL);
    assert_null(none);
    assert_int_equal(log_count("the key of the send limits"), 1);
    table.get_fails = false;
    fake.wall_clock_fails = true;
    assert_int_equal(mfa_send_limits_new(&none, &host, &kv, &policy), MFA_ERR_INTERNAL);
    mfa_send_limits_free(NULL);
}

/* --- Threads -------------------------------------------------------------------------------------------------------- */

static atomic_uint reserved;

static void *hurry(void *arg)
{
    struct mfa_send_reservation reservation;
    uint32_t wait_s = 0;

    (void)arg;
    for (int i = 0; i < ROUNDS; i++)
        if (mfa_send_limits_reserve(limits, fake.monotonic_ms, "alice", NUMBER, &reservation, &wait_s) == MFA_OK)
            atomic_fetch_add(&reserved, 1);
    return NULL;
}

/* Others, whose messages fail; and, now and then, the housekeeper. */
static void *come_and_go(void *arg)
{
    const size_t *number = arg;
    struct mfa_send_reservation reservation;
    char user_id[32];
    uint32_t wait_s = 0;

    for (int i = 0; i < ROUNDS; i++) {
        snprintf(user_id, sizeof user_id, "user-%zu-%d", *number, i % 5);
        if (mfa_send_limits_reserve(limits, fake.monotonic_ms, user_id, user_id, &reservation, &wait_s) == MFA_OK)
            mfa_send_limits_give_back(limits, &reservation);
        mfa_send_limits_expire(limits, fake.monotonic_ms);
        if (*number == 0)
            write();
    }
    return NULL;
}

static void messages_at_the_same_time_cannot_pass_a_limit_together(void **state)
{
    pthread_t threads[2 * THREADS];
    size_t numbers[THREADS];

    (void)state;
    restart(policy_of(100, 30, 0));
    atomic_store(&reserved, 0);
    for (size_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[2 * i], NULL, hurry, NULL), 0);
        assert_int_equal(pthread_create(&threads[2 * i + 1], NULL, come_and_go, &numbers[i]), 0);
    }
    for (size_t i = 0; i < 2 * THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(reserved, 30);
    write();
    restart(policy_of(100, 30, 0));
    assert_int_not_equal(reserve("alice", NUMBER), 0);
    for (int i = 0; i < 70; i++) {
        char destination[32];
        snprintf(destination, sizeof destination, "destination %d", i);
        reserve_times(1, "alice", destination);
    }
    assert_int_not_equal(reserve("alice", "b"), 0);
}

static pthread_barrier_t round_start;

static void *race(void *arg)
{
    struct mfa_send_reservation reservation;
    char user_id[32];
    uint32_t wait_s = 0;

    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(user_id, sizeof user_id, "user-%d", i);
        pthread_barrier_wait(&round_start);
        if (mfa_send_limits_reserve(limits, fake.monotonic_ms, user_id, user_id, &reservation, &wait_s) == MFA_OK)
            atomic_fetch_add(&reserved, 1);
    }
    return NULL;
}

static void each_last_place_is_taken_by_one(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    restart(policy_of(1, 0, 0));
    atomic_store(&reserved, 0);
    assert_int_equal(pthread_barrier_init(&round_start, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&round_start);
    assert_int_equal(reserved, ROUNDS);
}

#define IN_LIMITS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LIMITS(a_user_gets_so_many_messages_in_an_hour_wherever_they_go),
        IN_LIMITS(a_destination_gets_so_many_messages_in_a_day_whoever_asks),
        IN_LIMITS(the_process_sends_so_many_messages_in_a_day),
        IN_LIMITS(limits_that_are_off_count_nothing),
        IN_LIMITS(a_higher_limit_lets_through_what_is_missing_to_it),
        IN_LIMITS(a_lower_limit_counts_what_was_sent_before),
        IN_LIMITS(a_limit_can_be_switched_off_and_on),
        IN_LIMITS(a_changed_count_is_stored_like_any),
        IN_LIMITS(without_a_destination_the_user_is_counted_in_its_place),
        IN_LIMITS(the_longest_wait_is_told),
        IN_LIMITS(a_refused_message_is_counted_nowhere),
        IN_LIMITS(what_is_given_back_can_be_had_again_from_all),
        IN_LIMITS(counts_per_user_and_destination_survive_a_restart),
        IN_LIMITS(a_count_that_was_not_written_is_lost),
        IN_LIMITS(the_clock_of_the_next_process_may_be_behind),
        IN_LIMITS(a_jump_of_the_wall_clock_changes_nothing_in_a_running_process),
        IN_LIMITS(a_count_is_read_once_and_only_changes_are_written),
        IN_LIMITS(what_is_stored_goes_when_its_window_has_passed),
        IN_LIMITS(nothing_stored_shows_whom_it_is_about),
        IN_LIMITS(a_count_that_cannot_be_read_sends_nothing),
        IN_LIMITS(what_cannot_be_written_is_written_later_and_said_once),
        IN_LIMITS(processes_over_one_table_learn_of_each_other),
        IN_LIMITS(a_count_that_the_table_has_dropped_is_stored_anew),
        IN_LIMITS(a_message_given_back_is_given_back_in_the_store),
        IN_LIMITS(what_is_over_is_forgotten_and_read_again),
        IN_LIMITS(a_host_without_a_table_is_warned_of_and_works),
        IN_LIMITS(without_a_table_or_a_clock_there_are_no_limits_to_start_with),
        IN_LIMITS(messages_at_the_same_time_cannot_pass_a_limit_together),
        IN_LIMITS(each_last_place_is_taken_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
