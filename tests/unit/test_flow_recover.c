/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fakes/flow_fixture.h"

#define CODE "0f8fad5b-d9cb-469f-a165-70867728950e"
#define OTHER_CODE "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define WRONG_CODE "0f8fad5b-d9cb-469f-a165-70867728950f"
#define BODY(user, password, code)                                                                                     \
    "{\"username\":\"" user "\",\"password\":\"" password "\",\"recoveryCode\":\"" code "\",\"appId\":\"test\"}"

/* The queue of password checks, and the threads that run them. */
#define MAX_QUEUED 64
#define THREADS 2

static const struct fixture_input right = {.body = BODY("alice", FAKE_PASSWORD, CODE)};

/* Alice with two recovery codes in clear, as other software leaves them; bob with another. */
static int setup(void **state)
{
    struct fixture *fixture = NULL;

    fixture_setup_single(state);
    fixture = *state;
    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[\"" OTHER_CODE "\",\"" CODE "\"]}");
    fake_host_set_profile(&fixture->host, "id-bob",
                          "{\"content\":" FIXTURE_SINGLE_DATA
                          ",\"recoveryCodes\":[\"11111111-2222-4333-8444-555555555555\"]}");
    return 0;
}

static void assert_recovered(const struct fake_completion *recovered)
{
    assert_int_equal(recovered->http.decision, MFA_ANSWER);
    assert_int_equal(recovered->http.status, 200);
    assert_string_equal(recovered->http.body.data, "{\"message\":\"MFA deactivated.\"}");
}

/* Refused so, and nothing has changed. */
static void assert_refused(struct fixture *fixture, const char *body, uint32_t status, const char *id,
                           const char *data_id)
{
    fixture_assert_error(fixture_run(fixture, mfa_flow_recover, &(struct fixture_input){.body = body}), status, id,
                         data_id);
    assert_true(fixture_is_enrolled(fixture, "alice"));
    assert_int_equal(fixture->host.stores, 0);
}

static void password_and_recovery_code_turn_the_factor_off(void **state)
{
    struct fixture *fixture = *state;

    assert_recovered(fixture_run(fixture, mfa_flow_recover, &right));
    assert_false(fixture_is_enrolled(fixture, "alice"));
    assert_true(fixture_is_enrolled(fixture, "bob"));
    assert_int_equal(
        fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"})->http.decision,
        MFA_ALLOW);
}

static void each_code_handed_out_at_confirmation_recovers(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE], body[256];
        json_t *answer = NULL;

        fixture_activate(fixture, "alice", token);
        fixture_right_code(fixture, code);
        answer = fixture_body(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code));
        snprintf(body, sizeof body, BODY("alice", FAKE_PASSWORD, "%s"),
                 json_string_value(json_array_get(json_object_get(answer, "recoveryCodes"), i)));
        assert_recovered(fixture_run(fixture, mfa_flow_recover, &(struct fixture_input){.body = body}));
        json_decref(answer);
    }
}

static void upper_case_and_spaces_are_forgiven(void **state)
{
    assert_recovered(fixture_run(
        *state, mfa_flow_recover,
        &(struct fixture_input){.body = BODY("alice", FAKE_PASSWORD, " 0F8FAD5B-D9CB-469F-A165-70867728950E ")}));
}

static void a_wrong_password_is_refused_whatever_the_code(void **state)
{
    assert_refused(*state, BODY("alice", "wrong", CODE), 401, "invalid-credentials", NULL);
    assert_refused(*state, BODY("alice", "", CODE), 401, "invalid-credentials", NULL);
    assert_refused(*state, BODY("alice", "wrong", "nonsense"), 401, "invalid-credentials", NULL);
    assert_refused(*state, BODY("alice", FAKE_PASSWORD "\\u0000", CODE), 401, "invalid-credentials", NULL);
}

static void a_wrong_recovery_code_is_refused(void **state)
{
    static const char *const bodies[] = {
        BODY("alice", FAKE_PASSWORD, "11111111-2222-4333-8444-555555555555"), /* bob's */
        BODY("alice", FAKE_PASSWORD, "0f8fad5b-d9cb-469f-a165-70867728950f"),
        BODY("alice", FAKE_PASSWORD, "0f8fad5b"),
        BODY("alice", FAKE_PASSWORD, "0f8fad5bd9cb469fa16570867728950e"),
        BODY("alice", FAKE_PASSWORD, ""),
        BODY("alice", FAKE_PASSWORD, "nonsense"),
        BODY("alice", FAKE_PASSWORD, CODE "\\u0000"),
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_refused(*state, bodies[i], 400, "invalid-parameters-format", "invalid-recovery-code");
}

static void every_parameter_must_be_a_string(void **state)
{
    static const char *const bodies[] = {
        NULL,
        "{}",
        "{\"password\":\"" FAKE_PASSWORD "\",\"recoveryCode\":\"" CODE "\"}",
        "{\"username\":\"alice\",\"recoveryCode\":\"" CODE "\"}",
        "{\"username\":\"alice\",\"password\":\"" FAKE_PASSWORD "\"}",
        "{\"username\":[\"alice\"],\"password\":\"" FAKE_PASSWORD "\",\"recoveryCode\":\"" CODE "\"}",
        "{\"username\":\"alice\",\"password\":7,\"recoveryCode\":\"" CODE "\"}",
        "{\"username\":\"alice\",\"password\":\"" FAKE_PASSWORD "\",\"recoveryCode\":[\"" CODE "\"]}",
        "{\"username\":\"alice\",\"password\":\"" FAKE_PASSWORD "\",\"recoveryCode\":null}",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_refused(*state, bodies[i], 400, "invalid-parameters-format", NULL);
    assert_refused(*state, "[]", 400, "invalid-request-structure", NULL);
}

static void another_user_name_than_the_paths_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_refused(fixture, BODY("bob", FAKE_PASSWORD, CODE), 400, "invalid-operation", NULL);
    assert_refused(fixture, BODY("Alice", FAKE_PASSWORD, CODE), 400, "invalid-operation", NULL);
    assert_refused(fixture, BODY("", FAKE_PASSWORD, CODE), 400, "invalid-operation", NULL);
    assert_refused(fixture, BODY("alice\\u0000", FAKE_PASSWORD, CODE), 400, "invalid-operation", NULL);
}

static void without_mfa_there_is_nothing_to_recover(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice", NULL);
    fixture_assert_error(fixture_run(fixture, mfa_flow_recover, &right), 400, "invalid-operation", NULL);
}

static void a_code_is_used_once(void **state)
{
    struct fixture *fixture = *state;

    assert_recovered(fixture_run(fixture, mfa_flow_recover, &right));
    fixture_assert_error(fixture_run(fixture, mfa_flow_recover, &right), 400, "invalid-operation", NULL);
}

static void of_fifty_at_the_same_time_one_succeeds(void **state)
{
    struct fixture *fixture = *state;

    fixture_begin_at_once(fixture, mfa_flow_recover, &right);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_DEACTIVATED), 1);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_NOT_ACTIVE), FIXTURE_THREADS - 1);
}

static void a_conflict_is_tried_again(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.conflicts = 1;
    assert_recovered(fixture_run(fixture, mfa_flow_recover, &right));
}

static void a_failing_host_changes_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.password_check_fails = true;
    assert_refused(fixture, right.body, 500, "unexpected-error", NULL);
    fixture->host.password_check_fails = false;
    fixture->host.load_fails = true;
    assert_refused(fixture, right.body, 500, "unexpected-error", NULL);
    fixture->host.load_fails = false;
    fixture->host.store_fails = true;
    fixture_assert_error(fixture_run(fixture, mfa_flow_recover, &right), 500, "unexpected-error", NULL);
    assert_true(fixture_is_enrolled(fixture, "alice"));
    fixture->host.store_fails = false;
    assert_recovered(fixture_run(fixture, mfa_flow_recover, &right));
}

static void an_unreadable_enrolment_is_no_recovery(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice", "{\"recoveryCodes\":[\"" CODE "\"]}");
    assert_refused(fixture, right.body, 500, "unexpected-error", NULL);
}

static void a_host_too_busy_for_passwords_says_when_to_come_back(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *busy = NULL;

    fixture->host.password_check_is_busy = true;
    busy = fixture_run(fixture, mfa_flow_recover, &right);
    fixture_assert_error(busy, 503, "api-unavailable", NULL);
    assert_string_not_equal(busy->http.retry_after, "");
}

static void a_full_queue_says_when_to_come_back(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *full = NULL;
    uint64_t first_call = fixture->call_count + 1;

    fixture->host.passwords_wait = true;
    for (int i = 0; i < THREADS; i++)
        fixture_begin(fixture, mfa_flow_recover, &right);
    fake_host_await_passwords(&fixture->host, THREADS);
    for (int i = 0; i < MAX_QUEUED; i++)
        fixture_begin(fixture, mfa_flow_recover, &right);
    full = fixture_run(fixture, mfa_flow_recover, &right);
    fixture_assert_error(full, 503, "api-unavailable", NULL);
    assert_string_not_equal(full->http.retry_after, "");
    /* Whoever waits for a password holds nobody else up. */
    assert_int_equal(fixture_run(fixture, mfa_flow_reset, &(struct fixture_input){.user = "bob"})->http.status, 204);
    fake_host_let_passwords_go(&fixture->host);
    assert_int_not_equal(fake_host_wait(&fixture->host, first_call)->outcome, MFA_OUTCOME_QUEUE_FULL);
}

static void pending_logins_end(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_recovered(fixture_run(fixture, mfa_flow_recover, &right));
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    fixture_assert_bad_token(fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code));
}

static void a_cancelled_call_changes_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.is_cancelled = true;
    assert_int_equal(fixture_run(fixture, mfa_flow_recover, &right)->http.decision, MFA_DENY);
    assert_true(fixture_is_enrolled(fixture, "alice"));
}

static void *let_passwords_go(void *host)
{
    usleep(100 * 1000); /* for the stop to begin; too early would only let a fault pass */
    fake_host_let_passwords_go(host);
    return NULL;
}

static void a_failure_that_a_stop_comes_upon_is_answered_and_stored(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", ""));
    uint64_t call = 0;
    pthread_t thread;
    char *attempts = NULL;

    fixture_enrol(fixture, "alice");
    fixture->host.passwords_wait = true;
    call = fixture_begin(fixture, mfa_flow_recover,
                         &(struct fixture_input){.body = BODY("alice", FAKE_PASSWORD, WRONG_CODE)});
    fake_host_await_passwords(&fixture->host, 1);
    assert_int_equal(pthread_create(&thread, NULL, let_passwords_go, &fixture->host), 0);
    mfa_core_stop(fixture->core);
    pthread_join(thread, NULL);
    fixture_assert_error(fake_host_wait(&fixture->host, call), 400, "invalid-parameters-format",
                         "invalid-recovery-code");
    attempts = fake_host_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice");
    assert_non_null(attempts);
    free(attempts);
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(password_and_recovery_code_turn_the_factor_off),
        IN_FIXTURE(each_code_handed_out_at_confirmation_recovers),
        IN_FIXTURE(upper_case_and_spaces_are_forgiven),
        IN_FIXTURE(a_wrong_password_is_refused_whatever_the_code),
        IN_FIXTURE(a_wrong_recovery_code_is_refused),
        IN_FIXTURE(every_parameter_must_be_a_string),
        IN_FIXTURE(another_user_name_than_the_paths_is_refused),
        IN_FIXTURE(without_mfa_there_is_nothing_to_recover),
        IN_FIXTURE(a_code_is_used_once),
        IN_FIXTURE(of_fifty_at_the_same_time_one_succeeds),
        IN_FIXTURE(a_conflict_is_tried_again),
        IN_FIXTURE(a_failing_host_changes_nothing),
        IN_FIXTURE(an_unreadable_enrolment_is_no_recovery),
        IN_FIXTURE(a_host_too_busy_for_passwords_says_when_to_come_back),
        IN_FIXTURE(a_full_queue_says_when_to_come_back),
        IN_FIXTURE(pending_logins_end),
        IN_FIXTURE(a_cancelled_call_changes_nothing),
        IN_FIXTURE(a_failure_that_a_stop_comes_upon_is_answered_and_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
