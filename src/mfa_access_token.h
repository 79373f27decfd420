/* SPDX-License-Identifier: Apache-2.0
 *
 * Access tokens of OAuth 2.0's client credentials grant (RFC 6749, 4.4): fetched when one is needed, kept until shortly
 * before they expire, and fetched once for all who wait for it.
 */
#ifndef MFA_ACCESS_TOKEN_H
#define MFA_ACCESS_TOKEN_H

#include "mfa_service.h"

/* Receives the token, NUL-terminated and borrowed until return, and its number; NULL when there is none to be had, and
 * `answer` is what came instead; NULL: nobody was asked, for lack of room. On the caller's thread or the gateway's, without
 * a lock. */
typedef void mfa_token_ready_fn(void *arg, const char *token_secret, uint64_t number,
                                const struct mfa_gateway_answer *answer);

/* Owned by the caller until `ready` has been called. */
struct mfa_token_waiter {
    struct mfa_token_waiter *next;
    mfa_token_ready_fn *ready;
    void *arg;
};

/* Calls `waiter->ready`, exactly once, now or later. A request for a token is over in `timeout_ms` at most. */
void mfa_access_token_get(struct mfa_services *services, struct mfa_service *service, struct mfa_token_waiter *waiter,
                          uint32_t timeout_ms);

/* Forgets the token of that number, which the service has refused. */
void mfa_access_token_refuse(struct mfa_services *services, struct mfa_service *service, uint64_t number);

#endif
