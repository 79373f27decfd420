/* SPDX-License-Identifier: Apache-2.0
 *
 * encoded.h: what bodies and queries mean, read by other code than the product's.
 */
#ifndef ENCODED_H
#define ENCODED_H

#include <jansson.h>
#include <stddef.h>

enum encoded_kind { ENCODED_NONE, ENCODED_FORM, ENCODED_JSON, ENCODED_XML, ENCODED_TEXT };

/* What a body is, by its content type (NULL: text, unless it is empty). */
enum encoded_kind encoded_kind(const char *content_type, size_t len);

/* The pairs of a form or query: an array of [name, value], decoded, in order and with repetitions; a piece without `=` is
 * [name]. Owned by caller, release with json_decref. */
json_t *decode_pairs(const char *text);

/* The same as an object; of a repeated name the last. */
json_t *decode_form(const char *text);

/* A JSON value with no key twice, or NULL; owned by caller, release with json_decref. */
json_t *decode_json(const char *text, size_t len);

/* The query of a URL, without the question mark; borrowed; empty when there is none. */
const char *query_of(const char *url);

/* The path of an absolute URL; owned by caller, release with free. */
char *path_of(const char *url);

#endif
