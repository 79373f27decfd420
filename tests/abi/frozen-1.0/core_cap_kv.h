/* SPDX-License-Identifier: Apache-2.0
 *
 * core_cap_kv.h: the capability "core.kv/1", a table of small values that outlives the process. The conventions of
 * core_plugin.h hold here too.
 *
 * Each plugin has a table of its own: keys of one never meet those of another. All instances of a plugin over the same
 * storage, in whatever process, share one. It is meant for counters and other state that may be lost: a write is whole or
 * not at all and outlives the process that made it, also one that is killed, but a host need not wait for the disk, so
 * the last seconds may be missing after a power failure. What must not be lost belongs into the private profile.
 *
 * Rationale: no function reads or writes without a version, because whoever cannot say what it replaces cannot share
 * a table with others.
 */
#ifndef CORE_CAP_KV_H
#define CORE_CAP_KV_H

#include "core_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CORE_CAP_KV_ID "core.kv/1"

/* A key is 1 to CORE_KV_KEY_MAX bytes of [A-Za-z0-9._-], a value 1 to CORE_KV_VALUE_MAX bytes of anything. */
#define CORE_KV_KEY_MAX 64
#define CORE_KV_VALUE_MAX 65536

/* Reads one value. One that has expired does not exist.
 * Returns    CORE_OK: `*len` bytes are in `buffer` and `*version` identifies them;
 *            CORE_ERR_NOT_FOUND: there is no value under this key, `*len` is 0 and `*version` is 0;
 *            CORE_ERR_TOO_SMALL: nothing was copied, `*len` is the size needed and `*version` is 0;
 *            CORE_ERR_INTERNAL, CORE_ERR_MEMORY, CORE_ERR_ARGUMENT: nothing is known, `*len` and `*version` are 0. A caller
 *            must not take this for "there is no value".
 * Ownership  `key` is borrowed until return; so are the out parameters.
 * Threads    [any thread]; may wait for storage
 * Since      1.0 */
typedef core_status core_kv_get_fn(const struct core_host *host, struct core_span key, void *buffer,
                                   uint64_t buffer_size, uint64_t *len, uint64_t *version);

/* Replaces, creates or removes one value, if it is still at the expected version.
 * `value`       the new bytes, at least one; absent: remove the value.
 * `expires_ms`  wall-clock time, in milliseconds since 1970, from which on the value does not exist; the host removes it
 *               some time after that. 0: never. Of no meaning with an absent value.
 * `version`     in: the version read before; 0: there must be no value. Out: the new version.
 * Returns    CORE_OK: written, and `*version` is one that this key never had before, or 0 after a removal;
 *            CORE_ERR_CONFLICT: the value is at another version, nothing was written;
 *            CORE_ERR_INTERNAL, CORE_ERR_MEMORY, CORE_ERR_ARGUMENT: not written. `*version` is untouched on failure.
 * Ownership  `key`, `value` and `version` are borrowed until return.
 * Threads    [any thread]; may wait for storage
 * Since      1.0 */
typedef core_status core_kv_put_fn(const struct core_host *host, struct core_span key, struct core_span value,
                                   int64_t expires_ms, uint64_t *version);

/* The capability; *static*. The functions take the host that it was asked of. */
struct core_cap_kv {
    uint32_t struct_size;
    uint32_t reserved;
    core_kv_get_fn *get;
    core_kv_put_fn *put;
};

/* Looks the capability up.
 * Returns    the table, complete; NULL: this host does not offer it, or not all of it.
 * Ownership  the result is static.
 * Threads    [create]
 * Since      1.0 */
static inline const struct core_cap_kv *core_cap_kv_of(const struct core_host *host)
{
    const struct core_cap_kv *kv = NULL;

    if (CORE_HAS(host, capability) && host->capability != NULL)
        kv = (const struct core_cap_kv *)host->capability(host, CORE_CAP_KV_ID);
    return kv != NULL && CORE_HAS(kv, put) && kv->get != NULL && kv->put != NULL ? kv : NULL;
}

#ifdef __cplusplus
}
#endif

#endif
