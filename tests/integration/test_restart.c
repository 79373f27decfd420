/* SPDX-License-Identifier: Apache-2.0
 *
 * What remains when the host ends: in good order, with challenges in flight, and killed in the middle of a change.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness_stage.h"

#define IN_FLIGHT 50
#define KILLS 30
#define KILLS_WRAPPED 4
/* A confirm or recover takes one or two milliseconds; wrapped, some tens. */
#define MOMENT_MAX_US 3000U
#define MOMENT_MAX_WRAPPED_US 80000U

static int open_stage(void **state)
{
    /* One user has more logins under way here than the default lets wait. */
    return stage_open_for_group(state, config_single, "    sessions:\n      maxPendingPerUser: 0\n");
}

static void a_restart_loses_pending_sessions_and_keeps_enrolments(void **state)
{
    struct stage *stage = *state;
    char code[GATEWAY_CODE_MAX + 1];
    stage_enrol(stage, "enrolled");
    struct pending_login login = stage_login(stage, "enrolled");
    char *token = stage_register(stage, "activates");
    char *mfa_token = user_activate(stage_url(stage), "activates", token, NULL);
    gateway_last_code(stage->gateway, code);
    host_stop(stage->host);
    host_start(stage->host);

    http_expect_error(stage_send_code(stage, "enrolled", "verify", login.mfa_token, login.code), 401,
                      "invalid-access-token", NULL);
    http_expect_error(stage_send_code(stage, "activates", "confirm", mfa_token, code), 401, "invalid-access-token",
                      NULL);
    assert_false(stage_is_active(stage, "activates", token)); /* tokens of the host's own outlive it */
    pending_login_clear(&login);
    login = stage_login(stage, "enrolled");
    free(user_verify(stage_url(stage), "enrolled", login.mfa_token, login.code));
    pending_login_clear(&login);
    free(mfa_token);
    free(token);
}

static void challenges_in_flight_are_answered_when_the_host_stops(void **state)
{
    struct stage *stage = *state;
    struct http_request requests[IN_FLIGHT];
    struct http_answer answers[IN_FLIGHT];
    stage_enrol(stage, "in-flight");
    for (size_t i = 0; i < IN_FLIGHT; i++)
        requests[i] =
            (struct http_request){.method = "POST", .path = "/in-flight/auth/login", .json = login_body("in-flight")};
    size_t before = gateway_request_count(stage->gateway);
    gateway_answer(stage->gateway, (struct gateway_script){.status = 200, .manner = GATEWAY_STALL});
    struct http_batch *batch = http_begin_all(stage_url(stage), requests, IN_FLIGHT);
    gateway_await_requests(stage->gateway, before + IN_FLIGHT, 60000);
    host_stop(stage->host);
    http_await_all(batch, answers);
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        assert_int_equal(answers[i].transport, CURLE_OK);
        assert_true(answers[i].status >= 400);
        http_expect(answers[i], answers[i].status, NULL);
    }

    gateway_answer(stage->gateway, (struct gateway_script){.status = 200});
    gateway_release(stage->gateway);
    host_start(stage->host);
    struct pending_login login = stage_login(stage, "in-flight");
    free(user_verify(stage_url(stage), "in-flight", login.mfa_token, login.code));
    pending_login_clear(&login);
}

/* --- Killed in the middle ---------------------------------------------------------------------------------------- */

/* Sends the request, kills the host at a random moment, and starts it again. Returns the answer, if there was one. */
static struct http_answer send_and_kill(struct stage *stage, struct http_request request)
{
    size_t moment_max_us = host_scale(MOMENT_MAX_US, MOMENT_MAX_WRAPPED_US);
    const struct timespec moment = {.tv_nsec = 1000L * (long)randombytes_uniform((uint32_t)moment_max_us)};
    struct http_answer answer;
    struct http_batch *batch = http_begin_all(stage_url(stage), &request, 1);
    nanosleep(&moment, NULL);
    host_kill(stage->host);
    http_await_all(batch, &answer);
    host_start(stage->host);
    return answer;
}

/* Logs in, with a code if one is needed. Returns whether it was; `*token` is the personal token, owned by caller. */
static bool log_in(struct stage *stage, const char *username, char **token)
{
    struct http_answer answer = user_login_answer(stage_url(stage), username);
    http_assert_answer(&answer, 200, NULL);
    const char *mfa_token = http_json_string(&answer, "mfaToken");
    bool needs_code = mfa_token != NULL;
    if (needs_code) {
        char code[GATEWAY_CODE_MAX + 1];
        gateway_last_code(stage->gateway, code);
        *token = user_verify(stage_url(stage), username, mfa_token, code);
    } else {
        *token = strdup(http_json_string(&answer, "token"));
    }
    http_answer_clear(&answer);
    return needs_code;
}

static size_t recovery_codes_left(struct stage *stage, const char *path, const char *token)
{
    struct http_answer answer = http_send(stage_url(stage), (struct http_request){.path = path, .token = token});
    http_assert_answer(&answer, 200, NULL);
    json_int_t left = json_integer_value(json_object_get(answer.json, "recoveryCodesRemaining"));
    http_answer_clear(&answer);
    return (size_t)left;
}

static struct http_answer recover(struct stage *stage, const char *username, const json_t *code)
{
    return user_mfa(
        stage_url(stage), username, "recover", NULL,
        json_pack("{s:s, s:s, s:O}", "username", username, "password", USER_PASSWORD, "recoveryCode", code));
}

static void a_kill_during_confirm_leaves_the_user_enrolled_or_not(void **state)
{
    struct stage *stage = *state;
    size_t kills = host_scale(KILLS, KILLS_WRAPPED);
    size_t enrolled = 0;
    char *token = stage_register(stage, "confirms");
    for (size_t i = 0; i < kills; i++) {
        char code[GATEWAY_CODE_MAX + 1];
        char *mfa_token = user_activate(stage_url(stage), "confirms", token, NULL);
        gateway_last_code(stage->gateway, code);
        struct http_answer answer = send_and_kill(
            stage, (struct http_request){
                       .method = "POST", .path = "/confirms/mfa/confirm", .token = mfa_token, .json = code_body(code)});
        free(token);
        bool is_enrolled = log_in(stage, "confirms", &token);
        enrolled += is_enrolled;
        assert_int_equal(stage_is_active(stage, "confirms", token), is_enrolled);
        assert_int_equal(recovery_codes_left(stage, "/confirms/mfa", token), is_enrolled ? 10 : 0);
        if (answer.status == 200 && answer.json) { /* the client was told so, and has its recovery codes */
            assert_true(is_enrolled);
            http_expect(recover(stage, "confirms", json_array_get(json_object_get(answer.json, "recoveryCodes"), 0)),
                        200, NULL);
        } else {
            http_expect(user_mfa(stage_url(stage), "confirms", "deactivate", token, NULL), 200, NULL);
        }
        http_answer_clear(&answer);
        free(mfa_token);
    }
    print_message("%zu kills, %zu times enrolled afterwards\n", kills, enrolled);
    free(token);
}

static void a_kill_during_recover_leaves_the_enrolment_whole_or_gone(void **state)
{
    struct stage *stage = *state;
    size_t kills = host_scale(KILLS, KILLS_WRAPPED);
    size_t recovered = 0;
    char *token = NULL;
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "recovers", NULL);
    for (size_t i = 0; i < kills; i++) {
        struct http_answer answer =
            send_and_kill(stage, (struct http_request){.method = "POST",
                                                       .path = "/recovers/mfa/recover",
                                                       .json = json_pack("{s:s, s:s, s:O}", "username", "recovers",
                                                                         "password", USER_PASSWORD, "recoveryCode",
                                                                         json_array_get(codes, i % 10))});
        bool is_enrolled = log_in(stage, "recovers", &token);
        recovered += !is_enrolled;
        assert_int_equal(stage_is_active(stage, "recovers", token), is_enrolled);
        assert_int_equal(recovery_codes_left(stage, "/recovers/mfa", token), is_enrolled ? 10 : 0);
        if (answer.status == 200)
            assert_false(is_enrolled);
        http_answer_clear(&answer);
        if (is_enrolled) /* every code is still good, also the one whose use was cut off */
            http_expect(recover(stage, "recovers", json_array_get(codes, i % 10)), 200, NULL);

        char code[GATEWAY_CODE_MAX + 1];
        char *mfa_token = user_activate(stage_url(stage), "recovers", token, NULL);
        gateway_last_code(stage->gateway, code);
        json_decref(codes);
        codes = user_confirm(stage_url(stage), "recovers", mfa_token, code);
        free(mfa_token);
        free(token);
    }
    print_message("%zu kills, %zu times recovered before\n", kills, recovered);
    json_decref(codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_loses_pending_sessions_and_keeps_enrolments),
        cmocka_unit_test(challenges_in_flight_are_answered_when_the_host_stops),
        cmocka_unit_test(a_kill_during_confirm_leaves_the_user_enrolled_or_not),
        cmocka_unit_test(a_kill_during_recover_leaves_the_enrolment_whole_or_gone),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
