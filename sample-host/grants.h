/* SPDX-License-Identifier: Apache-2.0
 *
 * grants.h: proofs that a login has passed as far as a certain plugin. A grant is sealed (crypto_secretbox) under a key
 * that lives as long as the process, so a restart voids all of them; it names the user, the application and the plugin's
 * position in the chain, ages out, and opens once.
 */
#ifndef GRANTS_H
#define GRANTS_H

#include <stddef.h>
#include <stdint.h>

#include "core_plugin.h"
#include "storage.h"

#define GRANTS_TTL_S 86400 /* far above what a plugin will let a user take; bounds the memory of used grants */

struct grants;

struct grant {
    char user_id[STORAGE_ID_LEN + 1];
    char app_id[STORAGE_NAME_MAX + 1];
    uint32_t position; /* in the chain, of the plugin that was given the grant */
};

/* Returns NULL when there is no memory. Owned by caller, release with grants_free. */
struct grants *grants_new(void);

/* Accepts NULL. */
void grants_free(struct grants *grants);

/* Seals `grant` into `bytes` and sets `*len`. CORE_ERR_INTERNAL: there is no time to be had. Any thread. */
core_status grants_seal(struct grants *grants, const struct grant *grant, unsigned char bytes[static CORE_GRANT_MAX],
                        size_t *len) __attribute__((warn_unused_result));

/* Opens a grant of `user_id` that was given to the plugin at `position`, and marks it as used. CORE_ERR_DENIED: it is
 * forged, too old, used, or of another user or plugin; `*grant` is then cleared. Any thread. */
core_status grants_take(struct grants *grants, struct core_span secret_bytes, const char *user_id, uint32_t position,
                        struct grant *grant) __attribute__((warn_unused_result));

#endif
