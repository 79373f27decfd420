/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "json_tree.h"
#include "passwords.h"
#include "request_body.h"
#include "routes.h"

#define EMAIL_MAX 254

static void answer_created(struct exchange *exchange, const struct storage_user *user)
{
    json_t *body = json_pack("{s:s, s:o}", "username", user->username, "apiEndpoint",
                             json_sprintf("http://%s/%s/", exchange->host->address, user->username));

    exchange_answer(exchange, 201, answer_json(body)); /* transferred */
}

static void add_user(struct exchange *exchange, struct storage_user *user, const char *email, const char *password)
{
    struct host *host = exchange->host;
    char secret_hash[crypto_pwhash_STRBYTES] = "";
    core_status status = passwords_hash(host->passwords, (struct core_span){password, strlen(password)}, secret_hash);

    if (status == CORE_OK)
        status = storage_add_user(host->storage, user, email, secret_hash);
    sodium_memzero(secret_hash, sizeof(secret_hash));
    if (status == CORE_OK)
        answer_created(exchange, user);
    else
        exchange_fail(exchange, status == CORE_ERR_CONFLICT ? ANSWER_USERNAME_TAKEN : ANSWER_UNEXPECTED_ERROR, NULL);
}

static void create_user(struct exchange *exchange)
{
    json_t *problems = json_array();
    json_t *body = request_body_parse(exchange);
    struct storage_user user = {.language = "en"};

    if (!body)
        goto out;
    const char *username = request_body_text(body, "username", STORAGE_USERNAME_MAX, problems);
    const char *password = request_body_text(body, "password", PASSWORDS_LEN_MAX, problems);
    const char *email = request_body_optional_text(body, "email", EMAIL_MAX, problems);
    const char *language = request_body_optional_text(body, "language", STORAGE_LANGUAGE_MAX, problems);
    (void)request_body_text(body, "appId", STORAGE_NAME_MAX, problems);
    if (username && !router_is_username(username, strlen(username)))
        request_body_note(problems, "username", "must be 5 to 60 of a-z, 0-9 and -");
    if (!problems || json_array_size(problems) > 0) {
        exchange_fail(exchange, ANSWER_INVALID_PARAMETERS, json_incref(problems));
        goto out;
    }
    (void)snprintf(user.username, sizeof(user.username), "%s", username);
    if (language)
        (void)snprintf(user.language, sizeof(user.language), "%s", language);
    add_user(exchange, &user, email, password);
out:
    json_tree_free(body);
    json_decref(problems);
}

static void post_users(struct exchange *exchange)
{
    exchange_continue_with_password(exchange, create_user);
}

core_status route_users_add(struct router *router)
{
    return router_add(router, &(struct route){.method = "POST",
                                              .path = "/users",
                                              .auth = CORE_AUTH_NONE,
                                              .max_body_len = ROUTE_BODY_MAX,
                                              .handler = post_users});
}
