/* SPDX-License-Identifier: Apache-2.0
 *
 * The housekeeper: a thread that once a second frees expired sessions, and accounts and counters that nobody needs any
 * more, so that nothing outlives its time merely because nobody calls. Then it writes the counts of sent messages, for
 * which it may wait for storage, and tells how many sessions and requests there are.
 */
#ifndef MFA_HOUSEKEEPER_H
#define MFA_HOUSEKEEPER_H

#include <stdatomic.h>

#include "mfa_ports.h"
#include "mfa_send_limits.h"
#include "mfa_sessions.h"
#include "mfa_status.h"
#include "mfa_throttle.h"

struct mfa_housekeeper;

/* Starts the thread. `in_flight` is what mfa_service.h counts. All but `out` is borrowed until mfa_housekeeper_free. `*out`
 * is owned by the caller, released with mfa_housekeeper_free. Returns MFA_OK, MFA_ERR_MEMORY or MFA_ERR_INTERNAL. */
MFA_MUST_CHECK enum mfa_status mfa_housekeeper_new(struct mfa_housekeeper **out, const struct mfa_host_port *host,
                                                   const atomic_size_t *in_flight, struct mfa_sessions *sessions,
                                                   struct mfa_throttle *throttle, struct mfa_send_limits *send_limits);

/* Ends the thread, which writes once more, and frees. Accepts NULL. */
void mfa_housekeeper_free(struct mfa_housekeeper *housekeeper);

#endif
