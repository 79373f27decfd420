/* SPDX-License-Identifier: Apache-2.0 */
#include "access_token.h"

#include <sodium.h>
#include <string.h>

#define RANDOM_LEN 24

_Static_assert(sodium_base64_ENCODED_LEN(RANDOM_LEN, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == ACCESS_TOKEN_SIZE,
               "24 bytes are 32 characters");

void access_token_make(char secret_token[static ACCESS_TOKEN_SIZE])
{
    unsigned char secret_bytes[RANDOM_LEN];

    randombytes_buf(secret_bytes, sizeof(secret_bytes));
    (void)sodium_bin2base64(secret_token, ACCESS_TOKEN_SIZE, secret_bytes, sizeof(secret_bytes),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(secret_bytes, sizeof(secret_bytes));
}

void access_token_hash(const char *secret_token, uint8_t hash[static STORAGE_TOKEN_HASH_LEN])
{
    (void)crypto_generichash(hash, STORAGE_TOKEN_HASH_LEN, (const unsigned char *)secret_token, strlen(secret_token),
                             NULL, 0);
}
