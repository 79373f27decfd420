/* SPDX-License-Identifier: Apache-2.0
 *
 * Recovery codes that are nobody's, somebody else's or used, and a stolen personal token.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack.h"

#define USES 50
#define STORED_LEN 46

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &(struct attack_settings){0});
}

static const char *code_at(const json_t *codes, size_t i)
{
    return json_string_value(json_array_get(codes, i));
}

static json_t *recover_body(const char *username, const char *password, json_t *code)
{
    return json_pack("{s:s, s:s, s:o}", "username", username, "password", password, "recoveryCode", code);
}

static struct http_answer recover(struct stage *stage, const char *username, json_t *code)
{
    return user_mfa(stage_url(stage), username, "recover", NULL, recover_body(username, USER_PASSWORD, code));
}

static bool is_enrolled(struct stage *stage, const char *username)
{
    struct pending_login login = stage_login(stage, username);
    expect_right_code_works(stage, username, &login);
    return true;
}

/* What the store has of one recovery code, read off the disk; owned by caller. */
static char *steal_stored_code(struct stage *stage)
{
    static const char before[] = "\"recoveryCodes\":[\"";
    char *stored = NULL;
    static const char *const suffixes[] = {"-wal", ""};
    for (size_t i = 0; !stored && i < LIST_LEN(suffixes); i++) {
        char *path = NULL;
        struct stat status = {0};
        assert_true(asprintf(&path, "%s/host.sqlite3%s", host_data_dir(stage->host), suffixes[i]) > 0);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        free(path);
        if (fd < 0)
            continue;
        assert_int_equal(fstat(fd, &status), 0);
        char *bytes = calloc(1, (size_t)status.st_size + STORED_LEN + 1);
        assert_non_null(bytes);
        ssize_t got = read(fd, bytes, (size_t)status.st_size);
        const char *at = got > 0 ? memmem(bytes, (size_t)got, before, strlen(before)) : NULL;
        stored = at ? strndup(at + strlen(before), STORED_LEN) : NULL;
        free(bytes);
        close(fd);
    }
    assert_non_null(stored);
    return stored;
}

static void A80_only_a_whole_recovery_code_of_the_user_s_own_recovers(void **state)
{
    struct stage *stage = *state;
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "recovers", NULL);
    json_t *others = user_enrol(stage_url(stage), stage->gateway, "another", NULL);
    char *stored = steal_stored_code(stage);
    char padded[128];
    const char *code = code_at(codes, 0);
    snprintf(padded, sizeof padded, "%s%s", code, code);
    json_t *const tries[] = {
        json_incref(json_array_get(others, 0)),
        json_string(""),
        json_string("*"),
        json_string("%"),
        json_string("' OR '1'='1"),
        json_stringn(code, 35),
        json_stringn(code, 8),
        json_string(code + 1),
        json_string(padded),
        json_string(stored), /* the hash for the code */
        json_stringn(stored + 3, STORED_LEN - 3),
        json_string("00000000-0000-4000-8000-000000000000"),
        json_incref(codes),
        json_pack("[s]", code),
        json_pack("{s:s}", "0", code),
        json_pack("{s:s}", "$ne", ""),
        json_null(),
        json_true(),
        json_integer(0),
    };
    for (size_t i = 0; i < LIST_LEN(tries); i++)
        expect_refused(stage, "recovers", recover(stage, "recovers", tries[i]), 400, NULL);
    assert_true(is_enrolled(stage, "recovers"));
    http_expect(recover(stage, "recovers", json_string(code)), 200, NULL);
    free(stored);
    json_decref(codes);
    json_decref(others);
}

static void A81_a_recovery_code_without_the_password_or_under_another_name_is_nothing(void **state)
{
    struct stage *stage = *state;
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "password", NULL);
    const char *code = code_at(codes, 0);
    json_t *const tries[] = {
        recover_body("password", "", json_string(code)),
        recover_body("password", "wrong", json_string(code)),
        recover_body("stranger", USER_PASSWORD, json_string(code)),
        recover_body("Password", USER_PASSWORD, json_string(code)),
        json_pack("{s:s, s:s}", "username", "password", "recoveryCode", code),
        json_pack("{s:s, s:s}", "password", USER_PASSWORD, "recoveryCode", code),
        json_pack("{s:s, s:[s], s:s}", "username", "password", "password", USER_PASSWORD, "recoveryCode", code),
        json_pack("{s:s, s:b, s:s}", "username", "password", "password", 1, "recoveryCode", code),
    };
    for (size_t i = 0; i < LIST_LEN(tries); i++) {
        struct http_answer answer = user_mfa(stage_url(stage), "password", "recover", NULL, tries[i]);
        assert_in_range(answer.status, 400, 401);
        expect_refused(stage, "password", answer, answer.status, NULL);
    }
    assert_true(is_enrolled(stage, "password"));
    http_expect(recover(stage, "password", json_string(code)), 200, NULL);
    json_decref(codes);
}

/* In the documented mode a recovery code ends the enrolment; it must not log in as well. */
static void A82_a_recovery_code_at_verify_is_nothing_unless_configured(void **state)
{
    struct stage *stage = *state;
    json_t *codes = user_enrol(stage_url(stage), stage->gateway, "notalogin", NULL);
    struct pending_login login = stage_login(stage, "notalogin");
    expect_refused(stage, "notalogin",
                   user_mfa(stage_url(stage), "notalogin", "verify", login.mfa_token,
                            json_pack("{s:s}", "recoveryCode", code_at(codes, 0))),
                   400, "invalid-parameters-format");
    expect_refused(stage, "notalogin",
                   stage_send_code(stage, "notalogin", "verify", login.mfa_token, code_at(codes, 0)), 400,
                   "invalid-parameters-format");
    expect_right_code_works(stage, "notalogin", &login);
    json_decref(codes);
}

static json_t *consume_body(const char *code)
{
    return json_pack("{s:s}", "recoveryCode", code);
}

/* One code in fifty sessions at once, and fifty times in one. */
static void A83_a_consumed_recovery_code_logs_in_once(void **state)
{
    (void)state;
    struct stage stage;
    struct http_request requests[USES];
    struct http_answer answers[USES];
    char *mfa_tokens[USES];
    size_t successes = 0;
    stage_attacked_open(&stage, &(struct attack_settings){.sessions = "maxPendingPerUser: 0",
                                                          .more = "    recovery: {mode: consume}\n"});
    json_t *codes = user_enrol(stage_url(&stage), stage.gateway, "consumes", NULL);
    json_t *others = user_enrol(stage_url(&stage), stage.gateway, "another", NULL);
    for (size_t i = 0; i < USES; i++) {
        mfa_tokens[i] = i < USES / 2 ? user_login_mfa(stage_url(&stage), "consumes") : strdup(mfa_tokens[0]);
        requests[i] = (struct http_request){.method = "POST",
                                            .path = "/consumes/mfa/verify",
                                            .token = mfa_tokens[i],
                                            .json = consume_body(code_at(codes, 0))};
    }
    http_send_all(stage_url(&stage), requests, answers, USES);
    for (size_t i = 0; i < USES; i++) {
        successes += answers[i].status == 200;
        if (answers[i].status != 200)
            assert_gives_nothing(&answers[i]);
        http_answer_clear(&answers[i]);
        free(mfa_tokens[i]);
    }
    assert_int_equal(successes, 1);

    struct pending_login login = stage_login(&stage, "consumes");
    expect_refused(&stage, "consumes",
                   user_mfa(stage_url(&stage), "consumes", "verify", login.mfa_token, consume_body(code_at(codes, 0))),
                   400, "invalid-parameters-format");
    expect_refused(&stage, "consumes",
                   user_mfa(stage_url(&stage), "consumes", "verify", login.mfa_token, consume_body(code_at(others, 0))),
                   400, "invalid-parameters-format");
    expect_refused(&stage, "consumes",
                   user_mfa(stage_url(&stage), "consumes", "verify", login.mfa_token,
                            json_pack("{s:[s]}", "recoveryCode", code_at(codes, 1))),
                   400, "invalid-parameters-format");
    expect_right_code_works(&stage, "consumes", &login);
    login = stage_login(&stage, "consumes");
    http_expect(user_mfa(stage_url(&stage), "consumes", "verify", login.mfa_token, consume_body(code_at(codes, 1))),
                200, NULL); /* the rest stay good */
    pending_login_clear(&login);
    json_decref(codes);
    json_decref(others);
    stage_close(&stage);
}

/* --- Step-up ------------------------------------------------------------------------------------------------------- */

static struct http_answer step(struct stage *stage, const char *rest, const char *token, json_t *password)
{
    json_t *body = json_loads(USER_DATA_SINGLE, 0, NULL);
    if (password)
        json_object_set_new(body, "password", password);
    return user_mfa(stage_url(stage), "stolen", rest, token, body);
}

static void A84_a_stolen_personal_token_changes_nothing_without_the_password(void **state)
{
    (void)state;
    struct stage stage;
    static const char *const steps[] = {"deactivate", "activate", "recovery-codes"};
    stage_attacked_open(&stage, &(struct attack_settings){.attempts = "backoff: {baseSeconds: 2}",
                                                          .more = "    stepUp: {required: true}\n"});
    json_decref(user_enrol(stage_url(&stage), stage.gateway, "stolen", NULL));
    struct pending_login login = stage_login(&stage, "stolen");
    char *token = user_verify(stage_url(&stage), "stolen", login.mfa_token, login.code);
    pending_login_clear(&login);
    size_t sent = gateway_request_count(stage.gateway);
    for (size_t i = 0; i < LIST_LEN(steps); i++) {
        expect_refused(&stage, "stolen", step(&stage, steps[i], token, NULL), 400, "invalid-parameters-format");
        expect_refused(&stage, "stolen", step(&stage, steps[i], token, json_string("")), 400, NULL);
        expect_refused(&stage, "stolen", step(&stage, steps[i], token, json_true()), 400, NULL);
        expect_refused(&stage, "stolen", step(&stage, steps[i], token, json_pack("[s]", USER_PASSWORD)), 400, NULL);
        expect_refused(&stage, "stolen", step(&stage, steps[i], token, json_string("wrong")), 403, "invalid-step-up");
    }
    expect_refused(&stage, "stolen", step(&stage, "deactivate", token, json_string("wrong")), 403, "invalid-step-up");
    expect_refused(&stage, "stolen", step(&stage, "deactivate", token, json_string(USER_PASSWORD)), 429,
                   "too-many-attempts"); /* guesses of the password are counted like those of a code */
    assert_int_equal(gateway_request_count(stage.gateway), sent);
    assert_true(stage_is_active(&stage, "stolen", token));
    pause_ms(2100);
    login = stage_login(&stage, "stolen");
    expect_right_code_works(&stage, "stolen", &login);
    free(token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A80_only_a_whole_recovery_code_of_the_user_s_own_recovers),
        cmocka_unit_test(A81_a_recovery_code_without_the_password_or_under_another_name_is_nothing),
        cmocka_unit_test(A82_a_recovery_code_at_verify_is_nothing_unless_configured),
        cmocka_unit_test(A83_a_consumed_recovery_code_logs_in_once),
        cmocka_unit_test(A84_a_stolen_personal_token_changes_nothing_without_the_password),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
