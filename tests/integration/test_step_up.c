/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the operator asks for it, what weakens a user's protection takes the password again; and what recovery codes do
 * besides turning MFA off.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define NEEDED "{\"id\": \"step-up-required\"}"
#define USER_DATA_WITH_PASSWORD                                                                                        \
    "{\"number\": \"41791231213\", \"message\": \"{{ code }}\", \"password\": \"" USER_PASSWORD "\"}"

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single,
                                NO_BACKOFF "    stepUp: {required: true}\n    recovery: {mode: consume}\n");
}

static json_t *password_body(const char *password)
{
    return json_pack("{s:s}", "password", password);
}

/* Enrols and gives a personal token besides the recovery codes; owned by caller. */
static char *enrol(struct stage *stage, const char *username, json_t **codes)
{
    char code[GATEWAY_CODE_MAX + 1];
    char *token = stage_register(stage, username);
    char *mfa_token = user_activate(stage_url(stage), username, token, NULL);

    gateway_last_code(stage->gateway, code);
    *codes = user_confirm(stage_url(stage), username, mfa_token, code);
    free(mfa_token);
    return token;
}

static void deactivation_takes_the_password(void **state)
{
    struct stage *stage = *state;
    json_t *codes = NULL;
    char *token = enrol(stage, "careful", &codes);

    http_expect_error(user_mfa(stage_url(stage), "careful", "deactivate", token, json_object()), 400,
                      "invalid-parameters-format", NEEDED);
    http_expect_error(user_mfa(stage_url(stage), "careful", "deactivate", token, password_body("wrong")), 403,
                      "invalid-step-up", NULL);
    assert_true(stage_is_active(stage, "careful", token));
    http_expect(user_mfa(stage_url(stage), "careful", "deactivate", token, password_body(USER_PASSWORD)), 200, NULL);
    assert_false(stage_is_active(stage, "careful", token));
    json_decref(codes);
    free(token);
}

static void replacing_an_enrolment_takes_the_password_which_is_no_user_data(void **state)
{
    struct stage *stage = *state;
    json_t *codes = NULL;
    char *token = enrol(stage, "moves", &codes);
    char code[GATEWAY_CODE_MAX + 1];
    const char *secrets[] = {USER_PASSWORD, NULL};

    http_expect_error(user_mfa(stage_url(stage), "moves", "activate", token, json_loads(USER_DATA_SINGLE, 0, NULL)),
                      400, "invalid-parameters-format", NEEDED);
    char *mfa_token = user_activate(stage_url(stage), "moves", token, USER_DATA_WITH_PASSWORD);
    gateway_last_code(stage->gateway, code);
    json_decref(codes);
    codes = user_confirm(stage_url(stage), "moves", mfa_token, code);
    assert_null(strstr(gateway_last_request(stage->gateway)->raw_url, "correct"));
    host_assert_log_lacks(stage->host, secrets);
    free(mfa_token);
    json_decref(codes);
    free(token);
}

static json_t *recovery_body(const json_t *codes, size_t i)
{
    return json_pack("{s:O}", "recoveryCode", json_array_get(codes, i));
}

static void a_recovery_code_logs_in_once_and_the_others_stay(void **state)
{
    struct stage *stage = *state;
    json_t *codes = NULL;
    char *token = enrol(stage, "lost-phone", &codes);
    struct pending_login login = stage_login(stage, "lost-phone");
    struct http_answer answer = user_mfa(stage_url(stage), "lost-phone", "verify", login.mfa_token,
                                         json_pack("{s:s}", "recoveryCode", "0f8fad5b-d9cb-469f-a165-70867728950e"));

    http_assert_answer(&answer, 400, "invalid-parameters-format");
    assert_string_equal(http_json_string(&answer, "error/data/id"), "invalid-recovery-code");
    http_answer_clear(&answer);
    answer = user_mfa(stage_url(stage), "lost-phone", "verify", login.mfa_token, recovery_body(codes, 4));
    http_assert_answer(&answer, 200, NULL);
    assert_true(stage_is_active(stage, "lost-phone", http_json_string(&answer, "token")));
    http_answer_clear(&answer);
    pending_login_clear(&login);

    login = stage_login(stage, "lost-phone");
    answer = user_mfa(stage_url(stage), "lost-phone", "verify", login.mfa_token, recovery_body(codes, 4));
    http_assert_answer(&answer, 400, "invalid-parameters-format");
    http_answer_clear(&answer);
    answer = user_mfa(stage_url(stage), "lost-phone", "verify", login.mfa_token, recovery_body(codes, 9));
    http_assert_answer(&answer, 200, NULL);
    http_answer_clear(&answer);
    pending_login_clear(&login);
    json_decref(codes);
    free(token);
}

static void new_recovery_codes_take_the_place_of_the_old(void **state)
{
    struct stage *stage = *state;
    json_t *old = NULL;
    char *token = enrol(stage, "renews", &old);

    http_expect_error(user_mfa(stage_url(stage), "renews", "recovery-codes", token, json_object()), 400,
                      "invalid-parameters-format", NEEDED);
    struct http_answer answer =
        user_mfa(stage_url(stage), "renews", "recovery-codes", token, password_body(USER_PASSWORD));
    http_assert_answer(&answer, 200, NULL);
    json_t *renewed = json_incref(json_object_get(answer.json, "recoveryCodes"));
    http_answer_clear(&answer);
    assert_int_equal(json_array_size(renewed), 10);

    struct pending_login login = stage_login(stage, "renews");
    answer = user_mfa(stage_url(stage), "renews", "verify", login.mfa_token, recovery_body(old, 0));
    http_assert_answer(&answer, 400, "invalid-parameters-format");
    http_answer_clear(&answer);
    answer = user_mfa(stage_url(stage), "renews", "verify", login.mfa_token, recovery_body(renewed, 0));
    http_assert_answer(&answer, 200, NULL);
    http_answer_clear(&answer);
    pending_login_clear(&login);
    json_decref(renewed);
    json_decref(old);
    free(token);
}

static void what_happened_stands_in_the_log_in_fixed_words(void **state)
{
    struct stage *stage = *state;

    host_await_log(stage->host, "event=mfa.confirm outcome=enrolled user=careful session=");
    host_await_log(stage->host, "event=mfa.confirm outcome=replaced user=moves session=");
    host_await_log(stage->host, "event=mfa.deactivate outcome=bad-step-up user=careful session=- client=127.0.0.1");
    host_await_log(stage->host, "event=mfa.deactivate outcome=deactivated user=careful session=- client=127.0.0.1");
    host_await_log(stage->host, "event=mfa.login outcome=challenged user=lost-phone session=");
    host_await_log(stage->host, "event=mfa.verify outcome=bad-recovery-code user=lost-phone session=");
    host_await_log(stage->host, "event=mfa.verify outcome=verified user=lost-phone session=");
    host_await_log(stage->host, "event=mfa.recovery-codes outcome=recovery-codes-renewed user=renews");
    assert_false(host_log_has(stage->host, USER_NUMBER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deactivation_takes_the_password),
        cmocka_unit_test(replacing_an_enrolment_takes_the_password_which_is_no_user_data),
        cmocka_unit_test(a_recovery_code_logs_in_once_and_the_others_stay),
        cmocka_unit_test(new_recovery_codes_take_the_place_of_the_old),
        cmocka_unit_test(what_happened_stands_in_the_log_in_fixed_words),
        cmocka_unit_test(host_ends_in_good_order),
    };

    return cmocka_run_group_tests(tests, open_stage, NULL);
}
