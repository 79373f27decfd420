/* SPDX-License-Identifier: Apache-2.0
 *
 * resident.h: the sample host in the benchmark's own process, with the built plugin in it, not listening. Whatever goes
 * wrong ends the program.
 */
#ifndef RESIDENT_H
#define RESIDENT_H

#include <stdbool.h>

#include "host.h"
#include "storage.h"

/* The lines of `services.mfa`, indented by four: the configuration guide's example for `single`. */
#define RESIDENT_SINGLE                                                                                                \
    "    mode: single\n"                                                                                               \
    "    sms:\n"                                                                                                       \
    "      endpoints:\n"                                                                                               \
    "        single:\n"                                                                                                \
    "          url: 'https://api.smsmode.com/http/1.6/sendSMS.do?accessToken=your-api-key&message={{ message }}"       \
    "&emetteur=Pryv%20Lab&numero={{ number }}'\n"                                                                      \
    "          method: 'GET'\n"

struct resident {
    struct host host;
    char folder[64]; /* of its own, with the configuration and the data */
};

/* Starts it with these lines; NULL: without a plugin and its section. $BUILD says where the plugin is. */
void resident_start(struct resident *resident, const char *mfa_yaml);

void resident_stop(struct resident *resident);

#endif
