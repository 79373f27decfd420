/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_encode.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "mfa_json.h"
#include "mfa_url.h"

/* Texts are looked at in blocks of so many bytes. */
#define BLOCK_LEN 16

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20) | (c == 0x7f);
}

/* Length of the UTF-8 sequence that `bytes` starts with (RFC 3629: no overlong form, no surrogate, at most U+10FFFF);
 * 0 when it is none. */
static size_t utf8_sequence_len(const unsigned char *bytes, size_t len)
{
    const unsigned char first = bytes[0];
    const size_t want = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;

    if (want > len)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return want;
}

/* How many bytes from the start on are ASCII, in whole words: most texts are, and nothing else needs a closer look. */
static size_t ascii_len(const unsigned char *bytes, size_t len)
{
    size_t at = 0;

    for (uint64_t word; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return at;
}

bool mfa_encode_is_utf8(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t step;

    for (size_t i = ascii_len(bytes, len); i < len; i += step) {
        step = utf8_sequence_len(bytes + i, len - i);
        if (step == 0)
            return false;
    }
    return true;
}

/* How many bytes from the start on stay as they are: unreserved characters and valid escapes. */
static size_t kept_len(const char *value, size_t len)
{
    const char *end = value + len;
    const char *at = value;

    for (;;) {
        while (at < end && mfa_url_is_unreserved(*at))
            at++;
        if (at == end || !mfa_url_is_escape(at, (size_t)(end - at)))
            return (size_t)(at - value);
        at += MFA_URL_ESCAPE_LEN;
    }
}

enum mfa_status mfa_encode_query(struct mfa_buffer *out, const char *value, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t at = kept_len(value, len);
    enum mfa_status status = mfa_buffer_append(out, value, at);

    while (at < len && status == MFA_OK) {
        const unsigned char byte = (unsigned char)value[at++];
        const size_t kept = kept_len(value + at, len - at);

        status = mfa_buffer_append(out, (char[]){'%', hex[byte >> 4], hex[byte & 15]}, MFA_URL_ESCAPE_LEN);
        if (status == MFA_OK)
            status = mfa_buffer_append(out, value + at, kept);
        at += kept;
    }
    return status;
}

enum mfa_status mfa_encode_path(struct mfa_buffer *out, const char *value, size_t len)
{
    return len == 0 ? MFA_ERR_REFUSED : mfa_encode_query(out, value, len);
}

/* The two-character escapes JSON has for `c`, or NULL. */
static const char *json_short_escape(char c)
{
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return NULL;
    }
}

static enum mfa_status append_json_escape(struct mfa_buffer *out, char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *escape = json_short_escape(c);
    const unsigned char byte = (unsigned char)c;

    if (escape != NULL)
        return mfa_buffer_append(out, escape, 2);
    return mfa_buffer_append(out, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
}

/* `|` and not `||`: without a branch compilers look at a block with a few vector instructions. */
static bool json_needs_escape(char c)
{
    return is_control(c) | (c == '"') | (c == '\\');
}

static bool block_needs_escape(const char block[static BLOCK_LEN])
{
    unsigned char needs = 0;

    for (size_t i = 0; i < BLOCK_LEN; i++)
        needs |= json_needs_escape(block[i]);
    return needs != 0;
}

/* How many bytes from the start on stand for themselves. */
static size_t json_plain_len(const char *value, size_t len)
{
    size_t plain = 0;

    while (len - plain >= BLOCK_LEN && !block_needs_escape(value + plain))
        plain += BLOCK_LEN;
    while (plain < len && !json_needs_escape(value[plain]))
        plain++;
    return plain;
}

enum mfa_status mfa_encode_json_string(struct mfa_buffer *out, const char *value, size_t len)
{
    enum mfa_status status = MFA_OK;

    if (!mfa_encode_is_utf8(value, len))
        return MFA_ERR_REFUSED;
    for (size_t i = 0; i < len && status == MFA_OK;) {
        const size_t run = json_plain_len(value + i, len - i);

        status = run > 0 ? mfa_buffer_append(out, value + i, run) : append_json_escape(out, value[i]);
        i += run > 0 ? run : 1;
    }
    return status;
}

enum mfa_status mfa_encode_json_quoted(struct mfa_buffer *out, const char *value, size_t len)
{
    enum mfa_status status = mfa_buffer_append(out, "\"", 1);

    if (status == MFA_OK)
        status = mfa_encode_json_string(out, value, len);
    return status == MFA_OK ? mfa_buffer_append(out, "\"", 1) : status;
}

enum mfa_status mfa_encode_pointer(struct mfa_buffer *out, const char *value, size_t len)
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < len && status == MFA_OK; i++) {
        if (value[i] == '~')
            status = mfa_buffer_append(out, "~0", 2);
        else if (value[i] == '/')
            status = mfa_buffer_append(out, "~1", 2);
        else
            status = mfa_buffer_append(out, value + i, 1);
    }
    return status;
}

enum mfa_status mfa_encode_check_json(const char *text, size_t len, size_t flags)
{
    json_t *value_secret = NULL;
    enum mfa_status status =
        mfa_json_read(&value_secret, text, len, MFA_JSON_MAX_DEPTH, flags | MFA_JSON_LARGE_AS_REAL);

    mfa_json_free(value_secret);
    return status;
}

enum mfa_status mfa_encode_json_value(struct mfa_buffer *out, const char *value, size_t len)
{
    const enum mfa_status status = mfa_encode_check_json(value, len, JSON_REJECT_DUPLICATES);

    if (status == MFA_OK)
        return mfa_buffer_append(out, value, len);
    return status == MFA_ERR_SYNTAX ? MFA_ERR_REFUSED : status;
}

enum mfa_status mfa_encode_header(struct mfa_buffer *out, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (value[i] < 0x20 || value[i] > 0x7e)
            return MFA_ERR_REFUSED;
    return mfa_buffer_append(out, value, len);
}

static bool xml_has_character(char c)
{
    return !is_control(c) || c == '\t' || c == '\n' || c == '\r' || c == 0x7f;
}

static const char *xml_reference(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&apos;";
    default: return NULL;
    }
}

enum mfa_status mfa_encode_xml(struct mfa_buffer *out, const char *value, size_t len)
{
    enum mfa_status status = MFA_OK;

    if (!mfa_encode_is_utf8(value, len))
        return MFA_ERR_REFUSED;
    for (size_t i = 0; i < len && status == MFA_OK; i++) {
        const char *reference = xml_reference(value[i]);

        if (reference != NULL)
            status = mfa_buffer_append_text(out, reference);
        else if (!xml_has_character(value[i]))
            status = MFA_ERR_REFUSED;
        else
            status = mfa_buffer_append(out, value + i, 1);
    }
    return status;
}

enum mfa_status mfa_encode_plain(struct mfa_buffer *out, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (is_control(value[i]))
            return MFA_ERR_REFUSED;
    return mfa_buffer_append(out, value, len);
}

enum mfa_status mfa_encode_raw(struct mfa_buffer *out, const char *value, size_t len)
{
    return mfa_buffer_append(out, value, len);
}

enum mfa_status mfa_encode_raw_url(struct mfa_buffer *out, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value[i] <= 0x20 || value[i] == 0x7f || value[i] == '#')
            return MFA_ERR_REFUSED;
    return mfa_buffer_append(out, value, len);
}
