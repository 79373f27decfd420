/* SPDX-License-Identifier: Apache-2.0
 *
 * The built plugin as a host of version 1.0 sees it, without any host: its descriptor, what it refuses, and its instances.
 * It is compiled with the headers of frozen-1.0/, and nothing can be read behind the host's table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core_plugin.h"

/* A host that does nothing but count and tell the time. */
struct nothing {
    struct core_host *table; /* ends where its page does */
    void *pages;             /* this one, and one that faults */
    unsigned routes;
    unsigned errors; /* logged */
    char error[256]; /* the last one */
};

static struct nothing *nothing_of(const struct core_host *host)
{
    return host->host_data;
}

static void log_line(const struct core_host *host, uint32_t level, struct core_span line)
{
    struct nothing *nothing = nothing_of(host);

    if (level != CORE_LOG_ERROR)
        return;
    nothing->errors++;
    snprintf(nothing->error, sizeof nothing->error, "%.*s", (int)line.len, (const char *)line.data);
}

static core_status wall_clock(const struct core_host *host, int64_t *unix_ms)
{
    (void)host;
    *unix_ms = 1700000000123;
    return CORE_OK;
}

static core_status monotonic_clock(const struct core_host *host, uint64_t *ms)
{
    (void)host;
    *ms = 86399977;
    return CORE_OK;
}

static core_status complete(const struct core_host *host, core_call call, const struct core_result *result)
{
    (void)host, (void)call, (void)result;
    return CORE_ERR_CLOSED;
}

static core_status call_info(const struct core_host *host, core_call call, struct core_call_info *info)
{
    (void)host, (void)call, (void)info;
    return CORE_ERR_CLOSED;
}

static core_status profile_load(const struct core_host *host, struct core_span user_id, const char *field, void *buffer,
                                uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    (void)host, (void)user_id, (void)field, (void)buffer, (void)buffer_size;
    *len = *version = 0;
    return CORE_ERR_INTERNAL;
}

static core_status profile_store(const struct core_host *host, struct core_span user_id, const char *field,
                                 uint64_t expected, struct core_span value)
{
    (void)host, (void)user_id, (void)field, (void)expected, (void)value;
    return CORE_ERR_INTERNAL;
}

static core_status password_check(const struct core_host *host, struct core_span user_id, struct core_span password)
{
    (void)host, (void)user_id, (void)password;
    return CORE_ERR_INTERNAL;
}

static core_status register_route(const struct core_host *host, const struct core_route *route)
{
    assert_non_null(route->hook);
    assert_non_null(strstr(route->path, "{username}"));
    nothing_of(host)->routes++;
    return CORE_OK;
}

static const void *capability(const struct core_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

static void init(struct nothing *nothing)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    *nothing = (struct nothing){.pages = pages};
    nothing->table = (struct core_host *)(void *)(pages + page - sizeof *nothing->table);
    *nothing->table = (struct core_host){.struct_size = sizeof *nothing->table,
                                         .api_major = CORE_API_MAJOR,
                                         .api_minor = CORE_API_MINOR,
                                         .host_data = nothing,
                                         .log = log_line,
                                         .wall_clock = wall_clock,
                                         .monotonic_clock = monotonic_clock,
                                         .complete = complete,
                                         .call_info = call_info,
                                         .profile_load = profile_load,
                                         .profile_store = profile_store,
                                         .password_check = password_check,
                                         .register_route = register_route,
                                         .capability = capability};
}

/* Leaves of the table its first `size` bytes, and nothing to be read behind them. */
static void shorten(struct nothing *nothing, size_t size)
{
    char *end = (char *)(nothing->table + 1);

    nothing->table = memmove(end - size, nothing->table, size);
    memcpy(nothing->table, &(uint32_t){(uint32_t)size}, sizeof(uint32_t));
}

static void clear(const struct nothing *nothing)
{
    assert_int_equal(munmap(nothing->pages, 2 * (size_t)sysconf(_SC_PAGESIZE)), 0);
}

static const struct core_plugin_descriptor *plugin;

static int load(void **state)
{
    const char *build = getenv("BUILD");
    char path[PATH_MAX];
    void *library = NULL;

    snprintf(path, sizeof path, "%s/plugins/mfa.so", build != NULL ? build : "build");
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        print_error("%s\n", dlerror());
    else
        plugin = dlsym(library, CORE_PLUGIN_SYMBOL);
    *state = library;
    return plugin != NULL ? 0 : -1;
}

static int unload(void **state)
{
    return dlclose(*state);
}

static core_status create(struct nothing *nothing, const char *yaml, void **instance)
{
    struct core_config config = {.struct_size = sizeof config,
                                 .format = CORE_CONFIG_YAML,
                                 .text = {.data = yaml, .len = strlen(yaml)},
                                 .origin = {.data = "test.yml", .len = 8},
                                 .origin_line = 1};

    return plugin->create(nothing->table, &config, instance);
}

#define SINGLE "mode: single\nsms: {endpoints: {single: {url: 'http://127.0.0.1:1/{{ number }}', method: GET}}}\n"

static void its_descriptor_says_what_it_is_and_needs(void **state)
{
    (void)state;
    assert_int_equal(plugin->magic, CORE_PLUGIN_MAGIC);
    assert_true(plugin->struct_size >= sizeof *plugin);
    assert_int_equal(plugin->api_major, 1);
    assert_int_equal(plugin->requires_minor, 0);
    assert_string_equal(plugin->name, "mfa");
    assert_string_equal(plugin->config_section, "services.mfa");
    assert_string_equal(plugin->profile_fields[0], "mfa");
}

static void it_refuses_a_host_whose_table_is_shorter_than_that_of_1_0(void **state)
{
    (void)state;
    for (size_t size = offsetof(struct core_host, log); size < sizeof(struct core_host); size += sizeof(void *)) {
        struct nothing nothing;
        void *instance = &nothing;
        init(&nothing);
        shorten(&nothing, size);
        assert_int_equal(create(&nothing, SINGLE, &instance), CORE_ERR_VERSION);
        assert_null(instance);
        assert_int_equal(nothing.routes, 0);
        if (size > offsetof(struct core_host, log))
            assert_string_equal(nothing.error, "the host offers less than version 1.0 of the plugin API");
        clear(&nothing);
    }
}

static void it_starts_in_a_host_whose_table_is_that_of_1_0(void **state)
{
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    init(&nothing);
    assert_int_equal(create(&nothing, SINGLE, &instance), CORE_OK);
    assert_true(nothing.routes > 0);
    assert_int_equal(nothing.errors, 0);
    plugin->hooks->stop(instance);
    plugin->destroy(instance);
    clear(&nothing);
}

static void it_refuses_a_host_that_lacks_a_function(void **state)
{
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    init(&nothing);
    nothing.table->password_check = NULL;
    assert_int_equal(create(&nothing, SINGLE, &instance), CORE_ERR_VERSION);
    assert_int_equal(nothing.errors, 1);
    clear(&nothing);
}

static void it_refuses_a_configuration_it_cannot_read(void **state)
{
    struct nothing nothing;
    struct core_config config = {.struct_size = sizeof config, .format = 3};
    void *instance = NULL;

    (void)state;
    init(&nothing);
    assert_int_equal(plugin->create(nothing.table, &config, &instance), CORE_ERR_CONFIG);
    assert_int_equal(create(&nothing, "mode: [", &instance), CORE_ERR_CONFIG);
    assert_null(instance);
    assert_int_equal(nothing.errors, 2);
    clear(&nothing);
}

static void instances_live_side_by_side_and_one_after_the_other(void **state)
{
    struct nothing first, second;
    void *a = NULL, *b = NULL;

    (void)state;
    init(&first);
    init(&second);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(create(&first, SINGLE, &a), CORE_OK);
        assert_int_equal(create(&second, "mode: disabled\n", &b), CORE_OK);
        plugin->hooks->stop(a);
        plugin->destroy(a);
        plugin->hooks->stop(b);
        plugin->destroy(b);
    }
    assert_int_equal(first.routes, second.routes);
    plugin->destroy(NULL);
    clear(&first);
    clear(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_descriptor_says_what_it_is_and_needs),
        cmocka_unit_test(it_refuses_a_host_whose_table_is_shorter_than_that_of_1_0),
        cmocka_unit_test(it_starts_in_a_host_whose_table_is_that_of_1_0),
        cmocka_unit_test(it_refuses_a_host_that_lacks_a_function),
        cmocka_unit_test(it_refuses_a_configuration_it_cannot_read),
        cmocka_unit_test(instances_live_side_by_side_and_one_after_the_other),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
