/* SPDX-License-Identifier: Apache-2.0
 *
 * storage.h: users, accesses and private profiles in one SQLite database in the data directory. Every write is one
 * transaction and on disk when the function returns; a process killed at any moment leaves what was before or what is
 * after. Any thread; all functions may wait for the disk.
 *
 * Users are never renamed and never removed, so what is known of one stays true.
 */
#ifndef STORAGE_H
#define STORAGE_H

#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core_plugin.h"

#define STORAGE_USERNAME_MIN 5
#define STORAGE_USERNAME_MAX 60
#define STORAGE_ID_LEN 32 /* hexadecimal digits */
#define STORAGE_NAME_MAX 256
#define STORAGE_LANGUAGE_MAX 16
#define STORAGE_TOKEN_HASH_LEN 32

struct storage;

struct storage_user {
    char id[STORAGE_ID_LEN + 1];
    char username[STORAGE_USERNAME_MAX + 1];
    char language[STORAGE_LANGUAGE_MAX + 1];
};

/* A key to an account. Of its token only a hash is stored. */
struct storage_access {
    uint8_t token_hash[STORAGE_TOKEN_HASH_LEN];
    char id[STORAGE_ID_LEN + 1];
    char user_id[STORAGE_ID_LEN + 1];
    char type[16]; /* "personal", "app" or "shared" */
    char name[STORAGE_NAME_MAX + 1];
};

/* Opens the database in `dir`, making both if they do not exist, and keeps other hosts out of it. NULL is an empty database
 * in memory, for a host that only checks its configuration while another may be running. Returns CORE_OK, or
 * CORE_ERR_INTERNAL or CORE_ERR_MEMORY with the reason logged. `*out` is owned by caller, release with
 * storage_close. */
core_status storage_open(struct storage **out, const char *dir) __attribute__((warn_unused_result));

/* Accepts NULL. */
void storage_close(struct storage *storage);

/* Adds a user under a new id, which is written to `user->id`. CORE_ERR_CONFLICT: the name is taken. */
core_status storage_add_user(struct storage *storage, struct storage_user *user, const char *email,
                             const char *secret_password_hash) __attribute__((warn_unused_result));

/* CORE_ERR_NOT_FOUND: there is no user of that name; `*user` is then cleared. */
core_status storage_find_user(struct storage *storage, const char *username, struct storage_user *user)
    __attribute__((warn_unused_result));

/* Reads the password hash of a user; CORE_ERR_NOT_FOUND: there is no such user. */
core_status storage_load_password(struct storage *storage, struct core_span user_id,
                                  char secret_password_hash[static crypto_pwhash_STRBYTES])
    __attribute__((warn_unused_result));

/* Adds an access; the caller has filled in all but the id. `permissions` is JSON text or NULL. */
core_status storage_add_access(struct storage *storage, struct storage_access *access, const char *permissions)
    __attribute__((warn_unused_result));

/* CORE_ERR_NOT_FOUND: no access has a token of this hash. */
core_status storage_find_access(struct storage *storage, const uint8_t token_hash[static STORAGE_TOKEN_HASH_LEN],
                                struct storage_access *access) __attribute__((warn_unused_result));

/* Removing what is not there is CORE_OK. */
core_status storage_remove_access(struct storage *storage, const uint8_t token_hash[static STORAGE_TOKEN_HASH_LEN])
    __attribute__((warn_unused_result));

/* The private profile as its owner sees it: what the user wrote, and {"protected": true} for each field that a plugin
 * keeps there. `*out` is owned by caller, release with json_decref. */
core_status storage_load_profile(struct storage *storage, const char *user_id, json_t **out)
    __attribute__((warn_unused_result));

/* Sets the keys of `changes`, an object, in what the user wrote; a null removes the key. All or nothing. */
core_status storage_merge_profile(struct storage *storage, const char *user_id, json_t *changes)
    __attribute__((warn_unused_result));

/* A plugin's field: the contract is that of core_profile_load_fn and core_profile_store_fn. Whose field it is has been
 * checked by the caller. */
core_status storage_load_field(struct storage *storage, struct core_span user_id, const char *field, void *buffer,
                               uint64_t buffer_size, uint64_t *len, uint64_t *version)
    __attribute__((warn_unused_result));
core_status storage_store_field(struct storage *storage, struct core_span user_id, const char *field, uint64_t expected,
                                struct core_span value) __attribute__((warn_unused_result));

/* The key-value table of a plugin: the contract is that of core_kv_get_fn and core_kv_put_fn, at the wall-clock time
 * `now_ms`. Unlike the rest, a write may be lost by a power failure. */
core_status storage_kv_get(struct storage *storage, const char *plugin, struct core_span key, int64_t now_ms,
                           void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version)
    __attribute__((warn_unused_result));
core_status storage_kv_put(struct storage *storage, const char *plugin, struct core_span key, int64_t now_ms,
                           struct core_span value, int64_t expires_ms, uint64_t *version)
    __attribute__((warn_unused_result));

#endif
