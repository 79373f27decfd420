/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "mfa_record.h"
#include "mfa_tally.h"

#define USER "id-alice"
#define WALL INT64_C(1700000000123) /* the fake's clock */
#define WINDOW_S 900

struct desk {
    struct fake_host fake;
    struct mfa_host_port host;
};

static int setup(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    assert_non_null(desk);
    fake_host_init(&desk->fake);
    desk->host = fake_host_port(&desk->fake);
    *state = desk;
    return 0;
}

static int teardown(void **state)
{
    struct desk *desk = *state;

    fake_host_clear(&desk->fake);
    free(desk);
    return 0;
}

static void set(struct desk *desk, const char *text)
{
    fake_host_set_record(&desk->fake, MFA_RECORD_ATTEMPTS, USER, text);
}

static void assert_stored(struct desk *desk, const char *expected)
{
    char *stored = fake_host_record(&desk->fake, MFA_RECORD_ATTEMPTS, USER);

    if (expected == NULL)
        assert_null(stored);
    else
        assert_string_equal(stored, expected);
    free(stored);
}

static enum mfa_status load(struct desk *desk, struct mfa_tally *tally)
{
    memset(tally, 0xa5, sizeof *tally);
    return mfa_tally_load(tally, &desk->host, USER);
}

static enum mfa_status add(struct desk *desk, struct mfa_tally *tally)
{
    memset(tally, 0xa5, sizeof *tally);
    return mfa_tally_add_failure(tally, &desk->host, USER, WINDOW_S);
}

static void assert_tally(const struct mfa_tally *tally, uint32_t consecutive, uint32_t recent, int64_t last_wall_ms)
{
    assert_int_equal(tally->consecutive, consecutive);
    assert_int_equal(tally->recent, recent);
    assert_int_equal(tally->last_wall_ms, last_wall_ms);
}

/* Adds a failure and finds so many. */
static void expect_added(struct desk *desk, uint32_t consecutive, uint32_t recent)
{
    struct mfa_tally added, loaded;

    assert_int_equal(add(desk, &added), MFA_OK);
    assert_tally(&added, consecutive, recent, desk->fake.wall_ms);
    assert_int_equal(load(desk, &loaded), MFA_OK);
    assert_tally(&loaded, consecutive, recent, desk->fake.wall_ms);
}

static void without_failures_there_is_nothing(void **state)
{
    struct mfa_tally tally;

    assert_int_equal(load(*state, &tally), MFA_OK);
    assert_tally(&tally, 0, 0, 0);
}

static void what_is_stored_has_the_documented_shape(void **state)
{
    struct mfa_tally tally;

    assert_int_equal(add(*state, &tally), MFA_OK);
    assert_stored(*state, "{\"consecutive\":1,\"recent\":1,\"lastAt\":1700000000.123}");
}

static void each_failure_adds_one(void **state)
{
    for (uint32_t i = 1; i <= 5; i++)
        expect_added(*state, i, i);
}

static void the_last_moment_is_kept_to_the_millisecond(void **state)
{
    static const int64_t walls_ms[] = {0, 1, 999, 1001, WALL, INT64_C(1999999999999), INT64_C(253402300799000)};
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof walls_ms / sizeof walls_ms[0]; i++) {
        set(desk, NULL);
        desk->fake.wall_ms = walls_ms[i];
        expect_added(desk, 1, 1);
    }
}

static void after_quiet_time_the_recent_ones_start_anew(void **state)
{
    struct desk *desk = *state;

    expect_added(desk, 1, 1);
    fake_host_advance(&desk->fake, WINDOW_S * 1000);
    expect_added(desk, 2, 2);
    fake_host_advance(&desk->fake, WINDOW_S * 1000 + 1);
    expect_added(desk, 3, 1);
}

static void a_clock_that_goes_back_forgets_nothing(void **state)
{
    struct desk *desk = *state;

    expect_added(desk, 1, 1);
    desk->fake.wall_ms -= INT64_C(365) * 86400 * 1000;
    expect_added(desk, 2, 2);
    desk->fake.wall_ms = 0;
    expect_added(desk, 3, 3);
}

static void failures_of_the_future_are_not_quiet_time(void **state)
{
    set(*state, "{\"consecutive\":7,\"recent\":4,\"lastAt\":253402300799}");
    expect_added(*state, 8, 5);
}

static void counts_end_where_they_can_still_be_read(void **state)
{
    set(*state, "{\"consecutive\":2147483646,\"recent\":2147483647,\"lastAt\":1700000000}");
    expect_added(*state, INT32_MAX, INT32_MAX);
    expect_added(*state, INT32_MAX, INT32_MAX);
}

static void a_clock_beyond_all_years_writes_what_can_still_be_read(void **state)
{
    static const struct {
        int64_t clock_ms, kept_ms;
    } walls[] = {{INT64_MAX, INT64_C(253402300799000)}, {INT64_MIN, 0}, {-1, 0}, {INT64_MAX, INT64_C(253402300799000)}};
    struct desk *desk = *state;
    struct mfa_tally tally;

    for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++) {
        desk->fake.wall_ms = walls[i].clock_ms;
        assert_int_equal(add(desk, &tally), MFA_OK);
        assert_int_equal(load(desk, &tally), MFA_OK);
        assert_int_equal(tally.consecutive, i + 1);
        assert_int_equal(tally.last_wall_ms, walls[i].kept_ms);
    }
}

static void members_of_a_later_version_are_passed_over(void **state)
{
    struct mfa_tally tally;

    set(*state, "{\"version\":2,\"consecutive\":3,\"recent\":2,\"lastAt\":1700000000,\"since\":[1]}");
    assert_int_equal(load(*state, &tally), MFA_OK);
    assert_tally(&tally, 3, 2, INT64_C(1700000000000));
    expect_added(*state, 4, 3);
}

#define TALLY(consecutive, recent, last_at)                                                                            \
    "{\"consecutive\":" consecutive ",\"recent\":" recent ",\"lastAt\":" last_at "}"

static const char *const hostile[] = {
    "",
    " ",
    "null",
    "0",
    "\"\"",
    "[]",
    "{}",
    "garbage",
    "\x01\xff\xfe",
    "{\"consecutive\":1,\"recent\":1,\"lastAt\":1",
    TALLY("1", "1", "1") "x",
    "[" TALLY("1", "1", "1") "]",
    "{\"recent\":1,\"lastAt\":1}",
    "{\"consecutive\":1,\"lastAt\":1}",
    "{\"consecutive\":1,\"recent\":1}",
    "{\"consecutive\":1,\"consecutive\":0,\"recent\":1,\"lastAt\":1}",
    "{\"consecutive\":1,\"recent\":1,\"lastAt\":1,\"x\":[[1]]}",
    TALLY("-1", "1", "1"),
    TALLY("1", "-1", "1"),
    TALLY("2147483648", "1", "1"),
    TALLY("1", "2147483648", "1"),
    TALLY("4294967296", "1", "1"),
    TALLY("1", "18446744073709551616", "1"),
    TALLY("1.0", "1", "1"),
    TALLY("1", "1e2", "1"),
    TALLY("\"1\"", "1", "1"),
    TALLY("true", "1", "1"),
    TALLY("null", "1", "1"),
    TALLY("1", "[1]", "1"),
    TALLY("1", "1", "-1"),
    TALLY("1", "1", "-0.001"),
    TALLY("1", "1", "253402300800"),
    TALLY("1", "1", "1e300"),
    TALLY("1", "1", "1e999"),
    TALLY("1", "1", "\"1\""),
    TALLY("1", "1", "null"),
    TALLY("1", "1", "NaN"),
};

/* An account whose failures cannot be read must not look like one without: neither read as zeroes nor written over. */
static void what_cannot_be_read_is_never_no_failures(void **state)
{
    struct desk *desk = *state;
    struct mfa_tally tally;

    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        set(desk, hostile[i]);
        if (load(desk, &tally) != MFA_ERR_SYNTAX || add(desk, &tally) != MFA_ERR_SYNTAX)
            fail_msg("was read: %s", hostile[i]);
        assert_tally(&tally, 0, 0, 0);
        assert_stored(desk, hostile[i]);
    }
    assert_int_equal(desk->fake.stores, 0);
}

static void what_is_too_large_is_not_read(void **state)
{
    struct desk *desk = *state;
    struct mfa_tally tally;
    char text[2048];

    snprintf(text, sizeof text, "%-1024s", TALLY("1", "1", "1"));
    set(desk, text);
    assert_int_equal(load(desk, &tally), MFA_OK);
    snprintf(text, sizeof text, "%-1025s", TALLY("1", "1", "1"));
    set(desk, text);
    assert_int_equal(load(desk, &tally), MFA_ERR_TOO_LARGE);
    assert_tally(&tally, 0, 0, 0);
    assert_int_equal(add(desk, &tally), MFA_ERR_TOO_LARGE);
    assert_stored(desk, text);
}

static void what_cannot_be_read_can_be_removed(void **state)
{
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        set(desk, hostile[i]);
        assert_int_equal(mfa_tally_remove(&desk->host, USER), MFA_OK);
        assert_stored(desk, NULL);
    }
    assert_int_equal(mfa_tally_remove(&desk->host, USER), MFA_OK);
}

static void a_conflict_is_tried_again_but_not_for_ever(void **state)
{
    struct desk *desk = *state;
    struct mfa_tally tally;

    desk->fake.conflicts = MFA_RECORD_MAX_TRIES - 1;
    expect_added(desk, 1, 1);
    desk->fake.conflicts = 1000;
    assert_int_equal(add(desk, &tally), MFA_ERR_CONFLICT);
    assert_tally(&tally, 0, 0, 0);
    desk->fake.conflicts = 0;
    expect_added(desk, 2, 2);
}

static void a_failing_host_writes_nothing(void **state)
{
    struct desk *desk = *state;
    struct mfa_tally tally;
    bool *const failures[] = {&desk->fake.load_fails, &desk->fake.store_fails, &desk->fake.wall_clock_fails};

    expect_added(desk, 1, 1);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        *failures[i] = true;
        assert_int_equal(add(desk, &tally), MFA_ERR_INTERNAL);
        assert_tally(&tally, 0, 0, 0);
        *failures[i] = false;
    }
    desk->fake.load_fails = true;
    assert_int_equal(load(desk, &tally), MFA_ERR_INTERNAL);
    assert_tally(&tally, 0, 0, 0);
    assert_int_equal(mfa_tally_remove(&desk->host, USER), MFA_ERR_INTERNAL);
    desk->fake.load_fails = false;
    expect_added(desk, 2, 2);
}

static void *add_one(void *arg)
{
    struct mfa_tally tally;

    return add(arg, &tally) == MFA_OK ? arg : NULL;
}

/* A conflict is another's success: with no more threads than tries, nobody runs out of them. */
static void failures_at_the_same_time_are_all_counted(void **state)
{
    struct desk *desk = *state;
    pthread_t threads[MFA_RECORD_MAX_TRIES];
    struct mfa_tally tally;
    void *added = NULL;

    for (size_t i = 0; i < MFA_RECORD_MAX_TRIES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_one, desk), 0);
    for (size_t i = 0; i < MFA_RECORD_MAX_TRIES; i++) {
        pthread_join(threads[i], &added);
        assert_non_null(added);
    }
    assert_int_equal(load(desk, &tally), MFA_OK);
    assert_tally(&tally, MFA_RECORD_MAX_TRIES, MFA_RECORD_MAX_TRIES, WALL);
}

#define IN_DESK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DESK(without_failures_there_is_nothing),
        IN_DESK(what_is_stored_has_the_documented_shape),
        IN_DESK(each_failure_adds_one),
        IN_DESK(the_last_moment_is_kept_to_the_millisecond),
        IN_DESK(after_quiet_time_the_recent_ones_start_anew),
        IN_DESK(a_clock_that_goes_back_forgets_nothing),
        IN_DESK(failures_of_the_future_are_not_quiet_time),
        IN_DESK(counts_end_where_they_can_still_be_read),
        IN_DESK(a_clock_beyond_all_years_writes_what_can_still_be_read),
        IN_DESK(members_of_a_later_version_are_passed_over),
        IN_DESK(what_cannot_be_read_is_never_no_failures),
        IN_DESK(what_is_too_large_is_not_read),
        IN_DESK(what_cannot_be_read_can_be_removed),
        IN_DESK(a_conflict_is_tried_again_but_not_for_ever),
        IN_DESK(a_failing_host_writes_nothing),
        IN_DESK(failures_at_the_same_time_are_all_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
