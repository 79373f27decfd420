/* SPDX-License-Identifier: Apache-2.0
 *
 * structure.h: what of a request no value may change.
 */
#ifndef STRUCTURE_H
#define STRUCTURE_H

#include "harness_gateway.h"

/* Describes a request made to `url` without its values: method, scheme and authority, depth of the path, keys of the query,
 * header lines, and of the body the keys of a form, the keys and types of JSON, the tags of XML, the lines of other text. Two
 * requests with the same description have the same structure. Owned by caller, release with free. */
char *structure_of(const char *url, const struct gateway_request *request);

#endif
