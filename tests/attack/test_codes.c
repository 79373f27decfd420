/* SPDX-License-Identifier: Apache-2.0
 *
 * Codes that are none: absent, of another type, decorated, in another alphabet, buried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &(struct attack_settings){0});
}

/* `@` stands for the right code. */
static const char *const malformed[] = {
    "{}",
    "{\"code\": null}",
    "{\"code\": \"\"}",
    "{\"code\": true}",
    "{\"code\": 0}",
    "{\"code\": []}",
    "{\"code\": {}}",
    "{\"code\": 1@}", /* the right code as a number; a 1 before it, since JSON has no leading zeros */
    "{\"code\": 1@e0}",
    "{\"code\": \"@e0\"}",
    "{\"code\": \"@.0\"}",
    "{\"code\": \"+@\"}",
    "{\"code\": \"0x@\"}",
    "{\"code\": [\"@\"]}",
    "{\"code\": {\"code\": \"@\"}}",
    "{\"code\": {\"$eq\": \"@\"}}",
    "{\"code\": {\"$ne\": \"\"}}",
    "{\"code\": \"@\\u0000\"}",
    "{\"code\": \"\\u0000@\"}",
    "{\"code\": \"@\\n\"}",
    "{\"code\": \"\\t@\"}",
    "{\"code\": \"@\\u200b\"}",
    "{\"code\": \"@@\"}",
    "{\"code\": \"00000@\"}",
    "{\"code\": \"*\"}",
    "{\"code\": \"%\"}",
    "{\"code\": \"' OR '1'='1\"}",
    "{\"code\": \"{{ code }}\"}",
    "{\"Code\": \"@\"}",
    "{\"code \": \"@\"}",
    "{\"code\\u0000\": \"@\"}",
    "{\"CODE\": \"@\", \"code\": null}",
    /* no JSON object at all */
    "",
    " ",
    "null",
    "true",
    "@",
    "\"@\"",
    "[\"@\"]",
    "{\"code\": \"@\"",
    "{\"code\": \"@\"}}",
    "{\"code\": \"@\"}{\"code\": \"@\"}",
    "{\"code\": \"111\", \"code\": \"@\"}",
    "{\"code\": \"@\", \"code\": \"111\"}",
    "{'code': '@'}",
    "{code: \"@\"}",
    "code=@",
    "\xef\xbb\xbf{\"code\": \"@\"}",
    "\xff\xfe{\0\"\0",
    "{\"code\": \"\xc0\xb1@\"}",
    "<code>@</code>",
    "{\"code\": NaN}",
};

static char *put_code_in(const char *pattern, const char *code)
{
    char *body = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&body, &len);
    assert_non_null(out);
    for (; *pattern; pattern++) {
        if (*pattern == '@')
            fputs(code, out);
        else
            putc(*pattern, out);
    }
    assert_int_equal(fclose(out), 0);
    return body;
}

static void send_malformed(struct stage *stage, const char *username, const char *step, const char *mfa_token,
                           const char *code)
{
    char rest[32];
    snprintf(rest, sizeof rest, "/mfa/%s", step);
    char *path = user_path(username, rest);
    for (size_t i = 0; i < LIST_LEN(malformed); i++) {
        char *body = put_code_in(malformed[i], code);
        struct http_answer answer = post_raw(stage, path, mfa_token, body, strlen(body));
        if (answer.status != 400)
            print_error("sent: %s\n", body);
        expect_refused(stage, username, answer, 400, NULL);
        free(body);
    }
    free(path);
}

static void A01_a_login_is_not_released_by_what_is_no_code(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "nocode");
    struct pending_login login = stage_login(stage, "nocode");
    send_malformed(stage, "nocode", "verify", login.mfa_token, login.code);
    expect_right_code_works(stage, "nocode", &login);
}

static void A02_an_activation_is_not_confirmed_by_what_is_no_code(void **state)
{
    struct stage *stage = *state;
    char code[GATEWAY_CODE_MAX + 1];
    char *token = stage_register(stage, "noconfirm");
    char *mfa_token = user_activate(stage_url(stage), "noconfirm", token, NULL);
    gateway_last_code(stage->gateway, code);
    send_malformed(stage, "noconfirm", "confirm", mfa_token, code);
    assert_false(stage_is_active(stage, "noconfirm", token));
    json_decref(user_confirm(stage_url(stage), "noconfirm", mfa_token, code));
    free(mfa_token);
    free(token);
}

/* Digits that a locale or a conversion to numbers takes for the ASCII ones. */
static void A03_digits_of_other_alphabets_are_not_digits(void **state)
{
    struct stage *stage = *state;
    static const unsigned char zeros[][3] = {{0xef, 0xbc, 0x90}, {0xd9, 0xa0, 0}, {0xe0, 0xa5, 0xa6}};
    stage_enrol(stage, "alphabets");
    struct pending_login login = stage_login(stage, "alphabets");
    for (size_t i = 0; i < LIST_LEN(zeros); i++) {
        char typed[64] = "";
        size_t zero_len = strnlen((const char *)zeros[i], sizeof zeros[i]);
        for (size_t j = 0; login.code[j]; j++) {
            memcpy(typed + j * zero_len, zeros[i], zero_len);
            typed[(j + 1) * zero_len - 1] = (char)(zeros[i][zero_len - 1] + (login.code[j] - '0'));
        }
        expect_refused(stage, "alphabets", stage_send_code(stage, "alphabets", "verify", login.mfa_token, typed), 400,
                       "invalid-parameters-format");
    }
    expect_right_code_works(stage, "alphabets", &login);
}

static void A04_a_code_with_digits_more_or_less_is_wrong(void **state)
{
    struct stage *stage = *state;
    char typed[2 * GATEWAY_CODE_MAX];
    stage_enrol(stage, "lengths");
    struct pending_login login = stage_login(stage, "lengths");
    snprintf(typed, sizeof typed, "%s0", login.code);
    expect_refused(stage, "lengths", stage_send_code(stage, "lengths", "verify", login.mfa_token, typed), 400,
                   "invalid-parameters-format");
    snprintf(typed, sizeof typed, "0%s", login.code);
    expect_refused(stage, "lengths", stage_send_code(stage, "lengths", "verify", login.mfa_token, typed), 400,
                   "invalid-parameters-format");
    snprintf(typed, sizeof typed, "%.5s", login.code);
    expect_refused(stage, "lengths", stage_send_code(stage, "lengths", "verify", login.mfa_token, typed), 400,
                   "invalid-parameters-format");
    expect_right_code_works(stage, "lengths", &login);
}

static char *repeat(const char *text, size_t times, const char *middle, const char *end_text)
{
    char *whole = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&whole, &len);
    assert_non_null(out);
    for (size_t i = 0; i < times; i++)
        fputs(text, out);
    fputs(middle, out);
    for (size_t i = 0; i < times; i++)
        fputs(end_text, out);
    assert_int_equal(fclose(out), 0);
    return whole;
}

static void A05_json_ten_thousand_levels_deep_or_too_long_is_refused_everywhere(void **state)
{
    struct stage *stage = *state;
    static const char *const routes[] = {"/mfa/verify",     "/mfa/confirm", "/mfa/activate", "/mfa/recover",
                                         "/mfa/deactivate", "/auth/login",  "/accesses",     "/profile/private"};
    stage_enrol(stage, "deepjson");
    struct pending_login login = stage_login(stage, "deepjson");
    char *bodies[] = {repeat("{\"code\":", 10000, "1", "}"), repeat("[", 10000, "", "]"),
                      repeat("{\"a\":", 1000, "1", "}"), repeat("[", 10000, "", ""),
                      repeat(" ", 2000000, "{\"code\": \"1\"}", "")};
    char *token = user_verify(stage_url(stage), "deepjson", login.mfa_token, login.code);
    pending_login_clear(&login);
    login = stage_login(stage, "deepjson");
    for (size_t i = 0; i < LIST_LEN(routes); i++) {
        char *path = user_path("deepjson", routes[i]);
        bool takes_mfa_token = i < 2;
        bool is_put = i + 1 == LIST_LEN(routes);
        for (size_t j = 0; j < LIST_LEN(bodies); j++) {
            struct http_request request = {.method = is_put ? "PUT" : "POST",
                                           .path = path,
                                           .token = takes_mfa_token ? login.mfa_token : token,
                                           .raw = bodies[j],
                                           .raw_len = strlen(bodies[j])};
            expect_refused(stage, "deepjson", http_send(stage_url(stage), request), 400, "invalid-request-structure");
        }
        free(path);
    }
    expect_right_code_works(stage, "deepjson", &login);
    for (size_t i = 0; i < LIST_LEN(bodies); i++)
        free(bodies[i]);
    free(token);
}

/* What the published system did: a verify without a code asked the service with none, and took its 200 for a yes. */
static void A06_no_code_reaches_a_service_that_says_yes_to_everything(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.mode = "challenge-verify"});
    char *token = stage_register(&stage, "yes-sayer");
    char *mfa_token = user_activate(stage_url(&stage), "yes-sayer", token, NULL);
    json_decref(user_confirm(stage_url(&stage), "yes-sayer", mfa_token, "12345"));
    free(mfa_token);
    mfa_token = user_login_mfa(stage_url(&stage), "yes-sayer");
    json_t *attacks = json_load_file("tests/data/providers/_attacks.json", JSON_ALLOW_NUL, NULL);
    const json_t *codes = json_object_get(attacks, "code");
    assert_true(json_array_size(codes) > 10);
    size_t sent = gateway_request_count(stage.gateway);
    for (size_t i = 0; i < json_array_size(codes); i++)
        expect_refused(&stage, "yes-sayer",
                       user_mfa(stage_url(&stage), "yes-sayer", "verify", mfa_token,
                                json_pack("{s:O}", "code", json_array_get(codes, i))),
                       400, NULL);
    static const char *const bodies[] = {
        "{}", "{\"code\": null}", "{\"code\": 12345}", "{\"code\": [\"12345\"]}", "{\"code\": {\"a\": \"12345\"}}", ""};
    for (size_t i = 0; i < LIST_LEN(bodies); i++)
        expect_refused(&stage, "yes-sayer",
                       post_raw(&stage, "/yes-sayer/mfa/verify", mfa_token, bodies[i], strlen(bodies[i])), 400, NULL);
    assert_int_equal(gateway_request_count(stage.gateway), sent);
    struct pending_login login = {.mfa_token = mfa_token, .code = "12345"};
    expect_right_code_works(&stage, "yes-sayer", &login); /* transferred */
    json_decref(attacks);
    free(token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A01_a_login_is_not_released_by_what_is_no_code),
        cmocka_unit_test(A02_an_activation_is_not_confirmed_by_what_is_no_code),
        cmocka_unit_test(A03_digits_of_other_alphabets_are_not_digits),
        cmocka_unit_test(A04_a_code_with_digits_more_or_less_is_wrong),
        cmocka_unit_test(A05_json_ten_thousand_levels_deep_or_too_long_is_refused_everywhere),
        cmocka_unit_test(A06_no_code_reaches_a_service_that_says_yes_to_everything),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
