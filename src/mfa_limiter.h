/* SPDX-License-Identifier: Apache-2.0
 *
 * A limiter: so many events in any stretch of time that is one window long. It remembers when each of them was, so the
 * window slides exactly, to the second. Pure; nothing here locks.
 *
 * Times are seconds since 1970, which fit 32 bits until 2106. Time that goes back lets nothing through: an event from
 * the future counts as if it were now.
 */
#ifndef MFA_LIMITER_H
#define MFA_LIMITER_H

#include <stddef.h>
#include <stdint.h>

#include "mfa_status.h"

/* Released with mfa_limiter_clear. */
struct mfa_limiter {
    uint32_t *at_s; /* a ring with room for `limit` events, oldest first; owned */
    uint32_t limit;
    uint32_t window_s;
    uint32_t first; /* index of the oldest */
    uint32_t count;
};

/* Makes an empty limiter; both numbers are at least 1. Returns MFA_OK or MFA_ERR_MEMORY; `*limiter` is zeroed on failure. */
MFA_MUST_CHECK enum mfa_status mfa_limiter_init(struct mfa_limiter *limiter, uint32_t limit, uint32_t window_s);

/* Changes the limit, to at least 1; of more events than that the newest stay. Returns MFA_OK, or MFA_ERR_MEMORY with nothing
 * changed. */
MFA_MUST_CHECK enum mfa_status mfa_limiter_set_limit(struct mfa_limiter *limiter, uint32_t limit);

/* Frees and zeroes. Accepts a zeroed struct. */
void mfa_limiter_clear(struct mfa_limiter *limiter);

/* Says how long it is until there is room for an event, in seconds; 0: there is. Forgets what has left the window. */
uint32_t mfa_limiter_wait_s(struct mfa_limiter *limiter, uint32_t now_s);

/* Books an event, for which mfa_limiter_wait_s has just found room. */
void mfa_limiter_add(struct mfa_limiter *limiter, uint32_t now_s);

/* Takes back one event of that second, if it is there. */
void mfa_limiter_take_back(struct mfa_limiter *limiter, uint32_t at_s);

/* Adds what somebody else has booked, `count` times in `at_s`, oldest first. An event that both know counts once; of more
 * than the limit the newest stay. Returns MFA_OK, or MFA_ERR_MEMORY with nothing changed. */
MFA_MUST_CHECK enum mfa_status mfa_limiter_merge(struct mfa_limiter *limiter, uint32_t now_s, const uint32_t *at_s,
                                                 size_t count);

/* Copies the events, oldest first, into `at_s`, which has room for `limit`. Returns their number. */
uint32_t mfa_limiter_events(const struct mfa_limiter *limiter, uint32_t *at_s);

/* The second from which on nothing is left in the window; 0: nothing is in it. */
uint32_t mfa_limiter_empty_at_s(const struct mfa_limiter *limiter);

#endif
