/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_recovery.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define STORED_PREFIX "v1:"
#define STORED_PREFIX_LEN (sizeof STORED_PREFIX - 1)
#define HASH_LEN 32
#define UUID_LEN 16

_Static_assert(STORED_PREFIX_LEN + sodium_base64_ENCODED_LEN(HASH_LEN, sodium_base64_VARIANT_URLSAFE_NO_PADDING) ==
                   MFA_RECOVERY_STORED_SIZE,
               "a stored recovery code does not fit its array");

static void format_uuid(char code_secret[static MFA_RECOVERY_CODE_SIZE], unsigned char uuid[static UUID_LEN])
{
    char hex_secret[2 * UUID_LEN + 1];

    uuid[6] = (unsigned char)((uuid[6] & 0x0f) | 0x40); /* version 4 */
    uuid[8] = (unsigned char)((uuid[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
    sodium_bin2hex(hex_secret, sizeof hex_secret, uuid, UUID_LEN);
    snprintf(code_secret, MFA_RECOVERY_CODE_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex_secret, hex_secret + 8,
             hex_secret + 12, hex_secret + 16, hex_secret + 20);
    sodium_memzero(hex_secret, sizeof hex_secret);
}

enum mfa_status mfa_recovery_draw(const struct mfa_host_port *host, struct mfa_recovery_codes *out_secret)
{
    unsigned char random_secret[MFA_RECOVERY_CODE_COUNT][UUID_LEN] = {{0}};
    enum mfa_status status = host->random(host->ctx, random_secret, sizeof random_secret);

    *out_secret = (struct mfa_recovery_codes){0};
    for (size_t i = 0; status == MFA_OK && i < MFA_RECOVERY_CODE_COUNT; i++)
        format_uuid(out_secret->text_secret[i], random_secret[i]);
    sodium_memzero(random_secret, sizeof random_secret);
    return status;
}

static bool is_uuid_char(char c, size_t position)
{
    if (position == 8 || position == 13 || position == 18 || position == 23)
        return c == '-';
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

enum mfa_status mfa_recovery_parse(char code_secret[static MFA_RECOVERY_CODE_SIZE], const char *text, size_t len)
{
    size_t i = 0;

    memset(code_secret, 0, MFA_RECOVERY_CODE_SIZE);
    for (; len > 0 && *text == ' '; text++)
        len--;
    for (; len > 0 && text[len - 1] == ' ';)
        len--;
    for (; len == MFA_RECOVERY_CODE_SIZE - 1 && i < len; i++) {
        char c = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (!is_uuid_char(c, i))
            break;
        code_secret[i] = c;
    }
    if (i == MFA_RECOVERY_CODE_SIZE - 1)
        return MFA_OK;
    sodium_memzero(code_secret, MFA_RECOVERY_CODE_SIZE);
    return MFA_ERR_SYNTAX;
}

void mfa_recovery_hash(const char *code_secret, char stored[static MFA_RECOVERY_STORED_SIZE])
{
    unsigned char hash[HASH_LEN];

    crypto_generichash(hash, sizeof hash, (const unsigned char *)code_secret, strlen(code_secret), NULL, 0);
    memcpy(stored, STORED_PREFIX, STORED_PREFIX_LEN);
    sodium_bin2base64(stored + STORED_PREFIX_LEN, MFA_RECOVERY_STORED_SIZE - STORED_PREFIX_LEN, hash, sizeof hash,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void mfa_recovery_hash_typed(const char *text, size_t len, char stored[static MFA_RECOVERY_STORED_SIZE])
{
    char code_secret[MFA_RECOVERY_CODE_SIZE];

    memset(stored, 0, MFA_RECOVERY_STORED_SIZE);
    if (mfa_recovery_parse(code_secret, text, len) == MFA_OK)
        mfa_recovery_hash(code_secret, stored);
    sodium_memzero(code_secret, sizeof code_secret);
}

bool mfa_recovery_is_hashed(const char *stored)
{
    return strncmp(stored, STORED_PREFIX, STORED_PREFIX_LEN) == 0 && strlen(stored) == MFA_RECOVERY_STORED_SIZE - 1;
}

bool mfa_recovery_matches(const char *stored, const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    char clear_secret[MFA_RECOVERY_CODE_SIZE];
    char hashed[MFA_RECOVERY_STORED_SIZE] = {0};
    bool is_known = true;

    if (mfa_recovery_is_hashed(stored))
        memcpy(hashed, stored, sizeof hashed);
    else if (mfa_recovery_parse(clear_secret, stored, strlen(stored)) == MFA_OK)
        mfa_recovery_hash(clear_secret, hashed);
    else
        is_known = false;
    sodium_memzero(clear_secret, sizeof clear_secret);
    return is_known && sodium_memcmp(hashed, presented, sizeof hashed) == 0;
}
