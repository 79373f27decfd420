/* SPDX-License-Identifier: Apache-2.0
 *
 * The main job in mode `single`, with the configuration guide's own example.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define MESSAGE_BEFORE_CODE "Your Pryv Lab MFA code is: "

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, NULL);
}

static const char *query_value(const struct gateway_request *request, const char *name)
{
    return json_string_value(json_object_get(request->query, name));
}

static void assert_sends_the_documented_request(const struct gateway_request *request, const char *code)
{
    char *message = NULL;
    assert_true(asprintf(&message, MESSAGE_BEFORE_CODE "%s", code) > 0);
    assert_string_equal(request->method, "GET");
    assert_string_equal(request->path, "/http/1.6/sendSMS.do");
    assert_int_equal(json_object_size(request->query), 4);
    assert_string_equal(query_value(request, "accessToken"), "your-api-key");
    assert_string_equal(query_value(request, "message"), message);
    assert_string_equal(query_value(request, "emetteur"), "Pryv Lab");
    assert_string_equal(query_value(request, "numero"), USER_NUMBER);
    assert_int_equal(request->body_len, 0);
    free(message);
}

static void the_message_arrives_as_one_parameter_with_the_code_in_it(void **state)
{
    struct stage *stage = *state;
    char code[GATEWAY_CODE_MAX + 1];
    char *token = stage_register(stage, "message");
    char *mfa_token = user_activate(stage_url(stage), "message", token, NULL);
    gateway_last_code(stage->gateway, code);
    assert_int_equal(strlen(code), 6);
    assert_sends_the_documented_request(gateway_last_request(stage->gateway), code);

    char *raw = NULL;
    assert_true(asprintf(&raw,
                         "/http/1.6/sendSMS.do?accessToken=your-api-key&message=Your%%20Pryv%%20Lab%%20MFA%%20code"
                         "%%20is%%3A%%20%s&emetteur=Pryv%%20Lab&numero=" USER_NUMBER,
                         code) > 0);
    assert_string_equal(gateway_last_request(stage->gateway)->raw_url, raw);
    free(raw);
    json_decref(user_confirm(stage_url(stage), "message", mfa_token, code));
    free(mfa_token);
    free(token);
}

static void a_user_without_mfa_logs_in_as_before_and_no_message_is_sent(void **state)
{
    struct stage *stage = *state;
    size_t sent = gateway_request_count(stage->gateway);
    user_register(stage_url(stage), "plain");
    struct http_answer answer = user_login_answer(stage_url(stage), "plain");
    assert_non_null(http_json_string(&answer, "token"));
    assert_non_null(http_json_string(&answer, "apiEndpoint"));
    assert_non_null(http_json_string(&answer, "preferredLanguage"));
    assert_int_equal(json_object_size(answer.json), 4);
    http_expect(answer, 200, NULL);
    assert_int_equal(gateway_request_count(stage->gateway), sent);
}

static void a_login_with_mfa_gives_only_an_mfa_token_and_sends_one_message(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "onemessage");
    size_t sent = gateway_request_count(stage->gateway);
    struct http_answer answer = user_login_answer(stage_url(stage), "onemessage");
    assert_non_null(http_json_string(&answer, "mfaToken"));
    assert_int_equal(json_object_size(answer.json), 2); /* mfaToken and meta */
    assert_null(http_header(&answer, "Set-Cookie"));
    http_expect(answer, 200, NULL);
    assert_int_equal(gateway_request_count(stage->gateway), sent + 1);
}

static void verify_gives_the_login_response_that_was_held_back(void **state)
{
    struct stage *stage = *state;
    user_register(stage_url(stage), "heldback");
    struct http_answer plain = user_login_answer(stage_url(stage), "heldback");
    char *mfa_token = user_activate(stage_url(stage), "heldback", http_json_string(&plain, "token"), NULL);
    char code[GATEWAY_CODE_MAX + 1];
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), "heldback", mfa_token, code));
    free(mfa_token);

    struct pending_login login = stage_login(stage, "heldback");
    struct http_answer answer = stage_send_code(stage, "heldback", "verify", login.mfa_token, login.code);
    assert_int_equal(json_object_size(answer.json), json_object_size(plain.json));
    assert_string_equal(http_json_string(&answer, "preferredLanguage"), http_json_string(&plain, "preferredLanguage"));
    const char *token = http_json_string(&answer, "token");
    assert_non_null(token);
    assert_string_not_equal(token, http_json_string(&plain, "token"));
    assert_non_null(strstr(http_json_string(&answer, "apiEndpoint"), token));
    struct http_answer info =
        http_send(stage_url(stage), (struct http_request){.path = "/heldback/access-info", .token = token});
    assert_string_equal(http_json_string(&info, "type"), "personal");
    assert_string_equal(http_json_string(&info, "name"), "tests"); /* the appId of the login */
    http_expect(info, 200, NULL);
    http_expect(answer, 200, NULL);
    http_answer_clear(&plain);
    pending_login_clear(&login);
}

static void the_mfa_token_opens_nothing_before_verify(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "nothingyet");
    struct pending_login login = stage_login(stage, "nothingyet");
    static const char *const paths[] = {"/nothingyet/access-info", "/nothingyet/mfa", "/nothingyet/profile/private"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        http_expect(http_send(stage_url(stage), (struct http_request){.path = paths[i], .token = login.mfa_token}), 403,
                    "invalid-access-token");
    pending_login_clear(&login);
}

static void a_code_may_be_written_in_groups(void **state)
{
    struct stage *stage = *state;
    char spaced[2 * GATEWAY_CODE_MAX];
    stage_enrol(stage, "ingroups");
    static const char separators[] = " -";
    for (size_t i = 0; i < strlen(separators); i++) {
        struct pending_login login = stage_login(stage, "ingroups");
        snprintf(spaced, sizeof spaced, "%.3s%c%.3s", login.code, separators[i], login.code + 3);
        http_expect(stage_send_code(stage, "ingroups", "verify", login.mfa_token, spaced), 200, NULL);
        pending_login_clear(&login);
    }
}

static void a_browser_gets_200_instead_of_302(void **state)
{
    struct stage *stage = *state;
    char *token = stage_register(stage, "browser");
    static const char *const headers[] = {"Sec-Fetch-Mode: cors", NULL};
    struct http_answer answer = http_send(stage_url(stage), (struct http_request){.method = "POST",
                                                                                  .path = "/browser/mfa/activate",
                                                                                  .token = token,
                                                                                  .raw = USER_DATA_SINGLE,
                                                                                  .raw_len = strlen(USER_DATA_SINGLE),
                                                                                  .headers = headers});
    assert_non_null(http_json_string(&answer, "mfaToken"));
    assert_null(http_header(&answer, "Location"));
    http_expect(answer, 200, NULL);
    answer = user_mfa(stage_url(stage), "browser", "activate", token, json_loads(USER_DATA_SINGLE, 0, NULL));
    assert_null(http_header(&answer, "Location"));
    http_expect(answer, 302, NULL);
    free(token);
}

/* The three ways to present a token, at GET {path} or POST {path}. */
static void assert_token_is_taken(struct stage *stage, const char *method, const char *path, const char *token)
{
    char *lines[2] = {NULL};
    char *query = NULL;
    assert_true(asprintf(&lines[0], "Authorization: %s", token) > 0);
    assert_true(asprintf(&lines[1], "Authorization: Bearer %s", token) > 0);
    assert_true(asprintf(&query, "%s?auth=%s", path, token) > 0);
    for (size_t i = 0; i < 2; i++) {
        const char *const headers[] = {lines[i], NULL};
        http_expect(
            http_send(stage_url(stage), (struct http_request){.method = method, .path = path, .headers = headers}), 200,
            NULL);
        free(lines[i]);
    }
    http_expect(http_send(stage_url(stage), (struct http_request){.method = method, .path = query}), 200, NULL);
    free(query);
}

static void tokens_are_taken_from_the_header_with_and_without_bearer_and_from_the_query(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "threeways");
    struct pending_login login = stage_login(stage, "threeways");
    char *token = user_verify(stage_url(stage), "threeways", login.mfa_token, login.code);
    pending_login_clear(&login);
    login = stage_login(stage, "threeways");
    assert_token_is_taken(stage, "GET", "/threeways/mfa", token);
    assert_token_is_taken(stage, "POST", "/threeways/mfa/challenge", login.mfa_token);
    pending_login_clear(&login);
    free(token);
}

static void status_tells_of_the_enrolment_with_the_destination_masked(void **state)
{
    struct stage *stage = *state;
    struct http_request get = {.path = "/statususer/mfa"};
    char *token = stage_register(stage, "statususer");
    get.token = token;
    struct http_answer answer = http_send(stage_url(stage), get);
    assert_true(json_is_false(json_object_get(answer.json, "active")));
    assert_string_equal(http_json_string(&answer, "mode"), "single");
    http_expect(answer, 200, NULL);

    char code[GATEWAY_CODE_MAX + 1];
    char *mfa_token = user_activate(stage_url(stage), "statususer", token, NULL);
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), "statususer", mfa_token, code));
    answer = http_send(stage_url(stage), get);
    assert_true(json_is_true(json_object_get(answer.json, "active")));
    assert_string_equal(http_json_string(&answer, "hint"), "+41 ** *** 12 12");
    assert_int_equal(json_integer_value(json_object_get(answer.json, "recoveryCodesRemaining")), 10);
    assert_true(json_number_value(json_object_get(answer.json, "confirmedAt")) > 1.6e9);
    assert_null(strstr(answer.body, USER_NUMBER));
    http_expect(answer, 200, NULL);
    free(mfa_token);
    free(token);
}

static void user_data_stay_in_their_place(void **state)
{
    struct stage *stage = *state;
    static const char hostile[] = "{\"number\": \"41&numero=666#x?y=%26z\","
                                  " \"message\": \"{{ number }} {{ code }}&to=666\\r\\nHost: elsewhere\"}";
    char *token = stage_register(stage, "hostile");
    free(user_activate(stage_url(stage), "hostile", token, hostile));
    const struct gateway_request *request = gateway_last_request(stage->gateway);
    assert_int_equal(json_object_size(request->query), 4);
    assert_string_equal(query_value(request, "numero"), "41&numero=666#x?y=&z");
    const char *message = query_value(request, "message");
    assert_true(strncmp(message, "{{ number }} ", strlen("{{ number }} ")) == 0);
    assert_non_null(strstr(message, "&to=666\r\nHost: elsewhere"));
    assert_string_equal(request->path, "/http/1.6/sendSMS.do");
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_arrives_as_one_parameter_with_the_code_in_it),
        cmocka_unit_test(user_data_stay_in_their_place),
        cmocka_unit_test(a_user_without_mfa_logs_in_as_before_and_no_message_is_sent),
        cmocka_unit_test(a_login_with_mfa_gives_only_an_mfa_token_and_sends_one_message),
        cmocka_unit_test(verify_gives_the_login_response_that_was_held_back),
        cmocka_unit_test(the_mfa_token_opens_nothing_before_verify),
        cmocka_unit_test(a_code_may_be_written_in_groups),
        cmocka_unit_test(a_browser_gets_200_instead_of_302),
        cmocka_unit_test(tokens_are_taken_from_the_header_with_and_without_bearer_and_from_the_query),
        cmocka_unit_test(status_tells_of_the_enrolment_with_the_destination_masked),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
