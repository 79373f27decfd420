/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plugin counts, as GET /metrics of the host shows it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness_stage.h"

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, NO_BACKOFF);
}

static bool has_line(struct stage *stage, const char *line)
{
    struct http_answer answer = http_send(stage_url(stage), (struct http_request){.path = "/metrics"});
    const char *at = strstr(answer.body, line);
    bool is_there = at && (at == answer.body || at[-1] == '\n') && at[strlen(line)] == '\n';

    assert_int_equal(answer.status, 200);
    http_answer_clear(&answer);
    return is_there;
}

static void expect_line(struct stage *stage, const char *line)
{
    if (!has_line(stage, line))
        fail_msg("there is no line \"%s\"", line);
}

static void await_line(struct stage *stage, const char *line)
{
    for (int i = 0; i < 100 && !has_line(stage, line); i++)
        usleep(100 * 1000);
    expect_line(stage, line);
}

/* A rate is taken of what was there before: the first message that fails, or factor that stops, must not go unseen. */
static void counters_are_there_before_there_is_anything_to_count(void **state)
{
    expect_line(*state, "mfa_requests_total{flow=\"verify\",outcome=\"stopped\"} 0");
    expect_line(*state, "mfa_challenges_total{host=\"127.0.0.1\",outcome=\"error\"} 0");
}

static void logins_are_counted_by_what_came_of_them(void **state)
{
    struct stage *stage = *state;
    struct pending_login login;
    char wrong[GATEWAY_CODE_MAX + 1];

    stage_enrol(stage, "counted");
    login = stage_login(stage, "counted");
    memcpy(wrong, login.code, sizeof(wrong));
    code_spoil(wrong, 0);
    struct http_answer answer = stage_send_code(stage, "counted", "verify", login.mfa_token, wrong);
    http_answer_clear(&answer);
    answer = stage_send_code(stage, "counted", "verify", login.mfa_token, login.code);
    http_answer_clear(&answer);
    pending_login_clear(&login);
    expect_line(stage, "mfa_requests_total{flow=\"confirm\",outcome=\"enrolled\"} 1");
    expect_line(stage, "mfa_requests_total{flow=\"login\",outcome=\"challenged\"} 1");
    expect_line(stage, "mfa_requests_total{flow=\"verify\",outcome=\"wrong-code\"} 1");
    expect_line(stage, "mfa_requests_total{flow=\"verify\",outcome=\"verified\"} 1");
    expect_line(stage, "mfa_challenges_total{host=\"127.0.0.1\",outcome=\"sent\"} 2");
    expect_line(stage, "mfa_gateway_seconds_count{host=\"127.0.0.1\",call=\"send\"} 2");
}

static void pending_sessions_are_told_within_seconds(void **state)
{
    struct stage *stage = *state;
    struct pending_login login;

    stage_enrol(stage, "pending");
    login = stage_login(stage, "pending");
    await_line(stage, "mfa_pending_sessions 1");
    await_line(stage, "mfa_gateway_in_flight 0"); /* stock may have been taken while the message was on its way */
    pending_login_clear(&login);
}

static void no_user_is_named(void **state)
{
    struct stage *stage = *state;
    struct http_answer answer = http_send(stage_url(stage), (struct http_request){.path = "/metrics"});

    assert_null(strstr(answer.body, "counted"));
    assert_null(strstr(answer.body, "\"pending\""));
    assert_null(strstr(answer.body, USER_NUMBER));
    http_answer_clear(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_are_there_before_there_is_anything_to_count),
        cmocka_unit_test(logins_are_counted_by_what_came_of_them),
        cmocka_unit_test(pending_sessions_are_told_within_seconds),
        cmocka_unit_test(no_user_is_named),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
