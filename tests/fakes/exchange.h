/* SPDX-License-Identifier: Apache-2.0
 *
 * One request through a gateway port, and what came of it.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_policy.h"
#include "mfa_ports.h"

/* The header that is looked for in every answer. */
#define EXCHANGE_HEADER "X-Request-Id"

struct exchange {
    atomic_uint done_count;
    enum mfa_delivery delivery;
    int http_status;
    char body[MFA_GATEWAY_ANSWER_MAX_LEN + 1];
    size_t body_len;
    uint32_t retry_after_s;
    char reason[128];
    bool was_never_sent;
    bool has_header;
    char header[128];
    sigset_t signal_mask; /* of the thread that told */
    sem_t done;
};

/* Makes a request with time-outs of 10 s, or of `timeout_ms` if that is not 0. `body` and `header` may be NULL. */
struct mfa_http_request *exchange_request(enum mfa_http_method method, const char *url, const char *body,
                                          const char *header, uint32_t timeout_ms);

/* Submits `request`, frees it when it is refused, and returns what the port returned. */
enum mfa_status exchange_start(struct exchange *exchange, const struct mfa_gateway_port *port,
                               struct mfa_http_request *request);

/* Waits until `done` was called; fails the test when that takes a minute. */
void exchange_wait(struct exchange *exchange);

/* A whole GET of `url`. */
void exchange_get(struct exchange *exchange, const struct mfa_gateway_port *port, const char *url, uint32_t timeout_ms);

#endif
