/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_kv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void fake_kv_init(struct fake_kv *kv)
{
    memset(kv, 0, sizeof *kv);
    pthread_mutex_init(&kv->mutex, NULL);
    kv->last_version = 17;
}

void fake_kv_clear(struct fake_kv *kv)
{
    pthread_mutex_destroy(&kv->mutex);
}

struct fake_kv_entry *fake_kv_entry(struct fake_kv *kv, const char *key)
{
    for (size_t i = 0; i < FAKE_KV_MAX_ENTRIES; i++) {
        struct fake_kv_entry *entry = &kv->entries[i];
        if (entry->key[0] == '\0')
            snprintf(entry->key, sizeof entry->key, "%s", key);
        if (strcmp(entry->key, key) == 0)
            return entry;
    }
    fail_msg("more keys than the fake table holds");
    return NULL;
}

size_t fake_kv_count(struct fake_kv *kv)
{
    size_t count = 0;

    pthread_mutex_lock(&kv->mutex);
    for (size_t i = 0; i < FAKE_KV_MAX_ENTRIES; i++)
        count += kv->entries[i].len > 0;
    pthread_mutex_unlock(&kv->mutex);
    return count;
}

static enum mfa_status get(void *ctx, const char *key, void *value, size_t size, size_t *len, uint64_t *version)
{
    struct fake_kv *kv = ctx;
    const struct fake_kv_entry *entry = NULL;
    enum mfa_status status = MFA_ERR_INTERNAL;

    *len = 0;
    *version = 0;
    pthread_mutex_lock(&kv->mutex);
    kv->gets++;
    entry = fake_kv_entry(kv, key);
    if (!kv->get_fails && entry->len <= size)
        status = entry->len > 0 ? MFA_OK : MFA_ERR_NOT_FOUND;
    if (status == MFA_OK) {
        memcpy(value, entry->value, entry->len);
        *len = entry->len;
        *version = entry->version;
    }
    pthread_mutex_unlock(&kv->mutex);
    return status;
}

static enum mfa_status put(void *ctx, const char *key, const void *value, size_t len, int64_t expires_ms,
                           uint64_t *version)
{
    struct fake_kv *kv = ctx;
    struct fake_kv_entry *entry = NULL;
    enum mfa_status status = MFA_ERR_INTERNAL;

    pthread_mutex_lock(&kv->mutex);
    kv->puts++;
    entry = fake_kv_entry(kv, key);
    if (!kv->put_fails && len <= sizeof entry->value)
        status = (entry->len > 0 ? entry->version : 0) == *version ? MFA_OK : MFA_ERR_CONFLICT;
    if (status == MFA_OK) {
        if (value != NULL)
            memcpy(entry->value, value, len);
        entry->len = value != NULL ? len : 0;
        entry->expires_ms = expires_ms;
        entry->version = ++kv->last_version;
        *version = value != NULL ? entry->version : 0;
    }
    pthread_mutex_unlock(&kv->mutex);
    return status;
}

struct mfa_kv_port fake_kv_port(struct fake_kv *kv)
{
    return (struct mfa_kv_port){.ctx = kv, .get = get, .put = put};
}
