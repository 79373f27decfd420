/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets in the configuration: `${env:NAME}` and `${file:/path}` in a text, and `${param:name}` in a preset's, are
 * replaced with what they name, once, when the configuration is read.
 */
#ifndef MFA_EXPAND_H
#define MFA_EXPAND_H

#include "mfa_buffer.h"
#include "mfa_status.h"

/* Most bytes of one file. A line end at its end is not part of the secret. */
#define MFA_EXPAND_FILE_MAX_LEN 65536

#define MFA_EXPAND_PROBLEM_SIZE 384

/* Gives the value of a preset's parameter: NUL-terminated, borrowed; NULL: there is no such parameter. */
typedef const char *mfa_expand_parameter_fn(void *ctx, const char *name);

struct mfa_expand_parameters {
    mfa_expand_parameter_fn *find; /* NULL: `${param:}` is not known here */
    void *ctx;
};

/* Appends `text` (NUL-terminated) with everything replaced; `${` without one of the sources' names and a colon behind it
 * is plain text. What was put in is not looked at again.
 * Returns MFA_OK; MFA_ERR_SYNTAX: a source is unknown, missing, empty or unreadable, and `problem` says which one and what
 * to do, fit to follow "key (file:line): ", without its value; MFA_ERR_TOO_LARGE; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_expand(struct mfa_buffer *out, const char *text,
                                          const struct mfa_expand_parameters *parameters,
                                          char problem[static MFA_EXPAND_PROBLEM_SIZE]);

#endif
