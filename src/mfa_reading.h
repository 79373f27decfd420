/* SPDX-License-Identifier: Apache-2.0
 *
 * An answer of the communication service while it is judged: its body is read as JSON when that is first asked for, and at
 * most once. Belongs to one thread.
 */
#ifndef MFA_READING_H
#define MFA_READING_H

#include <jansson.h>
#include <stdbool.h>

#include "mfa_pointer.h"
#include "mfa_ports.h"
#include "mfa_status.h"
#include "mfa_template.h"

struct mfa_reading {
    const struct mfa_gateway_answer *answer; /* borrowed */
    const struct mfa_variables *variables;   /* of the request that is answered; borrowed */
    json_t *json_secret;                     /* NULL: not read yet, or no JSON */
    bool is_read;
};

/* Reads the body, which may be any JSON value; repeated keys, NULs and reals beyond a double are not JSON.
 * Returns MFA_OK with `*out` borrowed from the reading, or NULL: it is not JSON; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_reading_json(struct mfa_reading *reading, const json_t **out);

/* Finds a place of that JSON.
 * Returns MFA_OK with `*found` borrowed from the reading, or NULL: there is no such place; MFA_ERR_MEMORY; or what
 * mfa_pointer_find does. */
MFA_MUST_CHECK enum mfa_status mfa_reading_find(struct mfa_reading *reading, const struct mfa_pointer *pointer,
                                                const json_t **found);

/* True when the body is empty or nothing but JSON's white space. */
bool mfa_reading_is_blank(const struct mfa_reading *reading);

/* Wipes and frees the JSON. */
void mfa_reading_clear(struct mfa_reading *reading);

#endif
