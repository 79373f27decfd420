/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_json.h"

static enum mfa_status parse(const char *text, size_t max_depth)
{
    json_t *value = NULL;
    enum mfa_status status = mfa_json_parse_object(&value, text, strlen(text), max_depth);

    assert_true((status == MFA_OK) == (value != NULL));
    mfa_json_free(value);
    return status;
}

/* An object `depth` levels deep, by way of arrays when told so. */
static char *nested(size_t depth, const char *open, const char *close)
{
    char *text = calloc(1, depth * (strlen(open) + strlen(close)) + 16);

    assert_non_null(text);
    strcat(text, "{\"a\":");
    for (size_t i = 1; i < depth; i++)
        strcat(text, open);
    strcat(text, "1");
    for (size_t i = 1; i < depth; i++)
        strcat(text, close);
    return strcat(text, "}");
}

static void only_whole_objects_are_read(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "[]",
                                      "\"a\"",
                                      "1",
                                      "null",
                                      "{",
                                      "{} {}",
                                      "{\"a\":1,}",
                                      "{'a':1}",
                                      "{\"a\"}",
                                      "{\"a\":1e999}",
                                      "{\"a\":18446744073709551616}",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\\ud800\"}"};

    (void)state;
    assert_int_equal(parse("{}", 32), MFA_OK);
    assert_int_equal(parse(" {\"a\": [1, true, null, {\"b\": \"\\u00e9\"}]} ", 32), MFA_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(bad[i], 32), MFA_ERR_SYNTAX);
}

static void only_in_a_value_of_a_request_is_nul_a_character(void **state)
{
    static const char *const texts[] = {"{\"a\":\"\\u0000\"}", "{\"a\\u0000\":1}"};
    json_t *value = NULL;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(parse(texts[i], 32), MFA_ERR_SYNTAX);
    assert_int_equal(mfa_json_parse_request(&value, texts[1], strlen(texts[1]), 32), MFA_ERR_SYNTAX);
    assert_int_equal(mfa_json_parse_request(&value, texts[0], strlen(texts[0]), 32), MFA_OK);
    assert_int_equal(json_string_length(json_object_get(value, "a")), 1);
    mfa_json_free(value);
}

static void an_answer_is_read_as_services_write_it(void **state)
{
    static const char *const good[] = {"\xef\xbb\xbf{\"a\":1}", "[18446744073709551616]", "\xef\xbb\xbf 5", "\"a\""};
    static const char *const bad[] = {"\xef\xbb\xbf",      "\xef\xbb\xbf\xef\xbb\xbf{}", " \xef\xbb\xbf{}", "\xef\xbb",
                                      "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}",        "[1e999]"};
    json_t *value = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(mfa_json_parse_answer(&value, good[i], strlen(good[i]), 1), MFA_OK);
        mfa_json_free(value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(mfa_json_parse_answer(&value, bad[i], strlen(bad[i]), 1), MFA_ERR_SYNTAX);
        assert_null(value);
    }
    assert_int_equal(mfa_json_parse_answer(&value, "[[]]", 4, 1), MFA_ERR_SYNTAX);
    assert_int_equal(mfa_json_parse_answer(&value, NULL, 0, 1), MFA_ERR_SYNTAX);
}

static void a_nul_between_values_is_no_white_space(void **state)
{
    static const char text[] = "{\"a\":1\0}";
    json_t *value = NULL;

    (void)state;
    assert_int_equal(mfa_json_parse_object(&value, text, sizeof text - 1, 32), MFA_ERR_SYNTAX);
    assert_int_equal(mfa_json_parse_request(&value, text, sizeof text - 1, 32), MFA_ERR_SYNTAX);
    assert_null(value);
}

static void an_absent_text_is_no_object(void **state)
{
    json_t *value = NULL;

    (void)state;
    assert_int_equal(mfa_json_parse_object(&value, NULL, 0, 32), MFA_ERR_SYNTAX);
    assert_null(value);
}

static void a_key_given_twice_is_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"code\":\"1234\",\"code\":\"5678\"}", 32), MFA_ERR_SYNTAX);
}

static void depth_is_bounded_exactly(void **state)
{
    static const struct {
        const char *open, *close;
    } kinds[] = {{"{\"a\":", "}"}, {"[", "]"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *just = nested(32, kinds[i].open, kinds[i].close);
        char *deeper = nested(33, kinds[i].open, kinds[i].close);
        char *abyss = nested(3000, kinds[i].open, kinds[i].close);

        assert_int_equal(parse(just, 32), MFA_OK);
        assert_int_equal(parse(deeper, 32), MFA_ERR_SYNTAX);
        assert_int_equal(parse(abyss, 32), MFA_ERR_SYNTAX);
        free(just);
        free(deeper);
        free(abyss);
    }
}

static void values_are_written_compactly_in_their_order(void **state)
{
    static const char text[] = "{\"z\":1,\"a\":[true,null,\"\xc3\xa9\"],\"t\":1700000000.123}";
    struct mfa_buffer out;
    json_t *value = NULL;

    (void)state;
    mfa_buffer_init(&out, 1000);
    assert_int_equal(mfa_json_parse_object(&value, text, strlen(text), 32), MFA_OK);
    assert_int_equal(mfa_json_encode(value, &out), MFA_OK);
    assert_string_equal(out.data, text);
    mfa_json_free(value);
    mfa_buffer_clear(&out);
}

static void a_value_past_the_buffers_cap_is_too_large(void **state)
{
    struct mfa_buffer out;
    json_t *value = json_string("0123456789");

    (void)state;
    mfa_buffer_init(&out, 11);
    assert_int_equal(mfa_json_encode(value, &out), MFA_ERR_TOO_LARGE);
    mfa_buffer_clear(&out);
    mfa_json_free(value);
}

/* A key for which there is no room, before a value for which there would be. */
static void a_key_past_the_buffers_cap_is_too_large(void **state)
{
    struct mfa_buffer out;
    json_t *value = json_pack("{s:i}", "0123456789", 1);

    (void)state;
    mfa_buffer_init(&out, 6);
    assert_int_equal(mfa_json_encode(value, &out), MFA_ERR_TOO_LARGE);
    mfa_buffer_clear(&out);
    mfa_json_free(value);
}

/* The value is held by a second reference, so that what was wiped can be looked at. */
static void strings_are_wiped_before_they_are_freed(void **state)
{
    json_t *value = json_pack("{s:s, s:[{s:s}]}", "password", "hunter2", "list", "code", "1234");
    json_t *password = json_incref(json_object_get(value, "password"));
    json_t *code = json_incref(json_object_get(json_array_get(json_object_get(value, "list"), 0), "code"));

    (void)state;
    mfa_json_free(value);
    assert_memory_equal(json_string_value(password), "\0\0\0\0\0\0\0", 7);
    assert_memory_equal(json_string_value(code), "\0\0\0\0", 4);
    json_decref(password);
    json_decref(code);
    mfa_json_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_objects_are_read),
        cmocka_unit_test(only_in_a_value_of_a_request_is_nul_a_character),
        cmocka_unit_test(an_answer_is_read_as_services_write_it),
        cmocka_unit_test(a_nul_between_values_is_no_white_space),
        cmocka_unit_test(an_absent_text_is_no_object),
        cmocka_unit_test(a_key_given_twice_is_refused),
        cmocka_unit_test(depth_is_bounded_exactly),
        cmocka_unit_test(values_are_written_compactly_in_their_order),
        cmocka_unit_test(a_value_past_the_buffers_cap_is_too_large),
        cmocka_unit_test(a_key_past_the_buffers_cap_is_too_large),
        cmocka_unit_test(strings_are_wiped_before_they_are_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
