/* SPDX-License-Identifier: Apache-2.0
 *
 * access_token.h: the keys clients hold. 24 random bytes as URL-safe base64; the host keeps a BLAKE2b hash of each, which
 * needs no salt for so much randomness.
 */
#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

#include <stdint.h>

#include "storage.h"

#define ACCESS_TOKEN_SIZE 33 /* with the NUL */

void access_token_make(char secret_token[static ACCESS_TOKEN_SIZE]);

/* Hashes what a client presented, of any length. */
void access_token_hash(const char *secret_token, uint8_t hash[static STORAGE_TOKEN_HASH_LEN]);

#endif
