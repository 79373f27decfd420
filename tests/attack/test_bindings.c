/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens and codes where they do not belong: other sessions, users, purposes, times, routes, spellings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &(struct attack_settings){0});
}

/* Enrols, and gives a personal token that a login before left; owned by caller. */
static char *enrol_with_token(struct stage *stage, const char *username)
{
    char code[GATEWAY_CODE_MAX + 1];
    char *token = stage_register(stage, username);
    char *mfa_token = user_activate(stage_url(stage), username, token, NULL);
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), username, mfa_token, code));
    free(mfa_token);
    return token;
}

static void A10_the_codes_of_two_sessions_cannot_be_crossed(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "crossed");
    struct pending_login first = stage_login(stage, "crossed");
    struct pending_login second = stage_login(stage, "crossed");
    while (strcmp(first.code, second.code) == 0) { /* once in a million */
        pending_login_clear(&second);
        second = stage_login(stage, "crossed");
    }
    expect_refused(stage, "crossed", stage_send_code(stage, "crossed", "verify", first.mfa_token, second.code), 400,
                   "invalid-parameters-format");
    expect_refused(stage, "crossed", stage_send_code(stage, "crossed", "verify", second.mfa_token, first.code), 400,
                   "invalid-parameters-format");
    expect_right_code_works(stage, "crossed", &first);
    expect_right_code_works(stage, "crossed", &second);
}

static void A11_a_session_is_nobody_s_under_another_user_s_path(void **state)
{
    struct stage *stage = *state;
    static const char *const steps[] = {"verify", "confirm", "challenge"};
    stage_enrol(stage, "victim");
    stage_enrol(stage, "attacker");
    struct pending_login victim = stage_login(stage, "victim");
    struct pending_login attacker = stage_login(stage, "attacker");
    size_t sent = gateway_request_count(stage->gateway);
    for (size_t i = 0; i < LIST_LEN(steps); i++) {
        expect_refused(stage, "victim", stage_send_code(stage, "victim", steps[i], attacker.mfa_token, attacker.code),
                       401, "invalid-access-token");
        expect_refused(stage, "attacker", stage_send_code(stage, "attacker", steps[i], victim.mfa_token, victim.code),
                       401, "invalid-access-token");
    }
    assert_int_equal(gateway_request_count(stage->gateway), sent);
    expect_right_code_works(stage, "victim", &victim);
    expect_right_code_works(stage, "attacker", &attacker);
}

static void A12_a_token_of_one_purpose_does_nothing_for_the_other(void **state)
{
    struct stage *stage = *state;
    struct pending_login activation = {0};
    char *token = enrol_with_token(stage, "purposes");
    struct pending_login login = stage_login(stage, "purposes");
    activation.mfa_token = user_activate(stage_url(stage), "purposes", token, NULL);
    gateway_last_code(stage->gateway, activation.code);
    expect_refused(stage, "purposes",
                   stage_send_code(stage, "purposes", "verify", activation.mfa_token, activation.code), 401,
                   "invalid-access-token");
    expect_refused(stage, "purposes", stage_send_code(stage, "purposes", "confirm", login.mfa_token, login.code), 401,
                   "invalid-access-token");
    expect_right_code_works(stage, "purposes", &login);
    json_decref(user_confirm(stage_url(stage), "purposes", activation.mfa_token, activation.code));
    pending_login_clear(&activation);
    free(token);
}

static void A13_an_expired_code_stays_expired_when_another_is_sent(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.sms = "codeTtlSeconds: 1"});
    stage_enrol(&stage, "expired");
    struct pending_login login = stage_login(&stage, "expired");
    pause_ms(1100);
    expect_refused(&stage, "expired", stage_send_code(&stage, "expired", "verify", login.mfa_token, login.code), 400,
                   "invalid-parameters-format");
    http_expect(user_mfa(stage_url(&stage), "expired", "challenge", login.mfa_token, NULL), 200, NULL);
    expect_refused(&stage, "expired", stage_send_code(&stage, "expired", "verify", login.mfa_token, login.code), 400,
                   "invalid-parameters-format");
    gateway_last_code(stage.gateway, login.code);
    expect_right_code_works(&stage, "expired", &login);
    stage_close(&stage);
}

/* The first code is good after a re-send, once. With it the second is burnt as well. */
static void A14_a_code_is_not_good_a_second_time(void **state)
{
    struct stage *stage = *state;
    struct pending_login later = {0};
    stage_enrol(stage, "replayed");
    struct pending_login login = stage_login(stage, "replayed");
    http_expect(user_mfa(stage_url(stage), "replayed", "challenge", login.mfa_token, NULL), 200, NULL);
    gateway_last_code(stage->gateway, later.code);
    free(user_verify(stage_url(stage), "replayed", login.mfa_token, login.code));
    expect_refused(stage, "replayed", stage_send_code(stage, "replayed", "verify", login.mfa_token, later.code), 401,
                   "invalid-access-token");
    expect_session_is_dead(stage, "replayed", &login);
}

static void A15_a_code_before_the_one_before_is_not_good(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "previous");
    struct pending_login login = stage_login(stage, "previous");
    char first[GATEWAY_CODE_MAX + 1];
    memcpy(first, login.code, sizeof first);
    for (size_t i = 0; i < 2; i++)
        http_expect(user_mfa(stage_url(stage), "previous", "challenge", login.mfa_token, NULL), 200, NULL);
    gateway_last_code(stage->gateway, login.code);
    if (strcmp(first, login.code) != 0)
        expect_refused(stage, "previous", stage_send_code(stage, "previous", "verify", login.mfa_token, first), 400,
                       "invalid-parameters-format");
    expect_right_code_works(stage, "previous", &login);
}

struct route {
    const char *method;
    const char *rest;
    const char *body;
};

/* The published system handed out a working access token before the second factor. */
static void A16_an_mfa_token_is_no_access_token(void **state)
{
    struct stage *stage = *state;
    static const struct route routes[] = {
        {"GET", "/access-info", NULL},
        {"GET", "/mfa", NULL},
        {"POST", "/mfa/activate", USER_DATA_SINGLE},
        {"POST", "/mfa/deactivate", "{}"},
        {"GET", "/profile/private", NULL},
        {"PUT", "/profile/private", "{\"theme\": \"dark\"}"},
        {"POST", "/accesses", "{\"name\": \"a\", \"type\": \"app\", \"permissions\": []}"},
        {"POST", "/auth/logout", "{}"}};
    stage_enrol(stage, "tokenless");
    struct pending_login login = stage_login(stage, "tokenless");
    for (size_t i = 0; i < LIST_LEN(routes); i++) {
        char *path = user_path("tokenless", routes[i].rest);
        struct http_request request = {.method = routes[i].method,
                                       .path = path,
                                       .token = login.mfa_token,
                                       .raw = routes[i].body,
                                       .raw_len = routes[i].body ? strlen(routes[i].body) : 0};
        expect_refused(stage, "tokenless", http_send(stage_url(stage), request), 403, "invalid-access-token");
        request.token = "";
        expect_refused(stage, "tokenless", http_send(stage_url(stage), request), 401, "invalid-access-token");
        free(path);
    }
    expect_right_code_works(stage, "tokenless", &login);
}

static char *make_app_token(struct stage *stage, const char *username, const char *token)
{
    char *path = user_path(username, "/accesses");
    struct http_answer answer =
        http_send(stage_url(stage),
                  (struct http_request){.method = "POST",
                                        .path = path,
                                        .token = token,
                                        .json = json_loads("{\"name\": \"an-app\", \"type\": \"app\", \"permissions\": "
                                                           "[{\"streamId\": \"diary\", \"level\": \"read\"}]}",
                                                           0, NULL)});
    http_assert_answer(&answer, 201, NULL);
    char *app_token = strdup(http_json_string(&answer, "access/token"));
    http_answer_clear(&answer);
    free(path);
    return app_token;
}

/* With these tokens the factor would be switched off. */
static void A17_no_lesser_token_switches_the_factor_off(void **state)
{
    struct stage *stage = *state;
    char *token = enrol_with_token(stage, "keepsmfa");
    char *stranger = stage_register(stage, "stranger");
    char *app_token = make_app_token(stage, "keepsmfa", token);
    const struct {
        const char *token;
        long status;
    } tries[] = {{NULL, 401}, {"", 401}, {"null", 403}, {app_token, 403}, {stranger, 403}, {ADMIN_KEY, 403}};
    for (size_t i = 0; i < LIST_LEN(tries); i++) {
        expect_refused(stage, "keepsmfa",
                       user_mfa(stage_url(stage), "keepsmfa", "deactivate", tries[i].token, json_object()),
                       tries[i].status, NULL);
        expect_refused(
            stage, "keepsmfa",
            user_mfa(stage_url(stage), "keepsmfa", "activate", tries[i].token, json_loads(USER_DATA_SINGLE, 0, NULL)),
            tries[i].status, NULL);
    }
    const char *const no_admin[] = {
        NULL, "", token, app_token, "an-administrators-key-for-test", "an-administrators-key-for-tests-"};
    for (size_t i = 0; i < LIST_LEN(no_admin); i++) {
        struct http_answer answer = http_send(
            stage_url(stage),
            (struct http_request){.method = "DELETE", .path = "/system/users/keepsmfa/mfa", .token = no_admin[i]});
        assert_in_range(answer.status, 401, 404);
        expect_refused(stage, "keepsmfa", answer, answer.status, NULL);
    }
    assert_true(stage_is_active(stage, "keepsmfa", token));
    free(token);
    free(stranger);
    free(app_token);
}

/* The published system let an enrolment be overwritten through the profile. */
static void A18_neither_enrolment_nor_failures_can_be_written_through_the_profile(void **state)
{
    struct stage *stage = *state;
    static const char *const writes[] = {"{\"mfa\": null}",
                                         "{\"mfa\": {}}",
                                         "{\"mfa\": false}",
                                         "{\"mfa\": {\"content\": {\"number\": \"1\"}, \"recoveryCodes\": []}}",
                                         "{\"theme\": \"dark\", \"mfa\": null}",
                                         "{\"\\u006dfa\": null}",
                                         "{\"mfa-attempts\": null}",
                                         "{\"mfa-attempts\": {\"consecutive\": 0, \"recent\": 0}}",
                                         "{\"theme\": \"dark\", \"mfa\\u002dattempts\": null}"};
    static const char *const harmless[] = {"{\"mfa.content\": {}}", "{\"mfa.recoveryCodes\": null}", "{\"MFA\": null}",
                                           "{\"$set\": {\"mfa\": null}}", "{\"__proto__\": {\"mfa\": null}}"};
    char *token = enrol_with_token(stage, "profile");
    struct http_request request = {.method = "PUT", .path = "/profile/profile/private", .token = token};
    for (size_t i = 0; i < LIST_LEN(writes); i++) {
        request.json = json_loads(writes[i], 0, NULL);
        expect_refused(stage, "profile", http_send(stage_url(stage), request), 403, "forbidden");
    }
    for (size_t i = 0; i < LIST_LEN(harmless); i++) { /* other names: whatever the answer, nothing happens */
        request.json = json_loads(harmless[i], 0, NULL);
        struct http_answer answer = http_send(stage_url(stage), request);
        assert_gives_nothing(&answer);
        http_answer_clear(&answer);
    }
    assert_true(stage_is_active(stage, "profile", token));
    struct pending_login login = stage_login(stage, "profile");
    expect_right_code_works(stage, "profile", &login);
    free(token);
}

/* A name that is another spelling of the user's must be the user, with the factor, or nobody. */
static void A19_no_spelling_of_a_name_logs_in_without_the_code(void **state)
{
    struct stage *stage = *state;
    static const char *const paths[] = {
        "Spelling",     "SPELLING",     "spellinG",          "spelling%00",      "spelling%00x",  "%73pelling",
        "%53pelling",   "%2573pelling", "spelling%20",       "%20spelling",      "spelling%0a",   "spelling%09",
        "spelling.",    "spelling%2f",  "spelling/",         "/spelling",        "./spelling",    "x/../spelling",
        "spelling;x=y", "spelling%3bx", "spelling%ef%bc%8f", "%ef%bd%93pelling", "spell%c4%b1ng", "spelling%ff"};
    static const char *const names[] = {"spelling",  "Spelling",        "SPELLING",         " spelling",
                                        "spelling ", "spelling\\u0000", "spelling\\u0000x", "\\uff53pelling"};
    char path[96];
    char body[256];
    stage_enrol(stage, "spelling");
    struct pending_login login = stage_login(stage, "spelling");
    for (size_t i = 0; i < LIST_LEN(paths); i++) {
        snprintf(path, sizeof path, "/%s/auth/login", paths[i]);
        for (size_t j = 0; j < LIST_LEN(names); j++) {
            int len = snprintf(body, sizeof body, "{\"username\":\"%s\",\"password\":\"%s\",\"appId\":\"tests\"}",
                               names[j], USER_PASSWORD);
            struct http_answer answer = post_raw(stage, path, NULL, body, (size_t)len);
            if (answer.status == 200) { /* it was the user: only another challenge */
                assert_non_null(http_json_string(&answer, "mfaToken"));
                assert_null(http_json_string(&answer, "token"));
                assert_null(http_json_string(&answer, "apiEndpoint"));
            } else {
                assert_in_range(answer.status, 400, 404);
                assert_gives_nothing(&answer);
            }
            assert_nothing_opens_access(stage, "spelling", &answer);
            http_answer_clear(&answer);
        }
    }
    expect_right_code_works(stage, "spelling", &login);
}

struct enrolled {
    char *token;
    struct pending_login login;
    char recovery_code[64];
};

static void enrol_and_log_in(struct stage *stage, const char *username, struct enrolled *user)
{
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, username, NULL);
    snprintf(user->recovery_code, sizeof user->recovery_code, "%s", json_string_value(json_array_get(codes, 0)));
    struct pending_login login = stage_login(stage, username);
    user->token = user_verify(stage_url(stage), username, login.mfa_token, login.code);
    pending_login_clear(&login);
    user->login = stage_login(stage, username);
    json_decref(codes);
}

static void enrolled_is_dead(struct stage *stage, const char *username, struct enrolled *user)
{
    size_t sent = gateway_request_count(stage->gateway);
    expect_refused(stage, username, user_mfa(stage_url(stage), username, "challenge", user->login.mfa_token, NULL), 401,
                   "invalid-access-token");
    expect_refused(stage, username, stage_send_code(stage, username, "verify", user->login.mfa_token, user->login.code),
                   401, "invalid-access-token");
    assert_int_equal(gateway_request_count(stage->gateway), sent);
    pending_login_clear(&user->login);
    free(user->token);
}

static void A20_a_login_does_not_outlive_the_enrolment_it_was_challenged_for(void **state)
{
    struct stage *stage = *state;
    struct enrolled user = {0};
    enrol_and_log_in(stage, "ended-by-self", &user);
    http_expect(user_mfa(stage_url(stage), "ended-by-self", "deactivate", user.token, json_object()), 200, NULL);
    enrolled_is_dead(stage, "ended-by-self", &user);

    enrol_and_log_in(stage, "ended-by-code", &user);
    http_expect(user_mfa(stage_url(stage), "ended-by-code", "recover", NULL,
                         json_pack("{s:s, s:s, s:s}", "username", "ended-by-code", "password", USER_PASSWORD,
                                   "recoveryCode", user.recovery_code)),
                200, NULL);
    enrolled_is_dead(stage, "ended-by-code", &user);

    enrol_and_log_in(stage, "ended-by-admin", &user);
    http_expect(http_send(stage_url(stage), (struct http_request){.method = "DELETE",
                                                                  .path = "/system/users/ended-by-admin/mfa",
                                                                  .token = ADMIN_KEY}),
                204, NULL);
    enrolled_is_dead(stage, "ended-by-admin", &user);

    char code[GATEWAY_CODE_MAX + 1];
    enrol_and_log_in(stage, "ended-by-new", &user);
    char *mfa_token = user_activate(stage_url(stage), "ended-by-new", user.token, NULL);
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), "ended-by-new", mfa_token, code));
    free(mfa_token);
    enrolled_is_dead(stage, "ended-by-new", &user);
}

/* Whoever holds a session cannot redirect the codes by merely beginning an activation. */
static void A21_an_activation_that_is_not_confirmed_changes_nothing(void **state)
{
    struct stage *stage = *state;
    static const char other[] = "{\"number\": \"41790000000\", \"message\": \"{{ code }}\"}";
    char *token = enrol_with_token(stage, "redirects");
    char *mfa_token = user_activate(stage_url(stage), "redirects", token, other);
    struct pending_login login = stage_login(stage, "redirects");
    assert_string_equal(json_string_value(json_object_get(gateway_last_request(stage->gateway)->query, "numero")),
                        USER_NUMBER);
    expect_refused(stage, "redirects", stage_send_code(stage, "redirects", "confirm", mfa_token, login.code), 400,
                   "invalid-parameters-format");
    expect_right_code_works(stage, "redirects", &login);
    free(mfa_token);
    free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A10_the_codes_of_two_sessions_cannot_be_crossed),
        cmocka_unit_test(A11_a_session_is_nobody_s_under_another_user_s_path),
        cmocka_unit_test(A12_a_token_of_one_purpose_does_nothing_for_the_other),
        cmocka_unit_test(A13_an_expired_code_stays_expired_when_another_is_sent),
        cmocka_unit_test(A14_a_code_is_not_good_a_second_time),
        cmocka_unit_test(A15_a_code_before_the_one_before_is_not_good),
        cmocka_unit_test(A16_an_mfa_token_is_no_access_token),
        cmocka_unit_test(A17_no_lesser_token_switches_the_factor_off),
        cmocka_unit_test(A18_neither_enrolment_nor_failures_can_be_written_through_the_profile),
        cmocka_unit_test(A19_no_spelling_of_a_name_logs_in_without_the_code),
        cmocka_unit_test(A20_a_login_does_not_outlive_the_enrolment_it_was_challenged_for),
        cmocka_unit_test(A21_an_activation_that_is_not_confirmed_changes_nothing),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
