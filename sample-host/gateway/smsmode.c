/* SPDX-License-Identifier: Apache-2.0 */
#include "smsmode.h"

#include <inttypes.h>
#include <stdio.h>

static const char *find_parameter(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    return value && *value ? value : NULL;
}

struct reply smsmode_send(struct MHD_Connection *connection, struct phone *phone, uint32_t *sent)
{
    const char *token = find_parameter(connection, "accessToken");
    const char *message = find_parameter(connection, "message");
    const char *sender = find_parameter(connection, "emetteur");
    const char *number = find_parameter(connection, "numero");
    if (!token || !message || !sender || !number)
        return reply_text(MHD_HTTP_OK, "text/plain", "35 | Missing parameter");
    if (!phone_receive(phone, number, sender, message))
        return reply_text(MHD_HTTP_OK, "text/plain", "31 | Internal error");

    char accepted[48];
    snprintf(accepted, sizeof accepted, "0 | Accepted | sms-%06" PRIu32, ++*sent);
    return reply_text(MHD_HTTP_OK, "text/plain", accepted);
}
