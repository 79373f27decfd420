/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_stage.h: a gateway and a host that talks to it, as most tests need them, and what users do on it in mode
 * `single`. Everything asserts with cmocka what it promises.
 *
 *     static int open_stage(void **state) { return stage_open_for_group(state, config_single, NULL); }
 *     ...
 *     cmocka_unit_test(host_ends_in_good_order), the last of the group
 */
#ifndef HARNESS_STAGE_H
#define HARNESS_STAGE_H

#include "harness.h"

struct stage {
    struct gateway *gateway;
    struct host *host;
};

/* A login that waits for its code. */
struct pending_login {
    char *mfa_token;
    char code[GATEWAY_CODE_MAX + 1];
};

typedef char *config_fn(const char *gateway_url, const char *more);

/* Starts both, the host with `config` of the gateway's address and `more`. Closed with stage_close. */
void stage_open(struct stage *stage, config_fn *config, const char *more);

/* Ends both; the host must end as host_stop promises. */
void stage_close(struct stage *stage);

/* As stage_open, for a group's setup; `*state` is a struct stage then. */
int stage_open_for_group(void **state, config_fn *config, const char *more);

/* The last test of a group: closes `*state`. It is a test because cmocka passes a group whose teardown fails. */
void host_ends_in_good_order(void **state);

const char *stage_url(const struct stage *stage);

/* user_enrol without the recovery codes. */
void stage_enrol(struct stage *stage, const char *username);

/* Registers and logs in; owned by caller, release with free. */
char *stage_register(struct stage *stage, const char *username);

/* Logs an enrolled user in up to the code; release with pending_login_clear. */
struct pending_login stage_login(struct stage *stage, const char *username);
void pending_login_clear(struct pending_login *login);

/* Makes a wrong code of the right length out of a right one, another for each `more` below 100. */
void code_spoil(char code[static GATEWAY_CODE_MAX + 1], unsigned more);

/* POST /{username}/mfa/{step} with `{"code": code}`; release with http_answer_clear. */
struct http_answer stage_send_code(struct stage *stage, const char *username, const char *step, const char *mfa_token,
                                   const char *code);

/* Whether GET /{username}/mfa says active. */
bool stage_is_active(struct stage *stage, const char *username, const char *token);

#endif
