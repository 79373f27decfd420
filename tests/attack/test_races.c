/* SPDX-License-Identifier: Apache-2.0
 *
 * Many requests at once, where one after the other would be refused.
 */
#include <stdlib.h>
#include <string.h>

#include "attack.h"

#define USES 50
#define GUESSES 100
#define ROUNDS 20

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &(struct attack_settings){0});
}

struct crowd {
    struct http_answer answers[GUESSES];
    size_t count;
    size_t successes;
    const struct http_answer *success; /* the last one */
};

/* Sends all bodies at once. Every answer is a 200 or a refusal that gives nothing away. */
static struct crowd *crowd_send(struct stage *stage, const char *path, const char *token, json_t *const *bodies,
                                size_t count)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    crowd->count = count;
    post_at_once(stage, path, token, bodies, crowd->answers, count);
    for (size_t i = 0; i < count; i++) {
        const struct http_answer *answer = &crowd->answers[i];
        assert_int_equal(answer->transport, CURLE_OK);
        if (answer->status == 200) {
            crowd->success = answer;
            crowd->successes++;
        } else {
            assert_in_range(answer->status, 400, 429);
            assert_gives_nothing(answer);
        }
    }
    return crowd;
}

static void crowd_free(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        http_answer_clear(&crowd->answers[i]);
    free(crowd);
}

static void assert_fifty_release_one(struct stage *stage, const char *username, const struct pending_login *login)
{
    json_t *bodies[USES];
    char *path = user_path(username, "/mfa/verify");
    for (size_t i = 0; i < USES; i++)
        bodies[i] = code_body(login->code);
    struct crowd *crowd = crowd_send(stage, path, login->mfa_token, bodies, USES);
    assert_int_equal(crowd->successes, 1);
    assert_true(opens_access(stage, username, http_json_string(crowd->success, "token")));
    crowd_free(crowd);
    free(path);
}

static void A30_fifty_right_codes_at_once_release_one_login(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "fifty");
    for (size_t i = 0; i < ROUNDS; i++) {
        struct pending_login login = stage_login(stage, "fifty");
        assert_fifty_release_one(stage, "fifty", &login);
        expect_session_is_dead(stage, "fifty", &login);
    }
}

/* The service says yes to each; it must not be asked more often than there are attempts. */
static void A31_fifty_right_codes_at_once_release_one_login_in_challenge_verify(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.mode = "challenge-verify"});
    char *token = stage_register(&stage, "fifty");
    char *mfa_token = user_activate(stage_url(&stage), "fifty", token, NULL);
    json_decref(user_confirm(stage_url(&stage), "fifty", mfa_token, "12345"));
    free(mfa_token);
    for (size_t i = 0; i < ROUNDS; i++) {
        struct pending_login login = {.mfa_token = user_login_mfa(stage_url(&stage), "fifty"), .code = "12345"};
        size_t sent = gateway_request_count(stage.gateway);
        assert_fifty_release_one(&stage, "fifty", &login);
        assert_in_range(gateway_request_count(stage.gateway) - sent, 1, 5);
        pending_login_clear(&login);
    }
    free(token);
    stage_close(&stage);
}

static void A32_of_a_hundred_guesses_at_once_five_count(void **state)
{
    struct stage *stage = *state;
    json_t *bodies[GUESSES];
    stage_enrol(stage, "hundred");
    for (size_t round = 0; round < ROUNDS; round++) {
        struct pending_login login = stage_login(stage, "hundred");
        size_t right = round * GUESSES / ROUNDS;
        size_t compared = 0;
        for (unsigned i = 0; i < GUESSES; i++) {
            char code[GATEWAY_CODE_MAX + 1];
            memcpy(code, login.code, sizeof code);
            if (i != right)
                code_spoil(code, i);
            bodies[i] = code_body(code);
        }
        struct crowd *crowd = crowd_send(stage, "/hundred/mfa/verify", login.mfa_token, bodies, GUESSES);
        for (size_t i = 0; i < GUESSES; i++)
            compared += crowd->answers[i].status == 400;
        if (crowd->success)
            assert_ptr_equal(crowd->success, &crowd->answers[right]);
        assert_true(crowd->successes <= 1);
        assert_true(compared + crowd->successes <= 5);
        crowd_free(crowd);
        expect_session_is_dead(stage, "hundred", &login);
    }
}

static json_t *recover_body(const char *username, const json_t *code)
{
    return json_pack("{s:s, s:s, s:O}", "username", username, "password", USER_PASSWORD, "recoveryCode", code);
}

static void A33_a_recovery_code_fifty_times_at_once_works_once(void **state)
{
    struct stage *stage = *state;
    json_t *bodies[USES];
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "recovers", NULL);
    for (size_t i = 0; i < USES; i++)
        bodies[i] = recover_body("recovers", json_array_get(codes, 0));
    struct crowd *crowd = crowd_send(stage, "/recovers/mfa/recover", NULL, bodies, USES);
    assert_int_equal(crowd->successes, 1);
    crowd_free(crowd);
    json_decref(codes);
}

static bool is_recovery_code(struct stage *stage, const char *username, const struct http_answer *confirmed)
{
    const json_t *code = json_array_get(json_object_get(confirmed->json, "recoveryCodes"), 0);
    char *path = user_path(username, "/mfa/recover");
    struct http_answer answer = http_send(
        stage_url(stage), (struct http_request){.method = "POST", .path = path, .json = recover_body(username, code)});
    bool is_good = answer.status == 200;
    http_answer_clear(&answer);
    free(path);
    return is_good;
}

static struct pending_login begin_activation(struct stage *stage, const char *username, const char *token)
{
    struct pending_login activation = {.mfa_token = user_activate(stage_url(stage), username, token, NULL)};
    gateway_last_code(stage->gateway, activation.code);
    return activation;
}

/* In either order the factor is off in the end, and the session gone. */
static void A34_verify_against_deactivate_ends_in_a_serial_state(void **state)
{
    struct stage *stage = *state;
    char *token = stage_register(stage, "withdraws");
    for (size_t i = 0; i < ROUNDS; i++) {
        struct pending_login activation = begin_activation(stage, "withdraws", token);
        json_decref(user_confirm(stage_url(stage), "withdraws", activation.mfa_token, activation.code));
        struct pending_login login = stage_login(stage, "withdraws");
        struct http_request requests[] = {
            {.method = "POST",
             .path = "/withdraws/mfa/verify",
             .token = login.mfa_token,
             .json = code_body(login.code)},
            {.method = "POST", .path = "/withdraws/mfa/deactivate", .token = token, .json = json_object()},
        };
        struct http_answer answers[2];
        http_send_all(stage_url(stage), requests, answers, 2);
        if (answers[0].status == 200)
            http_answer_clear(&answers[0]);
        else
            expect_refused(stage, "withdraws", answers[0], 401, "invalid-access-token");
        http_expect(answers[1], 200, NULL);
        assert_false(stage_is_active(stage, "withdraws", token));
        expect_refused(stage, "withdraws", stage_send_code(stage, "withdraws", "verify", login.mfa_token, login.code),
                       401, "invalid-access-token");
        pending_login_clear(&login);
        pending_login_clear(&activation);
    }
    free(token);
}

/* In either order the new enrolment is in force, with its own recovery codes, and the login of the old one is over. */
static void A35_verify_against_a_new_activation_ends_in_a_serial_state(void **state)
{
    struct stage *stage = *state;
    char *token = stage_register(stage, "replaces");
    for (size_t i = 0; i < ROUNDS; i++) {
        struct pending_login first = begin_activation(stage, "replaces", token);
        json_t *old_codes = user_confirm(stage_url(stage), "replaces", first.mfa_token, first.code);
        struct pending_login login = stage_login(stage, "replaces");
        struct pending_login second = begin_activation(stage, "replaces", token);
        struct http_request requests[] = {
            {.method = "POST", .path = "/replaces/mfa/verify", .token = login.mfa_token, .json = code_body(login.code)},
            {.method = "POST",
             .path = "/replaces/mfa/confirm",
             .token = second.mfa_token,
             .json = code_body(second.code)},
        };
        struct http_answer answers[2];
        http_send_all(stage_url(stage), requests, answers, 2);
        http_assert_answer(&answers[1], 200, NULL);
        if (answers[0].status == 200)
            http_answer_clear(&answers[0]);
        else
            expect_refused(stage, "replaces", answers[0], 401, "invalid-access-token");
        assert_true(stage_is_active(stage, "replaces", token));
        expect_refused(stage, "replaces", stage_send_code(stage, "replaces", "verify", login.mfa_token, login.code),
                       401, "invalid-access-token");
        expect_refused(stage, "replaces",
                       user_mfa(stage_url(stage), "replaces", "recover", NULL,
                                recover_body("replaces", json_array_get(old_codes, 0))),
                       400, "invalid-parameters-format");
        assert_true(is_recovery_code(stage, "replaces", &answers[1]));
        http_answer_clear(&answers[1]);
        pending_login_clear(&first);
        pending_login_clear(&second);
        pending_login_clear(&login);
        json_decref(old_codes);
    }
    free(token);
}

/* Whether a recovery code of this answer logs in; the stage consumes them. */
static bool logs_in_with_code_of(struct stage *stage, const char *username, const struct http_answer *confirmed)
{
    json_t *code = json_array_get(json_object_get(confirmed->json, "recoveryCodes"), 0);
    char *mfa_token = user_login_mfa(stage_url(stage), username);
    struct http_answer answer =
        user_mfa(stage_url(stage), username, "verify", mfa_token, json_pack("{s:O}", "recoveryCode", code));
    bool is_good = answer.status == 200;
    http_answer_clear(&answer);
    free(mfa_token);
    return is_good;
}

/* Confirms of the same activation and of the one it replaced. */
static void A36_confirms_at_once_leave_one_set_of_recovery_codes(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.more = "    recovery: {mode: consume}\n"});
    char *token = stage_register(&stage, "confirms");
    for (size_t i = 0; i < ROUNDS; i++) {
        struct pending_login replaced = begin_activation(&stage, "confirms", token);
        struct pending_login activation = begin_activation(&stage, "confirms", token);
        const struct pending_login *sent[] = {&replaced, &activation, &activation, &activation};
        struct http_request requests[LIST_LEN(sent)];
        struct http_answer answers[LIST_LEN(sent)];
        size_t confirmed = 0;
        for (size_t j = 0; j < LIST_LEN(sent); j++)
            requests[j] = (struct http_request){.method = "POST",
                                                .path = "/confirms/mfa/confirm",
                                                .token = sent[j]->mfa_token,
                                                .json = code_body(sent[j]->code)};
        http_send_all(stage_url(&stage), requests, answers, LIST_LEN(sent));
        for (size_t j = 0; j < LIST_LEN(sent); j++) {
            if (answers[j].status == 200) {
                confirmed++;
                assert_true(logs_in_with_code_of(&stage, "confirms", &answers[j]));
            } else {
                assert_gives_nothing(&answers[j]);
            }
            http_answer_clear(&answers[j]);
        }
        assert_int_equal(confirmed, 1);
        pending_login_clear(&replaced);
        pending_login_clear(&activation);
    }
    free(token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A30_fifty_right_codes_at_once_release_one_login),
        cmocka_unit_test(A31_fifty_right_codes_at_once_release_one_login_in_challenge_verify),
        cmocka_unit_test(A32_of_a_hundred_guesses_at_once_five_count),
        cmocka_unit_test(A33_a_recovery_code_fifty_times_at_once_works_once),
        cmocka_unit_test(A34_verify_against_deactivate_ends_in_a_serial_state),
        cmocka_unit_test(A35_verify_against_a_new_activation_ends_in_a_serial_state),
        cmocka_unit_test(A36_confirms_at_once_leave_one_set_of_recovery_codes),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
