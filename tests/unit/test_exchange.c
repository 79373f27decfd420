/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/flow_fixture.h"
#include "mfa_exchange.h"
#include "mfa_json.h"

#define ENDPOINT(host, more) "{url: 'https://" host "/send', body: {to: '{{ number }}', text: '{{ code }}'}" more "}"
#define OAUTH2(host)                                                                                                   \
    ", auth: {oauth2: {tokenUrl: 'https://" host "/token', clientId: id, clientSecret: secret}}, timeoutMs: 8000"
#define CONFIG(first, fallback)                                                                                        \
    "mode: single\n"                                                                                                   \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    single: " ENDPOINT("first.example.com", first fallback) "\n"
#define FALLBACKS(second, third)                                                                                       \
    ", fallback: [" ENDPOINT("second.example.com", second) ", " ENDPOINT("third.example.com", third) "]"

#define ALONE CONFIG("", "")
#define THREE CONFIG("", FALLBACKS("", ""))
#define WITH_TOKEN CONFIG(OAUTH2("auth.example.com"), FALLBACKS("", ""))

#define PATIENCE_MS 20000

/* One call and what came of it. */
struct talk {
    struct mfa_exchange *exchange; /* NULL when it is over: whoever touches it then is found out */
    unsigned count;
    struct mfa_finding finding;
    size_t number;
    bool was_never_sent;
    bool is_our_own;
};

static void take_finding(void *arg, struct mfa_finding *finding)
{
    struct talk *talk = arg;

    talk->count++;
    talk->finding = *finding; /* transferred */
    talk->number = talk->exchange->number;
    talk->was_never_sent = talk->exchange->was_never_sent;
    talk->is_our_own = talk->exchange->is_our_own;
    memset(talk->exchange, 0xa5, sizeof *talk->exchange);
    free(talk->exchange);
    talk->exchange = NULL;
}

static enum mfa_status begin_with(struct fixture *fixture, struct talk *talk, enum mfa_call call, json_t *user_data)
{
    enum mfa_status status;

    *talk = (struct talk){.exchange = malloc(sizeof *talk->exchange)};
    assert_non_null(talk->exchange);
    *talk->exchange = (struct mfa_exchange){.services = fixture->core->settings->services,
                                            .call = call,
                                            .endpoint = &fixture->core->settings->config.single,
                                            .variables = {.user_data = user_data, .code_secret = "271828"},
                                            .deadline_ms = fixture->host.monotonic_ms + PATIENCE_MS,
                                            .done = take_finding,
                                            .arg = talk};
    status = mfa_exchange_begin(talk->exchange);
    if (status != MFA_OK) {
        assert_int_equal(talk->count, 0);
        free(talk->exchange);
    }
    return status;
}

static json_t *user_data(void)
{
    return json_pack("{s:s}", "number", "41791231212");
}

static void begin(struct fixture *fixture, struct talk *talk, enum mfa_call call)
{
    assert_int_equal(begin_with(fixture, talk, call, user_data()), MFA_OK);
}

/* The talk is over, with that verdict, which is that of fallback `number`. */
static void assert_over(const struct talk *talk, enum mfa_verdict verdict, size_t number)
{
    assert_int_equal(talk->count, 1);
    assert_int_equal(talk->finding.verdict, verdict);
    assert_int_equal(talk->number, number);
}

/* The open request goes to that host; there has been no other since `count` requests. */
static void assert_asked(const struct fixture *fixture, size_t count, const char *host)
{
    const char *url = fake_gateway_last(&fixture->gateway)->url_secret;

    assert_int_equal(fixture->gateway.count, count);
    assert_memory_equal(url, "https://", 8);
    assert_memory_equal(url + 8, host, strlen(host));
    assert_int_equal(url[8 + strlen(host)], '/');
}

#define FIRST "first.example.com"
#define SECOND "second.example.com"
#define THIRD "third.example.com"
#define AUTH "auth.example.com"

/* --- Falling back ----------------------------------------------------------------------------------------------------- */

struct answer {
    enum mfa_delivery delivery;
    int http_status;
    bool was_never_sent;
    enum mfa_verdict verdict;
};

static void answer(struct fixture *fixture, const struct answer *answer)
{
    fake_gateway_answer_with(&fixture->gateway, &(struct mfa_gateway_answer){.delivery = answer->delivery,
                                                                             .http_status = answer->http_status,
                                                                             .body = "",
                                                                             .reason = "scripted",
                                                                             .was_never_sent = answer->was_never_sent});
}

static void a_message_that_was_sent_is_sent_once(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    assert_asked(fixture, 1, FIRST);
    assert_string_equal(fake_gateway_last(&fixture->gateway)->body_secret,
                        "{\"to\":\"41791231212\",\"text\":\"271828\"}");
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 0);
    assert_int_equal(fixture->gateway.count, 1);
}

static void a_message_that_certainly_was_not_sent_goes_to_the_next(void **state)
{
    static const struct answer answers[] = {
        {MFA_DELIVERY_FAILED, .was_never_sent = true}, {MFA_DELIVERY_TIMEOUT, .was_never_sent = true},
        {MFA_DELIVERY_ANSWERED, .http_status = 400},   {MFA_DELIVERY_ANSWERED, .http_status = 401},
        {MFA_DELIVERY_ANSWERED, .http_status = 403},   {MFA_DELIVERY_ANSWERED, .http_status = 404},
        {MFA_DELIVERY_ANSWERED, .http_status = 429},   {MFA_DELIVERY_ANSWERED, .http_status = 500},
        {MFA_DELIVERY_ANSWERED, .http_status = 503},
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct fixture *fixture = fixture_restart(state, THREE);
        struct talk talk;

        begin(fixture, &talk, MFA_CALL_SEND);
        assert_asked(fixture, 1, FIRST);
        answer(fixture, &answers[i]);
        assert_int_equal(talk.count, 0);
        assert_asked(fixture, 2, SECOND);
        answer(fixture, &answers[i]);
        assert_asked(fixture, 3, THIRD);
        fake_gateway_answer(&fixture->gateway, 200, "");
        assert_over(&talk, MFA_VERDICT_SENT, 2);
        assert_int_equal(fixture->gateway.count, 3);
    }
}

static const struct answer unclear_answers[] = {
    {MFA_DELIVERY_FAILED, 0, false, MFA_VERDICT_ERROR},     {MFA_DELIVERY_TIMEOUT, 0, false, MFA_VERDICT_TIMEOUT},
    {MFA_DELIVERY_ANSWERED, 302, false, MFA_VERDICT_ERROR}, {MFA_DELIVERY_ANSWERED, 408, false, MFA_VERDICT_ERROR},
    {MFA_DELIVERY_ANSWERED, 502, false, MFA_VERDICT_ERROR}, {MFA_DELIVERY_ANSWERED, 504, false, MFA_VERDICT_ERROR},
};

static void a_message_that_may_have_been_sent_goes_to_nobody_else(void **state)
{
    for (size_t i = 0; i < sizeof unclear_answers / sizeof unclear_answers[0]; i++) {
        struct fixture *fixture = fixture_restart(state, THREE);
        struct talk talk;

        begin(fixture, &talk, MFA_CALL_SEND);
        answer(fixture, &unclear_answers[i]);
        assert_over(&talk, unclear_answers[i].verdict, 0);
        assert_false(talk.finding.is_definite);
        assert_int_equal(fixture->gateway.count, 1);
    }
}

static void nor_does_one_that_a_fallback_may_have_sent(void **state)
{
    for (size_t i = 0; i < sizeof unclear_answers / sizeof unclear_answers[0]; i++) {
        struct fixture *fixture = fixture_restart(state, THREE);
        struct talk talk;

        begin(fixture, &talk, MFA_CALL_SEND);
        fake_gateway_answer(&fixture->gateway, 500, "");
        answer(fixture, &unclear_answers[i]);
        assert_over(&talk, unclear_answers[i].verdict, 1);
        assert_false(talk.finding.is_definite);
        assert_int_equal(fixture->gateway.count, 2);
    }
}

static void an_answer_that_the_rules_do_not_know_is_no_refusal(void **state)
{
    struct fixture *fixture =
        fixture_restart(state, CONFIG(", expect: {json: {/status: '0'}}, outcomes: [{when: {json: {/status: '9'}}, is: "
                                      "throttled}]",
                                      FALLBACKS("", "")));
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    fake_gateway_answer(&fixture->gateway, 200, "{\"status\":\"4\"}");
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_false(talk.finding.is_definite);
    begin(fixture, &talk, MFA_CALL_SEND);
    fake_gateway_answer(&fixture->gateway, 200, "{\"status\":\"9\"}");
    assert_asked(fixture, 3, SECOND);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 1);
}

static void when_all_refuse_the_last_one_has_the_word(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    fake_gateway_answer(&fixture->gateway, 500, "");
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    fake_gateway_answer(&fixture->gateway, 429, "");
    assert_over(&talk, MFA_VERDICT_THROTTLED, 2);
    assert_true(talk.finding.is_definite);
    assert_false(talk.was_never_sent);
}

static void a_code_is_checked_by_nobody_else(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_VERIFY);
    fake_gateway_answer(&fixture->gateway, 500, "");
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_false(talk.was_never_sent);
    for (size_t i = 0; i < 6; i++) { /* however often it fails */
        begin(fixture, &talk, MFA_CALL_VERIFY);
        assert_asked(fixture, i + 2, FIRST);
        fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
        assert_over(&talk, MFA_VERDICT_ERROR, 0);
        assert_true(talk.was_never_sent);
    }
}

static void a_fallback_that_cannot_carry_the_values_is_passed_over(void **state)
{
    struct fixture *fixture = fixture_restart(
        state, CONFIG("", ", fallback: [{url: 'https://second.example.com/{{ number }}/..{{ suffix }}'}, " ENDPOINT(
                              "third.example.com", "") "]"));
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    fake_gateway_answer(&fixture->gateway, 500, "");
    assert_asked(fixture, 2, THIRD);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 2);
}

/* --- What cannot be begun ----------------------------------------------------------------------------------------------- */

static void without_a_variable_nothing_is_sent(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    assert_int_equal(begin_with(fixture, &talk, MFA_CALL_SEND, json_object()), MFA_ERR_NOT_FOUND);
    assert_int_equal(fixture->gateway.count, 0);
}

static void a_full_gateway_sends_nothing(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    fixture->gateway.is_full = true;
    assert_int_equal(begin_with(fixture, &talk, MFA_CALL_SEND, user_data()), MFA_ERR_FULL);
    fixture->gateway.is_full = false;
    begin(fixture, &talk, MFA_CALL_SEND);
    fixture->gateway.is_full = true;
    fake_gateway_answer(&fixture->gateway, 500, "");
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_true(talk.finding.is_definite);
}

/* --- Time --------------------------------------------------------------------------------------------------------------- */

static void a_request_takes_no_longer_than_there_is_time(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 10000); /* the endpoint's */
    fake_host_advance(&fixture->host, 9999);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 10000);
    fake_host_advance(&fixture->host, 9999);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 2);
    assert_asked(fixture, 3, THIRD);
    fake_host_advance(&fixture->host, 2);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    assert_over(&talk, MFA_VERDICT_TIMEOUT, 2);
}

static void with_no_time_left_nobody_is_asked(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    fake_host_advance(&fixture->host, PATIENCE_MS);
    fake_gateway_answer(&fixture->gateway, 500, "");
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_int_equal(fixture->gateway.count, 1);
}

static void without_a_clock_nobody_is_asked(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    fake_host_fail_clock(&fixture->host, true);
    assert_int_equal(begin_with(fixture, &talk, MFA_CALL_SEND, user_data()), MFA_ERR_INTERNAL);
    fake_host_fail_clock(&fixture->host, false);
    begin(fixture, &talk, MFA_CALL_SEND);
    fake_host_fail_clock(&fixture->host, true);
    fake_gateway_answer(&fixture->gateway, 500, "");
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    fake_host_fail_clock(&fixture->host, false);
    assert_int_equal(fixture->gateway.count, 1);
}

/* --- What is down ------------------------------------------------------------------------------------------------------- */

/* Sends a message that `first_status` is the first service's answer to, or 0: it cannot be reached; the second sends it. */
static void send_past_first(struct fixture *fixture, int first_status)
{
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    if (first_status == 0)
        fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    else
        fake_gateway_answer(&fixture->gateway, first_status, "");
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 1);
}

/* Sends a message to whoever is asked first, and returns the number. */
static size_t send_one(struct fixture *fixture)
{
    size_t requests = fixture->gateway.count;
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_int_equal(talk.count, 1);
    assert_int_equal(fixture->gateway.count, requests + 1);
    return talk.number;
}

static void after_five_failures_the_first_is_passed_over(void **state)
{
    static const int failures[] = {0, 500, 503};

    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct fixture *fixture = fixture_restart(state, THREE);

        for (int j = 0; j < 5; j++)
            send_past_first(fixture, failures[i]);
        assert_int_equal(send_one(fixture), 1);
        fake_host_advance(&fixture->host, 29999);
        assert_int_equal(send_one(fixture), 1);
        fake_host_advance(&fixture->host, 1);
        assert_int_equal(send_one(fixture), 0);
        assert_int_equal(send_one(fixture), 0);
    }
}

/* Whoever waits for the time-out must not be the next one as well. */
static void time_outs_count_as_failures(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    for (int i = 0; i < 5; i++) {
        begin(fixture, &talk, MFA_CALL_SEND);
        fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
        assert_over(&talk, MFA_VERDICT_TIMEOUT, 0);
    }
    assert_int_equal(send_one(fixture), 1);
}

static void a_service_that_refuses_messages_is_not_down(void **state)
{
    static const int refusals[] = {400, 403, 404, 429};

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct fixture *fixture = fixture_restart(state, THREE);

        for (int j = 0; j < 6; j++)
            send_past_first(fixture, refusals[i]);
        assert_int_equal(send_one(fixture), 0);
    }
}

static void of_those_who_send_at_the_same_time_one_makes_the_trial(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talks[3];

    for (int i = 0; i < 5; i++)
        send_past_first(fixture, 500);
    fake_host_advance(&fixture->host, 30000);
    begin(fixture, &talks[0], MFA_CALL_SEND);
    assert_asked(fixture, 11, FIRST);
    begin(fixture, &talks[1], MFA_CALL_SEND);
    assert_asked(fixture, 12, SECOND);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    assert_asked(fixture, 13, SECOND); /* for the one that tried */
    begin(fixture, &talks[2], MFA_CALL_SEND);
    assert_asked(fixture, 14, SECOND); /* the trial has failed */
    for (int i = 0; i < 3; i++)
        fake_gateway_answer(&fixture->gateway, 200, "");
    for (int i = 0; i < 3; i++)
        assert_over(&talks[i], MFA_VERDICT_SENT, 1);
}

static void fallbacks_that_are_down_are_passed_over_too(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    for (int i = 0; i < 5; i++) {
        begin(fixture, &talk, MFA_CALL_SEND);
        fake_gateway_answer(&fixture->gateway, 400, "");
        fake_gateway_answer(&fixture->gateway, 500, "");
        fake_gateway_answer(&fixture->gateway, 200, "");
        assert_over(&talk, MFA_VERDICT_SENT, 2);
    }
    begin(fixture, &talk, MFA_CALL_SEND);
    fake_gateway_answer(&fixture->gateway, 400, "");
    assert_asked(fixture, 17, THIRD);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 2);
}

static void with_all_down_the_first_is_tried_all_the_same(void **state)
{
    struct fixture *fixture = fixture_restart(state, THREE);
    struct talk talk;

    for (int i = 0; i < 5; i++) {
        begin(fixture, &talk, MFA_CALL_SEND);
        for (int j = 0; j < 3; j++)
            fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
        assert_over(&talk, MFA_VERDICT_ERROR, 2);
    }
    begin(fixture, &talk, MFA_CALL_SEND);
    assert_asked(fixture, 16, FIRST);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_int_equal(send_one(fixture), 0);
}

static void without_fallbacks_nothing_is_passed_over(void **state)
{
    struct fixture *fixture = fixture_restart(state, ALONE);
    struct talk talk;

    for (int i = 0; i < 6; i++) {
        begin(fixture, &talk, MFA_CALL_SEND);
        fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
        assert_over(&talk, MFA_VERDICT_ERROR, 0);
    }
    assert_int_equal(send_one(fixture), 0);
}

/* --- Access tokens -------------------------------------------------------------------------------------------------------- */

static void assert_bears(const struct fixture *fixture, const char *authorization)
{
    const struct mfa_http_request *request = fake_gateway_last(&fixture->gateway);
    size_t found = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        if (strncmp(request->header_secrets[i], "authorization:", 14) != 0)
            continue;
        assert_string_equal(request->header_secrets[i], authorization);
        found++;
    }
    assert_int_equal(found, 1);
}

static void give_token(struct fixture *fixture, const char *answer)
{
    assert_string_equal(fake_gateway_last(&fixture->gateway)->url_secret, "https://" AUTH "/token");
    fake_gateway_answer(&fixture->gateway, 200, answer);
}

#define TOKEN_1 "{\"access_token\":\"tok-1\",\"expires_in\":3600}"
#define TOKEN_2 "{\"access_token\":\"tok-2\",\"expires_in\":3600}"

static void a_request_bears_the_token_that_was_fetched_for_it(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    assert_asked(fixture, 1, AUTH);
    give_token(fixture, TOKEN_1);
    assert_asked(fixture, 2, FIRST);
    assert_bears(fixture, "authorization: Bearer tok-1");
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 0);
    begin(fixture, &talk, MFA_CALL_VERIFY);
    assert_asked(fixture, 3, FIRST);
    assert_bears(fixture, "authorization: Bearer tok-1");
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_ACCEPTED, 0);
}

static void who_begin_at_the_same_time_share_a_token(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talks[2];

    begin(fixture, &talks[0], MFA_CALL_SEND);
    begin(fixture, &talks[1], MFA_CALL_SEND);
    assert_asked(fixture, 1, AUTH);
    give_token(fixture, TOKEN_1);
    assert_asked(fixture, 3, FIRST);
    fake_gateway_answer(&fixture->gateway, 200, "");
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talks[0], MFA_VERDICT_SENT, 0);
    assert_over(&talks[1], MFA_VERDICT_SENT, 0);
}

static void a_refused_token_is_refreshed_once(void **state)
{
    static const enum mfa_call calls[] = {MFA_CALL_SEND, MFA_CALL_VERIFY};
    static const enum mfa_verdict verdicts[] = {MFA_VERDICT_SENT, MFA_VERDICT_ACCEPTED};

    for (size_t i = 0; i < 2; i++) {
        struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
        struct talk talk;

        begin(fixture, &talk, calls[i]);
        give_token(fixture, TOKEN_1);
        fake_gateway_answer(&fixture->gateway, 401, "");
        assert_int_equal(talk.count, 0);
        give_token(fixture, TOKEN_2);
        assert_asked(fixture, 4, FIRST);
        assert_bears(fixture, "authorization: Bearer tok-2");
        fake_gateway_answer(&fixture->gateway, 200, "");
        assert_over(&talk, verdicts[i], 0);
    }
}

static void a_second_refusal_is_an_answer(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_VERIFY);
    give_token(fixture, TOKEN_1);
    fake_gateway_answer(&fixture->gateway, 401, "");
    give_token(fixture, TOKEN_2);
    fake_gateway_answer(&fixture->gateway, 401, "");
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_false(talk.was_never_sent);
    begin(fixture, &talk, MFA_CALL_SEND);
    assert_bears(fixture, "authorization: Bearer tok-2");
    fake_gateway_answer(&fixture->gateway, 401, "");
    give_token(fixture, TOKEN_1);
    fake_gateway_answer(&fixture->gateway, 401, "");
    assert_asked(fixture, 8, SECOND);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 1);
}

static void of_two_refused_at_the_same_time_one_refreshes(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talks[2];

    for (size_t i = 0; i < 2; i++)
        begin(fixture, &talks[i], MFA_CALL_SEND);
    give_token(fixture, TOKEN_1);
    fake_gateway_answer(&fixture->gateway, 401, "");
    fake_gateway_answer(&fixture->gateway, 401, "");
    assert_asked(fixture, 4, AUTH);
    give_token(fixture, TOKEN_2);
    assert_asked(fixture, 6, FIRST);
    fake_gateway_answer(&fixture->gateway, 200, "");
    fake_gateway_answer(&fixture->gateway, 200, "");
    for (size_t i = 0; i < 2; i++)
        assert_over(&talks[i], MFA_VERDICT_SENT, 0);
}

static void without_a_token_the_message_goes_to_the_next(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talks[2];

    for (size_t i = 0; i < 2; i++)
        begin(fixture, &talks[i], MFA_CALL_SEND);
    assert_asked(fixture, 1, AUTH);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    assert_asked(fixture, 3, SECOND);
    fake_gateway_answer(&fixture->gateway, 200, "");
    fake_gateway_answer(&fixture->gateway, 200, "");
    for (size_t i = 0; i < 2; i++)
        assert_over(&talks[i], MFA_VERDICT_SENT, 1);
}

static void without_a_token_no_code_was_looked_at(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_VERIFY);
    fake_gateway_answer(&fixture->gateway, 503, "");
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_true(talk.was_never_sent);
    assert_string_equal(talk.finding.why, "no access token");
}

static void a_service_without_tokens_is_down_like_any_other(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);

    for (int i = 0; i < 5; i++)
        send_past_first(fixture, 500);
    assert_int_equal(send_one(fixture), 1);
}

static void each_fallback_has_a_token_of_its_own(void **state)
{
    struct fixture *fixture =
        fixture_restart(state, CONFIG(OAUTH2("auth.example.com"), FALLBACKS(OAUTH2("auth.example.com"), "")));
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    give_token(fixture, TOKEN_1);
    fake_gateway_answer(&fixture->gateway, 401, "");
    give_token(fixture, TOKEN_1);
    fake_gateway_answer(&fixture->gateway, 401, "");
    give_token(fixture, TOKEN_2);
    assert_asked(fixture, 6, SECOND);
    assert_bears(fixture, "authorization: Bearer tok-2");
    fake_gateway_answer(&fixture->gateway, 401, "");
    give_token(fixture, TOKEN_1);
    assert_asked(fixture, 8, SECOND);
    fake_gateway_answer(&fixture->gateway, 200, "");
    assert_over(&talk, MFA_VERDICT_SENT, 1);
}

static void the_time_that_a_token_took_is_gone(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 8000);
    fake_host_advance(&fixture->host, PATIENCE_MS - 3000);
    give_token(fixture, TOKEN_1);
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 3000);
    fake_gateway_answer(&fixture->gateway, 401, "");
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 3000);
    fake_host_advance(&fixture->host, 3000);
    give_token(fixture, TOKEN_2);
    assert_over(&talk, MFA_VERDICT_TIMEOUT, 0);
    assert_true(talk.finding.is_definite);
    assert_int_equal(fixture->gateway.count, 3);
}

static void a_gateway_that_is_full_by_then_sends_nothing(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    fixture->gateway.is_full = true;
    give_token(fixture, TOKEN_1);
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_true(talk.finding.is_definite);
    assert_true(talk.was_never_sent);
    assert_true(talk.is_our_own);
}

/* Whether for the token or for the request itself. */
static void our_own_lack_of_room_says_nothing_of_the_service(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    for (int i = 0; i < 12; i++) {
        fixture->gateway.is_full = true;
        begin(fixture, &talk, i % 2 == 0 ? MFA_CALL_SEND : MFA_CALL_VERIFY); /* over before it returns */
        assert_over(&talk, MFA_VERDICT_ERROR, 0);
        assert_true(talk.is_our_own);
        assert_string_equal(talk.finding.why, "too busy");
        fixture->gateway.is_full = false;
        if (i == 5) { /* from now on there is a token */
            begin(fixture, &talk, MFA_CALL_SEND);
            give_token(fixture, TOKEN_1);
            fake_gateway_answer(&fixture->gateway, 200, "");
            assert_over(&talk, MFA_VERDICT_SENT, 0);
        }
    }
    assert_int_equal(send_one(fixture), 0);
}

static void a_failure_of_the_service_is_not_our_own(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_VERIFY);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_false(talk.is_our_own);
    begin(fixture, &talk, MFA_CALL_VERIFY);
    give_token(fixture, TOKEN_1);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
    assert_over(&talk, MFA_VERDICT_ERROR, 0);
    assert_false(talk.is_our_own);
}

/* --- Signatures ----------------------------------------------------------------------------------------------------------- */

static void a_signature_is_of_the_time_of_its_request(void **state)
{
    struct fixture *fixture = fixture_restart(
        state, CONFIG(", sign: {ovh: {applicationKey: ak, applicationSecret: as, consumerKey: ck}}", ""));
    const struct mfa_http_request *request = NULL;
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    request = fake_gateway_last(&fixture->gateway);
    assert_string_equal(request->header_secrets[request->header_count - 2], "X-Ovh-Timestamp: 1700000000");
    fake_gateway_answer(&fixture->gateway, 200, "");
    fixture->host.wall_clock_fails = true;
    assert_int_equal(begin_with(fixture, &talk, MFA_CALL_SEND, user_data()), MFA_ERR_INTERNAL);
    assert_int_equal(fixture->gateway.count, 1);
}

/* --- The end -------------------------------------------------------------------------------------------------------------- */

static void a_gateway_that_is_stopped_ends_everything_once(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talks[4];

    begin(fixture, &talks[0], MFA_CALL_SEND);
    give_token(fixture, TOKEN_1);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_STOPPED);
    fake_host_advance(&fixture->host, 3570 * 1000);
    for (size_t i = 1; i < 4; i++)
        begin(fixture, &talks[i], i == 1 ? MFA_CALL_VERIFY : MFA_CALL_SEND);
    assert_asked(fixture, 3, AUTH);
    fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_STOPPED);
    for (size_t i = 0; i < 4; i++)
        assert_over(&talks[i], MFA_VERDICT_ERROR, 0);
    assert_int_equal(fixture->gateway.count, 3);
    for (int i = 0; i < 6; i++) /* and says nothing about the service */
        assert_int_equal((begin(fixture, &talks[0], MFA_CALL_SEND),
                          fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_STOPPED), talks[0].number),
                         0);
}

/* Answers a request before it has returned from taking it, as one that is quicker on another thread. */
static enum mfa_status answer_at_once(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg)
{
    const char *body = strstr(request->url_secret, "/token") != NULL ? TOKEN_1 : "";
    unsigned *requests = ctx;

    mfa_http_request_free(request);
    done(arg, &(struct mfa_gateway_answer){.delivery = MFA_DELIVERY_ANSWERED,
                                           .http_status = ++*requests % 2 == 1 ? 200 : 401,
                                           .body = body,
                                           .body_len = strlen(body),
                                           .reason = ""});
    return MFA_OK;
}

static void an_exchange_can_be_over_and_gone_before_its_request_is_on_its_way(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    unsigned requests = 0;
    struct talk talk;

    fixture->core->settings->services->gateway = (struct mfa_gateway_port){.ctx = &requests, .submit = answer_at_once};
    begin(fixture, &talk, MFA_CALL_SEND); /* token, refused, token, refused, the second service */
    assert_over(&talk, MFA_VERDICT_SENT, 1);
    assert_int_equal(requests, 5);
}

/* --- The log -------------------------------------------------------------------------------------------------------------- */

static void the_log_tells_of_each_request_and_holds_no_secret(void **state)
{
    struct fixture *fixture = fixture_restart(state, WITH_TOKEN);
    struct talk talk;

    begin(fixture, &talk, MFA_CALL_SEND);
    give_token(fixture, TOKEN_1);
    fake_gateway_answer(&fixture->gateway, 500, "canary");
    fake_gateway_answer(&fixture->gateway, 200, "canary");
    assert_over(&talk, MFA_VERDICT_SENT, 1);
    begin(fixture, &talk, MFA_CALL_VERIFY);
    fake_gateway_answer(&fixture->gateway, 200, "canary");
    assert_non_null(strstr(fixture->host.log, "1 event=gateway.send host=" FIRST " status=500 outcome=error reason="));
    assert_non_null(strstr(fixture->host.log, "3 event=gateway.send host=" SECOND " status=200 outcome=sent reason="));
    assert_non_null(strstr(fixture->host.log, "1 event=gateway.verify host=" FIRST " status=200 outcome=error reason="
                                              "\"refused: answer has a body and no expect rule\"\n"));
    assert_null(strstr(fixture->host.log, "canary"));
    assert_null(strstr(fixture->host.log, "41791231212"));
    assert_null(strstr(fixture->host.log, "271828"));
    assert_null(strstr(fixture->host.log, "tok-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(a_message_that_was_sent_is_sent_once),
        IN_SINGLE(a_message_that_certainly_was_not_sent_goes_to_the_next),
        IN_SINGLE(a_message_that_may_have_been_sent_goes_to_nobody_else),
        IN_SINGLE(nor_does_one_that_a_fallback_may_have_sent),
        IN_SINGLE(an_answer_that_the_rules_do_not_know_is_no_refusal),
        IN_SINGLE(when_all_refuse_the_last_one_has_the_word),
        IN_SINGLE(a_code_is_checked_by_nobody_else),
        IN_SINGLE(a_fallback_that_cannot_carry_the_values_is_passed_over),
        IN_SINGLE(without_a_variable_nothing_is_sent),
        IN_SINGLE(a_full_gateway_sends_nothing),
        IN_SINGLE(a_request_takes_no_longer_than_there_is_time),
        IN_SINGLE(with_no_time_left_nobody_is_asked),
        IN_SINGLE(without_a_clock_nobody_is_asked),
        IN_SINGLE(after_five_failures_the_first_is_passed_over),
        IN_SINGLE(time_outs_count_as_failures),
        IN_SINGLE(a_service_that_refuses_messages_is_not_down),
        IN_SINGLE(of_those_who_send_at_the_same_time_one_makes_the_trial),
        IN_SINGLE(fallbacks_that_are_down_are_passed_over_too),
        IN_SINGLE(with_all_down_the_first_is_tried_all_the_same),
        IN_SINGLE(without_fallbacks_nothing_is_passed_over),
        IN_SINGLE(a_request_bears_the_token_that_was_fetched_for_it),
        IN_SINGLE(who_begin_at_the_same_time_share_a_token),
        IN_SINGLE(a_refused_token_is_refreshed_once),
        IN_SINGLE(a_second_refusal_is_an_answer),
        IN_SINGLE(of_two_refused_at_the_same_time_one_refreshes),
        IN_SINGLE(without_a_token_the_message_goes_to_the_next),
        IN_SINGLE(without_a_token_no_code_was_looked_at),
        IN_SINGLE(a_service_without_tokens_is_down_like_any_other),
        IN_SINGLE(each_fallback_has_a_token_of_its_own),
        IN_SINGLE(the_time_that_a_token_took_is_gone),
        IN_SINGLE(a_gateway_that_is_full_by_then_sends_nothing),
        IN_SINGLE(our_own_lack_of_room_says_nothing_of_the_service),
        IN_SINGLE(a_failure_of_the_service_is_not_our_own),
        IN_SINGLE(a_signature_is_of_the_time_of_its_request),
        IN_SINGLE(a_gateway_that_is_stopped_ends_everything_once),
        IN_SINGLE(an_exchange_can_be_over_and_gone_before_its_request_is_on_its_way),
        IN_SINGLE(the_log_tells_of_each_request_and_holds_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
