/* SPDX-License-Identifier: Apache-2.0
 *
 * database_schema.h: what the database looks like. A change here is a new DATABASE_SCHEMA_VERSION; a database of another
 * version is refused, not guessed at.
 */
#ifndef DATABASE_SCHEMA_H
#define DATABASE_SCHEMA_H

#define DATABASE_SCHEMA_VERSION 2

/* Versions come from one counter, so that a version never comes back, also not after a field or value was removed. */
#define DATABASE_SCHEMA                                                                                                \
    "CREATE TABLE users (id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, language TEXT NOT NULL, email TEXT,"      \
    " password_hash TEXT NOT NULL) STRICT;"                                                                            \
    "CREATE TABLE accesses (token_hash BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE,"                                     \
    " user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,"                                                  \
    " type TEXT NOT NULL CHECK (type IN ('personal', 'app', 'shared')), name TEXT NOT NULL, permissions TEXT) STRICT;" \
    "CREATE INDEX accesses_of_user ON accesses (user_id);"                                                             \
    "CREATE TABLE profile (user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, key TEXT NOT NULL,"          \
    " value TEXT NOT NULL, PRIMARY KEY (user_id, key)) STRICT;"                                                        \
    "CREATE TABLE fields (user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, field TEXT NOT NULL,"         \
    " version INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (user_id, field)) STRICT;"                            \
    "CREATE TABLE field_version (last INTEGER NOT NULL) STRICT;"                                                       \
    "INSERT INTO field_version VALUES (0);"                                                                            \
    "CREATE TABLE kv (plugin TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,"         \
    " expires_ms INTEGER NOT NULL, PRIMARY KEY (plugin, key)) STRICT;"                                                 \
    "CREATE INDEX kv_by_expiry ON kv (expires_ms);"                                                                    \
    "PRAGMA user_version = 2;"

#endif
