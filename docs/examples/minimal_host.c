/* SPDX-License-Identifier: Apache-2.0
 *
 * minimal-host PLUGIN.so SECTION FIELD VALUE: julia, in whose profile FIELD holds VALUE, has given the right password; the
 * plugin, with SECTION as its configuration, decides whether she may log in. Explained in docs/writing-a-host.md.
 */
#include <dlfcn.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core_plugin.h"

static char **kept;                     /* the name of a field, and its value */
static _Atomic core_call open_call = 1; /* the login; 0: it has ended */
static uint64_t deadline_ms;
static sem_t is_completed;
static struct core_result result = {.outcome = CORE_DENY, .http_status = 500};
static char body[16384]; /* of the result */

static struct core_span span(const char *text)
{
    return (struct core_span){.data = text, .len = strlen(text)};
}

static void log_line(const struct core_host *host, uint32_t level, struct core_span line)
{
    fprintf(stderr, "[%u] %.*s\n", level, (int)line.len, (const char *)line.data);
}

static core_status wall_clock(const struct core_host *host, int64_t *unix_ms)
{
    *unix_ms = (int64_t)time(NULL) * 1000;
    return CORE_OK;
}

static core_status monotonic_clock(const struct core_host *host, uint64_t *ms)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    *ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return CORE_OK;
}

/* The first completion of the call counts. What cannot be kept leaves the result as it was at first, which denies. */
static core_status complete(const struct core_host *host, core_call call, const struct core_result *completed)
{
    if (call == 0 || !atomic_compare_exchange_strong(&open_call, &call, 0))
        return CORE_ERR_CLOSED;
    if (completed != NULL && completed->struct_size >= sizeof *completed && completed->body.len < sizeof body) {
        result = *completed;
        snprintf(body, sizeof body, "%.*s", (int)completed->body.len, (const char *)completed->body.data);
    }
    sem_post(&is_completed);
    return CORE_OK;
}

static core_status call_info(const struct core_host *host, core_call call, struct core_call_info *info)
{
    if (call == 0 || call != open_call || info->struct_size < sizeof *info)
        return info->struct_size < sizeof *info ? CORE_ERR_ARGUMENT : CORE_ERR_CLOSED;
    *info = (struct core_call_info){.struct_size = sizeof *info, .deadline_ms = deadline_ms, .request_id = "1"};
    return CORE_OK;
}

static core_status profile_load(const struct core_host *host, struct core_span user_id, const char *name, void *buffer,
                                uint64_t size, uint64_t *len, uint64_t *version)
{
    *len = *version = 0;
    if (strcmp(name, kept[0]) != 0)
        return CORE_ERR_NOT_FOUND;
    *len = strlen(kept[1]);
    if (*len > size)
        return CORE_ERR_TOO_SMALL;
    *version = 1;
    memcpy(buffer, kept[1], *len);
    return CORE_OK;
}

/* What is not done here: plugins must take it for the failure it is. Routes are taken, but no HTTP server reaches them. */
static core_status profile_store(const struct core_host *host, struct core_span user_id, const char *field,
                                 uint64_t expected, struct core_span value)
{
    return CORE_ERR_INTERNAL;
}

static core_status password_check(const struct core_host *host, struct core_span user_id, struct core_span password)
{
    return CORE_ERR_INTERNAL;
}

static core_status register_route(const struct core_host *host, const struct core_route *route)
{
    return CORE_OK;
}

static const void *capability(const struct core_host *host, const char *id)
{
    return NULL;
}

static const struct core_plugin_descriptor *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct core_plugin_descriptor *plugin = library != NULL ? dlsym(library, CORE_PLUGIN_SYMBOL) : NULL;
    const bool fits = plugin != NULL && plugin->magic == CORE_PLUGIN_MAGIC && plugin->struct_size >= sizeof *plugin &&
                      plugin->api_major == CORE_API_MAJOR && plugin->requires_minor <= CORE_API_MINOR && plugin->hooks;

    return fits && CORE_HAS(plugin->hooks, login) && plugin->hooks->login != NULL ? plugin : NULL;
}

/* All that the plugin borrows here stays until `stop` has returned: by then it has completed the call, or nobody will. */
static void log_in(const struct core_plugin_descriptor *plugin, void *instance)
{
    const struct core_login login = {sizeof login,      0,           span("user-1"), span("julia"),
                                     span("127.0.0.1"), span("app"), span("grant-1")};

    monotonic_clock(NULL, &deadline_ms);
    deadline_ms += 20000;
    plugin->hooks->login(instance, open_call, &login);
    if (sem_clockwait(&is_completed, CLOCK_MONOTONIC, &(struct timespec){.tv_sec = (time_t)(deadline_ms / 1000)}) != 0)
        open_call = 0; /* too late now: denied */
    plugin->hooks->stop(instance);
}

int main(int argc, char **argv)
{
    const struct core_host host = {sizeof host,   CORE_API_MAJOR,  CORE_API_MINOR, NULL,      log_line,
                                   wall_clock,    monotonic_clock, complete,       call_info, profile_load,
                                   profile_store, password_check,  register_route, capability};
    const struct core_plugin_descriptor *plugin = argc == 5 ? load(argv[1]) : NULL;
    struct core_config config = {.struct_size = sizeof config, .format = CORE_CONFIG_YAML};
    void *instance = NULL;

    if (plugin == NULL)
        return fputs("usage: minimal-host PLUGIN.so SECTION FIELD VALUE; and PLUGIN.so fits this host\n", stderr), 2;
    config.text = span(argv[2]), kept = argv + 3;
    sem_init(&is_completed, 0, 0);
    if (plugin->create(&host, &config, &instance) != CORE_OK)
        return 1;
    log_in(plugin, instance);
    plugin->destroy(instance);
    if (result.outcome == CORE_ALLOW)
        return puts("logged in"), 0;
    printf("%u %s\n", result.http_status, body);
    return result.outcome == CORE_CHALLENGE ? 0 : 1;
}
