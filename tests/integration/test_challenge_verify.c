/* SPDX-License-Identifier: Apache-2.0
 *
 * The main job in mode `challenge-verify`, with the configuration guide's own example: the service makes the code.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define USER_DATA "{\"number\": \"" USER_NUMBER "\"}"
#define CODE "12345" /* as in the guide */

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_challenge_verify, NO_BACKOFF);
}

static const char *header(const struct gateway_request *request, const char *name)
{
    return json_string_value(json_object_get(request->headers, name));
}

static void assert_documented_post(const struct gateway_request *request, const char *path, const char *body)
{
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->raw_url, path);
    assert_string_equal(header(request, "authorization"), "Bearer: your-api-key");
    assert_string_equal(header(request, "content-type"), "application/json");
    assert_int_equal(request->body_len, strlen(body));
    assert_string_equal(request->body, body);
}

static void assert_last_is_challenge(struct stage *stage)
{
    assert_documented_post(gateway_last_request(stage->gateway), "/mfa/codes",
                           "{\"phone_number\":\"" USER_NUMBER "\"}");
}

static void assert_last_is_verification(struct stage *stage, const char *code)
{
    char *body = NULL;
    assert_true(asprintf(&body, "{\"phone_number\":\"" USER_NUMBER "\",\"code\":\"%s\"}", code) > 0);
    assert_documented_post(gateway_last_request(stage->gateway), "/mfa/codes/verifications", body);
    free(body);
}

static void enrol(struct stage *stage, const char *username)
{
    char *token = stage_register(stage, username);
    char *mfa_token = user_activate(stage_url(stage), username, token, USER_DATA);
    json_decref(user_confirm(stage_url(stage), username, mfa_token, CODE));
    free(mfa_token);
    free(token);
}

static void enrolment_and_login_send_the_documented_posts(void **state)
{
    struct stage *stage = *state;
    char *token = stage_register(stage, "documented");
    gateway_forget_requests(stage->gateway);
    char *mfa_token = user_activate(stage_url(stage), "documented", token, USER_DATA);
    assert_last_is_challenge(stage);
    json_decref(user_confirm(stage_url(stage), "documented", mfa_token, CODE));
    assert_last_is_verification(stage, CODE);
    assert_int_equal(gateway_request_count(stage->gateway), 2);
    free(mfa_token);

    mfa_token = user_login_mfa(stage_url(stage), "documented");
    assert_last_is_challenge(stage);
    assert_int_equal(gateway_request_count(stage->gateway), 3);
    struct http_answer answer = user_mfa(stage_url(stage), "documented", "challenge", mfa_token, NULL);
    assert_string_equal(http_json_string(&answer, "message"), "Please verify the MFA challenge.");
    http_expect(answer, 200, NULL);
    assert_last_is_challenge(stage);
    free(user_verify(stage_url(stage), "documented", mfa_token, CODE));
    assert_last_is_verification(stage, CODE);
    assert_int_equal(gateway_request_count(stage->gateway), 5);
    free(mfa_token);
    free(token);
}

static void only_the_code_of_a_verify_body_reaches_the_service(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "onlycode");
    char *mfa_token = user_login_mfa(stage_url(stage), "onlycode");
    json_t *body = json_pack("{s:s, s:s, s:s}", "code", "A1b2", "number", "666", "phone_number", "666");
    http_expect(user_mfa(stage_url(stage), "onlycode", "verify", mfa_token, body), 200, NULL);
    assert_last_is_verification(stage, "A1b2");
    free(mfa_token);
}

static void a_malformed_code_makes_no_request(void **state)
{
    struct stage *stage = *state;
    static const char *const malformed[] = {"", "123", "12345678901", "123 456", "12\"45", "{{ code }}", "12345\n"};
    enrol(stage, "malformed");
    char *mfa_token = user_login_mfa(stage_url(stage), "malformed");
    size_t made = gateway_request_count(stage->gateway);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        http_expect(stage_send_code(stage, "malformed", "verify", mfa_token, malformed[i]), 400,
                    "invalid-parameters-format");
    assert_int_equal(gateway_request_count(stage->gateway), made);
    free(user_verify(stage_url(stage), "malformed", mfa_token, CODE));
    free(mfa_token);
}

static void user_data_stay_in_their_string(void **state)
{
    struct stage *stage = *state;
    static const char hostile[] = "{\"number\": \"1\\\" \\\"admin\\\":\\\"{ code }\\\\\"}";
    char *token = stage_register(stage, "hostile");
    free(user_activate(stage_url(stage), "hostile", token, hostile));
    assert_documented_post(gateway_last_request(stage->gateway), "/mfa/codes",
                           "{\"phone_number\":\"1\\\" \\\"admin\\\":\\\"{ code }\\\\\"}");
    free(token);
}

/* Many services answer a wrong code with 200 and say so in the body. */
static void only_an_empty_2xx_answer_accepts_a_code(void **state)
{
    struct stage *stage = *state;
    static const struct gateway_script refusals[] = {
        {.status = 200, .body = "{\"status\":\"pending\"}"},
        {.status = 200, .body = "OK"},
        {.status = 400},
        {.status = 404, .body = "{}"},
    };
    enrol(stage, "empty2xx");
    char *mfa_token = user_login_mfa(stage_url(stage), "empty2xx");
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        gateway_answer_next(stage->gateway, refusals[i]);
        http_expect_error(stage_send_code(stage, "empty2xx", "verify", mfa_token, CODE), 400, "invalid-operation",
                          "{\"id\": \"mfa-sms-provider-error\"}");
    }
    host_await_log(stage->host, "refused: answer has a body and no expect rule");
    gateway_answer_next(stage->gateway, (struct gateway_script){.status = 204});
    free(user_verify(stage_url(stage), "empty2xx", mfa_token, CODE));
    free(mfa_token);
}

static void a_service_that_throttles_is_passed_on_as_429(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "throttles");
    char *mfa_token = user_login_mfa(stage_url(stage), "throttles");
    gateway_answer_next(stage->gateway, (struct gateway_script){.status = 429});
    struct http_answer answer = stage_send_code(stage, "throttles", "verify", mfa_token, CODE);
    assert_non_null(http_header(&answer, "Retry-After"));
    assert_true(json_integer_value(json_object_get(json_object_get(json_object_get(answer.json, "error"), "data"),
                                                   "retryAfterSeconds")) > 0);
    http_expect(answer, 429, "too-many-attempts");
    free(user_verify(stage_url(stage), "throttles", mfa_token, CODE));
    free(mfa_token);
}

static void a_challenge_may_be_answered_with_any_body(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "anybody");
    gateway_answer_next(stage->gateway, (struct gateway_script){.status = 201, .body = "{\"id\":\"c-1\"}"});
    char *mfa_token = user_login_mfa(stage_url(stage), "anybody");
    free(user_verify(stage_url(stage), "anybody", mfa_token, CODE));
    free(mfa_token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enrolment_and_login_send_the_documented_posts),
        cmocka_unit_test(only_the_code_of_a_verify_body_reaches_the_service),
        cmocka_unit_test(a_malformed_code_makes_no_request),
        cmocka_unit_test(user_data_stay_in_their_string),
        cmocka_unit_test(only_an_empty_2xx_answer_accepts_a_code),
        cmocka_unit_test(a_service_that_throttles_is_passed_on_as_429),
        cmocka_unit_test(a_challenge_may_be_answered_with_any_body),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
