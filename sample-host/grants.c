/* SPDX-License-Identifier: Apache-2.0 */
#include "grants.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1 /* or uthash ends the process */
#include <uthash.h>

#include "clock.h"

#define NONCE_LEN crypto_secretbox_NONCEBYTES
#define OVERHEAD_LEN (NONCE_LEN + crypto_secretbox_MACBYTES)

struct sealed {
    struct grant grant;
    uint64_t expires_ms; /* monotonic */
};

_Static_assert(OVERHEAD_LEN + sizeof(struct sealed) <= CORE_GRANT_MAX, "a grant crosses the boundary in one piece");

/* The nonce of a grant is random and long, so it names the grant. */
struct used {
    unsigned char nonce[NONCE_LEN];
    uint64_t forget_ms;
    UT_hash_handle hh;
};

struct grants {
    pthread_mutex_t lock; /* guards used */
    struct used *used;    /* by nonce; iterated in the order of use, hence of forget_ms */
    unsigned char secret_key[crypto_secretbox_KEYBYTES];
};

struct grants *grants_new(void)
{
    struct grants *grants = calloc(1, sizeof(*grants));

    if (!grants)
        return NULL;
    pthread_mutex_init(&grants->lock, NULL);
    crypto_secretbox_keygen(grants->secret_key);
    return grants;
}

static void forget(struct grants *grants, struct used *used)
{
    HASH_DEL(grants->used, used);
    free(used);
}

void grants_free(struct grants *grants)
{
    if (!grants)
        return;
    while (grants->used)
        forget(grants, grants->used);
    pthread_mutex_destroy(&grants->lock);
    sodium_memzero(grants->secret_key, sizeof(grants->secret_key));
    free(grants);
}

core_status grants_seal(struct grants *grants, const struct grant *grant, unsigned char bytes[static CORE_GRANT_MAX],
                        size_t *len)
{
    struct sealed plain;
    uint64_t now_ms = 0;

    *len = 0;
    if (!clock_monotonic(&now_ms))
        return CORE_ERR_INTERNAL;
    memset(&plain, 0, sizeof(plain));
    plain.grant = *grant;
    plain.expires_ms = now_ms + GRANTS_TTL_S * UINT64_C(1000);
    randombytes_buf(bytes, NONCE_LEN);
    (void)crypto_secretbox_easy(bytes + NONCE_LEN, (const unsigned char *)&plain, sizeof(plain), bytes,
                                grants->secret_key);
    *len = OVERHEAD_LEN + sizeof(plain);
    return CORE_OK;
}

/* Marks the grant as used; CORE_ERR_DENIED: it was. */
static core_status use(struct grants *grants, const unsigned char *nonce, uint64_t now_ms)
{
    struct used *used = calloc(1, sizeof(*used)), *found = NULL;
    core_status status = CORE_ERR_DENIED;

    if (!used)
        return CORE_ERR_MEMORY;
    memcpy(used->nonce, nonce, NONCE_LEN);
    used->forget_ms = now_ms + GRANTS_TTL_S * UINT64_C(1000);
    pthread_mutex_lock(&grants->lock);
    while (grants->used && grants->used->forget_ms < now_ms)
        forget(grants, grants->used);
    HASH_FIND(hh, grants->used, nonce, NONCE_LEN, found);
    if (!found) {
        HASH_ADD(hh, grants->used, nonce, NONCE_LEN, used);
        status = used->hh.tbl ? CORE_OK : CORE_ERR_MEMORY;
        if (status == CORE_OK)
            used = NULL; /* transferred */
    }
    pthread_mutex_unlock(&grants->lock);
    free(used);
    return status;
}

core_status grants_take(struct grants *grants, struct core_span secret_bytes, const char *user_id, uint32_t position,
                        struct grant *grant)
{
    const unsigned char *bytes = secret_bytes.data;
    struct sealed plain;
    uint64_t now_ms = 0;

    memset(grant, 0, sizeof(*grant));
    if (!bytes || secret_bytes.len != OVERHEAD_LEN + sizeof(plain) ||
        crypto_secretbox_open_easy((unsigned char *)&plain, bytes + NONCE_LEN, secret_bytes.len - NONCE_LEN, bytes,
                                   grants->secret_key) != 0)
        return CORE_ERR_DENIED;
    if (!clock_monotonic(&now_ms))
        return CORE_ERR_INTERNAL;
    if (strcmp(plain.grant.user_id, user_id) != 0 || plain.grant.position != position || plain.expires_ms <= now_ms)
        return CORE_ERR_DENIED;
    core_status status = use(grants, bytes, now_ms);
    if (status == CORE_OK)
        *grant = plain.grant;
    return status;
}
