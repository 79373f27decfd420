/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sample host refuses to load: one small bad plugin per rule of the host API, each beside the real one.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#define CREATE_HAS_RUN "create of the bad plugin has run"

/* A plugins directory with mfa.so and whatever a test adds. */
struct plugins_dir {
    char path[64];
    struct host *host;
};

static void copy_file(const char *from, const char *to)
{
    char command[3 * PATH_MAX];

    snprintf(command, sizeof command, "cp '%s' '%s' && chmod 755 '%s'", from, to, to);
    assert_int_equal(system(command), 0);
}

static void add_plugin(const struct plugins_dir *dir, const char *name)
{
    char built[PATH_MAX];
    char path[PATH_MAX];
    char *from = NULL;

    snprintf(built, sizeof built, "tests/abi/plugins/%s.so", name);
    snprintf(path, sizeof path, "%s/%s.so", dir->path, name);
    from = build_path(built);
    copy_file(from, path);
    free(from);
}

static void init(struct plugins_dir *dir)
{
    char path[PATH_MAX];
    char *mfa = build_path("plugins/mfa.so");
    char *yaml = config_with("    mode: disabled\n");

    snprintf(dir->path, sizeof dir->path, "/tmp/test-loader-XXXXXX");
    assert_non_null(mkdtemp(dir->path));
    snprintf(path, sizeof path, "%s/mfa.so", dir->path);
    copy_file(mfa, path);
    dir->host = host_new(yaml, dir->path, NULL);
    free(mfa);
    free(yaml);
}

static void clear(struct plugins_dir *dir)
{
    char command[PATH_MAX];

    host_free(dir->host);
    snprintf(command, sizeof command, "rm -r '%s'", dir->path);
    assert_int_equal(system(command), 0);
}

static void assert_refused(const struct plugins_dir *dir, const char *file, const char *reason)
{
    assert_int_equal(host_start_refused(dir->host), 1);
    assert_true(host_log_has(dir->host, file));
    if (!host_log_has(dir->host, reason))
        fail_msg("the log does not say: %s", reason);
}

struct refusal {
    const char *plugin;
    const char *reason;
};

static void the_host_refuses_a_plugin_by_its_descriptor_without_running_it(void **state)
{
    static const struct refusal refusals[] = {
        {"no_descriptor", "does not export core_plugin_descriptor"},
        {"wrong_magic", "magic"},
        {"short_descriptor", "too short"},
        {"other_major", "another major version"},
        {"needs_newer_minor", "newer minor version"},
        {"bad_name", "malformed name"},
        {"short_hooks", "too short"},
        {"no_stop", "no stop hook"},
        {"name_taken", "name of another plugin"},
        {"claims_mfa_field", "profile field of another plugin"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct plugins_dir dir;
        init(&dir);
        add_plugin(&dir, refusals[i].plugin);
        assert_refused(&dir, "", refusals[i].reason);
        assert_false(host_log_has(dir.host, CREATE_HAS_RUN));
        clear(&dir);
    }
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

static void the_host_refuses_what_is_no_shared_object(void **state)
{
    struct plugins_dir dir;
    char path[PATH_MAX];
    FILE *file = NULL;

    (void)state;
    init(&dir);
    snprintf(path, sizeof path, "%s/text.so", dir.path);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("not a plugin\n", file);
    fclose(file);
    assert_refused(&dir, "text.so", "text.so");
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
        cmocka_unit_test(the_host_refuses_a_plugin_by_its_descriptor_without_running_it),
        cmocka_unit_test(the_host_refuses_a_plugin_that_cannot_start),
        cmocka_unit_test(the_host_refuses_a_plugin_that_others_can_write),
        cmocka_unit_test(the_host_refuses_a_plugin_of_another_user),
        cmocka_unit_test(the_host_refuses_what_is_no_shared_object),
        cmocka_unit_test(the_host_refuses_a_section_whose_plugin_is_not_there),
        cmocka_unit_test(a_good_plugin_runs_beside_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
