/* SPDX-License-Identifier: Apache-2.0
 *
 * An attacker who has the password and guesses the code: slowly, at once, from many sessions, through restarts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"

#define SESSIONS 10
#define GUESSES_EACH 10
#define LONGEST_DELAY_S 300

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &(struct attack_settings){0});
}

static void A22_five_wrong_codes_end_the_session_whatever_is_sent_between(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "fivetimes");
    struct pending_login login = stage_login(stage, "fivetimes");
    for (unsigned i = 0; i < 5; i++) {
        expect_refused(stage, "fivetimes", send_wrong_code(stage, "fivetimes", &login, i), i < 4 ? 400 : 401, NULL);
        struct http_answer answer = user_mfa(stage_url(stage), "fivetimes", "challenge", login.mfa_token, NULL);
        assert_int_equal(answer.status, i < 4 ? 200 : 401);
        http_answer_clear(&answer);
        gateway_last_code(stage->gateway, login.code);
    }
    expect_session_is_dead(stage, "fivetimes", &login);
}

/* --- Across sessions ---------------------------------------------------------------------------------------------- */

/* Sends the right code in a delay: it is not looked at. Returns how long to wait. */
static long expect_delayed(struct stage *stage, const char *username, const struct pending_login *login)
{
    struct http_answer answer = stage_send_code(stage, username, "verify", login->mfa_token, login->code);
    http_assert_answer(&answer, 429, "too-many-attempts");
    long seconds = retry_after_s(&answer, LONGEST_DELAY_S);
    expect_refused(stage, username, answer, 429, "too-many-attempts");
    return seconds;
}

/* One wrong code in each of so many new logins, with headers that claim another client each time. */
static void guess_in_new_logins(struct stage *stage, const char *username, unsigned count)
{
    char *path = user_path(username, "/mfa/verify");
    for (unsigned i = 0; i < count; i++) {
        char forwarded[64];
        char real[64];
        char standard[64];
        char wrong[GATEWAY_CODE_MAX + 1];
        struct pending_login login = stage_login(stage, username);
        snprintf(forwarded, sizeof forwarded, "X-Forwarded-For: 198.51.100.%u", i);
        snprintf(real, sizeof real, "X-Real-IP: 198.51.100.%u", i);
        snprintf(standard, sizeof standard, "Forwarded: for=198.51.100.%u", i);
        const char *const headers[] = {forwarded, real, standard, NULL};
        memcpy(wrong, login.code, sizeof wrong);
        code_spoil(wrong, i);
        struct http_request request = {
            .method = "POST", .path = path, .token = login.mfa_token, .json = code_body(wrong), .headers = headers};
        expect_refused(stage, username, http_send(stage_url(stage), request), 400, "invalid-parameters-format");
        pending_login_clear(&login);
    }
    free(path);
}

static void A23_new_logins_and_forged_addresses_do_not_reset_the_count(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.attempts = "backoff: {baseSeconds: 2}"});
    stage_enrol(&stage, "newlogins");
    guess_in_new_logins(&stage, "newlogins", 4); /* three are free */
    struct pending_login login = stage_login(&stage, "newlogins");
    pause_ms(1000 * expect_delayed(&stage, "newlogins", &login));
    expect_right_code_works(&stage, "newlogins", &login);
    stage_close(&stage);
}

static void A24_a_restart_does_not_reset_the_count(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.attempts = "backoff: {baseSeconds: 5}"});
    stage_enrol(&stage, "restarts");
    guess_in_new_logins(&stage, "restarts", 4);
    host_kill(stage.host);
    host_start(stage.host);
    struct pending_login login = stage_login(&stage, "restarts");
    pause_ms(1000 * expect_delayed(&stage, "restarts", &login));
    expect_refused(&stage, "restarts", send_wrong_code(&stage, "restarts", &login, 0), 400, NULL);
    assert_true(expect_delayed(&stage, "restarts", &login) > 5); /* the fifth in a row: twice as long */
    pending_login_clear(&login);
    stage_close(&stage);
}

static void expect_stopped(struct stage *stage, const char *username, const struct pending_login *login)
{
    expect_refused(stage, username, stage_send_code(stage, username, "verify", login->mfa_token, login->code), 403,
                   "forbidden");
    struct http_answer answer = user_login_answer(stage_url(stage), username);
    if (answer.status == 200) { /* whatever a login says, its code opens nothing */
        struct pending_login again = {.mfa_token = strdup(http_json_string(&answer, "mfaToken"))};
        gateway_last_code(stage->gateway, again.code);
        assert_null(http_json_string(&answer, "token"));
        expect_refused(stage, username, stage_send_code(stage, username, "verify", again.mfa_token, again.code), 403,
                       "forbidden");
        pending_login_clear(&again);
        http_answer_clear(&answer);
    } else {
        expect_refused(stage, username, answer, 403, "forbidden");
    }
}

static void A25_delays_that_lapse_again_and_again_end_in_a_stop(void **state)
{
    (void)state;
    struct stage stage;
    size_t compared = 0;
    stage_attacked_open(&stage,
                        &(struct attack_settings){.attempts = "perSession: 0, maxConsecutive: 6, backoff: "
                                                              "{freeFailures: 2, baseSeconds: 1, maxSeconds: 1}"});
    json_t *codes = user_enrol(stage_url(&stage), stage.gateway, "patience", NULL);
    struct pending_login login = stage_login(&stage, "patience");
    for (unsigned i = 0; i < 20; i++) {
        struct http_answer answer = send_wrong_code(&stage, "patience", &login, i);
        long status = answer.status;
        compared += status == 400;
        if (status == 429)
            pause_ms(1000 * retry_after_s(&answer, LONGEST_DELAY_S));
        assert_gives_nothing(&answer);
        http_answer_clear(&answer);
        if (status == 403)
            break;
    }
    assert_int_equal(compared, 6);
    expect_stopped(&stage, "patience", &login);
    host_stop(stage.host);
    host_start(stage.host);
    pending_login_clear(&login);

    struct http_answer answer = user_login_answer(stage_url(&stage), "patience");
    assert_null(http_json_string(&answer, "token"));
    assert_nothing_opens_access(&stage, "patience", &answer);
    http_answer_clear(&answer);
    pause_ms(1100);
    json_t *body = json_pack("{s:s, s:s, s:O}", "username", "patience", "password", USER_PASSWORD, "recoveryCode",
                             json_array_get(codes, 0));
    http_expect(user_mfa(stage_url(&stage), "patience", "recover", NULL, body), 200, NULL); /* the owner's way out */
    free(user_login(stage_url(&stage), "patience"));
    json_decref(codes);
    stage_close(&stage);
}

static void A26_who_lacks_the_password_cannot_delay_the_owner(void **state)
{
    (void)state;
    struct stage stage;
    static const char code[] = "01234567-89ab-4cde-8f01-23456789abcd";
    stage_attacked_open(&stage,
                        &(struct attack_settings){.attempts = "maxConsecutive: 10, backoff: {baseSeconds: 60}"});
    stage_enrol(&stage, "the-owner");
    struct pending_login login = stage_login(&stage, "the-owner");
    for (unsigned i = 0; i < 50; i++) {
        char token[33];
        snprintf(token, sizeof token, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%02u", i);
        expect_refused(&stage, "the-owner", stage_send_code(&stage, "the-owner", "verify", token, login.code), 401,
                       "invalid-access-token");
        expect_refused(&stage, "the-owner",
                       user_mfa(stage_url(&stage), "the-owner", "recover", NULL,
                                json_pack("{s:s, s:s, s:s}", "username", "the-owner", "password", "guessed",
                                          "recoveryCode", code)),
                       401, "invalid-credentials");
    }
    expect_right_code_works(&stage, "the-owner", &login);
    stage_close(&stage);
}

/* Ten sessions with ten guesses each, all at once: past the free failures one at most is compared. */
static void A27_guesses_in_many_sessions_at_once_share_one_count(void **state)
{
    (void)state;
    struct stage stage;
    struct pending_login logins[SESSIONS];
    struct http_request requests[SESSIONS * GUESSES_EACH];
    struct http_answer answers[SESSIONS * GUESSES_EACH];
    size_t compared = 0;
    stage_attacked_open(&stage, &(struct attack_settings){.attempts = "backoff: {baseSeconds: 4}"});
    stage_enrol(&stage, "spreads");
    for (size_t i = 0; i < SESSIONS; i++)
        logins[i] = stage_login(&stage, "spreads");
    for (unsigned i = 0; i < SESSIONS * GUESSES_EACH; i++) {
        char wrong[GATEWAY_CODE_MAX + 1];
        memcpy(wrong, logins[i % SESSIONS].code, sizeof wrong);
        code_spoil(wrong, i);
        requests[i] = (struct http_request){.method = "POST",
                                            .path = "/spreads/mfa/verify",
                                            .token = logins[i % SESSIONS].mfa_token,
                                            .json = code_body(wrong)};
    }
    http_send_all(stage_url(&stage), requests, answers, LIST_LEN(requests));
    for (size_t i = 0; i < LIST_LEN(requests); i++) {
        compared += answers[i].status == 400;
        assert_gives_nothing(&answers[i]);
        http_answer_clear(&answers[i]);
    }
    assert_in_range(compared, 1, 4);
    pause_ms(1000 * expect_delayed(&stage, "spreads", &logins[0]));
    expect_right_code_works(&stage, "spreads", &logins[0]);
    for (size_t i = 1; i < SESSIONS; i++)
        pending_login_clear(&logins[i]);
    stage_close(&stage);
}

static void A28_confirm_and_recover_count_as_well(void **state)
{
    (void)state;
    struct stage stage;
    static const char unknown_code[] = "01234567-89ab-4cde-8f01-23456789abcd";
    stage_attacked_open(&stage, &(struct attack_settings){.attempts = "backoff: {baseSeconds: 2}"});
    stage_enrol(&stage, "elsewhere");
    struct pending_login login = stage_login(&stage, "elsewhere");
    for (size_t i = 0; i < 4; i++)
        expect_refused(&stage, "elsewhere",
                       user_mfa(stage_url(&stage), "elsewhere", "recover", NULL,
                                json_pack("{s:s, s:s, s:s}", "username", "elsewhere", "password", USER_PASSWORD,
                                          "recoveryCode", unknown_code)),
                       400, "invalid-parameters-format");
    pause_ms(1000 * expect_delayed(&stage, "elsewhere", &login));
    char *token = user_verify(stage_url(&stage), "elsewhere", login.mfa_token, login.code);
    pending_login_clear(&login);
    struct pending_login activation = {.mfa_token = user_activate(stage_url(&stage), "elsewhere", token, NULL)};
    gateway_last_code(stage.gateway, activation.code);
    code_spoil(activation.code, 0);
    for (size_t i = 0; i < 4; i++)
        expect_refused(&stage, "elsewhere",
                       stage_send_code(&stage, "elsewhere", "confirm", activation.mfa_token, activation.code), 400,
                       NULL);
    login = stage_login(&stage, "elsewhere");
    pause_ms(1000 * expect_delayed(&stage, "elsewhere", &login));
    expect_right_code_works(&stage, "elsewhere", &login);
    pending_login_clear(&activation);
    free(token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A22_five_wrong_codes_end_the_session_whatever_is_sent_between),
        cmocka_unit_test(A23_new_logins_and_forged_addresses_do_not_reset_the_count),
        cmocka_unit_test(A24_a_restart_does_not_reset_the_count),
        cmocka_unit_test(A25_delays_that_lapse_again_and_again_end_in_a_stop),
        cmocka_unit_test(A26_who_lacks_the_password_cannot_delay_the_owner),
        cmocka_unit_test(A27_guesses_in_many_sessions_at_once_share_one_count),
        cmocka_unit_test(A28_confirm_and_recover_count_as_well),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
