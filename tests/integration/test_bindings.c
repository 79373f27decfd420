/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session and a code belong to: one user, one purpose, one use, one enrolment. How long they live and how many there may
 * be is in test_sessions.c.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, NO_BACKOFF);
}

static struct http_answer verify(struct stage *stage, const char *username, const struct pending_login *login)
{
    return stage_send_code(stage, username, "verify", login->mfa_token, login->code);
}

static void a_token_under_another_user_s_path_is_unknown_and_the_session_survives(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "owner");
    stage_enrol(stage, "stranger");
    struct pending_login login = stage_login(stage, "owner");
    static const char *const steps[] = {"verify", "confirm", "challenge"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        http_expect_error(stage_send_code(stage, "stranger", steps[i], login.mfa_token, login.code), 401,
                          "invalid-access-token", NULL);
    http_expect(verify(stage, "owner", &login), 200, NULL);
    pending_login_clear(&login);
}

static void a_token_of_the_other_purpose_is_unknown_and_the_session_survives(void **state)
{
    struct stage *stage = *state;
    char code[GATEWAY_CODE_MAX + 1];
    char *token = stage_register(stage, "purpose");
    char *mfa_token = user_activate(stage_url(stage), "purpose", token, NULL);
    gateway_last_code(stage->gateway, code);
    http_expect_error(stage_send_code(stage, "purpose", "verify", mfa_token, code), 401, "invalid-access-token", NULL);
    json_decref(user_confirm(stage_url(stage), "purpose", mfa_token, code));

    struct pending_login login = stage_login(stage, "purpose");
    http_expect_error(stage_send_code(stage, "purpose", "confirm", login.mfa_token, login.code), 401,
                      "invalid-access-token", NULL);
    http_expect(verify(stage, "purpose", &login), 200, NULL);
    pending_login_clear(&login);
    free(mfa_token);
    free(token);
}

static void a_code_of_another_session_of_the_same_user_is_wrong(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "twosessions");
    struct pending_login first = stage_login(stage, "twosessions");
    struct pending_login second = stage_login(stage, "twosessions");
    if (strcmp(first.code, second.code) != 0) /* one time in a million they are equal */
        http_expect_error(stage_send_code(stage, "twosessions", "verify", first.mfa_token, second.code), 400,
                          "invalid-parameters-format", "{\"id\": \"invalid-mfa-code\", \"attemptsLeft\": 4}");
    http_expect(verify(stage, "twosessions", &first), 200, NULL);
    http_expect(verify(stage, "twosessions", &second), 200, NULL);
    pending_login_clear(&first);
    pending_login_clear(&second);
}

static void a_code_and_its_session_are_used_once(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "usedonce");
    struct pending_login login = stage_login(stage, "usedonce");
    http_expect(verify(stage, "usedonce", &login), 200, NULL);
    http_expect_error(verify(stage, "usedonce", &login), 401, "invalid-access-token", NULL);
    http_expect_error(user_mfa(stage_url(stage), "usedonce", "challenge", login.mfa_token, NULL), 401,
                      "invalid-access-token", NULL);
    pending_login_clear(&login);
}

static void resend(struct stage *stage, const char *username, struct pending_login *login)
{
    struct http_answer answer = user_mfa(stage_url(stage), username, "challenge", login->mfa_token, NULL);
    assert_string_equal(http_json_string(&answer, "message"), "Please verify the MFA challenge.");
    http_expect(answer, 200, NULL);
    gateway_last_code(stage->gateway, login->code);
}

static void the_code_before_a_resend_stays_good_and_success_burns_both(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "resend");
    struct pending_login login = stage_login(stage, "resend");
    char first[GATEWAY_CODE_MAX + 1];
    memcpy(first, login.code, sizeof first);
    resend(stage, "resend", &login);
    http_expect(stage_send_code(stage, "resend", "verify", login.mfa_token, first), 200, NULL);
    http_expect_error(stage_send_code(stage, "resend", "verify", login.mfa_token, first), 401, "invalid-access-token",
                      NULL);
    http_expect_error(verify(stage, "resend", &login), 401, "invalid-access-token", NULL);
    pending_login_clear(&login);
}

static void the_code_before_the_one_before_is_no_longer_good(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "resendtwice");
    struct pending_login login = stage_login(stage, "resendtwice");
    char first[GATEWAY_CODE_MAX + 1];
    memcpy(first, login.code, sizeof first);
    resend(stage, "resendtwice", &login);
    resend(stage, "resendtwice", &login);
    http_expect(stage_send_code(stage, "resendtwice", "verify", login.mfa_token, first), 400,
                "invalid-parameters-format");
    http_expect(verify(stage, "resendtwice", &login), 200, NULL);
    pending_login_clear(&login);
}

static void assert_five_wrong_codes_end_the_session(struct stage *stage, const char *step, const char *mfa_token,
                                                    const char *code)
{
    char wrong[GATEWAY_CODE_MAX + 1];
    for (unsigned i = 0; i < 4; i++) {
        char data[64];
        memcpy(wrong, code, sizeof wrong);
        code_spoil(wrong, i);
        snprintf(data, sizeof data, "{\"id\": \"invalid-mfa-code\", \"attemptsLeft\": %u}", 4 - i);
        http_expect_error(stage_send_code(stage, "fivewrong", step, mfa_token, wrong), 400, "invalid-parameters-format",
                          data);
    }
    http_expect_error(stage_send_code(stage, "fivewrong", step, mfa_token, wrong), 401, "invalid-access-token",
                      "{\"id\": \"too-many-attempts\"}");
    http_expect_error(stage_send_code(stage, "fivewrong", step, mfa_token, code), 401, "invalid-access-token", NULL);
}

static void the_fifth_wrong_code_ends_the_session_and_a_resend_does_not_reset_the_count(void **state)
{
    struct stage *stage = *state;
    char code[GATEWAY_CODE_MAX + 1];
    stage_enrol(stage, "fivewrong");
    struct pending_login login = stage_login(stage, "fivewrong");
    char *token = user_verify(stage_url(stage), "fivewrong", login.mfa_token, login.code);
    char *mfa_token = user_activate(stage_url(stage), "fivewrong", token, NULL);
    gateway_last_code(stage->gateway, code);
    assert_five_wrong_codes_end_the_session(stage, "confirm", mfa_token, code);
    pending_login_clear(&login);
    free(mfa_token);

    login = stage_login(stage, "fivewrong");
    memcpy(code, login.code, sizeof code);
    code_spoil(code, 0);
    http_expect(stage_send_code(stage, "fivewrong", "verify", login.mfa_token, code), 400, NULL);
    resend(stage, "fivewrong", &login);
    memcpy(code, login.code, sizeof code);
    code_spoil(code, 0);
    http_expect_error(stage_send_code(stage, "fivewrong", "verify", login.mfa_token, code), 400,
                      "invalid-parameters-format", "{\"id\": \"invalid-mfa-code\", \"attemptsLeft\": 3}");
    http_expect(verify(stage, "fivewrong", &login), 200, NULL);
    pending_login_clear(&login);
    free(token);
}

/* An enrolled user with a personal token and a pending login. */
struct enrolled {
    const char *username;
    char *token;
    struct pending_login login;
};

static struct enrolled enrol(struct stage *stage, const char *username)
{
    char code[GATEWAY_CODE_MAX + 1];
    struct enrolled user = {.username = username, .token = stage_register(stage, username)};
    char *mfa_token = user_activate(stage_url(stage), username, user.token, NULL);
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), username, mfa_token, code));
    user.login = stage_login(stage, username);
    free(mfa_token);
    return user;
}

static void assert_login_is_dead(struct stage *stage, struct enrolled *user)
{
    size_t sent = gateway_request_count(stage->gateway);
    http_expect_error(user_mfa(stage_url(stage), user->username, "challenge", user->login.mfa_token, NULL), 401,
                      "invalid-access-token", NULL);
    assert_int_equal(gateway_request_count(stage->gateway), sent);
    http_expect_error(verify(stage, user->username, &user->login), 401, "invalid-access-token", NULL);
    pending_login_clear(&user->login);
    free(user->token);
}

static void deactivation_ends_pending_logins(void **state)
{
    struct stage *stage = *state;
    struct enrolled user = enrol(stage, "deactivates");
    for (size_t i = 0; i < 2; i++) { /* the second time MFA is not active any more */
        struct http_answer answer = user_mfa(stage_url(stage), "deactivates", "deactivate", user.token, json_object());
        assert_string_equal(http_json_string(&answer, "message"), "MFA deactivated.");
        http_expect(answer, 200, NULL);
    }
    assert_false(stage_is_active(stage, "deactivates", user.token));
    assert_login_is_dead(stage, &user);
    free(user_login(stage_url(stage), "deactivates"));
}

static void the_administrator_s_reset_ends_pending_logins(void **state)
{
    struct stage *stage = *state;
    struct enrolled user = enrol(stage, "is-reset");
    http_expect(
        http_send(stage_url(stage),
                  (struct http_request){.method = "DELETE", .path = "/system/users/is-reset/mfa", .token = ADMIN_KEY}),
        204, NULL);
    assert_false(stage_is_active(stage, "is-reset", user.token));
    assert_login_is_dead(stage, &user);
    free(user_login(stage_url(stage), "is-reset"));
}

static void a_new_activation_leaves_the_old_enrolment_in_force_until_confirm(void **state)
{
    struct stage *stage = *state;
    static const char other_data[] = "{\"number\": \"41790000000\", \"message\": \"Other: {{ code }}\"}";
    char code[GATEWAY_CODE_MAX + 1];
    struct enrolled user = enrol(stage, "replaces");
    char *mfa_token = user_activate(stage_url(stage), "replaces", user.token, other_data);
    gateway_last_code(stage->gateway, code);

    struct pending_login login = stage_login(stage, "replaces");
    assert_string_equal(json_string_value(json_object_get(gateway_last_request(stage->gateway)->query, "numero")),
                        USER_NUMBER);
    http_expect(verify(stage, "replaces", &login), 200, NULL);
    pending_login_clear(&login);

    json_decref(user_confirm(stage_url(stage), "replaces", mfa_token, code));
    assert_login_is_dead(stage, &user);
    login = stage_login(stage, "replaces");
    assert_string_equal(json_string_value(json_object_get(gateway_last_request(stage->gateway)->query, "numero")),
                        "41790000000");
    http_expect(verify(stage, "replaces", &login), 200, NULL);
    pending_login_clear(&login);
    free(mfa_token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_under_another_user_s_path_is_unknown_and_the_session_survives),
        cmocka_unit_test(a_token_of_the_other_purpose_is_unknown_and_the_session_survives),
        cmocka_unit_test(a_code_of_another_session_of_the_same_user_is_wrong),
        cmocka_unit_test(a_code_and_its_session_are_used_once),
        cmocka_unit_test(the_code_before_a_resend_stays_good_and_success_burns_both),
        cmocka_unit_test(the_code_before_the_one_before_is_no_longer_good),
        cmocka_unit_test(the_fifth_wrong_code_ends_the_session_and_a_resend_does_not_reset_the_count),
        cmocka_unit_test(deactivation_ends_pending_logins),
        cmocka_unit_test(the_administrator_s_reset_ends_pending_logins),
        cmocka_unit_test(a_new_activation_leaves_the_old_enrolment_in_force_until_confirm),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
