/* SPDX-License-Identifier: Apache-2.0
 *
 * The send limits over HTTP, with their default numbers unless a test says otherwise, and what a restart leaves of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness_stage.h"

#define HOUR 3600
#define DAY 86400

static char *config_limited(const char *gateway_url, const char *send_limits)
{
    char *mfa = NULL;
    assert_true(asprintf(&mfa,
                         "    mode: single\n"
                         "    sms:\n"
                         "      endpoints:\n"
                         "        single:\n"
                         "          url: '%s/send?message={{ message }}&numero={{ number }}'\n"
                         "          method: 'GET'\n"
                         "%s",
                         gateway_url, send_limits ? send_limits : "") > 0);
    char *yaml = config_with(mfa);
    free(mfa);
    return yaml;
}

/* Asserts a 429 that says the same in header and data, a wait of at most `longest` seconds and not much less. */
static void expect_wait(struct http_answer answer, long longest)
{
    http_assert_answer(&answer, 429, "too-many-attempts");
    const json_t *data = json_object_get(json_object_get(answer.json, "error"), "data");
    json_int_t wait = json_integer_value(json_object_get(data, "retryAfterSeconds"));
    assert_int_equal(atoll(http_header(&answer, "Retry-After")), wait);
    assert_in_range(wait, longest > 600 ? longest - 600 : 1, longest);
    http_answer_clear(&answer);
}

/* Logs in past a limit. Returns the mfaToken; owned by caller. */
static char *login_delayed(struct stage *stage, const char *username, long longest)
{
    struct http_answer answer = user_login_answer(stage_url(stage), username);
    http_assert_answer(&answer, 200, NULL);
    json_int_t wait = json_integer_value(json_object_get(answer.json, "retryAfterSeconds"));
    assert_in_range(wait, longest > 600 ? longest - 600 : 1, longest);
    assert_null(json_object_get(answer.json, "token"));
    assert_null(json_object_get(answer.json, "apiEndpoint"));
    char *mfa_token = strdup(http_json_string(&answer, "mfaToken"));
    http_answer_clear(&answer);
    return mfa_token;
}

static struct http_answer challenge(struct stage *stage, const char *username, const char *mfa_token)
{
    return user_mfa(stage_url(stage), username, "challenge", mfa_token, NULL);
}

static struct http_answer activate(struct stage *stage, const char *username, const char *number)
{
    char *token = stage_register(stage, username);
    struct http_answer answer = user_mfa(stage_url(stage), username, "activate", token,
                                         json_pack("{s:s, s:s}", "message", "{{ code }}", "number", number));
    free(token);
    return answer;
}

static void re_sends_keep_their_interval_and_codes_stay_good(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "hasty");
    struct pending_login login = stage_login(stage, "hasty");
    http_expect(challenge(stage, "hasty", login.mfa_token), 200, NULL);
    size_t sent = gateway_request_count(stage->gateway);
    expect_wait(challenge(stage, "hasty", login.mfa_token), 30);
    assert_int_equal(gateway_request_count(stage->gateway), sent);
    free(user_verify(stage_url(stage), "hasty", login.mfa_token, login.code));
    pending_login_clear(&login);
}

static void a_user_gets_ten_messages_an_hour_and_then_tokens_only(void **state)
{
    struct stage *stage = *state;
    struct pending_login last = {0};
    stage_enrol(stage, "frequent"); /* the first message */
    for (int i = 1; i < 10; i++) {
        pending_login_clear(&last);
        last = stage_login(stage, "frequent");
    }
    size_t sent = gateway_request_count(stage->gateway);
    char *mfa_token = login_delayed(stage, "frequent", HOUR);
    expect_wait(challenge(stage, "frequent", mfa_token), HOUR);
    assert_int_equal(gateway_request_count(stage->gateway), sent);
    http_expect_error(stage_send_code(stage, "frequent", "verify", mfa_token, last.code), 400,
                      "invalid-parameters-format", "{\"id\":\"invalid-mfa-code\",\"attemptsLeft\":4}");
    free(user_verify(stage_url(stage), "frequent", last.mfa_token, last.code)); /* still good */
    pending_login_clear(&last);
    free(mfa_token);
}

static void a_number_gets_twenty_messages_a_day_from_all_users_in_all_spellings(void **state)
{
    static const char *const spellings[] = {"49301234567", "+49 30 1234567", "0049-30-1234567", "%2B49301234567"};
    struct stage *stage = *state;
    char username[32];
    size_t sent = gateway_request_count(stage->gateway);
    for (size_t i = 0; i < 20; i++) {
        snprintf(username, sizeof username, "caller-%zu", i);
        http_expect(activate(stage, username, spellings[i % 4]), 302, NULL);
    }
    assert_int_equal(gateway_request_count(stage->gateway), sent + 20);
    expect_wait(activate(stage, "caller-late", "(49) 30 1234567"), DAY);
    http_expect(activate(stage, "caller-other", "49301234568"), 302, NULL);
    assert_int_equal(gateway_request_count(stage->gateway), sent + 21);
    host_await_log(stage->host, "user=caller-other");
    assert_false(host_log_has(stage->host, "49301234567"));
}

static void messages_that_fail_are_not_counted(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "unlucky");
    gateway_answer(stage->gateway, (struct gateway_script){.status = 500});
    for (int i = 0; i < 12; i++)
        http_expect(user_login_answer(stage_url(stage), "unlucky"), 400, "invalid-operation");
    gateway_answer(stage->gateway, (struct gateway_script){.status = 200});
    struct pending_login login = stage_login(stage, "unlucky");
    free(user_verify(stage_url(stage), "unlucky", login.mfa_token, login.code));
    pending_login_clear(&login);
}

static void logins_at_once_cannot_pass_the_limit_together(void **state)
{
    struct stage *stage = *state;
    struct http_request requests[40];
    struct http_answer answers[40];
    size_t delayed = 0;
    stage_enrol(stage, "parallel");
    size_t sent = gateway_request_count(stage->gateway);
    for (size_t i = 0; i < 40; i++)
        requests[i] =
            (struct http_request){.method = "POST", .path = "/parallel/auth/login", .json = login_body("parallel")};
    http_send_all(stage_url(stage), requests, answers, 40);
    for (size_t i = 0; i < 40; i++) {
        delayed += answers[i].status == 200 && json_object_get(answers[i].json, "retryAfterSeconds");
        http_answer_clear(&answers[i]);
    }
    assert_int_equal(gateway_request_count(stage->gateway), sent + 9);
    assert_true(delayed >= 40 - 9 - 1);
}

/* --- Restarts ------------------------------------------------------------------------------------------------------- */

/* Sends all the messages that one user, and a number with a limit of ten, may get. */
static void use_up(struct stage *stage)
{
    stage_enrol(stage, "spender");
    for (int i = 1; i < 10; i++) {
        struct pending_login login = stage_login(stage, "spender");
        pending_login_clear(&login);
    }
}

static void expect_used_up(struct stage *stage, long longest)
{
    size_t sent = gateway_request_count(stage->gateway);
    free(login_delayed(stage, "spender", longest));
    assert_int_equal(gateway_request_count(stage->gateway), sent);
}

static void the_counts_survive_a_restart(void **state)
{
    struct stage stage;
    (void)state;
    stage_open(&stage, config_limited, "      sendLimits: {perDestinationPerDay: 10}\n");
    use_up(&stage);
    host_stop(stage.host);
    host_start(stage.host);
    expect_used_up(&stage, DAY); /* the longer of both */
    expect_wait(activate(&stage, "stranger", USER_NUMBER), DAY);
    stage_close(&stage);
}

static void the_counts_survive_a_kill_but_for_the_last_second(void **state)
{
    const struct timespec more_than_a_second = {.tv_sec = (time_t)host_scale(3, 12)};
    struct stage stage;
    (void)state;
    stage_open(&stage, config_limited, NULL);
    use_up(&stage);
    nanosleep(&more_than_a_second, NULL);
    host_kill(stage.host);
    host_start(stage.host);
    expect_used_up(&stage, HOUR);
    stage_close(&stage);
}

static void the_process_has_a_limit_where_the_operator_says_so(void **state)
{
    struct stage stage;
    (void)state;
    stage_open(&stage, config_limited, "      sendLimits: {perDay: 3}\n");
    for (unsigned i = 0; i < 3; i++) {
        char username[16], number[16];
        snprintf(username, sizeof username, "user-%u", i);
        snprintf(number, sizeof number, "4930000000%u", i);
        http_expect(activate(&stage, username, number), 302, NULL);
    }
    expect_wait(activate(&stage, "user-3", "49300000003"), DAY);
    stage_close(&stage);
}

static void the_data_directory_holds_no_number_that_is_not_enrolled(void **state)
{
    struct stage stage;
    char *command = NULL;
    (void)state;
    stage_open(&stage, config_limited, NULL);
    http_expect(activate(&stage, "secretive", "49157000111"), 302, NULL);
    host_stop(stage.host);
    assert_true(asprintf(&command, "grep -rq 49157000111 '%s'", host_data_dir(stage.host)) > 0);
    assert_int_equal(system(command), 1 << 8); /* grep found nothing */
    free(command);
    host_start(stage.host);
    stage_close(&stage);
}

static int open_stage(void **state)
{
    /* Every user is enrolled with the same number here. */
    return stage_open_for_group(state, config_limited, "      sendLimits: {perDestinationPerDay: 1000}\n");
}

static int open_stage_with_defaults(void **state)
{
    return stage_open_for_group(state, config_limited, NULL);
}

int main(void)
{
    const struct CMUnitTest per_user[] = {
        cmocka_unit_test(re_sends_keep_their_interval_and_codes_stay_good),
        cmocka_unit_test(a_user_gets_ten_messages_an_hour_and_then_tokens_only),
        cmocka_unit_test(messages_that_fail_are_not_counted),
        cmocka_unit_test(logins_at_once_cannot_pass_the_limit_together),
        cmocka_unit_test(host_ends_in_good_order),
    };
    const struct CMUnitTest per_number[] = {
        cmocka_unit_test(a_number_gets_twenty_messages_a_day_from_all_users_in_all_spellings),
        cmocka_unit_test(host_ends_in_good_order),
    };
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(the_counts_survive_a_restart),
        cmocka_unit_test(the_counts_survive_a_kill_but_for_the_last_second),
        cmocka_unit_test(the_process_has_a_limit_where_the_operator_says_so),
        cmocka_unit_test(the_data_directory_holds_no_number_that_is_not_enrolled),
    };
    int failed = cmocka_run_group_tests(per_user, open_stage, NULL);
    failed += cmocka_run_group_tests(per_number, open_stage_with_defaults, NULL);
    return failed + cmocka_run_group_tests(alone, NULL, NULL);
}
