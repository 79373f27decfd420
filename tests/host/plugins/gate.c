/* SPDX-License-Identifier: Apache-2.0
 *
 * gate.c: a plugin for trying out a host. What it does is said by the client: with a login by its application id (deny,
 * challenge, silent, late, wrong; anything else is allowed), with POST /{username}/gate by the body (deny, silent, late, bad,
 * wrong, meddle, release GRANT; anything else is answered). It hands its grants, in hexadecimal, to the client, who may then try
 * what a plugin must not.
 */
#include "core_plugin.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef GATE_NAME
#define GATE_NAME "gate"
#endif

#define CALLS_MAX 64
#define LATE_MS 100

struct gate {
    const struct core_host *host;
    pthread_mutex_t lock; /* guards all below */
    core_call silent[CALLS_MAX];
    size_t silent_count;
    pthread_t late[CALLS_MAX];
    size_t late_count;
};

struct late {
    struct gate *gate;
    core_call call;
    uint32_t outcome;
};

static bool is(struct core_span span, const char *text)
{
    return span.data && span.len == strlen(text) && memcmp(span.data, text, strlen(text)) == 0;
}

static void complete(struct gate *gate, core_call call, uint32_t outcome, uint32_t status, const char *body)
{
    struct core_result result = {.struct_size = sizeof(result), .outcome = outcome, .http_status = status};

    if (body)
        result.body = (struct core_span){body, strlen(body)};
    (void)gate->host->complete(gate->host, call, &result);
}

static void deny(struct gate *gate, core_call call)
{
    complete(gate, call, CORE_DENY, 403, "{\"error\":{\"id\":\"denied\",\"message\":\"Denied by " GATE_NAME ".\"}}");
}

static void *complete_late(void *context)
{
    const struct timespec pause = {.tv_nsec = LATE_MS * 1000000L};
    struct late *late = context;

    (void)nanosleep(&pause, NULL);
    complete(late->gate, late->call, late->outcome, 200, "{\"late\":true}");
    free(late);
    return NULL;
}

static void start_late(struct gate *gate, core_call call, uint32_t outcome)
{
    struct late *late = malloc(sizeof(*late));
    bool is_started = false;

    pthread_mutex_lock(&gate->lock);
    if (late && gate->late_count < CALLS_MAX) {
        *late = (struct late){gate, call, outcome};
        is_started = pthread_create(&gate->late[gate->late_count], NULL, complete_late, late) == 0;
        gate->late_count += is_started;
    }
    pthread_mutex_unlock(&gate->lock);
    if (is_started)
        return;
    free(late);
    deny(gate, call);
}

static void keep_silent(struct gate *gate, core_call call)
{
    pthread_mutex_lock(&gate->lock);
    bool is_kept = gate->silent_count < CALLS_MAX;
    if (is_kept)
        gate->silent[gate->silent_count++] = call;
    pthread_mutex_unlock(&gate->lock);
    if (!is_kept)
        deny(gate, call);
}

static void challenge(struct gate *gate, core_call call, struct core_span grant)
{
    char body[2 * CORE_GRANT_MAX + 64];
    const unsigned char *bytes = grant.data;
    int len = snprintf(body, sizeof(body), "{\"challengedBy\":\"" GATE_NAME "\",\"grant\":\"");

    for (uint64_t i = 0; i < grant.len; i++)
        len += snprintf(body + len, sizeof(body) - (size_t)len, "%02x", bytes[i]);
    (void)snprintf(body + len, sizeof(body) - (size_t)len, "\"}");
    complete(gate, call, CORE_CHALLENGE, 200, body);
}

static void login(void *instance, core_call call, const struct core_login *input)
{
    if (is(input->app_id, "challenge"))
        challenge(instance, call, input->grant);
    else if (is(input->app_id, "deny"))
        deny(instance, call);
    else if (is(input->app_id, "silent"))
        keep_silent(instance, call);
    else if (is(input->app_id, "late"))
        start_late(instance, call, CORE_ALLOW);
    else if (is(input->app_id, "wrong"))
        complete(instance, call, CORE_ANSWER, 200, "{}");
    else
        complete(instance, call, CORE_ALLOW, 0, NULL);
}

/* Releases the grant that stands in hexadecimal behind the first word of the body. */
static void release(struct gate *gate, core_call call, struct core_span body)
{
    const struct core_header header = {{"X-Gate", 6}, {GATE_NAME, strlen(GATE_NAME)}};
    struct core_result result = {
        .struct_size = sizeof(result), .outcome = CORE_RELEASE, .header_count = 1, .headers = &header};
    char digits[2 * CORE_GRANT_MAX + 1] = "";
    unsigned char grant[CORE_GRANT_MAX];
    size_t len = 0;

    (void)snprintf(digits, sizeof(digits), "%.*s", (int)(body.len - strlen("release ")),
                   (const char *)body.data + strlen("release "));
    for (unsigned byte = 0; len < sizeof(grant) && sscanf(digits + 2 * len, "%2x", &byte) == 1; len++)
        grant[len] = (unsigned char)byte;
    result.grant = (struct core_span){grant, len};
    (void)gate->host->complete(gate->host, call, &result);
}

/* Asks about the call before its own, tries to end it, and answers what the host said to both. */
static void meddle(struct gate *gate, core_call call)
{
    struct core_call_info info = {.struct_size = sizeof(info)};
    const struct core_result allow = {.struct_size = sizeof(allow), .outcome = CORE_ALLOW};
    char body[64];
    core_status asked = gate->host->call_info(gate->host, call - 1, &info);
    core_status ended = gate->host->complete(gate->host, call - 1, &allow);

    (void)snprintf(body, sizeof(body), "{\"asked\":%d,\"ended\":%d}", (int)asked, (int)ended);
    complete(gate, call, CORE_ANSWER, 200, body);
}

static void route(void *context, core_call call, const struct core_request *request)
{
    if (is(request->body, "deny"))
        deny(context, call);
    else if (is(request->body, "silent"))
        keep_silent(context, call);
    else if (is(request->body, "late"))
        start_late(context, call, CORE_ANSWER);
    else if (is(request->body, "bad"))
        complete(context, call, CORE_ANSWER, 200, "{}}");
    else if (is(request->body, "wrong"))
        complete(context, call, CORE_ALLOW, 0, NULL);
    else if (is(request->body, "meddle"))
        meddle(context, call);
    else if (request->body.len > 8 && memcmp(request->body.data, "release ", 8) == 0)
        release(context, call, request->body);
    else
        complete(context, call, CORE_ANSWER, 200, "{ }");
}

static core_status create(const struct core_host *host, const struct core_config *config, void **instance)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    const struct core_route routes[] = {
        {sizeof(routes[0]), CORE_AUTH_NONE, "POST", "/{username}/" GATE_NAME, 4096, route, gate},
        {sizeof(routes[0]), CORE_AUTH_PERSONAL, "GET", "/{username}/" GATE_NAME, 0, route, gate},
        {sizeof(routes[0]), CORE_AUTH_ADMIN, "DELETE", "/system/users/{username}/" GATE_NAME, 0, route, gate},
    };

    (void)config;
    *instance = NULL;
    if (!gate)
        return CORE_ERR_MEMORY;
    gate->host = host;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        core_status status = host->register_route(host, &routes[i]);
        if (status != CORE_OK) {
            free(gate);
            return status;
        }
    }
    pthread_mutex_init(&gate->lock, NULL);
    *instance = gate;
    return CORE_OK;
}

static void stop(void *instance)
{
    struct gate *gate = instance;

    for (size_t i = 0; i < gate->silent_count; i++)
        deny(gate, gate->silent[i]);
    for (size_t i = 0; i < gate->late_count; i++)
        pthread_join(gate->late[i], NULL);
}

static void destroy(void *instance)
{
    struct gate *gate = instance;

    if (!gate)
        return;
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

static const struct core_plugin_hooks hooks = {.struct_size = sizeof(hooks), .stop = stop, .login = login};
static const char *const fields[] = {GATE_NAME, NULL};

CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor = {
    .magic = CORE_PLUGIN_MAGIC,
    .struct_size = sizeof(core_plugin_descriptor),
    .api_major = CORE_API_MAJOR,
    .api_minor = CORE_API_MINOR,
    .requires_minor = 0,
    .name = GATE_NAME,
    .version = "1",
    .config_section = "services." GATE_NAME,
    .create = create,
    .destroy = destroy,
    .hooks = &hooks,
    .profile_fields = fields,
};
