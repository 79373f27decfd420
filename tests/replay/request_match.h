/* SPDX-License-Identifier: Apache-2.0
 *
 * request_match.h: whether a request is the one that was recorded.
 */
#ifndef REQUEST_MATCH_H
#define REQUEST_MATCH_H

#include <jansson.h>

#include "harness_gateway.h"

/* Asserts that the request, made to `url`, is `expected` (a recorded `expectRequest`): the URL and what is no form or JSON
 * to the byte; no header besides those of any HTTP client. */
void assert_request_matches(const char *url, const struct gateway_request *request, const json_t *expected);

/* Asserts that it means what was written down by hand (a recorded `decoded`; NULL: nothing was). */
void assert_request_means(const char *url, const struct gateway_request *request, const json_t *decoded);

#endif
