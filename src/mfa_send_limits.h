/* SPDX-License-Identifier: Apache-2.0
 *
 * Send limits: how many messages go to one user in an hour, to one destination in a day, and out of the whole process in a
 * day (a fuse against toll fraud). The interval between two re-sends of one session is mfa_sessions.h's.
 *
 * A message is reserved before it is sent, in all three or in none, so that messages sent at the same time cannot pass a
 * limit together; and given back only when it was certainly not sent.
 *
 * Users and destinations are known by keyed hashes only. The counts per user and per destination survive a restart in the
 * host's key-value table, if it has one: they are read when they are first needed, and written behind, by
 * mfa_send_limits_write; so sending adds no write that anybody waits for, and a process that is killed loses what was
 * counted since the last write, at most a second's worth. Processes that share a table learn of each other's messages when
 * they write. The count of the whole process starts anew with it.
 *
 * Time is monotonic from the moment this is made; what is stored has the wall-clock time that was right at that moment.
 *
 * Memory is bounded: MFA_SEND_COUNTERS_MAX users and as many destinations, about 50 MB in all with the default limits. In a
 * full table the counter that was not used for longest makes room; it is read again when needed. Without a key-value
 * table only one whose window has passed can go: if there is none, the message is refused, since else whoever can make
 * many counters could have any one forgotten.
 *
 * Every function but new and free may be called from any thread.
 */
#ifndef MFA_SEND_LIMITS_H
#define MFA_SEND_LIMITS_H

#include <stdint.h>

#include "mfa_counters.h"
#include "mfa_policy.h"
#include "mfa_ports.h"
#include "mfa_status.h"

#define MFA_SEND_COUNTERS_MAX 100000

struct mfa_send_limits;

/* What counts a message. */
enum mfa_send_counter { MFA_SEND_PER_USER, MFA_SEND_PER_DESTINATION, MFA_SEND_COUNTERS };

/* A message that was reserved. */
struct mfa_send_reservation {
    unsigned char keys[MFA_SEND_COUNTERS][MFA_COUNTER_KEY_LEN];
    uint32_t at_s;
};

/* Reads the key of the hashes; warns when there is no key-value table. `host` and `kv` are copied. `*out` is owned by the
 * caller, released with mfa_send_limits_free. May wait for storage. Returns MFA_OK, MFA_ERR_MEMORY or MFA_ERR_INTERNAL. */
MFA_MUST_CHECK enum mfa_status mfa_send_limits_new(struct mfa_send_limits **out, const struct mfa_host_port *host,
                                                   const struct mfa_kv_port *kv, const struct mfa_policy *policy);

/* Goes by another policy from now on; what was counted stays counted, but for a limit that was off.
 * Returns MFA_OK; MFA_ERR_MEMORY: nothing has changed. */
MFA_MUST_CHECK enum mfa_status mfa_send_limits_set_policy(struct mfa_send_limits *limits,
                                                          const struct mfa_policy *policy);

/* Accepts NULL. */
void mfa_send_limits_free(struct mfa_send_limits *limits);

/* Reserves a message. `destination` is a normalised one (mfa_destination.h); NULL: none is known, and the user is counted in
 * its place. May wait for storage.
 * Returns MFA_OK; MFA_ERR_FULL: not for another `*wait_s` seconds; anything else: the counts are not known. Nothing is
 * reserved unless MFA_OK. */
MFA_MUST_CHECK enum mfa_status mfa_send_limits_reserve(struct mfa_send_limits *limits, uint64_t now_ms,
                                                       const char *user_id, const char *destination,
                                                       struct mfa_send_reservation *out, uint32_t *wait_s);

/* Gives back what was reserved for a message that was certainly not sent. */
void mfa_send_limits_give_back(struct mfa_send_limits *limits, const struct mfa_send_reservation *reservation);

/* Frees counters whose window has passed, in steps short enough that no other call waits for long. */
void mfa_send_limits_expire(struct mfa_send_limits *limits, uint64_t now_ms);

/* Writes what has changed to the key-value table. One thread at a time; may wait for storage. */
void mfa_send_limits_write(struct mfa_send_limits *limits, uint64_t now_ms);

#endif
