/* SPDX-License-Identifier: Apache-2.0
 *
 * last_login.c: a plugin that remembers when each user last logged in, and tells it at GET /{username}/last-login. Explained
 * in docs/writing-a-plugin.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_plugin.h"

#define FIELD "last-login"
#define TIME_SIZE 24 /* milliseconds since 1970, as text */

struct last_login {
    const struct core_host *host;
};

static struct core_span span(const char *text)
{
    return (struct core_span){.data = text, .len = strlen(text)};
}

/* The time of the last login, "" for none, and the version to write over. */
static core_status load(const struct core_host *host, struct core_span user_id, char time[static TIME_SIZE],
                        uint64_t *version)
{
    uint64_t len = 0;
    core_status status = host->profile_load(host, user_id, FIELD, time, TIME_SIZE - 1, &len, version);

    time[status == CORE_OK ? len : 0] = '\0';
    return status == CORE_ERR_NOT_FOUND ? CORE_OK : status;
}

/* Of two logins at once one finds the field changed: the other has just written the same. */
static core_status remember(const struct core_host *host, struct core_span user_id)
{
    char time[TIME_SIZE];
    uint64_t version = 0;
    int64_t now_ms = 0;
    core_status status = load(host, user_id, time, &version);

    if (status == CORE_OK)
        status = host->wall_clock(host, &now_ms);
    if (status != CORE_OK)
        return status;
    snprintf(time, sizeof time, "%" PRId64, now_ms);
    status = host->profile_store(host, user_id, FIELD, version, span(time));
    return status == CORE_ERR_CONFLICT ? CORE_OK : status;
}

/* Nobody is kept out because we could not take a note. */
static void login(void *instance, core_call call, const struct core_login *input)
{
    const struct core_host *host = ((const struct last_login *)instance)->host;
    const struct core_result result = {.struct_size = sizeof result, .outcome = CORE_ALLOW};

    if (remember(host, input->user_id) != CORE_OK)
        host->log(host, CORE_LOG_WARN, span("the time of a login was not kept"));
    (void)host->complete(host, call, &result);
}

static void tell(void *context, core_call call, const struct core_request *request)
{
    const struct core_host *host = ((const struct last_login *)context)->host;
    struct core_result result = {.struct_size = sizeof result, .outcome = CORE_DENY, .http_status = 500};
    char time[TIME_SIZE], body[64];
    uint64_t version = 0;

    if (load(host, request->user_id, time, &version) == CORE_OK) {
        snprintf(body, sizeof body, "{\"lastLogin\": %s}", time[0] != '\0' ? time : "null");
        result.outcome = CORE_ANSWER;
        result.http_status = 200;
        result.body = span(body);
    }
    (void)host->complete(host, call, &result);
}

static bool offers_what_we_use(const struct core_host *host)
{
    return CORE_HAS(host, register_route) && host->log != NULL && host->wall_clock != NULL && host->complete != NULL &&
           host->profile_load != NULL && host->profile_store != NULL && host->register_route != NULL;
}

static core_status create(const struct core_host *host, const struct core_config *config, void **instance)
{
    struct last_login *last_login = NULL;
    core_status status = CORE_ERR_MEMORY;

    (void)config;
    *instance = NULL;
    if (!offers_what_we_use(host))
        return CORE_ERR_VERSION;
    last_login = malloc(sizeof *last_login);
    if (last_login == NULL)
        return status;
    last_login->host = host;
    status = host->register_route(host, &(struct core_route){.struct_size = sizeof(struct core_route),
                                                             .auth = CORE_AUTH_PERSONAL,
                                                             .method = "GET",
                                                             .path = "/{username}/last-login",
                                                             .hook = tell,
                                                             .context = last_login});
    if (status != CORE_OK) {
        host->log(host, CORE_LOG_ERROR, span("the route /{username}/last-login is refused"));
        free(last_login);
        return status;
    }
    *instance = last_login; /* transferred */
    return CORE_OK;
}

/* Every call was completed before its hook returned: nothing is under way. */
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
    .name = "last-login",
    .version = "1.0",
    .config_section = "services.lastLogin",
    .create = create,
    .destroy = free,
    .hooks = &hooks,
    .profile_fields = fields,
};
