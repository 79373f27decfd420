/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flows.h"
#include "plugin.h"

/* What stands behind a registered route: the context of its hook. */
struct plugin_route {
    struct plugin_instance *instance;
    const char *event;
    mfa_flow_step_fn *flow;
};

static const struct {
    const char *method;
    const char *path;
    uint32_t auth;
    const char *event; /* in the audit log */
    mfa_flow_step_fn *flow;
} routes[] = {
    {"POST", "/{username}/mfa/activate", CORE_AUTH_PERSONAL, "mfa.activate", mfa_flow_activate},
    {"POST", "/{username}/mfa/confirm", CORE_AUTH_NONE, "mfa.confirm", mfa_flow_confirm},
    {"POST", "/{username}/mfa/challenge", CORE_AUTH_NONE, "mfa.challenge", mfa_flow_challenge},
    {"POST", "/{username}/mfa/verify", CORE_AUTH_NONE, "mfa.verify", mfa_flow_verify},
    {"POST", "/{username}/mfa/deactivate", CORE_AUTH_PERSONAL, "mfa.deactivate", mfa_flow_deactivate},
    {"POST", "/{username}/mfa/recover", CORE_AUTH_NONE, "mfa.recover", mfa_flow_recover},
    {"POST", "/{username}/mfa/recovery-codes", CORE_AUTH_PERSONAL, "mfa.recovery-codes", mfa_flow_recovery_codes},
    {"GET", "/{username}/mfa", CORE_AUTH_PERSONAL, "mfa.status", mfa_flow_status},
    {"DELETE", "/system/users/{username}/mfa", CORE_AUTH_ADMIN, "mfa.reset", mfa_flow_reset},
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

/* Copies a span that must be a text: no NUL inside, and room for the one behind. */
static bool copy_text(char *text, size_t size, struct core_span from)
{
    if (from.data == NULL || from.len >= size || memchr(from.data, '\0', (size_t)from.len) != NULL)
        return false;
    memcpy(text, from.data, (size_t)from.len);
    text[from.len] = '\0';
    return true;
}

static bool has_header(const struct core_request *request, const char *name)
{
    size_t len = strlen(name);

    for (uint32_t i = 0; i < request->header_count; i++) {
        struct core_span found = request->headers[i].name;
        if (found.len == len && strncasecmp(found.data, name, len) == 0)
            return true;
    }
    return false;
}

static void deny(const struct plugin_instance *instance, core_call call)
{
    struct mfa_reply reply = {.outcome = MFA_OUTCOME_INTERNAL};

    instance->core->host.complete(instance->core->host.ctx, call, &reply);
}

static void answer_route(void *context, core_call call, const struct core_request *from)
{
    const struct plugin_route *route = context;
    char user_id[MFA_USER_ID_SIZE];
    char username[MFA_USER_ID_SIZE];
    char client_address[MFA_CLIENT_ADDRESS_SIZE] = "";
    struct mfa_request request = {.call = call,
                                  .event = route->event,
                                  .user_id = user_id,
                                  .username = username,
                                  .client_address = client_address,
                                  .token_secret = from->credential.data,
                                  .token_len = (size_t)from->credential.len,
                                  .body_secret = from->body.data,
                                  .body_len = (size_t)from->body.len,
                                  .is_from_browser = has_header(from, "Sec-Fetch-Mode")};

    (void)copy_text(client_address, sizeof client_address, from->client_address);
    if (copy_text(user_id, sizeof user_id, from->user_id) && copy_text(username, sizeof username, from->username))
        mfa_flow_run(route->instance->core, &request, route->flow);
    else
        deny(route->instance, call);
}

void plugin_login(void *context, core_call call, const struct core_login *login)
{
    struct plugin_instance *instance = context;
    char user_id[MFA_USER_ID_SIZE];
    char username[MFA_USER_ID_SIZE];
    char client_address[MFA_CLIENT_ADDRESS_SIZE] = "";
    struct mfa_request request = {.call = call,
                                  .event = "mfa.login",
                                  .user_id = user_id,
                                  .username = username,
                                  .client_address = client_address,
                                  .grant_secret = login->grant.data,
                                  .grant_len = (size_t)login->grant.len};
    bool is_complete = login->grant.data != NULL && login->grant.len > 0 && login->grant.len <= CORE_GRANT_MAX;

    (void)copy_text(client_address, sizeof client_address, login->client_address);
    if (is_complete && copy_text(user_id, sizeof user_id, login->user_id) &&
        copy_text(username, sizeof username, login->username))
        mfa_flow_run(instance->core, &request, mfa_flow_login);
    else
        deny(instance, call);
}

core_status plugin_register_routes(struct plugin_instance *instance)
{
    /* A route that always says "not enabled" needs nobody's credentials to say so. */
    bool is_disabled = instance->core->settings->config.mode == MFA_MODE_DISABLED;
    core_status status = CORE_OK;

    instance->routes = calloc(ROUTE_COUNT, sizeof *instance->routes);
    if (instance->routes == NULL)
        return CORE_ERR_MEMORY;
    for (size_t i = 0; i < ROUTE_COUNT && status == CORE_OK; i++) {
        struct core_route route = {.struct_size = sizeof route,
                                   .auth = is_disabled ? CORE_AUTH_NONE : routes[i].auth,
                                   .method = routes[i].method,
                                   .path = routes[i].path,
                                   .max_body_len = MFA_BODY_MAX_LEN,
                                   .hook = answer_route,
                                   .context = &instance->routes[i]};
        instance->routes[i] =
            (struct plugin_route){.instance = instance, .event = routes[i].event, .flow = routes[i].flow};
        status = instance->host->register_route(instance->host, &route);
    }
    return status;
}
