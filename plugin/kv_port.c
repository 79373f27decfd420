/* SPDX-License-Identifier: Apache-2.0 */
#include "core_cap_kv.h"
#include "plugin.h"

static enum mfa_status get(void *ctx, const char *key, void *value, size_t size, size_t *len, uint64_t *version)
{
    const struct plugin_kv *kv = ctx;
    uint64_t found_len = 0;
    enum mfa_status status =
        plugin_from_core(kv->table->get(kv->host, plugin_text_span(key), value, size, &found_len, version));

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

    return plugin_from_core(kv->table->put(kv->host, plugin_text_span(key), span, expires_ms, version));
}

struct mfa_kv_port plugin_kv_port(struct plugin_kv *kv, const struct core_host *host)
{
    *kv = (struct plugin_kv){.host = host, .table = core_cap_kv_of(host)};
    if (kv->table == NULL)
        return (struct mfa_kv_port){0};
    return (struct mfa_kv_port){.ctx = kv, .get = get, .put = put};
}
