/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "storage.h"
#include "storage_parts.h"

/* What never expires does so at the end of time. */
static int64_t end_of(int64_t expires_ms)
{
    return expires_ms == 0 ? INT64_MAX : expires_ms;
}

core_status storage_kv_get(struct storage *storage, const char *plugin, struct core_span key, int64_t now_ms,
                           void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    struct database *kv = &storage->kv;
    sqlite3_stmt *row = database_row(kv, DATABASE_KV_GET);

    *len = 0;
    *version = 0;
    pthread_mutex_lock(&kv->lock);
    core_status status = database_start(kv, DATABASE_KV_GET, "tsi", plugin, key, now_ms);
    if (status == CORE_OK)
        status = database_copy_value(row, buffer, buffer_size, len, version);
    database_finish(kv, DATABASE_KV_GET);
    pthread_mutex_unlock(&kv->lock);
    return status;
}

static core_status expect_version(struct database *kv, const char *plugin, struct core_span key, int64_t now_ms,
                                  uint64_t expected)
{
    core_status status = database_start(kv, DATABASE_KV_GET, "tsi", plugin, key, now_ms);
    uint64_t version = 0;

    if (status == CORE_OK)
        version = (uint64_t)sqlite3_column_int64(database_row(kv, DATABASE_KV_GET), 0);
    database_finish(kv, DATABASE_KV_GET);
    if (status != CORE_OK && status != CORE_ERR_NOT_FOUND)
        return status;
    return version == expected ? CORE_OK : CORE_ERR_CONFLICT;
}

static core_status write_value(struct database *kv, const char *plugin, struct core_span key, struct core_span value,
                               int64_t expires_ms, int64_t *version)
{
    core_status status = CORE_OK;

    if (!value.data)
        return database_run(kv, DATABASE_KV_REMOVE, "ts", plugin, key);
    status = database_take_version(kv, version);
    return status == CORE_OK
               ? database_run(kv, DATABASE_KV_PUT, "tsivi", plugin, key, *version, value, end_of(expires_ms))
               : status;
}

core_status storage_kv_put(struct storage *storage, const char *plugin, struct core_span key, int64_t now_ms,
                           struct core_span value, int64_t expires_ms, uint64_t *version)
{
    struct database *kv = &storage->kv;
    int64_t new_version = 0;
    core_status status = database_begin(kv);

    if (status != CORE_OK)
        return status;
    status = expect_version(kv, plugin, key, now_ms, *version);
    if (status == CORE_OK)
        status = write_value(kv, plugin, key, value, expires_ms, &new_version);
    if (status == CORE_OK) /* a few at a time, so that no write pays for many */
        status = database_run(kv, DATABASE_KV_SWEEP, "i", now_ms);
    status = database_end(kv, status);
    if (status == CORE_OK)
        *version = (uint64_t)new_version;
    return status;
}
