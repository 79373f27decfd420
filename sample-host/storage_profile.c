/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "storage_parts.h"

/* --- as its owner sees it -------------------------------------------------------------------------------------------- */

static json_t *read_written_value(sqlite3_stmt *row)
{
    const char *text = (const char *)sqlite3_column_text(row, 1);

    return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static json_t *read_protected_value(sqlite3_stmt *row)
{
    (void)row;
    return json_pack("{s:b}", "protected", 1);
}

/* Adds a member for each row of a statement over the user's id: its key in the first column, its value from `read`. */
static core_status add_members(struct database *reader, enum database_statement which, const char *user_id,
                               json_t *(*read)(sqlite3_stmt *row), json_t *profile)
{
    sqlite3_stmt *row = database_row(reader, which);
    core_status status = database_start(reader, which, "t", user_id);

    while (status == CORE_OK) {
        const char *key = (const char *)sqlite3_column_text(row, 0);
        if (key && json_object_set_new(profile, key, read(row)) == 0)
            status = database_next(reader, which);
        else
            status = CORE_ERR_INTERNAL;
    }
    database_finish(reader, which);
    return status == CORE_ERR_NOT_FOUND ? CORE_OK : status;
}

core_status storage_load_profile(struct storage *storage, const char *user_id, json_t **out)
{
    json_t *profile = json_object();

    *out = NULL;
    if (!profile)
        return CORE_ERR_MEMORY;
    struct database *reader = storage_lock_reader(storage);
    core_status status = add_members(reader, DATABASE_LIST_PROFILE, user_id, read_written_value, profile);
    if (status == CORE_OK)
        status = add_members(reader, DATABASE_LIST_FIELDS, user_id, read_protected_value, profile);
    pthread_mutex_unlock(&reader->lock);
    if (status == CORE_OK)
        *out = profile; /* transferred */
    else
        json_decref(profile);
    return status;
}

static core_status write_key(struct database *writer, const char *user_id, const char *key, json_t *value)
{
    if (json_is_null(value))
        return database_run(writer, DATABASE_UNSET_PROFILE, "tt", user_id, key);

    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text)
        return CORE_ERR_MEMORY;
    core_status status = database_run(writer, DATABASE_SET_PROFILE, "ttt", user_id, key, text);
    free(text);
    return status;
}

core_status storage_merge_profile(struct storage *storage, const char *user_id, json_t *changes)
{
    const char *key;
    json_t *value;
    core_status status = database_begin(&storage->writer);

    if (status != CORE_OK)
        return status;
    json_object_foreach(changes, key, value)
    {
        if (status == CORE_OK)
            status = write_key(&storage->writer, user_id, key, value);
    }
    return database_end(&storage->writer, status);
}

/* --- the fields of plugins --------------------------------------------------------------------------------------------- */

core_status storage_load_field(struct storage *storage, struct core_span user_id, const char *field, void *buffer,
                               uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    struct database *reader = storage_lock_reader(storage);
    sqlite3_stmt *row = database_row(reader, DATABASE_LOAD_FIELD);

    *len = 0;
    *version = 0;
    core_status status = database_start(reader, DATABASE_LOAD_FIELD, "st", user_id, field);
    if (status == CORE_OK)
        status = database_copy_value(row, buffer, buffer_size, len, version);
    database_finish(reader, DATABASE_LOAD_FIELD);
    pthread_mutex_unlock(&reader->lock);
    return status;
}

static core_status expect_version(struct database *writer, struct core_span user_id, const char *field,
                                  uint64_t expected)
{
    core_status status = database_start(writer, DATABASE_FIELD_VERSION, "st", user_id, field);

    /* A field that does not exist has the version null, which reads as 0. */
    if (status == CORE_OK &&
        (uint64_t)sqlite3_column_int64(database_row(writer, DATABASE_FIELD_VERSION), 0) != expected)
        status = CORE_ERR_CONFLICT;
    database_finish(writer, DATABASE_FIELD_VERSION);
    return status;
}

static core_status set_field(struct database *writer, struct core_span user_id, const char *field,
                             struct core_span value)
{
    int64_t version = 0;
    core_status status = database_take_version(writer, &version);

    return status == CORE_OK ? database_run(writer, DATABASE_SET_FIELD, "stiv", user_id, field, version, value)
                             : status;
}

core_status storage_store_field(struct storage *storage, struct core_span user_id, const char *field, uint64_t expected,
                                struct core_span value)
{
    struct database *writer = &storage->writer;
    core_status status = database_begin(writer);

    if (status != CORE_OK)
        return status;
    status = expect_version(writer, user_id, field, expected);
    if (status == CORE_OK)
        status = value.data ? set_field(writer, user_id, field, value)
                            : database_run(writer, DATABASE_REMOVE_FIELD, "st", user_id, field);
    return database_end(writer, status);
}
