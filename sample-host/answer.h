/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.h: the bodies and headers of answers. Every answer carries `meta`, the version of the API and what browsers need
 * to read it (CORS). All functions return a response that is owned by caller, release with MHD_destroy_response, or NULL
 * when there is no memory. Any thread.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <jansson.h>
#include <microhttpd.h>
#include <stddef.h>

#include "core_plugin.h"

#define ANSWER_API_VERSION "2.0.0"
#define ANSWER_SERIAL "2026112401"

/* Errors that are the host's own. Their status, id and message stand in one table in answer.c. */
enum answer_error {
    ANSWER_UNEXPECTED_ERROR,
    ANSWER_UNKNOWN_RESOURCE,
    ANSWER_TOKEN_MISSING,
    ANSWER_TOKEN_UNKNOWN,
    ANSWER_FORBIDDEN,
    ANSWER_PROTECTED_FIELD,
    ANSWER_INVALID_STRUCTURE,
    ANSWER_INVALID_PARAMETERS,
    ANSWER_INVALID_CREDENTIALS,
    ANSWER_OTHER_USERNAME,
    ANSWER_USERNAME_TAKEN,
    ANSWER_BUSY,
    ANSWER_STOPPING,
};

/* The answer to an error; `data` (NULL: none) is transferred. `*status` is set to its HTTP status, in any case. */
struct MHD_Response *answer_error(enum answer_error error, json_t *data, unsigned *status);

/* An answer from a tree, which is transferred; its texts are zeroed. NULL gives NULL. */
struct MHD_Response *answer_json(json_t *object);

/* An answer from the text of one JSON object; other text gives NULL. */
struct MHD_Response *answer_object(struct core_span span);

/* An answer without a body. */
struct MHD_Response *answer_empty(void);

/* An answer to a browser that asks what it may send. */
struct MHD_Response *answer_preflight(void);

/* An answer of another media type; `text` is copied. */
struct MHD_Response *answer_text(const char *media_type, struct core_span text);

#endif
