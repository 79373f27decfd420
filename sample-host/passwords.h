/* SPDX-License-Identifier: Apache-2.0
 *
 * passwords.h: hashing and checking of passwords (Argon2id, libsodium's), on threads of their own: a check takes much
 * processor and memory, and the listener's threads must not wait for it.
 */
#ifndef PASSWORDS_H
#define PASSWORDS_H

#include "core_plugin.h"
#include "storage.h"
#include "workers.h"

#define PASSWORDS_LEN_MAX 1024 /* bytes */

enum passwords_cost {
    PASSWORDS_INTERACTIVE, /* libsodium's "interactive" limits */
    PASSWORDS_MINIMUM,     /* the least libsodium accepts: for tests and benchmarks only */
};

struct passwords;

/* Returns NULL when threads or memory are not to be had. `storage` must outlive the result; owned by caller, release
 * with passwords_free. */
struct passwords *passwords_new(struct storage *storage, enum passwords_cost cost);

/* Runs what still waits. Accepts NULL. */
void passwords_free(struct passwords *passwords);

/* Queues a job that will hash or check on one of the password threads; false: too many wait. Any thread. */
bool passwords_submit(struct passwords *passwords, struct job *job) __attribute__((warn_unused_result));

/* Makes the hash to store, at full cost. Any thread, but meant for a job. */
core_status passwords_hash(struct passwords *passwords, struct core_span password,
                           char secret_hash[static crypto_pwhash_STRBYTES]) __attribute__((warn_unused_result));

/* Checks at full cost, also for a user who does not exist: CORE_OK, CORE_ERR_DENIED, CORE_ERR_NOT_FOUND (no such user) or
 * another failure, after which nothing is known. Any thread, but meant for a job. */
core_status passwords_check(struct passwords *passwords, struct core_span user_id, struct core_span password)
    __attribute__((warn_unused_result));

/* The same on a thread that is not one of the password threads: CORE_ERR_BUSY when too many of those check already. */
core_status passwords_check_here(struct passwords *passwords, struct core_span user_id, struct core_span password)
    __attribute__((warn_unused_result));

#endif
