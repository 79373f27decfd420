/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "fakes/fake_host.h"
#include "fakes/fake_kv.h"
#include "mfa_housekeeper.h"

static struct fake_host fake;
static struct mfa_host_port host;
static atomic_size_t in_flight;
static struct mfa_sessions *sessions;
static struct mfa_throttle *throttle;
static struct fake_kv table;
static struct mfa_send_limits *send_limits;
static struct mfa_housekeeper *housekeeper;

static int setup(void **state)
{
    static const unsigned char seed[MFA_SESSIONS_SEED_LEN];
    struct mfa_kv_port kv = fake_kv_port(&table);
    struct mfa_policy policy;

    (void)state;
    mfa_policy_init(&policy);
    fake_host_init(&fake);
    host = fake_host_port(&fake);
    assert_int_equal(mfa_sessions_new(&sessions, &policy, seed), MFA_OK);
    assert_int_equal(mfa_throttle_new(&throttle, &policy), MFA_OK);
    fake_kv_init(&table);
    assert_int_equal(mfa_send_limits_new(&send_limits, &host, &kv, &policy), MFA_OK);
    assert_int_equal(mfa_housekeeper_new(&housekeeper, &host, &in_flight, sessions, throttle, send_limits), MFA_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mfa_housekeeper_free(housekeeper);
    mfa_send_limits_free(send_limits);
    fake_kv_clear(&table);
    mfa_throttle_free(throttle);
    mfa_sessions_free(sessions);
    fake_host_clear(&fake);
    return 0;
}

static void open_session(void)
{
    struct mfa_session_facts facts = {.user_data = "{}", .user_data_len = 2};
    struct mfa_session_ref ref;

    mfa_sessions_ref(sessions, "id-alice", "token", 5, &ref);
    assert_int_equal(mfa_sessions_open(sessions, fake.monotonic_ms, &ref, &facts), MFA_OK);
}

static void await_no_sessions(void)
{
    const struct timespec moment = {.tv_nsec = 20000000};

    for (int i = 0; i < 500 && mfa_sessions_count(sessions) > 0; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(mfa_sessions_count(sessions), 0);
}

static void expired_sessions_go_though_nobody_calls(void **state)
{
    (void)state;
    open_session();
    fake_host_advance(&fake, 1800 * 1000);
    await_no_sessions();
}

static void it_outlives_a_clock_that_fails_for_a_while(void **state)
{
    const struct timespec two_rounds = {.tv_sec = 2, .tv_nsec = 100000000};

    (void)state;
    open_session();
    fake_host_advance(&fake, 1800 * 1000);
    fake_host_fail_clock(&fake, true);
    nanosleep(&two_rounds, NULL);
    fake_host_fail_clock(&fake, false);
    await_no_sessions();
}

static void reserve_a_message(const char *user_id)
{
    struct mfa_send_reservation reservation;
    uint32_t wait_s = 0;

    assert_int_equal(
        mfa_send_limits_reserve(send_limits, fake.monotonic_ms, user_id, "41791231212", &reservation, &wait_s), MFA_OK);
}

static void the_counts_of_messages_are_written_though_nobody_waits(void **state)
{
    const struct timespec moment = {.tv_nsec = 20000000};

    (void)state;
    reserve_a_message("id-alice");
    assert_int_equal(fake_kv_count(&table), 1); /* the key of the hashes */
    for (int i = 0; i < 500 && fake_kv_count(&table) < 3; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(fake_kv_count(&table), 3);
}

static void they_are_written_once_more_at_the_end(void **state)
{
    (void)state;
    reserve_a_message("id-alice");
    mfa_housekeeper_free(housekeeper);
    housekeeper = NULL;
    assert_int_equal(fake_kv_count(&table), 3);
}

static void it_ends_at_once_and_null_is_accepted(void **state)
{
    struct timespec before, after;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &before);
    mfa_housekeeper_free(housekeeper);
    housekeeper = NULL;
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 10);
    mfa_housekeeper_free(NULL);
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(expired_sessions_go_though_nobody_calls),
        IN_HOUSE(it_outlives_a_clock_that_fails_for_a_while),
        IN_HOUSE(the_counts_of_messages_are_written_though_nobody_waits),
        IN_HOUSE(they_are_written_once_more_at_the_end),
        IN_HOUSE(it_ends_at_once_and_null_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
