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

static struct fixture_input with_token(const char *token)
{
    return (struct fixture_input){.token = token};
}

static const struct fake_completion *confirm(struct fixture *fixture, const char *token, const char *code)
{
    struct fixture_input input = with_token(token);

    return fixture_check(fixture, mfa_flow_confirm, &input, code);
}

/* The text of all ten codes, as it stands in the answer. */
static void assert_ten_recovery_codes(const struct fake_completion *confirmed, const char *stored)
{
    json_t *body = fixture_body(confirmed);
    const json_t *codes = json_object_get(body, "recoveryCodes");

    assert_int_equal(confirmed->http.decision, MFA_ANSWER);
    assert_int_equal(confirmed->http.status, 200);
    assert_int_equal(json_object_size(body), 1);
    assert_int_equal(json_array_size(codes), 10);
    for (size_t i = 0; i < 10; i++) {
        char hash[MFA_RECOVERY_STORED_SIZE];
        const char *code = json_string_value(json_array_get(codes, i));
        assert_int_equal(strlen(code), 36);
        assert_null(strstr(stored, code));
        mfa_recovery_hash(code, hash);
        assert_non_null(strstr(stored, hash));
    }
    json_decref(body);
}

static void the_right_code_stores_the_enrolment_and_hands_out_recovery_codes(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *confirmed = NULL;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    char *stored = NULL;

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    confirmed = confirm(fixture, token, code);
    stored = fake_host_profile(&fixture->host, "id-alice");
    assert_non_null(stored);
    assert_non_null(strstr(stored, "\"content\":{\"number\":\"41791231212\""));
    assert_ten_recovery_codes(confirmed, stored);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    free(stored);
}

static void the_documented_verification_is_sent_to_the_letter(void **state)
{
    struct fixture *fixture = *state;
    const struct mfa_http_request *request = NULL;
    char token[MFA_TOKEN_SIZE];

    fixture_activate(fixture, "alice", token);
    confirm(fixture, token, "12345");
    request = fake_gateway_last(&fixture->gateway);
    assert_int_equal(request->method, MFA_HTTP_POST);
    assert_string_equal(request->url_secret, "https://api.smsapi.com/mfa/codes/verifications");
    assert_string_equal(request->body_secret, "{\"phone_number\":\"41791231212\",\"code\":\"12345\"}");
    assert_string_equal(request->header_secrets[0], "authorization: Bearer: your-api-key");
}

static void only_the_code_of_the_body_reaches_the_service(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_input input;
    char token[MFA_TOKEN_SIZE];

    fixture_activate(fixture, "alice", token);
    input = with_token(token);
    input.body = "{\"code\":\"12345\",\"number\":\"15555550199\",\"phone_number\":\"15555550199\"}";
    fixture_run_answered(fixture, mfa_flow_confirm, &input, 500, "");
    assert_string_equal(fake_gateway_last(&fixture->gateway)->body_secret,
                        "{\"phone_number\":\"41791231212\",\"code\":\"12345\"}");
}

static void a_code_typed_in_groups_is_right(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE], grouped[16];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    snprintf(grouped, sizeof grouped, "%.3s %.3s", code, code + 3);
    assert_int_equal(confirm(fixture, token, grouped)->outcome, MFA_OUTCOME_ENROLLED);
}

static void a_code_confirms_once(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(confirm(fixture, token, code)->outcome, MFA_OUTCOME_ENROLLED);
    fixture_assert_bad_token(confirm(fixture, token, code));
}

static void a_wrong_code_stores_nothing(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], right[MFA_CODE_SIZE], wrong[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, right);
    fixture_wrong_code(fixture, wrong);
    fixture_assert_wrong_code(confirm(fixture, token, wrong), 4);
    assert_false(fixture_is_enrolled(fixture, "alice"));
    assert_int_equal(confirm(fixture, token, right)->outcome, MFA_OUTCOME_ENROLLED);
}

static void a_code_must_be_given_as_one(void **state)
{
    static const char *const bodies[] = {
        NULL,
        "{}",
        "{\"code\":null}",
        "{\"code\":123456}",
        "{\"code\":[\"123456\"]}",
        "{\"code\":\"\"}",
        "{\"code\":\"123\"}",
        "{\"code\":\"12345678901\"}",
        "{\"code\":\"123456&to=1\"}",
        "{\"code\":\"123456\\u0000\"}",
        "{\"code\":\"\\u0000\"}",
        "{\"Code\":\"123456\"}",
    };
    struct fixture *fixture = *state;
    size_t requests_before = 0;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    requests_before = fixture->gateway.count;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const struct fake_completion *refused =
            fixture_run(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token, .body = bodies[i]});
        fixture_assert_error(refused, 400, "invalid-parameters-format", NULL);
        assert_non_null(strstr(refused->http.body.data, "\"path\":\"#/code\""));
    }
    assert_int_equal(fixture->gateway.count, requests_before);
    fixture_right_code(fixture, code); /* none of them was an attempt */
    assert_int_equal(confirm(fixture, token, code)->outcome, MFA_OUTCOME_ENROLLED);
}

static void hostile_codes_never_reach_the_service(void **state)
{
    struct fixture *fixture = *state;
    json_t *attacks = json_load_file("tests/data/providers/_attacks.json", JSON_ALLOW_NUL, NULL);
    const json_t *codes = json_object_get(attacks, "code");
    json_t *hostile = NULL;
    size_t requests_before = 0;
    size_t i = 0;
    char token[MFA_TOKEN_SIZE];

    assert_true(json_array_size(codes) >= 16);
    fixture_activate(fixture, "alice", token);
    requests_before = fixture->gateway.count;
    json_array_foreach(codes, i, hostile)
    {
        json_t *body = json_pack("{s:O}", "code", hostile);
        char *text = json_dumps(body, 0);
        const struct fake_completion *refused =
            fixture_run(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token, .body = text});

        assert_int_equal(refused->http.status, 400);
        assert_null(strstr(refused->http.body.data, "15555550199"));
        free(text);
        json_decref(body);
    }
    assert_int_equal(fixture->gateway.count, requests_before);
    json_decref(attacks);
}

static void the_body_must_be_an_object(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_assert_error(
        fixture_run(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token, .body = "[\"123456\"]"}), 400,
        "invalid-request-structure", NULL);
}

static void without_a_token_there_is_nothing_to_confirm(void **state)
{
    struct fixture *fixture = *state;

    fixture_assert_error(fixture_run(fixture, mfa_flow_confirm, &(struct fixture_input){.body = "{\"code\":\"1234\"}"}),
                         400, "invalid-parameters-format", NULL);
    fixture_assert_error(confirm(fixture, "", "123456"), 400, "invalid-parameters-format", NULL);
    fixture_assert_bad_token(confirm(fixture, "no-such-token", "123456"));
}

static void another_users_token_is_no_good_and_stays_usable(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_input as_bob;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    as_bob = (struct fixture_input){.user = "bob", .token = token};
    for (int i = 0; i < 6; i++)
        fixture_assert_bad_token(fixture_check(fixture, mfa_flow_confirm, &as_bob, code));
    assert_false(fixture_is_enrolled(fixture, "bob"));
    assert_int_equal(confirm(fixture, token, code)->outcome, MFA_OUTCOME_ENROLLED);
}

static void a_login_token_does_not_confirm_and_stays_usable(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_input input;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    unsigned stores_before = 0;

    fixture_enrol(fixture, "alice");
    stores_before = fixture->host.stores;
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    for (int i = 0; i < 6; i++)
        fixture_assert_bad_token(confirm(fixture, token, code));
    assert_int_equal(fixture->host.stores, stores_before);
    input = with_token(token);
    assert_int_equal(fixture_check(fixture, mfa_flow_verify, &input, code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void assert_stores_nothing_and_keeps_the_session(struct fixture *fixture, const char *token, const char *code)
{
    for (int i = 0; i < 7; i++)
        fixture_assert_error(confirm(fixture, token, code), 500, "unexpected-error", NULL);
    assert_false(fixture_is_enrolled(fixture, "alice"));
}

static void a_failing_store_can_be_waited_out(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fixture->host.store_fails = true;
    assert_stores_nothing_and_keeps_the_session(fixture, token, code);
    fixture->host.store_fails = false;
    fixture->host.load_fails = true;
    assert_stores_nothing_and_keeps_the_session(fixture, token, code);
    fixture->host.load_fails = false;
    assert_int_equal(confirm(fixture, token, code)->outcome, MFA_OUTCOME_ENROLLED);
}

static void so_can_failing_randomness_and_clocks(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fixture->host.random_fails = true;
    assert_stores_nothing_and_keeps_the_session(fixture, token, code);
    fixture->host.random_fails = false;
    fixture->host.wall_clock_fails = true;
    assert_stores_nothing_and_keeps_the_session(fixture, token, code);
    fixture->host.wall_clock_fails = false;
    assert_int_equal(confirm(fixture, token, code)->outcome, MFA_OUTCOME_ENROLLED);
}

static void a_cancelled_call_stores_nothing_and_costs_no_attempt(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fixture->host.is_cancelled = true;
    for (int i = 0; i < 7; i++)
        assert_int_equal(confirm(fixture, token, code)->http.decision, MFA_DENY);
    fixture->host.is_cancelled = false;
    assert_int_equal(fixture->host.stores, 0);
    assert_int_equal(confirm(fixture, token, code)->outcome, MFA_OUTCOME_ENROLLED);
}

static void a_queue_that_takes_nothing_costs_no_attempt(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    mfa_core_stop(fixture->core);
    for (int i = 0; i < 7; i++)
        fixture_assert_error(confirm(fixture, token, code), 503, "api-unavailable", NULL);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 1);
    assert_int_equal(fixture->host.stores, 0);
}

static void a_confirmation_replaces_an_enrolment_and_ends_its_pending_logins(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_input login;
    char login_token[MFA_TOKEN_SIZE], login_code[MFA_CODE_SIZE], token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    char *before = NULL, *after = NULL;

    fixture_enrol(fixture, "alice");
    before = fake_host_profile(&fixture->host, "id-alice");
    fixture_open_login(fixture, "alice", login_token);
    fixture_right_code(fixture, login_code);
    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(confirm(fixture, token, code)->outcome, MFA_OUTCOME_REPLACED);
    after = fake_host_profile(&fixture->host, "id-alice");
    assert_string_not_equal(before, after);
    login = with_token(login_token);
    fixture_assert_bad_token(fixture_check(fixture, mfa_flow_verify, &login, login_code));
    free(before);
    free(after);
}

/* As when another process over the same storage enrolled the user meanwhile. */
static void an_activation_replaces_no_enrolment_but_that_it_was_opened_beside(void **state)
{
    static const char *const stored[] = {NULL, "{\"content\":{\"number\":\"15555550199\"},\"recoveryCodes\":[]}",
                                         "{\"content\":{\"number\":\"15555550188\"},\"recoveryCodes\":[]}"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 9; i++) {
        const char *before = stored[i / 3], *after = stored[i % 3];
        char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
        char *left = NULL;

        fake_host_set_profile(&fixture->host, "id-alice", before);
        fixture_activate(fixture, "alice", token);
        fixture_right_code(fixture, code);
        fake_host_set_profile(&fixture->host, "id-alice", after);
        if (after == NULL || after == before) {
            assert_int_equal(confirm(fixture, token, code)->outcome,
                             after == NULL ? MFA_OUTCOME_ENROLLED : MFA_OUTCOME_REPLACED);
            continue;
        }
        fixture_assert_bad_token(confirm(fixture, token, code));
        assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
        left = fake_host_profile(&fixture->host, "id-alice");
        assert_string_equal(left, after);
        free(left);
    }
}

static void an_activation_expires(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fake_host_advance(&fixture->host, 1800 * 1000);
    fixture_assert_bad_token(confirm(fixture, token, code));
    assert_false(fixture_is_enrolled(fixture, "alice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(the_right_code_stores_the_enrolment_and_hands_out_recovery_codes),
        IN_CHALLENGE_VERIFY(the_documented_verification_is_sent_to_the_letter),
        IN_CHALLENGE_VERIFY(only_the_code_of_the_body_reaches_the_service),
        IN_SINGLE(a_code_typed_in_groups_is_right),
        IN_BOTH(a_code_confirms_once),
        IN_SINGLE(a_wrong_code_stores_nothing),
        IN_BOTH(a_code_must_be_given_as_one),
        IN_CHALLENGE_VERIFY(hostile_codes_never_reach_the_service),
        IN_SINGLE(the_body_must_be_an_object),
        IN_SINGLE(without_a_token_there_is_nothing_to_confirm),
        IN_BOTH(another_users_token_is_no_good_and_stays_usable),
        IN_BOTH(a_login_token_does_not_confirm_and_stays_usable),
        IN_BOTH(a_failing_store_can_be_waited_out),
        IN_BOTH(so_can_failing_randomness_and_clocks),
        IN_BOTH(a_cancelled_call_stores_nothing_and_costs_no_attempt),
        IN_SINGLE(a_queue_that_takes_nothing_costs_no_attempt),
        IN_BOTH(a_confirmation_replaces_an_enrolment_and_ends_its_pending_logins),
        IN_BOTH(an_activation_replaces_no_enrolment_but_that_it_was_opened_beside),
        IN_BOTH(an_activation_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
