/* SPDX-License-Identifier: Apache-2.0
 *
 * login_chain.h: what happens between a right password and an access token. Each plugin with a login hook is asked in
 * turn, and all must agree. One that challenges ends the request; when it later releases the grant it was given, the chain
 * goes on behind it, now for the request that released. The access token is made at the end of the chain and not before.
 */
#ifndef LOGIN_CHAIN_H
#define LOGIN_CHAIN_H

#include "exchange.h"
#include "grants.h"

struct login {
    struct grant grant; /* whose login, for which application, and the position of the plugin asked last */
    struct core_login input;
    unsigned char secret_grant[CORE_GRANT_MAX];
};

/* Makes `exchange->login` for its user, before the first plugin. CORE_ERR_MEMORY. */
core_status login_start(struct exchange *exchange, const char *app_id) __attribute__((warn_unused_result));

/* Zeroes and frees. Accepts NULL. */
void login_free(struct login *login);

/* Steps, to be run on a thread that may wait for storage: the password was right, ask the first plugin; */
void login_chain_begin(struct exchange *exchange);

/* the plugin asked last agreed, ask the next one or finish; */
void login_chain_next(struct exchange *exchange);

/* a route of a plugin completed with CORE_RELEASE, which is `exchange->result`. */
void login_chain_release(struct exchange *exchange);

#endif
