/* SPDX-License-Identifier: Apache-2.0
 *
 * The send limits as clients meet them, through the flows that send: login, activate, challenge.
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

#define TWO_PER_USER FIXTURE_SINGLE_LIMITED("  sendLimits: {perUserPerHour: 2}\n", FIXTURE_NO_THROTTLING)
#define THREE_PER_USER                                                                                                 \
    FIXTURE_SINGLE_LIMITED("  sendLimits: {minIntervalSeconds: 0, perUserPerHour: 3}\n", FIXTURE_NO_THROTTLING)
#define THREE_PER_DESTINATION FIXTURE_SINGLE_LIMITED("  sendLimits: {perDestinationPerDay: 3}\n", FIXTURE_NO_THROTTLING)
#define DEFAULTS FIXTURE_SINGLE_LIMITED("", FIXTURE_NO_THROTTLING)

static const struct fixture_input login = {.grant = "grant-alice"};

static const struct fake_completion *challenge(struct fixture *fixture, const char *token)
{
    return fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
}

static const struct fake_completion *verify(struct fixture *fixture, const char *token, const char *code)
{
    return fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code);
}

/* 429, the header and the data say the same. */
static void assert_wait(const struct fake_completion *refused, json_int_t seconds)
{
    json_t *body = fixture_body(refused);
    const json_t *data = json_object_get(json_object_get(body, "error"), "data");

    fixture_assert_error(refused, 429, "too-many-attempts", NULL);
    assert_int_equal(json_integer_value(json_object_get(data, "retryAfterSeconds")), seconds);
    assert_int_equal(atoll(refused->http.retry_after), seconds);
    json_decref(body);
}

/* A login past a limit: its token, and when to ask for the message. */
static void assert_delayed(const struct fake_completion *delayed, json_int_t seconds, char token[static MFA_TOKEN_SIZE])
{
    json_t *body = fixture_body(delayed);

    assert_int_equal(delayed->outcome, MFA_OUTCOME_CHALLENGE_DELAYED);
    assert_int_equal(delayed->http.decision, MFA_CHALLENGE);
    assert_int_equal(delayed->http.status, 200);
    assert_string_equal(delayed->grant, "");
    assert_int_equal(json_object_size(body), 2);
    assert_int_equal(json_integer_value(json_object_get(body, "retryAfterSeconds")), seconds);
    snprintf(token, MFA_TOKEN_SIZE, "%s", json_string_value(json_object_get(body, "mfaToken")));
    assert_int_equal(strlen(token), MFA_TOKEN_SIZE - 1);
    json_decref(body);
}

/* --- The interval ----------------------------------------------------------------------------------------------------- */

static void between_re_sends_there_is_an_interval_and_codes_stay_good_in_it(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = fixture_restart(state, DEFAULTS);
    size_t requests = 0;

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_send_again(fixture, "alice", token);
    fixture_right_code(fixture, code);
    requests = fixture->gateway.count;
    assert_wait(challenge(fixture, token), 30);
    fake_host_advance(&fixture->host, 29001);
    assert_wait(challenge(fixture, token), 1);
    assert_int_equal(fixture->gateway.count, requests);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void after_the_interval_the_next_re_send_goes_out(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = fixture_restart(state, DEFAULTS);

    fixture_activate(fixture, "alice", token);
    fixture_send_again(fixture, "alice", token);
    fake_host_advance(&fixture->host, 30000);
    fixture_send_again(fixture, "alice", token);
    assert_wait(challenge(fixture, token), 30);
}

/* --- A limit ---------------------------------------------------------------------------------------------------------- */

static void a_re_send_past_a_limit_is_refused_and_earlier_codes_stay_good(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = fixture_restart(state, TWO_PER_USER);
    size_t requests = 0;

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    requests = fixture->gateway.count;
    assert_wait(challenge(fixture, token), 3600);
    assert_wait(challenge(fixture, token), 3600);
    assert_int_equal(fixture->gateway.count, requests);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void a_login_past_a_limit_gets_its_token_and_no_message(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = fixture_restart(state, TWO_PER_USER);
    size_t requests = 0;

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    requests = fixture->gateway.count;
    fake_host_advance(&fixture->host, 2700 * 1000);
    assert_delayed(fixture_run(fixture, mfa_flow_login, &login), 900, token);
    assert_int_equal(fixture->gateway.count, requests);
    fixture_right_code(fixture, code);
    fixture_assert_wrong_code(verify(fixture, token, code), 4); /* the last code was another session's */
    assert_wait(challenge(fixture, token), 900);
    fake_host_advance(&fixture->host, 900 * 1000);
    fixture_send_again(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void a_session_without_a_message_matches_no_code(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = fixture_restart(state, TWO_PER_USER);

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    assert_delayed(fixture_run(fixture, mfa_flow_login, &login), 3600, token);
    fixture_assert_wrong_code(verify(fixture, token, "000000"), 4);
    assert_int_equal(
        fixture_run(fixture, mfa_flow_verify, &(struct fixture_input){.token = token, .body = "{\"code\":\"\"}"})
            ->outcome,
        MFA_OUTCOME_BAD_PARAMETER);
}

/* The service may still take the code of another login. */
static void of_a_session_without_a_message_no_service_is_asked(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = fixture_restart(
        state, FIXTURE_CHALLENGE_VERIFY_LIMITED("  sendLimits: {perUserPerHour: 1}\n", FIXTURE_NO_THROTTLING));
    size_t requests = 0;
    uint64_t challenge_call = 0;

    fixture_enrol(fixture, "alice");
    requests = fixture->gateway.count;
    fake_host_advance(&fixture->host, 2700 * 1000);
    assert_delayed(fixture_run(fixture, mfa_flow_login, &login), 900, token);
    fixture_assert_wrong_code(verify(fixture, token, "123456"), 4);
    assert_int_equal(fixture->gateway.count, requests);

    /* A message can be there before the service says that it was sent. */
    fake_host_advance(&fixture->host, 900 * 1000);
    challenge_call = fixture_begin(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token});
    fixture_begin(fixture, mfa_flow_verify, &(struct fixture_input){.token = token, .body = "{\"code\":\"123456\"}"});
    assert_int_equal(fixture->gateway.count, requests + 2);
    fake_gateway_answer(&fixture->gateway, 200, "");
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(fake_host_wait(&fixture->host, challenge_call)->outcome, MFA_OUTCOME_CHALLENGE_SENT);
    assert_int_equal(fake_host_wait(&fixture->host, challenge_call + 1)->outcome, MFA_OUTCOME_VERIFIED);
}

static void an_activation_past_a_limit_is_refused_and_leaves_no_session(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = fixture_restart(state, TWO_PER_USER);
    uint64_t sessions = 0;
    size_t requests = 0;

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    sessions = mfa_sessions_count(fixture->core->sessions);
    requests = fixture->gateway.count;
    assert_wait(fixture_run(fixture, mfa_flow_activate, &(struct fixture_input){.body = FIXTURE_SINGLE_DATA}), 3600);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), sessions);
    assert_int_equal(fixture->gateway.count, requests);
}

static void a_destination_is_counted_across_users_and_spellings(void **state)
{
    static const char *const spellings[] = {"41791231212", "+41 79 123 12 12", "%2B41791231212"};
    struct fixture *fixture = fixture_restart(state, THREE_PER_DESTINATION);
    char user[16], body[128];

    for (size_t i = 0; i < 3; i++) {
        snprintf(user, sizeof user, "user-%zu", i);
        snprintf(body, sizeof body, "{\"message\":\"{{ code }}\",\"number\":\"%s\",\"phone\":\"decoy-%zu\"}",
                 spellings[i], i);
        assert_int_equal(fixture_run_answered(fixture, mfa_flow_activate,
                                              &(struct fixture_input){.user = user, .body = body}, 200, "")
                             ->outcome,
                         MFA_OUTCOME_ACTIVATION_OPENED);
    }
    assert_wait(fixture_run(fixture, mfa_flow_activate,
                            &(struct fixture_input){.body = "{\"message\":\"{{ code }}\",\"number\":41791231212}"}),
                86400);
    assert_null(strstr(fixture->host.log, "41791231212"));
}

/* --- What is given back ------------------------------------------------------------------------------------------------ */

/* What can become of a message. */
struct fate {
    enum mfa_delivery delivery;
    int http_status;
    const char *body;
    bool was_never_sent;
};

#define ANSWERED(status) .delivery = MFA_DELIVERY_ANSWERED, .http_status = (status)

static const struct fate certainly_not_sent[] = {
    {.delivery = MFA_DELIVERY_FAILED, .was_never_sent = true},
    {.delivery = MFA_DELIVERY_TIMEOUT, .was_never_sent = true},
    {.delivery = MFA_DELIVERY_STOPPED, .was_never_sent = true},
    {ANSWERED(400)},
    {ANSWERED(401)},
    {ANSWERED(403)},
    {ANSWERED(404)},
    {ANSWERED(429)},
    {ANSWERED(500)},
    {ANSWERED(503)},
    {ANSWERED(200), .body = "over quota"}, /* by the rules */
    {ANSWERED(504), .body = "over quota"},
};

static const struct fate perhaps_sent[] = {
    {.delivery = MFA_DELIVERY_FAILED}, /* the connection broke */
    {.delivery = MFA_DELIVERY_TIMEOUT},
    {.delivery = MFA_DELIVERY_STOPPED},
    {ANSWERED(202)}, /* the rules do not know it */
    {ANSWERED(302)},
    {ANSWERED(408)},
    {ANSWERED(502)},
    {ANSWERED(504)},
};

#define COUNT(fates) (sizeof(fates) / sizeof(fates)[0])

/* Starts a sending and has it end that way, which is a failure. */
static void fail_to_send(struct fixture *fixture, mfa_flow_step_fn *first_step, const struct fixture_input *input,
                         const struct fate *fate)
{
    const char *body = fate->body != NULL ? fate->body : "";
    uint64_t call = fixture_begin(fixture, first_step, input);

    fake_gateway_answer_with(&fixture->gateway, &(struct mfa_gateway_answer){.delivery = fate->delivery,
                                                                             .http_status = fate->http_status,
                                                                             .body = body,
                                                                             .body_len = strlen(body),
                                                                             .reason = "scripted",
                                                                             .was_never_sent = fate->was_never_sent});
    assert_int_equal(fake_host_wait(&fixture->host, call)->http.decision, MFA_DENY);
}

#define RULES                                                                                                          \
    "      expect: {status: [200]}\n"                                                                                  \
    "      outcomes: [{when: {text: quota}, is: throttled}]\n" FIXTURE_NO_THROTTLING

/* One more message to this user may be sent, and it fails, as a login and as a re-send. */
static struct fixture *fail_the_last_login(void **state, const struct fate *fate)
{
    struct fixture *fixture =
        fixture_restart(state, FIXTURE_SINGLE_LIMITED("  sendLimits: {perUserPerHour: 2}\n", RULES));

    fixture_enrol(fixture, "alice");
    fail_to_send(fixture, mfa_flow_login, &login, fate);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    return fixture;
}

static struct fixture *fail_the_last_re_send(void **state, const struct fate *fate, char token[static MFA_TOKEN_SIZE])
{
    struct fixture *fixture = fixture_restart(
        state, FIXTURE_SINGLE_LIMITED("  sendLimits: {minIntervalSeconds: 0, perUserPerHour: 3}\n", RULES));

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fail_to_send(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}, fate);
    return fixture;
}

/* The re-send that fails is the second, which starts the interval if it counts. */
static struct fixture *fail_a_re_send(void **state, const struct fate *fate, char token[static MFA_TOKEN_SIZE])
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE_LIMITED("", RULES));

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_send_again(fixture, "alice", token);
    fake_host_advance(&fixture->host, 30000);
    fail_to_send(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}, fate);
    return fixture;
}

static void a_message_that_certainly_was_not_sent_is_not_counted(void **state)
{
    for (size_t i = 0; i < COUNT(certainly_not_sent); i++) {
        char token[MFA_TOKEN_SIZE];

        fixture_open_login(fail_the_last_login(state, &certainly_not_sent[i]), "alice", token);
        fixture_send_again(fail_the_last_re_send(state, &certainly_not_sent[i], token), "alice", token);
        fixture_send_again(fail_a_re_send(state, &certainly_not_sent[i], token), "alice", token);
    }
}

static void a_message_that_may_have_been_sent_is_counted(void **state)
{
    for (size_t i = 0; i < COUNT(perhaps_sent); i++) {
        char token[MFA_TOKEN_SIZE];

        assert_delayed(fixture_run(fail_the_last_login(state, &perhaps_sent[i]), mfa_flow_login, &login), 3600, token);
        assert_wait(challenge(fail_the_last_re_send(state, &perhaps_sent[i], token), token), 3600);
        assert_wait(challenge(fail_a_re_send(state, &perhaps_sent[i], token), token), 30);
    }
}

/* The code of a message that may have been sent is good: it may have arrived. */
static void only_a_message_that_certainly_was_not_sent_takes_its_code_with_it(void **state)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    struct fixture *fixture = fail_the_last_re_send(state, &perhaps_sent[1], token);

    fixture_right_code(fixture, code);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
    fixture = fail_the_last_re_send(state, &certainly_not_sent[1], token);
    fixture_right_code(fixture, code);
    fixture_assert_wrong_code(verify(fixture, token, code), 4);
}

static void a_message_that_found_the_gateway_full_is_not_counted(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = fixture_restart(state, THREE_PER_USER);

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture->gateway.is_full = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(challenge(fixture, token)->outcome, MFA_OUTCOME_QUEUE_FULL);
    fixture->gateway.is_full = false;
    fixture_send_again(fixture, "alice", token);
}

static void nor_is_one_whose_access_token_did(void **state)
{
    char token[MFA_TOKEN_SIZE];
    uint64_t call = 0;
    struct fixture *fixture =
        fixture_restart(state, FIXTURE_SINGLE_LIMITED("  sendLimits: {perUserPerHour: 1}\n",
                                                      "      auth: {oauth2: {tokenUrl: 'https://auth.example.com/',"
                                                      " clientId: id, clientSecret: secret}}\n"));

    fake_host_set_profile(&fixture->host, "id-alice", "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[]}");
    fixture->gateway.is_full = true;
    for (int i = 0; i < 5; i++)
        fixture_assert_error(fixture_run(fixture, mfa_flow_login, &login), 503, "api-unavailable", NULL);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    fixture->gateway.is_full = false;
    call = fixture_begin(fixture, mfa_flow_login, &login);
    fake_gateway_answer(&fixture->gateway, 200, "{\"access_token\":\"t\"}");
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(fake_host_wait(&fixture->host, call)->outcome, MFA_OUTCOME_CHALLENGED);
    assert_delayed(fixture_run(fixture, mfa_flow_login, &login), 3600, token);
}

static void messages_asked_for_at_once_cannot_pass_a_limit_together(void **state)
{
    struct fixture *fixture = fixture_restart(
        state, FIXTURE_SINGLE_LIMITED("  sendLimits: {perUserPerHour: 5}\n", "sessions:\n  maxPendingPerUser: 0\n"));

    fixture_enrol(fixture, "alice");
    fixture_begin_at_once(fixture, mfa_flow_login, &login);
    assert_int_equal(fixture->gateway.count, 1 + 4);
    for (int i = 0; i < 4; i++)
        fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_CHALLENGED), 4);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_CHALLENGE_DELAYED), FIXTURE_THREADS - 4);
}

/* --- Storage ----------------------------------------------------------------------------------------------------------- */

static void a_restart_does_not_reset_the_counts(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = fixture_restart(state, TWO_PER_USER);

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_restart_core(fixture, TWO_PER_USER);
    assert_delayed(fixture_run(fixture, mfa_flow_login, &login), 3600, token);
}

static void a_login_waits_for_no_write_and_its_second_for_no_read_of_counts(void **state)
{
    char token[MFA_TOKEN_SIZE];
    struct fixture *fixture = fixture_restart(state, DEFAULTS);
    unsigned gets = 0;

    fixture_enrol(fixture, "alice");
    fixture_restart_core(fixture, DEFAULTS); /* writes all there is to write */
    gets = fixture->kv.gets;
    fixture->kv.put_fails = true;
    fixture_open_login(fixture, "alice", token);
    assert_int_equal(fixture->kv.gets - gets, 2);
    fixture_open_login(fixture, "alice", token);
    assert_int_equal(fixture->kv.gets - gets, 2);
    fixture->kv.put_fails = false;
}

static void counts_that_cannot_be_read_deny(void **state)
{
    struct fixture *fixture = fixture_restart(state, DEFAULTS);
    uint64_t sessions = 0;

    fixture_enrol(fixture, "alice");
    fixture_restart_core(fixture, DEFAULTS);
    sessions = mfa_sessions_count(fixture->core->sessions);
    fixture->kv.get_fails = true;
    fixture_assert_error(fixture_run(fixture, mfa_flow_login, &login), 500, "unexpected-error", NULL);
    fixture->kv.get_fails = false;
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(between_re_sends_there_is_an_interval_and_codes_stay_good_in_it),
        IN_SINGLE(after_the_interval_the_next_re_send_goes_out),
        IN_SINGLE(a_re_send_past_a_limit_is_refused_and_earlier_codes_stay_good),
        IN_SINGLE(a_login_past_a_limit_gets_its_token_and_no_message),
        IN_SINGLE(a_session_without_a_message_matches_no_code),
        IN_SINGLE(of_a_session_without_a_message_no_service_is_asked),
        IN_SINGLE(an_activation_past_a_limit_is_refused_and_leaves_no_session),
        IN_SINGLE(a_destination_is_counted_across_users_and_spellings),
        IN_SINGLE(a_message_that_certainly_was_not_sent_is_not_counted),
        IN_SINGLE(a_message_that_may_have_been_sent_is_counted),
        IN_SINGLE(only_a_message_that_certainly_was_not_sent_takes_its_code_with_it),
        IN_SINGLE(a_message_that_found_the_gateway_full_is_not_counted),
        IN_SINGLE(nor_is_one_whose_access_token_did),
        IN_SINGLE(messages_asked_for_at_once_cannot_pass_a_limit_together),
        IN_SINGLE(a_restart_does_not_reset_the_counts),
        IN_SINGLE(a_login_waits_for_no_write_and_its_second_for_no_read_of_counts),
        IN_SINGLE(counts_that_cannot_be_read_deny),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
