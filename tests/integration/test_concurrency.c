/* SPDX-License-Identifier: Apache-2.0
 *
 * Many clients at once: what may be used once is used once, and nobody waits for somebody else's message. How thousands
 * wait for a slow service is in test_in_flight.c.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define USES 50
#define GUESSES 100
#define LOGINS 10
#define GUESSES_PER_LOGIN 4

/* The same request many times over, or many of one kind. */
struct crowd {
    struct http_request requests[GUESSES];
    struct http_answer answers[GUESSES];
    char path[64];
    size_t count;
};

static struct crowd *crowd_new(const char *username, const char *step)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    snprintf(crowd->path, sizeof crowd->path, "/%s/mfa/%s", username, step);
    return crowd;
}

static void crowd_add(struct crowd *crowd, const char *token, json_t *body)
{
    assert_true(crowd->count < GUESSES);
    crowd->requests[crowd->count++] =
        (struct http_request){.method = "POST", .path = crowd->path, .token = token, .json = body /* transferred */};
}

static void crowd_send(struct crowd *crowd, struct stage *stage)
{
    http_send_all(stage_url(stage), crowd->requests, crowd->answers, crowd->count);
}

/* Every answer is a 200 or `refusal`. Returns how many are 200, and what the last of them says. */
static size_t crowd_successes(const struct crowd *crowd, long refusal, const char *error_id,
                              const struct http_answer **success)
{
    size_t successes = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        if (crowd->answers[i].status == 200) {
            *success = &crowd->answers[i];
            successes++;
        } else {
            http_assert_answer(&crowd->answers[i], refusal, error_id);
        }
    }
    return successes;
}

static void crowd_free(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        http_answer_clear(&crowd->answers[i]);
    free(crowd);
}

static void assert_one_of_fifty_verifies(struct stage *stage, const char *username, const char *mfa_token,
                                         const char *code)
{
    const struct http_answer *success = NULL;
    struct crowd *crowd = crowd_new(username, "verify");
    for (size_t i = 0; i < USES; i++)
        crowd_add(crowd, mfa_token, code_body(code));
    crowd_send(crowd, stage);
    assert_int_equal(crowd_successes(crowd, 401, "invalid-access-token", &success), 1);
    assert_true(stage_is_active(stage, username, http_json_string(success, "token")));
    crowd_free(crowd);
}

static void of_fifty_right_codes_at_once_one_logs_in(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, NO_BACKOFF);
    stage_enrol(&stage, "single");
    for (size_t i = 0; i < host_scale(10, 3); i++) {
        struct pending_login login = stage_login(&stage, "single");
        assert_one_of_fifty_verifies(&stage, "single", login.mfa_token, login.code);
        pending_login_clear(&login);
    }
    stage_close(&stage);
}

static void of_fifty_right_codes_at_once_one_logs_in_also_when_the_service_accepts_all(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_challenge_verify, NO_BACKOFF);
    char *token = stage_register(&stage, "accepts-all");
    char *mfa_token = user_activate(stage_url(&stage), "accepts-all", token, NULL);
    json_decref(user_confirm(stage_url(&stage), "accepts-all", mfa_token, "12345"));
    for (size_t i = 0; i < host_scale(10, 3); i++) {
        free(mfa_token);
        mfa_token = user_login_mfa(stage_url(&stage), "accepts-all");
        size_t before = gateway_request_count(stage.gateway);
        assert_one_of_fifty_verifies(&stage, "accepts-all", mfa_token, "12345");
        assert_true(gateway_request_count(stage.gateway) - before <= 5); /* attempts are reserved before the call */
    }
    free(mfa_token);
    free(token);
    stage_close(&stage);
}

static void a_hundred_guesses_at_once_are_five(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "guessed");
    struct pending_login login = stage_login(stage, "guessed");
    const struct http_answer *success = NULL;
    char wrong[GATEWAY_CODE_MAX + 1];
    size_t compared = 0;
    struct crowd *crowd = crowd_new("guessed", "verify");
    for (unsigned i = 0; i < GUESSES; i++) {
        memcpy(wrong, login.code, sizeof wrong);
        if (i != GUESSES / 2)
            code_spoil(wrong, i);
        crowd_add(crowd, login.mfa_token, code_body(wrong));
    }
    crowd_send(crowd, stage);
    for (size_t i = 0; i < crowd->count; i++) {
        compared += crowd->answers[i].status == 400; /* all others were turned away before */
        if (crowd->answers[i].status == 200)
            success = &crowd->answers[i];
        else if (crowd->answers[i].status != 400)
            http_assert_answer(&crowd->answers[i], 401, "invalid-access-token");
    }
    assert_true(compared <= (success ? 4 : 5));
    crowd_free(crowd);
    http_expect(stage_send_code(stage, "guessed", "verify", login.mfa_token, login.code), 401, "invalid-access-token");
    pending_login_clear(&login);
}

/* They all write what is known of the same account, and none of them fails because of the others. */
static void guesses_at_many_logins_at_once_are_all_answered(void **state)
{
    struct stage *stage = *state;
    struct pending_login logins[LOGINS];
    char wrong[GATEWAY_CODE_MAX + 1];
    stage_enrol(stage, "besieged");
    struct crowd *crowd = crowd_new("besieged", "verify");
    for (size_t i = 0; i < LOGINS; i++) {
        logins[i] = stage_login(stage, "besieged");
        memcpy(wrong, logins[i].code, sizeof wrong);
        code_spoil(wrong, 1);
        for (size_t guess = 0; guess < GUESSES_PER_LOGIN; guess++)
            crowd_add(crowd, logins[i].mfa_token, code_body(wrong));
    }
    crowd_send(crowd, stage);
    for (size_t i = 0; i < crowd->count; i++)
        http_assert_answer(&crowd->answers[i], 400, "invalid-parameters-format");
    crowd_free(crowd);
    for (size_t i = 0; i < LOGINS; i++)
        pending_login_clear(&logins[i]);
}

static void of_fifty_uses_of_a_recovery_code_at_once_one_succeeds(void **state)
{
    struct stage *stage = *state;
    const struct http_answer *success = NULL;
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "recovers", NULL);
    struct crowd *crowd = crowd_new("recovers", "recover");
    for (size_t i = 0; i < USES; i++)
        crowd_add(crowd, NULL,
                  json_pack("{s:s, s:s, s:O}", "username", "recovers", "password", USER_PASSWORD, "recoveryCode",
                            json_array_get(codes, 0)));
    crowd_send(crowd, stage);
    /* Nothing is active any more for those that come later. */
    assert_int_equal(crowd_successes(crowd, 400, "invalid-operation", &success), 1);
    assert_string_equal(http_json_string(success, "message"), "MFA deactivated.");
    crowd_free(crowd);
    json_decref(codes);
}

/* After both, MFA is off and the session gone, whichever came first. */
static void verify_against_deactivate_ends_as_one_after_the_other(void **state)
{
    struct stage *stage = *state;
    char *token = stage_register(stage, "bothways");
    for (size_t i = 0; i < host_scale(40, 10); i++) {
        char code[GATEWAY_CODE_MAX + 1];
        char *mfa_token = user_activate(stage_url(stage), "bothways", token, NULL);
        gateway_last_code(stage->gateway, code);
        json_decref(user_confirm(stage_url(stage), "bothways", mfa_token, code));
        free(mfa_token);
        struct pending_login login = stage_login(stage, "bothways");
        struct http_request requests[] = {
            {.method = "POST", .path = "/bothways/mfa/deactivate", .token = token, .json = json_object()},
            {.method = "POST", .path = "/bothways/mfa/verify", .token = login.mfa_token, .json = code_body(login.code)},
        };
        struct http_answer answers[2];
        http_send_all(stage_url(stage), requests, answers, 2);
        if (answers[1].status == 200)
            assert_false(stage_is_active(stage, "bothways", http_json_string(&answers[1], "token")));
        else
            http_assert_answer(&answers[1], 401, "invalid-access-token");
        http_answer_clear(&answers[1]);
        http_expect(answers[0], 200, NULL);
        http_expect(stage_send_code(stage, "bothways", "verify", login.mfa_token, login.code), 401,
                    "invalid-access-token");
        assert_false(stage_is_active(stage, "bothways", token));
        pending_login_clear(&login);
    }
    free(token);
}

static void a_login_that_is_deactivated_while_its_code_is_checked_is_dead(void **state)
{
    (void)state;
    struct stage stage;
    struct http_answer answer;
    stage_open(&stage, config_challenge_verify, NO_BACKOFF);
    char *token = stage_register(&stage, "meanwhile");
    char *mfa_token = user_activate(stage_url(&stage), "meanwhile", token, NULL);
    json_decref(user_confirm(stage_url(&stage), "meanwhile", mfa_token, "12345"));
    free(mfa_token);
    mfa_token = user_login_mfa(stage_url(&stage), "meanwhile");

    size_t before = gateway_request_count(stage.gateway);
    gateway_answer_next(stage.gateway, (struct gateway_script){.status = 200, .delay_ms = 60000});
    struct http_request request = {
        .method = "POST", .path = "/meanwhile/mfa/verify", .token = mfa_token, .json = code_body("12345")};
    struct http_batch *batch = http_begin_all(stage_url(&stage), &request, 1);
    gateway_await_requests(stage.gateway, before + 1, 60000);
    http_expect(user_mfa(stage_url(&stage), "meanwhile", "deactivate", token, NULL), 200, NULL);
    gateway_release(stage.gateway);
    http_await_all(batch, &answer);
    http_expect_error(answer, 401, "invalid-access-token", NULL);
    free(mfa_token);
    free(token);
    stage_close(&stage);
}

static bool recovery_code_is_good(struct stage *stage, const char *username, const json_t *code)
{
    struct http_answer answer =
        user_mfa(stage_url(stage), username, "recover", NULL,
                 json_pack("{s:s, s:s, s:O}", "username", username, "password", USER_PASSWORD, "recoveryCode", code));
    bool is_good = answer.status == 200;
    http_answer_clear(&answer);
    return is_good;
}

static const json_t *first_code(const struct http_answer *answer)
{
    return json_array_get(json_object_get(answer->json, "recoveryCodes"), 0);
}

static void two_confirms_of_one_session_give_one_set_of_recovery_codes(void **state)
{
    struct stage *stage = *state;
    char *token = stage_register(stage, "oneset");
    for (size_t i = 0; i < host_scale(20, 5); i++) {
        const struct http_answer *success = NULL;
        char code[GATEWAY_CODE_MAX + 1];
        char *mfa_token = user_activate(stage_url(stage), "oneset", token, NULL);
        gateway_last_code(stage->gateway, code);
        struct crowd *crowd = crowd_new("oneset", "confirm");
        crowd_add(crowd, mfa_token, code_body(code));
        crowd_add(crowd, mfa_token, code_body(code));
        crowd_send(crowd, stage);
        assert_int_equal(crowd_successes(crowd, 401, "invalid-access-token", &success), 1);
        assert_true(stage_is_active(stage, "oneset", token));
        assert_true(recovery_code_is_good(stage, "oneset", first_code(success)));
        crowd_free(crowd);
        free(mfa_token);
    }
    free(token);
}

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, NO_BACKOFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_fifty_right_codes_at_once_one_logs_in),
        cmocka_unit_test(of_fifty_right_codes_at_once_one_logs_in_also_when_the_service_accepts_all),
        cmocka_unit_test(a_hundred_guesses_at_once_are_five),
        cmocka_unit_test(guesses_at_many_logins_at_once_are_all_answered),
        cmocka_unit_test(of_fifty_uses_of_a_recovery_code_at_once_one_succeeds),
        cmocka_unit_test(verify_against_deactivate_ends_as_one_after_the_other),
        cmocka_unit_test(a_login_that_is_deactivated_while_its_code_is_checked_is_dead),
        cmocka_unit_test(two_confirms_of_one_session_give_one_set_of_recovery_codes),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
