/* SPDX-License-Identifier: Apache-2.0
 *
 * smsmode.h: GET /http/1.6/sendSMS.do as smsmode answers it: always 200 with `<status> | <text>`, failures too.
 */
#ifndef SMSMODE_H
#define SMSMODE_H

#include "phone.h"
#include "reply.h"

#include <stdint.h>

/* Sends the message of the query (accessToken, message, emetteur, numero) to the phone. `*sent` counts the accepted ones
 * and numbers them. */
struct reply smsmode_send(struct MHD_Connection *connection, struct phone *phone, uint32_t *sent);

#endif
