/* SPDX-License-Identifier: Apache-2.0
 *
 * An exchange: one call to the communication service from the first request to the verdict, with the access token it may
 * need, and the fallbacks that are tried when a message certainly was not sent.
 */
#ifndef MFA_EXCHANGE_H
#define MFA_EXCHANGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_access_token.h"
#include "mfa_service.h"
#include "mfa_template.h"
#include "mfa_verdict.h"

/* Receives what came of it, exactly once. The finding is the callee's to clear. On the gateway's thread, which it must not
 * keep waiting, or before mfa_exchange_begin returns. */
typedef void mfa_exchange_done_fn(void *arg, struct mfa_finding *finding);

/* Lives at one place from mfa_exchange_begin until `done` is called. The members down to `arg` are the caller's to fill in. */
struct mfa_exchange {
    struct mfa_services *services;
    enum mfa_call call;
    const struct mfa_endpoint *endpoint; /* first the one to begin with, later the one that is being asked */
    struct mfa_variables variables;      /* user data: transferred, released with mfa_json_free; code: borrowed */
    uint64_t deadline_ms;                /* monotonic */
    mfa_exchange_done_fn *done;
    void *arg;
    size_t number;                    /* whose answer it is: 0 is the endpoint to begin with, 1 its first fallback */
    bool was_never_sent;              /* the service certainly knows nothing of it */
    uint64_t asked_ms;                /* monotonic, when the request was ready */
    struct mfa_http_request *request; /* waits for a token */
    struct mfa_token_waiter waiter;
    uint64_t token_number;
    bool has_refreshed; /* the token, for this endpoint */
    bool is_our_own;    /* the failure: for lack of room or time here; it says nothing of the service */
};

/* Sends the first request. The user data are transferred in any case.
 * Returns MFA_OK: `done` is called, and the exchange must not be touched; otherwise nothing was sent and `done` is not
 * called: what mfa_endpoint_render and the gateway's submit return, MFA_ERR_EXPIRED: no time is left, MFA_ERR_INTERNAL. */
MFA_MUST_CHECK enum mfa_status mfa_exchange_begin(struct mfa_exchange *exchange);

#endif
