/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "database_schema.h"
#include "log.h"
#include "storage.h"

#define BUSY_TIMEOUT_MS 5000
/* So many versions are taken at a time: the counter is a page of its own to write. */
#define VERSIONS_TAKEN 1024

static const char *const statements_sql[DATABASE_STATEMENTS] = {
    [DATABASE_BEGIN] = "BEGIN IMMEDIATE",
    [DATABASE_COMMIT] = "COMMIT",
    [DATABASE_ROLLBACK] = "ROLLBACK",
    [DATABASE_FIND_USER] = "SELECT id, username, language FROM users WHERE username = ?1",
    [DATABASE_ADD_USER] =
        "INSERT INTO users (id, username, language, email, password_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
    [DATABASE_LOAD_PASSWORD] = "SELECT password_hash FROM users WHERE id = ?1",
    [DATABASE_FIND_ACCESS] = "SELECT id, user_id, type, name FROM accesses WHERE token_hash = ?1",
    [DATABASE_ADD_ACCESS] = "INSERT INTO accesses (token_hash, id, user_id, type, name, permissions)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [DATABASE_REMOVE_ACCESS] = "DELETE FROM accesses WHERE token_hash = ?1",
    [DATABASE_LIST_PROFILE] = "SELECT key, value FROM profile WHERE user_id = ?1 ORDER BY key",
    [DATABASE_SET_PROFILE] = "INSERT INTO profile (user_id, key, value) VALUES (?1, ?2, ?3)"
                             " ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value",
    [DATABASE_UNSET_PROFILE] = "DELETE FROM profile WHERE user_id = ?1 AND key = ?2",
    [DATABASE_LIST_FIELDS] = "SELECT field FROM fields WHERE user_id = ?1 ORDER BY field",
    [DATABASE_LOAD_FIELD] = "SELECT version, value FROM fields WHERE user_id = ?1 AND field = ?2",
    /* A row for every user; the version is null when the field does not exist. */
    [DATABASE_FIELD_VERSION] =
        "SELECT fields.version FROM users"
        " LEFT JOIN fields ON fields.user_id = users.id AND fields.field = ?2 WHERE users.id = ?1",
    [DATABASE_TAKE_VERSIONS] = "UPDATE field_version SET last = last + ?1 RETURNING last",
    [DATABASE_SET_FIELD] = "INSERT INTO fields (user_id, field, version, value) VALUES (?1, ?2, ?3, ?4)"
                           " ON CONFLICT (user_id, field)"
                           " DO UPDATE SET version = excluded.version, value = excluded.value",
    [DATABASE_REMOVE_FIELD] = "DELETE FROM fields WHERE user_id = ?1 AND field = ?2",
    [DATABASE_KV_GET] = "SELECT version, value FROM kv WHERE plugin = ?1 AND key = ?2 AND expires_ms > ?3",
    [DATABASE_KV_PUT] = "INSERT INTO kv (plugin, key, version, value, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)"
                        " ON CONFLICT (plugin, key) DO UPDATE"
                        " SET version = excluded.version, value = excluded.value, expires_ms = excluded.expires_ms",
    [DATABASE_KV_REMOVE] = "DELETE FROM kv WHERE plugin = ?1 AND key = ?2",
    [DATABASE_KV_SWEEP] = "DELETE FROM kv WHERE rowid IN"
                          " (SELECT rowid FROM kv WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT 8)",
};

static core_status report(struct database *database, const char *what)
{
    log_line(CORE_LOG_ERROR, "storage: %s: %s", what, sqlite3_errmsg(database->handle));
    return CORE_ERR_INTERNAL;
}

/* --- opening and closing ------------------------------------------------------------------------------------------- */

static core_status execute(struct database *database, const char *path, const char *sql)
{
    return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? CORE_OK : report(database, path);
}

static core_status connect_to(struct database *database, const char *path, enum database_durability durability)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;

    if (sqlite3_open_v2(path, &database->handle, flags, NULL) != SQLITE_OK)
        return report(database, path);
    (void)sqlite3_busy_timeout(database->handle, BUSY_TIMEOUT_MS);
    core_status status = execute(database, path,
                                 "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
                                 "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;");
    if (status == CORE_OK)
        status = execute(database, path,
                         durability == DATABASE_ON_DISK ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    return status;
}

static core_status read_schema_version(struct database *database, int *version)
{
    sqlite3_stmt *statement = NULL;
    core_status status = CORE_ERR_INTERNAL;

    if (sqlite3_prepare_v2(database->handle, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        *version = sqlite3_column_int(statement, 0);
        status = CORE_OK;
    }
    if (status != CORE_OK)
        status = report(database, "schema version");
    (void)sqlite3_finalize(statement);
    return status;
}

static core_status check_schema(struct database *database, const char *path)
{
    int version = -1;
    core_status status = read_schema_version(database, &version);

    if (status == CORE_OK && version == 0)
        return execute(database, path, "BEGIN IMMEDIATE;" DATABASE_SCHEMA "COMMIT;");
    if (status == CORE_OK && version != DATABASE_SCHEMA_VERSION) {
        log_line(CORE_LOG_ERROR, "storage: %s has schema version %d, this host works with %d", path, version,
                 DATABASE_SCHEMA_VERSION);
        status = CORE_ERR_INTERNAL;
    }
    return status;
}

core_status database_open(struct database *database, const char *path, enum database_durability durability)
{
    pthread_mutex_init(&database->lock, NULL);
    core_status status = connect_to(database, path, durability);

    if (status == CORE_OK)
        status = check_schema(database, path);
    for (int i = 0; i < DATABASE_STATEMENTS && status == CORE_OK; i++)
        if (sqlite3_prepare_v3(database->handle, statements_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &database->statements[i], NULL) != SQLITE_OK)
            status = report(database, statements_sql[i]);
    return status;
}

void database_close(struct database *database)
{
    for (int i = 0; i < DATABASE_STATEMENTS; i++)
        (void)sqlite3_finalize(database->statements[i]);
    (void)sqlite3_close(database->handle);
    pthread_mutex_destroy(&database->lock);
}

/* --- statements ------------------------------------------------------------------------------------------------------ */

static int bind_span(sqlite3_stmt *statement, int i, struct core_span span, bool is_text)
{
    return is_text ? sqlite3_bind_text64(statement, i, span.data, span.len, SQLITE_STATIC, SQLITE_UTF8)
                   : sqlite3_bind_blob64(statement, i, span.data, span.len, SQLITE_STATIC);
}

static core_status bind_all(struct database *database, sqlite3_stmt *statement, const char *kinds, va_list values)
{
    int status = SQLITE_OK;

    for (int i = 1; kinds[i - 1] && status == SQLITE_OK; i++) {
        switch (kinds[i - 1]) {
        case 't': status = sqlite3_bind_text(statement, i, va_arg(values, const char *), -1, SQLITE_STATIC); break;
        case 's': status = bind_span(statement, i, va_arg(values, struct core_span), true); break;
        case 'v': status = bind_span(statement, i, va_arg(values, struct core_span), false); break;
        case 'h':
            status =
                sqlite3_bind_blob(statement, i, va_arg(values, const void *), STORAGE_TOKEN_HASH_LEN, SQLITE_STATIC);
            break;
        case 'i': status = sqlite3_bind_int64(statement, i, va_arg(values, int64_t)); break;
        default: status = SQLITE_MISUSE;
        }
    }
    return status == SQLITE_OK ? CORE_OK : report(database, "bind");
}

core_status database_next(struct database *database, enum database_statement which)
{
    switch (sqlite3_step(database->statements[which])) {
    case SQLITE_ROW: return CORE_OK;
    case SQLITE_DONE: return CORE_ERR_NOT_FOUND;
    case SQLITE_CONSTRAINT: return CORE_ERR_CONFLICT;
    default: return report(database, statements_sql[which]);
    }
}

static core_status start(struct database *database, enum database_statement which, const char *kinds, va_list values)
{
    core_status status = bind_all(database, database->statements[which], kinds, values);

    return status == CORE_OK ? database_next(database, which) : status;
}

core_status database_start(struct database *database, enum database_statement which, const char *kinds, ...)
{
    va_list values;

    va_start(values, kinds);
    core_status status = start(database, which, kinds, values);
    va_end(values);
    return status;
}

sqlite3_stmt *database_row(struct database *database, enum database_statement which)
{
    return database->statements[which];
}

void database_finish(struct database *database, enum database_statement which)
{
    (void)sqlite3_reset(database->statements[which]);
    (void)sqlite3_clear_bindings(database->statements[which]);
}

core_status database_run(struct database *database, enum database_statement which, const char *kinds, ...)
{
    va_list values;

    va_start(values, kinds);
    core_status status = start(database, which, kinds, values);
    va_end(values);
    database_finish(database, which);
    if (status == CORE_ERR_NOT_FOUND)
        return CORE_OK;
    return status == CORE_OK ? CORE_ERR_INTERNAL : status;
}

/* --- transactions ------------------------------------------------------------------------------------------------------ */

/* Of a transaction: what one thread has written, which waits for the commit. It is gone as soon as it is over. */
struct database_part {
    sem_t is_over;
    core_status status;
    struct database_part *next;
};

static void settle(struct database *database, core_status status)
{
    struct database_part *part, *next;

    LL_FOREACH_SAFE(database->parts, part, next)
    {
        part->status = status;
        (void)sem_post(&part->is_over);
    }
    database->parts = NULL;
}

/* Some failures end the transaction by themselves. Versions taken in it are not this connection's any more. */
static void undo(struct database *database)
{
    if (!sqlite3_get_autocommit(database->handle))
        (void)!database_run(database, DATABASE_ROLLBACK, "");
    database->version = database->version_limit = 0;
    settle(database, CORE_ERR_INTERNAL);
}

static void commit(struct database *database)
{
    if (!sqlite3_get_autocommit(database->handle) && database_run(database, DATABASE_COMMIT, "") == CORE_OK)
        settle(database, CORE_OK);
    else
        undo(database);
}

core_status database_begin(struct database *database)
{
    core_status status = CORE_OK;

    atomic_fetch_add(&database->arriving, 1);
    pthread_mutex_lock(&database->lock);
    atomic_fetch_sub(&database->arriving, 1);
    if (sqlite3_get_autocommit(database->handle))
        status = database_run(database, DATABASE_BEGIN, "");
    if (status != CORE_OK)
        pthread_mutex_unlock(&database->lock);
    return status;
}

core_status database_end(struct database *database, core_status status)
{
    struct database_part part = {.status = CORE_ERR_INTERNAL};
    bool is_refused = status == CORE_ERR_NOT_FOUND || status == CORE_ERR_CONFLICT;

    (void)sem_init(&part.is_over, 0, 0);
    LL_PREPEND(database->parts, &part);
    if (status != CORE_OK && !is_refused)
        undo(database);
    else if (atomic_load(&database->arriving) == 0)
        commit(database); /* else whoever arrives will */
    pthread_mutex_unlock(&database->lock);
    while (sem_wait(&part.is_over) != 0)
        continue; /* a signal came */
    (void)sem_destroy(&part.is_over);
    return status == CORE_OK ? part.status : status;
}

/* --- versions and values ------------------------------------------------------------------------------------------------ */

static core_status take_versions(struct database *database)
{
    core_status status = database_start(database, DATABASE_TAKE_VERSIONS, "i", (int64_t)VERSIONS_TAKEN);

    if (status == CORE_OK) {
        database->version_limit = sqlite3_column_int64(database_row(database, DATABASE_TAKE_VERSIONS), 0);
        database->version = database->version_limit - VERSIONS_TAKEN;
        status = database_next(database, DATABASE_TAKE_VERSIONS) == CORE_ERR_NOT_FOUND ? CORE_OK : CORE_ERR_INTERNAL;
    } else if (status == CORE_ERR_NOT_FOUND) {
        status = CORE_ERR_INTERNAL;
    }
    database_finish(database, DATABASE_TAKE_VERSIONS);
    return status;
}

core_status database_take_version(struct database *database, int64_t *version)
{
    core_status status = database->version < database->version_limit ? CORE_OK : take_versions(database);

    *version = status == CORE_OK ? ++database->version : 0;
    return status;
}

core_status database_copy_value(sqlite3_stmt *row, void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    const void *value = sqlite3_column_blob(row, 1);
    uint64_t value_len = (uint64_t)sqlite3_column_bytes(row, 1);

    if (!value)
        return CORE_ERR_MEMORY;
    *len = value_len;
    if (value_len > buffer_size)
        return CORE_ERR_TOO_SMALL;
    memcpy(buffer, value, (size_t)value_len);
    *version = (uint64_t)sqlite3_column_int64(row, 0);
    return CORE_OK;
}

void database_copy_text(sqlite3_stmt *row, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(row, column);

    (void)snprintf(out, size, "%s", text ? (const char *)text : "");
}
