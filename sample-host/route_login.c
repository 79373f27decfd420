/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "host.h"
#include "json_tree.h"
#include "login_chain.h"
#include "passwords.h"
#include "request_body.h"
#include "routes.h"

static void check_password(struct exchange *exchange, const char *password)
{
    core_status status =
        passwords_check(exchange->host->passwords, (struct core_span){exchange->user.id, strlen(exchange->user.id)},
                        (struct core_span){password, strlen(password)});

    if (status == CORE_OK)
        login_chain_begin(exchange);
    else
        exchange_fail(exchange, status == CORE_ERR_DENIED ? ANSWER_INVALID_CREDENTIALS : ANSWER_UNEXPECTED_ERROR, NULL);
}

static void log_in(struct exchange *exchange)
{
    json_t *problems = json_array();
    json_t *body = request_body_parse(exchange);

    if (!body)
        goto out;
    const char *username = request_body_text(body, "username", STORAGE_USERNAME_MAX, problems);
    const char *password = request_body_text(body, "password", PASSWORDS_LEN_MAX, problems);
    const char *app_id = request_body_text(body, "appId", STORAGE_NAME_MAX, problems);
    if (!problems || json_array_size(problems) > 0)
        exchange_fail(exchange, ANSWER_INVALID_PARAMETERS, json_incref(problems));
    else if (strcmp(username, exchange->user.username) != 0)
        exchange_fail(exchange, ANSWER_OTHER_USERNAME, NULL);
    else if (login_start(exchange, app_id) != CORE_OK)
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
    else
        check_password(exchange, password);
out:
    json_tree_free(body);
    json_decref(problems);
}

static void post_login(struct exchange *exchange)
{
    exchange_continue_with_password(exchange, log_in);
}

static void post_logout(struct exchange *exchange)
{
    if (storage_remove_access(exchange->host->storage, exchange->access.token_hash) == CORE_OK)
        exchange_answer(exchange, 200, answer_json(json_object()));
    else
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
}

core_status route_login_add(struct router *router)
{
    core_status status = router_add(router, &(struct route){.method = "POST",
                                                            .path = "/{username}/auth/login",
                                                            .auth = CORE_AUTH_NONE,
                                                            .max_body_len = ROUTE_BODY_MAX,
                                                            .handler = post_login});
    if (status != CORE_OK)
        return status;
    return router_add(router, &(struct route){.method = "POST",
                                              .path = "/{username}/auth/logout",
                                              .auth = CORE_AUTH_PERSONAL,
                                              .max_body_len = ROUTE_BODY_MAX,
                                              .handler = post_logout});
}
