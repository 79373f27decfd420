/* SPDX-License-Identifier: Apache-2.0
 *
 * harness.h: all an integration test needs: the host as a process (harness_host.h), an HTTP client (harness_http.h), a
 * scripted communication service (harness_gateway.h), and here the customer's configurations and the common ways of a
 * user. Everything asserts with cmocka what it promises.
 *
 *     struct gateway *gateway = gateway_start();
 *     char *yaml = config_single(gateway_url(gateway), NULL);
 *     struct host *host = host_new(yaml, NULL, NULL);
 *     host_start(host);
 *     json_t *recovery_codes = user_enrol(host_url(host), gateway, "julia", NULL);
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../sample-host/gateway/hold.h"
#include "harness_gateway.h"
#include "harness_host.h"
#include "harness_http.h"

#define ADMIN_KEY "an-administrators-key-for-tests"
#define USER_PASSWORD "correct horse battery staple"
#define USER_NUMBER "41791231212"

/* The user data of the configuration guide for `single`, to the letter. They work for both configurations below. */
#define USER_DATA_SINGLE                                                                                               \
    "{\"number\": \"41791231212\", \"message\": \"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\"}"

/* The configuration guide's examples to the letter, but for scheme and authority of their URLs, and without send limits, in a whole file for the
 * host with the cheap password hash.
 * `more`  further lines of `services.mfa`, already indented by four, such as "    sessions:\n      ttlSeconds: 1\n"; or NULL
 * Ownership  the result is owned by caller, release with free. */
char *config_single(const char *gateway_url, const char *more);
char *config_challenge_verify(const char *gateway_url, const char *more);

/* `more` for tests that fail more often than accounts are let without a delay. */
#define NO_BACKOFF "    attempts:\n      backoff:\n        baseSeconds: 0\n"

/* A whole file for the host with `mfa`, the lines of `services.mfa`, indented by four. Owned by caller, release with
 * free. */
char *config_with(const char *mfa);

/* Raises the limit of open files as far as it goes. */
void allow_many_descriptors(void);

/* Registers a user with USER_PASSWORD. */
void user_register(const char *host_url, const char *username);

/* Logs in with USER_PASSWORD and gives the answer, whatever it is; release with http_answer_clear. */
struct http_answer user_login_answer(const char *host_url, const char *username);

/* Logs in. Returns the personal token, or the mfaToken, which must be the only thing in the answer. Owned by caller,
 * release with free. */
char *user_login(const char *host_url, const char *username);
char *user_login_mfa(const char *host_url, const char *username);

/* POST /{username}/mfa/{step} with a token and a body (transferred, may be NULL); release with http_answer_clear. */
struct http_answer user_mfa(const char *host_url, const char *username, const char *step, const char *token,
                            json_t *body);

/* The body of a login with USER_PASSWORD; owned by caller, to be transferred. */
json_t *login_body(const char *username);

/* {"code": code}; owned by caller, to be transferred. */
json_t *code_body(const char *code);

/* Activates with `data` (JSON text; NULL: USER_DATA_SINGLE). Returns the mfaToken; owned by caller, release with free. */
char *user_activate(const char *host_url, const char *username, const char *token, const char *data);

/* Confirms. Returns the ten recovery codes, an array; owned by caller, release with json_decref. */
json_t *user_confirm(const char *host_url, const char *username, const char *mfa_token, const char *code);

/* Verifies. Returns the released personal token; owned by caller, release with free. */
char *user_verify(const char *host_url, const char *username, const char *mfa_token, const char *code);

/* Registers, logs in, activates and confirms with the code of the gateway's last message, in mode `single`. Returns the
 * recovery codes as above. */
json_t *user_enrol(const char *host_url, struct gateway *gateway, const char *username, const char *data);

#endif
