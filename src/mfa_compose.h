/* SPDX-License-Identifier: Apache-2.0
 *
 * Composes the text of a template from a mapping of the configuration (`query`, `form`, an object as `body`): literal text
 * is encoded as values are, placeholders stay as they are.
 */
#ifndef MFA_COMPOSE_H
#define MFA_COMPOSE_H

#include <jansson.h>

#include "mfa_buffer.h"
#include "mfa_status.h"

enum mfa_pairs {
    MFA_PAIRS_QUERY, /* of a URL: a space is %20 */
    MFA_PAIRS_FORM,  /* application/x-www-form-urlencoded: a space of the literal text is `+` (WHATWG URL, 5.2) */
};

/* Appends `key=value&...` for an object of strings, numbers and booleans.
 * Returns MFA_OK; MFA_ERR_SYNTAX with `*problem` a static phrase fit to follow "key (file:line): "; MFA_ERR_TOO_LARGE;
 * MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_compose_pairs(struct mfa_buffer *out, const json_t *map, enum mfa_pairs pairs,
                                                 const char **problem);

/* Appends the compact text of any JSON value, keys in their order. Returns as mfa_compose_pairs does. */
MFA_MUST_CHECK enum mfa_status mfa_compose_json(struct mfa_buffer *out, const json_t *value, const char **problem);

#endif
