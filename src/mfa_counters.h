/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters: one limiter per key, for as many keys as there is room for. A table knows which of its counters were used last,
 * and which have changed since they were stored. Nothing here locks; mfa_send_limits.h does.
 */
#ifndef MFA_COUNTERS_H
#define MFA_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* uthash must report a failed allocation, not end the host's process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "mfa_limiter.h"
#include "mfa_status.h"

#define MFA_COUNTER_KEY_LEN 16

/* Released with mfa_counter_free while in no table. */
struct mfa_counter {
    UT_hash_handle hh;               /* by key */
    struct mfa_counter *prev, *next; /* in the order of the last use */
    struct mfa_counter *prev_changed, *next_changed;
    unsigned char key[MFA_COUNTER_KEY_LEN];
    struct mfa_limiter limiter;
    uint64_t version; /* as stored; 0: it is not */
    uint32_t pins;    /* how many are at work on it: it must stay */
    bool is_changed;  /* since it was stored; it is in the list of those then */
};

struct mfa_counters {
    struct mfa_counter *by_key;
    struct mfa_counter *by_use;  /* longest unused first */
    struct mfa_counter *changed; /* longest waiting first */
    uint32_t limit;              /* of new counters; those that are there get it by mfa_counters_fit */
    uint32_t window_s;
    uint32_t max_count;
    bool is_stored; /* somewhere: a counter without changes can go, and come back */
};

/* Makes a counter; both numbers are at least 1. Returns NULL when memory is short. */
struct mfa_counter *mfa_counter_new(const unsigned char key[static MFA_COUNTER_KEY_LEN], uint32_t limit,
                                    uint32_t window_s);

/* Accepts NULL. */
void mfa_counter_free(struct mfa_counter *counter);

/* Frees all counters. */
void mfa_counters_clear(struct mfa_counters *table);

/* Finds a counter, borrowed, and books the use; NULL: it is not here. */
struct mfa_counter *mfa_counters_use(struct mfa_counters *table, const unsigned char key[static MFA_COUNTER_KEY_LEN]);

/* Adds a counter whose key is not there; it is transferred when, and only when, this returns MFA_OK. In a full table the one
 * that was not used for longest makes room, if nothing is lost with it.
 * Returns MFA_OK; MFA_ERR_FULL: there is no such one; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_counters_add(struct mfa_counters *table, struct mfa_counter *counter,
                                                uint32_t now_s);

/* Gives a counter the limit of the table, if that has changed and is not 0. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_counters_fit(const struct mfa_counters *table, struct mfa_counter *counter);

/* Notes that a counter has changed. Without a store to bring it to this does nothing. */
void mfa_counters_note_change(struct mfa_counters *table, struct mfa_counter *counter);

/* Takes the counter that has waited longest off the list of changes; borrowed. NULL: there is none. */
struct mfa_counter *mfa_counters_take_change(struct mfa_counters *table);

/* Frees up to `most` counters that have nothing left to say. Returns true when there may be more. */
bool mfa_counters_expire(struct mfa_counters *table, uint32_t now_s, uint32_t most);

#endif
