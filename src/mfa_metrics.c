/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_metrics.h"

#include <string.h>

#define EVENT_PREFIX "mfa."

const char *const mfa_metrics_flows[] = {"login",   "activate", "confirm", "challenge",      "verify", "deactivate",
                                         "recover", "status",   "reset",   "recovery-codes", "other",  NULL};

#define OTHER (sizeof mfa_metrics_flows / sizeof mfa_metrics_flows[0] - 2)

uint32_t mfa_metrics_flow(const char *event)
{
    uint32_t place = 0;

    if (strncmp(event, EVENT_PREFIX, strlen(EVENT_PREFIX)) != 0)
        return OTHER;
    while (place < OTHER && strcmp(mfa_metrics_flows[place], event + strlen(EVENT_PREFIX)) != 0)
        place++;
    return place;
}
