/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage.h"
#include "storage_parts.h"

#define THREADS 8
#define ROUNDS 25

struct world {
    char dir[64];
    struct storage *storage;
    struct storage_user user;
};

static struct core_span span_of(const char *text)
{
    return (struct core_span){text, strlen(text)};
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    if (!world || sodium_init() < 0)
        return -1;
    strcpy(world->dir, "/tmp/test_storage_XXXXXX");
    strcpy(world->user.username, "alice");
    strcpy(world->user.language, "fr");
    *state = world;
    if (!mkdtemp(world->dir) || storage_open(&world->storage, world->dir) != CORE_OK)
        return -1;
    return storage_add_user(world->storage, &world->user, NULL, "a-hash") == CORE_OK ? 0 : -1;
}

static void remove_file(const char *dir, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    (void)unlink(path);
}

static int tear_down(void **state)
{
    struct world *world = *state;

    storage_close(world->storage);
    remove_file(world->dir, "host.sqlite3");
    remove_file(world->dir, "host.sqlite3-wal");
    remove_file(world->dir, "host.sqlite3-shm");
    remove_file(world->dir, "lock");
    (void)rmdir(world->dir);
    free(world);
    return 0;
}

static void reopen(struct world *world)
{
    storage_close(world->storage);
    assert_int_equal(storage_open(&world->storage, world->dir), CORE_OK);
}

static core_status load(struct world *world, char *value, size_t size, uint64_t *version)
{
    uint64_t len = 0;
    core_status status =
        storage_load_field(world->storage, span_of(world->user.id), "mfa", value, size - 1, &len, version);

    value[status == CORE_OK ? len : 0] = '\0';
    return status;
}

static core_status store(struct world *world, uint64_t expected, const char *value)
{
    struct core_span span = value ? span_of(value) : (struct core_span){NULL, 0};

    return storage_store_field(world->storage, span_of(world->user.id), "mfa", expected, span);
}

static void users_survive_a_restart(void **state)
{
    struct world *world = *state;
    struct storage_user user;
    char hash[crypto_pwhash_STRBYTES];

    reopen(world);
    assert_int_equal(storage_find_user(world->storage, "alice", &user), CORE_OK);
    assert_string_equal(user.id, world->user.id);
    assert_string_equal(user.language, "fr");
    assert_int_equal(storage_load_password(world->storage, span_of(user.id), hash), CORE_OK);
    assert_string_equal(hash, "a-hash");
}

static void an_unknown_user_is_not_found(void **state)
{
    struct world *world = *state;
    struct storage_user user;
    char hash[crypto_pwhash_STRBYTES];

    assert_int_equal(storage_find_user(world->storage, "nobody", &user), CORE_ERR_NOT_FOUND);
    assert_string_equal(user.id, "");
    assert_int_equal(storage_load_password(world->storage, span_of("nobody"), hash), CORE_ERR_NOT_FOUND);
}

static void a_username_is_taken_once(void **state)
{
    struct world *world = *state;
    struct storage_user again = {.username = "alice", .language = "en"}, found;

    assert_int_equal(storage_add_user(world->storage, &again, NULL, "other"), CORE_ERR_CONFLICT);
    assert_int_equal(storage_find_user(world->storage, "alice", &found), CORE_OK);
    assert_string_equal(found.id, world->user.id);
}

static void a_removed_access_is_gone(void **state)
{
    struct world *world = *state;
    struct storage_access access = {.token_hash = {7}, .type = "app", .name = "x"}, found;

    strcpy(access.user_id, world->user.id);
    assert_int_equal(storage_find_access(world->storage, access.token_hash, &found), CORE_ERR_NOT_FOUND);
    assert_int_equal(storage_add_access(world->storage, &access, "[]"), CORE_OK);
    assert_int_equal(storage_find_access(world->storage, access.token_hash, &found), CORE_OK);
    assert_string_equal(found.user_id, world->user.id);
    assert_string_equal(found.type, "app");
    assert_int_equal(storage_remove_access(world->storage, access.token_hash), CORE_OK);
    assert_int_equal(storage_find_access(world->storage, access.token_hash, &found), CORE_ERR_NOT_FOUND);
}

static void an_access_needs_a_user(void **state)
{
    struct world *world = *state;
    struct storage_access access = {.user_id = "nobody", .type = "app", .name = "x"};

    assert_int_not_equal(storage_add_access(world->storage, &access, "[]"), CORE_OK);
}

static void a_field_is_written_only_at_the_expected_version(void **state)
{
    struct world *world = *state;
    char value[16];
    uint64_t first = 0, second = 0, unused = 9;

    assert_int_equal(load(world, value, sizeof(value), &unused), CORE_ERR_NOT_FOUND);
    assert_int_equal(unused, 0);
    assert_int_equal(store(world, 5, "one"), CORE_ERR_CONFLICT);
    assert_int_equal(store(world, 0, "one"), CORE_OK);
    assert_int_equal(store(world, 0, "two"), CORE_ERR_CONFLICT);
    assert_int_equal(load(world, value, sizeof(value), &first), CORE_OK);
    assert_string_equal(value, "one");
    assert_int_equal(store(world, first, "two"), CORE_OK);
    assert_int_equal(store(world, first, "three"), CORE_ERR_CONFLICT);
    assert_int_equal(load(world, value, sizeof(value), &second), CORE_OK);
    assert_string_equal(value, "two");
    assert_true(second != first);
}

static void a_read_waits_for_no_other_while_a_connection_is_free(void **state)
{
    struct world *world = *state;
    struct database *taken[STORAGE_READERS - 1];
    char value[16];
    uint64_t version = 0;

    assert_int_equal(store(world, 0, "one"), CORE_OK);
    for (size_t i = 0; i < STORAGE_READERS - 1; i++)
        taken[i] = storage_lock_reader(world->storage);
    assert_int_equal(load(world, value, sizeof(value), &version), CORE_OK);
    assert_string_equal(value, "one");
    for (size_t i = 0; i < STORAGE_READERS - 1; i++)
        pthread_mutex_unlock(&taken[i]->lock);
}

static void a_version_never_comes_back(void **state)
{
    struct world *world = *state;
    char value[16];
    uint64_t before = 0, after = 0;

    assert_int_equal(store(world, 0, "one"), CORE_OK);
    assert_int_equal(load(world, value, sizeof(value), &before), CORE_OK);
    assert_int_equal(store(world, before, NULL), CORE_OK);
    assert_int_equal(load(world, value, sizeof(value), &after), CORE_ERR_NOT_FOUND);
    reopen(world);
    assert_int_equal(store(world, 0, "one"), CORE_OK);
    assert_int_equal(load(world, value, sizeof(value), &after), CORE_OK);
    assert_true(after > before);
}

static void a_field_of_an_unknown_user_is_not_written(void **state)
{
    struct world *world = *state;

    assert_int_equal(storage_store_field(world->storage, span_of("nobody"), "mfa", 0, span_of("x")),
                     CORE_ERR_NOT_FOUND);
}

static void a_buffer_that_is_too_small_learns_the_size(void **state)
{
    struct world *world = *state;
    char value[3] = "";
    uint64_t len = 0, version = 9;

    assert_int_equal(store(world, 0, "four"), CORE_OK);
    assert_int_equal(
        storage_load_field(world->storage, span_of(world->user.id), "mfa", value, sizeof(value), &len, &version),
        CORE_ERR_TOO_SMALL);
    assert_int_equal(len, 4);
    assert_string_equal(value, "");
}

static void limit_pages(const struct world *world, const char *pragma)
{
    assert_int_equal(sqlite3_exec(world->storage->writer.handle, pragma, NULL, NULL, NULL), SQLITE_OK);
}

static void a_full_disk_leaves_a_field_as_it_was(void **state)
{
    struct world *world = *state;
    static char large[40000];
    char value[sizeof large];
    uint64_t before = 0, after = 0;

    memset(large, 'x', sizeof large - 1);
    assert_int_equal(store(world, 0, "before"), CORE_OK);
    assert_int_equal(load(world, value, sizeof value, &before), CORE_OK);
    limit_pages(world, "PRAGMA max_page_count = 1"); /* no more than there are */
    assert_int_equal(store(world, before, large), CORE_ERR_INTERNAL);
    assert_int_equal(load(world, value, sizeof value, &after), CORE_OK);
    assert_string_equal(value, "before");
    assert_int_equal(after, before);
    limit_pages(world, "PRAGMA max_page_count = 1000");
    assert_int_equal(store(world, before, large), CORE_OK);
}

static void the_profile_shows_fields_without_their_content(void **state)
{
    struct world *world = *state;
    json_t *changes = json_pack("{s:i, s:n}", "a", 1, "b"), *profile = NULL;

    assert_int_equal(store(world, 0, "{\"secret\":1}"), CORE_OK);
    assert_int_equal(storage_merge_profile(world->storage, world->user.id, changes), CORE_OK);
    assert_int_equal(storage_load_profile(world->storage, world->user.id, &profile), CORE_OK);
    char *text = json_dumps(profile, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"a\":1,\"mfa\":{\"protected\":true}}");
    free(text);
    json_decref(profile);
    json_decref(changes);
}

static void merging_sets_and_removes_keys(void **state)
{
    struct world *world = *state;
    json_t *first = json_pack("{s:i, s:s}", "a", 1, "b", "x"), *second = json_pack("{s:n, s:{s:i}}", "a", "b", "c", 2);
    json_t *profile = NULL;

    assert_int_equal(storage_merge_profile(world->storage, world->user.id, first), CORE_OK);
    assert_int_equal(storage_merge_profile(world->storage, world->user.id, second), CORE_OK);
    assert_int_equal(storage_load_profile(world->storage, world->user.id, &profile), CORE_OK);
    char *text = json_dumps(profile, JSON_COMPACT);
    assert_string_equal(text, "{\"b\":{\"c\":2}}");
    free(text);
    json_decref(profile);
    json_decref(second);
    json_decref(first);
}

static void *count_up(void *context)
{
    struct world *world = context;
    char value[16], next[16];
    uint64_t version = 0;

    for (int done = 0; done < ROUNDS;) {
        if (load(world, value, sizeof(value), &version) != CORE_OK)
            return context;
        (void)snprintf(next, sizeof(next), "%d", atoi(value) + 1);
        core_status status = store(world, version, next);
        if (status == CORE_OK)
            done++;
        else if (status != CORE_ERR_CONFLICT)
            return context;
    }
    return NULL;
}

static void no_update_of_concurrent_writers_is_lost(void **state)
{
    struct world *world = *state;
    pthread_t threads[THREADS];
    char value[16];
    uint64_t version = 0;

    assert_int_equal(store(world, 0, "0"), CORE_OK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, world), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(load(world, value, sizeof(value), &version), CORE_OK);
    assert_int_equal(atoi(value), THREADS * ROUNDS);
}

/* --- transactions of several threads ------------------------------------------------------------------------------------ */

static int count_commit(void *context)
{
    ++*(int *)context;
    return 0;
}

/* A second thread merges `changes` into the profile while the test's own write is under way. */
struct neighbour {
    struct world *world;
    json_t *changes;
    core_status status;
};

static void *merge_too(void *context)
{
    struct neighbour *neighbour = context;

    neighbour->status = storage_merge_profile(neighbour->world->storage, neighbour->world->user.id, neighbour->changes);
    return NULL;
}

static core_status write_together(struct neighbour *neighbour, const char *user_id)
{
    struct database *writer = &neighbour->world->storage->writer;
    pthread_t thread;

    assert_int_equal(database_begin(writer), CORE_OK);
    assert_int_equal(pthread_create(&thread, NULL, merge_too, neighbour), 0);
    while (atomic_load(&writer->arriving) == 0)
        (void)usleep(100);
    core_status status = database_run(writer, DATABASE_SET_PROFILE, "ttt", user_id, "ours", "1");
    status = database_end(writer, status);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return status;
}

static void assert_profile(struct world *world, const char *expected)
{
    json_t *profile = NULL;

    assert_int_equal(storage_load_profile(world->storage, world->user.id, &profile), CORE_OK);
    char *text = json_dumps(profile, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, expected);
    free(text);
    json_decref(profile);
}

static void writes_that_meet_have_one_commit(void **state)
{
    struct world *world = *state;
    struct neighbour neighbour = {.world = world, .changes = json_pack("{s:i}", "theirs", 2)};
    int commits = 0;

    (void)sqlite3_commit_hook(world->storage->writer.handle, count_commit, &commits);
    assert_int_equal(write_together(&neighbour, world->user.id), CORE_OK);
    assert_int_equal(neighbour.status, CORE_OK);
    assert_int_equal(commits, 1);
    reopen(world);
    assert_profile(world, "{\"ours\":1,\"theirs\":2}");
    json_decref(neighbour.changes);
}

static void a_refused_write_leaves_those_it_met(void **state)
{
    struct world *world = *state;
    struct neighbour neighbour = {.world = world, .changes = json_pack("{s:i}", "theirs", 2)};

    assert_int_equal(write_together(&neighbour, "nobody"), CORE_ERR_CONFLICT);
    assert_int_equal(neighbour.status, CORE_OK);
    reopen(world);
    assert_profile(world, "{\"theirs\":2}");
    json_decref(neighbour.changes);
}

static void a_write_that_fails_half_way_undoes_those_it_met_who_are_told(void **state)
{
    struct world *world = *state;
    struct neighbour neighbour = {.world = world, .changes = json_pack("{s:i}", "theirs", 2)};

    /* Text that is not UTF-8 cannot be written as JSON. */
    assert_int_equal(json_object_set_new(neighbour.changes, "broken", json_stringn_nocheck("\xff", 1)), 0);
    assert_int_equal(write_together(&neighbour, world->user.id), CORE_ERR_INTERNAL);
    assert_int_not_equal(neighbour.status, CORE_OK);
    assert_profile(world, "{}");
    json_decref(neighbour.changes);
    neighbour.changes = json_pack("{s:i}", "theirs", 3);
    assert_int_equal(write_together(&neighbour, world->user.id), CORE_OK);
    assert_profile(world, "{\"ours\":1,\"theirs\":3}");
    json_decref(neighbour.changes);
}

static void a_data_directory_serves_one_host(void **state)
{
    struct world *world = *state;
    struct storage *second = NULL;

    assert_int_not_equal(storage_open(&second, world->dir), CORE_OK);
    assert_null(second);
}

static void nobody_else_can_read_what_is_stored(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"host.sqlite3", "host.sqlite3-wal", "host.sqlite3-shm"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        struct stat seen;

        (void)snprintf(path, sizeof(path), "%s/%s", world->dir, names[i]);
        assert_int_equal(stat(path, &seen), 0);
        assert_int_equal(seen.st_mode & 0777, 0600);
    }
}

#define NOBODY 65534

static void give_away(const char *dir, const char *name, mode_t mode)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(chmod(path, mode), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
}

static void a_database_that_cannot_be_written_is_refused(void **state)
{
    struct world *world = *state;
    const uid_t self = geteuid();

    storage_close(world->storage);
    world->storage = NULL;
    give_away(world->dir, ".", 0700);
    give_away(world->dir, "lock", 0600);
    give_away(world->dir, "host.sqlite3", 0400);
    if (self == 0) /* who may write everything */
        assert_int_equal(seteuid(NOBODY), 0);
    core_status status = storage_open(&world->storage, world->dir);
    assert_int_equal(seteuid(self), 0);
    assert_int_not_equal(status, CORE_OK);
}

static void a_database_of_another_schema_is_refused(void **state)
{
    struct world *world = *state;
    char path[128];
    sqlite3 *db = NULL;

    storage_close(world->storage);
    (void)snprintf(path, sizeof(path), "%s/host.sqlite3", world->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_not_equal(storage_open(&world->storage, world->dir), CORE_OK);
    assert_null(world->storage);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(users_survive_a_restart),
        TEST(an_unknown_user_is_not_found),
        TEST(a_username_is_taken_once),
        TEST(a_removed_access_is_gone),
        TEST(an_access_needs_a_user),
        TEST(a_field_is_written_only_at_the_expected_version),
        TEST(a_read_waits_for_no_other_while_a_connection_is_free),
        TEST(a_version_never_comes_back),
        TEST(a_field_of_an_unknown_user_is_not_written),
        TEST(a_buffer_that_is_too_small_learns_the_size),
        TEST(a_full_disk_leaves_a_field_as_it_was),
        TEST(the_profile_shows_fields_without_their_content),
        TEST(merging_sets_and_removes_keys),
        TEST(no_update_of_concurrent_writers_is_lost),
        TEST(writes_that_meet_have_one_commit),
        TEST(a_refused_write_leaves_those_it_met),
        TEST(a_write_that_fails_half_way_undoes_those_it_met_who_are_told),
        TEST(a_data_directory_serves_one_host),
        TEST(nobody_else_can_read_what_is_stored),
        TEST(a_database_that_cannot_be_written_is_refused),
        TEST(a_database_of_another_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
