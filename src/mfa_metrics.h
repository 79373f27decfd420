/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: what is counted for the operator. The sets of labels are closed: no user, no address, nothing that a client chose.
 */
#ifndef MFA_METRICS_H
#define MFA_METRICS_H

#include <stddef.h>
#include <stdint.h>

enum mfa_metric {
    MFA_METRIC_REQUESTS,     /* by flow and outcome */
    MFA_METRIC_CHALLENGES,   /* by host and verdict */
    MFA_METRIC_GATEWAY_TIME, /* by host and call, in milliseconds */
    MFA_METRIC_IN_FLIGHT,    /* calls to the service that are not over */
    MFA_METRIC_PENDING,      /* sessions */
    MFA_METRIC_COUNT,
};

/* Where numbers go. A zeroed port stands for a host that wants none. */
struct mfa_metrics_port {
    void *ctx;
    const char *const *hosts; /* that have a place, ends with NULL; the last is for all others; NULL: none has one */

    /* Records a number with the places of its labels' values. Never waits. [any thread] */
    void (*record)(void *ctx, enum mfa_metric metric, uint32_t first, uint32_t second, int64_t number);
};

static inline void mfa_metrics_record(const struct mfa_metrics_port *port, enum mfa_metric metric, uint32_t first,
                                      uint32_t second, int64_t number)
{
    if (port->record != NULL)
        port->record(port->ctx, metric, first, second, number);
}

/* The names of flows, as label values; ends with NULL. The last is for any other. */
extern const char *const mfa_metrics_flows[];

/* The place of a flow by the name of its event, "mfa.verify". */
uint32_t mfa_metrics_flow(const char *event);

#endif
