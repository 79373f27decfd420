/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "mfa_encode.h"
#include "mfa_url.h"

static enum mfa_status encode(mfa_encode_fn *encoding, const char *value, size_t len, struct mfa_buffer *out)
{
    mfa_buffer_clear(out);
    mfa_buffer_init(out, 1000);
    assert_int_equal(mfa_buffer_reserve(out, 0), MFA_OK);
    return encoding(out, value, len);
}

static void check(mfa_encode_fn *encoding, const char *value, const char *expected)
{
    struct mfa_buffer out = {0};

    assert_int_equal(encode(encoding, value, strlen(value), &out), MFA_OK);
    assert_string_equal(out.data, expected);
    mfa_buffer_clear(&out);
}

static void check_refused(mfa_encode_fn *encoding, const char *value, size_t len)
{
    struct mfa_buffer out = {0};

    assert_int_equal(encode(encoding, value, len, &out), MFA_ERR_REFUSED);
    mfa_buffer_clear(&out);
}

static void query_escapes_all_but_unreserved_characters(void **state)
{
    char value[256];
    struct mfa_buffer out = {0};
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)(unsigned char)i;
    assert_int_equal(encode(mfa_encode_query, value, sizeof value, &out), MFA_OK);
    for (size_t i = 0; i < sizeof value; i++) {
        const char c = value[i];

        if (mfa_url_is_unreserved(c)) {
            assert_int_equal(out.data[at++], c);
            continue;
        }
        static const char hex[] = "0123456789ABCDEF";
        assert_int_equal(out.data[at], '%');
        assert_int_equal(out.data[at + 1], hex[i / 16]);
        assert_int_equal(out.data[at + 2], hex[i % 16]);
        at += 3;
    }
    assert_int_equal(at, out.len);
    mfa_buffer_clear(&out);
}

static void query_keeps_valid_escapes_and_only_those(void **state)
{
    (void)state;
    check(mfa_encode_query, "Your%20code%3a", "Your%20code%3a");
    check(mfa_encode_query, "%", "%25");
    check(mfa_encode_query, "%2", "%252");
    check(mfa_encode_query, "%zz%2g%%20", "%25zz%252g%25%20");
    check(mfa_encode_query, "a b+c&d=e", "a%20b%2Bc%26d%3De");
    check(mfa_encode_query, "\xc3\xa9", "%C3%A9");
    check(mfa_encode_query, "", "");
}

static void path_is_as_query_but_never_empty(void **state)
{
    (void)state;
    check(mfa_encode_path, "a/b?c#d", "a%2Fb%3Fc%23d");
    check_refused(mfa_encode_path, "", 0);
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    check(mfa_encode_json_string, "a\"b\\c/d", "a\\\"b\\\\c/d");
    check(mfa_encode_json_string, "\b\f\n\r\t\x01\x1f\x7f", "\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f");
    check(mfa_encode_json_string, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    check(mfa_encode_json_string, "", "");
}

/* Long texts are looked at in blocks. */
static void json_strings_are_escaped_wherever_it_is_needed(void **state)
{
    char value[40] = "";

    (void)state;
    for (size_t at = 0; at < sizeof value - 1; at++) {
        for (int c = 1; c < 0x80; c++) {
            struct mfa_buffer out = {0};
            const bool is_escaped = c < 0x20 || c == 0x7f || c == '"' || c == '\\';
            memset(value, 'a', sizeof value - 1);
            value[at] = (char)c;
            assert_int_equal(encode(mfa_encode_json_quoted, value, strlen(value), &out), MFA_OK);
            json_t *read = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
            assert_string_equal(json_string_value(read), value);
            assert_int_equal(out.len > strlen(value) + 2, is_escaped);
            json_decref(read);
            mfa_buffer_clear(&out);
        }
    }
}

static void json_strings_carry_nul(void **state)
{
    struct mfa_buffer out = {0};

    (void)state;
    assert_int_equal(encode(mfa_encode_json_string, "a\0b", 3, &out), MFA_OK);
    assert_string_equal(out.data, "a\\u0000b");
    mfa_buffer_clear(&out);
}

static void what_is_not_utf8_is_refused_in_json_and_xml(void **state)
{
    static const char *const texts[] = {
        "\x80",             /* continuation alone */
        "a\xc3",            /* cut off */
        "\xc3(",            /* wrong continuation */
        "\xc0\xaf",         /* overlong, two */
        "\xe0\x9f\xbf",     /* overlong, three */
        "\xf0\x8f\xbf\xbf", /* overlong, four */
        "\xed\xa0\x80",     /* surrogate */
        "\xf4\x90\x80\x80", /* past U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_refused(mfa_encode_json_string, texts[i], strlen(texts[i]));
        check_refused(mfa_encode_xml, texts[i], strlen(texts[i]));
    }
    check(mfa_encode_xml, "\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
          "\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

static void a_broken_byte_is_found_wherever_it_stands(void **state)
{
    char text[] = "0123456789012345678901234567890123456789";
    const size_t len = strlen(text);

    (void)state;
    assert_true(mfa_encode_is_utf8(text, len));
    for (size_t i = 0; i < len; i++) {
        const char byte = text[i];
        text[i] = '\xff';
        assert_false(mfa_encode_is_utf8(text, len));
        assert_true(mfa_encode_is_utf8(text, i));
        text[i] = byte;
    }
}

static void a_json_value_is_exactly_one(void **state)
{
    static const char *const values[] = {
        "1", "-1.5e3", "true", "null", "\"a\"", "[1, 2]", "{\"a\": {\"b\": []}}", " 7 ", "18446744073709551616"};
    static const char *const others[] = {"",    "abc", "1,2", "1}",        "01", "'a'", "\"a", "{\"a\":1,\"a\":2}",
                                         "1 2", "NaN", "}",   "1,\"b\":2", "+41"};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        check(mfa_encode_json_value, values[i], values[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        check_refused(mfa_encode_json_value, others[i], strlen(others[i]));
    check_refused(mfa_encode_json_value, "1\0", 2);
}

static void a_header_is_printable_ascii(void **state)
{
    (void)state;
    check(mfa_encode_header, " Bearer a~b ", " Bearer a~b ");
    for (int c = 0; c < 256; c++) {
        const char value[] = {'a', (char)c, 'b'};

        if (c < 0x20 || c > 0x7e)
            check_refused(mfa_encode_header, value, sizeof value);
    }
}

static void xml_text_is_escaped(void **state)
{
    (void)state;
    check(mfa_encode_xml, "a&b<c>d\"e'f", "a&amp;b&lt;c&gt;d&quot;e&apos;f");
    check(mfa_encode_xml, "]]>&amp;", "]]&gt;&amp;amp;");
    check(mfa_encode_xml, "\t\r\n\x7f", "\t\r\n\x7f");
    check_refused(mfa_encode_xml, "a\0b", 3);
    check_refused(mfa_encode_xml, "\x01", 1);
    check_refused(mfa_encode_xml, "\x1f", 1);
}

static void plain_text_has_no_control_characters(void **state)
{
    (void)state;
    check(mfa_encode_plain, "a \"b\" <c> \xc3\xa9", "a \"b\" <c> \xc3\xa9");
    for (char c = 0; c < 0x20; c++)
        check_refused(mfa_encode_plain, &c, 1);
    check_refused(mfa_encode_plain, "\x7f", 1);
}

static void a_url_as_it_is_ends_nowhere(void **state)
{
    (void)state;
    check(mfa_encode_raw_url, "a/b?c=%20&d=\xc3\xa9", "a/b?c=%20&d=\xc3\xa9");
    for (char c = 0; c <= 0x20; c++)
        check_refused(mfa_encode_raw_url, &c, 1);
    check_refused(mfa_encode_raw_url, "a#b", 3);
    check_refused(mfa_encode_raw_url, "\x7f", 1);
}

static void a_full_buffer_is_reported_by_every_encoding(void **state)
{
    static mfa_encode_fn *const encodings[] = {mfa_encode_query,      mfa_encode_path,   mfa_encode_json_string,
                                               mfa_encode_json_value, mfa_encode_header, mfa_encode_xml,
                                               mfa_encode_plain};

    (void)state;
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        struct mfa_buffer out;

        mfa_buffer_init(&out, 4);
        assert_int_equal(encodings[i](&out, "12345", 5), MFA_ERR_TOO_LARGE);
        mfa_buffer_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_escapes_all_but_unreserved_characters),
        cmocka_unit_test(query_keeps_valid_escapes_and_only_those),
        cmocka_unit_test(path_is_as_query_but_never_empty),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(json_strings_are_escaped_wherever_it_is_needed),
        cmocka_unit_test(json_strings_carry_nul),
        cmocka_unit_test(what_is_not_utf8_is_refused_in_json_and_xml),
        cmocka_unit_test(a_broken_byte_is_found_wherever_it_stands),
        cmocka_unit_test(a_json_value_is_exactly_one),
        cmocka_unit_test(a_header_is_printable_ascii),
        cmocka_unit_test(xml_text_is_escaped),
        cmocka_unit_test(plain_text_has_no_control_characters),
        cmocka_unit_test(a_url_as_it_is_ends_nowhere),
        cmocka_unit_test(a_full_buffer_is_reported_by_every_encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
