/* SPDX-License-Identifier: Apache-2.0
 *
 * A service: an endpoint, and what is remembered about it from one request to the next, which is whether it is down and
 * the access token it wants.
 */
#ifndef MFA_SERVICE_H
#define MFA_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mfa_endpoint.h"
#include "mfa_ports.h"
#include "mfa_status.h"

/* That many failures in a row and a service with a fallback is passed over for that long, then tried once. */
#define MFA_SERVICE_FAILURES_TO_DOWN 5
#define MFA_SERVICE_DOWN_MS 30000

struct mfa_token_waiter; /* mfa_access_token.h */

struct mfa_service {
    const struct mfa_endpoint *endpoint; /* borrowed */
    uint32_t host_place;                 /* of its host, among the labels of metrics */
    uint32_t failures;                   /* in a row */
    uint64_t next_trial_ms;              /* when it is down: monotonic */
    char *token_secret;                  /* NULL: none is known */
    uint64_t token_expires_ms;           /* monotonic */
    uint64_t token_number;               /* tells a token from the one before */
    bool is_fetching_token;
    struct mfa_token_waiter *waiters;
};

/* All services of a configuration. */
struct mfa_services {
    const struct mfa_host_port *host; /* borrowed */
    struct mfa_gateway_port gateway;
    pthread_mutex_t mutex; /* guards all of the services but their endpoints; none is taken inside it */
    struct mfa_service *list;
    size_t count;
    atomic_size_t *in_flight; /* exchanges that are not over, of all services there are; borrowed */
};

/* Makes a service of each of `endpoints` (`endpoint_count` chains, NULLs ignored) and of their fallbacks. The endpoints, `host`
 * and `in_flight` are borrowed until mfa_services_free.
 * Returns MFA_OK with `*out` owned by the caller, released with mfa_services_free; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_services_new(struct mfa_services **out, const struct mfa_host_port *host,
                                                const struct mfa_gateway_port *gateway, atomic_size_t *in_flight,
                                                const struct mfa_endpoint *const endpoints[], size_t endpoint_count);

/* Wipes and frees. To be called when no exchange is under way. Accepts NULL. */
void mfa_services_free(struct mfa_services *services);

/* The service of an endpoint; never NULL. */
struct mfa_service *mfa_services_find(struct mfa_services *services, const struct mfa_endpoint *endpoint);

/* True when a service is to be tried at `now_ms`: it is up, or it is time for a trial, which the caller then makes. */
bool mfa_service_is_worth_trying(struct mfa_services *services, struct mfa_service *service, uint64_t now_ms);

/* Remembers how a request went. */
void mfa_service_note(struct mfa_services *services, struct mfa_service *service, bool has_failed, uint64_t now_ms);

#endif
