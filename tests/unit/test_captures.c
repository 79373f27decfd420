/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session remembers of its challenge, through the flows: what was captured of the answer, the nonce, and which
 * service sent it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/flow_fixture.h"

#define CHALLENGE_OF(host, capture)                                                                                    \
    "url: 'https://" host "/start', body: {to: '{{ phone }}', nonce: '{{ nonce }}'}, capture: {" capture "}"
#define VERIFY_OF(host, id)                                                                                            \
    "url: 'https://" host "/check', body: {id: '{{ " id " }}', code: '{{ code }}', nonce: '{{ nonce }}',"              \
    " locale: '{{ locale }}'}, expect: {json: {/ok: true, /id: '{{ " id " }}'}}"

#define FIRST_CHALLENGE CHALLENGE_OF("first.example.com", "requestId: /id")
#define FIRST_VERIFY VERIFY_OF("first.example.com", "requestId")
#define SECOND_CHALLENGE CHALLENGE_OF("second.example.com", "sid: /sid")
#define SECOND_VERIFY VERIFY_OF("second.example.com", "sid")

/* Two services, each with a name of its own for what it captures. */
#define ENDPOINTS                                                                                                      \
    "  endpoints:\n"                                                                                                   \
    "    challenge:\n"                                                                                                 \
    "      {" FIRST_CHALLENGE ", fallback: [{" SECOND_CHALLENGE "}]}\n"                                                \
    "    verify:\n"                                                                                                    \
    "      {" FIRST_VERIFY ", fallback: [{" SECOND_VERIFY "}]}\n"
#define CONFIG "mode: challenge-verify\nsms:\n" FIXTURE_NO_SEND_LIMITS ENDPOINTS FIXTURE_NO_THROTTLING

#define USER_DATA "{\"phone\":\"41791231212\",\"locale\":\"fr\"}"
/* A client that would like to choose itself. */
#define FORGED_DATA                                                                                                    \
    "{\"phone\":\"41791231212\",\"locale\":\"fr\",\"requestId\":\"forged\",\"sid\":\"forged\",\"nonce\":\"forged\"}"

#define CODE_BODY "{\"code\":\"" FIXTURE_SERVICE_CODE "\"}"

#define FIRST_URL(path) "https://first.example.com" path
#define SECOND_URL(path) "https://second.example.com" path

static struct fixture *restart(void **state)
{
    return fixture_restart(state, CONFIG);
}

/* --- What the service was asked --------------------------------------------------------------------------------------- */

/* A member of the last request's body. */
static void assert_last(const struct fixture *fixture, const char *member, const char *expected)
{
    json_t *body = json_loads(fake_gateway_last(&fixture->gateway)->body_secret, 0, NULL);

    assert_string_equal(json_string_value(json_object_get(body, member)), expected);
    json_decref(body);
}

#define NONCE_SIZE 33

static void last_nonce(const struct fixture *fixture, char nonce[static NONCE_SIZE])
{
    json_t *body = json_loads(fake_gateway_last(&fixture->gateway)->body_secret, 0, NULL);
    const char *text = json_string_value(json_object_get(body, "nonce"));

    assert_non_null(text);
    assert_int_equal(strlen(text), NONCE_SIZE - 1);
    assert_int_equal(strspn(text, "0123456789abcdef"), NONCE_SIZE - 1);
    memcpy(nonce, text, NONCE_SIZE);
    json_decref(body);
}

static const char *last_url(const struct fixture *fixture)
{
    return fake_gateway_last(&fixture->gateway)->url_secret;
}

/* --- What users do ---------------------------------------------------------------------------------------------------- */

static const struct fake_completion *confirm(struct fixture *fixture, const char *user, const char *token,
                                             const char *answer)
{
    return fixture_run_answered(fixture, mfa_flow_confirm,
                                &(struct fixture_input){.user = user, .token = token, .body = CODE_BODY}, 200, answer);
}

static void enrol(struct fixture *fixture, const char *user, const char *data)
{
    char token[MFA_TOKEN_SIZE];

    fixture_token_of(fixture_run_answered(fixture, mfa_flow_activate,
                                          &(struct fixture_input){.user = user, .body = data}, 200,
                                          "{\"id\":\"activation\"}"),
                     token);
    assert_int_equal(confirm(fixture, user, token, "{\"ok\":true,\"id\":\"activation\"}")->outcome,
                     MFA_OUTCOME_ENROLLED);
}

static void log_in(struct fixture *fixture, const char *user, const char *answer, char token[static MFA_TOKEN_SIZE])
{
    fixture_token_of(fixture_run_answered(fixture, mfa_flow_login,
                                          &(struct fixture_input){.user = user, .grant = "grant"}, 200, answer),
                     token);
}

/* Sends the challenge again. */
static const struct fake_completion *send_again(struct fixture *fixture, const char *token, int http_status,
                                                const char *answer)
{
    return fixture_run_answered(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}, http_status,
                                answer);
}

static const struct fake_completion *verify(struct fixture *fixture, const char *user, const char *token,
                                            const char *answer)
{
    return fixture_run_answered(fixture, mfa_flow_verify,
                                &(struct fixture_input){.user = user, .token = token, .body = CODE_BODY}, 200, answer);
}

/* Verifies with what was captured, and with nothing else. */
static void assert_verified_by(struct fixture *fixture, const char *user, const char *token, const char *id)
{
    char answer[64];

    snprintf(answer, sizeof answer, "{\"ok\":true,\"id\":\"%s\"}", id);
    assert_int_equal(verify(fixture, user, token, answer)->outcome, MFA_OUTCOME_VERIFIED);
    assert_last(fixture, "id", id);
    assert_last(fixture, "code", FIXTURE_SERVICE_CODE);
}

/* --- Captures --------------------------------------------------------------------------------------------------------- */

static void a_code_is_checked_with_what_the_challenge_captured(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];

    enrol(fixture, "alice", USER_DATA);
    assert_last(fixture, "id", "activation");
    assert_last(fixture, "locale", "fr");
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    assert_verified_by(fixture, "alice", token, "login");
}

static void an_answer_about_another_challenge_accepts_nothing(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    fixture_assert_error(verify(fixture, "alice", token, "{\"ok\":true,\"id\":\"activation\"}"), 400,
                         "invalid-operation", "mfa-sms-provider-error");
    assert_verified_by(fixture, "alice", token, "login");
}

static void captures_of_one_session_never_reach_another(void **state)
{
    struct fixture *fixture = restart(state);
    char first[MFA_TOKEN_SIZE], second[MFA_TOKEN_SIZE], bobs[MFA_TOKEN_SIZE];

    enrol(fixture, "alice", USER_DATA);
    enrol(fixture, "bob", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"first\"}", first);
    log_in(fixture, "bob", "{\"id\":\"bobs\"}", bobs);
    log_in(fixture, "alice", "{\"id\":\"second\"}", second);
    assert_verified_by(fixture, "alice", first, "first");
    assert_verified_by(fixture, "bob", bobs, "bobs");
    assert_verified_by(fixture, "alice", second, "second");
}

static void a_re_send_replaces_what_was_captured(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"before\"}", token);
    assert_int_equal(send_again(fixture, token, 200, "{\"id\":\"after\"}")->outcome, MFA_OUTCOME_CHALLENGE_SENT);
    assert_verified_by(fixture, "alice", token, "after");
}

static void a_re_send_that_failed_leaves_what_was_captured(void **state)
{
    static const struct {
        int http_status;
        const char *answer;
    } failures[] = {{302, "{\"id\":\"after\"}"}, {200, "{}"}, {504, "{\"id\":\"after\"}"}};

    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct fixture *fixture = restart(state);
        char token[MFA_TOKEN_SIZE];

        enrol(fixture, "alice", USER_DATA);
        log_in(fixture, "alice", "{\"id\":\"before\"}", token);
        fixture_assert_error(send_again(fixture, token, failures[i].http_status, failures[i].answer), 400,
                             "invalid-operation", "mfa-sms-provider-error");
        assert_verified_by(fixture, "alice", token, "before");
    }
}

static void what_is_captured_for_a_session_that_has_ended_is_let_go(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    uint64_t call = 0;

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"before\"}", token);
    call = fixture_begin(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
    fixture_run(fixture, mfa_flow_deactivate, &(struct fixture_input){0});
    fake_gateway_answer(&fixture->gateway, 200, "{\"id\":\"after\"}");
    fixture_assert_bad_token(fake_host_wait(&fixture->host, call));
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void a_challenge_without_its_capture_is_an_error_and_no_session(void **state)
{
    static const char *const answers[] = {
        "",
        "OK",
        "[]",
        "{}",
        "{\"sid\":\"s\"}",
        "{\"id\":null}",
        "{\"id\":{}}",
        "{\"id\":1.5}",
        "{\"id\":\"\"}",
        "{\"id\":\"a b\"}",
        "{\"id\":\"{{ code }}\"}",
        "{\"id\":\"a\\u0000b\"}",
        "{\"id\":\"a\\nb\"}",
    };
    struct fixture *fixture = restart(state);

    enrol(fixture, "alice", USER_DATA);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct fixture_input login = {.grant = "grant"}, activation = {.body = USER_DATA};

        fixture_assert_error(fixture_run_answered(fixture, mfa_flow_login, &login, 200, answers[i]), 400,
                             "invalid-operation", "mfa-sms-provider-error");
        fixture_assert_error(fixture_run_answered(fixture, mfa_flow_activate, &activation, 200, answers[i]), 400,
                             "invalid-operation", "mfa-sms-provider-error");
        assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    }
    assert_non_null(strstr(fixture->host.log, "reason=\"refused: capture requestId is missing from the answer\""));
}

/* --- What clients cannot do ------------------------------------------------------------------------------------------- */

static void user_data_never_stand_in_for_what_is_captured(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE], nonce[NONCE_SIZE];

    enrol(fixture, "alice", FORGED_DATA);
    assert_last(fixture, "id", "activation");
    last_nonce(fixture, nonce);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    last_nonce(fixture, nonce);
    assert_verified_by(fixture, "alice", token, "login");
    last_nonce(fixture, nonce);
}

/* Logs in past the send limit: there is a session, and nothing was captured for it. */
static void log_in_without_message(struct fixture *fixture, char token[static MFA_TOKEN_SIZE])
{
    const struct fake_completion *delayed = NULL;
    json_t *body = NULL;

    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    delayed = fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant"});
    assert_int_equal(delayed->outcome, MFA_OUTCOME_CHALLENGE_DELAYED);
    body = fixture_body(delayed);
    snprintf(token, MFA_TOKEN_SIZE, "%s", json_string_value(json_object_get(body, "mfaToken")));
    json_decref(body);
}

#define ONE_MESSAGE(capture, id)                                                                                       \
    "mode: challenge-verify\n"                                                                                         \
    "sms:\n"                                                                                                           \
    "  sendLimits: {perUserPerHour: 1}\n"                                                                              \
    "  endpoints:\n"                                                                                                   \
    "    challenge: {url: 'https://first.example.com/start', body: {to: '{{ phone }}'}" capture "}\n"                  \
    "    verify: {url: 'https://first.example.com/check', body: {id: '{{ " id " }}', code: '{{ code }}'}}\n"

static void user_data_do_not_stand_in_where_nothing_was_captured_either(void **state)
{
    static const char *const configs[] = {ONE_MESSAGE(", capture: {requestId: /id}", "requestId"),
                                          ONE_MESSAGE("", "nonce")};

    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        struct fixture *fixture = fixture_restart(state, configs[i]);
        char token[MFA_TOKEN_SIZE];

        fake_host_set_profile(&fixture->host, "id-alice", "{\"content\":" FORGED_DATA ",\"recoveryCodes\":[]}");
        log_in_without_message(fixture, token);
        fixture_assert_error(
            fixture_run(fixture, mfa_flow_verify, &(struct fixture_input){.token = token, .body = CODE_BODY}), 400,
            "invalid-parameters-format", "invalid-mfa-code");
        assert_int_equal(fixture->gateway.count, 1);
    }
}

static void a_verify_body_captures_nothing(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE], nonce[NONCE_SIZE];

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    fixture_run_answered(
        fixture, mfa_flow_verify,
        &(struct fixture_input){.token = token,
                                .body = "{\"code\":\"123456\",\"requestId\":\"forged\",\"nonce\":\"forged\"}"},
        200, "{\"ok\":true,\"id\":\"login\"}");
    assert_last(fixture, "id", "login");
    last_nonce(fixture, nonce);
}

static void what_was_captured_is_in_no_answer_profile_or_log(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    char *profile = NULL;

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"canary\"}", token);
    assert_verified_by(fixture, "alice", token, "canary");
    profile = fake_host_profile(&fixture->host, "id-alice");
    assert_null(strstr(profile, "activation"));
    free(profile);
    assert_null(strstr(fixture->host.log, "canary"));
    for (size_t i = 0; i < fixture->host.completion_count; i++) {
        const struct mfa_buffer *body = &fixture->host.completions[i].http.body;

        assert_true(body->data == NULL || strstr(body->data, "canary") == NULL);
    }
}

/* --- The nonce -------------------------------------------------------------------------------------------------------- */

static void the_nonce_of_a_challenge_is_that_of_its_verify(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    char nonce[NONCE_SIZE];

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    last_nonce(fixture, nonce);
    assert_verified_by(fixture, "alice", token, "login");
    assert_last(fixture, "nonce", nonce);
}

static void each_challenge_has_a_nonce_of_its_own(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    char before[NONCE_SIZE], after[NONCE_SIZE];

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    last_nonce(fixture, before);
    send_again(fixture, token, 200, "{\"id\":\"again\"}");
    last_nonce(fixture, after);
    assert_string_not_equal(after, before);
    assert_verified_by(fixture, "alice", token, "again");
    assert_last(fixture, "nonce", after);
}

static void a_re_send_that_failed_leaves_the_nonce(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    char nonce[NONCE_SIZE], of_failed[NONCE_SIZE];

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    last_nonce(fixture, nonce);
    send_again(fixture, token, 302, "");
    last_nonce(fixture, of_failed);
    assert_string_not_equal(of_failed, nonce);
    assert_verified_by(fixture, "alice", token, "login");
    assert_last(fixture, "nonce", nonce);
}

static void without_randomness_there_is_no_nonce_and_no_message(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    size_t requests = 0;

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    requests = fixture->gateway.count;
    fixture->host.random_fails = true;
    assert_int_equal(fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token})->outcome,
                     MFA_OUTCOME_INTERNAL);
    fixture->host.random_fails = false;
    assert_int_equal(fixture->gateway.count, requests);
    assert_verified_by(fixture, "alice", token, "login");
}

static void in_single_mode_each_message_has_a_nonce_too(void **state)
{
    struct fixture *fixture = fixture_restart(
        state, "mode: single\nsms:\n" FIXTURE_NO_SEND_LIMITS "  endpoints:\n"
               "    single: {url: 'https://sms.example.com/', body: {to: '{{ number }}', text: '{{ message }}', nonce: "
               "'{{ nonce }}'}}\n");
    char token[MFA_TOKEN_SIZE];
    char before[NONCE_SIZE], after[NONCE_SIZE];

    fixture_activate(fixture, "alice", token);
    last_nonce(fixture, before);
    fixture_send_again(fixture, "alice", token);
    last_nonce(fixture, after);
    assert_string_not_equal(after, before);
}

/* --- Who sent it ------------------------------------------------------------------------------------------------------ */

/* Logs in by the fallback. */
static void log_in_by_second(struct fixture *fixture, const char *answer, char token[static MFA_TOKEN_SIZE])
{
    uint64_t call = fixture_begin(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant"});

    assert_string_equal(last_url(fixture), FIRST_URL("/start"));
    fake_gateway_answer(&fixture->gateway, 500, "");
    assert_string_equal(last_url(fixture), SECOND_URL("/start"));
    fake_gateway_answer(&fixture->gateway, 200, answer);
    fixture_token_of(fake_host_wait(&fixture->host, call), token);
}

static void a_fallbacks_challenge_is_verified_at_the_fallback(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];

    enrol(fixture, "alice", FORGED_DATA);
    log_in_by_second(fixture, "{\"sid\":\"second\"}", token);
    assert_verified_by(fixture, "alice", token, "second");
    assert_string_equal(last_url(fixture), SECOND_URL("/check"));
}

static void fallbacks_share_the_nonce_of_their_challenge(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    char nonce[NONCE_SIZE];
    uint64_t call = 0;

    enrol(fixture, "alice", USER_DATA);
    call = fixture_begin(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant"});
    last_nonce(fixture, nonce);
    fake_gateway_answer(&fixture->gateway, 500, "");
    assert_last(fixture, "nonce", nonce);
    fake_gateway_answer(&fixture->gateway, 200, "{\"sid\":\"second\"}");
    fixture_token_of(fake_host_wait(&fixture->host, call), token);
    assert_verified_by(fixture, "alice", token, "second");
    assert_last(fixture, "nonce", nonce);
}

static void after_a_re_send_the_service_that_sent_last_is_asked(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];

    enrol(fixture, "alice", USER_DATA);
    log_in_by_second(fixture, "{\"sid\":\"second\"}", token);
    send_again(fixture, token, 200, "{\"id\":\"first\"}");
    assert_verified_by(fixture, "alice", token, "first");
    assert_string_equal(last_url(fixture), FIRST_URL("/check"));
}

static void a_check_does_not_fall_back(void **state)
{
    struct fixture *fixture = restart(state);
    char token[MFA_TOKEN_SIZE];
    size_t requests = 0;

    enrol(fixture, "alice", USER_DATA);
    log_in(fixture, "alice", "{\"id\":\"login\"}", token);
    requests = fixture->gateway.count;
    fixture_assert_error(fixture_run_answered(fixture, mfa_flow_verify,
                                              &(struct fixture_input){.token = token, .body = CODE_BODY}, 500, ""),
                         400, "invalid-operation", "mfa-sms-provider-error");
    assert_int_equal(fixture->gateway.count, requests + 1);
    assert_verified_by(fixture, "alice", token, "login");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CHALLENGE_VERIFY(a_code_is_checked_with_what_the_challenge_captured),
        IN_CHALLENGE_VERIFY(an_answer_about_another_challenge_accepts_nothing),
        IN_CHALLENGE_VERIFY(captures_of_one_session_never_reach_another),
        IN_CHALLENGE_VERIFY(a_re_send_replaces_what_was_captured),
        IN_CHALLENGE_VERIFY(a_re_send_that_failed_leaves_what_was_captured),
        IN_CHALLENGE_VERIFY(what_is_captured_for_a_session_that_has_ended_is_let_go),
        IN_CHALLENGE_VERIFY(a_challenge_without_its_capture_is_an_error_and_no_session),
        IN_CHALLENGE_VERIFY(user_data_never_stand_in_for_what_is_captured),
        IN_CHALLENGE_VERIFY(user_data_do_not_stand_in_where_nothing_was_captured_either),
        IN_CHALLENGE_VERIFY(a_verify_body_captures_nothing),
        IN_CHALLENGE_VERIFY(what_was_captured_is_in_no_answer_profile_or_log),
        IN_CHALLENGE_VERIFY(the_nonce_of_a_challenge_is_that_of_its_verify),
        IN_CHALLENGE_VERIFY(each_challenge_has_a_nonce_of_its_own),
        IN_CHALLENGE_VERIFY(a_re_send_that_failed_leaves_the_nonce),
        IN_CHALLENGE_VERIFY(without_randomness_there_is_no_nonce_and_no_message),
        IN_CHALLENGE_VERIFY(in_single_mode_each_message_has_a_nonce_too),
        IN_CHALLENGE_VERIFY(a_fallbacks_challenge_is_verified_at_the_fallback),
        IN_CHALLENGE_VERIFY(fallbacks_share_the_nonce_of_their_challenge),
        IN_CHALLENGE_VERIFY(after_a_re_send_the_service_that_sent_last_is_asked),
        IN_CHALLENGE_VERIFY(a_check_does_not_fall_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
