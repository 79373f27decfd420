/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core_cap_kv.h"
#include "plugin.h"

static struct core_span text_span(const char *text)
{
    return (struct core_span){.data = text, .len = strlen(text)};
}

static enum mfa_status from_core(core_status status)
{
    switch (status) {
    case CORE_OK: return MFA_OK;
    case CORE_ERR_MEMORY: return MFA_ERR_MEMORY;
    case CORE_ERR_NOT_FOUND: return MFA_ERR_NOT_FOUND;
    case CORE_ERR_CONFLICT: return MFA_ERR_CONFLICT;
    default: return MFA_ERR_INTERNAL;
    }
}

static enum mfa_status get(void *ctx, const char *key, void *value, size_t size, size_t *len, uint64_t *version)
{
    const struct plugin_kv *kv = ctx;
    uint64_t found_len = 0;
    enum mfa_status status = from_core(kv->table->get(kv->host, text_span(key), value, size, &found_len, version));

    *len = 0;
    if (status == MFA_OK && found_len > size)
        return MFA_ERR_INTERNAL;
    if (status == MFA_OK)
        *len = (size_t)found_len;
    return status;
}

static enum mfa_status put(void *ctx, const char *key, const void *value, size_t len, int64_t expires_ms,
                           uint64_t *version)
{
    const struct plugin_kv *kv = ctx;
    struct core_span span = {.data = value, .len = len};

    return from_core(kv->table->put(kv->host, text_span(key), span, expires_ms, version));
}

struct mfa_kv_port plugin_kv_port(struct plugin_kv *kv, const struct core_host *host)
{
    *kv = (struct plugin_kv){.host = host, .table = core_cap_kv_of(host)};
    if (kv->table == NULL)
        return (struct mfa_kv_port){0};
    return (struct mfa_kv_port){.ctx = kv, .get = get, .put = put};
}
