/* SPDX-License-Identifier: Apache-2.0
 *
 * database.h: one SQLite connection with its prepared statements; what storage*.c are made of. All functions but open and
 * close want the lock held.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "core_plugin.h"

/* Their SQL stands in database.c. */
enum database_statement {
    DATABASE_BEGIN,
    DATABASE_COMMIT,
    DATABASE_ROLLBACK,
    DATABASE_FIND_USER,
    DATABASE_ADD_USER,
    DATABASE_LOAD_PASSWORD,
    DATABASE_FIND_ACCESS,
    DATABASE_ADD_ACCESS,
    DATABASE_REMOVE_ACCESS,
    DATABASE_LIST_PROFILE,
    DATABASE_SET_PROFILE,
    DATABASE_UNSET_PROFILE,
    DATABASE_LIST_FIELDS,
    DATABASE_LOAD_FIELD,
    DATABASE_FIELD_VERSION,
    DATABASE_TAKE_VERSIONS,
    DATABASE_SET_FIELD,
    DATABASE_REMOVE_FIELD,
    DATABASE_KV_GET,
    DATABASE_KV_PUT,
    DATABASE_KV_REMOVE,
    DATABASE_KV_SWEEP,
    DATABASE_STATEMENTS
};

struct database {
    atomic_uint arriving;        /* threads that are about to take the lock for a transaction */
    pthread_mutex_t lock;        /* guards all below: one thread at a time */
    struct database_part *parts; /* of the open transaction, that wait for its commit */
    sqlite3 *handle;
    sqlite3_stmt *statements[DATABASE_STATEMENTS];
    int64_t version;       /* the last that was given out */
    int64_t version_limit; /* up to here they are this connection's */
};

/* Where a transaction is when it has ended. */
enum database_durability {
    DATABASE_ON_DISK,
    DATABASE_BEHIND, /* in the system's hands: it outlives the process, and the power failure only if it had the time */
};

/* Connects, makes the schema in a file that has none, and refuses one of another version; reasons are logged. Release with
 * database_close, in any case. */
core_status database_open(struct database *database, const char *path, enum database_durability durability)
    __attribute__((warn_unused_result));

/* Accepts a zeroed one. */
void database_close(struct database *database);

/* Runs a statement to its first row. Returns CORE_OK: there is one, to be read from the result of database_row;
 * CORE_ERR_NOT_FOUND: there is none; CORE_ERR_CONFLICT: a constraint forbids it; CORE_ERR_INTERNAL: logged. database_finish
 * must follow in any case; the values bound are borrowed until then. `kinds` has a letter for each value: t a text (NULL is
 * null), s a span of text, v a span of bytes, h a token's hash, i an int64_t. */
core_status database_start(struct database *database, enum database_statement which, const char *kinds, ...)
    __attribute__((warn_unused_result));

/* Steps to the next row; as database_start. */
core_status database_next(struct database *database, enum database_statement which) __attribute__((warn_unused_result));

/* The row that a started statement is at. */
sqlite3_stmt *database_row(struct database *database, enum database_statement which);

void database_finish(struct database *database, enum database_statement which);

/* Starts and finishes a statement that has no rows. */
core_status database_run(struct database *database, enum database_statement which, const char *kinds, ...)
    __attribute__((warn_unused_result));

/* Takes the lock and begins a transaction, or joins one that others have begun; on failure the lock is free again. */
core_status database_begin(struct database *database) __attribute__((warn_unused_result));

/* Ends the caller's part of the transaction, frees the lock and waits for the commit. One commit serves all who came while
 * another was under way, since it is the disk that takes the time. CORE_ERR_NOT_FOUND and CORE_ERR_CONFLICT are for a part
 * that has written nothing, which waits as well: what it has met is there for all to read when it tries again. Any other
 * failure undoes the whole transaction. Returns `status`, or why the commit failed. */
core_status database_end(struct database *database, core_status status) __attribute__((warn_unused_result));

/* Takes a version that no field or value ever had; within a transaction. */
core_status database_take_version(struct database *database, int64_t *version) __attribute__((warn_unused_result));

/* Copies a value, which has its version in the first column and its bytes in the second, as core_profile_load_fn says. */
core_status database_copy_value(sqlite3_stmt *row, void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version)
    __attribute__((warn_unused_result));

/* Copies a text column to `out`, cut to `size`; null is "". */
void database_copy_text(sqlite3_stmt *row, int column, char *out, size_t size);

#endif
