/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mfa_json.h"

/* Reads the first `len` bytes, with nothing behind them. NULL: refused. */
static json_t *read_part(const char *text, size_t len, size_t flags)
{
    char *copy = malloc(len > 0 ? len : 1);
    json_t *value = NULL;
    enum mfa_status status = MFA_ERR_INTERNAL;

    assert_non_null(copy);
    memcpy(copy, text, len);
    status = mfa_json_read(&value, copy, len, 8, flags);
    free(copy);
    assert_int_equal(status, value != NULL ? MFA_OK : MFA_ERR_SYNTAX);
    return value;
}

static json_t *read_all(const char *text)
{
    return read_part(text, strlen(text), 0);
}

static void assert_reads(const char *text, json_t *expected)
{
    json_t *value = read_all(text);

    if (!json_equal(value, expected))
        fail_msg("%s is read as something else", text);
    mfa_json_free(value);
    json_decref(expected);
}

static void assert_refused(const char *text)
{
    if (read_all(text) != NULL)
        fail_msg("%s is read", text);
}

static void any_value_may_stand_alone(void **state)
{
    (void)state;
    assert_reads("true", json_true());
    assert_reads("\tfalse\r\n", json_false());
    assert_reads(" null ", json_null());
    assert_reads("\"\"", json_string(""));
    assert_reads("[]", json_array());
    assert_reads("{ }", json_object());
}

static void a_document_is_read_as_it_is_written(void **state)
{
    (void)state;
    assert_reads("{ \"a\" : [1, [ ], {\"b\":\"c\"}] , \"\":-2.5e1}",
                 json_pack("{s:[i, [], {s:s}], s:f}", "a", 1, "b", "c", "", -25.0));
}

static void escapes_stand_for_what_they_name(void **state)
{
    (void)state;
    assert_reads("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", json_string("\"\\/\b\f\n\r\t"));
    assert_reads("\"a\\u0041\\u00e9\\u20AC\\uD83D\\uDE00z\"", json_string("aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"));
    assert_reads("\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
                 json_string("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"));
    assert_reads("\"\\ud800\\udc00\\udbff\\udfff\"", json_string("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}

static void broken_escapes_are_refused(void **state)
{
    static const char *const bad[] = {"\"\\\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\ud800\"",
                                      "\"\\ud800\\n\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\ud800\\ue000\"",
                                      "\"\\ud800\\ud800\"",
                                      "\"\\udc00\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\U0041\""};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i]);
}

static void a_nul_is_a_character_where_that_is_said(void **state)
{
    static const char text[] = "[\"a\\u0000b\"]";
    json_t *value = read_part(text, strlen(text), JSON_ALLOW_NUL);

    (void)state;
    assert_int_equal(json_string_length(json_array_get(value, 0)), 3);
    assert_memory_equal(json_string_value(json_array_get(value, 0)), "a\0b", 3);
    mfa_json_free(value);
    assert_refused(text);
    assert_null(read_part("{\"\\u0000\":1}", 12, JSON_ALLOW_NUL));
    assert_null(read_part("1\0", 2, JSON_ALLOW_NUL));
    assert_null(read_part("\"\0\"", 3, JSON_ALLOW_NUL));
}

static void numbers_keep_their_value_and_their_kind(void **state)
{
    (void)state;
    assert_reads("0", json_integer(0));
    assert_reads("-0", json_integer(0));
    assert_reads("12345678901234567", json_integer(12345678901234567));
    assert_reads("9223372036854775807", json_integer(INT64_MAX));
    assert_reads("-9223372036854775808", json_integer(INT64_MIN));
    assert_reads("1.0", json_real(1));
    assert_reads("-0.125", json_real(-0.125));
    assert_reads("1E+2", json_real(100));
    assert_reads("25e-1", json_real(2.5));
    assert_reads("1e-400", json_real(0));
}

static void what_is_no_number_of_ours_is_refused(void **state)
{
    static const char *const bad[] = {"-",
                                      "+1",
                                      "01",
                                      "00",
                                      "-01",
                                      ".5",
                                      "1.",
                                      "1.e1",
                                      "1e",
                                      "1e+",
                                      "0x10",
                                      "1_0",
                                      "Infinity",
                                      "NaN",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "1e400",
                                      "-1e400"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i]);
}

static void an_integer_beyond_64_bits_is_a_real_where_that_is_said(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"9223372036854775808", 9223372036854775808.0},
                 {"-9223372036854775809", -9223372036854775808.0},
                 {"100000000000000000000", 1e20}};
    char digits[400];
    json_t *value = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        value = read_part(cases[i].text, strlen(cases[i].text), MFA_JSON_LARGE_AS_REAL);
        assert_true(json_is_real(value) && json_real_value(value) == cases[i].value);
        mfa_json_free(value);
    }
    value = read_part("9223372036854775807", 19, MFA_JSON_LARGE_AS_REAL);
    assert_true(json_is_integer(value) && json_integer_value(value) == INT64_MAX);
    mfa_json_free(value);
    memset(digits, '9', sizeof digits);
    assert_null(read_part(digits, sizeof digits, MFA_JSON_LARGE_AS_REAL));
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "tru",
                                      "truex",
                                      "True",
                                      "nul",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "[1",
                                      "]",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{\"a\" 1}",
                                      "{a:1}",
                                      "{\"a\":}",
                                      "{1:2}",
                                      "{\"a\"}",
                                      "[1}",
                                      "{]",
                                      "'a'",
                                      "1 2",
                                      "[] []",
                                      "\"a\nb\"",
                                      "\"a",
                                      "/**/1",
                                      "[1,\v2]",
                                      "\xef\xbb\xbf[]",
                                      "\"\xff\"",
                                      "\"\xc0\xaf\"",
                                      "\"\xed\xa0\x80\"",
                                      "[\xc3\xa9]"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i]);
}

static void a_text_cut_short_is_refused_wherever_it_ends(void **state)
{
    static const char text[] = "{\"key\":[true,-1.5e+3,\"\\ud83d\\ude00 \xe2\x82\xac\\n\",null,{\"x\":false}]}";

    (void)state;
    for (size_t len = 0; len < strlen(text); len++)
        assert_null(read_part(text, len, 0));
    mfa_json_free(read_part(text, strlen(text), 0));
}

static void of_a_key_given_twice_the_last_holds_unless_it_is_refused(void **state)
{
    static const char text[] = "{\"a\":1,\"\\u0061\":2}";

    (void)state;
    assert_reads(text, json_pack("{s:i}", "a", 2));
    assert_null(read_part(text, strlen(text), JSON_REJECT_DUPLICATES));
}

static void nothing_is_read_that_is_nested_deeper(void **state)
{
    json_t *value = NULL;

    (void)state;
    assert_int_equal(mfa_json_read(&value, "[{\"a\":[1]}]", 11, 3, 0), MFA_OK);
    mfa_json_free(value);
    assert_int_equal(mfa_json_read(&value, "[{\"a\":[1]}]", 11, 2, 0), MFA_ERR_SYNTAX);
    assert_null(value);
    assert_int_equal(mfa_json_read(&value, "1", 1, 0, 0), MFA_OK);
    mfa_json_free(value);
    assert_int_equal(mfa_json_read(&value, "[]", 2, 0, 0), MFA_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_may_stand_alone),
        cmocka_unit_test(a_document_is_read_as_it_is_written),
        cmocka_unit_test(escapes_stand_for_what_they_name),
        cmocka_unit_test(broken_escapes_are_refused),
        cmocka_unit_test(a_nul_is_a_character_where_that_is_said),
        cmocka_unit_test(numbers_keep_their_value_and_their_kind),
        cmocka_unit_test(what_is_no_number_of_ours_is_refused),
        cmocka_unit_test(an_integer_beyond_64_bits_is_a_real_where_that_is_said),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(a_text_cut_short_is_refused_wherever_it_ends),
        cmocka_unit_test(of_a_key_given_twice_the_last_holds_unless_it_is_refused),
        cmocka_unit_test(nothing_is_read_that_is_nested_deeper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
