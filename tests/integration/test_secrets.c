/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are planted everywhere they can come from, every flow is gone through with its failures, and then no line of
 * the log has any of them, and no answer has one that is not its to give.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define SECRETS_MAX 128

#define NUMBER "41798765432"
#define TEXT "canary-in-the-text"
#define URL_KEY "canary-in-the-url"
#define HEADER_KEY "canary-in-a-header"
#define ANSWER "canary-in-the-answer"
#define WRONG_PASSWORD "canary-as-a-password"
#define WRONG_RECOVERY_CODE "cafecafe-cafe-4afe-8afe-cafecafecafe"
#define WRONG_TOKEN "canary-as-a-token"

static const char user_data[] = "{\"number\": \"" NUMBER "\", \"message\": \"" TEXT " {{ code }}\"}";

/* Codes of ten digits do not turn up in a log by chance. */
static char *config(const char *gateway_url, const char *more)
{
    char *mfa = NULL;
    assert_true(asprintf(&mfa,
                         "    mode: single\n"
                         "    sms:\n"
                         "      codeLength: 10\n"
                         "      endpoints:\n"
                         "        single:\n"
                         "          url: '%s/send?key=" URL_KEY "&to={{ number }}'\n"
                         "          body: '{\"text\": \"{{ message }}\"}'\n"
                         "          headers: {authorization: 'Bearer " HEADER_KEY "', content-type: application/json}\n"
                         "          timeoutMs: 1000\n"
                         "%s",
                         gateway_url, more ? more : "") > 0);
    char *yaml = config_with(mfa);
    free(mfa);
    return yaml;
}

/* What must not be seen, and by whom. */
struct watch {
    struct stage stage;
    const char *nowhere[16];          /* in no answer and no log; ends in NULL */
    char *in_no_log[SECRETS_MAX + 1]; /* given out once, to whom they belong; ends in NULL */
    size_t in_no_log_count;
};

static void plant(struct watch *watch, const char *secret)
{
    assert_non_null(secret);
    assert_true(watch->in_no_log_count < SECRETS_MAX);
    watch->in_no_log[watch->in_no_log_count++] = strdup(secret);
}

static const char *last_planted(const struct watch *watch)
{
    return watch->in_no_log[watch->in_no_log_count - 1];
}

static void assert_headers_lack(const struct http_answer *answer, const char *secret)
{
    struct curl_header *header = NULL;
    while ((header = curl_easy_nextheader(answer->curl, CURLH_HEADER, -1, header)))
        assert_null(strstr(header->value, secret));
}

/* Looks at an answer, which has `gives`, a string at that path of it, or no secret at all; plants what it gives. */
static void see(struct watch *watch, struct http_answer answer, long status, const char *gives)
{
    http_assert_answer(&answer, status, NULL);
    for (const char *const *secret = watch->nowhere; *secret; secret++) {
        assert_null(strstr(answer.body, *secret));
        assert_headers_lack(&answer, *secret);
    }
    for (size_t i = 0; i < watch->in_no_log_count; i++) {
        assert_null(strstr(answer.body, watch->in_no_log[i]));
        assert_headers_lack(&answer, watch->in_no_log[i]);
    }
    if (gives)
        plant(watch, http_json_string(&answer, gives));
    http_answer_clear(&answer);
}

static struct http_answer post(struct watch *watch, const char *step, const char *token, json_t *body)
{
    return user_mfa(stage_url(&watch->stage), "julia", step, token, body /* transferred */);
}

static struct http_answer recover(struct watch *watch, const char *password, const char *code)
{
    return post(watch, "recover", NULL,
                json_pack("{s:s, s:s, s:s}", "username", "julia", "password", password, "recoveryCode", code));
}

static struct http_answer login_with(struct watch *watch, const char *password)
{
    return http_send(stage_url(&watch->stage),
                     (struct http_request){.method = "POST",
                                           .path = "/julia/auth/login",
                                           .json = json_pack("{s:s, s:s, s:s}", "username", "julia", "password",
                                                             password, "appId", "tests")});
}

/* Plants the code of the last message, and gives it; borrowed from the watch. */
static const char *plant_code(struct watch *watch)
{
    char code[GATEWAY_CODE_MAX + 1];
    gateway_last_code(watch->stage.gateway, code);
    assert_int_equal(strlen(code), 10);
    plant(watch, code);
    return last_planted(watch);
}

/* Wrong, malformed, unknown: what a step can be sent besides the right thing. */
static void misuse(struct watch *watch, const char *step, const char *mfa_token, const char *code)
{
    char wrong[GATEWAY_CODE_MAX + 1];
    memcpy(wrong, code, sizeof wrong);
    code_spoil(wrong, 0);
    see(watch, post(watch, step, mfa_token, code_body(wrong)), 400, NULL);
    see(watch, post(watch, step, mfa_token, code_body(TEXT)), 400, NULL);
    see(watch, post(watch, step, mfa_token, json_array()), 400, NULL);
    see(watch, post(watch, step, WRONG_TOKEN, code_body(code)), 401, NULL);
}

static void enrol(struct watch *watch)
{
    struct http_answer answer = user_login_answer(stage_url(&watch->stage), "julia");
    see(watch, answer, 200, "token");
    const char *token = last_planted(watch);
    see(watch, post(watch, "activate", token, json_pack("{s:[s]}", "number", NUMBER)), 400, NULL);
    gateway_answer_next(watch->stage.gateway, (struct gateway_script){.status = 500, .body = ANSWER});
    see(watch, post(watch, "activate", token, json_loads(user_data, 0, NULL)), 400, NULL);
    plant_code(watch);
    see(watch, post(watch, "activate", token, json_loads(user_data, 0, NULL)), 302, "mfaToken");
    const char *mfa_token = last_planted(watch);
    const char *code = plant_code(watch);
    misuse(watch, "confirm", mfa_token, code);

    answer = post(watch, "confirm", mfa_token, code_body(code));
    http_assert_answer(&answer, 200, NULL);
    json_t *codes = json_incref(json_object_get(answer.json, "recoveryCodes"));
    see(watch, answer, 200, NULL);
    for (size_t i = 0; i < json_array_size(codes); i++)
        plant(watch, json_string_value(json_array_get(codes, i)));
    json_decref(codes);
}

static const char *const to_elsewhere[] = {"Location", "http://127.0.0.1:1/" ANSWER, NULL};

static void log_in(struct watch *watch)
{
    static const struct gateway_script failures[] = {
        {.status = 500, .body = ANSWER},
        {.status = 200, .body = ANSWER, .manner = GATEWAY_RESET_MIDWAY},
        {.status = 200, .body = ANSWER, .manner = GATEWAY_STALL},
        {.status = 302, .body = ANSWER, .headers = to_elsewhere},
    };
    see(watch, login_with(watch, WRONG_PASSWORD), 401, NULL);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        gateway_answer_next(watch->stage.gateway, failures[i]);
        see(watch, login_with(watch, USER_PASSWORD), 400, NULL);
        plant_code(watch);
    }
    see(watch, login_with(watch, USER_PASSWORD), 200, "mfaToken");
    const char *mfa_token = last_planted(watch);
    const char *code = plant_code(watch);
    see(watch, post(watch, "challenge", mfa_token, NULL), 200, NULL);
    plant_code(watch);
    misuse(watch, "verify", mfa_token, code);
    see(watch, post(watch, "verify", mfa_token, code_body(code)), 200, "token");
}

/* The last that log_in planted is a personal token. */
static void look_around(struct watch *watch)
{
    const char *token = last_planted(watch);
    static const char *const paths[] = {"/julia/mfa", "/julia/profile/private"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        see(watch, http_send(stage_url(&watch->stage), (struct http_request){.path = paths[i], .token = token}), 200,
            NULL);
    see(watch, http_send(stage_url(&watch->stage), (struct http_request){.path = "/metrics"}), 200, NULL);
    see(watch, http_send(stage_url(&watch->stage), (struct http_request){.path = "/julia/mfa?auth=" WRONG_TOKEN}), 403,
        NULL);
}

static void give_up(struct watch *watch, const char *recovery_code)
{
    see(watch, recover(watch, WRONG_PASSWORD, recovery_code), 401, NULL);
    see(watch, recover(watch, USER_PASSWORD, WRONG_RECOVERY_CODE), 400, NULL);
    see(watch, recover(watch, USER_PASSWORD, recovery_code), 200, NULL);
    see(watch, recover(watch, USER_PASSWORD, recovery_code), 400, NULL);
}

static void no_secret_is_in_the_log_or_in_an_answer_that_must_not_have_it(void **state)
{
    (void)state;
    struct watch watch = {.nowhere = {NUMBER, TEXT, URL_KEY, HEADER_KEY, ANSWER, USER_PASSWORD, WRONG_PASSWORD,
                                      WRONG_RECOVERY_CODE, WRONG_TOKEN, ADMIN_KEY, NULL}};
    stage_open(&watch.stage, config, NULL);
    gateway_answer(watch.stage.gateway, (struct gateway_script){.status = 200, .body = ANSWER});
    user_register(stage_url(&watch.stage), "julia");
    enrol(&watch);
    const char *recovery_code = last_planted(&watch);
    log_in(&watch);
    look_around(&watch);
    give_up(&watch, recovery_code);
    enrol(&watch);
    see(&watch,
        http_send(stage_url(&watch.stage),
                  (struct http_request){.method = "DELETE", .path = "/system/users/julia/mfa", .token = ADMIN_KEY}),
        204, NULL);

    struct host *host = watch.stage.host;
    host_stop(host);
    host_assert_log_lacks(host, watch.nowhere);
    host_assert_log_lacks(host, (const char *const *)watch.in_no_log);
    assert_true(host_log_has(host, "event=gateway.send")); /* there was something to look through */
    host_free(host);
    gateway_stop(watch.stage.gateway);
    for (size_t i = 0; i < watch.in_no_log_count; i++)
        free(watch.in_no_log[i]);
}

/* The operator's messages name file, line and key, never the value. */
static void a_refused_configuration_does_not_show_its_credentials(void **state)
{
    (void)state;
    char *yaml = config("http://127.0.0.1:1", "          unknown: " TEXT "\n          timeoutMs: " ANSWER "\n");
    struct host *host = host_new(yaml, NULL, NULL);
    static const char *const secrets[] = {TEXT, URL_KEY, HEADER_KEY, ANSWER, ADMIN_KEY, NULL};
    assert_int_not_equal(host_start_refused(host), 0);
    host_assert_log_lacks(host, secrets);
    assert_true(host_log_has(host, "services.mfa.sms.endpoints.single.unknown"));
    host_free(host);
    free(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_secret_is_in_the_log_or_in_an_answer_that_must_not_have_it),
        cmocka_unit_test(a_refused_configuration_does_not_show_its_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
