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

#define WITH_CODE(code) "{\"number\":\"41791231212\",\"message\":\"" code "\"}"

static const struct fixture_input documented = {.body = FIXTURE_SINGLE_DATA};

static void an_activation_opens_with_a_token_and_stores_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *opened = fixture_run_answered(fixture, mfa_flow_activate, &documented, 200, "");
    char token[MFA_TOKEN_SIZE];

    assert_int_equal(opened->http.decision, MFA_ANSWER);
    assert_int_equal(opened->http.status, 302);
    fixture_token_of(opened, token);
    assert_int_equal(fixture->gateway.count, 1);
    assert_int_equal(fixture->host.stores, 0);
    assert_false(fixture_is_enrolled(fixture, "alice"));
}

static void a_browser_gets_200_because_it_cannot_read_a_302(void **state)
{
    struct fixture_input from_browser = documented;
    const struct fake_completion *opened = NULL;
    char token[MFA_TOKEN_SIZE];

    from_browser.is_from_browser = true;
    opened = fixture_run_answered(*state, mfa_flow_activate, &from_browser, 200, "");
    assert_int_equal(opened->http.decision, MFA_ANSWER);
    assert_int_equal(opened->http.status, 200);
    fixture_token_of(opened, token);
}

static void the_code_is_put_where_the_user_data_says(void **state)
{
    struct fixture *fixture = *state;
    const char *url = NULL;

    fixture_run_answered(fixture, mfa_flow_activate,
                         &(struct fixture_input){.body = WITH_CODE("{{code}} / {{ name }}")}, 200, "");
    url = fake_gateway_last(&fixture->gateway)->url_secret;
    assert_null(strstr(url, "code"));
    assert_non_null(strstr(url, "%20%2F%20%7B%7B%20name%20%7D%7D&")); /* what is no code stays as it is */
}

static void every_activation_has_its_own_token_and_code(void **state)
{
    struct fixture *fixture = *state;
    char tokens[2][MFA_TOKEN_SIZE], codes[2][MFA_CODE_SIZE];

    for (size_t i = 0; i < 2; i++) {
        fixture_activate(fixture, "alice", tokens[i]);
        fixture_right_code(fixture, codes[i]);
    }
    assert_string_not_equal(tokens[0], tokens[1]);
    assert_string_not_equal(codes[0], codes[1]);
}

static void codes_have_the_length_the_operator_chose(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("  codeLength: 10\n", ""));
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(strlen(code), 10);
}

/* Refused before anything was sent; the parameter is named by `path`, NULL: no parameter is. */
static void assert_refused(struct fixture *fixture, const char *body, const char *id, const char *path)
{
    const struct fake_completion *refused =
        fixture_run(fixture, mfa_flow_activate, &(struct fixture_input){.body = body});
    json_t *answer = fixture_body(refused);
    const json_t *data = json_object_get(json_object_get(answer, "error"), "data");

    fixture_assert_error(refused, 400, id, NULL);
    if (path == NULL)
        assert_null(data);
    else
        assert_string_equal(json_string_value(json_object_get(json_array_get(data, 0), "path")), path);
    json_decref(answer);
    assert_int_equal(fixture->gateway.count, 0);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void a_variable_the_template_needs_must_be_there(void **state)
{
    static const char *const id = "invalid-parameters-format";

    assert_refused(*state, NULL, id, "#/message");
    assert_refused(*state, "{}", id, "#/message");
    assert_refused(*state, "{\"message\":\"{{ code }}\"}", id, "#/number");
    assert_refused(*state, "{\"message\":\"{{ code }}\",\"number\":\"\"}", id, "#/number");
    assert_refused(*state, "{\"message\":\"{{ code }}\",\"number\":null}", id, "#/number");
    assert_refused(*state, "{\"message\":\"{{ code }}\",\"number\":[1]}", id, "#/number");
}

static void a_variable_that_only_verify_needs_must_be_there_too(void **state)
{
    struct fixture *fixture = fixture_restart(state, "mode: challenge-verify\n"
                                                     "sms:\n"
                                                     "  endpoints:\n"
                                                     "    challenge: {url: 'https://sms.example/{{ number }}'}\n"
                                                     "    verify: {url: 'https://sms.example/{{ id }}/{{ code }}'}\n");

    assert_refused(fixture, "{\"number\":\"4179\"}", "invalid-parameters-format", "#/id");
}

static void a_variable_that_only_a_fallback_needs_must_be_there_too(void **state)
{
    struct fixture *fixture =
        fixture_restart(state, "mode: challenge-verify\n"
                               "sms:\n"
                               "  endpoints:\n"
                               "    challenge:\n"
                               "      url: 'https://a.example/{{ number }}'\n"
                               "      fallback: [{url: 'https://b.example/{{ number }}/{{ country }}'}]\n"
                               "    verify:\n"
                               "      url: 'https://a.example/{{ code }}'\n"
                               "      fallback: [{url: 'https://b.example/{{ account }}/{{ code }}'}]\n");
    static const char *const id = "invalid-parameters-format";

    assert_refused(fixture, "{}", id, "#/number");
    assert_refused(fixture, "{\"number\":\"4179\"}", id, "#/country");
    assert_refused(fixture, "{\"number\":\"4179\",\"country\":\"ch\"}", id, "#/account");
    fixture_begin(fixture, mfa_flow_activate,
                  &(struct fixture_input){.body = "{\"number\":\"4179\",\"country\":\"ch\",\"account\":\"a\"}"});
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 1);
}

static void variables_are_checked_against_the_policy(void **state)
{
    static const char *const id = "invalid-parameters-format";
    char *large = calloc(1, 8192);

    assert_non_null(large);
    strcpy(large, "{\"number\":\"4179\",\"message\":\"");
    memset(large + strlen(large), 'm', 4096);
    strcat(large, "\"}");
    assert_refused(*state, large, id, "#/");
    free(large);
    assert_refused(*state, "{\"number\":\"4179\",\"message\":\"m\",\"code\":\"1234\"}", id, "#/code");
    assert_refused(*state, "{\"number\":\"4179\",\"message\":\"m\",\"a b\":\"1\"}", id, "#/");
    assert_refused(*state, "{\"number\":\"4179\",\"message\":\"m\",\"z\":1.7976931348623157e308}", id, "#/z");
    assert_refused(*state, "{\"number\":\"4179\",\"message\":\"m\",\"z\":-1.7976931348623157e308}", id, "#/z");
    assert_refused(*state, "{\"number\":\"4179\\u0000\",\"message\":\"{{ code }}\"}", id, "#/number");
}

static void a_value_that_cannot_be_sent_is_refused(void **state)
{
    struct fixture *fixture =
        fixture_restart(state, "mode: single\n"
                               "sms:\n"
                               "  endpoints:\n"
                               "    single: {url: 'https://sms.example/{{ number }}/{{ code }}',\n"
                               "             headers: {x-to: '{{ name }}'}}\n");

    assert_refused(fixture, "{\"number\":\"1\", \"name\":\"x\\r\\nX-Evil: 1\"}", "invalid-parameters-format", "#/");
    assert_refused(fixture, "{\"number\":\"41791231212,41791231213\", \"name\":\"x\"}", "invalid-parameters-format",
                   "#/number");
}

static void a_message_in_the_users_language_needs_none_of_the_users_own(void **state)
{
    struct fixture *fixture =
        fixture_restart(state, "mode: single\n"
                               "sms:\n"
                               "  messages: {en: 'Code {{ code }}', fr: 'Le code {{ code }}'}\n"
                               "  endpoints:\n"
                               "    single: {url: 'https://sms.example/?to={{ number }}&text={{ message }}'}\n");

    fixture_begin(fixture, mfa_flow_activate,
                  &(struct fixture_input){.body = "{\"number\":\"41791231212\",\"language\":\"fr-CH\"}"});
    assert_non_null(strstr(fake_gateway_last(&fixture->gateway)->url_secret, "text=Le%20code%20"));
    fake_gateway_answer(&fixture->gateway, 200, "");
}

static void the_body_must_be_an_object_of_reasonable_size_and_depth(void **state)
{
    static const char *const id = "invalid-request-structure";
    static const char *const bad[] = {"", "[]", "null", "{", "\"x\"", "{\"a\":1,\"a\":2}", "{\"a\\u0000\":1}"};
    char *text = calloc(1, 20000);

    assert_non_null(text);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(*state, bad[i], id, NULL);
    strcpy(text, "{\"a\":\"");
    memset(text + strlen(text), 'm', 16384);
    strcat(text, "\"}");
    assert_refused(*state, text, id, NULL);
    memset(text, 0, 20000);
    for (int i = 0; i < 33; i++)
        strcat(text, "{\"a\":");
    strcat(text, "1");
    for (int i = 0; i < 33; i++)
        strcat(text, "}");
    assert_refused(*state, text, id, NULL);
    free(text);
}

static void a_message_that_could_not_be_sent_leaves_no_session(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < fixture_send_failure_count; i++) {
        const struct fixture_failure *failure = &fixture_send_failures[i];
        uint64_t call = fixture_begin(fixture, mfa_flow_activate, &documented);
        const struct fake_completion *failed = NULL;

        fixture_fail(fixture, failure);
        failed = fake_host_wait(&fixture->host, call);
        fixture_assert_error(failed, failure->status, failure->id, failure->data_id);
        assert_null(strstr(failed->http.body.data, "garbage"));
        assert_int_equal(strcmp(failed->http.retry_after, "") != 0, failure->status == 429);
        assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    }
}

static void a_service_that_says_when_to_come_back_is_quoted(void **state)
{
    struct fixture *fixture = *state;
    struct mfa_gateway_answer answer = {
        .delivery = MFA_DELIVERY_ANSWERED, .http_status = 429, .body = "", .retry_after_s = 77, .reason = ""};
    uint64_t call = fixture_begin(fixture, mfa_flow_activate, &documented);
    const struct fake_completion *failed = NULL;
    json_t *body = NULL;

    fake_gateway_answer_with(&fixture->gateway, &answer);
    failed = fake_host_wait(&fixture->host, call);
    fixture_assert_error(failed, 429, "too-many-attempts", NULL);
    assert_string_equal(failed->http.retry_after, "77");
    body = fixture_body(failed);
    assert_int_equal(json_integer_value(
                         json_object_get(json_object_get(json_object_get(body, "error"), "data"), "retryAfterSeconds")),
                     77);
    json_decref(body);
}

static void a_full_gateway_says_when_to_come_back(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *full = NULL;

    fixture->gateway.is_full = true;
    full = fixture_run(fixture, mfa_flow_activate, &documented);
    fixture_assert_error(full, 503, "api-unavailable", NULL);
    assert_string_not_equal(full->http.retry_after, "");
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void without_clock_or_randomness_nothing_is_sent(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.random_fails = true;
    fixture_assert_error(fixture_run(fixture, mfa_flow_activate, &documented), 500, "unexpected-error", NULL);
    fixture->host.random_fails = false;
    fake_host_fail_clock(&fixture->host, true);
    fixture_assert_error(fixture_run(fixture, mfa_flow_activate, &documented), 500, "unexpected-error", NULL);
    assert_int_equal(fixture->gateway.count, 0);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void an_enrolment_that_cannot_be_loaded_is_not_taken_for_none(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.load_fails = true;
    fixture_assert_error(fixture_run(fixture, mfa_flow_activate, &documented), 500, "unexpected-error", NULL);
    assert_int_equal(fixture->gateway.count, 0);
}

static void one_that_cannot_be_read_can_be_replaced(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code)->outcome,
                     MFA_OUTCOME_REPLACED);
}

static void too_many_pending_activations_are_refused(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", "sessions:\n  maxPending: 1\n"));
    char token[MFA_TOKEN_SIZE];

    fixture_activate(fixture, "bob", token);
    fixture_assert_error(fixture_run(fixture, mfa_flow_activate, &documented), 429, "too-many-requests", NULL);
}

static void an_active_enrolment_stays_while_another_is_begun(void **state)
{
    struct fixture *fixture = *state;
    char *before = NULL, *after = NULL;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    before = fake_host_profile(&fixture->host, "id-alice");
    fixture_activate(fixture, "alice", token);
    after = fake_host_profile(&fixture->host, "id-alice");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void a_new_activation_takes_the_place_of_the_one_before(void **state)
{
    struct fixture *fixture = *state;
    char first[MFA_TOKEN_SIZE], second[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", first);
    fixture_activate(fixture, "alice", second);
    fixture_right_code(fixture, code);
    fixture_assert_bad_token(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = first}, code));
    assert_int_equal(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = second}, code)->outcome,
                     MFA_OUTCOME_ENROLLED);
}

/* As a double click makes them. */
static void of_two_activations_on_their_way_the_newer_one_stays(void **state)
{
    struct fixture *fixture = *state;
    const struct fixture_input input = {.body = FIXTURE_SINGLE_DATA};
    char older[MFA_TOKEN_SIZE], newer[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    uint64_t older_call = fixture_begin(fixture, mfa_flow_activate, &input);
    uint64_t newer_call = fixture_begin(fixture, mfa_flow_activate, &input);

    fixture_right_code(fixture, code);
    fake_gateway_answer(&fixture->gateway, 200, "");
    fake_gateway_answer(&fixture->gateway, 200, "");
    fixture_token_of(fake_host_wait(&fixture->host, older_call), older);
    fixture_token_of(fake_host_wait(&fixture->host, newer_call), newer);
    fixture_assert_bad_token(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = older}, code));
    assert_int_equal(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = newer}, code)->outcome,
                     MFA_OUTCOME_ENROLLED);
}

static void an_activation_that_was_not_sent_leaves_the_one_before(void **state)
{
    struct fixture *fixture = *state;
    char first[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", first);
    fixture_right_code(fixture, code);
    fixture_run_answered(fixture, mfa_flow_activate, &documented, 500, "");
    assert_int_equal(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = first}, code)->outcome,
                     MFA_OUTCOME_ENROLLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(an_activation_opens_with_a_token_and_stores_nothing),
        IN_CHALLENGE_VERIFY(an_activation_opens_with_a_token_and_stores_nothing),
        IN_SINGLE(a_browser_gets_200_because_it_cannot_read_a_302),
        IN_SINGLE(the_code_is_put_where_the_user_data_says),
        IN_SINGLE(every_activation_has_its_own_token_and_code),
        IN_SINGLE(codes_have_the_length_the_operator_chose),
        IN_SINGLE(a_variable_the_template_needs_must_be_there),
        IN_SINGLE(a_variable_that_only_verify_needs_must_be_there_too),
        IN_SINGLE(a_variable_that_only_a_fallback_needs_must_be_there_too),
        IN_SINGLE(variables_are_checked_against_the_policy),
        IN_SINGLE(a_value_that_cannot_be_sent_is_refused),
        IN_SINGLE(a_message_in_the_users_language_needs_none_of_the_users_own),
        IN_SINGLE(the_body_must_be_an_object_of_reasonable_size_and_depth),
        IN_SINGLE(a_message_that_could_not_be_sent_leaves_no_session),
        IN_CHALLENGE_VERIFY(a_message_that_could_not_be_sent_leaves_no_session),
        IN_SINGLE(a_service_that_says_when_to_come_back_is_quoted),
        IN_SINGLE(a_full_gateway_says_when_to_come_back),
        IN_SINGLE(without_clock_or_randomness_nothing_is_sent),
        IN_SINGLE(an_enrolment_that_cannot_be_loaded_is_not_taken_for_none),
        IN_SINGLE(one_that_cannot_be_read_can_be_replaced),
        IN_SINGLE(too_many_pending_activations_are_refused),
        IN_SINGLE(an_active_enrolment_stays_while_another_is_begun),
        IN_SINGLE(a_new_activation_takes_the_place_of_the_one_before),
        IN_SINGLE(of_two_activations_on_their_way_the_newer_one_stays),
        IN_SINGLE(an_activation_that_was_not_sent_leaves_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
