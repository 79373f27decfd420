/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"
#include "host_api.h"
#include "json_tree.h"
#include "request_body.h"
#include "routes.h"

#define PATH "/{username}/profile/private"

static void answer_profile(struct exchange *exchange)
{
    json_t *profile = NULL;

    if (storage_load_profile(exchange->host->storage, exchange->user.id, &profile) == CORE_OK)
        exchange_answer(exchange, 200, answer_json(json_pack("{s:o}", "profile", profile))); /* transferred */
    else
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
}

static bool names_protected_field(const struct host *host, json_t *changes)
{
    const char *key;
    json_t *value;

    json_object_foreach(changes, key, value)
    {
        for (size_t i = 0; i < host->plugin_count; i++)
            if (host_api_claims_field(&host->plugins[i], key))
                return true;
    }
    return false;
}

static void put_profile(struct exchange *exchange)
{
    json_t *changes = request_body_parse(exchange);

    if (!changes)
        return;
    if (names_protected_field(exchange->host, changes))
        exchange_fail(exchange, ANSWER_PROTECTED_FIELD, NULL);
    else if (storage_merge_profile(exchange->host->storage, exchange->user.id, changes) == CORE_OK)
        answer_profile(exchange);
    else
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
    json_tree_free(changes);
}

core_status route_profile_add(struct router *router)
{
    core_status status = router_add(
        router, &(struct route){.method = "GET", .path = PATH, .auth = CORE_AUTH_PERSONAL, .handler = answer_profile});
    if (status != CORE_OK)
        return status;
    return router_add(router, &(struct route){.method = "PUT",
                                              .path = PATH,
                                              .auth = CORE_AUTH_PERSONAL,
                                              .max_body_len = ROUTE_BODY_MAX,
                                              .handler = put_profile});
}
