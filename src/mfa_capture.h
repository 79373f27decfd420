/* SPDX-License-Identifier: Apache-2.0
 *
 * Captures: values of an answer that are kept as variables of later requests, as the id by which the service knows the
 * message.
 */
#ifndef MFA_CAPTURE_H
#define MFA_CAPTURE_H

#include <jansson.h>

#include "mfa_pointer.h"
#include "mfa_status.h"

/* Longest value. */
#define MFA_CAPTURE_MAX_LEN 256

struct mfa_reading; /* mfa_reading.h */

struct mfa_capture {
    char *name;
    struct mfa_pointer *pointer; /* NULL: from the header */
    char *header;                /* NULL: from the body */
};

/* Frees what the capture owns and zeroes it. Accepts a zeroed struct. */
void mfa_capture_clear(struct mfa_capture *capture);

/* Takes the value out of an answer: a string, an integer or a boolean, whose text is [A-Za-z0-9._~:+=/@-]{1,256}, so that it
 * can do no harm wherever it is put later.
 * Returns MFA_OK with `*out`, a string, owned by the caller, released with mfa_json_free; MFA_ERR_NOT_FOUND: it is not
 * there, or more than once among the headers; MFA_ERR_REFUSED: it is something else; MFA_ERR_INTERNAL: the pointer cannot
 * be rendered; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_capture_take(const struct mfa_capture *capture, struct mfa_reading *reading,
                                                json_t **out);

#endif
