/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fakes/flow_fixture.h"
#include "mfa_access_token.h"

#define OAUTH2(credentials)                                                                                            \
    "mode: single\n"                                                                                                   \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    single:\n"                                                                                                    \
    "      url: 'https://sms.example.com/'\n"                                                                          \
    "      body: {to: '{{ number }}', text: '{{ message }}'}\n"                                                        \
    "      auth: {oauth2: {tokenUrl: 'https://auth.example.com/token?a=b', clientId: 'an id:1', " credentials "}}\n"
#define CONFIG OAUTH2("clientSecret: 's{{ e }}/+%41'")

#define TIMEOUT_MS 10000

/* One who asks for a token, and what came of it. */
struct asker {
    struct fixture *fixture;
    struct mfa_token_waiter waiter;
    unsigned count;
    bool has_token;
    char token[64];
    uint64_t number;
    bool was_asked_for; /* without a token: there is an answer instead */
    enum mfa_delivery delivery;
    struct asker *then; /* asks next, as soon as this one is told */
};

static struct mfa_service *service(const struct fixture *fixture)
{
    return mfa_services_find(fixture->core->settings->services, &fixture->core->settings->config.single);
}

static void ask(struct fixture *fixture, struct asker *asker);

static void take_token(void *arg, const char *token_secret, uint64_t number, const struct mfa_gateway_answer *answer)
{
    struct asker *asker = arg;

    asker->count++;
    asker->has_token = token_secret != NULL;
    asker->number = number;
    snprintf(asker->token, sizeof asker->token, "%s", token_secret != NULL ? token_secret : "");
    asker->was_asked_for = answer != NULL;
    asker->delivery = answer != NULL ? answer->delivery : MFA_DELIVERY_FAILED;
    if (asker->then != NULL)
        ask(asker->fixture, asker->then);
}

static void ask_within(struct fixture *fixture, struct asker *asker, uint32_t timeout_ms)
{
    asker->fixture = fixture;
    asker->waiter = (struct mfa_token_waiter){.ready = take_token, .arg = asker};
    mfa_access_token_get(fixture->core->settings->services, service(fixture), &asker->waiter, timeout_ms);
}

static void ask(struct fixture *fixture, struct asker *asker)
{
    ask_within(fixture, asker, TIMEOUT_MS);
}

static void assert_got(const struct asker *asker, const char *token)
{
    assert_int_equal(asker->count, 1);
    assert_true(asker->has_token);
    assert_string_equal(asker->token, token);
}

static void assert_got_none(const struct asker *asker, enum mfa_delivery delivery)
{
    assert_int_equal(asker->count, 1);
    assert_false(asker->has_token);
    assert_true(asker->was_asked_for);
    assert_int_equal(asker->delivery, delivery);
}

/* Has a token of that life fetched and returns its number. */
static uint64_t fetch(struct fixture *fixture, const char *token, const char *expires_in)
{
    struct asker asker = {0};
    char answer[256];

    snprintf(answer, sizeof answer, "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%s}", token,
             expires_in);
    ask(fixture, &asker);
    assert_int_equal(asker.count, 0);
    fake_gateway_answer(&fixture->gateway, 200, answer);
    assert_got(&asker, token);
    return asker.number;
}

/* Whether a token is there without a request. */
static bool has_token(struct fixture *fixture)
{
    size_t requests = fixture->gateway.count;
    struct asker asker = {0};

    ask(fixture, &asker);
    if (fixture->gateway.count == requests)
        return true;
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_FAILED);
    assert_got_none(&asker, MFA_DELIVERY_FAILED);
    return false;
}

/* --- The request ------------------------------------------------------------------------------------------------------ */

static void assert_header(const struct mfa_http_request *request, const char *line)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->header_secrets[i], line) == 0)
            return;
    fail_msg("no header %s", line);
}

static void assert_token_request(const struct mfa_http_request *request, const char *body)
{
    assert_int_equal(request->method, MFA_HTTP_POST);
    assert_string_equal(request->url_secret, "https://auth.example.com/token?a=b");
    assert_string_equal(request->body_secret, body);
    assert_header(request, "content-type: application/x-www-form-urlencoded");
}

/* RFC 6749, 4.4.2 and 2.3.1: both parts form-encoded before they are joined. */
static void the_client_says_who_it_is_in_a_header(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);

    fetch(fixture, "t", "3600");
    assert_token_request(fake_gateway_last(&fixture->gateway), "grant_type=client_credentials");
    /* an%20id%3A1:s%7B%7B%20e%20%7D%7D%2F%2B%2541 */
    assert_header(fake_gateway_last(&fixture->gateway),
                  "authorization: Basic YW4lMjBpZCUzQTE6cyU3QiU3QiUyMGUlMjAlN0QlN0QlMkYlMkIlMjU0MQ==");
}

static void or_in_the_body(void **state)
{
    struct fixture *fixture = fixture_restart(state, OAUTH2("clientSecret: 's{{ e }}/+%41', credentials: body"));
    const struct mfa_http_request *request = NULL;

    fetch(fixture, "t", "3600");
    request = fake_gateway_last(&fixture->gateway);
    assert_token_request(request, "grant_type=client_credentials&client_id=an%20id%3A1"
                                  "&client_secret=s%7B%7B%20e%20%7D%7D%2F%2B%2541");
    assert_int_equal(request->header_count, 1);
}

static void a_fetch_takes_no_longer_than_the_asker_has(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker hurried = {0}, patient = {0};

    ask_within(fixture, &hurried, 1234);
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, 1234);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    ask_within(fixture, &patient, 60000);
    assert_int_equal(fake_gateway_last(&fixture->gateway)->timeout_ms, TIMEOUT_MS);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
}

/* --- Keeping ---------------------------------------------------------------------------------------------------------- */

static void a_token_is_fetched_once(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker asker = {0};

    fetch(fixture, "tok-0001", "3600");
    for (unsigned i = 0; i < 3; i++) {
        asker.count = 0;
        ask(fixture, &asker);
        assert_got(&asker, "tok-0001");
    }
    assert_int_equal(fixture->gateway.count, 1);
}

static void who_waits_for_the_same_token_gets_that_one(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker askers[3] = {0};

    for (size_t i = 0; i < 3; i++)
        ask(fixture, &askers[i]);
    assert_int_equal(fixture->gateway.count, 1);
    fake_gateway_answer(&fixture->gateway, 200, "{\"access_token\":\"shared\"}");
    for (size_t i = 0; i < 3; i++)
        assert_got(&askers[i], "shared");
}

static void a_token_lives_thirty_seconds_less_than_it_says(void **state)
{
    static const struct {
        const char *expires_in;
        uint64_t life_s;
    } lives[] = {
        {"3600", 3570},
        {"31", 1},
        {"86400", 86370},
        {"86401", 86370},
        {"1000000000000", 86370},
        {"\"3600\"", 270},
        {"3600.5", 270},
        {"null", 270},
        {"true", 270},
        {"9223372036854775807", 86370},
        {"18446744073709551616", 270},
    };

    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        struct fixture *fixture = fixture_restart(state, CONFIG);

        fetch(fixture, "t", lives[i].expires_in);
        fake_host_advance(&fixture->host, lives[i].life_s * 1000 - 1);
        assert_true(has_token(fixture));
        fake_host_advance(&fixture->host, 1);
        assert_false(has_token(fixture));
    }
}

/* It may be good for one request. */
static void a_token_that_lives_no_longer_is_for_who_asked_for_it(void **state)
{
    static const char *const lives[] = {"30", "1", "0", "-1", "-9223372036854775808"};

    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        struct fixture *fixture = fixture_restart(state, CONFIG);

        fetch(fixture, "t", lives[i]);
        assert_false(has_token(fixture));
    }
}

static void a_token_whose_type_is_left_out_or_in_capitals_is_a_bearer_token(void **state)
{
    static const char *const types[] = {"", ",\"token_type\":\"BEARER\"", ",\"token_type\":\"bearer\""};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct fixture *fixture = fixture_restart(state, CONFIG);
        struct asker asker = {0};
        char answer[128];

        snprintf(answer, sizeof answer, "{\"access_token\":\"t\"%s}", types[i]);
        ask(fixture, &asker);
        fake_gateway_answer(&fixture->gateway, 200, answer);
        assert_got(&asker, "t");
    }
}

static void without_a_clock_no_token_is_known_to_be_good(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);

    fetch(fixture, "t", "3600");
    fake_host_fail_clock(&fixture->host, true);
    assert_false(has_token(fixture));
    fetch(fixture, "t", "3600");
    fake_host_fail_clock(&fixture->host, false);
    assert_false(has_token(fixture));
}

/* --- Refusal ---------------------------------------------------------------------------------------------------------- */

static void refuse(struct fixture *fixture, uint64_t number)
{
    mfa_access_token_refuse(fixture->core->settings->services, service(fixture), number);
}

static void a_refused_token_is_fetched_anew(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);

    refuse(fixture, fetch(fixture, "first", "3600"));
    fetch(fixture, "second", "3600");
    assert_true(has_token(fixture));
}

/* Who comes late with a refusal of the token before must not throw the new one away. */
static void a_refusal_is_of_one_token_only(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    uint64_t first = fetch(fixture, "first", "3600");

    refuse(fixture, first);
    fetch(fixture, "second", "3600");
    refuse(fixture, first);
    assert_true(has_token(fixture));
}

static void of_many_whose_token_was_refused_one_fetches(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker askers[3] = {0};
    uint64_t first = fetch(fixture, "first", "3600");

    for (size_t i = 0; i < 3; i++) {
        refuse(fixture, first);
        ask(fixture, &askers[i]);
    }
    assert_int_equal(fixture->gateway.count, 2);
    fake_gateway_answer(&fixture->gateway, 200, "{\"access_token\":\"second\"}");
    for (size_t i = 0; i < 3; i++)
        assert_got(&askers[i], "second");
}

/* --- Failure ---------------------------------------------------------------------------------------------------------- */

static void what_is_no_token_is_none_and_is_asked_for_again(void **state)
{
    static const struct {
        int http_status;
        const char *answer;
    } answers[] = {
        {200, ""},
        {200, "t"},
        {200, "[\"access_token\"]"},
        {200, "{}"},
        {200, "{\"access_token\":\"\"}"},
        {200, "{\"access_token\":7}"},
        {200, "{\"access_token\":\"a b\"}"},
        {200, "{\"access_token\":\"a\\nx-evil: 1\"}"},
        {200, "{\"access_token\":\"\\u00e9\"}"},
        {200, "{\"access_token\":\"a\\u007f\"}"},
        {200, "{\"access_token\":\"a\\u0000b\"}"},
        {200, "{\"access_token\":\"a\",\"access_token\":\"b\"}"},
        {200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}"},
        {200, "{\"access_token\":\"a\",\"token_type\":null}"},
        {200, "{\"access_token\":\"a\",\"token_type\":[\"bearer\"]}"},
        {201, "{\"access_token\":\"a\"}"},
        {302, "{\"access_token\":\"a\"}"},
        {400, "{\"access_token\":\"a\"}"},
        {401, "{\"error\":\"invalid_client\"}"},
        {500, "{\"access_token\":\"a\"}"},
    };
    struct fixture *fixture = fixture_restart(state, CONFIG);

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct asker asker = {0};

        ask(fixture, &asker);
        assert_int_equal(fixture->gateway.count, i + 1);
        fake_gateway_answer(&fixture->gateway, answers[i].http_status, answers[i].answer);
        assert_got_none(&asker, MFA_DELIVERY_ANSWERED);
    }
    fetch(fixture, "t", "3600");
}

static void a_token_longer_than_a_header_takes_is_none(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker asker = {0};
    char answer[4200];

    snprintf(answer, sizeof answer, "{\"access_token\":\"%04097d\"}", 7);
    ask(fixture, &asker);
    fake_gateway_answer(&fixture->gateway, 200, answer);
    assert_got_none(&asker, MFA_DELIVERY_ANSWERED);
}

static void a_failure_is_told_to_all_who_wait(void **state)
{
    static const enum mfa_delivery deliveries[] = {MFA_DELIVERY_FAILED, MFA_DELIVERY_TIMEOUT, MFA_DELIVERY_STOPPED};
    struct fixture *fixture = fixture_restart(state, CONFIG);

    for (size_t i = 0; i < sizeof deliveries / sizeof deliveries[0]; i++) {
        struct asker askers[3] = {0};

        for (size_t j = 0; j < 3; j++)
            ask(fixture, &askers[j]);
        fake_gateway_fail(&fixture->gateway, deliveries[i]);
        for (size_t j = 0; j < 3; j++)
            assert_got_none(&askers[j], deliveries[i]);
    }
    assert_int_equal(fixture->gateway.count, 3);
}

static void a_token_that_could_not_be_renewed_is_not_used_on(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);

    fetch(fixture, "t", "3600");
    fake_host_advance(&fixture->host, 3570 * 1000);
    assert_false(has_token(fixture));
    assert_false(has_token(fixture));
}

static void a_full_gateway_has_no_token_to_give_and_the_next_asks_again(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker asker = {0};

    fixture->gateway.is_full = true;
    ask(fixture, &asker);
    assert_int_equal(asker.count, 1);
    assert_false(asker.has_token);
    assert_false(asker.was_asked_for);
    fixture->gateway.is_full = false;
    fetch(fixture, "t", "3600");
}

static void who_is_told_may_ask_again_at_once(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker next = {0};
    struct asker first = {.then = &next};

    ask(fixture, &first);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_FAILED);
    assert_got_none(&first, MFA_DELIVERY_FAILED);
    assert_int_equal(next.count, 0);
    fake_gateway_answer(&fixture->gateway, 200, "{\"access_token\":\"t\"}");
    assert_got(&next, "t");
}

/* --- The log ---------------------------------------------------------------------------------------------------------- */

static void the_log_says_how_it_went_and_holds_no_secret(void **state)
{
    struct fixture *fixture = fixture_restart(state, CONFIG);
    struct asker asker = {0};

    ask(fixture, &asker);
    fake_gateway_answer(&fixture->gateway, 401, "{\"error\":\"canary\"}");
    assert_non_null(strstr(fixture->host.log,
                           "1 event=gateway.token host=auth.example.com status=401 outcome=error "
                           "reason=\"the answer is not 200 with an access_token of type Bearer\"\n"));
    ask(fixture, &asker);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_TIMEOUT);
    assert_non_null(strstr(fixture->host.log,
                           "1 event=gateway.token host=auth.example.com status=0 outcome=error reason=\"scripted\"\n"));
    fetch(fixture, "canary", "3600");
    assert_non_null(strstr(fixture->host.log, "3 event=gateway.token host=auth.example.com status=200 outcome=fetched "
                                              "reason=\"fetched\"\n"));
    assert_null(strstr(fixture->host.log, "canary"));
    assert_null(strstr(fixture->host.log, "an id"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(the_client_says_who_it_is_in_a_header),
        IN_SINGLE(or_in_the_body),
        IN_SINGLE(a_fetch_takes_no_longer_than_the_asker_has),
        IN_SINGLE(a_token_is_fetched_once),
        IN_SINGLE(who_waits_for_the_same_token_gets_that_one),
        IN_SINGLE(a_token_lives_thirty_seconds_less_than_it_says),
        IN_SINGLE(a_token_that_lives_no_longer_is_for_who_asked_for_it),
        IN_SINGLE(a_token_whose_type_is_left_out_or_in_capitals_is_a_bearer_token),
        IN_SINGLE(without_a_clock_no_token_is_known_to_be_good),
        IN_SINGLE(a_refused_token_is_fetched_anew),
        IN_SINGLE(a_refusal_is_of_one_token_only),
        IN_SINGLE(of_many_whose_token_was_refused_one_fetches),
        IN_SINGLE(what_is_no_token_is_none_and_is_asked_for_again),
        IN_SINGLE(a_token_longer_than_a_header_takes_is_none),
        IN_SINGLE(a_failure_is_told_to_all_who_wait),
        IN_SINGLE(a_token_that_could_not_be_renewed_is_not_used_on),
        IN_SINGLE(a_full_gateway_has_no_token_to_give_and_the_next_asks_again),
        IN_SINGLE(who_is_told_may_ask_again_at_once),
        IN_SINGLE(the_log_says_how_it_went_and_holds_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
