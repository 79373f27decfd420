/* SPDX-License-Identifier: Apache-2.0
 *
 * Throttling: how often, and how soon again, codes of one account may be tried, across all its sessions (NIST SP 800-63B-4,
 * 3.2.2). Past a few free failures each further one delays the next attempt, doubling; after many in a row the factor
 * stops.
 *
 * An attempt is counted as a failure when it is reserved, before anything is compared, and taken back when it turns out
 * otherwise: so attempts made at the same time cannot slip through together. This is the account in memory; what outlives
 * the process is mfa_tally.h's. Every function is atomic and may be called from any thread.
 */
#ifndef MFA_THROTTLE_H
#define MFA_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "mfa_policy.h"
#include "mfa_status.h"
#include "mfa_tally.h"

struct mfa_throttle;

/* `*out` is owned by the caller, released with mfa_throttle_free. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_throttle_new(struct mfa_throttle **out, const struct mfa_policy *policy);

/* Goes by another policy from now on. Delays that have begun end when they would have. */
void mfa_throttle_set_policy(struct mfa_throttle *throttle, const struct mfa_policy *policy);

/* Accepts NULL. */
void mfa_throttle_free(struct mfa_throttle *throttle);

/* True when the account is known here; if not, its stored tally is to be learned first. */
bool mfa_throttle_knows(struct mfa_throttle *throttle, const char *user_id);

/* Takes over what is stored about an account. Of an account that is known, the stricter of both stays.
 * `now_ms` and `wall_ms` are the present, monotonic and since 1970. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_throttle_learn(struct mfa_throttle *throttle, const char *user_id,
                                                  const struct mfa_tally *tally, uint64_t now_ms, int64_t wall_ms);

/* True when the account's factor has stopped. */
bool mfa_throttle_is_stopped(struct mfa_throttle *throttle, const char *user_id);

/* True when the account's failures are stored as well. */
bool mfa_throttle_is_stored(struct mfa_throttle *throttle, const char *user_id);

/* Reserves an attempt. `may_be_stopped`: recovery, which also a stopped account may try.
 * Returns MFA_OK; MFA_ERR_FULL: not before `*retry_after_s`; MFA_ERR_DENIED: stopped; MFA_ERR_NOT_FOUND: not known. */
MFA_MUST_CHECK enum mfa_status mfa_throttle_reserve(struct mfa_throttle *throttle, const char *user_id, uint64_t now_ms,
                                                    bool may_be_stopped, uint32_t *retry_after_s);

/* Takes back an attempt that was reserved at `reserved_ms`, with the delay it caused: nothing was compared. */
void mfa_throttle_return(struct mfa_throttle *throttle, const char *user_id, uint64_t reserved_ms);

/* Forgets all failures: an attempt succeeded. Returns true when some are stored, which are to be removed. */
bool mfa_throttle_clear(struct mfa_throttle *throttle, const char *user_id);

/* Drops accounts that nobody has tried for longer than any delay or window lasts; what is stored of them is learned again
 * when needed. */
void mfa_throttle_expire(struct mfa_throttle *throttle, uint64_t now_ms);

#endif
