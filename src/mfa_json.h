/* SPDX-License-Identifier: Apache-2.0
 *
 * What jansson does not do: read when memory is short, refuse deep documents, and leave no secret behind on the heap.
 */
#ifndef MFA_JSON_H
#define MFA_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "mfa_buffer.h"
#include "mfa_status.h"

/* As deep as any document may be, where nothing less is said. */
#define MFA_JSON_MAX_DEPTH 2048

/* An integer beyond 64 bits becomes the real nearest to it, instead of being no JSON. */
#define MFA_JSON_LARGE_AS_REAL JSON_DECODE_INT_AS_REAL

/* Reads one JSON value (RFC 8259, UTF-8, no NUL in a key), at most `max_depth` levels deep; `flags` are jansson's
 * JSON_REJECT_DUPLICATES and JSON_ALLOW_NUL, and MFA_JSON_LARGE_AS_REAL. Not by jansson's own reader: where its buffer cannot
 * grow it leaves out the byte for which there is no room, so that a number or a text is read as another one, and when that is
 * the closing quotation mark it runs past the end of the buffer.
 * Returns MFA_OK and `*out` owned by the caller, released with mfa_json_free; MFA_ERR_SYNTAX: not that; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_json_read(json_t **out, const char *text, size_t len, size_t max_depth,
                                             size_t flags);

/* Reads one JSON object, at most `max_depth` levels deep (the object itself is the first), without duplicate keys.
 * Returns MFA_OK and `*out` owned by the caller, released with mfa_json_free; MFA_ERR_SYNTAX: not that; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_json_parse_object(json_t **out, const char *text, size_t len, size_t max_depth);

/* Likewise of what a client sent, where a string's value may hold NULs: whoever reads one goes by its length. */
MFA_MUST_CHECK enum mfa_status mfa_json_parse_request(json_t **out, const char *text, size_t len, size_t max_depth);

/* Reads what a service answered: any JSON value without duplicate keys, at most `max_depth` levels deep. A byte order mark in
 * front is passed over, as RFC 8259, 8.1, lets a reader do, and integers are read as with MFA_JSON_LARGE_AS_REAL.
 * Returns as mfa_json_read does. */
MFA_MUST_CHECK enum mfa_status mfa_json_parse_answer(json_t **out, const char *text, size_t len, size_t max_depth);

/* Appends the compact text of a value, keys in order of insertion. Returns MFA_OK, MFA_ERR_TOO_LARGE or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_json_encode(const json_t *value, struct mfa_buffer *out);

/* Wipes and removes a member, if it is there. */
void mfa_json_delete_secret(json_t *object, const char *key);

/* Wipes every string in a value and drops the reference, which must be the last. Accepts NULL. */
void mfa_json_free(json_t *value);

#endif
