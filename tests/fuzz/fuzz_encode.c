/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings and filters against slow and obvious ones. The first byte chooses one, the rest is the value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>

#include "fuzz.h"
#include "mfa_encode.h"
#include "mfa_filter.h"
#include "mfa_url.h"

/* What came of a value. */
struct encoded {
    const char *value;
    size_t len;
    enum mfa_status status;
    const char *out; /* NUL-terminated */
    size_t out_len;
};

typedef void check_fn(const struct encoded *encoded);

static void check_equal(const struct encoded *encoded, const char *expected, size_t len)
{
    assert_int_equal(encoded->status, MFA_OK);
    assert_int_equal(encoded->out_len, len);
    assert_memory_equal(encoded->out, expected, len);
}

/* The value as it is, or nothing. */
static void check_kept_if(const struct encoded *encoded, bool is_good)
{
    if (is_good)
        check_equal(encoded, encoded->value, encoded->len);
    else
        assert_int_equal(encoded->status, MFA_ERR_REFUSED);
}

/* --- URLs ------------------------------------------------------------------------------------------------------- */

static bool is_escape(const char *text, size_t len)
{
    return len >= 3 && text[0] == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
}

static char *percent_encode(const char *value, size_t len, size_t *out_len)
{
    char *out = malloc(3 * len + 1);

    assert_non_null(out);
    *out_len = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        bool is_kept = isalnum(c) || (c != '\0' && strchr("-._~", c) != NULL) || is_escape(value + i, len - i);
        *out_len += (size_t)sprintf(out + *out_len, is_kept ? "%c" : "%%%02X", c);
    }
    return out;
}

static void check_query(const struct encoded *encoded)
{
    size_t len = 0;
    char *expected = percent_encode(encoded->value, encoded->len, &len);

    check_equal(encoded, expected, len);
    free(expected);
}

static void check_path(const struct encoded *encoded)
{
    if (encoded->len == 0)
        assert_int_equal(encoded->status, MFA_ERR_REFUSED);
    else
        check_query(encoded);
}

static void check_raw_url(const struct encoded *encoded)
{
    bool is_good = true;

    for (size_t i = 0; i < encoded->len; i++)
        is_good &= (unsigned char)encoded->value[i] > ' ' && encoded->value[i] != 0x7f && encoded->value[i] != '#';
    check_kept_if(encoded, is_good);
}

/* --- JSON and XML ----------------------------------------------------------------------------------------------- */

/* Between quotes it is a string that reads as the value. */
static void check_quoted(const struct encoded *encoded, const char *text, size_t len)
{
    json_t *read = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_t *expected = json_stringn(encoded->value, encoded->len);

    assert_int_equal(encoded->status, expected != NULL ? MFA_OK : MFA_ERR_REFUSED);
    if (expected != NULL)
        assert_true(json_is_string(read) && json_equal(read, expected));
    json_decref(read);
    json_decref(expected);
}

static void check_json_quoted(const struct encoded *encoded)
{
    check_quoted(encoded, encoded->out, encoded->out_len);
}

static void check_json_string(const struct encoded *encoded)
{
    char *text = malloc(encoded->out_len + 3);

    assert_non_null(text);
    (void)sprintf(text, "\"%s\"", encoded->out);
    check_quoted(encoded, text, encoded->out_len + 2);
    free(text);
}

static void check_json_value(const struct encoded *encoded)
{
    json_t *read = json_loadb(encoded->value, encoded->len,
                              JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);

    check_kept_if(encoded, read != NULL && memchr(encoded->value, '\0', encoded->len) == NULL);
    json_decref(read);
}

struct escape {
    const char *text;
    char stands_for;
};

/* Takes the escapes out again; what they stand for must not stand there by itself. */
static void check_unescaped(const struct encoded *encoded, const struct escape *escapes, size_t count)
{
    char *read = malloc(encoded->out_len + 1);
    size_t len = 0;

    assert_non_null(read);
    for (size_t i = 0; i < encoded->out_len;) {
        size_t step = 1;
        read[len] = encoded->out[i];
        for (size_t j = 0; j < count; j++)
            if (strncmp(encoded->out + i, escapes[j].text, strlen(escapes[j].text)) == 0) {
                read[len] = escapes[j].stands_for;
                step = strlen(escapes[j].text);
            }
        for (size_t j = 0; j < count && step == 1; j++)
            assert_true(encoded->out[i] != escapes[j].stands_for);
        i += step;
        len++;
    }
    assert_int_equal(encoded->status, MFA_OK);
    assert_int_equal(len, encoded->len);
    assert_memory_equal(read, encoded->value, len);
    free(read);
}

static void check_pointer(const struct encoded *encoded)
{
    static const struct escape escapes[] = {{"~0", '~'}, {"~1", '/'}};

    check_unescaped(encoded, escapes, sizeof escapes / sizeof escapes[0]);
}

static void check_xml(const struct encoded *encoded)
{
    static const struct escape escapes[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    json_t *utf8 = json_stringn(encoded->value, encoded->len);
    bool is_good = utf8 != NULL;

    for (size_t i = 0; i < encoded->len; i++)
        is_good &=
            (unsigned char)encoded->value[i] >= ' ' || (encoded->value[i] && strchr("\t\r\n", encoded->value[i]));
    if (is_good)
        check_unescaped(encoded, escapes, sizeof escapes / sizeof escapes[0]);
    else
        assert_int_equal(encoded->status, MFA_ERR_REFUSED);
    json_decref(utf8);
}

/* --- Text ------------------------------------------------------------------------------------------------------- */

static void check_header(const struct encoded *encoded)
{
    check_kept_if(encoded, strlen(encoded->value) == encoded->len && fuzz_is_line(encoded->value));
}

static void check_plain(const struct encoded *encoded)
{
    bool is_good = true;

    for (size_t i = 0; i < encoded->len; i++)
        is_good &= !iscntrl((unsigned char)encoded->value[i]);
    check_kept_if(encoded, is_good);
}

static void check_raw(const struct encoded *encoded)
{
    check_kept_if(encoded, true);
}

/* --- Filters ---------------------------------------------------------------------------------------------------- */

/* The digits of the value, escapes decoded. */
static char *digits_of(const struct encoded *encoded)
{
    char *digits = calloc(encoded->len + 1, 1);
    size_t count = 0;

    assert_non_null(digits);
    for (size_t i = 0; i < encoded->len; i++) {
        bool is_escaped = is_escape(encoded->value + i, encoded->len - i);
        char hex[] = {is_escaped ? encoded->value[i + 1] : '0', is_escaped ? encoded->value[i + 2] : '0', '\0'};
        int c = is_escaped ? (int)strtol(hex, NULL, 16) : encoded->value[i];
        if (c == '@') { /* an address has none */
            digits[0] = '\0';
            break;
        }
        if (c >= '0' && c <= '9')
            digits[count++] = (char)c;
        i += is_escaped ? 2 : 0;
    }
    return digits;
}

static void check_digits(const struct encoded *encoded)
{
    char *expected = digits_of(encoded);

    if (expected[0] == '\0')
        assert_int_equal(encoded->status, MFA_ERR_REFUSED);
    else
        check_equal(encoded, expected, strlen(expected));
    free(expected);
}

static void check_e164(const struct encoded *encoded)
{
    char *digits = digits_of(encoded);
    const char *number = strncmp(digits, "00", 2) == 0 ? digits + 2 : digits;
    bool is_good = number[0] != '0' && strlen(number) >= 7 && strlen(number) <= 15;

    assert_int_equal(encoded->status, is_good ? MFA_OK : MFA_ERR_REFUSED);
    if (is_good) {
        assert_int_equal(encoded->out[0], '+');
        assert_string_equal(encoded->out + 1, number);
    }
    free(digits);
}

static void check_lower(const struct encoded *encoded)
{
    assert_int_equal(encoded->status, MFA_OK);
    assert_int_equal(encoded->out_len, encoded->len);
    for (size_t i = 0; i < encoded->len; i++)
        assert_int_equal((unsigned char)encoded->out[i], tolower((unsigned char)encoded->value[i]));
}

static void check_base64(const struct encoded *encoded)
{
    unsigned char *read = malloc(encoded->len + 1);
    size_t len = 0;

    assert_non_null(read);
    assert_int_equal(encoded->status, MFA_OK);
    assert_int_equal(sodium_base642bin(read, encoded->len, encoded->out, encoded->out_len, NULL, &len, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_int_equal(len, encoded->len);
    assert_memory_equal(read, encoded->value, len);
    free(read);
}

/* --- Dot segments ----------------------------------------------------------------------------------------------- */

/* Decodes in place as long as anything changes. */
static size_t decode_fully(char *text, size_t len)
{
    size_t before = 0;

    do {
        before = len;
        len = 0;
        for (size_t i = 0; i < before; i++) {
            char hex[] = {text[i], text[i], '\0'};
            bool is_escaped = is_escape(text + i, before - i);
            if (is_escaped)
                memcpy(hex, text + i + 1, 2);
            text[len++] = is_escaped ? (char)strtol(hex, NULL, 16) : text[i];
            i += is_escaped ? 2 : 0;
        }
    } while (len < before);
    return len;
}

static bool has_dot_segment(const char *text, size_t len)
{
    for (size_t i = 0; i <= len; i++) {
        size_t dots = 0;
        if (i > 0 && text[i - 1] != '/' && text[i - 1] != '\\')
            continue;
        while (i + dots < len && text[i + dots] == '.')
            dots++;
        if ((dots == 1 || dots == 2) && (i + dots == len || text[i + dots] == '/' || text[i + dots] == '\\'))
            return true;
    }
    return false;
}

static void check_dot_segments(const char *path, size_t len)
{
    char *decoded = malloc(len + 1);
    size_t percent_signs = 0;

    assert_non_null(decoded);
    memcpy(decoded, path, len);
    for (size_t i = 0; i < len; i++)
        percent_signs += path[i] == '%';
    /* Beyond that they may be taken for one. */
    if (percent_signs <= 16)
        assert_int_equal(mfa_url_has_dot_segment(path, len), has_dot_segment(decoded, decode_fully(decoded, len)));
    else
        assert_true(mfa_url_has_dot_segment(path, len) >= has_dot_segment(decoded, decode_fully(decoded, len)));
    free(decoded);
}

/* --- The whole -------------------------------------------------------------------------------------------------- */

static const struct {
    mfa_encode_fn *encode;
    check_fn *check;
} encodings[] = {
    {mfa_encode_query, check_query},
    {mfa_encode_path, check_path},
    {mfa_encode_raw_url, check_raw_url},
    {mfa_encode_json_string, check_json_string},
    {mfa_encode_json_quoted, check_json_quoted},
    {mfa_encode_json_value, check_json_value},
    {mfa_encode_pointer, check_pointer},
    {mfa_encode_xml, check_xml},
    {mfa_encode_header, check_header},
    {mfa_encode_plain, check_plain},
    {mfa_encode_raw, check_raw},
    {mfa_filter_digits, check_digits},
    {mfa_filter_e164, check_e164},
    {mfa_filter_lower, check_lower},
    {mfa_filter_base64, check_base64},
};

#define ENCODING_COUNT (sizeof encodings / sizeof encodings[0])

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input input = {(const char *)data, len};
    size_t chosen = fuzz_take_byte(&input) % (ENCODING_COUNT + 1);
    struct encoded encoded = {0};
    char *value = fuzz_take_rest(&input, &encoded.len);
    struct mfa_buffer out;

    if (chosen == ENCODING_COUNT) {
        check_dot_segments(value, encoded.len);
        free(value);
        return 0;
    }
    mfa_buffer_init(&out, SIZE_MAX);
    encoded.value = value;
    encoded.status = encodings[chosen].encode(&out, value, encoded.len);
    encoded.out = out.data != NULL ? out.data : "";
    encoded.out_len = out.len;
    encodings[chosen].check(&encoded);
    mfa_buffer_clear(&out);
    free(value);
    return 0;
}
