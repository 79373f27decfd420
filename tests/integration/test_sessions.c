/* SPDX-License-Identifier: Apache-2.0
 *
 * How long sessions and codes live, and how many sessions there may be.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness_stage.h"

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static struct http_answer verify(struct stage *stage, const char *username, const struct pending_login *login)
{
    return stage_send_code(stage, username, "verify", login->mfa_token, login->code);
}

static struct http_answer resend(struct stage *stage, const char *username, const struct pending_login *login)
{
    return user_mfa(stage_url(stage), username, "challenge", login->mfa_token, NULL);
}

static void a_session_ends_at_its_time_and_resends_do_not_prolong_it(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, "      codeTtlSeconds: 0\n    sessions:\n      ttlSeconds: 2\n");
    stage_enrol(&stage, "expires");
    struct pending_login login = stage_login(&stage, "expires");
    uint64_t opened_ms = hold_now_ms();
    struct http_answer answer = resend(&stage, "expires", &login);
    http_assert_answer(&answer, 200, NULL);
    while (answer.status == 200 && hold_now_ms() - opened_ms < 30000) {
        http_answer_clear(&answer);
        gateway_last_code(stage.gateway, login.code);
        pause_ms(50);
        answer = resend(&stage, "expires", &login);
    }
    http_expect_error(answer, 401, "invalid-access-token", NULL);
    assert_true(hold_now_ms() - opened_ms >= 1000); /* it did not end at once */
    http_expect_error(verify(&stage, "expires", &login), 401, "invalid-access-token", NULL);
    pending_login_clear(&login);
    stage_close(&stage);
}

static void an_expired_code_says_so_and_its_session_lives_on(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, "      codeTtlSeconds: 2\n");
    stage_enrol(&stage, "codeexpires");
    struct pending_login login = stage_login(&stage, "codeexpires");
    pause_ms(2100);
    http_expect_error(verify(&stage, "codeexpires", &login), 400, "invalid-parameters-format",
                      "{\"id\": \"expired-mfa-code\"}");
    http_expect(resend(&stage, "codeexpires", &login), 200, NULL);
    http_expect_error(verify(&stage, "codeexpires", &login), 400, "invalid-parameters-format",
                      "{\"id\": \"expired-mfa-code\"}");
    gateway_last_code(stage.gateway, login.code);
    http_expect(verify(&stage, "codeexpires", &login), 200, NULL);
    pending_login_clear(&login);
    stage_close(&stage);
}

static void of_one_user_s_sessions_the_oldest_goes_first_and_nobody_else_s(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, "    sessions:\n      maxPendingPerUser: 2\n");
    stage_enrol(&stage, "greedy");
    stage_enrol(&stage, "modest");
    struct pending_login modest = stage_login(&stage, "modest");
    struct pending_login logins[3];
    for (size_t i = 0; i < 3; i++)
        logins[i] = stage_login(&stage, "greedy");
    http_expect_error(verify(&stage, "greedy", &logins[0]), 401, "invalid-access-token", NULL);
    http_expect(verify(&stage, "greedy", &logins[1]), 200, NULL);
    http_expect(verify(&stage, "greedy", &logins[2]), 200, NULL);
    http_expect(verify(&stage, "modest", &modest), 200, NULL);
    for (size_t i = 0; i < 3; i++)
        pending_login_clear(&logins[i]);
    pending_login_clear(&modest);
    stage_close(&stage);
}

static void assert_too_many(struct http_answer answer)
{
    assert_non_null(http_header(&answer, "Retry-After"));
    http_expect(answer, 429, "too-many-requests"); /* transferred */
}

static void past_the_bound_of_all_sessions_logins_that_need_one_wait(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, "    sessions:\n      maxPending: 2\n");
    stage_enrol(&stage, "first");
    stage_enrol(&stage, "second");
    char *token = stage_register(&stage, "third");
    struct pending_login logins[2] = {stage_login(&stage, "first"), stage_login(&stage, "first")};
    size_t sent = gateway_request_count(stage.gateway);
    assert_too_many(user_login_answer(stage_url(&stage), "second"));
    assert_too_many(user_mfa(stage_url(&stage), "third", "activate", token, json_loads(USER_DATA_SINGLE, 0, NULL)));
    assert_int_equal(gateway_request_count(stage.gateway), sent);
    free(user_login(stage_url(&stage), "third")); /* without MFA: needs no session */

    http_expect(verify(&stage, "first", &logins[0]), 200, NULL);
    struct pending_login login = stage_login(&stage, "second");
    http_expect(verify(&stage, "second", &login), 200, NULL);
    http_expect(verify(&stage, "first", &logins[1]), 200, NULL);
    pending_login_clear(&login);
    pending_login_clear(&logins[0]);
    pending_login_clear(&logins[1]);
    free(token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_ends_at_its_time_and_resends_do_not_prolong_it),
        cmocka_unit_test(an_expired_code_says_so_and_its_session_lives_on),
        cmocka_unit_test(of_one_user_s_sessions_the_oldest_goes_first_and_nobody_else_s),
        cmocka_unit_test(past_the_bound_of_all_sessions_logins_that_need_one_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
