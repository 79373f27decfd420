/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing a record of the private profile whatever it is now, by compare-and-swap; and what bounds any change of one.
 */
#ifndef MFA_RECORD_H
#define MFA_RECORD_H

#include "mfa_ports.h"
#include "mfa_status.h"

/* How often somebody else may change a record between our load and store; more often is a fault. As many storage threads as
 * there are may want the same one, and only one of them gets it each time. */
#define MFA_RECORD_MAX_TRIES 32

/* Largest record that is read for what it says, in bytes. */
#define MFA_RECORD_MAX_LEN 65536

/* Removes whatever there is, readable or not, of any size.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: there was nothing; anything else: it is still there. */
MFA_MUST_CHECK enum mfa_status mfa_record_remove(const struct mfa_host_port *host, enum mfa_record record,
                                                 const char *user_id);

#endif
