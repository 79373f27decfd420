/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time codes and tokens: drawn, read from what a client sent, and turned into what may be kept.
 */
#ifndef MFA_CODE_H
#define MFA_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_policy.h"
#include "mfa_ports.h"
#include "mfa_status.h"

/* A code with its NUL. */
#define MFA_CODE_SIZE (MFA_CODE_MAX_LEN + 1)

/* An mfaToken: 192 random bits in base64url, with its NUL. */
#define MFA_TOKEN_SIZE 33

/* Draws `length` (4 to 10) decimal digits, each equally likely, leading zeros kept (NIST SP 800-63B-4, 3.1.3.2).
 * Returns MFA_OK; MFA_ERR_INTERNAL: no randomness, `code_secret` is empty. */
MFA_MUST_CHECK enum mfa_status mfa_code_draw(const struct mfa_host_port *host, uint32_t length,
                                             char code_secret[static MFA_CODE_SIZE]);

/* Draws an mfaToken. Returns as mfa_code_draw does. */
MFA_MUST_CHECK enum mfa_status mfa_token_draw(const struct mfa_host_port *host,
                                              char token_secret[static MFA_TOKEN_SIZE]);

/* Reads a code we made: digits, 4 to 10 of them, which people may group with spaces and hyphens ("123 456").
 * Returns MFA_OK with the bare digits; MFA_ERR_SYNTAX: `code_secret` is empty. */
MFA_MUST_CHECK enum mfa_status mfa_code_parse_own(char code_secret[static MFA_CODE_SIZE], const char *text, size_t len);

/* Reads a code that the service made: 4 to 10 ASCII letters or digits, as they are, since only the service knows more.
 * Returns as mfa_code_parse_own does. */
MFA_MUST_CHECK enum mfa_status mfa_code_parse_foreign(char code_secret[static MFA_CODE_SIZE], const char *text,
                                                      size_t len);

#endif
