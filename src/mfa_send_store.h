/* SPDX-License-Identifier: Apache-2.0
 *
 * What of the send limits outlives the process, in the host's key-value table: the key of the hashes, and one value per
 * counter. A value is a format byte and the seconds since 1970 of each message, 32 bits each, least significant byte first.
 */
#ifndef MFA_SEND_STORE_H
#define MFA_SEND_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "mfa_counters.h"
#include "mfa_policy.h"
#include "mfa_ports.h"
#include "mfa_status.h"

#define MFA_SEND_KEY_LEN 32

/* Reads the key of the hashes, or draws one and stores it, so that all processes over one table have the same for ever.
 * Without a table it is drawn and lasts as long as the process. May wait for storage.
 * Returns MFA_OK; anything else: there is none, `key_secret` is zeroed. */
MFA_MUST_CHECK enum mfa_status mfa_send_store_key(const struct mfa_kv_port *kv, const struct mfa_host_port *host,
                                                  unsigned char key_secret[static MFA_SEND_KEY_LEN]);

/* A counter as it is stored. */
struct mfa_send_record {
    uint32_t at_s[MFA_SENDS_MAX]; /* oldest first */
    uint32_t count;
    uint64_t version; /* 0: it is not stored */
};

/* Reads a counter; an empty one when nothing is stored. May wait for storage.
 * Returns MFA_OK; anything else: nothing is known, `*out` is zeroed. */
MFA_MUST_CHECK enum mfa_status mfa_send_store_load(const struct mfa_kv_port *kv,
                                                   const unsigned char key[static MFA_COUNTER_KEY_LEN],
                                                   struct mfa_send_record *out);

/* Stores a counter that is empty at `empty_at_s`, if it is still at `record->version`, which is then the new one; one without
 * messages is removed. May wait for storage. Returns MFA_OK; MFA_ERR_CONFLICT; anything else: not written. */
MFA_MUST_CHECK enum mfa_status mfa_send_store_save(const struct mfa_kv_port *kv,
                                                   const unsigned char key[static MFA_COUNTER_KEY_LEN],
                                                   struct mfa_send_record *record, uint32_t empty_at_s);

#endif
