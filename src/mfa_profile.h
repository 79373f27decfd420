/* SPDX-License-Identifier: Apache-2.0
 *
 * The enrolment as it is stored in the user's private profile: one JSON object,
 *
 *     {"content": {"number": "41791231212", ...}, "recoveryCodes": ["v1:...", ...],
 *      "confirmedAt": 1700000000.123, "enrolmentId": "..."}
 *
 * `content` and `recoveryCodes` are Pryv.io's own; profiles written by it hold the codes in clear and nothing else.
 * That a field exists is what makes a user enrolled: one that cannot be read is a failure, never "no MFA".
 */
#ifndef MFA_PROFILE_H
#define MFA_PROFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_buffer.h"
#include "mfa_ports.h"
#include "mfa_recovery.h"
#include "mfa_session.h"
#include "mfa_status.h"

/* Released with mfa_profile_clear. */
struct mfa_profile {
    json_t *root;            /* all of it; owned */
    const json_t *user_data; /* `content`; borrowed from root */
    uint64_t version;        /* as stored; 0: not loaded */
};

/* Reads a stored enrolment. Returns MFA_OK; MFA_ERR_SYNTAX: not one; MFA_ERR_MEMORY. `*out` is zeroed on failure. */
MFA_MUST_CHECK enum mfa_status mfa_profile_parse(struct mfa_profile *out, const char *text, size_t len);

/* Wipes and frees. Accepts a zeroed struct. */
void mfa_profile_clear(struct mfa_profile *profile);

/* Loads a user's enrolment.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: the user has none, as storage said; anything else: nothing is known. */
MFA_MUST_CHECK enum mfa_status mfa_profile_load(struct mfa_profile *out, const struct mfa_host_port *host,
                                                const char *user_id);

/* Identifies whatever enrolment a user has, readable or not, as mfa_profile_enrolment_id does; all zeros: none, as storage
 * said.
 * Returns MFA_OK; anything else: nothing is known. */
MFA_MUST_CHECK enum mfa_status mfa_profile_load_id(const struct mfa_host_port *host, const char *user_id,
                                                   unsigned char id[static MFA_ENROLMENT_ID_LEN]);

/* Stores a new enrolment, where the user has none or the one that `replaced_id` identifies; `*was_enrolled` tells which. The
 * recovery codes are hashed.
 * Returns MFA_OK; MFA_ERR_DENIED: the user has another one; anything else: what was stored before is still there. */
MFA_MUST_CHECK enum mfa_status mfa_profile_replace(const struct mfa_host_port *host, const char *user_id,
                                                   const unsigned char replaced_id[static MFA_ENROLMENT_ID_LEN],
                                                   json_t *user_data, const struct mfa_recovery_codes *codes_secret,
                                                   bool *was_enrolled);

/* Replaces the recovery codes of an enrolment and leaves the rest.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: there is no enrolment; anything else: the old codes are still good. */
MFA_MUST_CHECK enum mfa_status mfa_profile_renew_recovery_codes(const struct mfa_host_port *host, const char *user_id,
                                                                const struct mfa_recovery_codes *codes_secret);

/* Looks for a recovery code, and uses nothing up.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: there is no enrolment; MFA_ERR_DENIED: `presented` (from mfa_recovery_hash) is not one of
 * its codes; anything else: nothing is known. */
MFA_MUST_CHECK enum mfa_status mfa_profile_find_recovery_code(const struct mfa_host_port *host, const char *user_id,
                                                              const char presented[static MFA_RECOVERY_STORED_SIZE]);

/* Uses up one recovery code, and leaves the enrolment and the other codes; those in clear are hashed now.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: there is no enrolment; MFA_ERR_CONFLICT: it is another one than `enrolment_id`;
 * MFA_ERR_DENIED: `presented` (from mfa_recovery_hash) is not one of its codes; anything else: nothing was used up. */
MFA_MUST_CHECK enum mfa_status mfa_profile_consume(const struct mfa_host_port *host, const char *user_id,
                                                   const unsigned char enrolment_id[static MFA_ENROLMENT_ID_LEN],
                                                   const char presented[static MFA_RECOVERY_STORED_SIZE]);

/* Removes whatever enrolment there is, readable or not.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: there was none; anything else: it is still there. */
MFA_MUST_CHECK enum mfa_status mfa_profile_remove(const struct mfa_host_port *host, const char *user_id);

/* Removes the enrolment if `presented` (from mfa_recovery_hash) is one of its recovery codes.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: there was none; MFA_ERR_DENIED: not one of them; anything else: it is still there. */
MFA_MUST_CHECK enum mfa_status mfa_profile_recover(const struct mfa_host_port *host, const char *user_id,
                                                   const char presented[static MFA_RECOVERY_STORED_SIZE]);

/* Identifies this enrolment among all that a user had, for as long as it lasts: by a random id that each confirmation draws,
 * or by the user data of a profile that other software wrote. Returns MFA_OK, MFA_ERR_MEMORY or MFA_ERR_TOO_LARGE. */
MFA_MUST_CHECK enum mfa_status mfa_profile_enrolment_id(const struct mfa_profile *profile,
                                                        unsigned char id[static MFA_ENROLMENT_ID_LEN]);

/* Counts the recovery codes that are left. */
size_t mfa_profile_recovery_codes_left(const struct mfa_profile *profile);

/* When it was confirmed, in seconds since 1970; a negative value: not known. */
double mfa_profile_confirmed_at(const struct mfa_profile *profile);

#endif
