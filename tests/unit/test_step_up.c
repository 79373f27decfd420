/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "fakes/flow_fixture.h"
#include "mfa_step_up.h"

#define REQUIRED "stepUp:\n  required: true\n"
#define STOP_AT_TWO "attempts:\n  maxConsecutive: 2\n"
#define WITH(password) "{\"password\":\"" password "\"}"
#define TALLY(consecutive, recent) "{\"consecutive\":" consecutive ",\"recent\":" recent ",\"lastAt\":1700000000.123}"

/* The queue of password checks, and the threads that run them. */
#define MAX_QUEUED 64
#define THREADS 2

static const struct fixture_input right = {.body = WITH(FAKE_PASSWORD)};
static const struct fixture_input wrong = {.body = WITH("wrong")};

/* What a step-up protects: it notes that it ran, and where. */
static atomic_uint went_on;
static pthread_t went_on_in;

static enum mfa_outcome go_on(struct mfa_flow *flow)
{
    (void)flow;
    went_on_in = pthread_self();
    atomic_fetch_add(&went_on, 1);
    return MFA_OUTCOME_DEACTIVATED;
}

static enum mfa_outcome protected_flow(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_body(flow);

    return outcome == MFA_OUTCOME_PENDING ? mfa_step_up(flow, go_on) : outcome;
}

static int setup(void **state)
{
    atomic_store(&went_on, 0);
    fixture_setup_single(state);
    fixture_restart(state, FIXTURE_SINGLE("", REQUIRED));
    return 0;
}

static enum mfa_outcome step_up(struct fixture *fixture, const struct fixture_input *input)
{
    return fixture_run(fixture, protected_flow, input)->outcome;
}

static void fail_times(struct fixture *fixture, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(step_up(fixture, &wrong), MFA_OUTCOME_BAD_STEP_UP);
}

static void assert_stored(struct fixture *fixture, const char *expected)
{
    char *stored = fake_host_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice");

    if (expected == NULL)
        assert_null(stored);
    else
        assert_string_equal(stored, expected);
    free(stored);
}

/* Attempts that were taken back leave all that are free. */
static void assert_nothing_counted(struct fixture *fixture)
{
    assert_stored(fixture, NULL);
    fail_times(fixture, 4);
    assert_int_equal(step_up(fixture, &right), MFA_OUTCOME_THROTTLED);
}

static void where_it_is_not_required_it_goes_on_at_once_and_asks_nothing(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", ""));

    fixture->host.password_check_fails = true;
    assert_int_equal(step_up(fixture, &(struct fixture_input){0}), MFA_OUTCOME_DEACTIVATED);
    assert_true(pthread_equal(went_on_in, pthread_self()));
    assert_int_equal(step_up(fixture, &wrong), MFA_OUTCOME_DEACTIVATED);
    assert_int_equal(went_on, 2);
    assert_int_equal(fixture->host.loads + fixture->host.stores, 0);
}

static void the_password_must_be_given_as_a_string(void **state)
{
    static const char *const bodies[] = {NULL,
                                         "{}",
                                         "{\"password\":\"\"}",
                                         "{\"password\":null}",
                                         "{\"password\":true}",
                                         "{\"password\":7}",
                                         "{\"password\":[\"" FAKE_PASSWORD "\"]}",
                                         "{\"password\":{\"$ne\":\"\"}}",
                                         "{\"Password\":\"" FAKE_PASSWORD "\"}"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        fixture_assert_error(fixture_run(fixture, protected_flow, &(struct fixture_input){.body = bodies[i]}), 400,
                             "invalid-parameters-format", "step-up-required");
    assert_int_equal(went_on, 0);
    assert_nothing_counted(fixture);
}

static void the_right_password_goes_on_where_it_may_wait(void **state)
{
    assert_int_equal(step_up(*state, &right), MFA_OUTCOME_DEACTIVATED);
    assert_int_equal(went_on, 1);
    assert_false(pthread_equal(went_on_in, pthread_self()));
    assert_stored(*state, NULL);
}

static void a_wrong_password_is_refused_and_counted(void **state)
{
    struct fixture *fixture = *state;

    fixture_assert_error(fixture_run(fixture, protected_flow, &wrong), 403, "invalid-step-up", NULL);
    assert_stored(fixture, TALLY("1", "1"));
    fixture_assert_error(fixture_run(fixture, protected_flow, &(struct fixture_input){.body = WITH(FAKE_PASSWORD "x")}),
                         403, "invalid-step-up", NULL);
    assert_stored(fixture, TALLY("2", "2"));
    assert_int_equal(went_on, 0);
}

/* Who knows the password has not shown the factor. */
static void the_right_password_forgives_no_failures(void **state)
{
    fail_times(*state, 2);
    assert_int_equal(step_up(*state, &right), MFA_OUTCOME_DEACTIVATED);
    assert_stored(*state, TALLY("2", "2"));
    fail_times(*state, 2);
    assert_int_equal(step_up(*state, &right), MFA_OUTCOME_THROTTLED);
}

static void during_a_delay_no_password_is_looked_at(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *throttled = NULL;

    fail_times(fixture, 4);
    fixture->host.password_check_fails = true;
    throttled = fixture_run(fixture, protected_flow, &right);
    fixture_assert_error(throttled, 429, "too-many-attempts", NULL);
    assert_string_equal(throttled->http.retry_after, "2");
    assert_int_equal(went_on, 0);
    assert_stored(fixture, TALLY("4", "4"));
    fixture->host.password_check_fails = false;
    fake_host_advance(&fixture->host, 2000);
    assert_int_equal(step_up(fixture, &right), MFA_OUTCOME_DEACTIVATED);
}

static void failures_count_together_with_wrong_codes(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_wrong_code(fixture, code);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code)->outcome,
            MFA_OUTCOME_WRONG_CODE);
    fail_times(fixture, 1);
    assert_int_equal(step_up(fixture, &right), MFA_OUTCOME_THROTTLED);
}

static void of_fifty_wrong_passwords_at_once_four_are_looked_at(void **state)
{
    struct fixture *fixture = *state;

    fixture_begin_at_once(fixture, protected_flow, &wrong);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_BAD_STEP_UP), 4);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_THROTTLED), FIXTURE_THREADS - 4);
    assert_stored(fixture, TALLY("4", "4"));
}

/* Or nobody whose phone is lost could do anything about it. */
static void an_account_whose_factor_has_stopped_may_step_up(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", REQUIRED STOP_AT_TWO));

    fail_times(fixture, 2);
    assert_int_equal(step_up(fixture, &right), MFA_OUTCOME_DEACTIVATED);
}

static void a_host_that_cannot_check_is_no_failure_of_the_account(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.password_check_is_busy = true;
    for (int i = 0; i < 5; i++) {
        const struct fake_completion *busy = fixture_run(fixture, protected_flow, &right);
        fixture_assert_error(busy, 503, "api-unavailable", NULL);
        assert_string_not_equal(busy->http.retry_after, "");
    }
    fixture->host.password_check_fails = true;
    for (int i = 0; i < 5; i++)
        fixture_assert_error(fixture_run(fixture, protected_flow, &right), 500, "unexpected-error", NULL);
    assert_int_equal(went_on, 0);
    fixture->host.password_check_is_busy = fixture->host.password_check_fails = false;
    assert_nothing_counted(fixture);
}

/* The queue is filled with other people's passwords. */
static void a_full_queue_is_no_failure_of_the_account(void **state)
{
    struct fixture *fixture = *state;
    const struct fixture_input bobs = {.user = "bob",
                                       .body = "{\"username\":\"bob\",\"password\":\"wrong\","
                                               "\"recoveryCode\":\"\"}"};

    fixture->host.passwords_wait = true;
    for (int i = 0; i < THREADS; i++)
        fixture_begin(fixture, mfa_flow_recover, &bobs);
    fake_host_await_passwords(&fixture->host, THREADS);
    for (int i = 0; i < MAX_QUEUED; i++)
        fixture_begin(fixture, mfa_flow_recover, &bobs);
    for (int i = 0; i < 5; i++)
        fixture_assert_error(fixture_run(fixture, protected_flow, &right), 503, "api-unavailable", NULL);
    fake_host_let_passwords_go(&fixture->host);
    for (uint64_t call = 1; call <= THREADS + MAX_QUEUED; call++)
        fake_host_wait(&fixture->host, call);
    assert_nothing_counted(fixture);
}

static void cancel(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->host.mutex);
    fixture->host.is_cancelled = true;
    pthread_mutex_unlock(&fixture->host.mutex);
}

static void a_failure_counts_even_when_nobody_waits_for_the_answer(void **state)
{
    struct fixture *fixture = *state;
    uint64_t call = 0;

    fixture->host.passwords_wait = true;
    call = fixture_begin(fixture, protected_flow, &wrong);
    fake_host_await_passwords(&fixture->host, 1);
    cancel(fixture);
    fake_host_let_passwords_go(&fixture->host);
    assert_int_equal(fake_host_wait(&fixture->host, call)->http.decision, MFA_DENY);
    assert_stored(fixture, TALLY("1", "1"));
}

static void when_nobody_waits_any_more_it_does_not_go_on_and_counts_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.is_cancelled = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(fixture_run(fixture, protected_flow, &right)->http.decision, MFA_DENY);
    assert_int_equal(went_on, 0);
    fixture->host.is_cancelled = false;
    assert_nothing_counted(fixture);
}

static void failures_that_cannot_be_read_or_stored_let_nobody_on(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.store_fails = true;
    fixture_assert_error(fixture_run(fixture, protected_flow, &wrong), 500, "unexpected-error", NULL);
    fixture->host.store_fails = false;
    fixture_restart_core(fixture, FIXTURE_SINGLE("", REQUIRED));
    fake_host_set_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice", "garbage");
    fixture_assert_error(fixture_run(fixture, protected_flow, &right), 500, "unexpected-error", NULL);
    assert_int_equal(went_on, 0);
}

static void where_nothing_is_throttled_it_is_still_required(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", REQUIRED FIXTURE_NO_THROTTLING));

    assert_int_equal(step_up(fixture, &(struct fixture_input){0}), MFA_OUTCOME_STEP_UP_NEEDED);
    fail_times(fixture, 7);
    assert_stored(fixture, NULL);
    assert_int_equal(step_up(fixture, &right), MFA_OUTCOME_DEACTIVATED);
}

/* --- What is protected ---------------------------------------------------------------------------------------------- */

static void what_weakens_the_factor_takes_the_password(void **state)
{
    static const struct {
        mfa_flow_step_fn *flow;
        const char *body;
        const char *with_wrong_password;
    } rows[] = {
        {mfa_flow_deactivate, "{}", WITH("wrong")},
        {mfa_flow_recovery_codes, "{}", WITH("wrong")},
        {mfa_flow_activate, "{\"number\":\"41791231213\",\"message\":\"{{ code }}\"}",
         "{\"number\":\"41791231213\",\"message\":\"{{ code }}\",\"password\":\"wrong\"}"},
    };
    struct fixture *fixture = *state;
    char *before = NULL;
    size_t sent = 0;

    fixture_enrol(fixture, "alice");
    before = fake_host_profile(&fixture->host, "id-alice");
    sent = fixture->gateway.count;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *after = NULL;
        fixture_assert_error(fixture_run(fixture, rows[i].flow, &(struct fixture_input){.body = rows[i].body}), 400,
                             "invalid-parameters-format", "step-up-required");
        fixture_assert_error(
            fixture_run(fixture, rows[i].flow, &(struct fixture_input){.body = rows[i].with_wrong_password}), 403,
            "invalid-step-up", NULL);
        after = fake_host_profile(&fixture->host, "id-alice");
        assert_string_equal(after, before);
        free(after);
    }
    assert_int_equal(fixture->gateway.count, sent);
    free(before);
}

static void the_first_enrolment_takes_none(void **state)
{
    fixture_enrol(*state, "alice");
    assert_true(fixture_is_enrolled(*state, "alice"));
}

static void an_enrolment_that_cannot_be_read_is_not_taken_for_none(void **state)
{
    struct fixture *fixture = *state;
    const struct fixture_input activation = {.body = FIXTURE_SINGLE_DATA};

    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    assert_int_equal(fixture_run(fixture, mfa_flow_activate, &activation)->http.decision, MFA_DENY);
    assert_int_equal(fixture->gateway.count, 0);
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(where_it_is_not_required_it_goes_on_at_once_and_asks_nothing),
        IN_FIXTURE(the_password_must_be_given_as_a_string),
        IN_FIXTURE(the_right_password_goes_on_where_it_may_wait),
        IN_FIXTURE(a_wrong_password_is_refused_and_counted),
        IN_FIXTURE(the_right_password_forgives_no_failures),
        IN_FIXTURE(during_a_delay_no_password_is_looked_at),
        IN_FIXTURE(failures_count_together_with_wrong_codes),
        IN_FIXTURE(of_fifty_wrong_passwords_at_once_four_are_looked_at),
        IN_FIXTURE(an_account_whose_factor_has_stopped_may_step_up),
        IN_FIXTURE(a_host_that_cannot_check_is_no_failure_of_the_account),
        IN_FIXTURE(a_full_queue_is_no_failure_of_the_account),
        IN_FIXTURE(a_failure_counts_even_when_nobody_waits_for_the_answer),
        IN_FIXTURE(when_nobody_waits_any_more_it_does_not_go_on_and_counts_nothing),
        IN_FIXTURE(failures_that_cannot_be_read_or_stored_let_nobody_on),
        IN_FIXTURE(where_nothing_is_throttled_it_is_still_required),
        IN_FIXTURE(what_weakens_the_factor_takes_the_password),
        IN_FIXTURE(the_first_enrolment_takes_none),
        IN_FIXTURE(an_enrolment_that_cannot_be_read_is_not_taken_for_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
