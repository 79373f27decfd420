/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_places.h: where in a request or an answer secrets stand, by the names beside them. The texts may be templates,
 * and need not be well-formed.
 */
#ifndef SECRET_PLACES_H
#define SECRET_PLACES_H

#include <stdbool.h>
#include <stddef.h>

/* Takes a secret as it stands there, encoded; borrowed until return. */
typedef void secret_place_fn(void *ctx, const char *value, size_t len);

/* User and password before the host, and members of the query. */
void secret_places_in_url(const char *url, size_t len, secret_place_fn *found, void *ctx);

/* Members of JSON, elements of XML, or else of a form. */
void secret_places_in_body(const char *body, size_t len, secret_place_fn *found, void *ctx);

/* True of Authorization and whatever is named like it. */
bool secret_places_is_header(const char *name);

/* How many bytes of such a header's value are no secret: "Bearer ". */
size_t secret_places_scheme_len(const char *value);

#endif
