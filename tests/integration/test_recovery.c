/* SPDX-License-Identifier: Apache-2.0
 *
 * Recovery codes: what they look like and what they do; what is stored of them and of everything else that opens
 * something; and what the private profile shows.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness_stage.h"

#define RECOVERY_CODE_LEN 36

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, NULL);
}

static json_t *enrol(struct stage *stage, const char *username)
{
    return user_enrol(stage_url(stage), stage->gateway, username, NULL);
}

static const char *code_at(const json_t *codes, size_t i)
{
    return json_string_value(json_array_get(codes, i));
}

static struct http_answer recover(struct stage *stage, const char *username, const char *password, const char *code)
{
    return user_mfa(stage_url(stage), username, "recover", NULL,
                    json_pack("{s:s, s:s, s:s, s:s}", "username", username, "password", password, "recoveryCode", code,
                              "appId", "tests"));
}

static void assert_is_uuid_4(const char *code)
{
    assert_int_equal(strlen(code), RECOVERY_CODE_LEN);
    for (size_t i = 0; i < RECOVERY_CODE_LEN; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        assert_true(is_dash ? code[i] == '-' : strchr("0123456789abcdef", code[i]) != NULL);
    }
    assert_int_equal(code[14], '4');
    assert_non_null(strchr("89ab", code[19]));
}

static void confirm_gives_ten_different_uuids(void **state)
{
    struct stage *stage = *state;
    json_t *codes = enrol(stage, "ten-codes");
    for (size_t i = 0; i < json_array_size(codes); i++) {
        assert_is_uuid_4(code_at(codes, i));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(code_at(codes, i), code_at(codes, j));
    }
    json_decref(codes);
}

static void a_recovery_code_switches_mfa_off_and_works_once(void **state)
{
    struct stage *stage = *state;
    json_t *codes = enrol(stage, "worksonce");
    struct pending_login login = stage_login(stage, "worksonce");
    struct http_answer answer = recover(stage, "worksonce", USER_PASSWORD, code_at(codes, 3));
    assert_string_equal(http_json_string(&answer, "message"), "MFA deactivated.");
    http_expect(answer, 200, NULL);
    http_expect_error(stage_send_code(stage, "worksonce", "verify", login.mfa_token, login.code), 401,
                      "invalid-access-token", NULL);
    http_expect_error(recover(stage, "worksonce", USER_PASSWORD, code_at(codes, 3)), 400, "invalid-operation", NULL);
    free(user_login(stage_url(stage), "worksonce"));
    pending_login_clear(&login);
    json_decref(codes);
}

static void codes_of_an_enrolment_before_are_wrong_in_the_next(void **state)
{
    struct stage *stage = *state;
    char code[GATEWAY_CODE_MAX + 1];
    json_t *codes = enrol(stage, "re-enrols");
    http_expect(recover(stage, "re-enrols", USER_PASSWORD, code_at(codes, 0)), 200, NULL);
    char *token = user_login(stage_url(stage), "re-enrols");
    char *mfa_token = user_activate(stage_url(stage), "re-enrols", token, NULL);
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), "re-enrols", mfa_token, code));
    for (size_t i = 0; i < 2; i++)
        http_expect_error(recover(stage, "re-enrols", USER_PASSWORD, code_at(codes, i)), 400,
                          "invalid-parameters-format", "{\"id\": \"invalid-recovery-code\"}");
    assert_true(stage_is_active(stage, "re-enrols", token));
    free(mfa_token);
    free(token);
    json_decref(codes);
}

static void what_is_wrong_is_told_only_to_who_knows_the_password(void **state)
{
    struct stage *stage = *state;
    static const char unknown_code[] = "01234567-89ab-4cde-8f01-23456789abcd";
    json_t *codes = enrol(stage, "recovers");
    json_decref(enrol(stage, "recovers-2"));
    http_expect_error(recover(stage, "recovers", "wrong password", code_at(codes, 0)), 401, "invalid-credentials",
                      NULL);
    http_expect_error(recover(stage, "recovers", "wrong password", unknown_code), 401, "invalid-credentials", NULL);
    http_expect_error(recover(stage, "recovers", "", code_at(codes, 0)), 401, "invalid-credentials", NULL);
    http_expect_error(recover(stage, "recovers", USER_PASSWORD, unknown_code), 400, "invalid-parameters-format",
                      "{\"id\": \"invalid-recovery-code\"}");
    http_expect_error(recover(stage, "recovers", USER_PASSWORD, "no recovery code"), 400, "invalid-parameters-format",
                      "{\"id\": \"invalid-recovery-code\"}");
    http_expect_error(recover(stage, "recovers-2", USER_PASSWORD, code_at(codes, 0)), 400, "invalid-parameters-format",
                      "{\"id\": \"invalid-recovery-code\"}");
    http_expect_error(recover(stage, "nobody-here", USER_PASSWORD, code_at(codes, 0)), 404, "unknown-resource", NULL);
    http_expect_error(user_mfa(stage_url(stage), "recovers", "recover", NULL,
                               json_pack("{s:s, s:s, s:s}", "username", "recovers-2", "password", USER_PASSWORD,
                                         "recoveryCode", code_at(codes, 0))),
                      400, "invalid-operation", NULL);
    free(stage_register(stage, "recovers-3"));
    http_expect_error(recover(stage, "recovers-3", USER_PASSWORD, code_at(codes, 0)), 400, "invalid-operation", NULL);
    http_expect_error(recover(stage, "recovers-3", "wrong password", code_at(codes, 0)), 401, "invalid-credentials",
                      NULL);
    http_expect(recover(stage, "recovers", USER_PASSWORD, code_at(codes, 0)), 200, NULL);
    json_decref(codes);
}

static void a_recovery_code_may_be_typed_in_upper_case_and_with_blanks_around(void **state)
{
    struct stage *stage = *state;
    char typed[RECOVERY_CODE_LEN + 5];
    json_t *codes = enrol(stage, "typed");
    snprintf(typed, sizeof typed, " %s  ", code_at(codes, 9));
    for (char *c = typed; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'f' ? *c - 'a' + 'A' : *c);
    http_expect(recover(stage, "typed", USER_PASSWORD, typed), 200, NULL);
    json_decref(codes);
}

/* --- What is stored ---------------------------------------------------------------------------------------------- */

static char *database_path(struct stage *stage, const char *suffix)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/host.sqlite3%s", host_data_dir(stage->host), suffix) > 0);
    return path;
}

static bool file_holds(const char *path, const char *text)
{
    struct stat status = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    assert_int_equal(fstat(fd, &status), 0);
    size_t size = (size_t)status.st_size;
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, size), status.st_size);
    bool holds = memmem(bytes, size, text, strlen(text)) != NULL;
    free(bytes);
    close(fd);
    return holds;
}

static bool database_holds(struct stage *stage, const char *text)
{
    static const char *const suffixes[] = {"", "-wal", "-journal"};
    bool holds = false;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char *path = database_path(stage, suffixes[i]);
        holds |= file_holds(path, text);
        free(path);
    }
    return holds;
}

static void nothing_that_opens_anything_is_stored_in_clear(void **state)
{
    struct stage *stage = *state;
    json_t *codes = enrol(stage, "stored");
    struct pending_login first = stage_login(stage, "stored");
    struct pending_login login = stage_login(stage, "stored");
    char *token = user_verify(stage_url(stage), "stored", login.mfa_token, login.code);
    char quoted_code[GATEWAY_CODE_MAX + 3];
    snprintf(quoted_code, sizeof quoted_code, "\"%s\"", first.code);
    const char *const secrets[] = {first.mfa_token, login.mfa_token, token, USER_PASSWORD, quoted_code};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        assert_false(database_holds(stage, secrets[i]));
    for (size_t i = 0; i < json_array_size(codes); i++)
        assert_false(database_holds(stage, code_at(codes, i)));
    assert_true(database_holds(stage, "\"recoveryCodes\":[\"v1:")); /* we look in the right place */
    pending_login_clear(&first);
    pending_login_clear(&login);
    free(token);
    json_decref(codes);
}

static int count_accesses(struct stage *stage)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *count = NULL;
    char *path = database_path(stage, "");
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM accesses", -1, &count, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    int accesses = sqlite3_column_int(count, 0);
    sqlite3_finalize(count);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    free(path);
    return accesses;
}

static void the_access_of_a_login_does_not_exist_before_verify(void **state)
{
    struct stage *stage = *state;
    json_decref(enrol(stage, "not-before"));
    int before = count_accesses(stage);
    struct pending_login login = stage_login(stage, "not-before");
    assert_int_equal(count_accesses(stage), before);
    free(user_verify(stage_url(stage), "not-before", login.mfa_token, login.code));
    assert_int_equal(count_accesses(stage), before + 1);
    pending_login_clear(&login);
}

static void fail_once(struct stage *stage, const char *username)
{
    struct pending_login login = stage_login(stage, username);
    code_spoil(login.code, 1);
    http_expect(stage_send_code(stage, username, "verify", login.mfa_token, login.code), 400,
                "invalid-parameters-format");
    pending_login_clear(&login);
}

/* The enrolment and the count of failures are there, and nothing of what is in them. */
static void expect_protected(struct stage *stage, struct http_request request)
{
    static const char *const hidden[] = {"recoveryCodes", "v1:",         "content", USER_NUMBER,
                                         "Pryv%20Lab",    "consecutive", "recent"};
    json_t *protected = json_pack("{s:b}", "protected", 1);
    struct http_answer answer = http_send(stage_url(stage), request);
    const json_t *profile = json_object_get(answer.json, "profile");
    assert_true(json_equal(json_object_get(profile, "mfa"), protected));
    assert_true(json_equal(json_object_get(profile, "mfa-attempts"), protected));
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        assert_null(strstr(answer.body, hidden[i]));
    http_expect(answer, 200, NULL);
    json_decref(protected);
}

static void the_private_profile_shows_no_secret_and_cannot_write_the_enrolment(void **state)
{
    struct stage *stage = *state;
    struct http_request request = {.path = "/shown/profile/private"};
    char code[GATEWAY_CODE_MAX + 1];
    char *token = stage_register(stage, "shown");
    char *mfa_token = user_activate(stage_url(stage), "shown", token, NULL);
    gateway_last_code(stage->gateway, code);
    json_t *codes = user_confirm(stage_url(stage), "shown", mfa_token, code);
    fail_once(stage, "shown");
    request.token = token;
    expect_protected(stage, request);

    static const char *const writes[] = {"{\"mfa\": null}",
                                         "{\"mfa\": {\"content\": {}, \"recoveryCodes\": []}}",
                                         "{\"theme\": \"dark\", \"mfa\": {}}",
                                         "{\"mfa-attempts\": null}",
                                         "{\"mfa-attempts\": {\"consecutive\": 0, \"recent\": 0}}",
                                         "{\"theme\": \"dark\", \"mfa-attempts\": null}"};
    request.method = "PUT";
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        request.json = json_loads(writes[i], 0, NULL);
        http_expect(http_send(stage_url(stage), request), 403, "forbidden");
    }
    request.json = json_pack("{s:s}", "theme", "dark");
    expect_protected(stage, request);
    assert_true(stage_is_active(stage, "shown", token));
    free(mfa_token);
    free(token);
    json_decref(codes);
}

/* --- Profiles written by other software -------------------------------------------------------------------------- */

static void write_enrolment(struct stage *stage, const char *username, const char *enrolment)
{
    static const char sql[] = "INSERT INTO fields (user_id, field, version, value)"
                              " SELECT users.id, 'mfa', last + 1, CAST(?2 AS BLOB) FROM users, field_version"
                              " WHERE username = ?1";
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    char *path = database_path(stage, "");
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &insert, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(insert, 1, username, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(insert, 2, enrolment, -1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_finalize(insert);
    assert_int_equal(sqlite3_exec(db, "UPDATE field_version SET last = last + 1", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    free(path);
}

static void a_profile_with_recovery_codes_in_clear_logs_in_with_mfa_and_recovers(void **state)
{
    struct stage *stage = *state;
    static const char code[] = "d9b1de0c-3a6d-4d5e-9f6d-0a1b2c3d4e5f";
    user_register(stage_url(stage), "legacy");
    host_stop(stage->host);
    write_enrolment(stage, "legacy",
                    "{\"content\": " USER_DATA_SINGLE ", \"recoveryCodes\": [\"0b7e6f7e-1111-4222-8333-444455556666\","
                    " \"d9b1de0c-3a6d-4d5e-9f6d-0a1b2c3d4e5f\"]}");
    host_start(stage->host);

    struct pending_login login = stage_login(stage, "legacy");
    char *token = user_verify(stage_url(stage), "legacy", login.mfa_token, login.code);
    assert_true(stage_is_active(stage, "legacy", token));
    http_expect(recover(stage, "legacy", USER_PASSWORD, code), 200, NULL);
    free(user_login(stage_url(stage), "legacy"));
    pending_login_clear(&login);
    free(token);
}

static void an_enrolment_that_cannot_be_read_denies_the_login(void **state)
{
    struct stage *stage = *state;
    static const char *const broken[] = {"{\"content\": {", "[]", "{}", "null", "{\"content\": {\"number\": \"1\"}}"};
    static const char *const usernames[] = {"broken-0", "broken-1", "broken-2", "broken-3", "broken-4"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        user_register(stage_url(stage), usernames[i]);
    host_stop(stage->host);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        write_enrolment(stage, usernames[i], broken[i]);
    host_start(stage->host);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        http_expect_error(user_login_answer(stage_url(stage), usernames[i]), 500, "unexpected-error", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirm_gives_ten_different_uuids),
        cmocka_unit_test(a_recovery_code_switches_mfa_off_and_works_once),
        cmocka_unit_test(codes_of_an_enrolment_before_are_wrong_in_the_next),
        cmocka_unit_test(what_is_wrong_is_told_only_to_who_knows_the_password),
        cmocka_unit_test(a_recovery_code_may_be_typed_in_upper_case_and_with_blanks_around),
        cmocka_unit_test(nothing_that_opens_anything_is_stored_in_clear),
        cmocka_unit_test(the_access_of_a_login_does_not_exist_before_verify),
        cmocka_unit_test(the_private_profile_shows_no_secret_and_cannot_write_the_enrolment),
        cmocka_unit_test(a_profile_with_recovery_codes_in_clear_logs_in_with_mfa_and_recovers),
        cmocka_unit_test(an_enrolment_that_cannot_be_read_denies_the_login),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
