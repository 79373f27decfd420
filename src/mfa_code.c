/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_code.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_RANDOM_LEN 24

_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_RANDOM_LEN, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == MFA_TOKEN_SIZE,
               "a token does not fit its array");

enum mfa_status mfa_code_draw(const struct mfa_host_port *host, uint32_t length, char code_secret[static MFA_CODE_SIZE])
{
    unsigned char random_secret[2 * MFA_CODE_MAX_LEN];
    enum mfa_status status = MFA_OK;
    size_t digits = 0;

    memset(code_secret, 0, MFA_CODE_SIZE);
    if (length < MFA_CODE_MIN_LEN || length > MFA_CODE_MAX_LEN)
        return MFA_ERR_ARGUMENT;
    while (digits < length && status == MFA_OK) {
        status = host->random(host->ctx, random_secret, sizeof random_secret);
        for (size_t i = 0; status == MFA_OK && i < sizeof random_secret && digits < length; i++) {
            /* 250 is the highest multiple of 10 in a byte: without the cut, 0 to 5 would be likelier. */
            if (random_secret[i] < 250)
                code_secret[digits++] = (char)('0' + random_secret[i] % 10);
        }
    }
    if (status != MFA_OK)
        sodium_memzero(code_secret, MFA_CODE_SIZE);
    sodium_memzero(random_secret, sizeof random_secret);
    return status;
}

enum mfa_status mfa_token_draw(const struct mfa_host_port *host, char token_secret[static MFA_TOKEN_SIZE])
{
    unsigned char random_secret[TOKEN_RANDOM_LEN] = {0};
    enum mfa_status status = host->random(host->ctx, random_secret, sizeof random_secret);

    if (status == MFA_OK)
        sodium_bin2base64(token_secret, MFA_TOKEN_SIZE, random_secret, sizeof random_secret,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    else
        memset(token_secret, 0, MFA_TOKEN_SIZE);
    sodium_memzero(random_secret, sizeof random_secret);
    return status;
}

/* The locale's isalnum must not decide what reaches a service. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static enum mfa_status parse(char code_secret[static MFA_CODE_SIZE], const char *text, size_t len, bool is_own)
{
    size_t used = 0;

    memset(code_secret, 0, MFA_CODE_SIZE);
    for (size_t i = 0; i < len; i++) {
        if (is_own && (text[i] == ' ' || text[i] == '-'))
            continue;
        if ((!is_digit(text[i]) && (is_own || !is_letter(text[i]))) || used == MFA_CODE_MAX_LEN)
            goto malformed;
        code_secret[used++] = text[i];
    }
    if (used >= MFA_CODE_MIN_LEN)
        return MFA_OK;
malformed:
    sodium_memzero(code_secret, MFA_CODE_SIZE);
    return MFA_ERR_SYNTAX;
}

enum mfa_status mfa_code_parse_own(char code_secret[static MFA_CODE_SIZE], const char *text, size_t len)
{
    return parse(code_secret, text, len, true);
}

enum mfa_status mfa_code_parse_foreign(char code_secret[static MFA_CODE_SIZE], const char *text, size_t len)
{
    return parse(code_secret, text, len, false);
}
