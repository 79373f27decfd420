/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <string.h>

#include "calls.h"
#include "clock.h"
#include "grants.h"
#include "listener.h"
#include "loader.h"
#include "log.h"
#include "log_writer.h"
#include "metrics.h"
#include "passwords.h"
#include "router.h"
#include "routes.h"
#include "storage.h"
#include "workers.h"

#define CONTINUATION_THREADS 2

static core_status add_routes(struct router *router)
{
    static core_status (*const groups[])(struct router *) = {route_users_add,   route_login_add,   route_accesses_add,
                                                             route_profile_add, route_service_add, route_metrics_add,
                                                             route_page_add};
    core_status status = CORE_OK;

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && status == CORE_OK; i++)
        status = groups[i](router);
    return status;
}

static core_status make_parts(struct host *host, uint64_t call_deadline_ms)
{
    host->log_writer = log_writer_new();
    host->passwords = passwords_new(host->storage, host->config.passwords_cost);
    host->continuations = workers_new(CONTINUATION_THREADS, SIZE_MAX);
    host->calls = calls_new(call_deadline_ms);
    host->grants = grants_new();
    host->metrics = metrics_new();
    host->router = router_new();
    if (clock_monotonic(&host->started_ms) && host->log_writer && host->passwords && host->continuations &&
        host->calls && host->grants && host->metrics && host->router && add_routes(host->router) == CORE_OK)
        return CORE_OK;
    log_line(CORE_LOG_ERROR, "there is not enough memory to start");
    return CORE_ERR_MEMORY;
}

core_status host_start(struct host *host, const struct host_options *options)
{
    core_status status = host_config_load(&host->config, options->config);

    if (status != CORE_OK)
        return status;
    if (host->config.passwords_cost == PASSWORDS_MINIMUM)
        log_line(CORE_LOG_WARN,
                 "auth.passwordHashing is minimum: passwords are hashed too cheaply for anything but tests");
    if ((status = storage_open(&host->storage, options->data)) != CORE_OK ||
        (status = make_parts(host, options->call_deadline_ms)) != CORE_OK)
        return status;
    return loader_load(host, options->plugins);
}

core_status host_listen(struct host *host)
{
    return listener_start(host, &host->listener);
}

void host_stop(struct host *host)
{
    atomic_store(&host->is_stopping, true);
    if (host->listener)
        listener_close(host->listener);
    calls_stop(host->calls);
    loader_stop(host);
    size_t abandoned = calls_abandon(host->calls);
    if (abandoned > 0)
        log_line(CORE_LOG_ERROR, "%zu calls were left open by their plugins", abandoned);
    listener_free(host->listener);
    host->listener = NULL;
    log_writer_flush(host->log_writer);
}

void host_clear(struct host *host)
{
    passwords_free(host->passwords);
    workers_free(host->continuations);
    loader_unload(host);
    log_writer_free(host->log_writer);
    calls_free(host->calls);
    grants_free(host->grants);
    metrics_free(host->metrics);
    router_free(host->router);
    storage_close(host->storage);
    host_config_clear(&host->config);
    memset(host, 0, sizeof(*host));
}
