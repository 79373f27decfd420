/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/flow_fixture.h"

/* An enrolled alice, a login of hers, its token and the code she was sent. */
static struct fixture *logged_in(void **state, char token[static MFA_TOKEN_SIZE], char code[static MFA_CODE_SIZE])
{
    fixture_enrol(*state, "alice");
    fixture_open_login(*state, "alice", token);
    fixture_right_code(*state, code);
    return *state;
}

static const struct fake_completion *verify(struct fixture *fixture, const char *token, const char *code)
{
    return fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code);
}

static void assert_verified(const struct fake_completion *verified)
{
    assert_int_equal(verified->outcome, MFA_OUTCOME_VERIFIED);
    assert_int_equal(verified->http.decision, MFA_RELEASE);
    assert_string_equal(verified->grant, "grant-alice");
}

static void the_right_code_releases_the_grant_of_the_login(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    assert_verified(verify(fixture, token, code));
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void the_right_code_releases_once(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    assert_verified(verify(fixture, token, code));
    fixture_assert_bad_token(verify(fixture, token, code));
}

static void logins_at_the_same_time_are_verified_apart(void **state)
{
    struct fixture *fixture = *state;
    char tokens[2][MFA_TOKEN_SIZE], codes[2][MFA_CODE_SIZE];

    fixture_enrol(fixture, "alice");
    for (size_t i = 0; i < 2; i++) {
        fixture_open_login(fixture, "alice", tokens[i]);
        fixture_right_code(fixture, codes[i]);
    }
    fixture_assert_wrong_code(verify(fixture, tokens[0], codes[1]), 4);
    assert_verified(verify(fixture, tokens[1], codes[1]));
    assert_verified(verify(fixture, tokens[0], codes[0]));
}

static void wrong_codes_are_counted_down_and_the_fifth_ends_the_login(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE], wrong[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    fixture_wrong_code(fixture, wrong);
    for (int left = 4; left > 0; left--)
        fixture_assert_wrong_code(verify(fixture, token, wrong), left);
    fixture_assert_error(verify(fixture, token, wrong), 401, "invalid-access-token", "too-many-attempts");
    fixture_assert_bad_token(verify(fixture, token, code));
}

static void the_operator_chooses_how_many(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE], wrong[MFA_CODE_SIZE];
    struct fixture *fixture = NULL;

    fixture_restart(state, FIXTURE_SINGLE("", "attempts:\n  perSession: 1\n"));
    fixture = logged_in(state, token, code);
    fixture_wrong_code(fixture, wrong);
    fixture_assert_error(verify(fixture, token, wrong), 401, "invalid-access-token", "too-many-attempts");
    fixture_assert_bad_token(verify(fixture, token, code));
}

static void an_expired_code_is_told_from_a_wrong_one_and_a_new_one_helps(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    fake_host_advance(&fixture->host, 600 * 1000);
    fixture_assert_error(verify(fixture, token, code), 400, "invalid-parameters-format", "expired-mfa-code");
    fixture_send_again(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_verified(verify(fixture, token, code));
}

static void a_code_is_good_to_its_last_moment_by_the_monotonic_clock(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    fixture->host.wall_ms -= 86400 * 1000;
    fake_host_advance(&fixture->host, 600 * 1000 - 1);
    assert_verified(verify(fixture, token, code));
}

static void a_login_expires_with_its_session(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = NULL;

    fixture_restart(state, FIXTURE_SINGLE("", "sessions:\n  ttlSeconds: 3\n"));
    fixture = logged_in(state, token, code);
    fake_host_advance(&fixture->host, 3000);
    fixture_assert_bad_token(verify(fixture, token, code));
}

static void another_users_token_is_no_good_and_stays_usable(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    fixture_enrol(fixture, "bob");
    for (int i = 0; i < 6; i++)
        fixture_assert_bad_token(
            fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.user = "bob", .token = token}, code));
    assert_verified(verify(fixture, token, code));
}

static void an_activation_token_does_not_verify_and_stays_usable(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    for (int i = 0; i < 6; i++)
        fixture_assert_bad_token(verify(fixture, token, code));
    assert_int_equal(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code)->outcome,
                     MFA_OUTCOME_ENROLLED);
}

static void without_a_token_there_is_nothing_to_verify(void **state)
{
    struct fixture *fixture = *state;

    fixture_assert_error(
        fixture_run(fixture, mfa_flow_verify, &(struct fixture_input){.body = "{\"code\":\"123456\"}"}), 400,
        "invalid-parameters-format", NULL);
    fixture_assert_bad_token(verify(fixture, "no-such-token", "123456"));
}

static void a_login_dies_with_the_enrolment(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    assert_int_equal(fixture_run(fixture, mfa_flow_deactivate, &(struct fixture_input){0})->http.status, 200);
    fixture_assert_bad_token(verify(fixture, token, code));
}

/* As when the session was opened on the stale profile after the change had dropped the others. */
static void a_login_is_no_good_for_an_enrolment_changed_behind_our_back(void **state)
{
    static const char *const changed[] = {NULL, "{\"content\":{\"number\":\"15555550199\"},\"recoveryCodes\":[]}"};

    for (size_t i = 0; i < 2; i++) {
        char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
        struct fixture *fixture = logged_in(state, token, code);

        fake_host_set_profile(&fixture->host, "id-alice", changed[i]);
        fixture_assert_bad_token(verify(fixture, token, code));
        fixture_assert_bad_token(verify(fixture, token, code));
    }
}

static void an_unreadable_enrolment_releases_nothing_and_can_be_waited_out(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);
    char *profile = fake_host_profile(&fixture->host, "id-alice");

    fixture->host.load_fails = true;
    for (int i = 0; i < 7; i++)
        fixture_assert_error(verify(fixture, token, code), 500, "unexpected-error", NULL);
    fixture->host.load_fails = false;
    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    fixture_assert_error(verify(fixture, token, code), 500, "unexpected-error", NULL);
    fake_host_set_profile(&fixture->host, "id-alice", profile);
    assert_verified(verify(fixture, token, code));
    free(profile);
}

static void a_failing_clock_releases_nothing(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    fake_host_fail_clock(&fixture->host, true);
    fixture_assert_error(verify(fixture, token, code), 500, "unexpected-error", NULL);
    fake_host_fail_clock(&fixture->host, false);
    assert_verified(verify(fixture, token, code));
}

/* --- What the service says --------------------------------------------------------------------------------------- */

static const struct fake_completion *verify_answered(struct fixture *fixture, const char *token, int http_status,
                                                     const char *answer)
{
    return fixture_run_answered(fixture, mfa_flow_verify,
                                &(struct fixture_input){.token = token, .body = "{\"code\":\"AbC123\"}"}, http_status,
                                answer);
}

static void a_2xx_that_says_nothing_accepts(void **state)
{
    static const struct {
        int http_status;
        const char *answer;
    } rows[] = {{200, ""}, {204, ""}, {200, "{}"}, {202, " { } \r\n"}};

    fixture_enrol(*state, "alice");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char token[MFA_TOKEN_SIZE];
        fixture_open_login(*state, "alice", token);
        assert_verified(verify_answered(*state, token, rows[i].http_status, rows[i].answer));
    }
}

static void everything_else_releases_nothing(void **state)
{
    static const struct {
        int http_status;
        const char *answer;
        uint32_t status;
        const char *id, *data_id;
    } rows[] = {
        {200, "{\"ok\":true}", 400, "invalid-operation", "mfa-sms-provider-error"},
        {200, "approved", 400, "invalid-operation", "mfa-sms-provider-error"},
        {200, "[]", 400, "invalid-operation", "mfa-sms-provider-error"},
        {301, "", 400, "invalid-operation", "mfa-sms-provider-error"},
        {404, "", 400, "invalid-operation", "mfa-sms-provider-error"},
        {500, "", 400, "invalid-operation", "mfa-sms-provider-error"},
        {0, "", 400, "invalid-operation", "mfa-sms-provider-error"},
        {429, "", 429, "too-many-attempts", NULL},
    };

    fixture_enrol(*state, "alice");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char token[MFA_TOKEN_SIZE];
        const struct fake_completion *refused = NULL;

        fixture_open_login(*state, "alice", token);
        refused = verify_answered(*state, token, rows[i].http_status, rows[i].answer);
        fixture_assert_error(refused, rows[i].status, rows[i].id, rows[i].data_id);
        assert_null(strstr(refused->http.body.data, "approved"));
        assert_verified(verify_answered(*state, token, 200, ""));
    }
}

static void a_service_that_does_not_answer_releases_nothing(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);
    struct fixture_input input = {.token = token, .body = "{\"code\":\"123456\"}"};
    uint64_t call = fixture_begin(fixture, mfa_flow_verify, &input);

    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    fixture_assert_error(fake_host_wait(&fixture->host, call), 400, "invalid-operation", "mfa-sms-provider-timeout");
    call = fixture_begin(fixture, mfa_flow_verify, &input);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_FAILED);
    fixture_assert_error(fake_host_wait(&fixture->host, call), 400, "invalid-operation", "mfa-sms-provider-error");
    assert_verified(verify(fixture, token, code));
}

/* A service that says of a code what it is. */
static struct fixture *logged_in_by_name(void **state, char token[static MFA_TOKEN_SIZE])
{
    char code[MFA_CODE_SIZE];

    fixture_restart(state, "mode: challenge-verify\n"
                           "sms:\n" FIXTURE_NO_SEND_LIMITS "  endpoints:\n"
                           "    challenge: {url: 'https://service.example.com/start', body: {to: '{{ number }}'}}\n"
                           "    verify:\n"
                           "      url: 'https://service.example.com/check'\n"
                           "      body: {code: '{{ code }}'}\n"
                           "      outcomes:\n"
                           "        - {when: {json: {/code: wrong}}, is: rejected}\n"
                           "        - {when: {json: {/code: old}}, is: expired}\n"
                           "        - {when: {json: {/code: again}}, is: throttled}\n" FIXTURE_NO_THROTTLING);
    return logged_in(state, token, code);
}

static void what_the_service_says_of_a_code_is_what_the_client_hears(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = logged_in_by_name(state, token);

    fixture_assert_wrong_code(verify_answered(fixture, token, 200, "{\"code\":\"wrong\"}"), 4);
    fixture_assert_error(verify_answered(fixture, token, 400, "{\"code\":\"old\"}"), 400, "invalid-parameters-format",
                         "expired-mfa-code");
    fixture_assert_error(verify_answered(fixture, token, 200, "{\"code\":\"again\"}"), 429, "too-many-attempts", NULL);
    fixture_assert_wrong_code(verify_answered(fixture, token, 404, "{\"code\":\"wrong\"}"), 1);
    fixture_assert_error(verify_answered(fixture, token, 200, "{\"code\":\"old\"}"), 401, "invalid-access-token",
                         "too-many-attempts");
    fixture_assert_bad_token(verify(fixture, token, FIXTURE_SERVICE_CODE));
}

static void a_login_that_ends_while_the_service_looks_at_its_code_releases_nothing(void **state)
{
    static const char *const answers[] = {"", "{\"code\":\"wrong\"}", "{\"code\":\"old\"}"};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char token[MFA_TOKEN_SIZE];
        struct fixture *fixture = logged_in_by_name(state, token);
        uint64_t call = fixture_begin(fixture, mfa_flow_verify,
                                      &(struct fixture_input){.token = token, .body = "{\"code\":\"123456\"}"});

        fixture_run(fixture, mfa_flow_reset, &(struct fixture_input){0});
        fake_gateway_answer(&fixture->gateway, 200, answers[i]);
        fixture_assert_bad_token(fake_host_wait(&fixture->host, call));
        fixture_assert_bad_token(verify(fixture, token, FIXTURE_SERVICE_CODE));
    }
}

static void a_login_that_ends_before_its_code_reaches_the_service_stays_ended(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);
    uint64_t call = fixture_begin(fixture, mfa_flow_verify,
                                  &(struct fixture_input){.token = token, .body = "{\"code\":\"123456\"}"});

    fixture_run(fixture, mfa_flow_reset, &(struct fixture_input){0});
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    fixture_assert_error(fake_host_wait(&fixture->host, call), 400, "invalid-operation", "mfa-sms-provider-error");
    fixture_assert_bad_token(verify(fixture, token, code));
}

static void the_service_is_asked_as_often_as_there_are_attempts(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);
    size_t requests_before = fixture->gateway.count;

    for (int i = 0; i < 5; i++)
        fixture_assert_error(verify_answered(fixture, token, 500, ""), 400, "invalid-operation",
                             "mfa-sms-provider-error");
    fixture_assert_bad_token(verify(fixture, token, code));
    assert_int_equal(fixture->gateway.count, requests_before + 5);
}

static void a_service_that_cannot_be_reached_costs_no_attempt(void **state)
{
    static const struct {
        enum mfa_delivery delivery;
        const char *data_id;
    } rows[] = {{MFA_DELIVERY_FAILED, "mfa-sms-provider-error"},
                {MFA_DELIVERY_TIMEOUT, "mfa-sms-provider-timeout"},
                {MFA_DELIVERY_STOPPED, "mfa-sms-provider-error"}};
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    for (size_t i = 0; i < 6; i++) {
        uint64_t call = fixture_begin(fixture, mfa_flow_verify,
                                      &(struct fixture_input){.token = token, .body = "{\"code\":\"123456\"}"});
        fake_gateway_fail_unsent(&fixture->gateway, rows[i % 3].delivery);
        fixture_assert_error(fake_host_wait(&fixture->host, call), 400, "invalid-operation", rows[i % 3].data_id);
    }
    assert_verified(verify(fixture, token, code));
}

static void a_full_gateway_costs_no_attempt(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    fixture->gateway.is_full = true;
    for (int i = 0; i < 7; i++) {
        const struct fake_completion *full = verify(fixture, token, code);
        fixture_assert_error(full, 503, "api-unavailable", NULL);
        assert_string_not_equal(full->http.retry_after, "");
    }
    fixture->gateway.is_full = false;
    assert_verified(verify(fixture, token, code));
}

static void a_cancelled_call_releases_nothing_and_costs_no_attempt(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);

    fixture->host.is_cancelled = true;
    for (int i = 0; i < 7; i++)
        assert_int_equal(verify(fixture, token, code)->http.decision, MFA_DENY);
    fixture->host.is_cancelled = false;
    assert_verified(verify(fixture, token, code));
}

/* --- At the same time -------------------------------------------------------------------------------------------- */

static void of_fifty_right_codes_one_is_let_in(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE], body[64];
    struct fixture *fixture = logged_in(state, token, code);

    snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    fixture_begin_at_once(fixture, mfa_flow_verify, &(struct fixture_input){.token = token, .body = body});
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_VERIFIED), 1);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_BAD_TOKEN) +
                         fixture_count_at_once(fixture, MFA_OUTCOME_ATTEMPTS_USED_UP),
                     FIXTURE_THREADS - 1);
}

static void of_fifty_wrong_codes_five_are_looked_at(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE], wrong[MFA_CODE_SIZE], body[64];
    struct fixture *fixture = logged_in(state, token, code);

    fixture_wrong_code(fixture, wrong);
    snprintf(body, sizeof body, "{\"code\":\"%s\"}", wrong);
    fixture_begin_at_once(fixture, mfa_flow_verify, &(struct fixture_input){.token = token, .body = body});
    assert_true(fixture_count_at_once(fixture, MFA_OUTCOME_WRONG_CODE) < 5);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_VERIFIED), 0);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    fixture_assert_bad_token(verify(fixture, token, code));
}

static void a_service_that_accepts_all_is_asked_five_times_and_one_is_let_in(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token, code);
    size_t requests_before = fixture->gateway.count;

    fixture_begin_at_once(fixture, mfa_flow_verify,
                          &(struct fixture_input){.token = token, .body = "{\"code\":\"123456\"}"});
    assert_int_equal(fixture->gateway.count, requests_before + 5);
    for (int i = 0; i < 5; i++)
        fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_VERIFIED), 1);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_BAD_TOKEN), 4);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_ATTEMPTS_USED_UP), FIXTURE_THREADS - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(the_right_code_releases_the_grant_of_the_login),
        IN_BOTH(the_right_code_releases_once),
        IN_SINGLE(logins_at_the_same_time_are_verified_apart),
        IN_SINGLE(wrong_codes_are_counted_down_and_the_fifth_ends_the_login),
        IN_SINGLE(the_operator_chooses_how_many),
        IN_SINGLE(an_expired_code_is_told_from_a_wrong_one_and_a_new_one_helps),
        IN_SINGLE(a_code_is_good_to_its_last_moment_by_the_monotonic_clock),
        IN_SINGLE(a_login_expires_with_its_session),
        IN_BOTH(another_users_token_is_no_good_and_stays_usable),
        IN_BOTH(an_activation_token_does_not_verify_and_stays_usable),
        IN_BOTH(without_a_token_there_is_nothing_to_verify),
        IN_BOTH(a_login_dies_with_the_enrolment),
        IN_BOTH(a_login_is_no_good_for_an_enrolment_changed_behind_our_back),
        IN_BOTH(an_unreadable_enrolment_releases_nothing_and_can_be_waited_out),
        IN_BOTH(a_failing_clock_releases_nothing),
        IN_CHALLENGE_VERIFY(a_2xx_that_says_nothing_accepts),
        IN_CHALLENGE_VERIFY(everything_else_releases_nothing),
        IN_CHALLENGE_VERIFY(a_service_that_does_not_answer_releases_nothing),
        IN_CHALLENGE_VERIFY(what_the_service_says_of_a_code_is_what_the_client_hears),
        IN_CHALLENGE_VERIFY(a_login_that_ends_while_the_service_looks_at_its_code_releases_nothing),
        IN_CHALLENGE_VERIFY(a_login_that_ends_before_its_code_reaches_the_service_stays_ended),
        IN_CHALLENGE_VERIFY(the_service_is_asked_as_often_as_there_are_attempts),
        IN_CHALLENGE_VERIFY(a_service_that_cannot_be_reached_costs_no_attempt),
        IN_CHALLENGE_VERIFY(a_full_gateway_costs_no_attempt),
        IN_CHALLENGE_VERIFY(a_cancelled_call_releases_nothing_and_costs_no_attempt),
        IN_SINGLE(of_fifty_right_codes_one_is_let_in),
        IN_SINGLE(of_fifty_wrong_codes_five_are_looked_at),
        IN_CHALLENGE_VERIFY(a_service_that_accepts_all_is_asked_five_times_and_one_is_let_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
