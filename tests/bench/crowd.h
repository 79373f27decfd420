/* SPDX-License-Identifier: Apache-2.0
 *
 * crowd.h: a table of pending logins for the benchmark, each of another user and with data of the usual size.
 */
#ifndef CROWD_H
#define CROWD_H

#include <stddef.h>
#include <stdint.h>

#include "mfa_sessions.h"

#define CROWD_TOKEN_SIZE 33
#define CROWD_USER_SIZE 33

/* One login: its user id, 32 hexadecimal digits as the sample host's, and its token. */
struct crowd_login {
    char user_id[CROWD_USER_SIZE];
    char token[CROWD_TOKEN_SIZE];
};

/* Bytes that a session is given to remember: user data of the configuration guide, a grant of the sample host's size, the
 * user id. */
size_t crowd_data_len(void);

/* A table with the default policy, but for at most `max_pending` sessions. Released with mfa_sessions_free. */
struct mfa_sessions *crowd_table(uint32_t max_pending);

/* Names login number `i`; each is another. */
void crowd_name(uint64_t i, struct crowd_login *login);

/* `login` is borrowed as long as the reference is used. */
struct mfa_session_ref crowd_ref(const struct mfa_sessions *sessions, const struct crowd_login *login);

/* Opens its session at `now_ms`; ends the program if that fails. */
void crowd_open(struct mfa_sessions *sessions, uint64_t now_ms, const struct mfa_session_ref *ref);

#endif
