/* SPDX-License-Identifier: Apache-2.0
 *
 * test_storage_kv.c: the capability core.kv/1 as a plugin gets it, over a database on disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "core_cap_kv.h"
#include "host.h"
#include "host_api.h"
#include "storage.h"

#define THREADS 8
#define ROUNDS 25

struct world {
    char dir[64];
    struct host host;
    struct core_plugin_descriptor descriptors[2];
    struct plugin plugins[2]; /* two of them, over one host */
    const struct core_cap_kv *kv;
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
    strcpy(world->dir, "/tmp/test_storage_kv_XXXXXX");
    if (!mkdtemp(world->dir) || storage_open(&world->host.storage, world->dir) != CORE_OK)
        return -1;
    for (size_t i = 0; i < 2; i++) {
        world->descriptors[i].name = i == 0 ? "first" : "second";
        world->plugins[i].host = &world->host;
        world->plugins[i].descriptor = &world->descriptors[i];
        host_api_init(&world->plugins[i]);
    }
    world->kv = core_cap_kv_of(&world->plugins[0].table);
    *state = world;
    return world->kv ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    char path[sizeof(world->dir) + sizeof(((struct dirent *)NULL)->d_name) + 1];
    const struct dirent *entry;

    storage_close(world->host.storage);
    DIR *dir = opendir(world->dir);
    while (dir && (entry = readdir(dir))) {
        (void)snprintf(path, sizeof(path), "%s/%s", world->dir, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(dir);
    (void)rmdir(world->dir);
    free(world);
    return 0;
}

static core_status put_as(struct world *world, size_t plugin, const char *key, const char *value, int64_t expires_ms,
                          uint64_t *version)
{
    struct core_span bytes = value ? span_of(value) : (struct core_span){0};

    return world->kv->put(&world->plugins[plugin].table, span_of(key), bytes, expires_ms, version);
}

static core_status put(struct world *world, const char *key, const char *value, uint64_t *version)
{
    return put_as(world, 0, key, value, 0, version);
}

static core_status get_as(struct world *world, size_t plugin, const char *key, char *value, size_t size,
                          uint64_t *version)
{
    uint64_t len = 0;
    core_status status = world->kv->get(&world->plugins[plugin].table, span_of(key), value, size - 1, &len, version);

    value[status == CORE_OK ? len : 0] = '\0';
    return status;
}

static void assert_value(struct world *world, const char *key, const char *expected, uint64_t expected_version)
{
    char value[64];
    uint64_t version = 99;

    assert_int_equal(get_as(world, 0, key, value, sizeof(value), &version), expected ? CORE_OK : CORE_ERR_NOT_FOUND);
    assert_string_equal(value, expected ? expected : "");
    assert_int_equal(version, expected_version);
}

static void a_value_comes_back_at_its_version(void **state)
{
    uint64_t version = 0;

    assert_value(*state, "k", NULL, 0);
    assert_int_equal(put(*state, "k", "one", &version), CORE_OK);
    assert_int_not_equal(version, 0);
    assert_value(*state, "k", "one", version);
    assert_int_equal(put(*state, "k", "another", &version), CORE_OK);
    assert_value(*state, "k", "another", version);
}

static void a_value_at_another_version_is_left_alone(void **state)
{
    uint64_t version = 0, none = 0, old = 0;

    assert_int_equal(put(*state, "k", "one", &version), CORE_OK);
    old = version;
    assert_int_equal(put(*state, "k", "late", &none), CORE_ERR_CONFLICT);
    assert_int_equal(none, 0);
    assert_int_equal(put(*state, "k", "two", &version), CORE_OK);
    assert_int_equal(put(*state, "k", "late", &old), CORE_ERR_CONFLICT);
    assert_int_equal(put(*state, "k", NULL, &old), CORE_ERR_CONFLICT);
    assert_value(*state, "k", "two", version);
    assert_int_equal(put(*state, "other", "x", &old), CORE_ERR_CONFLICT);
}

static void a_version_never_comes_back(void **state)
{
    uint64_t first = 0, second = 0;

    assert_int_equal(put(*state, "k", "one", &first), CORE_OK);
    second = first;
    assert_int_equal(put(*state, "k", NULL, &second), CORE_OK);
    assert_int_equal(second, 0);
    assert_value(*state, "k", NULL, 0);
    assert_int_equal(put(*state, "k", "one", &second), CORE_OK);
    assert_int_not_equal(first, second);
}

static void plugins_do_not_see_each_others_values(void **state)
{
    char value[16];
    uint64_t first = 0, second = 0;

    assert_int_equal(put_as(*state, 0, "k", "first's", 0, &first), CORE_OK);
    assert_int_equal(get_as(*state, 1, "k", value, sizeof(value), &second), CORE_ERR_NOT_FOUND);
    assert_int_equal(put_as(*state, 1, "k", "second's", 0, &second), CORE_OK);
    assert_value(*state, "k", "first's", first);
}

static void an_expired_value_does_not_exist(void **state)
{
    int64_t now_ms = 0;
    uint64_t version = 0, old = 0;

    assert_true(clock_wall(&now_ms));
    assert_int_equal(put_as(*state, 0, "k", "for long", now_ms + 3600 * 1000, &version), CORE_OK);
    assert_value(*state, "k", "for long", version);
    assert_int_equal(put_as(*state, 0, "k", "over", now_ms, &version), CORE_OK);
    assert_value(*state, "k", NULL, 0);
    old = version;
    assert_int_equal(put_as(*state, 0, "k", "new", 0, &old), CORE_ERR_CONFLICT);
    version = 0;
    assert_int_equal(put_as(*state, 0, "k", "new", 0, &version), CORE_OK);
    assert_value(*state, "k", "new", version);
}

static int count_rows(const struct world *world)
{
    char path[128];
    sqlite3 *database = NULL;
    sqlite3_stmt *count = NULL;

    (void)snprintf(path, sizeof(path), "%s/host.sqlite3", world->dir);
    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, "SELECT COUNT(*) FROM kv", -1, &count, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    int rows = sqlite3_column_int(count, 0);
    (void)sqlite3_finalize(count);
    (void)sqlite3_close(database);
    return rows;
}

static void expired_values_are_swept_by_and_by(void **state)
{
    uint64_t version;
    char key[16];

    for (int i = 0; i < 20; i++) {
        version = 0;
        (void)snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(put_as(*state, 0, key, "over", 1, &version), CORE_OK);
    }
    for (int i = 0; i < 3; i++) {
        version = 0;
        (void)snprintf(key, sizeof(key), "n%d", i);
        assert_int_equal(put(*state, key, "stays", &version), CORE_OK);
    }
    assert_int_equal(count_rows(*state), 3);
}

static void values_outlive_the_process(void **state)
{
    struct world *world = *state;
    uint64_t version = 0;

    assert_int_equal(put(world, "k", "kept", &version), CORE_OK);
    storage_close(world->host.storage);
    assert_int_equal(storage_open(&world->host.storage, world->dir), CORE_OK);
    assert_value(world, "k", "kept", version);
}

static void a_buffer_too_small_is_told_the_size_it_needs(void **state)
{
    struct world *world = *state;
    char buffer[4] = "xyz";
    uint64_t len = 0, version = 0;

    assert_int_equal(put(world, "k", "12345", &version), CORE_OK);
    assert_int_equal(world->kv->get(&world->plugins[0].table, span_of("k"), buffer, 3, &len, &version),
                     CORE_ERR_TOO_SMALL);
    assert_int_equal(len, 5);
    assert_int_equal(version, 0);
    assert_string_equal(buffer, "xyz");
    assert_int_equal(world->kv->get(&world->plugins[0].table, span_of("k"), NULL, 0, &len, &version),
                     CORE_ERR_TOO_SMALL);
}

static void what_the_contract_forbids_is_refused(void **state)
{
    static const char *const bad_keys[] = {
        "", "a b", "a/b", "\xc3\xa9", "a\n", "00000000000000000000000000000000000000000000000000000000000000000"};
    struct world *world = *state;
    const struct core_host *host = &world->plugins[0].table;
    char value[16], *large = calloc(1, CORE_KV_VALUE_MAX + 1);
    uint64_t len = 0, version = 0;

    assert_non_null(large);
    for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
        assert_int_equal(put(world, bad_keys[i], "v", &version), CORE_ERR_ARGUMENT);
        assert_int_equal(get_as(world, 0, bad_keys[i], value, sizeof(value), &version), CORE_ERR_ARGUMENT);
    }
    assert_int_equal(put(world, "k", "", &version), CORE_ERR_ARGUMENT);
    assert_int_equal(put_as(world, 0, "k", "v", -1, &version), CORE_ERR_ARGUMENT);
    assert_int_equal(put(world, "k", "v", NULL), CORE_ERR_ARGUMENT);
    assert_int_equal(world->kv->put(host, span_of("k"), (struct core_span){large, CORE_KV_VALUE_MAX + 1}, 0, &version),
                     CORE_ERR_ARGUMENT);
    assert_int_equal(world->kv->get(host, span_of("k"), NULL, 5, &len, &version), CORE_ERR_ARGUMENT);
    assert_int_equal(world->kv->get(host, span_of("k"), value, 5, NULL, &version), CORE_ERR_ARGUMENT);
    assert_int_equal(world->kv->get(host, span_of("k"), value, 5, &len, NULL), CORE_ERR_ARGUMENT);
    assert_int_equal(world->kv->put(host, span_of("k"), (struct core_span){large, CORE_KV_VALUE_MAX}, 0, &version),
                     CORE_OK);
    free(large);
}

static void other_capabilities_are_not_offered(void **state)
{
    struct world *world = *state;
    const struct core_host *host = &world->plugins[0].table;

    assert_null(host->capability(host, "core.kv/2"));
    assert_null(host->capability(host, ""));
    assert_null(host->capability(host, NULL));
}

/* Adds one to a number in the table, again and again until it is taken. */
static void *count_up(void *arg)
{
    struct world *world = arg;

    for (int i = 0; i < ROUNDS; i++) {
        core_status status = CORE_ERR_CONFLICT;
        while (status == CORE_ERR_CONFLICT) {
            char value[16];
            uint64_t version = 0;
            (void)get_as(world, 0, "count", value, sizeof(value), &version);
            (void)snprintf(value, sizeof(value), "%d", atoi(value) + 1);
            status = put(world, "count", value, &version);
        }
        if (status != CORE_OK)
            return world;
    }
    return NULL;
}

static void no_write_is_lost_among_threads(void **state)
{
    struct world *world = *state;
    pthread_t threads[THREADS];
    char value[16];
    uint64_t version = 0;

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, world), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(get_as(world, 0, "count", value, sizeof(value), &version), CORE_OK);
    assert_int_equal(atoi(value), THREADS * ROUNDS);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_value_comes_back_at_its_version),    IN_WORLD(a_value_at_another_version_is_left_alone),
        IN_WORLD(a_version_never_comes_back),           IN_WORLD(plugins_do_not_see_each_others_values),
        IN_WORLD(an_expired_value_does_not_exist),      IN_WORLD(expired_values_are_swept_by_and_by),
        IN_WORLD(values_outlive_the_process),           IN_WORLD(a_buffer_too_small_is_told_the_size_it_needs),
        IN_WORLD(what_the_contract_forbids_is_refused), IN_WORLD(other_capabilities_are_not_offered),
        IN_WORLD(no_write_is_lost_among_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
