/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "json_text.h"

static bool is_object(const char *text, size_t depth_max)
{
    return json_text_is_object(text, strlen(text), depth_max);
}

static void an_object_is_told_from_anything_else(void **state)
{
    static const char *const objects[] = {
        "{}", " {\n} ", "{\"a\":{\"b\":[1,{}]}}", "{\"a\":\"}\"}", "{\"\\\"}\":1}", "{\"\\\\\":\"\\\\\"}"};
    static const char *const others[] = {"",      " ",   "[]",   "1",           "\"{}\"",         "{",
                                         "}",     "{}}", "{}{}", "{]",          "{\"a\":[}",      "{\"a\":\"}",
                                         "{\"\\", "x{}", "{} x", "{\"a\":[1}]", "{\"a\":\"\\\"}", "{\"a\":\"\\\\\\\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
        assert_true(is_object(objects[i], 8));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(is_object(others[i], 8));
}

static void depth_is_limited(void **state)
{
    (void)state;
    assert_true(is_object("{\"a\":[[1]]}", 3));
    assert_false(is_object("{\"a\":[[1]]}", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_told_from_anything_else),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
