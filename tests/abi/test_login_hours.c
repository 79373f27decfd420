/* SPDX-License-Identifier: Apache-2.0
 *
 * The example of a plugin (plugins/login_hours.c) under a clock that a test sets.
 */
#include "harness.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "core_plugin.h"

static const struct core_plugin_descriptor *plugin;
static int64_t now_ms;
static bool is_clock_broken;
static unsigned errors; /* logged */
static uint32_t outcome;
static unsigned completions;

static void log_line(const struct core_host *host, uint32_t level, struct core_span line)
{
    (void)host, (void)line;
    errors += level == CORE_LOG_ERROR;
}

static core_status wall_clock(const struct core_host *host, int64_t *unix_ms)
{
    (void)host;
    *unix_ms = is_clock_broken ? 0 : now_ms;
    return is_clock_broken ? CORE_ERR_INTERNAL : CORE_OK;
}

static core_status complete(const struct core_host *host, core_call call, const struct core_result *result)
{
    (void)host, (void)call;
    outcome = result->outcome;
    completions++;
    return CORE_OK;
}

static const struct core_host host = {
    .struct_size = sizeof host, .log = log_line, .wall_clock = wall_clock, .complete = complete};

static core_status create(uint32_t format, const char *text, void **instance)
{
    const struct core_config config = {
        .struct_size = sizeof config, .format = format, .text = {.data = text, .len = strlen(text)}};

    return plugin->create(&host, &config, instance);
}

static int load(void **state)
{
    char *path = build_path("tests/abi/plugins/login_hours.so");

    *state = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    plugin = *state ? dlsym(*state, CORE_PLUGIN_SYMBOL) : NULL;
    free(path);
    return plugin ? 0 : -1;
}

static int unload(void **state)
{
    return dlclose(*state);
}

/* Whether somebody can log in at a time of some day. */
static bool is_open_at(void *instance, int hour, int minute)
{
    const struct core_login login = {.struct_size = sizeof login};

    now_ms = ((20000 * INT64_C(24) + hour) * 60 + minute) * 60000 + 59999;
    outcome = UINT32_MAX;
    completions = 0;
    plugin->hooks->login(instance, 1, &login);
    assert_int_equal(completions, 1);
    assert_true(outcome == CORE_ALLOW || outcome == CORE_DENY);
    return outcome == CORE_ALLOW;
}

static void logins_are_allowed_from_the_first_minute_until_the_last(void **state)
{
    void *instance = NULL;

    (void)state;
    assert_int_equal(create(CORE_CONFIG_YAML, "    from: '08:30' # early\n    until: \"18:00\"\n", &instance), CORE_OK);
    assert_false(is_open_at(instance, 8, 29));
    assert_true(is_open_at(instance, 8, 30));
    assert_true(is_open_at(instance, 17, 59));
    assert_false(is_open_at(instance, 18, 0));
    plugin->hooks->stop(instance);
    plugin->destroy(instance);
}

static void hours_may_go_past_midnight(void **state)
{
    void *instance = NULL;

    (void)state;
    assert_int_equal(create(CORE_CONFIG_YAML, "{from: 22:00, until: '06:00'}", &instance), CORE_OK);
    assert_true(is_open_at(instance, 23, 59));
    assert_true(is_open_at(instance, 5, 59));
    assert_false(is_open_at(instance, 6, 0));
    assert_false(is_open_at(instance, 21, 59));
    plugin->destroy(instance);
}

static void without_a_clock_nobody_logs_in(void **state)
{
    void *instance = NULL;

    (void)state;
    assert_int_equal(create(CORE_CONFIG_JSON, "{\"from\": \"00:00\", \"until\": \"24:00\"}", &instance), CORE_OK);
    assert_true(is_open_at(instance, 0, 0));
    assert_true(is_open_at(instance, 23, 59));
    is_clock_broken = true;
    assert_false(is_open_at(instance, 12, 0));
    is_clock_broken = false;
    plugin->destroy(instance);
}

static void what_it_does_not_understand_it_refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "from: '08:00'",
        "until: '18:00'",
        "{from: '08:00', from: '09:00', until: '18:00'}",
        "{from: '8:00', until: '18:00'}",
        "{from: '08:00', until: '24:01'}",
        "{from: '08:60', until: '18:00'}",
        "{from: '08:00', until: '18:00', zone: Europe/Zurich}",
        "{from: '08:00 or so', until: '18:00'}",
    };

    (void)state;
    errors = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        void *instance = &errors;
        assert_int_equal(create(CORE_CONFIG_YAML, texts[i], &instance), CORE_ERR_CONFIG);
        assert_null(instance);
        assert_int_equal(errors, i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logins_are_allowed_from_the_first_minute_until_the_last),
        cmocka_unit_test(hours_may_go_past_midnight),
        cmocka_unit_test(without_a_clock_nobody_logs_in),
        cmocka_unit_test(what_it_does_not_understand_it_refuses),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
