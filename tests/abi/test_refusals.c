/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sample host refuses by a plugin's descriptor: one small bad plugin (plugins/) per rule, each beside the real
 * one, and none of them run.
 */
#include "harness.h"
#include "harness_plugins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_TEXT "no name, version or configuration section"
#define NO_FUNCTION "no create, destroy or hooks"

/* The plugin is called what comes behind the prefix. */
#define PREFIX "the_host_refuses_"
static struct refusal {
    const char *test;
    const char *reason;
} refusals[] = {
    {PREFIX "unresolved_symbol", "undefined symbol: nobody_defines_this"},
    {PREFIX "no_descriptor", "does not export core_plugin_descriptor"},
    {PREFIX "wrong_magic", "wrong magic number"},
    {PREFIX "short_descriptor", "descriptor that is too short"},
    {PREFIX "other_major", "another major version"},
    {PREFIX "needs_newer_minor", "newer minor version"},
    {PREFIX "no_name", NO_TEXT},
    {PREFIX "no_version", NO_TEXT},
    {PREFIX "no_section", NO_TEXT},
    {PREFIX "no_create", NO_FUNCTION},
    {PREFIX "no_destroy", NO_FUNCTION},
    {PREFIX "no_hooks", NO_FUNCTION},
    {PREFIX "short_hooks", "table of hooks that is too short"},
    {PREFIX "no_stop", "no stop hook"},
    {PREFIX "bad_name", "malformed name"},
    {PREFIX "empty_name", "malformed name"},
    {PREFIX "long_name", "malformed name"},
    {PREFIX "bad_field", "malformed profile field"},
    {PREFIX "name_taken", "name of another plugin"},
    {PREFIX "claims_mfa_field", "profile field of another plugin"},
};
#define REFUSAL_COUNT (sizeof refusals / sizeof refusals[0])

struct stage {
    char *plugins;
    struct host *host;
};

static struct stage stage;

static int set_up(void **state)
{
    char *yaml = config_with("    mode: disabled\n");

    (void)state;
    stage.plugins = plugins_dir_new();
    plugins_dir_add(stage.plugins, "plugins/mfa.so", "mfa.so");
    stage.host = host_new(yaml, stage.plugins, NULL);
    free(yaml);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_free(stage.host);
    plugins_dir_free(stage.plugins);
    return 0;
}

static void assert_logged(const char *text)
{
    if (!host_log_has(stage.host, text))
        fail_msg("the log does not say: %s", text);
}

static void the_host_refuses(void **state)
{
    const struct refusal *refusal = *state;
    const char *plugin = refusal->test + strlen(PREFIX);
    char built[256];
    char file[128];

    snprintf(built, sizeof built, "tests/abi/plugins/%s.so", plugin);
    snprintf(file, sizeof file, "z_%s.so", plugin);
    plugins_dir_add(stage.plugins, built, file);
    assert_int_equal(host_start_refused(stage.host), 1);
    assert_logged(refusal->reason);
    assert_logged(file);
    assert_false(host_log_has(stage.host, "create of the bad plugin has run"));
    assert_false(host_log_has(stage.host, "plugin mfa"));
}

int main(void)
{
    struct CMUnitTest tests[REFUSAL_COUNT];

    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        tests[i] = (struct CMUnitTest){refusals[i].test, the_host_refuses, set_up, tear_down, &refusals[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
