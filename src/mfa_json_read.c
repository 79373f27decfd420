/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_encode.h"
#include "mfa_json.h"

struct reader {
    const char *at;
    const char *end;
    size_t flags;
    struct mfa_buffer token_secret; /* the string or number that was read last */
};

static enum mfa_status read_value(struct reader *reader, size_t levels, json_t **out);

static bool is_at(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

static void skip_blanks(struct reader *reader)
{
    while (is_at(reader, ' ') || is_at(reader, '\t') || is_at(reader, '\n') || is_at(reader, '\r'))
        reader->at++;
}

/* Moves behind `c`, if it is what comes next. */
static bool pass(struct reader *reader, char c)
{
    if (!is_at(reader, c))
        return false;
    reader->at++;
    return true;
}

/* Likewise, where there may be blanks before it. */
static bool take(struct reader *reader, char c)
{
    skip_blanks(reader);
    return pass(reader, c);
}

/* --- Strings ------------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the four digits of \uXXXX. */
static bool read_unit(struct reader *reader, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        const int digit = reader->at < reader->end ? hex_digit(*reader->at) : -1;

        if (digit < 0)
            return false;
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

/* Reads what stands behind \u, with the other half of a surrogate pair. */
static bool read_code_point(struct reader *reader, uint32_t *code_point)
{
    uint32_t low = 0;

    if (!read_unit(reader, code_point))
        return false;
    if (*code_point < 0xd800 || *code_point > 0xdfff)
        return *code_point > 0 || (reader->flags & JSON_ALLOW_NUL) != 0;
    if (*code_point > 0xdbff || !pass(reader, '\\') || !pass(reader, 'u') || !read_unit(reader, &low) || low < 0xdc00 ||
        low > 0xdfff)
        return false;
    *code_point = 0x10000 + ((*code_point - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static enum mfa_status append_utf8(struct mfa_buffer *out, uint32_t code_point)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    const size_t len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    char bytes[4];

    for (size_t i = len; i-- > 1; code_point >>= 6)
        bytes[i] = (char)(0x80 | (code_point & 0x3f));
    bytes[0] = (char)(lead[len] | code_point);
    return mfa_buffer_append(out, bytes, len);
}

/* Reads what stands behind a backslash. */
static enum mfa_status read_escape(struct reader *reader)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    const char *name = NULL;
    uint32_t code_point = 0;

    if (pass(reader, 'u'))
        return read_code_point(reader, &code_point) ? append_utf8(&reader->token_secret, code_point) : MFA_ERR_SYNTAX;
    if (reader->at < reader->end)
        name = memchr(names, *reader->at, sizeof names - 1);
    if (name == NULL)
        return MFA_ERR_SYNTAX;
    reader->at++;
    return mfa_buffer_append(&reader->token_secret, &meant[name - names], 1);
}

/* How many bytes from here on stand for themselves. */
static size_t plain_len(const struct reader *reader)
{
    const char *at = reader->at;

    while (at < reader->end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
        at++;
    return (size_t)(at - reader->at);
}

/* Reads what stands behind the opening quotation mark. */
static enum mfa_status read_string(struct reader *reader)
{
    enum mfa_status status = mfa_buffer_reserve(&reader->token_secret, 0);

    mfa_buffer_reset(&reader->token_secret);
    while (status == MFA_OK && !pass(reader, '"')) {
        const size_t len = plain_len(reader);

        if (len == 0)
            status = pass(reader, '\\') ? read_escape(reader) : MFA_ERR_SYNTAX;
        else
            status = mfa_buffer_append(&reader->token_secret, reader->at, len);
        reader->at += len;
    }
    return status;
}

static enum mfa_status take_string(struct reader *reader, json_t **out)
{
    enum mfa_status status = MFA_OK;

    reader->at++;
    status = read_string(reader);
    if (status != MFA_OK)
        return status;
    *out = json_stringn_nocheck(reader->token_secret.data, reader->token_secret.len);
    return *out != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

/* --- Numbers and words --------------------------------------------------------------------------------------------- */

static bool skip_digits(struct reader *reader)
{
    const char *from = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return reader->at > from;
}

/* Moves behind a number. */
static bool skip_number(struct reader *reader, bool *is_real)
{
    (void)pass(reader, '-');
    if (!pass(reader, '0') && !skip_digits(reader))
        return false;
    *is_real = is_at(reader, '.') || is_at(reader, 'e') || is_at(reader, 'E');
    if (pass(reader, '.') && !skip_digits(reader))
        return false;
    if (!pass(reader, 'e') && !pass(reader, 'E'))
        return true;
    if (!pass(reader, '-'))
        (void)pass(reader, '+');
    return skip_digits(reader);
}

/* strtod reads a number as the host's locale writes it. */
static enum mfa_status make_real(char *text, json_t **out)
{
    char *point = strchr(text, '.');
    double value = 0;

    if (point != NULL)
        *point = localeconv()->decimal_point[0];
    value = strtod(text, NULL);
    if (!isfinite(value))
        return MFA_ERR_SYNTAX;
    *out = json_real(value);
    return *out != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

static enum mfa_status make_integer(char *text, size_t flags, json_t **out)
{
    long long value = 0;

    errno = 0;
    value = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return (flags & MFA_JSON_LARGE_AS_REAL) != 0 ? make_real(text, out) : MFA_ERR_SYNTAX;
    *out = json_integer(value);
    return *out != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

static enum mfa_status take_number(struct reader *reader, json_t **out)
{
    const char *from = reader->at;
    bool is_real = false;
    enum mfa_status status = MFA_ERR_SYNTAX;

    if (!skip_number(reader, &is_real))
        return status;
    mfa_buffer_reset(&reader->token_secret);
    status = mfa_buffer_append(&reader->token_secret, from, (size_t)(reader->at - from));
    if (status != MFA_OK)
        return status;
    return is_real ? make_real(reader->token_secret.data, out)
                   : make_integer(reader->token_secret.data, reader->flags, out);
}

static enum mfa_status take_word(struct reader *reader, const char *word, json_t *value, json_t **out)
{
    const size_t len = strlen(word);

    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0)
        return MFA_ERR_SYNTAX;
    reader->at += len;
    *out = value;
    return MFA_OK;
}

/* --- Objects and arrays -------------------------------------------------------------------------------------------- */

static enum mfa_status read_element(struct reader *reader, size_t levels, json_t *array)
{
    json_t *element = NULL;
    enum mfa_status status = read_value(reader, levels, &element);

    if (status != MFA_OK)
        return status;
    return json_array_append_new(array, element) == 0 ? MFA_OK : MFA_ERR_MEMORY; /* transferred in any case */
}

static bool is_key(const struct reader *reader, const json_t *object)
{
    const struct mfa_buffer *key_secret = &reader->token_secret;

    if (memchr(key_secret->data, '\0', key_secret->len) != NULL)
        return false;
    return (reader->flags & JSON_REJECT_DUPLICATES) == 0 || json_object_get(object, key_secret->data) == NULL;
}

static enum mfa_status read_member_value(struct reader *reader, size_t levels, json_t *object, const char *key_secret)
{
    json_t *value = NULL;
    enum mfa_status status = take(reader, ':') ? read_value(reader, levels, &value) : MFA_ERR_SYNTAX;

    if (status != MFA_OK)
        return status;
    return json_object_set_new_nocheck(object, key_secret, value) == 0 ? MFA_OK : MFA_ERR_MEMORY;
}

static enum mfa_status read_member(struct reader *reader, size_t levels, json_t *object)
{
    char *key_secret = NULL;
    size_t key_len = 0;
    enum mfa_status status = take(reader, '"') ? read_string(reader) : MFA_ERR_SYNTAX;

    if (status != MFA_OK)
        return status;
    if (!is_key(reader, object))
        return MFA_ERR_SYNTAX;
    key_secret = mfa_buffer_take(&reader->token_secret, &key_len);
    status = read_member_value(reader, levels, object, key_secret);
    mfa_secret_free(key_secret, key_len);
    return status;
}

/* Reads what stands behind the opening bracket into `value`, which is transferred. */
static enum mfa_status take_collection(struct reader *reader, size_t levels, json_t *value, json_t **out)
{
    const char close = json_is_object(value) ? '}' : ']';
    enum mfa_status status = value != NULL ? MFA_OK : MFA_ERR_MEMORY;

    reader->at++;
    if (status == MFA_OK && !take(reader, close)) {
        do
            status = json_is_object(value) ? read_member(reader, levels, value) : read_element(reader, levels, value);
        while (status == MFA_OK && take(reader, ','));
        if (status == MFA_OK && !take(reader, close))
            status = MFA_ERR_SYNTAX;
    }
    if (status == MFA_OK)
        *out = value; /* transferred */
    else
        mfa_json_free(value);
    return status;
}

static enum mfa_status read_value(struct reader *reader, size_t levels, json_t **out)
{
    skip_blanks(reader);
    if (reader->at == reader->end)
        return MFA_ERR_SYNTAX;
    switch (*reader->at) {
    case '{': return levels > 0 ? take_collection(reader, levels - 1, json_object(), out) : MFA_ERR_SYNTAX;
    case '[': return levels > 0 ? take_collection(reader, levels - 1, json_array(), out) : MFA_ERR_SYNTAX;
    case '"': return take_string(reader, out);
    case 't': return take_word(reader, "true", json_true(), out);
    case 'f': return take_word(reader, "false", json_false(), out);
    case 'n': return take_word(reader, "null", json_null(), out);
    default: return take_number(reader, out);
    }
}

enum mfa_status mfa_json_read(json_t **out, const char *text, size_t len, size_t max_depth, size_t flags)
{
    struct reader reader = {.at = text, .flags = flags};
    enum mfa_status status = MFA_ERR_SYNTAX;

    *out = NULL;
    if (len == 0 || !mfa_encode_is_utf8(text, len))
        return status;
    reader.end = text + len;
    mfa_buffer_init(&reader.token_secret, len);
    status = read_value(&reader, max_depth, out);
    skip_blanks(&reader);
    if (status == MFA_OK && reader.at < reader.end)
        status = MFA_ERR_SYNTAX;
    if (status != MFA_OK) {
        mfa_json_free(*out);
        *out = NULL;
    }
    mfa_buffer_clear(&reader.token_secret);
    return status;
}
