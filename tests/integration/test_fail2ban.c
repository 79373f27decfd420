/* SPDX-License-Identifier: Apache-2.0
 *
 * The filter for fail2ban in docs/, against what the host really logs.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness_stage.h"

#define FILTER "docs/fail2ban/filter.d/mfa.conf"
#define UNKNOWN_RECOVERY_CODE "0f8fad5b-d9cb-469f-a165-70867728950e"

/* Two failures of julia's bring a delay, the third stops her factor. */
#define STRICT                                                                                                         \
    "    stepUp: {required: true}\n"                                                                                   \
    "    attempts: {maxConsecutive: 3, backoff: {freeFailures: 1, baseSeconds: 2, maxSeconds: 2}}\n"

static const struct {
    const char *words; /* of a line in the log */
    bool is_counted;
} expected[] = {
    {"event=mfa.verify outcome=wrong-code user=julia", true},
    {"event=mfa.verify outcome=throttled user=julia", true},
    {"event=mfa.verify outcome=stopped user=julia", true},
    {"event=mfa.recover outcome=bad-recovery-code user=julia", true},
    {"event=mfa.recover outcome=bad-credentials user=julia", true},
    {"event=mfa.deactivate outcome=bad-step-up user=julia", true},
    {"event=mfa.activate outcome=activation-opened user=julia", false},
    {"event=mfa.confirm outcome=enrolled user=julia", false},
    {"event=mfa.login outcome=challenged user=julia", false},
    {"event=mfa.challenge outcome=challenge-sent user=julia", false},
    {"event=mfa.verify outcome=verified user=julia", false},
};

/* --- The filter ----------------------------------------------------------------------------------------------------- */

/* What fail2ban makes of these words, as far as the filter uses them. */
static const char *const meanings[][2] = {
    {"<HOST>", "(?<host>(?:\\d{1,3}\\.){3}\\d{1,3}|(?:[0-9a-fA-F]{1,4}::?|:){1,7}[0-9a-fA-F]{1,4}|[\\w\\-.^_]*\\w)"},
    {"%%Y", "\\d{4}"},
    {"%%m", "\\d{2}"},
    {"%%d", "\\d{2}"},
    {"%%H", "\\d{2}"},
    {"%%M", "\\d{2}"},
    {"%%S", "\\d{2}"},
    {"%%f", "\\d{1,6}"},
    {"%%z", "(?<zone>Z|[+-]\\d{2}:?\\d{2})"},
};

static void put_meaning(FILE *out, const char **at)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        size_t len = strlen(meanings[i][0]);
        if (strncmp(*at, meanings[i][0], len) == 0) {
            fputs(meanings[i][1], out);
            *at += len;
            return;
        }
    }
    putc(*(*at)++, out);
}

static pcre2_code *compile(const char *text)
{
    char *pattern = NULL;
    size_t len = 0;
    int error = 0;
    PCRE2_SIZE error_at = 0;
    FILE *out = open_memstream(&pattern, &len);
    assert_non_null(out);
    while (*text)
        put_meaning(out, &text);
    assert_int_equal(fclose(out), 0);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, len, 0, &error, &error_at, NULL);
    if (!code)
        fail_msg("not a regular expression from %s on", pattern + error_at);
    free(pattern);
    return code;
}

struct filter {
    pcre2_code *date;
    pcre2_code *failure;
};

/* `name = value` of the filter, on one line. */
static pcre2_code *read_pattern(const char *name)
{
    char line[1024];
    size_t name_len = strlen(name);
    pcre2_code *code = NULL;
    FILE *file = fopen(FILTER, "r");
    assert_non_null(file);
    while (!code && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, name, name_len) == 0 && strncmp(line + name_len, " = ", 3) == 0)
            code = compile(line + name_len + 3);
    }
    fclose(file);
    assert_non_null(code);
    return code;
}

/* The group's text in the match, or NULL when there is no match; owned by caller. `end` is that of the match. */
static char *match(const pcre2_code *code, const char *text, const char *group, size_t *end)
{
    char *copy = NULL;
    PCRE2_UCHAR *value = NULL;
    PCRE2_SIZE len = 0;
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    if (pcre2_match(code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL) > 0) {
        assert_int_equal(pcre2_substring_get_byname(data, (PCRE2_SPTR)group, &value, &len), 0);
        copy = strdup((const char *)value);
        *end = pcre2_get_ovector_pointer(data)[1];
    }
    pcre2_substring_free(value);
    pcre2_match_data_free(data);
    return copy;
}

/* Whom fail2ban counts a line against; NULL: nobody. Owned by caller. As fail2ban does it: what is behind the date. */
static char *counted_address(const struct filter *filter, const char *line)
{
    size_t end = 0;
    char *zone = match(filter->date, line, "zone", &end);
    if (!zone)
        fail_msg("no date in: %s", line);
    assert_string_equal(zone, "Z"); /* without it, fail2ban would take the time to be local */
    free(zone);
    return match(filter->failure, line + end, "host", &end);
}

/* --- What happens to julia ------------------------------------------------------------------------------------------ */

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, STRICT);
}

static void expect(struct stage *stage, const char *step, const char *token, json_t *body, long status)
{
    http_expect(user_mfa(stage_url(stage), "julia", step, token, body /* transferred */), status, NULL);
}

static json_t *recover_body(const char *password)
{
    return json_pack("{s:s, s:s, s:s}", "username", "julia", "password", password, "recoveryCode",
                     UNKNOWN_RECOVERY_CODE);
}

static char *enrol(struct stage *stage)
{
    char code[GATEWAY_CODE_MAX + 1];
    char *token = stage_register(stage, "julia");
    char *mfa_token = user_activate(stage_url(stage), "julia", token, NULL);
    gateway_last_code(stage->gateway, code);
    json_decref(user_confirm(stage_url(stage), "julia", mfa_token, code));
    free(mfa_token);
    return token;
}

static void succeed(struct stage *stage)
{
    struct pending_login login = stage_login(stage, "julia");
    expect(stage, "challenge", login.mfa_token, NULL, 200);
    expect(stage, "verify", login.mfa_token, code_body(login.code), 200);
    pending_login_clear(&login);
}

static void fail_until_stopped(struct stage *stage, const char *token)
{
    struct pending_login login = stage_login(stage, "julia");
    char wrong[GATEWAY_CODE_MAX + 1];
    memcpy(wrong, login.code, sizeof wrong);
    code_spoil(wrong, 0);
    expect(stage, "recover", NULL, recover_body("guessed"), 401);
    expect(stage, "recover", NULL, recover_body(USER_PASSWORD), 400);
    expect(stage, "deactivate", token, json_pack("{s:s}", "password", "guessed"), 403);
    expect(stage, "verify", login.mfa_token, code_body(login.code), 429);
    nanosleep(&(struct timespec){.tv_sec = 2, .tv_nsec = 50000000}, NULL);
    expect(stage, "verify", login.mfa_token, code_body(wrong), 400);
    expect(stage, "verify", login.mfa_token, code_body(login.code), 403);
    pending_login_clear(&login);
}

/* --- Both together -------------------------------------------------------------------------------------------------- */

static bool should_count(const char *line, bool *is_seen)
{
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strstr(line, expected[i].words)) {
            is_seen[i] = true;
            return expected[i].is_counted;
        }
    }
    return false;
}

static void assert_counts(const struct filter *filter, char *log)
{
    bool is_seen[sizeof expected / sizeof *expected] = {false};
    char *rest = NULL;
    for (const char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "==", 2) == 0)
            continue; /* valgrind's */
        char *address = counted_address(filter, line);
        if (should_count(line, is_seen) != (address != NULL))
            fail_msg("%scounted: %s", address ? "" : "not ", line);
        if (address)
            assert_string_equal(address, "127.0.0.1");
        free(address);
    }
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!is_seen[i])
            fail_msg("nothing logged: %s", expected[i].words);
}

static void failed_attempts_count_against_their_address_and_nothing_else_does(void **state)
{
    struct stage *stage = *state;
    struct filter filter = {.date = read_pattern("datepattern"), .failure = read_pattern("failregex")};
    char *token = enrol(stage);
    succeed(stage);
    fail_until_stopped(stage, token);
    host_await_log(stage->host, "outcome=stopped");
    char *log = host_log(stage->host);
    assert_counts(&filter, log);
    free(log);
    free(token);
    pcre2_code_free(filter.date);
    pcre2_code_free(filter.failure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_attempts_count_against_their_address_and_nothing_else_does),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
