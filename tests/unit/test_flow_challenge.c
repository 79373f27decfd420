/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fakes/flow_fixture.h"

#define CODES 3

/* An enrolled alice, a login of hers, and its token. */
static struct fixture *logged_in(void **state, char token[static MFA_TOKEN_SIZE])
{
    fixture_enrol(*state, "alice");
    fixture_open_login(*state, "alice", token);
    return *state;
}

static const struct fake_completion *verify(struct fixture *fixture, const char *token, const char *code)
{
    return fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code);
}

static void the_challenge_is_sent_again(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = logged_in(state, token);
    size_t requests_before = fixture->gateway.count;
    const struct fake_completion *sent =
        fixture_run_answered(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}, 200, "");

    assert_int_equal(sent->http.decision, MFA_ANSWER);
    assert_int_equal(sent->http.status, 200);
    assert_string_equal(sent->http.body.data, "{\"message\":\"Please verify the MFA challenge.\"}");
    assert_int_equal(fixture->gateway.count, requests_before + 1);
}

static void the_challenge_of_an_activation_is_sent_again_too(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_send_again(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code)->outcome,
                     MFA_OUTCOME_ENROLLED);
}

/* Opens a login and has three codes sent. */
static struct fixture *with_codes(void **state, char token[static MFA_TOKEN_SIZE],
                                  char codes[static CODES][MFA_CODE_SIZE])
{
    struct fixture *fixture = logged_in(state, token);

    fixture_right_code(fixture, codes[0]);
    for (size_t i = 1; i < CODES; i++) {
        fixture_send_again(fixture, "alice", token);
        fixture_right_code(fixture, codes[i]);
        assert_string_not_equal(codes[i], codes[i - 1]);
    }
    return fixture;
}

static void the_new_code_is_good(void **state)
{
    char token[MFA_TOKEN_SIZE], codes[CODES][MFA_CODE_SIZE];
    struct fixture *fixture = with_codes(state, token, codes);

    assert_int_equal(verify(fixture, token, codes[2])->outcome, MFA_OUTCOME_VERIFIED);
}

static void the_code_before_is_good_and_burnt_with_the_new_one(void **state)
{
    char token[MFA_TOKEN_SIZE], codes[CODES][MFA_CODE_SIZE];
    struct fixture *fixture = with_codes(state, token, codes);

    assert_int_equal(verify(fixture, token, codes[1])->outcome, MFA_OUTCOME_VERIFIED);
    fixture_assert_bad_token(verify(fixture, token, codes[2]));
}

static void the_code_before_that_is_wrong(void **state)
{
    char token[MFA_TOKEN_SIZE], codes[CODES][MFA_CODE_SIZE];
    struct fixture *fixture = with_codes(state, token, codes);

    fixture_assert_wrong_code(verify(fixture, token, codes[0]), 4);
}

static void no_code_before_is_good_where_the_operator_says_so(void **state)
{
    char token[MFA_TOKEN_SIZE], codes[CODES][MFA_CODE_SIZE];
    struct fixture *fixture = NULL;

    fixture_restart(state, FIXTURE_SINGLE("  acceptPreviousCodes: 0\n", ""));
    fixture = with_codes(state, token, codes);
    fixture_assert_wrong_code(verify(fixture, token, codes[1]), 4);
    assert_int_equal(verify(fixture, token, codes[2])->outcome, MFA_OUTCOME_VERIFIED);
}

static void sending_again_does_not_reset_the_attempts(void **state)
{
    char token[MFA_TOKEN_SIZE], wrong[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token);

    for (int left = 4; left > 0; left--) {
        fixture_wrong_code(fixture, wrong);
        fixture_assert_wrong_code(verify(fixture, token, wrong), left);
        fixture_send_again(fixture, "alice", token);
    }
    fixture_wrong_code(fixture, wrong);
    fixture_assert_error(verify(fixture, token, wrong), 401, "invalid-access-token", "too-many-attempts");
}

static void sending_again_does_not_extend_the_session(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = logged_in(state, token);

    fake_host_advance(&fixture->host, 1799 * 1000);
    fixture_send_again(fixture, "alice", token);
    fake_host_advance(&fixture->host, 1000);
    fixture_assert_bad_token(fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}));
}

/* Both codes that were good before still are: the one before the last, then the last in another session. */
static void a_refused_message_keeps_earlier_codes_good(void **state)
{
    for (size_t i = 0; i < fixture_send_failure_count; i++) {
        const struct fixture_failure *failure = &fixture_send_failures[i];
        char token[MFA_TOKEN_SIZE], codes[CODES][MFA_CODE_SIZE], withdrawn[MFA_CODE_SIZE];
        struct fixture *fixture = with_codes(state, token, codes);
        uint64_t call = fixture_begin(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});

        fixture_right_code(fixture, withdrawn);
        fixture_fail(fixture, failure);
        fixture_assert_error(fake_host_wait(&fixture->host, call), failure->status, failure->id, failure->data_id);
        if (failure->may_have_been_sent)
            assert_int_equal(verify(fixture, token, withdrawn)->outcome, MFA_OUTCOME_VERIFIED);
        else if (i % 2 == 0)
            assert_int_equal(verify(fixture, token, codes[1])->outcome, MFA_OUTCOME_VERIFIED);
        else
            assert_int_equal(verify(fixture, token, codes[2])->outcome, MFA_OUTCOME_VERIFIED);
        fixture_restart(state, FIXTURE_SINGLE("", ""));
    }
}

static void a_code_that_was_not_sent_is_wrong(void **state)
{
    char token[MFA_TOKEN_SIZE], withdrawn[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token);
    uint64_t call = fixture_begin(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});

    fixture_right_code(fixture, withdrawn);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    fake_host_wait(&fixture->host, call);
    fixture_assert_wrong_code(verify(fixture, token, withdrawn), 4);
    call = fixture_begin(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
    fixture_right_code(fixture, withdrawn);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    fake_host_wait(&fixture->host, call);
    fixture_assert_wrong_code(verify(fixture, token, withdrawn), 3);
}

static void a_message_can_be_answered_before_the_service_has(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE], body[64];
    struct fixture *fixture = logged_in(state, token);
    uint64_t call = fixture_begin(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
    const struct fake_completion *verified = NULL;

    fixture_right_code(fixture, code);
    snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    verified = fixture_run(fixture, mfa_flow_verify, &(struct fixture_input){.token = token, .body = body});
    assert_int_equal(verified->outcome, MFA_OUTCOME_VERIFIED);
    fake_gateway_answer(&fixture->gateway, 200, "");
    fixture_assert_bad_token(fake_host_wait(&fixture->host, call)); /* nothing is left to send it for */
}

static void while_one_is_being_sent_no_other_is(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = logged_in(state, token);
    const struct fake_completion *refused = NULL;
    uint64_t call = fixture_begin(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
    size_t requests_before = fixture->gateway.count;

    refused = fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
    fixture_assert_error(refused, 429, "too-many-attempts", NULL);
    assert_string_not_equal(refused->http.retry_after, "");
    assert_int_equal(fixture->gateway.count, requests_before);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(fake_host_wait(&fixture->host, call)->outcome, MFA_OUTCOME_CHALLENGE_SENT);
    fixture_send_again(fixture, "alice", token);
}

static void a_full_gateway_can_be_waited_out(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token);
    const struct fake_completion *full = NULL;

    fixture_right_code(fixture, code);
    fixture->gateway.is_full = true;
    full = fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
    fixture_assert_error(full, 503, "api-unavailable", NULL);
    assert_string_not_equal(full->http.retry_after, "");
    fixture->gateway.is_full = false;
    fixture_send_again(fixture, "alice", token);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void without_randomness_earlier_codes_stay_good(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = logged_in(state, token);
    size_t requests_before = fixture->gateway.count;

    fixture_right_code(fixture, code);
    fixture->host.random_fails = true;
    fixture_assert_error(fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}), 500,
                         "unexpected-error", NULL);
    fixture->host.random_fails = false;
    assert_int_equal(fixture->gateway.count, requests_before);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void a_token_that_is_no_good_sends_nothing(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = logged_in(state, token);
    size_t requests_before = fixture->gateway.count;

    fixture_assert_error(fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){0}), 400,
                         "invalid-parameters-format", NULL);
    fixture_assert_bad_token(fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = "no-such"}));
    fixture_assert_bad_token(
        fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.user = "bob", .token = token}));
    assert_int_equal(fixture->gateway.count, requests_before);
    fixture_send_again(fixture, "alice", token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(the_challenge_is_sent_again),
        IN_BOTH(the_challenge_of_an_activation_is_sent_again_too),
        IN_SINGLE(the_new_code_is_good),
        IN_SINGLE(the_code_before_is_good_and_burnt_with_the_new_one),
        IN_SINGLE(the_code_before_that_is_wrong),
        IN_SINGLE(no_code_before_is_good_where_the_operator_says_so),
        IN_SINGLE(sending_again_does_not_reset_the_attempts),
        IN_BOTH(sending_again_does_not_extend_the_session),
        IN_SINGLE(a_refused_message_keeps_earlier_codes_good),
        IN_SINGLE(a_code_that_was_not_sent_is_wrong),
        IN_SINGLE(a_message_can_be_answered_before_the_service_has),
        IN_BOTH(while_one_is_being_sent_no_other_is),
        IN_BOTH(a_full_gateway_can_be_waited_out),
        IN_SINGLE(without_randomness_earlier_codes_stay_good),
        IN_BOTH(a_token_that_is_no_good_sends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
