/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients get for what is wrong with a request: status, id, data, `meta` and headers, on each route. What a service
 * does wrong is in test_gateway_failures.c, what is wrong with a session in test_bindings.c, with recovery in
 * test_recovery.c.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define BODY_MAX 16384
#define BODY_DEPTH_MAX 32

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, NULL);
}

struct route {
    const char *method;
    const char *path;
};

static const struct route personal_routes[] = {
    {"POST", "/julia/mfa/activate"}, {"POST", "/julia/mfa/deactivate"}, {"GET", "/julia/mfa"}};
static const struct route mfa_token_routes[] = {
    {"POST", "/julia/mfa/confirm"}, {"POST", "/julia/mfa/challenge"}, {"POST", "/julia/mfa/verify"}};

#define EACH(i, list) (size_t i = 0; i < sizeof(list) / sizeof *(list); i++)

static struct http_answer send_raw(struct stage *stage, struct route route, const char *token, const char *body)
{
    return http_send(stage_url(stage), (struct http_request){.method = route.method,
                                                             .path = route.path,
                                                             .token = token,
                                                             .raw = body,
                                                             .raw_len = body ? strlen(body) : 0});
}

/* The user that all tests here share, and a personal token of hers. */
static char *log_in_julia(struct stage *stage)
{
    struct http_answer answer = user_login_answer(stage_url(stage), "julia");
    bool is_new = answer.status == 404;
    http_answer_clear(&answer);
    return is_new ? stage_register(stage, "julia") : user_login(stage_url(stage), "julia");
}

/* An activation's token with a session behind it. */
static char *activate_julia(struct stage *stage)
{
    char *token = log_in_julia(stage);
    char *mfa_token = user_activate(stage_url(stage), "julia", token, NULL);
    free(token);
    return mfa_token;
}

static void a_personal_token_is_needed_where_it_is(void **state)
{
    struct stage *stage = *state;
    free(log_in_julia(stage));
    for
        EACH(i, personal_routes)
        {
            http_expect_error(send_raw(stage, personal_routes[i], NULL, NULL), 401, "invalid-access-token", NULL);
            http_expect_error(send_raw(stage, personal_routes[i], "unknown", NULL), 403, "invalid-access-token", NULL);
        }
}

static char *create_access(struct stage *stage, const char *token, const char *type)
{
    json_t *body = json_pack("{s:s, s:s, s:[]}", "name", type, "type", type, "permissions");
    struct http_answer answer =
        http_send(stage_url(stage),
                  (struct http_request){.method = "POST", .path = "/julia/accesses", .token = token, .json = body});
    char *created = strdup(http_json_string(&answer, "access/token"));
    http_expect(answer, 201, NULL);
    return created;
}

static void an_app_or_shared_token_is_forbidden(void **state)
{
    struct stage *stage = *state;
    static const char *const types[] = {"app", "shared"};
    char *token = log_in_julia(stage);
    for
        EACH(i, types)
        {
            char *access = create_access(stage, token, types[i]);
        for
            EACH(j, personal_routes)
        http_expect_error(send_raw(stage, personal_routes[j], access, NULL), 403, "forbidden", NULL);
        free(access);
        }
    free(token);
}

static void a_personal_token_of_another_user_is_refused(void **state)
{
    struct stage *stage = *state;
    free(log_in_julia(stage));
    char *token = stage_register(stage, "other");
    for
        EACH(i, personal_routes)
    http_expect_error(send_raw(stage, personal_routes[i], token, NULL), 403, "invalid-access-token", NULL);
    free(token);
}

static void the_administrator_s_route_needs_the_administrator_s_key(void **state)
{
    struct stage *stage = *state;
    static const struct route reset = {"DELETE", "/system/users/julia/mfa"};
    char *token = log_in_julia(stage);
    http_expect_error(send_raw(stage, reset, NULL, NULL), 401, "invalid-access-token", NULL);
    http_expect_error(send_raw(stage, reset, token, NULL), 403, "invalid-access-token", NULL);
    http_expect_error(send_raw(stage, reset, ADMIN_KEY "x", NULL), 403, "invalid-access-token", NULL);
    http_expect(send_raw(stage, reset, ADMIN_KEY, NULL), 204, NULL);
    free(token);
}

static void an_mfa_token_is_needed_where_it_is(void **state)
{
    struct stage *stage = *state;
    char *token = log_in_julia(stage);
    for
        EACH(i, mfa_token_routes)
        {
            const char *body = "{\"code\": \"123456\"}";
            http_expect_error(send_raw(stage, mfa_token_routes[i], NULL, body), 400, "invalid-parameters-format", NULL);
            http_expect_error(send_raw(stage, mfa_token_routes[i], "unknown", body), 401, "invalid-access-token", NULL);
            http_expect_error(send_raw(stage, mfa_token_routes[i], token, body), 401, "invalid-access-token", NULL);
        }
    free(token);
}

static void an_unknown_user_and_an_unknown_path_are_404(void **state)
{
    struct stage *stage = *state;
    static const struct route routes[] = {
        {"POST", "/nobody/mfa/activate"}, {"POST", "/nobody/mfa/confirm"},    {"POST", "/nobody/mfa/challenge"},
        {"POST", "/nobody/mfa/verify"},   {"POST", "/nobody/mfa/deactivate"}, {"POST", "/nobody/mfa/recover"},
        {"GET", "/nobody/mfa"},           {"POST", "/JULIA/mfa/verify"},      {"POST", "/jul/mfa/verify"},
        {"POST", "/julia/mfa/unknown"},   {"GET", "/julia/mfa/activate"},     {"POST", "/julia/mfa/verify/"},
        {"POST", "/julia%00/mfa/verify"}, {"POST", "/../julia/mfa/verify"},   {"DELETE", "/system/users/nobody/mfa"},
    };
    free(log_in_julia(stage));
    for
        EACH(i, routes)
    http_expect_error(send_raw(stage, routes[i], ADMIN_KEY, "{}"), 404, "unknown-resource", NULL);
}

static char *repeat(const char *before, const char *unit, size_t times, const char *after)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    fputs(before, out);
    for (size_t i = 0; i < times; i++)
        fputs(unit, out);
    fputs(after, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_no_body_is_good(struct stage *stage, struct route route, const char *token, const char *body)
{
    struct http_answer answer = send_raw(stage, route, token, body);
    if (answer.status != 400)
        print_error("%s with %.40s\n", route.path, body);
    http_expect_error(answer, 400, "invalid-request-structure", NULL);
}

static void a_body_that_is_no_moderate_json_object_is_refused(void **state)
{
    struct stage *stage = *state;
    char *huge = repeat("{\"code\": \"", "1", BODY_MAX, "\"}");
    char *huger = repeat("{\"code\": \"", "1", 4 * 1024 * 1024, "\"}");
    char *deep = repeat("{\"a\":", "[", 64, "");
    char *deep_and_closed = repeat(deep, "]", 64, "}");
    const char *const bodies[] = {"{",
                                  "nonsense",
                                  "[]",
                                  "\"text\"",
                                  "12",
                                  "null",
                                  "{\"code\":\"1\",\"code\":\"2\"}",
                                  "{} {}",
                                  "{'a':1}",
                                  "{\"a\"}",
                                  "{\"a\":\"\xff\"}",
                                  deep_and_closed,
                                  huge,
                                  huger};
    char *token = log_in_julia(stage);
    char *mfa_token = activate_julia(stage);
    for
        EACH(i, bodies)
        {
            assert_no_body_is_good(stage, personal_routes[0], token, bodies[i]);
            assert_no_body_is_good(stage, mfa_token_routes[0], mfa_token, bodies[i]);
            assert_no_body_is_good(stage, mfa_token_routes[2], mfa_token, bodies[i]);
            assert_no_body_is_good(stage, (struct route){"POST", "/julia/mfa/recover"}, NULL, bodies[i]);
        }
    free(mfa_token);
    free(token);
    free(deep_and_closed);
    free(deep);
    free(huger);
    free(huge);
}

static void assert_names_path(struct http_answer answer, const char *path)
{
    const json_t *data = json_object_get(json_object_get(answer.json, "error"), "data");
    const char *got = json_string_value(json_object_get(json_array_get(data, 0), "path"));
    if (!got || strcmp(got, path) != 0)
        fail_msg("expected a problem at %s: %s", path, answer.body);
    http_expect(answer, 400, "invalid-parameters-format"); /* transferred */
}

/* A body that was read is refused for the code that it lacks. */
static void the_largest_and_the_deepest_body_are_still_read(void **state)
{
    struct stage *stage = *state;
    char *deep = repeat("{\"more\": ", "[", BODY_DEPTH_MAX - 1, "");
    char *deepest = repeat(deep, "]", BODY_DEPTH_MAX - 1, "}");
    char *deeper = repeat("{\"more\": ", "[", BODY_DEPTH_MAX, "");
    char *too_deep = repeat(deeper, "]", BODY_DEPTH_MAX, "}");
    char *largest = repeat("{", " ", BODY_MAX - strlen("{}"), "}");
    char *too_large = repeat(largest, " ", 1, "");
    free(log_in_julia(stage));
    char *mfa_token = activate_julia(stage);
    assert_names_path(send_raw(stage, mfa_token_routes[0], mfa_token, deepest), "#/code");
    assert_names_path(send_raw(stage, mfa_token_routes[0], mfa_token, largest), "#/code");
    assert_no_body_is_good(stage, mfa_token_routes[0], mfa_token, too_deep);
    assert_no_body_is_good(stage, mfa_token_routes[0], mfa_token, too_large);
    free(mfa_token);
    free(too_large);
    free(largest);
    free(too_deep);
    free(deeper);
    free(deepest);
    free(deep);
}

static void who_has_no_session_is_told_nothing_of_the_body(void **state)
{
    struct stage *stage = *state;
    static const char *const bodies[] = {"", "nonsense", "{}", "{\"code\":12}", "{\"recoveryCode\":[]}"};
    free(log_in_julia(stage));
    for
        EACH(i, bodies)
        {
            http_expect(send_raw(stage, mfa_token_routes[0], "unknown", bodies[i]), 401, "invalid-access-token");
            http_expect(send_raw(stage, mfa_token_routes[1], "unknown", bodies[i]), 401, "invalid-access-token");
            http_expect(send_raw(stage, mfa_token_routes[2], "unknown", bodies[i]), 401, "invalid-access-token");
        }
}

static void a_code_that_is_none_is_refused_by_its_path(void **state)
{
    struct stage *stage = *state;
    static const char *const bodies[] = {"{}",
                                         "{\"code\": 123456}",
                                         "{\"code\": null}",
                                         "{\"code\": [\"123456\"]}",
                                         "{\"code\": \"\"}",
                                         "{\"code\": \"123\"}",
                                         "{\"code\": \"12345678901\"}",
                                         "{\"code\": \"12a456\"}",
                                         "{\"code\": \"12345\\n\"}"};
    char *mfa_token = activate_julia(stage);
    for
        EACH(i, bodies)
        {
            assert_names_path(send_raw(stage, mfa_token_routes[0], mfa_token, bodies[i]), "#/code");
            assert_names_path(send_raw(stage, mfa_token_routes[2], mfa_token, bodies[i]), "#/code");
        }
    assert_names_path(send_raw(stage, mfa_token_routes[0], mfa_token, NULL), "#/code");
    free(mfa_token);
}

static void user_data_that_the_templates_cannot_use_are_refused_by_their_path(void **state)
{
    struct stage *stage = *state;
    static const struct {
        const char *body;
        const char *path;
    } bad[] = {
        {"{}", "#/message"},
        {"{\"message\": \"{{ code }}\"}", "#/number"},
        {"{\"message\": \"{{ code }}\", \"number\": \"\"}", "#/number"},
        {"{\"message\": \"{{ code }}\", \"number\": null}", "#/number"},
        {"{\"message\": \"{{ code }}\", \"number\": {\"a\": 1}}", "#/number"},
        {"{\"message\": [\"{{ code }}\"], \"number\": \"1\"}", "#/message"},
        {"{\"message\": \"m\", \"number\": \"1\", \"code\": \"123456\"}", "#/code"},
        {"{\"message\": \"m\", \"number\": \"1\", \"a b\": \"1\"}", "#/"},
    };
    char *token = log_in_julia(stage);
    size_t sent = gateway_request_count(stage->gateway);
    for
        EACH(i, bad)
    assert_names_path(send_raw(stage, personal_routes[0], token, bad[i].body), bad[i].path);
    assert_names_path(send_raw(stage, personal_routes[0], token, NULL), "#/message");

    char *large = repeat("{\"number\": \"1\", \"message\": \"", "m", 4200, "\"}");
    assert_names_path(send_raw(stage, personal_routes[0], token, large), "#/");
    assert_int_equal(gateway_request_count(stage->gateway), sent);
    free(large);
    free(token);
}

static void recovery_parameters_are_refused_by_their_path(void **state)
{
    struct stage *stage = *state;
    static const struct route recover = {"POST", "/julia/mfa/recover"};
    free(log_in_julia(stage));
    assert_names_path(send_raw(stage, recover, NULL, "{}"), "#/username");
    assert_names_path(send_raw(stage, recover, NULL, "{\"username\": \"julia\", \"password\": 1}"), "#/password");
    assert_names_path(send_raw(stage, recover, NULL, "{\"username\": \"julia\", \"password\": \"p\"}"),
                      "#/recoveryCode");
    assert_names_path(
        send_raw(stage, recover, NULL, "{\"username\": [], \"password\": \"p\", \"recoveryCode\": \"r\"}"),
        "#/username");
}

static void no_error_repeats_what_the_client_sent(void **state)
{
    struct stage *stage = *state;
    static const char *const bodies[] = {
        "{\"code\": \"CANARY\"}", "{\"number\": [\"CANARY\"], \"message\": \"CANARY\"}",
        "{\"username\": \"julia\", \"password\": \"CANARY\", \"recoveryCode\": \"CANARY\"}", "CANARY"};
    static const struct route routes[] = {{"POST", "/julia/mfa/activate"},
                                          {"POST", "/julia/mfa/confirm"},
                                          {"POST", "/julia/mfa/verify"},
                                          {"POST", "/julia/mfa/recover"}};
    char *tokens[] = {log_in_julia(stage), activate_julia(stage), strdup("CANARY")};
    for
        EACH(i, routes)
        {
        for
            EACH(j, bodies)
            {
            for
                EACH(k, tokens)
                {
                    struct http_answer answer = send_raw(stage, routes[i], tokens[k], bodies[j]);
                    assert_null(strstr(answer.body, "CANARY"));
                    assert_true(answer.status >= 400 && answer.status < 500);
                    http_answer_clear(&answer);
                }
            }
        }
    for
        EACH(k, tokens)
    free(tokens[k]);
    char *token = stage_register(stage, "last-word");
    free(user_activate(stage_url(stage), "last-word", token, NULL));
    free(token);
    host_await_log(stage->host, "user=last-word");
    assert_false(host_log_has(stage->host, "CANARY"));
}

static void browsers_may_ask_before_they_send(void **state)
{
    struct stage *stage = *state;
    static const char *const headers[] = {"Origin: https://app.example", "Access-Control-Request-Method: POST",
                                          "Access-Control-Request-Headers: authorization,content-type", NULL};
    for
        EACH(i, mfa_token_routes)
        {
            struct http_answer answer = http_send(
                stage_url(stage),
                (struct http_request){.method = "OPTIONS", .path = mfa_token_routes[i].path, .headers = headers});
            assert_non_null(strstr(http_header(&answer, "Access-Control-Allow-Methods"), "POST"));
            assert_non_null(strcasestr(http_header(&answer, "Access-Control-Allow-Headers"), "authorization"));
            http_expect(answer, 200, NULL);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_personal_token_is_needed_where_it_is),
        cmocka_unit_test(an_app_or_shared_token_is_forbidden),
        cmocka_unit_test(a_personal_token_of_another_user_is_refused),
        cmocka_unit_test(the_administrator_s_route_needs_the_administrator_s_key),
        cmocka_unit_test(an_mfa_token_is_needed_where_it_is),
        cmocka_unit_test(an_unknown_user_and_an_unknown_path_are_404),
        cmocka_unit_test(a_body_that_is_no_moderate_json_object_is_refused),
        cmocka_unit_test(the_largest_and_the_deepest_body_are_still_read),
        cmocka_unit_test(who_has_no_session_is_told_nothing_of_the_body),
        cmocka_unit_test(a_code_that_is_none_is_refused_by_its_path),
        cmocka_unit_test(user_data_that_the_templates_cannot_use_are_refused_by_their_path),
        cmocka_unit_test(recovery_parameters_are_refused_by_their_path),
        cmocka_unit_test(no_error_repeats_what_the_client_sent),
        cmocka_unit_test(browsers_may_ask_before_they_send),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
