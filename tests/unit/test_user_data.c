/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_policy.h"
#include "mfa_user_data.h"

static void assert_accepted(json_t *user_data)
{
    struct mfa_parameter_problem problem;

    assert_non_null(user_data);
    assert_int_equal(mfa_user_data_check(user_data, &problem), MFA_OK);
    json_decref(user_data);
}

static void assert_refused(json_t *user_data, const char *path)
{
    struct mfa_parameter_problem problem;

    assert_non_null(user_data);
    assert_int_equal(mfa_user_data_check(user_data, &problem), MFA_ERR_SYNTAX);
    assert_string_equal(problem.path, path);
    assert_true(strlen(problem.message) > 0);
    json_decref(user_data);
}

static json_t *with_keys(size_t count)
{
    json_t *user_data = json_object();

    for (size_t i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof key, "key%zu", i);
        json_object_set_new(user_data, key, json_true());
    }
    return user_data;
}

static json_t *with_key_of(size_t len)
{
    char key[128] = {0};

    memset(key, 'k', len);
    return json_pack("{s:s}", key, "v");
}

static json_t *with_value_of(size_t len)
{
    char *value = calloc(1, len + 1);
    json_t *user_data = NULL;

    assert_non_null(value);
    memset(value, 'v', len);
    user_data = json_pack("{s:s}", "k", value);
    free(value);
    return user_data;
}

static void variables_are_strings_numbers_and_booleans(void **state)
{
    (void)state;
    assert_accepted(json_pack("{s:s, s:i, s:f, s:b}", "s", "", "i", 41, "f", 1.5, "b", 1));
    assert_accepted(json_object());
    assert_refused(json_pack("{s:s, s:n}", "a", "x", "number", NULL), "#/number");
    assert_refused(json_pack("{s:{}}", "number"), "#/number");
    assert_refused(json_pack("{s:[s]}", "number", "4179"), "#/number");
    assert_refused(json_pack("{s:s#}", "number", "4179\0", 5), "#/number");
    assert_refused(json_pack("{s:s#}", "number", "\0004179", 5), "#/number");
}

static void names_are_those_a_template_can_hold(void **state)
{
    static const char *const good[] = {"a", "_", "A9", "phone_number", "user.phone-2"};
    static const char *const bad[] = {"", "9a", ".a", "-a", "a b", "a{", "a}", "a/b", "\xc3\xa9", "a\n"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_accepted(json_pack("{s:s}", good[i], "v"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(json_pack("{s:s}", bad[i], "v"), "#/");
    assert_accepted(with_key_of(64));
    assert_refused(with_key_of(65), "#/");
}

static void the_name_of_the_code_is_reserved(void **state)
{
    (void)state;
    assert_refused(json_pack("{s:s}", "code", "1234"), "#/code");
    assert_accepted(json_pack("{s:s}", "Code", "1234"));
}

static void number_and_size_are_bounded(void **state)
{
    (void)state;
    assert_accepted(with_keys(32));
    assert_refused(with_keys(33), "#/");
    assert_accepted(with_value_of(MFA_USER_DATA_MAX_LEN - 1));
    assert_refused(with_value_of(MFA_USER_DATA_MAX_LEN), "#/");
}

static void assert_hint(const char *text, const char *expected)
{
    json_t *user_data = json_loads(text, 0, NULL);
    char hint[MFA_HINT_SIZE];

    assert_non_null(user_data);
    memset(hint, 'x', sizeof hint);
    mfa_user_data_hint(user_data, NULL, hint);
    assert_string_equal(hint, expected);
    json_decref(user_data);
}

static void numbers_are_masked_but_for_their_ends(void **state)
{
    (void)state;
    assert_hint("{\"number\":\"41791231231\"}", "+41 ** *** 12 31");
    assert_hint("{\"phone\":\"+41 79 123 12 31\"}", "+41 ** *** 12 31");
    assert_hint("{\"phone_number\":41791231231}", "+41 ** *** 12 31");
    assert_hint("{\"to\":\"0791231231\"}", "07 * *** 12 31");
    assert_hint("{\"number\":\"123456789\"}", "+12 *** 67 89");
    assert_hint("{\"number\":\"12345678901234567890\"}", "+12 ** *** *** *** *** 78 90");
    assert_hint("{\"number\":\"12345678901234567890999\"}", "+12 ** *** *** *** *** 78 90");
}

static void short_numbers_show_at_most_their_last_two_digits(void **state)
{
    (void)state;
    assert_hint("{\"number\":\"12345678\"}", "***78");
    assert_hint("{\"number\":\"12345\"}", "***45");
    assert_hint("{\"number\":\"1234\"}", "***");
    assert_hint("{\"number\":\"call me\"}", "***");
}

static void addresses_show_their_first_letter_and_domain(void **state)
{
    (void)state;
    assert_hint("{\"email\":\"jane@example.com\"}", "j***@example.com");
    assert_hint("{\"to\":\"a@b@example.com\"}", "a***@example.com");
    assert_hint("{\"email\":\"@example.com\"}", "***@example.com");
    assert_hint("{\"email\":\"\xc3\xa9ric@example.com\"}", "***@example.com");
}

static void a_domain_too_long_is_left_out(void **state)
{
    char text[512] = "{\"email\":\"jane@";

    (void)state;
    memset(text + strlen(text), 'd', 300);
    strcat(text, "\"}");
    assert_hint(text, "j***");
}

static void what_came_percent_encoded_is_shown_as_it_is_sent(void **state)
{
    (void)state;
    assert_hint("{\"number\":\"%2B41791231231\"}", "+41 ** *** 12 31");
    assert_hint("{\"number\":\"%34%31791231231\"}", "+41 ** *** 12 31");
    assert_hint("{\"email\":\"jane%40example.com\"}", "j***@example.com");
    assert_hint("{\"email\":\"jane@ex%FFample.com\"}", "***");
}

static void what_is_not_sent_to_is_not_shown(void **state)
{
    struct mfa_endpoint endpoint = {0};
    const char *problem = NULL;
    char hint[MFA_HINT_SIZE];
    json_t *user_data = json_pack("{s:s, s:s}", "phone", "4411112222333", "number", "41791231231");

    (void)state;
    assert_int_equal(mfa_endpoint_set_url(&endpoint, "https://h/?n={{ number }}", &problem), MFA_OK);
    mfa_user_data_hint(user_data, &endpoint, hint);
    assert_string_equal(hint, "+41 ** *** 12 31");
    mfa_endpoint_clear(&endpoint);
    json_decref(user_data);
}

static void the_first_known_name_with_a_value_is_the_destination(void **state)
{
    (void)state;
    assert_hint("{\"email\":\"jane@example.com\",\"phone\":\"41791231231\"}", "+41 ** *** 12 31");
    assert_hint("{\"phone\":\"\",\"email\":\"jane@example.com\"}", "j***@example.com");
    assert_hint("{\"pager\":\"41791231231\"}", "");
    assert_hint("{}", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_strings_numbers_and_booleans),
        cmocka_unit_test(names_are_those_a_template_can_hold),
        cmocka_unit_test(the_name_of_the_code_is_reserved),
        cmocka_unit_test(number_and_size_are_bounded),
        cmocka_unit_test(numbers_are_masked_but_for_their_ends),
        cmocka_unit_test(short_numbers_show_at_most_their_last_two_digits),
        cmocka_unit_test(addresses_show_their_first_letter_and_domain),
        cmocka_unit_test(a_domain_too_long_is_left_out),
        cmocka_unit_test(what_came_percent_encoded_is_shown_as_it_is_sent),
        cmocka_unit_test(what_is_not_sent_to_is_not_shown),
        cmocka_unit_test(the_first_known_name_with_a_value_is_the_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
