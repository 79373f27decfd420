/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tool says of itself, and of how it is used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"

#define SINGLE                                                                                                         \
    "mode: single\n"                                                                                                   \
    "sms: {endpoints: {single: {url: 'http://127.0.0.1:1/{{ number }}', body: {code: '{{ code }}'}}}}\n"

static void help_teaches_with_examples(void **state)
{
    static const char *const said[] = {
        "usage: mfa-check CONFIG.yml",
        "--code CODE",
        "--endpoint NAME",
        "--fallback N",
        "--captured JSON",
        "--user USER.json",
        "--status N",
        "--curl",
        "--json",
        "--show-secrets",
        "--help",
        "\n  mfa-check override-config.yml send me.json\n",
        "\n  mfa-check override-config.yml answer answer.txt --user me.json\n",
    };
    struct checked checked = CHECKED_RUN("--help");

    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assert_non_null(strstr(checked.out, said[i]));
    assert_string_equal(checked.err, "");
    assert_int_equal(checked.status, 0);
    checked_clear(&checked);
    checked_expect(CHECKED_RUN(CONFIG, "send", "--help"), 0, "usage: mfa-check", NULL);
}

/* As the manual spells it: "\-\-show\-secrets". */
static char *in_roff(const char *option, size_t len)
{
    char *text = malloc(2 * len + 1);
    char *to = text;

    assert_non_null(text);
    for (size_t i = 0; i < len; i++) {
        if (option[i] == '-')
            *to++ = '\\';
        *to++ = option[i];
    }
    *to = '\0';
    return text;
}

static void the_manual_has_every_option(void **state)
{
    static const char line_start[] = "\n  --";
    struct checked checked = CHECKED_RUN("--help");
    char *manual = checked_read("docs/man/mfa-check.1");
    size_t count = 0;

    (void)state;
    for (const char *at = strstr(checked.out, line_start); at; at = strstr(at + 1, line_start), count++) {
        char *option = in_roff(at + 3, strcspn(at + 3, " "));

        if (!strstr(manual, option))
            fail_msg("the manual has no %s", option);
        free(option);
    }
    assert_int_equal(count, 10);
    free(manual);
    checked_clear(&checked);
}

static void what_is_wrong_with_the_command_line_is_said(void **state)
{
    static const struct {
        const char *arguments[8];
        const char *said;
    } cases[] = {
        {{NULL}, "which configuration? "},
        {{CONFIG, "rendr", "me.json"}, "\"rendr\" is not a command: those there are are render, send, verify"},
        {{CONFIG, "render"}, "render takes USER.json: "},
        {{CONFIG, "send", "a.json", "b.json"}, "send takes USER.json: "},
        {{CONFIG, "verify", "me.json"}, "verify takes USER.json and CODE: "},
        {{CONFIG, "answer"}, "answer takes FILE: "},
        {{CONFIG, "--nonsense"}, "--nonsense is not an option; "},
        {{CONFIG, "--json=yes"}, "--json=yes is not an option; "},
        {{CONFIG, "-xy"}, "-x is not an option; "},
        {{CONFIG, "send", "me.json", "--code"}, "--code needs a value; "},
        {{CONFIG, "--curl"}, "--curl is not for checking; "},
        {{CONFIG, "--code", "123456"}, "--code is not for checking; "},
        {{CONFIG, "send", "me.json", "--curl"}, "--curl is not for send; "},
        {{CONFIG, "send", "me.json", "--captured", "{}"}, "--captured is not for send; "},
        {{CONFIG, "verify", "me.json", "123456", "--endpoint", "single"}, "--endpoint is not for verify; "},
        {{CONFIG, "render", "me.json", "--status", "200"}, "--status is not for render; "},
        {{CONFIG, "render", "me.json", "--user", "b.json"}, "--user is not for render; "},
        {{CONFIG, "render", "me.json", "--curl", "--json"}, "--curl and --json cannot both be had"},
        {{CONFIG, "render", "me.json", "--endpoint", "sms"},
         "--endpoint must be single, challenge or verify, not \"sms\""},
        {{CONFIG, "render", "me.json", "--fallback", "0"}, "--fallback must be a number from 1 to 99, not \"0\""},
        {{CONFIG, "render", "me.json", "--fallback", "1x"}, "--fallback must be a number from 1 to 99, not \"1x\""},
        {{CONFIG, "render", "me.json", "--fallback", "1"}, "the endpoint single has no fallback number 1"},
        {{CONFIG, "answer", "a.txt", "--status", "99"}, "--status must be a number from 100 to 599, not \"99\""},
        {{CONFIG, "answer", "a.txt", "--status", "600"}, "--status must be a number from 100 to 599, not \"600\""},
        {{CONFIG, "render", "me.json", "--code", "12"}, "the code must be 4 to 10 digits: "},
        {{CONFIG, "render", "me.json", "--code", "12345a"}, "the code must be 4 to 10 digits: "},
        {{CONFIG, "send", "me.json", "--endpoint", "verify"}, "to have a code checked use verify"},
    };

    (void)state;
    checked_configure(SINGLE);
    checked_write("me.json", "{\"number\": \"41791231212\"}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        checked_expect(checked_run(cases[i].arguments), 2, NULL, cases[i].said);
}

static void files_that_cannot_be_read_are_named_with_the_reason(void **state)
{
    char *long_text = calloc(1, 262146);

    (void)state;
    memset(long_text, '#', 262145);
    checked_write("long.yml", long_text);
    free(long_text);
    checked_configure(SINGLE);
    checked_write("me.json", "{\"number\": \"41791231212\"}");
    checked_expect(CHECKED_RUN("none.yml"), 2, NULL, "mfa-check: none.yml cannot be read: No such file or directory\n");
    checked_expect(CHECKED_RUN("."), 2, NULL, "mfa-check: . cannot be read: Is a directory\n");
    checked_expect(CHECKED_RUN("long.yml"), 2, NULL, "mfa-check: long.yml is longer than 262144 bytes\n");
    checked_expect(CHECKED_RUN(CONFIG, "render", "none.json"), 2, NULL,
                   "mfa-check: none.json cannot be read: No such file or directory\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "none.txt"), 2, NULL,
                   "mfa-check: none.txt cannot be read: No such file or directory\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "me.json", "--user", "none.json"), 2, NULL,
                   "mfa-check: none.json cannot be read: No such file or directory\n");
}

static void user_data_that_are_no_json_are_named_and_not_quoted(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        {"", "bad.json is not JSON: '[' or '{' expected, on line 1\n"},
        {"{\"a\": 1,\n hunter2}", "bad.json is not JSON: string or '}' expected, on line 2\n"},
        {"{\"a\": 1, \"a\": 2}", "bad.json is not JSON: duplicate object key, on line 1\n"},
        {"[1]", "bad.json must be one JSON object, at most 32 levels deep, as {\"phone\": \"+41791231212\"}\n"},
    };

    (void)state;
    checked_configure(SINGLE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct checked checked;

        checked_write("bad.json", cases[i].text);
        checked = CHECKED_RUN(CONFIG, "render", "bad.json");
        assert_null(strstr(checked.err, "hunter2"));
        checked_expect(checked, 2, NULL, cases[i].said);
    }
}

static void user_data_that_the_plugin_refuses_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        {"{}", "me.json: the variable number is needed, and not there or empty\n"},
        {"{\"number\": \"\"}", "me.json: the variable number is needed, and not there or empty\n"},
        {"{\"number\": []}", "#/number: The value must be a string, a number or a boolean."},
        {"{\"number\": \"1\", \"code\": \"1\"}", "#/code: This name is reserved."},
        {"{\"number\": \"41791231212,41791231213\"}", "#/number: The value must be one number or address"},
        {"{\"number\": \"..\"}", "single: a value of the user data cannot stand in its url: "},
    };

    (void)state;
    checked_configure(SINGLE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        checked_write("me.json", cases[i].text);
        checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 1, NULL, cases[i].said);
        checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 1, NULL, cases[i].said);
    }
}

static void the_part_that_a_value_does_not_fit_is_named(void **state)
{
    char long_text[3100];

    (void)state;
    checked_configure(
        "mode: single\nsms: {endpoints: {single: {url: 'http://localhost/', headers: {x-a: '{{ a }}{{ a }}{{ a }}'}, "
        "body: '{{ b }} {{ code }}'}}}\n");
    checked_write("me.json", "{\"a\": \"\u00e9\", \"b\": \"1\"}");
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 1, NULL,
                   "single: a value of the user data cannot stand in its x-a: ");
    checked_write("me.json", "{\"a\": \"1\", \"b\": \"\\u0001\"}");
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 1, NULL,
                   "single: a value of the user data cannot stand in its body: ");
    (void)snprintf(long_text, sizeof long_text, "{\"a\": \"%03000d\", \"b\": \"1\"}", 0);
    checked_write("me.json", long_text);
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 1, NULL, "single: the request is too long\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_teaches_with_examples),
        cmocka_unit_test(the_manual_has_every_option),
        cmocka_unit_test(what_is_wrong_with_the_command_line_is_said),
        cmocka_unit_test(files_that_cannot_be_read_are_named_with_the_reason),
        cmocka_unit_test(user_data_that_are_no_json_are_named_and_not_quoted),
        cmocka_unit_test(user_data_that_the_plugin_refuses_are_refused),
        cmocka_unit_test(the_part_that_a_value_does_not_fit_is_named),
    };

    return cmocka_run_group_tests(tests, checked_setup, checked_teardown);
}
