/* SPDX-License-Identifier: Apache-2.0
 *
 * The housekeeper: a thread that once a second frees expired sessions and accounts that nobody tries any more, so that
 * nothing outlives its time merely because nobody calls.
 */
#ifndef MFA_HOUSEKEEPER_H
#define MFA_HOUSEKEEPER_H

#include "mfa_ports.h"
#include "mfa_sessions.h"
#include "mfa_status.h"
#include "mfa_throttle.h"

struct mfa_housekeeper;

/* Starts the thread. `host`, `sessions` and `throttle` are borrowed until mfa_housekeeper_free. `*out` is owned by the
 * caller, released with mfa_housekeeper_free. Returns MFA_OK, MFA_ERR_MEMORY or MFA_ERR_INTERNAL. */
MFA_MUST_CHECK enum mfa_status mfa_housekeeper_new(struct mfa_housekeeper **out, const struct mfa_host_port *host,
                                                   struct mfa_sessions *sessions, struct mfa_throttle *throttle);

/* Ends the thread and frees. Accepts NULL. */
void mfa_housekeeper_free(struct mfa_housekeeper *housekeeper);

#endif
