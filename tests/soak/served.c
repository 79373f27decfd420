/* SPDX-License-Identifier: Apache-2.0 */
#include "served.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calls.h"
#include "host.h"

static struct host host;
static char url[128];

/* --- Calls to the plugin; the functions are wrapped by the linker -------------------------------------------------- */

static atomic_size_t opened;
static atomic_size_t completed;
static atomic_size_t abandoned;

core_status __real_calls_open(struct calls *calls, const struct plugin *plugin, enum call_kind kind,
                              const struct call_events *events, void *owner, int client_fd, core_call *token);
core_status __wrap_calls_open(struct calls *calls, const struct plugin *plugin, enum call_kind kind,
                              const struct call_events *events, void *owner, int client_fd, core_call *token);

core_status __wrap_calls_open(struct calls *calls, const struct plugin *plugin, enum call_kind kind,
                              const struct call_events *events, void *owner, int client_fd, core_call *token)
{
    core_status status = __real_calls_open(calls, plugin, kind, events, owner, client_fd, token);

    atomic_fetch_add(&opened, status == CORE_OK);
    return status;
}

core_status __real_calls_complete(struct calls *calls, const struct plugin *plugin, core_call token,
                                  const struct core_result *source);
core_status __wrap_calls_complete(struct calls *calls, const struct plugin *plugin, core_call token,
                                  const struct core_result *source);

/* Counted whatever its status, which is that of a call that was completed already if it is the second. */
core_status __wrap_calls_complete(struct calls *calls, const struct plugin *plugin, core_call token,
                                  const struct core_result *source)
{
    atomic_fetch_add(&completed, 1);
    return __real_calls_complete(calls, plugin, token, source);
}

size_t __real_calls_abandon(struct calls *calls);
size_t __wrap_calls_abandon(struct calls *calls);

size_t __wrap_calls_abandon(struct calls *calls)
{
    size_t count = __real_calls_abandon(calls);

    atomic_fetch_add(&abandoned, count);
    return count;
}

/* --- The host ------------------------------------------------------------------------------------------------------ */

static char *path_of(const char *dir, const char *name)
{
    char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    return path;
}

void served_start(const char *dir)
{
    const char *build = getenv("BUILD");
    char *config = path_of(dir, "config.yml");
    char *data = path_of(dir, "data");
    char *plugins = realpath(build != NULL ? build : "build", NULL);
    char *mfa = path_of(plugins, "plugins");
    const struct host_options options = {
        .config = config, .plugins = mfa, .data = data, .call_deadline_ms = CALLS_DEADLINE_MS};

    opened = completed = abandoned = 0;
    assert_int_equal(host_start(&host, &options), CORE_OK);
    assert_int_equal(host_listen(&host), CORE_OK);
    snprintf(url, sizeof url, "http://%s", host.address);
    free(mfa);
    free(plugins);
    free(data);
    free(config);
}

const char *served_url(void)
{
    return url;
}

size_t served_stop(void)
{
    host_stop(&host);
    assert_int_equal(abandoned, 0);
    assert_int_equal(completed, opened);
    assert_int_equal(host.exchanges, 0);
    assert_int_equal(host.suspended, 0);
    host_clear(&host);
    return opened;
}
