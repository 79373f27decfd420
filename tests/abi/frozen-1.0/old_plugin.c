/* SPDX-License-Identifier: Apache-2.0
 *
 * old_plugin.c: a plugin as it was built for version 1.0, with the headers beside it, that asks of its host all that 1.0
 * promises. Today's host must keep each of these promises.
 *     login with the appId "challenge"      challenged; the grant is kept
 *     POST /{username}/old, body "please"   releases that login
 *     GET /{username}/old                   {"broken": what the host did not do as promised, or ""}
 *     DELETE /system/users/{username}/old   204
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_cap_kv.h"
#include "core_cap_metrics.h"
#include "core_plugin.h"

#define FIELD "old-field"
#define KEY ((struct core_span){"a.key", 5})
#define BYTES ((struct core_span){"some\0bytes", 10})

struct old {
    const struct core_host *host;
    const struct core_cap_kv *kv;
    const struct core_cap_metrics *metrics;
    uint64_t reports_id; /* a counter */
    unsigned char grant[CORE_GRANT_MAX]; /* of one login at a time; the tests log in one after the other */
    uint64_t grant_len;
};

static struct core_span text(const char *from)
{
    return (struct core_span){from, strlen(from)};
}

static bool is(struct core_span span, struct core_span other)
{
    return span.data != NULL && span.len == other.len && memcmp(span.data, other.data, span.len) == 0;
}

static void complete(const struct old *old, core_call call, struct core_result result)
{
    result.struct_size = sizeof result;
    if (old->host->complete(old->host, call, &result) != CORE_OK ||
        old->host->complete(old->host, call, &result) != CORE_ERR_CLOSED)
        old->host->log(old->host, CORE_LOG_ERROR, text("a call did not end exactly once"));
}

/* --- the promises ---------------------------------------------------------------------------------------------------- */

static bool clocks_tell_the_time(const struct old *old)
{
    int64_t unix_ms = 0;
    uint64_t ms = 0, later_ms = 0;

    return old->host->wall_clock(old->host, &unix_ms) == CORE_OK && unix_ms > 1600000000000 &&
           old->host->monotonic_clock(old->host, &ms) == CORE_OK &&
           old->host->monotonic_clock(old->host, &later_ms) == CORE_OK && later_ms >= ms;
}

static bool a_call_is_known(const struct old *old, core_call call)
{
    struct core_call_info info = {.struct_size = sizeof info};
    uint64_t now_ms = 0;

    return old->host->call_info(old->host, call, &info) == CORE_OK && info.cancelled == 0 &&
           info.request_id[0] != '\0' && old->host->monotonic_clock(old->host, &now_ms) == CORE_OK &&
           info.deadline_ms > now_ms && old->host->call_info(old->host, 0, &info) == CORE_ERR_CLOSED;
}

static bool the_field_is(const struct old *old, struct core_span user_id, struct core_span value, uint64_t *version)
{
    char buffer[32];
    uint64_t len = 0;

    return old->host->profile_load(old->host, user_id, FIELD, buffer, 1, &len, version) == CORE_ERR_TOO_SMALL &&
           len == value.len &&
           old->host->profile_load(old->host, user_id, FIELD, buffer, sizeof buffer, &len, version) == CORE_OK &&
           is(value, (struct core_span){buffer, len});
}

static bool the_field_is_absent(const struct old *old, struct core_span user_id)
{
    uint64_t len = 1, version = 1;

    return old->host->profile_load(old->host, user_id, FIELD, NULL, 0, &len, &version) == CORE_ERR_NOT_FOUND &&
           len == 0 && version == 0;
}

static bool a_profile_field_is_kept(const struct old *old, struct core_span user_id)
{
    uint64_t version = 0;

    return the_field_is_absent(old, user_id) &&
           old->host->profile_store(old->host, user_id, FIELD, 0, BYTES) == CORE_OK &&
           the_field_is(old, user_id, BYTES, &version) &&
           old->host->profile_store(old->host, user_id, FIELD, 0, BYTES) == CORE_ERR_CONFLICT &&
           old->host->profile_store(old->host, user_id, "other", 0, BYTES) == CORE_ERR_ARGUMENT &&
           old->host->profile_store(old->host, user_id, FIELD, version, (struct core_span){0}) == CORE_OK &&
           the_field_is_absent(old, user_id);
}

static bool a_value_is_kept(const struct old *old)
{
    char buffer[32];
    uint64_t len = 0, version = 0, read_version = 0, none = 0;

    return old->kv->get(old->host, KEY, buffer, sizeof buffer, &len, &version) == CORE_ERR_NOT_FOUND &&
           old->kv->put(old->host, KEY, BYTES, 0, &version) == CORE_OK && version != 0 &&
           old->kv->put(old->host, KEY, BYTES, 0, &none) == CORE_ERR_CONFLICT &&
           old->kv->get(old->host, KEY, buffer, sizeof buffer, &len, &read_version) == CORE_OK &&
           is(BYTES, (struct core_span){buffer, len}) && read_version == version &&
           old->kv->put(old->host, KEY, (struct core_span){0}, 0, &version) == CORE_OK && version == 0;
}

static void answer_nothing(void *context, core_call call, const struct core_request *request)
{
    (void)request;
    complete(context, call, (struct core_result){.outcome = CORE_ANSWER, .http_status = 204});
}

static bool routes_are_closed_after_create(const struct old *old)
{
    const struct core_route route = {
        sizeof route, CORE_AUTH_NONE, "POST", "/{username}/too-late", 0, answer_nothing, (void *)(uintptr_t)old};

    return old->host->register_route(old->host, &route) == CORE_ERR_ARGUMENT;
}

static const char *broken_promise(const struct old *old, core_call call, const struct core_request *request)
{
    const struct core_host *host = old->host;

    if (host->struct_size < sizeof *host || host->api_major != CORE_API_MAJOR)
        return "the table of 1.0";
    if (!clocks_tell_the_time(old))
        return "clocks";
    if (!a_call_is_known(old, call))
        return "call_info";
    if (!a_profile_field_is_kept(old, request->user_id))
        return "profile";
    if (!a_value_is_kept(old))
        return CORE_CAP_KV_ID;
    if (host->password_check(host, request->user_id, text("not the password")) != CORE_ERR_DENIED)
        return "password_check";
    if (!routes_are_closed_after_create(old))
        return "register_route";
    if (request->credential.data == NULL || request->header_count == 0 || request->headers == NULL)
        return "core_request";
    return "";
}

/* --- hooks ------------------------------------------------------------------------------------------------------------- */

static void login(void *instance, core_call call, const struct core_login *input)
{
    struct old *old = instance;

    if (!is(input->app_id, text("challenge"))) {
        complete(old, call, (struct core_result){.outcome = CORE_ALLOW});
        return;
    }
    memcpy(old->grant, input->grant.data, input->grant.len);
    old->grant_len = input->grant.len;
    complete(old, call,
             (struct core_result){
                 .outcome = CORE_CHALLENGE, .http_status = 200, .body = text("{\"challengedBy\":\"old\"}")});
}

static void release(void *context, core_call call, const struct core_request *request)
{
    const struct old *old = context;
    const struct core_header header = {text("X-Old"), text("1.0")};

    if (is(request->body, text("please")))
        complete(
            old, call,
            (struct core_result){
                .outcome = CORE_RELEASE, .header_count = 1, .headers = &header, .grant = {old->grant, old->grant_len}});
    else
        complete(old, call,
                 (struct core_result){.http_status = 403,
                                      .body = text("{\"error\":{\"id\":\"impolite\",\"message\":\"Say please.\"}}")});
}

static void report(void *context, core_call call, const struct core_request *request)
{
    const struct old *old = context;
    const char *broken = broken_promise(old, call, request);
    char body[64];

    old->metrics->record(old->host, old->reports_id, &(uint32_t){*broken == '\0'}, 1);
    snprintf(body, sizeof body, "{\"broken\":\"%s\"}", broken);
    complete(old, call, (struct core_result){.outcome = CORE_ANSWER, .http_status = 200, .body = text(body)});
}

/* --- life -------------------------------------------------------------------------------------------------------------- */

static core_status register_routes(struct old *old)
{
    const struct core_route routes[] = {
        {sizeof routes[0], CORE_AUTH_NONE, "POST", "/{username}/old", 4096, release, old},
        {sizeof routes[0], CORE_AUTH_PERSONAL, "GET", "/{username}/old", 0, report, old},
        {sizeof routes[0], CORE_AUTH_ADMIN, "DELETE", "/system/users/{username}/old", 0, answer_nothing, old},
    };
    core_status status = CORE_OK;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0] && status == CORE_OK; i++)
        status = old->host->register_route(old->host, &routes[i]);
    return status;
}

static core_status use_capabilities(struct old *old)
{
    static const char *const promises[] = {"broken", "kept", NULL};
    static const struct core_metric_label label = {"promises", promises};
    static const struct core_metric reports = {.struct_size = sizeof reports,
                                               .kind = CORE_METRIC_COUNTER,
                                               .name = "old_reports_total",
                                               .help = "Reports asked for.",
                                               .labels = &label,
                                               .label_count = 1,
                                               .unit = 1};

    old->kv = core_cap_kv_of(old->host);
    old->metrics = core_cap_metrics_of(old->host);
    if (old->kv == NULL || old->metrics == NULL)
        return CORE_ERR_VERSION;
    return old->metrics->define(old->host, &reports, &old->reports_id);
}

static core_status create(const struct core_host *host, const struct core_config *config, void **instance)
{
    struct old *old = NULL;
    core_status status = CORE_ERR_CONFIG;

    *instance = NULL;
    if (!CORE_HAS(config, origin_line) || config->format != CORE_CONFIG_YAML || config->origin_line == 0 ||
        memmem(config->text.data, config->text.len, "a word for it", 13) == NULL)
        return status;
    old = calloc(1, sizeof *old);
    if (old == NULL)
        return CORE_ERR_MEMORY;
    old->host = host;
    status = use_capabilities(old);
    if (status == CORE_OK)
        status = register_routes(old);
    if (status == CORE_OK)
        *instance = old; /* transferred */
    else
        free(old);
    return status;
}

static void stop(void *instance)
{
    (void)instance;
}

static const struct core_plugin_hooks hooks = {.struct_size = sizeof hooks, .stop = stop, .login = login};
static const char *const fields[] = {FIELD, NULL};

CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor = {
    .magic = CORE_PLUGIN_MAGIC,
    .struct_size = sizeof core_plugin_descriptor,
    .api_major = CORE_API_MAJOR,
    .api_minor = CORE_API_MINOR,
    .requires_minor = 0,
    .name = "old",
    .version = "1",
    .config_section = "services.old",
    .create = create,
    .destroy = free,
    .hooks = &hooks,
    .profile_fields = fields,
};
