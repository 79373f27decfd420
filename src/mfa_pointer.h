/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON pointers (RFC 6901): where in a document a value stands. A pointer is a template as well, in which each value stays
 * one token: `/messages/{{ id }}/status`. A parsed pointer is constant: any number of threads may follow it at once.
 */
#ifndef MFA_POINTER_H
#define MFA_POINTER_H

#include <jansson.h>

#include "mfa_status.h"
#include "mfa_template.h"

struct mfa_pointer;

/* Parses `text` (NUL-terminated, borrowed until return): "" for the whole document, or tokens with a "/" before each.
 * On success `*out` is owned by the caller, released with mfa_pointer_free.
 * Returns what mfa_template_parse does, `*problem` included. */
MFA_MUST_CHECK enum mfa_status mfa_pointer_parse(struct mfa_pointer **out, const char *text, const char **problem);

/* Accepts NULL. */
void mfa_pointer_free(struct mfa_pointer *pointer);

/* Finds what the pointer points to: members of objects by name, items of arrays by their number from 0, plain digits without
 * leading zeros. Allocates only for a pointer with placeholders.
 * Returns MFA_OK with `*found` borrowed from the document, or NULL: there is no such thing; else what mfa_template_render
 * does, and NULL. */
MFA_MUST_CHECK enum mfa_status mfa_pointer_find(const struct mfa_pointer *pointer, const json_t *document,
                                                const struct mfa_variables *variables, const json_t **found);

/* The pointer as it was written; borrowed. */
const char *mfa_pointer_text(const struct mfa_pointer *pointer);

/* As mfa_template_variable. */
const char *mfa_pointer_variable(const struct mfa_pointer *pointer, size_t i);

#endif
