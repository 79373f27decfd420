/* SPDX-License-Identifier: Apache-2.0
 *
 * A service that wants an access token of OAuth 2.0: it is fetched once for all, and again when it is refused.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define CLIENT_SECRET "canary-of-the-client"
#define BASIC "Basic bXktY2xpZW50OmNhbmFyeS1vZi10aGUtY2xpZW50" /* my-client:canary-of-the-client */

#define LOGINS 20

static char *config_with_token(const char *gateway_url, const char *more)
{
    char *mfa = NULL;
    assert_true(asprintf(&mfa,
                         "    mode: single\n"
                         "    sms:\n"
                         "      sendLimits: {minIntervalSeconds: 0, perUserPerHour: 0, perDestinationPerDay: 0}\n"
                         "      endpoints:\n"
                         "        single:\n"
                         "          url: '%s/send'\n"
                         "          body: {to: '{{ number }}', text: '{{ message }}'}\n"
                         "          auth: {oauth2: {tokenUrl: '%s/token', clientId: my-client, clientSecret: "
                         "'" CLIENT_SECRET "'}}\n"
                         "%s",
                         gateway_url, gateway_url, more) > 0);
    char *yaml = config_with(mfa);
    free(mfa);
    return yaml;
}

/* What the service does, on its own thread, and what it was asked. */
static struct service {
    atomic_uint current;  /* the token that is good is canary-token-N */
    atomic_bool is_shut;  /* it gives no token */
    atomic_uint fetches;  /* tokens given */
    atomic_uint refusals; /* messages with another token, or none */
    atomic_uint messages; /* sent */
    char token[64];
    char answer[128];
} service = {.current = 1};

static const char *header(const struct gateway_request *request, const char *name)
{
    const char *value = json_string_value(json_object_get(request->headers, name));
    return value ? value : "";
}

static void give_token(const struct gateway_request *request, struct gateway_script *script)
{
    bool is_right = strcmp(header(request, "authorization"), BASIC) == 0 && strcmp(request->method, "POST") == 0 &&
                    strcmp(request->body, "grant_type=client_credentials") == 0;
    if (!is_right || service.is_shut) {
        *script = (struct gateway_script){.status = is_right ? 503 : 400};
        return;
    }
    service.fetches++;
    snprintf(service.answer, sizeof service.answer,
             "{\"access_token\":\"canary-token-%u\",\"token_type\":\"Bearer\",\"expires_in\":3600}", service.current);
    *script = (struct gateway_script){.status = 200, .body = service.answer, .delay_ms = 50};
}

static void serve(void *context, const struct gateway_request *request, struct gateway_script *script)
{
    (void)context;
    if (strcmp(request->path, "/token") == 0) {
        give_token(request, script);
        return;
    }
    snprintf(service.token, sizeof service.token, "Bearer canary-token-%u", service.current);
    bool is_right = strcmp(header(request, "authorization"), service.token) == 0;
    if (is_right)
        service.messages++;
    else
        service.refusals++;
    *script = (struct gateway_script){.status = is_right ? 202 : 401};
}

static int open_stage(void **state)
{
    int failed = stage_open_for_group(state, config_with_token, NO_BACKOFF "    sessions: {maxPendingPerUser: 0}\n");
    gateway_answer_with(((struct stage *)*state)->gateway, serve, NULL);
    return failed;
}

static void enrol(struct stage *stage, const char *username)
{
    static const char data[] = "{\"number\": \"" USER_NUMBER "\", \"message\": \"{{ code }}\"}";
    json_decref(user_enrol(stage_url(stage), stage->gateway, username, data));
}

/* Everybody logs in at once; each gets a message. */
static void log_in_at_once(struct stage *stage, const char *username)
{
    struct http_request requests[LOGINS];
    struct http_answer answers[LOGINS];
    unsigned messages = service.messages;
    char path[64];
    snprintf(path, sizeof path, "/%s/auth/login", username);
    for (size_t i = 0; i < LOGINS; i++)
        requests[i] = (struct http_request){.method = "POST", .path = path, .json = login_body(username)};
    http_send_all(stage_url(stage), requests, answers, LOGINS);
    for (size_t i = 0; i < LOGINS; i++) {
        assert_non_null(json_object_get(answers[i].json, "mfaToken"));
        http_expect(answers[i], 200, NULL);
    }
    assert_int_equal(service.messages, messages + LOGINS);
}

static void one_token_serves_all_logins(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "one-token");
    assert_int_equal(service.fetches, 1);
    log_in_at_once(stage, "one-token");
    struct pending_login login = stage_login(stage, "one-token");
    free(user_verify(stage_url(stage), "one-token", login.mfa_token, login.code));
    pending_login_clear(&login);
    assert_int_equal(service.fetches, 1);
    assert_int_equal(service.refusals, 0);
}

static void a_refused_token_is_refreshed_and_the_message_sent_once(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "refreshed");
    unsigned fetches = service.fetches;
    unsigned refusals = service.refusals;
    unsigned messages = service.messages;
    service.current++;
    struct pending_login login = stage_login(stage, "refreshed");
    assert_int_equal(service.refusals, refusals + 1);
    assert_int_equal(service.fetches, fetches + 1);
    assert_int_equal(service.messages, messages + 1);
    free(user_verify(stage_url(stage), "refreshed", login.mfa_token, login.code));
    pending_login_clear(&login);
}

static void of_many_who_are_refused_one_refreshes(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "crowded");
    unsigned fetches = service.fetches;
    service.current++;
    log_in_at_once(stage, "crowded");
    assert_int_equal(service.fetches, fetches + 1);
}

static void without_a_token_no_message_is_sent_and_the_next_login_tries_again(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "shut-out");
    unsigned messages = service.messages;
    service.current++;
    service.is_shut = true;
    http_expect_error(user_login_answer(stage_url(stage), "shut-out"), 400, "invalid-operation",
                      "{\"id\": \"mfa-sms-provider-error\"}");
    assert_int_equal(service.messages, messages);
    service.is_shut = false;
    struct pending_login login = stage_login(stage, "shut-out");
    free(user_verify(stage_url(stage), "shut-out", login.mfa_token, login.code));
    pending_login_clear(&login);
    assert_int_equal(service.messages, messages + 1);
}

static void neither_token_nor_secret_is_in_the_log(void **state)
{
    struct stage *stage = *state;
    host_assert_log_lacks(stage->host, (const char *const[]){"canary", NULL});
    host_await_log(stage->host, "event=gateway.token host=127.0.0.1 status=503 outcome=error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_token_serves_all_logins),
        cmocka_unit_test(a_refused_token_is_refreshed_and_the_message_sent_once),
        cmocka_unit_test(of_many_who_are_refused_one_refreshes),
        cmocka_unit_test(without_a_token_no_message_is_sent_and_the_next_login_tries_again),
        cmocka_unit_test(neither_token_nor_secret_is_in_the_log),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
