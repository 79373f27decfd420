/* SPDX-License-Identifier: Apache-2.0
 *
 * The tally: an account's failures as they are kept in the private profile, so that a restart does not forget them. Only
 * failures write it, and a success after failures; a login that succeeds at once does not.
 *
 *     {"consecutive": 4, "recent": 4, "lastAt": 1700000000.123}
 */
#ifndef MFA_TALLY_H
#define MFA_TALLY_H

#include <stdint.h>

#include "mfa_ports.h"
#include "mfa_status.h"

struct mfa_tally {
    uint32_t consecutive; /* failures without a success */
    uint32_t recent;      /* of them, those that count for the delay */
    int64_t last_wall_ms; /* of the last one, since 1970 */
};

/* Loads a user's tally; zeroes when there is none. Returns MFA_OK; anything else: nothing is known. */
MFA_MUST_CHECK enum mfa_status mfa_tally_load(struct mfa_tally *out, const struct mfa_host_port *host,
                                              const char *user_id);

/* Adds one failure to what is stored, by compare-and-swap, and gives out the sum. `window_s`: quiet time after which the
 * recent ones start anew. Returns MFA_OK; anything else: not written, and `*out` is zeroed. */
MFA_MUST_CHECK enum mfa_status mfa_tally_add_failure(struct mfa_tally *out, const struct mfa_host_port *host,
                                                     const char *user_id, uint32_t window_s);

/* Removes what is stored, if anything. Returns MFA_OK; anything else: it is still there. */
MFA_MUST_CHECK enum mfa_status mfa_tally_remove(const struct mfa_host_port *host, const char *user_id);

#endif
