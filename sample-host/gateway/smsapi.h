/* SPDX-License-Identifier: Apache-2.0
 *
 * smsapi.h: POST /mfa/codes and POST /mfa/codes/verifications as smsapi answers them.
 */
#ifndef SMSAPI_H
#define SMSAPI_H

#include "codes.h"
#include "phone.h"
#include "reply.h"

/* {"phone_number"}: draws a code and sends it to the phone. 201 with {"id", "code", "phone_number", "from"} (the real
 * service does return the code, so a client must not log the answer); 400 malformed, 401 without authorization.
 * `body` is NULL when it was not JSON; borrowed until return. */
struct reply smsapi_create_code(struct MHD_Connection *connection, const json_t *body, struct codes *codes,
                                struct phone *phone);

/* {"phone_number", "code"}: 204 right, 404 wrong, 408 expired, 400 malformed, 401 without authorization. */
struct reply smsapi_verify_code(struct MHD_Connection *connection, const json_t *body, struct codes *codes);

#endif
