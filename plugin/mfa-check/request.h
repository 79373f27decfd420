/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h: a request as the gateway sends it.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <jansson.h>

#include "mfa_endpoint.h"
#include "secrets.h"

/* Adds the secrets of a request to those that are known. */
void request_add_secrets(struct secrets *secrets, const struct mfa_http_request *request);

/* {"method", "url", "headers": [{"name", "value"}], "body", "aws4": {"provider", "user", "password"}}, without secrets,
 * and the last two only where there are any; owned by caller. */
json_t *request_json(const struct secrets *secrets, const struct mfa_http_request *request);

/* A line for the shell that sends it, of what request_json returns; owned by caller, release with free. */
char *request_curl(const json_t *request);

#endif
