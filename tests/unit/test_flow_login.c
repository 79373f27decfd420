/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fakes/flow_fixture.h"

static const struct fixture_input alices_login = {.grant = "grant-alice"};

static void a_user_without_mfa_is_allowed(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *login = fixture_run(fixture, mfa_flow_login, &alices_login);

    assert_int_equal(login->http.decision, MFA_ALLOW);
    assert_int_equal(fixture->gateway.count, 0);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void a_user_with_mfa_gets_a_token_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *login = NULL;
    char token[MFA_TOKEN_SIZE];
    size_t requests_before = 0;

    fixture_enrol(fixture, "alice");
    requests_before = fixture->gateway.count;
    login = fixture_run_answered(fixture, mfa_flow_login, &alices_login, 200, "{\"id\":\"whatever\"}");
    assert_int_equal(login->http.decision, MFA_CHALLENGE);
    assert_int_equal(login->http.status, 200);
    fixture_token_of(login, token); /* the body has no other member */
    assert_string_equal(login->grant, "");
    assert_int_equal(fixture->gateway.count, requests_before + 1);
}

static void an_enrolment_of_other_software_is_challenged(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":["
                          "\"0f8fad5b-d9cb-469f-a165-70867728950e\"]}");
    fixture_open_login(fixture, "alice", token);
}

static void nothing_is_answered_before_the_service_has(void **state)
{
    struct fixture *fixture = *state;
    uint64_t call = 0;

    fixture_enrol(fixture, "alice");
    call = fixture_begin(fixture, mfa_flow_login, &alices_login);
    assert_int_equal(fixture->host.completion_count, call - 1);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(fake_host_wait(&fixture->host, call)->outcome, MFA_OUTCOME_CHALLENGED);
}

static void the_documented_single_request_is_sent_to_the_letter(void **state)
{
    struct fixture *fixture = *state;
    const struct mfa_http_request *request = NULL;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    char expected[512];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(strlen(code), 6);
    snprintf(expected, sizeof expected,
             "https://api.smsmode.com/http/1.6/sendSMS.do?accessToken=your-api-key"
             "&message=Your%%20Pryv%%20Lab%%20MFA%%20code%%20is%%3A%%20%s&emetteur=Pryv%%20Lab&numero=41791231212",
             code);
    request = fake_gateway_last(&fixture->gateway);
    assert_int_equal(request->method, MFA_HTTP_GET);
    assert_string_equal(request->url_secret, expected);
    assert_null(request->body_secret);
}

static void the_documented_challenge_is_sent_to_the_letter(void **state)
{
    struct fixture *fixture = *state;
    const struct mfa_http_request *request = NULL;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    request = fake_gateway_last(&fixture->gateway);
    assert_int_equal(request->method, MFA_HTTP_POST);
    assert_string_equal(request->url_secret, "https://api.smsapi.com/mfa/codes");
    assert_string_equal(request->body_secret, "{\"phone_number\":\"41791231212\"}");
    assert_int_equal(request->header_count, 2);
    assert_string_equal(request->header_secrets[0], "authorization: Bearer: your-api-key");
    assert_string_equal(request->header_secrets[1], "content-type: application/json");
}

static void a_code_in_user_data_is_left_alone_when_the_service_makes_it(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":{\"number\":\"is {{ code }}\"},\"recoveryCodes\":[]}");
    fixture_run_answered(fixture, mfa_flow_login, &alices_login, 200, "");
    assert_string_equal(fake_gateway_last(&fixture->gateway)->body_secret, "{\"phone_number\":\"is {{ code }}\"}");
}

static void assert_denied_for_our_fault(struct fixture *fixture)
{
    size_t requests_before = fixture->gateway.count;

    fixture_assert_error(fixture_run(fixture, mfa_flow_login, &alices_login), 500, "unexpected-error", NULL);
    assert_int_equal(fixture->gateway.count, requests_before);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void a_failing_store_denies(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.load_fails = true;
    assert_denied_for_our_fault(fixture);
}

static void an_unreadable_enrolment_denies(void **state)
{
    static const char *const unreadable[] = {"", "null", "{}", "garbage", "{\"content\":{},\"recoveryCodes\":null}"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++) {
        fake_host_set_profile(&fixture->host, "id-alice", unreadable[i]);
        assert_denied_for_our_fault(fixture);
    }
}

static void a_failing_clock_denies_even_without_mfa(void **state)
{
    struct fixture *fixture = *state;

    fake_host_fail_clock(&fixture->host, true);
    assert_denied_for_our_fault(fixture);
}

static void failing_randomness_denies(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    fixture->host.random_fails = true;
    assert_denied_for_our_fault(fixture);
}

static void a_message_that_could_not_be_sent_denies_and_leaves_no_session(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    for (size_t i = 0; i < fixture_send_failure_count; i++) {
        const struct fixture_failure *failure = &fixture_send_failures[i];
        uint64_t call = fixture_begin(fixture, mfa_flow_login, &alices_login);
        fixture_fail(fixture, failure);
        fixture_assert_error(fake_host_wait(&fixture->host, call), failure->status, failure->id, failure->data_id);
        assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    }
}

static void a_service_that_answers_a_message_as_if_it_were_a_code_has_sent_none(void **state)
{
    struct fixture *fixture = fixture_restart(
        state, "mode: challenge-verify\n"
               "sms:\n" FIXTURE_NO_SEND_LIMITS "  endpoints:\n"
               "    challenge:\n"
               "      url: 'https://service.example.com/start'\n"
               "      body: {to: '{{ number }}'}\n"
               "      outcomes: [{when: {status: [404]}, is: expired}, {when: {status: [403]}, is: rejected}]\n"
               "    verify: {url: 'https://service.example.com/check', body: {code: '{{ code }}'}}\n");

    fixture_enrol(fixture, "alice");
    for (int http_status = 403; http_status <= 404; http_status++) {
        fixture_assert_error(fixture_run_answered(fixture, mfa_flow_login, &alices_login, http_status, ""), 400,
                             "invalid-operation", "mfa-sms-provider-error");
        assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    }
}

static void a_full_gateway_denies_and_says_when_to_come_back(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *login = NULL;

    fixture_enrol(fixture, "alice");
    fixture->gateway.is_full = true;
    login = fixture_run(fixture, mfa_flow_login, &alices_login);
    fixture_assert_error(login, 503, "api-unavailable", NULL);
    assert_string_not_equal(login->http.retry_after, "");
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void data_that_lacks_a_variable_denies(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice", "{\"content\":{\"to\":\"4179\"},\"recoveryCodes\":[]}");
    fixture_assert_error(fixture_run(fixture, mfa_flow_login, &alices_login), 400, "invalid-operation",
                         "mfa-sms-provider-error");
    assert_int_equal(fixture->gateway.count, 0);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void too_many_pending_logins_deny_and_pass(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", "sessions:\n  maxPending: 1\n"));
    const struct fake_completion *login = NULL;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_enrol(fixture, "bob");
    fixture_open_login(fixture, "bob", token);
    login = fixture_run(fixture, mfa_flow_login, &alices_login);
    fixture_assert_error(login, 429, "too-many-requests", NULL);
    assert_string_not_equal(login->http.retry_after, "");
    fake_host_advance(&fixture->host, 1800 * 1000);
    fixture_open_login(fixture, "alice", token);
}

static void a_disabled_plugin_allows_without_looking(void **state)
{
    struct fixture *fixture = fixture_restart(state, "mode: disabled\n");

    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    fixture->host.load_fails = fixture->host.clock_fails = fixture->host.random_fails = true;
    assert_int_equal(fixture_run(fixture, mfa_flow_login, &alices_login)->http.decision, MFA_ALLOW);
    assert_int_equal(fixture->host.loads, 0);
}

static void a_disabled_plugin_answers_no_route(void **state)
{
    static mfa_flow_step_fn *const routes[] = {mfa_flow_activate, mfa_flow_confirm, mfa_flow_challenge,
                                               mfa_flow_verify,   mfa_flow_recover, mfa_flow_deactivate,
                                               mfa_flow_status,   mfa_flow_reset};
    struct fixture *fixture = fixture_restart(state, "");

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        fixture_assert_error(fixture_run(fixture, routes[i], &(struct fixture_input){.token = "t", .body = "{}"}), 503,
                             "api-unavailable", NULL);
    assert_int_equal(fixture->host.loads, 0);
}

/* Codes and tokens, the grant and the destination, in everything the library said on the way. */
static void no_log_line_holds_a_secret(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fixture_run_answered(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}, 500, "not today");
    assert_non_null(strstr(fixture->host.log, "event=gateway.send host=api.smsmode.com status=500 outcome=error"));
    assert_null(strstr(fixture->host.log, token));
    assert_null(strstr(fixture->host.log, code));
    assert_null(strstr(fixture->host.log, "grant-alice"));
    assert_null(strstr(fixture->host.log, "41791231212"));
    assert_null(strstr(fixture->host.log, "your-api-key"));
    assert_null(strstr(fixture->host.log, "not today"));
}

static void a_login_that_had_to_make_room_is_told_so(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", "sessions:\n  maxPendingPerUser: 1\n"));
    uint64_t first = 0, second = 0;

    fixture_enrol(fixture, "alice");
    first = fixture_begin(fixture, mfa_flow_login, &alices_login);
    second = fixture_begin(fixture, mfa_flow_login, &alices_login);
    fake_gateway_answer(&fixture->gateway, 200, "");
    fake_gateway_answer(&fixture->gateway, 200, "");
    fixture_assert_error(fake_host_wait(&fixture->host, first), 429, "too-many-requests", NULL);
    assert_int_equal(fake_host_wait(&fixture->host, second)->outcome, MFA_OUTCOME_CHALLENGED);
}

static void a_request_ends_before_the_hosts_patience_does(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    fixture->host.patience_ms = 5000;
    fixture_run_answered(fixture, mfa_flow_login, &alices_login, 200, "");
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 4000);
}

static void a_call_without_time_left_sends_nothing(void **state)
{
    struct fixture *fixture = *state;
    size_t requests_before = 0;

    fixture_enrol(fixture, "alice");
    requests_before = fixture->gateway.count;
    fixture->host.patience_ms = 1000;
    fixture_assert_error(fixture_run(fixture, mfa_flow_login, &alices_login), 400, "invalid-operation",
                         "mfa-sms-provider-timeout");
    assert_int_equal(fixture->gateway.count, requests_before);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(a_user_without_mfa_is_allowed),
        IN_CHALLENGE_VERIFY(a_user_without_mfa_is_allowed),
        IN_SINGLE(a_user_with_mfa_gets_a_token_and_nothing_else),
        IN_CHALLENGE_VERIFY(a_user_with_mfa_gets_a_token_and_nothing_else),
        IN_SINGLE(an_enrolment_of_other_software_is_challenged),
        IN_SINGLE(nothing_is_answered_before_the_service_has),
        IN_SINGLE(the_documented_single_request_is_sent_to_the_letter),
        IN_CHALLENGE_VERIFY(the_documented_challenge_is_sent_to_the_letter),
        IN_CHALLENGE_VERIFY(a_code_in_user_data_is_left_alone_when_the_service_makes_it),
        IN_SINGLE(a_failing_store_denies),
        IN_SINGLE(an_unreadable_enrolment_denies),
        IN_SINGLE(a_failing_clock_denies_even_without_mfa),
        IN_SINGLE(failing_randomness_denies),
        IN_CHALLENGE_VERIFY(failing_randomness_denies),
        IN_SINGLE(a_message_that_could_not_be_sent_denies_and_leaves_no_session),
        IN_CHALLENGE_VERIFY(a_message_that_could_not_be_sent_denies_and_leaves_no_session),
        IN_CHALLENGE_VERIFY(a_service_that_answers_a_message_as_if_it_were_a_code_has_sent_none),
        IN_SINGLE(a_full_gateway_denies_and_says_when_to_come_back),
        IN_SINGLE(data_that_lacks_a_variable_denies),
        IN_SINGLE(too_many_pending_logins_deny_and_pass),
        IN_SINGLE(a_login_that_had_to_make_room_is_told_so),
        IN_SINGLE(a_request_ends_before_the_hosts_patience_does),
        IN_SINGLE(a_call_without_time_left_sends_nothing),
        IN_SINGLE(a_disabled_plugin_allows_without_looking),
        IN_SINGLE(a_disabled_plugin_answers_no_route),
        IN_SINGLE(no_log_line_holds_a_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
