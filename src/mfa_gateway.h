/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway: carries requests to the operator's communication service with libcurl. One thread drives every transfer
 * (libcurl's multi interface), so thousands can be in flight; connections are kept and reused.
 *
 * Rules: each request is sent at most once, no redirect is followed, certificates are checked, TLS is 1.2 or newer, http
 * and https only, at most MFA_GATEWAY_ANSWER_MAX_LEN bytes of answer. A transfer's time-out counts from its submission, the
 * wait for a free connection included. Proxies are taken from the environment as curl takes them (https_proxy, no_proxy,
 * ...), for loopback addresses too unless no_proxy names them.
 */
#ifndef MFA_GATEWAY_H
#define MFA_GATEWAY_H

#include <stdint.h>

#include "mfa_ports.h"
#include "mfa_status.h"

struct mfa_gateway;

struct mfa_gateway_limits {
    uint32_t max_in_flight; /* transfers, waiting or running; past it submit answers MFA_ERR_FULL */
    uint32_t max_per_host;  /* connections to one host; 0: no limit. Transfers past it wait for one to be free */
};

/* Starts the gateway and its thread. `*out` is owned by the caller, released with mfa_gateway_free.
 * Returns MFA_OK, MFA_ERR_MEMORY or MFA_ERR_INTERNAL (the thread could not be started, or libcurl cannot do what is needed:
 * TLS, name resolution in the background, and initialisation from any thread). */
MFA_MUST_CHECK enum mfa_status mfa_gateway_new(struct mfa_gateway **out, const struct mfa_gateway_limits *limits);

/* Goes by other limits from now on. What is under way goes on. [any thread] */
void mfa_gateway_set_limits(struct mfa_gateway *gateway, const struct mfa_gateway_limits *limits);

/* The port the flows use; valid until the gateway is freed. */
struct mfa_gateway_port mfa_gateway_port(struct mfa_gateway *gateway);

/* Refuses new requests, ends those in flight with MFA_DELIVERY_STOPPED, and joins the thread, without waiting for the
 * network. Every `done` has returned when this returns. Not to be called from a `done`. A second call does nothing. */
void mfa_gateway_stop(struct mfa_gateway *gateway);

/* Stops if need be, and frees. Accepts NULL. */
void mfa_gateway_free(struct mfa_gateway *gateway);

#endif
