/* SPDX-License-Identifier: Apache-2.0
 *
 * Failures of an account delay the next attempt, whatever session or restart comes between, and in the end stop the factor.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness_stage.h"

/* One failure is free, each further one delays by two seconds; the fifth stops the factor. */
#define STRICT                                                                                                         \
    "    attempts:\n"                                                                                                  \
    "      maxConsecutive: 5\n"                                                                                        \
    "      backoff: {freeFailures: 1, baseSeconds: 2, maxSeconds: 2}\n"

#define STOPPED "{\"id\": \"mfa-stopped\"}"

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, STRICT);
}

static void wait_s(long seconds)
{
    nanosleep(&(struct timespec){.tv_sec = seconds, .tv_nsec = 50000000}, NULL);
}

static void expect_wrong(struct stage *stage, const char *username, const struct pending_login *login)
{
    char wrong[GATEWAY_CODE_MAX + 1];

    memcpy(wrong, login->code, sizeof wrong);
    code_spoil(wrong, 1);
    struct http_answer answer = stage_send_code(stage, username, "verify", login->mfa_token, wrong);
    http_assert_answer(&answer, 400, "invalid-parameters-format");
    assert_string_equal(http_json_string(&answer, "error/data/id"), "invalid-mfa-code");
    http_answer_clear(&answer);
}

/* The right code is not looked at now; returns how long to wait. */
static long expect_delay(struct stage *stage, const char *username, const struct pending_login *login)
{
    struct http_answer answer = stage_send_code(stage, username, "verify", login->mfa_token, login->code);
    const json_t *data = json_object_get(json_object_get(answer.json, "error"), "data");
    long seconds = (long)json_integer_value(json_object_get(data, "retryAfterSeconds"));

    http_assert_answer(&answer, 429, "too-many-attempts");
    assert_in_range(seconds, 1, 2);
    assert_non_null(http_header(&answer, "Retry-After"));
    assert_int_equal(strtol(http_header(&answer, "Retry-After"), NULL, 10), seconds);
    http_answer_clear(&answer);
    return seconds;
}

static void expect_right(struct stage *stage, const char *username, const struct pending_login *login)
{
    free(user_verify(stage_url(stage), username, login->mfa_token, login->code));
}

static void failures_delay_the_account_across_sessions_and_restarts(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "delayed");
    struct pending_login login = stage_login(stage, "delayed");
    expect_wrong(stage, "delayed", &login);
    expect_wrong(stage, "delayed", &login);
    expect_delay(stage, "delayed", &login);
    pending_login_clear(&login);

    login = stage_login(stage, "delayed");
    wait_s(expect_delay(stage, "delayed", &login));
    expect_wrong(stage, "delayed", &login);
    pending_login_clear(&login);

    host_stop(stage->host);
    host_start(stage->host);
    login = stage_login(stage, "delayed");
    if (host_scale(1, 0) == 1)
        wait_s(expect_delay(stage, "delayed", &login));
    else
        wait_s(2); /* wrapped, the host may take longer to start than the delay lasts */
    expect_right(stage, "delayed", &login);
    pending_login_clear(&login);

    /* A success clears it. */
    login = stage_login(stage, "delayed");
    expect_wrong(stage, "delayed", &login);
    expect_right(stage, "delayed", &login);
    pending_login_clear(&login);
}

/* Fails until the factor stops. */
static void stop_factor(struct stage *stage, const char *username)
{
    struct pending_login login = stage_login(stage, username);

    expect_wrong(stage, username, &login);
    expect_wrong(stage, username, &login);
    pending_login_clear(&login);
    for (int i = 0; i < 3; i++) {
        login = stage_login(stage, username);
        wait_s(expect_delay(stage, username, &login));
        expect_wrong(stage, username, &login);
        if (i == 2)
            http_expect_error(stage_send_code(stage, username, "verify", login.mfa_token, login.code), 403, "forbidden",
                              STOPPED);
        pending_login_clear(&login);
    }
    http_expect_error(user_login_answer(stage_url(stage), username), 403, "forbidden", STOPPED);
}

static void after_too_many_in_a_row_the_factor_stops_until_recovery(void **state)
{
    struct stage *stage = *state;
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "stopped", NULL);
    size_t sent = 0;

    stop_factor(stage, "stopped");
    host_stop(stage->host);
    host_start(stage->host);
    sent = gateway_request_count(stage->gateway);
    http_expect_error(user_login_answer(stage_url(stage), "stopped"), 403, "forbidden", STOPPED);
    assert_int_equal(gateway_request_count(stage->gateway), sent);
    wait_s(2);
    http_expect(user_mfa(stage_url(stage), "stopped", "recover", NULL,
                         json_pack("{s:s, s:s, s:O}", "username", "stopped", "password", USER_PASSWORD, "recoveryCode",
                                   json_array_get(codes, 3))),
                200, NULL);
    json_decref(codes);
    free(user_login(stage_url(stage), "stopped"));
}

static void or_until_the_administrator_resets_it(void **state)
{
    struct stage *stage = *state;

    stage_enrol(stage, "waits");
    stop_factor(stage, "waits");
    http_expect(
        http_send(stage_url(stage),
                  (struct http_request){.method = "DELETE", .path = "/system/users/waits/mfa", .token = ADMIN_KEY}),
        204, NULL);
    char *token = user_login(stage_url(stage), "waits");
    char *mfa_token = user_activate(stage_url(stage), "waits", token, NULL);
    char code[GATEWAY_CODE_MAX + 1];
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), "waits", mfa_token, code));
    free(mfa_token);
    free(token);
}

static void who_does_not_know_the_password_delays_nobody(void **state)
{
    struct stage *stage = *state;

    stage_enrol(stage, "left-alone");
    for (int i = 0; i < 8; i++)
        http_expect_error(user_mfa(stage_url(stage), "left-alone", "recover", NULL,
                                   json_pack("{s:s, s:s, s:s}", "username", "left-alone", "password", "a guess",
                                             "recoveryCode", "0f8fad5b-d9cb-469f-a165-70867728950e")),
                          401, "invalid-credentials", NULL);
    struct pending_login login = stage_login(stage, "left-alone");
    expect_right(stage, "left-alone", &login);
    pending_login_clear(&login);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_delay_the_account_across_sessions_and_restarts),
        cmocka_unit_test(after_too_many_in_a_row_the_factor_stops_until_recovery),
        cmocka_unit_test(or_until_the_administrator_resets_it),
        cmocka_unit_test(who_does_not_know_the_password_delays_nobody),
        cmocka_unit_test(host_ends_in_good_order),
    };

    return cmocka_run_group_tests(tests, open_stage, NULL);
}
