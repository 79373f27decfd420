/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_filter.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "mfa_url.h"

/* ITU-T E.164, 6.2.1; the shortest numbers that are dialled in full from abroad. */
#define E164_MAX_DIGITS 15
#define E164_MIN_DIGITS 7

/* Bytes that are filtered at a time, to append them in few calls. */
#define CHUNK_LEN 63

/* Appends the digits of `value`. An address is refused: the send limits count it as one, and not as the number in it. */
static enum mfa_status append_digits(struct mfa_buffer *out, const char *value, size_t len)
{
    enum mfa_status status = MFA_OK;
    size_t taken = 0;

    for (size_t i = 0; i < len && status == MFA_OK; i += taken) {
        char c = mfa_url_decoded(value + i, len - i, &taken);

        if (c == '@')
            return MFA_ERR_REFUSED;
        if (c >= '0' && c <= '9')
            status = mfa_buffer_append(out, &c, 1);
    }
    return status;
}

enum mfa_status mfa_filter_digits(struct mfa_buffer *out, const char *value, size_t len)
{
    const size_t before = out->len;
    enum mfa_status status = append_digits(out, value, len);

    return status == MFA_OK && out->len == before ? MFA_ERR_REFUSED : status;
}

enum mfa_status mfa_filter_e164(struct mfa_buffer *out, const char *value, size_t len)
{
    struct mfa_buffer digits_secret;
    enum mfa_status status;

    mfa_buffer_init(&digits_secret, len);
    status = mfa_filter_digits(&digits_secret, value, len);
    if (status == MFA_OK) {
        const char *number = digits_secret.data + (strncmp(digits_secret.data, "00", 2) == 0 ? 2 : 0);
        const size_t count = strlen(number);

        if (number[0] == '0' || count < E164_MIN_DIGITS || count > E164_MAX_DIGITS)
            status = MFA_ERR_REFUSED;
        else if ((status = mfa_buffer_append(out, "+", 1)) == MFA_OK)
            status = mfa_buffer_append(out, number, count);
    }
    mfa_buffer_clear(&digits_secret);
    return status;
}

enum mfa_status mfa_filter_lower(struct mfa_buffer *out, const char *value, size_t len)
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < len && status == MFA_OK; i++) {
        char c = value[i] >= 'A' && value[i] <= 'Z' ? (char)(value[i] - 'A' + 'a') : value[i];

        status = mfa_buffer_append(out, &c, 1);
    }
    return status;
}

/* In chunks of whole groups, so that only the last one is padded. */
enum mfa_status mfa_filter_base64(struct mfa_buffer *out, const char *value, size_t len)
{
    char text[sodium_base64_ENCODED_LEN(CHUNK_LEN, sodium_base64_VARIANT_ORIGINAL)];
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < len && status == MFA_OK; i += CHUNK_LEN) {
        const size_t chunk = len - i < CHUNK_LEN ? len - i : CHUNK_LEN;

        sodium_bin2base64(text, sizeof text, (const unsigned char *)value + i, chunk, sodium_base64_VARIANT_ORIGINAL);
        status = mfa_buffer_append_text(out, text);
    }
    sodium_memzero(text, sizeof text);
    return status;
}

static const struct mfa_filter filters[] = {
    {"digits", mfa_filter_digits},   {"e164", mfa_filter_e164},
    {"lower", mfa_filter_lower},     {"base64", mfa_filter_base64},
    {"urlencode", mfa_encode_query}, {"json", mfa_encode_json_string},
    {"xml", mfa_encode_xml},         {"raw", NULL},
};

const struct mfa_filter *mfa_filter_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        if (strlen(filters[i].name) == len && memcmp(filters[i].name, name, len) == 0)
            return &filters[i];
    return NULL;
}
