/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_gateway_request.h: how the scripted gateway makes a struct gateway_request out of what libmicrohttpd tells.
 * For harness_gateway.c only.
 */
#ifndef HARNESS_GATEWAY_REQUEST_H
#define HARNESS_GATEWAY_REQUEST_H

#include "harness_gateway.h"

#include <microhttpd.h>
#include <stdbool.h>

/* Returns    a request without body, or NULL when memory is short.
 * Ownership  all copied; the result is owned by caller, release with gateway_request_free. */
struct gateway_request *gateway_request_new(struct MHD_Connection *connection, const char *method, const char *path,
                                            const char *raw_url);

/* Returns false when memory is short. `data` is copied. */
bool gateway_request_append(struct gateway_request *request, const char *data, size_t len);

/* Accepts NULL. */
void gateway_request_free(struct gateway_request *request);

#endif
