/* SPDX-License-Identifier: Apache-2.0 */
#include "host_api.h"

#include <stddef.h>
#include <string.h>

#include "calls.h"
#include "clock.h"
#include "core_cap_kv.h"
#include "host.h"
#include "log.h"
#include "log_writer.h"
#include "login_chain.h"
#include "metrics.h"
#include "passwords.h"
#include "router.h"

static struct plugin *plugin_of(const struct core_host *host)
{
    return host->host_data;
}

/* --- what the host offers ------------------------------------------------------------------------------------------ */

static void api_log(const struct core_host *host, uint32_t level, struct core_span line)
{
    const struct plugin *plugin = plugin_of(host);
    bool is_named = plugin->descriptor && plugin->descriptor->name;
    const char *source = is_named ? plugin->descriptor->name : "plugin";

    if (!line.data)
        return;
    /* Why a plugin refuses its configuration stands before what the host says to that. */
    if (plugin->is_creating || plugin->is_reconfiguring)
        log_text(level, source, line.data, (size_t)line.len);
    else
        log_writer_add(plugin->host->log_writer, level, source, line.data, (size_t)line.len);
}

static core_status api_wall_clock(const struct core_host *host, int64_t *unix_ms)
{
    (void)host;
    return clock_wall(unix_ms) ? CORE_OK : CORE_ERR_INTERNAL;
}

static core_status api_monotonic_clock(const struct core_host *host, uint64_t *ms)
{
    (void)host;
    return clock_monotonic(ms) ? CORE_OK : CORE_ERR_INTERNAL;
}

static core_status api_complete(const struct core_host *host, core_call call, const struct core_result *result)
{
    const struct plugin *plugin = plugin_of(host);

    return calls_complete(plugin->host->calls, plugin, call, result);
}

static core_status api_call_info(const struct core_host *host, core_call call, struct core_call_info *info)
{
    const struct plugin *plugin = plugin_of(host);

    return calls_info(plugin->host->calls, plugin, call, info);
}

bool host_api_claims_field(const struct plugin *plugin, const char *field)
{
    for (const char *const *claimed = plugin->descriptor->profile_fields; claimed && *claimed; claimed++)
        if (strcmp(*claimed, field) == 0)
            return true;
    return false;
}

static bool is_user_id(struct core_span user_id)
{
    return user_id.data && user_id.len > 0 && user_id.len <= CORE_USER_ID_MAX;
}

static core_status api_profile_load(const struct core_host *host, struct core_span user_id, const char *field,
                                    void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    const struct plugin *plugin = plugin_of(host);

    if (!len || !version)
        return CORE_ERR_ARGUMENT;
    *len = 0;
    *version = 0;
    if (!is_user_id(user_id) || !field || (!buffer && buffer_size > 0) || !host_api_claims_field(plugin, field))
        return CORE_ERR_ARGUMENT;
    return storage_load_field(plugin->host->storage, user_id, field, buffer, buffer_size, len, version);
}

static core_status api_profile_store(const struct core_host *host, struct core_span user_id, const char *field,
                                     uint64_t expected, struct core_span value)
{
    const struct plugin *plugin = plugin_of(host);

    if (!is_user_id(user_id) || !field || !host_api_claims_field(plugin, field) || (value.data && value.len == 0))
        return CORE_ERR_ARGUMENT;
    return storage_store_field(plugin->host->storage, user_id, field, expected, value);
}

static core_status api_password_check(const struct core_host *host, struct core_span user_id, struct core_span password)
{
    if (!is_user_id(user_id) || !password.data)
        return CORE_ERR_ARGUMENT;
    return passwords_check_here(plugin_of(host)->host->passwords, user_id, password);
}

static bool is_known_auth(uint32_t auth)
{
    return auth == CORE_AUTH_PERSONAL || auth == CORE_AUTH_NONE || auth == CORE_AUTH_ADMIN;
}

static bool is_method(const char *method)
{
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return *method && strspn(method, upper) == strlen(method) && strcmp(method, "OPTIONS") != 0;
}

static core_status api_register_route(const struct core_host *host, const struct core_route *route)
{
    struct plugin *plugin = plugin_of(host);

    if (!plugin->is_creating || !route || route->struct_size < sizeof(*route) || !is_known_auth(route->auth) ||
        !route->method || !is_method(route->method) || !route->path || !strstr(route->path, "/{username}") ||
        route->max_body_len > ROUTE_BODY_LIMIT || !route->hook)
        return CORE_ERR_ARGUMENT;
    return router_add(plugin->host->router, &(struct route){.method = route->method,
                                                            .path = route->path,
                                                            .auth = route->auth,
                                                            .max_body_len = (size_t)route->max_body_len,
                                                            .handler = host_api_call_route,
                                                            .plugin = plugin,
                                                            .hook = route->hook,
                                                            .context = route->context});
}

/* --- the key-value table ------------------------------------------------------------------------------------------- */

static bool is_kv_key(struct core_span key)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *text = key.data;

    if (!text || key.len == 0 || key.len > CORE_KV_KEY_MAX)
        return false;
    for (uint64_t i = 0; i < key.len; i++)
        if (!memchr(allowed, text[i], sizeof(allowed) - 1))
            return false;
    return true;
}

static core_status api_kv_get(const struct core_host *host, struct core_span key, void *buffer, uint64_t buffer_size,
                              uint64_t *len, uint64_t *version)
{
    const struct plugin *plugin = plugin_of(host);
    int64_t now_ms = 0;

    if (!len || !version)
        return CORE_ERR_ARGUMENT;
    *len = 0;
    *version = 0;
    if (!is_kv_key(key) || (!buffer && buffer_size > 0))
        return CORE_ERR_ARGUMENT;
    if (!clock_wall(&now_ms))
        return CORE_ERR_INTERNAL;
    return storage_kv_get(plugin->host->storage, plugin->descriptor->name, key, now_ms, buffer, buffer_size, len,
                          version);
}

static core_status api_kv_put(const struct core_host *host, struct core_span key, struct core_span value,
                              int64_t expires_ms, uint64_t *version)
{
    const struct plugin *plugin = plugin_of(host);
    int64_t now_ms = 0;

    if (!is_kv_key(key) || !version || expires_ms < 0 ||
        (value.data && (value.len == 0 || value.len > CORE_KV_VALUE_MAX)))
        return CORE_ERR_ARGUMENT;
    if (!clock_wall(&now_ms))
        return CORE_ERR_INTERNAL;
    return storage_kv_put(plugin->host->storage, plugin->descriptor->name, key, now_ms, value, expires_ms, version);
}

/* --- metrics -------------------------------------------------------------------------------------------------------- */

static core_status api_metric_define(const struct core_host *host, const struct core_metric *metric, uint64_t *id)
{
    const struct plugin *plugin = plugin_of(host);

    return plugin->is_creating ? metrics_define(plugin->host->metrics, metric, id) : CORE_ERR_ARGUMENT;
}

static void api_metric_record(const struct core_host *host, uint64_t id, const uint32_t *label_values, int64_t number)
{
    metrics_record(plugin_of(host)->host->metrics, id, label_values, number);
}

/* --- what there is beside the table ---------------------------------------------------------------------------------- */

static const void *api_capability(const struct core_host *host, const char *id)
{
    static const struct core_cap_kv kv = {.struct_size = sizeof(kv), .get = api_kv_get, .put = api_kv_put};

    static const struct core_cap_metrics metrics = {
        .struct_size = sizeof(metrics), .define = api_metric_define, .record = api_metric_record};

    (void)host;
    if (id && strcmp(id, CORE_CAP_KV_ID) == 0)
        return &kv;
    return id && strcmp(id, CORE_CAP_METRICS_ID) == 0 ? &metrics : NULL;
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

void host_api_init(struct plugin *plugin)
{
    plugin->table = (struct core_host){.struct_size = sizeof(plugin->table),
                                       .api_major = CORE_API_MAJOR,
                                       .api_minor = CORE_API_MINOR,
                                       .host_data = plugin,
                                       .log = api_log,
                                       .wall_clock = api_wall_clock,
                                       .monotonic_clock = api_monotonic_clock,
                                       .complete = api_complete,
                                       .call_info = api_call_info,
                                       .profile_load = api_profile_load,
                                       .profile_store = api_profile_store,
                                       .password_check = api_password_check,
                                       .register_route = api_register_route,
                                       .capability = api_capability};
}

/* --- the hooks ------------------------------------------------------------------------------------------------------- */

static void drop_exchange(void *owner)
{
    exchange_drop(owner);
}

/* Answers with the plugin's result. Where it cannot be used, the log says why: `complete` may have returned CORE_OK. */
static void answer_result(struct exchange *exchange, const struct plugin *plugin, const char *hook,
                          const struct call_result *result, const char *objection)
{
    struct MHD_Response *response = result ? exchange_response_of(result) : NULL;

    if (result && !response)
        objection = "has a body that is not a JSON object";
    if (objection)
        log_line(CORE_LOG_ERROR, "plugin %s: %s: its result %s; answered 500", plugin->descriptor->name, hook,
                 objection);
    exchange_answer(exchange, result ? result->http_status : 500, response); /* transferred */
}

static void settle_route(void *owner, struct call_result *result, const char *objection)
{
    struct exchange *exchange = owner;
    const struct route *route = exchange->route;

    if (result && result->outcome == CORE_RELEASE) {
        exchange->result = result; /* transferred */
        exchange_continue(exchange, login_chain_release);
        return;
    }
    answer_result(exchange, route->plugin, route->path, result, objection);
    call_result_free(result);
}

static void settle_login(void *owner, struct call_result *result, const char *objection)
{
    struct exchange *exchange = owner;
    const struct plugin *plugin = &exchange->host->plugins[exchange->login->grant.position];

    if (result && result->outcome == CORE_ALLOW)
        exchange_continue(exchange, login_chain_next);
    else
        answer_result(exchange, plugin, "login hook", result, objection);
    call_result_free(result);
}

static const struct call_events route_events = {settle_route, drop_exchange};
static const struct call_events login_events = {settle_login, drop_exchange};

static core_status open_call(struct exchange *exchange, const struct plugin *plugin, enum call_kind kind,
                             const struct call_events *events, core_call *call)
{
    const union MHD_ConnectionInfo *socket =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    exchange_hold(exchange);
    core_status status =
        calls_open(exchange->host->calls, plugin, kind, events, exchange, socket ? socket->connect_fd : -1, call);
    if (status != CORE_OK)
        exchange_drop(exchange);
    return status;
}

void host_api_call_route(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    struct calls *calls = exchange->host->calls;
    core_call call = 0;
    core_status status = open_call(exchange, route->plugin, CALL_ROUTE, &route_events, &call);

    if (status != CORE_OK) {
        exchange_fail(exchange, status == CORE_ERR_CLOSED ? ANSWER_STOPPING : ANSWER_UNEXPECTED_ERROR, NULL);
        return;
    }
    route->hook(route->context, call, &exchange->request);
    calls_hook_returned(calls);
}

core_status host_api_call_login(struct plugin *plugin, struct exchange *exchange, const struct core_login *login)
{
    struct calls *calls = exchange->host->calls;
    core_call call = 0;
    core_status status = open_call(exchange, plugin, CALL_LOGIN, &login_events, &call);

    if (status != CORE_OK)
        return status;
    plugin->descriptor->hooks->login(plugin->instance, call, login);
    calls_hook_returned(calls);
    return CORE_OK;
}
