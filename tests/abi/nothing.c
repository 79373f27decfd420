/* SPDX-License-Identifier: Apache-2.0 */
#include "nothing.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct nothing *nothing_of(const struct core_host *host)
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
    struct nothing *nothing = nothing_of(host);

    (void)call;
    nothing->completions++;
    nothing->result = *result;
    snprintf(nothing->body, sizeof nothing->body, "%.*s", (int)result->body.len,
             result->body.data != NULL ? (const char *)result->body.data : "");
    return CORE_OK;
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
    struct nothing *nothing = nothing_of(host);

    assert_non_null(route->hook);
    assert_non_null(strstr(route->path, "{username}"));
    nothing->routes[nothing->route_count++ % NOTHING_MAX_ROUTES] = *route;
    return CORE_OK;
}

static const void *capability(const struct core_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

void nothing_init(struct nothing *nothing)
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

void nothing_shorten(struct nothing *nothing, size_t size)
{
    char *end = (char *)(nothing->table + 1);

    nothing->table = memmove(end - size, nothing->table, size);
    memcpy(nothing->table, &(uint32_t){(uint32_t)size}, sizeof(uint32_t));
}

void nothing_clear(const struct nothing *nothing)
{
    assert_int_equal(munmap(nothing->pages, 2 * (size_t)sysconf(_SC_PAGESIZE)), 0);
}

const struct core_plugin_descriptor *plugin;

int nothing_load(void **state)
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

int nothing_unload(void **state)
{
    return dlclose(*state);
}

core_status nothing_create(struct nothing *nothing, const char *yaml, void **instance)
{
    struct core_config config = {.struct_size = sizeof config,
                                 .format = CORE_CONFIG_YAML,
                                 .text = {.data = yaml, .len = strlen(yaml)},
                                 .origin = {.data = "test.yml", .len = 8},
                                 .origin_line = 1};

    return plugin->create(nothing->table, &config, instance);
}

void nothing_end(void *instance)
{
    plugin->hooks->stop(instance);
    plugin->destroy(instance);
}
