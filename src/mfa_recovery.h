/* SPDX-License-Identifier: Apache-2.0
 *
 * Recovery codes: look-up secrets (NIST SP 800-63B-4, 3.1.2) that turn the factor off when the phone is lost. Each is a
 * version 4 UUID (RFC 9562), 122 random bits, so that an unsalted fast hash is enough to keep them.
 */
#ifndef MFA_RECOVERY_H
#define MFA_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "mfa_policy.h"
#include "mfa_ports.h"
#include "mfa_status.h"

/* A UUID with its NUL, and its stored form: "v1:" and 256 bits of BLAKE2b in base64url, with NUL. */
#define MFA_RECOVERY_CODE_SIZE 37
#define MFA_RECOVERY_STORED_SIZE 47

/* A whole set, which is shown once. */
struct mfa_recovery_codes {
    char text_secret[MFA_RECOVERY_CODE_COUNT][MFA_RECOVERY_CODE_SIZE];
};

/* Draws a whole set. Returns MFA_OK; MFA_ERR_INTERNAL: no randomness, `*out_secret` is zeroed. */
MFA_MUST_CHECK enum mfa_status mfa_recovery_draw(const struct mfa_host_port *host,
                                                 struct mfa_recovery_codes *out_secret);

/* Reads a code as a person may type it: upper case and surrounding spaces are forgiven, nothing else.
 * Returns MFA_OK with the code in lower case; MFA_ERR_SYNTAX: not the shape of a recovery code, the array is zeroed. */
MFA_MUST_CHECK enum mfa_status mfa_recovery_parse(char code_secret[static MFA_RECOVERY_CODE_SIZE], const char *text,
                                                  size_t len);

/* Turns a code, as parse gives it, into the form in which it is kept. */
void mfa_recovery_hash(const char *code_secret, char stored[static MFA_RECOVERY_STORED_SIZE]);

/* As parse and hash, for what a client sent: `stored` of what cannot be a recovery code matches nothing. */
void mfa_recovery_hash_typed(const char *text, size_t len, char stored[static MFA_RECOVERY_STORED_SIZE]);

/* True for the stored form of this version. */
bool mfa_recovery_is_hashed(const char *stored);

/* True when `stored`, one entry of a profile, is the code whose stored form is `presented`. Profiles written by other
 * software hold codes in clear; those are hashed for the comparison, which takes the same time for any content. */
bool mfa_recovery_matches(const char *stored, const char presented[static MFA_RECOVERY_STORED_SIZE]);

#endif
