/* SPDX-License-Identifier: Apache-2.0
 *
 * request_body.h: JSON bodies of the host's own routes, and the messages about what is wrong with them.
 */
#ifndef REQUEST_BODY_H
#define REQUEST_BODY_H

#include <jansson.h>

#include "exchange.h"

#define REQUEST_BODY_DEPTH_MAX 32

/* The body as an object, owned by caller, release with json_tree_free, for it may hold a password; NULL: it is none, and the exchange has been
 * answered. */
json_t *request_body_parse(struct exchange *exchange);

/* A text member of 1 to `len_max` bytes, none of them NUL, borrowed from `body`. NULL: it is missing or malformed, which
 * is then noted in `problems`, an array for the `data` of the error. */
const char *request_body_text(const json_t *body, const char *key, size_t len_max, json_t *problems);

/* The same, but a member that is missing or null is NULL and no problem. */
const char *request_body_optional_text(const json_t *body, const char *key, size_t len_max, json_t *problems);

/* Notes a problem with a member. */
void request_body_note(json_t *problems, const char *key, const char *message);

#endif
