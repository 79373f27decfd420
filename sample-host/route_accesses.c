/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access_token.h"
#include "host.h"
#include "json_tree.h"
#include "request_body.h"
#include "routes.h"

static void get_access_info(struct exchange *exchange)
{
    const struct storage_access *access = &exchange->access;
    json_t *info =
        json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "id", access->id, "type", access->type, "name", access->name,
                  "token", exchange->secret_credential, "user", "username", exchange->user.username);

    exchange_answer(exchange, 200, answer_json(info)); /* transferred */
}

static void add_access(struct exchange *exchange, struct storage_access *access, json_t *permissions)
{
    char secret_token[ACCESS_TOKEN_SIZE];
    char *permissions_text = json_dumps(permissions, JSON_COMPACT);

    access_token_make(secret_token);
    access_token_hash(secret_token, access->token_hash);
    (void)snprintf(access->user_id, sizeof(access->user_id), "%s", exchange->user.id);
    if (permissions_text && storage_add_access(exchange->host->storage, access, permissions_text) == CORE_OK)
        exchange_answer(
            exchange, 201,
            answer_json(json_pack("{s:{s:s, s:s, s:s, s:s, s:O}}", "access", "id", access->id, "token", secret_token,
                                  "type", access->type, "name", access->name, "permissions", permissions)));
    else
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
    sodium_memzero(secret_token, sizeof(secret_token));
    free(permissions_text);
}

static void post_accesses(struct exchange *exchange)
{
    json_t *problems = json_array();
    json_t *body = request_body_parse(exchange);
    struct storage_access access = {.type = ""};

    if (!body)
        goto out;
    const char *name = request_body_text(body, "name", STORAGE_NAME_MAX, problems);
    const char *type = request_body_text(body, "type", sizeof(access.type) - 1, problems);
    json_t *permissions = json_object_get(body, "permissions");
    if (type && strcmp(type, "app") != 0 && strcmp(type, "shared") != 0)
        request_body_note(problems, "type", "must be app or shared");
    if (!json_is_array(permissions))
        request_body_note(problems, "permissions", "must be an array");
    if (!problems || json_array_size(problems) > 0) {
        exchange_fail(exchange, ANSWER_INVALID_PARAMETERS, json_incref(problems));
        goto out;
    }
    (void)snprintf(access.name, sizeof(access.name), "%s", name);
    (void)snprintf(access.type, sizeof(access.type), "%s", type);
    add_access(exchange, &access, permissions);
out:
    json_tree_free(body);
    json_decref(problems);
}

core_status route_accesses_add(struct router *router)
{
    core_status status = router_add(router, &(struct route){.method = "GET",
                                                            .path = "/{username}/access-info",
                                                            .auth = ROUTE_AUTH_ANY_ACCESS,
                                                            .handler = get_access_info});
    if (status != CORE_OK)
        return status;
    return router_add(router, &(struct route){.method = "POST",
                                              .path = "/{username}/accesses",
                                              .auth = CORE_AUTH_PERSONAL,
                                              .max_body_len = ROUTE_BODY_MAX,
                                              .handler = post_accesses});
}
