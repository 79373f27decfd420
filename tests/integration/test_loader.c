/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sample host refuses to load by what surrounds a plugin: its file, its folder, its configuration, its start.
 * What it refuses by the descriptor is in tests/abi/test_refusals.c.
 */
#include "harness.h"
#include "harness_plugins.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREATE_HAS_RUN "create of the bad plugin has run"

/* A plugins directory with mfa.so and whatever a test adds. */
struct plugins_dir {
    char *path;
    struct host *host;
};

static void add_plugin(const struct plugins_dir *dir, const char *name)
{
    char built[PATH_MAX];
    char file[NAME_MAX + 1];

    snprintf(built, sizeof built, "tests/abi/plugins/%s.so", name);
    snprintf(file, sizeof file, "%s.so", name);
    plugins_dir_add(dir->path, built, file);
}

static void init_with(struct plugins_dir *dir, const char *mfa)
{
    char *yaml = config_with(mfa);

    dir->path = plugins_dir_new();
    plugins_dir_add(dir->path, "plugins/mfa.so", "mfa.so");
    dir->host = host_new(yaml, dir->path, NULL);
    free(yaml);
}

static void init(struct plugins_dir *dir)
{
    init_with(dir, "    mode: disabled\n");
}

static void clear(struct plugins_dir *dir)
{
    host_free(dir->host);
    plugins_dir_free(dir->path);
}

static void assert_refused(const struct plugins_dir *dir, const char *file, const char *reason)
{
    assert_int_equal(host_start_refused(dir->host), 1);
    assert_true(host_log_has(dir->host, file));
    if (!host_log_has(dir->host, reason))
        fail_msg("the log does not say: %s", reason);
}

static void the_host_refuses_a_plugin_that_cannot_start(void **state)
{
    struct plugins_dir dir;

    (void)state;
    init(&dir);
    add_plugin(&dir, "create_fails");
    assert_refused(&dir, "create_fails.so", "could not be created");
    assert_true(host_log_has(dir.host, CREATE_HAS_RUN));
    clear(&dir);
}

/* Of one that is not known, the host could neither stop the threads nor free the memory. */
static void the_host_refuses_a_plugin_without_an_instance(void **state)
{
    struct plugins_dir dir;

    (void)state;
    init(&dir);
    add_plugin(&dir, "no_instance");
    assert_refused(&dir, "no_instance.so", "create gave no instance");
    assert_true(host_log_has(dir.host, CREATE_HAS_RUN));
    clear(&dir);
}

static void the_host_refuses_a_plugin_whose_section_cannot_be_read(void **state)
{
    struct plugins_dir dir;

    (void)state;
    init_with(&dir, "    mode: disabled\n  bad: 5\n");
    add_plugin(&dir, "good");
    assert_refused(&dir, "good.so", "its configuration cannot be read");
    assert_true(host_log_has(dir.host, "services.bad ("));
    assert_false(host_log_has(dir.host, CREATE_HAS_RUN));
    clear(&dir);
}

static void change_mode(const struct plugins_dir *dir, const char *file, mode_t mode)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", dir->path, file);
    assert_int_equal(chmod(path, mode), 0);
}

static void the_host_refuses_a_plugin_that_others_can_write(void **state)
{
    struct plugins_dir dir;

    (void)state;
    init(&dir);
    add_plugin(&dir, "good");
    change_mode(&dir, "good.so", 0757);
    assert_refused(&dir, "good.so", "can be written by others");
    change_mode(&dir, "good.so", 0775);
    assert_refused(&dir, "good.so", "can be written by others");
    change_mode(&dir, "good.so", 0755);
    change_mode(&dir, "", 0777);
    assert_refused(&dir, "", "directory that can be written by others");
    assert_false(host_log_has(dir.host, CREATE_HAS_RUN));
    clear(&dir);
}

static void the_host_refuses_a_plugin_of_another_user(void **state)
{
    struct plugins_dir dir;
    char path[PATH_MAX];

    (void)state;
    if (geteuid() != 0)
        skip();
    init(&dir);
    add_plugin(&dir, "good");
    snprintf(path, sizeof path, "%s/good.so", dir.path);
    assert_int_equal(chown(path, 65534, (gid_t)-1), 0);
    assert_refused(&dir, "good.so", "is owned by another user");
    clear(&dir);
}

static void make_entry(const struct plugins_dir *dir, const char *name, int make(const char *path))
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", dir->path, name);
    assert_int_equal(make(path), 0);
}

static int make_text(const char *path)
{
    FILE *file = fopen(path, "w");

    return file && fputs("not a plugin\n", file) >= 0 && fclose(file) == 0 ? chmod(path, 0644) : -1;
}

static int make_directory(const char *path)
{
    return mkdir(path, 0755);
}

static int make_pipe(const char *path)
{
    return mkfifo(path, 0600);
}

static int make_dangling_link(const char *path)
{
    return symlink("nowhere", path);
}

static void the_host_refuses_what_is_no_shared_object(void **state)
{
    static const struct {
        int (*make)(const char *path);
        const char *reason;
    } entries[] = {
        {make_text, "odd.so: file too short"},
        {make_directory, "is not a regular file"},
        {make_pipe, "is not a regular file"},
        {make_dangling_link, "No such file or directory"},
    };

    (void)state;
    for (size_t i = 0; i < host_scale(sizeof entries / sizeof entries[0], 1); i++) {
        struct plugins_dir dir;
        init(&dir);
        make_entry(&dir, "odd.so", entries[i].make);
        assert_refused(&dir, "odd.so", entries[i].reason);
        clear(&dir);
    }
}

static void the_host_refuses_a_directory_that_is_not_there(void **state)
{
    struct plugins_dir dir;
    char path[PATH_MAX];

    (void)state;
    init(&dir);
    snprintf(path, sizeof path, "%s/mfa.so", dir.path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir.path), 0);
    assert_refused(&dir, dir.path, "No such file or directory");
    assert_true(host_log_has(dir.host, " error host the plugins directory "));
    assert_int_equal(mkdir(dir.path, 0755), 0);
    clear(&dir);
}

static void the_host_refuses_a_path_that_is_too_long(void **state)
{
    struct plugins_dir dir;
    char path[PATH_MAX];
    size_t len = 0;
    char *yaml = config_with("    mode: disabled\n");
    struct host *host = NULL;

    (void)state;
    init(&dir);
    len = (size_t)snprintf(path, sizeof path, "%s/", dir.path);
    while (len + 2 < sizeof path)
        len += (size_t)snprintf(path + len, sizeof path - len, "./");
    host = host_new(yaml, path, NULL);
    assert_int_equal(host_start_refused(host), 1);
    assert_true(host_log_has(host, "mfa.so: has a path that is too long"));
    host_free(host);
    free(yaml);
    clear(&dir);
}

static void the_host_refuses_a_section_whose_plugin_is_not_there(void **state)
{
    struct plugins_dir dir;
    char path[PATH_MAX];

    (void)state;
    init(&dir);
    snprintf(path, sizeof path, "%s/mfa.so", dir.path);
    assert_int_equal(unlink(path), 0);
    assert_refused(&dir, "services.mfa (", "no plugin reads this section");
    clear(&dir);
}

static void a_good_plugin_runs_beside_ours(void **state)
{
    struct plugins_dir dir;

    (void)state;
    init(&dir);
    add_plugin(&dir, "good");
    host_start(dir.host);
    assert_true(host_log_has(dir.host, CREATE_HAS_RUN));
    host_stop(dir.host);
    clear(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_refuses_a_plugin_that_cannot_start),
        cmocka_unit_test(the_host_refuses_a_plugin_without_an_instance),
        cmocka_unit_test(the_host_refuses_a_plugin_whose_section_cannot_be_read),
        cmocka_unit_test(the_host_refuses_a_plugin_that_others_can_write),
        cmocka_unit_test(the_host_refuses_a_plugin_of_another_user),
        cmocka_unit_test(the_host_refuses_what_is_no_shared_object),
        cmocka_unit_test(the_host_refuses_a_directory_that_is_not_there),
        cmocka_unit_test(the_host_refuses_a_path_that_is_too_long),
        cmocka_unit_test(the_host_refuses_a_section_whose_plugin_is_not_there),
        cmocka_unit_test(a_good_plugin_runs_beside_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
