/* SPDX-License-Identifier: Apache-2.0 */
#include "storage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "storage_parts.h"

/* --- opening and closing ------------------------------------------------------------------------------------------- */

static core_status take_directory(struct storage *storage, const char *dir)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/lock", dir);

    if (len < 0 || (size_t)len >= sizeof(path))
        return CORE_ERR_INTERNAL;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        log_line(CORE_LOG_ERROR, "storage: cannot make the data directory %s: %s", dir, strerror(errno));
        return CORE_ERR_INTERNAL;
    }
    storage->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (storage->lock_fd < 0) {
        log_line(CORE_LOG_ERROR, "storage: cannot open %s: %s", path, strerror(errno));
        return CORE_ERR_INTERNAL;
    }
    if (flock(storage->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        log_line(CORE_LOG_ERROR, "storage: the data directory %s is in use by another host", dir);
        return CORE_ERR_INTERNAL;
    }
    return CORE_OK;
}

/* SQLite would make it readable for everybody, and be content with one that cannot be written. */
static core_status take_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        log_line(CORE_LOG_ERROR, "storage: cannot write %s: %s", path, strerror(errno));
        return CORE_ERR_INTERNAL;
    }
    (void)close(fd);
    return CORE_OK;
}

static core_status open_parts(struct storage *storage, const char *dir)
{
    char path[PATH_MAX];
    int len = dir ? snprintf(path, sizeof(path), "%s/host.sqlite3", dir)
                  : snprintf(path, sizeof(path), "file:host-%p?mode=memory&cache=shared", (const void *)storage);
    core_status status = CORE_OK;

    if (len < 0 || (size_t)len >= sizeof(path))
        return CORE_ERR_INTERNAL;
    if (dir && ((status = take_directory(storage, dir)) != CORE_OK || (status = take_file(path)) != CORE_OK))
        return status;
    storage->users = user_cache_new();
    if (!storage->users)
        return CORE_ERR_MEMORY;
    status = database_open(&storage->writer, path, DATABASE_ON_DISK);
    for (int i = 0; i < STORAGE_READERS && status == CORE_OK; i++)
        status = database_open(&storage->readers[i], path, DATABASE_ON_DISK);
    return status == CORE_OK ? database_open(&storage->kv, path, DATABASE_BEHIND) : status;
}

core_status storage_open(struct storage **out, const char *dir)
{
    struct storage *storage = calloc(1, sizeof(*storage));

    *out = NULL;
    if (!storage)
        return CORE_ERR_MEMORY;
    storage->lock_fd = -1;
    core_status status = open_parts(storage, dir);
    if (status == CORE_OK)
        *out = storage; /* transferred */
    else
        storage_close(storage);
    return status;
}

void storage_close(struct storage *storage)
{
    if (!storage)
        return;
    database_close(&storage->kv);
    for (int i = 0; i < STORAGE_READERS; i++)
        database_close(&storage->readers[i]);
    database_close(&storage->writer);
    if (storage->lock_fd >= 0)
        (void)close(storage->lock_fd);
    user_cache_free(storage->users);
    free(storage);
}

struct database *storage_lock_reader(struct storage *storage)
{
    for (int i = 0; i < STORAGE_READERS; i++)
        if (pthread_mutex_trylock(&storage->readers[i].lock) == 0)
            return &storage->readers[i];
    pthread_mutex_lock(&storage->readers[0].lock);
    return &storage->readers[0];
}

/* --- users and accesses ---------------------------------------------------------------------------------------------- */

static void make_id(char id[static STORAGE_ID_LEN + 1])
{
    unsigned char bytes[STORAGE_ID_LEN / 2];

    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2hex(id, STORAGE_ID_LEN + 1, bytes, sizeof(bytes));
}

core_status storage_add_user(struct storage *storage, struct storage_user *user, const char *email,
                             const char *secret_password_hash)
{
    core_status status = database_begin(&storage->writer);

    if (status != CORE_OK)
        return status;
    make_id(user->id);
    status = database_run(&storage->writer, DATABASE_ADD_USER, "ttttt", user->id, user->username, user->language, email,
                          secret_password_hash);
    return database_end(&storage->writer, status);
}

core_status storage_find_user(struct storage *storage, const char *username, struct storage_user *user)
{
    if (user_cache_find(storage->users, username, user))
        return CORE_OK;
    memset(user, 0, sizeof(*user));
    struct database *reader = storage_lock_reader(storage);
    core_status status = database_start(reader, DATABASE_FIND_USER, "t", username);
    if (status == CORE_OK) {
        sqlite3_stmt *row = database_row(reader, DATABASE_FIND_USER);
        database_copy_text(row, 0, user->id, sizeof(user->id));
        database_copy_text(row, 1, user->username, sizeof(user->username));
        database_copy_text(row, 2, user->language, sizeof(user->language));
    }
    database_finish(reader, DATABASE_FIND_USER);
    pthread_mutex_unlock(&reader->lock);
    if (status == CORE_OK)
        user_cache_add(storage->users, user);
    return status;
}

core_status storage_load_password(struct storage *storage, struct core_span user_id,
                                  char secret_password_hash[static crypto_pwhash_STRBYTES])
{
    struct database *reader = storage_lock_reader(storage);

    memset(secret_password_hash, 0, crypto_pwhash_STRBYTES);
    core_status status = database_start(reader, DATABASE_LOAD_PASSWORD, "s", user_id);
    if (status == CORE_OK)
        database_copy_text(database_row(reader, DATABASE_LOAD_PASSWORD), 0, secret_password_hash,
                           crypto_pwhash_STRBYTES);
    database_finish(reader, DATABASE_LOAD_PASSWORD);
    pthread_mutex_unlock(&reader->lock);
    return status;
}

core_status storage_add_access(struct storage *storage, struct storage_access *access, const char *permissions)
{
    core_status status = database_begin(&storage->writer);

    if (status != CORE_OK)
        return status;
    make_id(access->id);
    status = database_run(&storage->writer, DATABASE_ADD_ACCESS, "httttt", access->token_hash, access->id,
                          access->user_id, access->type, access->name, permissions);
    return database_end(&storage->writer, status);
}

core_status storage_find_access(struct storage *storage, const uint8_t token_hash[static STORAGE_TOKEN_HASH_LEN],
                                struct storage_access *access)
{
    struct database *reader = storage_lock_reader(storage);

    memset(access, 0, sizeof(*access));
    core_status status = database_start(reader, DATABASE_FIND_ACCESS, "h", token_hash);
    if (status == CORE_OK) {
        sqlite3_stmt *row = database_row(reader, DATABASE_FIND_ACCESS);
        memcpy(access->token_hash, token_hash, STORAGE_TOKEN_HASH_LEN);
        database_copy_text(row, 0, access->id, sizeof(access->id));
        database_copy_text(row, 1, access->user_id, sizeof(access->user_id));
        database_copy_text(row, 2, access->type, sizeof(access->type));
        database_copy_text(row, 3, access->name, sizeof(access->name));
    }
    database_finish(reader, DATABASE_FIND_ACCESS);
    pthread_mutex_unlock(&reader->lock);
    return status;
}

core_status storage_remove_access(struct storage *storage, const uint8_t token_hash[static STORAGE_TOKEN_HASH_LEN])
{
    core_status status = database_begin(&storage->writer);

    if (status != CORE_OK)
        return status;
    status = database_run(&storage->writer, DATABASE_REMOVE_ACCESS, "h", token_hash);
    return database_end(&storage->writer, status);
}
