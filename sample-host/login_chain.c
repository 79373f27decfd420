/* SPDX-License-Identifier: Apache-2.0 */
#include "login_chain.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access_token.h"
#include "host.h"
#include "host_api.h"
#include "log.h"
#include "plugin.h"
#include "router.h"

core_status login_start(struct exchange *exchange, const char *app_id)
{
    struct login *login = calloc(1, sizeof(*login));

    if (!login)
        return CORE_ERR_MEMORY;
    (void)snprintf(login->grant.user_id, sizeof(login->grant.user_id), "%s", exchange->user.id);
    (void)snprintf(login->grant.app_id, sizeof(login->grant.app_id), "%s", app_id);
    exchange->login = login; /* transferred */
    return CORE_OK;
}

void login_free(struct login *login)
{
    if (!login)
        return;
    sodium_memzero(login, sizeof(*login));
    free(login);
}

static struct core_span span_of(const char *text)
{
    return (struct core_span){text, strlen(text)};
}

static void finish(struct exchange *exchange)
{
    struct host *host = exchange->host;
    char secret_token[ACCESS_TOKEN_SIZE] = "";
    char endpoint[256] = "";
    struct storage_access access = {.type = "personal"};

    access_token_make(secret_token);
    access_token_hash(secret_token, access.token_hash);
    (void)snprintf(access.user_id, sizeof(access.user_id), "%s", exchange->user.id);
    (void)snprintf(access.name, sizeof(access.name), "%s", exchange->login->grant.app_id);
    (void)snprintf(endpoint, sizeof(endpoint), "http://%s@%s/%s/", secret_token, host->address,
                   exchange->user.username);
    struct MHD_Response *response = answer_json(json_pack("{s:s, s:s, s:s}", "token", secret_token, "apiEndpoint",
                                                          endpoint, "preferredLanguage", exchange->user.language));
    response = exchange_add_headers(response, exchange->result);
    /* Nothing can fail behind the access, which would be kept for nobody. */
    if (response && storage_add_access(host->storage, &access, NULL) != CORE_OK) {
        MHD_destroy_response(response);
        response = NULL;
    }
    exchange_answer(exchange, 200, response); /* transferred */
    sodium_memzero(secret_token, sizeof(secret_token));
    sodium_memzero(endpoint, sizeof(endpoint));
}

static void ask(struct exchange *exchange, struct plugin *plugin)
{
    struct login *login = exchange->login;
    size_t grant_len = 0;

    login->grant.position = plugin->position;
    core_status status = grants_seal(exchange->host->grants, &login->grant, login->secret_grant, &grant_len);
    if (status == CORE_OK) {
        login->input = (struct core_login){.struct_size = sizeof(login->input),
                                           .user_id = span_of(exchange->user.id),
                                           .username = span_of(exchange->user.username),
                                           .client_address = span_of(exchange->client_address),
                                           .app_id = span_of(login->grant.app_id),
                                           .grant = {login->secret_grant, grant_len}};
        status = host_api_call_login(plugin, exchange, &login->input);
    }
    if (status != CORE_OK)
        exchange_fail(exchange, status == CORE_ERR_CLOSED ? ANSWER_STOPPING : ANSWER_UNEXPECTED_ERROR, NULL);
}

/* Asks the first plugin at or behind `position` that wants to be asked. */
static void ask_from(struct exchange *exchange, size_t position)
{
    struct host *host = exchange->host;

    for (size_t i = position; i < host->plugin_count; i++) {
        if (host->plugins[i].descriptor->hooks->login) {
            ask(exchange, &host->plugins[i]);
            return;
        }
    }
    finish(exchange);
}

void login_chain_begin(struct exchange *exchange)
{
    ask_from(exchange, 0);
}

void login_chain_next(struct exchange *exchange)
{
    ask_from(exchange, (size_t)exchange->login->grant.position + 1);
}

void login_chain_release(struct exchange *exchange)
{
    const struct plugin *plugin = exchange->route->plugin;
    struct grant grant;
    core_status status = grants_take(exchange->host->grants, exchange->result->secret_grant, exchange->user.id,
                                     plugin->position, &grant);

    if (status == CORE_OK)
        status = login_start(exchange, grant.app_id);
    if (status != CORE_OK) {
        log_line(CORE_LOG_ERROR, "plugin %s: tried to release a login with a grant that is not good for it",
                 plugin->descriptor->name);
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
        return;
    }
    exchange->login->grant.position = grant.position;
    login_chain_next(exchange);
}
