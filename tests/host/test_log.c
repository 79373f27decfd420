/* SPDX-License-Identifier: Apache-2.0
 *
 * What a line of the log makes of the text it is given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core_plugin.h"
#include "log.h"

/* The line of a text, without its time and with a NUL. */
static const char *line_of(char line[static LOG_LINE_MAX_LEN + 1], const char *text, size_t len)
{
    size_t line_len = log_format(line, CORE_LOG_INFO, "mfa", text, len);

    line[line_len] = '\0';
    return strchr(line, ' ') + 1;
}

static void controls_are_escaped_wherever_they_stand(void **state)
{
    char text[40];
    char line[LOG_LINE_MAX_LEN + 1];
    char expected[128];

    (void)state;
    for (size_t at = 0; at < sizeof(text); at++) {
        for (int c = 0; c < 0x80; c++) {
            memset(text, 'a', sizeof(text));
            text[at] = (char)c;
            (void)snprintf(expected, sizeof(expected),
                           c < 0x20 || c == 0x7f ? "info mfa %.*s\\x%02x%.*s\n" : "info mfa %.*s%c%.*s\n", (int)at,
                           text, c, (int)(sizeof(text) - at - 1), text + at + 1);
            assert_string_equal(line_of(line, text, sizeof(text)), expected);
        }
    }
}

static void the_second_controls_are_escaped_and_letters_are_not(void **state)
{
    static const char text[] = "0123456789abcd\xc2\x9b"
                               "0123456789abcd\xc3\xa9\xc2\xa0\xc2";
    char line[LOG_LINE_MAX_LEN + 1];

    (void)state;
    assert_string_equal(line_of(line, text, sizeof(text) - 1), "info mfa 0123456789abcd\\xc2\x9b"
                                                               "0123456789abcd\xc3\xa9\xc2\xa0\xc2\n");
}

static void a_text_that_is_too_long_is_cut(void **state)
{
    static char text[2 * LOG_LINE_MAX_LEN];
    char line[LOG_LINE_MAX_LEN + 1];

    (void)state;
    memset(text, 'a', sizeof(text));
    size_t len = log_format(line, CORE_LOG_INFO, "mfa", text, sizeof(text));
    assert_true(len <= LOG_LINE_MAX_LEN);
    assert_true(len > LOG_LINE_MAX_LEN - 16);
    assert_int_equal(line[len - 1], '\n');
    assert_int_equal(line[len - 2], 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_escaped_wherever_they_stand),
        cmocka_unit_test(the_second_controls_are_escaped_and_letters_are_not),
        cmocka_unit_test(a_text_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
