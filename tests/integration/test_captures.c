/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service gives a challenge to be known by, over HTTP: in a header or in the body, by the first service or by the one
 * that stands in for it. It belongs to one session, and no client sees or sets it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define CODE "12345"
#define PROVIDER_ERROR "{\"id\": \"mfa-sms-provider-error\"}"

/* A client that would like to choose by itself. */
#define FORGED_DATA                                                                                                    \
    "{\"phone\": \"41791231212\", \"requestId\": \"forged\", \"sid\": \"forged\", \"nonce\": \"forged\"}"

static char *config_two(const char *gateway_url, const char *more)
{
    char *mfa = NULL;
    assert_true(asprintf(&mfa,
                         "    mode: challenge-verify\n"
                         "    sms:\n"
                         "      sendLimits: {minIntervalSeconds: 0, perUserPerHour: 0, perDestinationPerDay: 0}\n"
                         "      endpoints:\n"
                         "        challenge:\n"
                         "          url: '%s/first/start'\n"
                         "          form: {to: '{{ phone }}'}\n"
                         "          capture: {requestId: 'header:X-Request-Id'}\n"
                         "          fallback: [{url: '%s/second/start', form: {to: '{{ phone }}'}, capture: {sid: "
                         "/challenges/0/sid}}]\n"
                         "        verify:\n"
                         "          url: '%s/first/check'\n"
                         "          form: {id: '{{ requestId }}', code: '{{ code }}'}\n"
                         "          expect: {json: {/ok: true}}\n"
                         "          fallback: [{url: '%s/second/check/{{ sid }}', form: {code: '{{ code }}'}, expect: "
                         "{json: {/ok: true}}}]\n"
                         "%s",
                         gateway_url, gateway_url, gateway_url, gateway_url, more) > 0);
    char *yaml = config_with(mfa);
    free(mfa);
    return yaml;
}

/* What the service answers: on its thread, so it is set while nothing is asked. */
static struct service {
    const char *id; /* of the next challenge */
    bool is_down;   /* the first one is */
    char body[128];
    const char *headers[5];
} service;

static void serve(void *context, const struct gateway_request *request, struct gateway_script *script)
{
    (void)context;
    if (strstr(request->path, "/check")) {
        *script = (struct gateway_script){.status = 200, .body = "{\"ok\":true}"};
        return;
    }
    *script = (struct gateway_script){.status = 200, .headers = service.headers};
    if (service.is_down && strcmp(request->path, "/first/start") == 0)
        script->status = 503;
    if (strcmp(request->path, "/second/start") == 0) {
        snprintf(service.body, sizeof service.body, "{\"challenges\":[{\"sid\":\"%s\"}]}", service.id);
        *script = (struct gateway_script){.status = 201, .body = service.body};
    }
}

/* `again`: in the same header once more. Both may be NULL: none. */
static void give_id(const char *id, const char *again)
{
    service.id = id;
    service.headers[0] = id ? "x-request-id" : NULL;
    service.headers[1] = id;
    service.headers[2] = again ? "X-Request-Id" : NULL;
    service.headers[3] = again;
}

static int open_stage(void **state)
{
    int failed = stage_open_for_group(state, config_two, NO_BACKOFF);
    gateway_answer_with(((struct stage *)*state)->gateway, serve, NULL);
    return failed;
}

static void enrol(struct stage *stage, const char *username)
{
    give_id("activation", NULL);
    char *token = stage_register(stage, username);
    char *mfa_token = user_activate(stage_url(stage), username, token, FORGED_DATA);
    json_decref(user_confirm(stage_url(stage), username, mfa_token, CODE));
    free(mfa_token);
    free(token);
}

static char *log_in(struct stage *stage, const char *username, const char *id)
{
    give_id(id, NULL);
    return user_login_mfa(stage_url(stage), username);
}

/* Verifies, and clears the token. */
static void verify(struct stage *stage, const char *username, char *mfa_token)
{
    free(user_verify(stage_url(stage), username, mfa_token, CODE));
    free(mfa_token);
}

static void assert_last(struct stage *stage, const char *raw_url, const char *body)
{
    const struct gateway_request *request = gateway_last_request(stage->gateway);
    assert_string_equal(request->raw_url, raw_url);
    assert_string_equal(request->body, body);
}

static void a_code_is_checked_with_the_id_in_the_challenge_s_header(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "header");
    assert_last(stage, "/first/check", "id=activation&code=" CODE);
    char *first = log_in(stage, "header", "login:1");
    char *second = log_in(stage, "header", "login:2");
    verify(stage, "header", first);
    assert_last(stage, "/first/check", "id=login%3A1&code=" CODE);
    verify(stage, "header", second);
    assert_last(stage, "/first/check", "id=login%3A2&code=" CODE);
}

static void what_a_client_sends_by_that_name_reaches_nobody(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "forger");
    char *mfa_token = log_in(stage, "forger", "real");
    json_t *body = json_pack("{s:s, s:s, s:s}", "code", CODE, "requestId", "forged", "sid", "forged");
    http_expect(user_mfa(stage_url(stage), "forger", "verify", mfa_token, body), 200, NULL);
    assert_last(stage, "/first/check", "id=real&code=" CODE);
    for (size_t i = 0; i < gateway_request_count(stage->gateway); i++)
        assert_null(strstr(gateway_request(stage->gateway, i)->body, "forged"));
    free(mfa_token);
}

static void a_challenge_that_gives_no_good_id_opens_no_session(void **state)
{
    static const char *const ids[][2] = {{NULL, NULL}, {"one", "two"}, {"two words", NULL}, {"a,b", NULL}};
    struct stage *stage = *state;
    enrol(stage, "no-id");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        give_id(ids[i][0], ids[i][1]);
        struct http_answer answer = user_login_answer(stage_url(stage), "no-id");
        assert_null(json_object_get(answer.json, "mfaToken"));
        http_expect_error(answer, 400, "invalid-operation", PROVIDER_ERROR);
    }
    verify(stage, "no-id", log_in(stage, "no-id", "good"));
}

static void a_re_send_without_an_id_leaves_the_one_before(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "re-send");
    char *mfa_token = log_in(stage, "re-send", "before");
    give_id(NULL, NULL);
    http_expect_error(user_mfa(stage_url(stage), "re-send", "challenge", mfa_token, NULL), 400, "invalid-operation",
                      PROVIDER_ERROR);
    verify(stage, "re-send", mfa_token);
    assert_last(stage, "/first/check", "id=before&code=" CODE);
}

static void whoever_sent_the_code_is_asked_to_check_it(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "stands-in");
    service.is_down = true;
    char *by_second = log_in(stage, "stands-in", "s/1");
    assert_last(stage, "/second/start", "to=41791231212");
    service.is_down = false;
    char *by_first = log_in(stage, "stands-in", "f-1");
    verify(stage, "stands-in", by_second);
    assert_last(stage, "/second/check/s%2F1", "code=" CODE);
    verify(stage, "stands-in", by_first);
    assert_last(stage, "/first/check", "id=f-1&code=" CODE);
}

static void no_client_and_no_log_sees_what_was_captured(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "canary");
    give_id("the-canary", NULL);
    struct http_answer login = user_login_answer(stage_url(stage), "canary");
    const char *mfa_token = http_json_string(&login, "mfaToken");
    assert_null(strstr(login.body, "the-canary"));
    assert_null(http_header(&login, "X-Request-Id"));
    struct http_answer verified = stage_send_code(stage, "canary", "verify", mfa_token, CODE);
    assert_null(strstr(verified.body, "the-canary"));
    http_expect(verified, 200, NULL);
    assert_last(stage, "/first/check", "id=the-canary&code=" CODE);
    http_answer_clear(&login);
    host_assert_log_lacks(stage->host, (const char *const[]){"the-canary", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_checked_with_the_id_in_the_challenge_s_header),
        cmocka_unit_test(what_a_client_sends_by_that_name_reaches_nobody),
        cmocka_unit_test(a_challenge_that_gives_no_good_id_opens_no_session),
        cmocka_unit_test(a_re_send_without_an_id_leaves_the_one_before),
        cmocka_unit_test(whoever_sent_the_code_is_asked_to_check_it),
        cmocka_unit_test(no_client_and_no_log_sees_what_was_captured),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
