/* SPDX-License-Identifier: Apache-2.0 */
#include "admission.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "access_token.h"
#include "host.h"
#include "router.h"

/* --- the token --------------------------------------------------------------------------------------------------------- */

/* The token in an Authorization header: alone or behind the scheme Bearer (RFC 6750). NULL: there is none. */
static const char *token_in_header(const char *value)
{
    static const char scheme[] = "Bearer";
    const size_t scheme_len = sizeof(scheme) - 1;

    if (strncasecmp(value, scheme, scheme_len) == 0 && (value[scheme_len] == ' ' || value[scheme_len] == '\0'))
        value += scheme_len;
    value += strspn(value, " ");
    return *value && !strchr(value, ' ') ? value : NULL;
}

static core_status read_credential(struct exchange *exchange)
{
    const char *header = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Authorization");
    const char *token = header ? token_in_header(header) : NULL;

    if (!token)
        token = MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, "auth");
    if (!token || !*token)
        return CORE_OK;
    exchange->secret_credential = strdup(token);
    return exchange->secret_credential ? CORE_OK : CORE_ERR_MEMORY;
}

static bool secrets_are_equal(const char *a, const char *b)
{
    uint8_t a_hash[STORAGE_TOKEN_HASH_LEN], b_hash[STORAGE_TOKEN_HASH_LEN];

    /* Hashes have one length, so the comparison tells nothing about that of the key. */
    access_token_hash(a, a_hash);
    access_token_hash(b, b_hash);
    return sodium_memcmp(a_hash, b_hash, sizeof(a_hash)) == 0;
}

static bool admit_admin(struct exchange *exchange)
{
    const char *key = exchange->host->config.secret_admin_key;

    if (key && secrets_are_equal(key, exchange->secret_credential))
        return true;
    exchange_fail(exchange, ANSWER_TOKEN_UNKNOWN, NULL);
    return false;
}

static bool admit_access(struct exchange *exchange, bool must_be_personal)
{
    uint8_t hash[STORAGE_TOKEN_HASH_LEN];

    access_token_hash(exchange->secret_credential, hash);
    core_status status = storage_find_access(exchange->host->storage, hash, &exchange->access);
    if (status != CORE_OK && status != CORE_ERR_NOT_FOUND)
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
    else if (status != CORE_OK || strcmp(exchange->access.user_id, exchange->user.id) != 0)
        exchange_fail(exchange, ANSWER_TOKEN_UNKNOWN, NULL);
    else if (must_be_personal && strcmp(exchange->access.type, "personal") != 0)
        exchange_fail(exchange, ANSWER_FORBIDDEN, NULL);
    else
        return true;
    return false;
}

/* Whether the token is good for the route; if not, the exchange has been answered. */
static bool admit_token(struct exchange *exchange)
{
    uint32_t auth = exchange->route->auth;

    if (auth == CORE_AUTH_NONE)
        return true;
    if (!exchange->secret_credential) {
        exchange_fail(exchange, ANSWER_TOKEN_MISSING, NULL);
        return false;
    }
    return auth == CORE_AUTH_ADMIN ? admit_admin(exchange) : admit_access(exchange, auth == CORE_AUTH_PERSONAL);
}

/* --- the user ------------------------------------------------------------------------------------------------------------ */

static bool admit_user(struct exchange *exchange)
{
    char username[STORAGE_USERNAME_MAX + 1];

    if (!exchange->user.username[0])
        return true;
    memcpy(username, exchange->user.username, sizeof(username));
    core_status status = storage_find_user(exchange->host->storage, username, &exchange->user);
    if (status == CORE_OK)
        return true;
    exchange_fail(exchange, status == CORE_ERR_NOT_FOUND ? ANSWER_UNKNOWN_RESOURCE : ANSWER_UNEXPECTED_ERROR, NULL);
    return false;
}

/* --- what a plugin is told ------------------------------------------------------------------------------------------------- */

static void read_client_address(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const char *address = info ? info->socket_context : NULL;

    if (address)
        memcpy(exchange->client_address, address, strlen(address) + 1);
}

struct header_copy {
    struct core_header *next;
    char *end;
    size_t count;
    size_t len;
};

static enum MHD_Result measure_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                      const char *value, size_t value_len)
{
    struct header_copy *copy = context;

    (void)kind;
    (void)name;
    (void)value;
    copy->count++;
    copy->len += name_len + value_len;
    return MHD_YES;
}

static struct core_span append(struct header_copy *copy, const char *text, size_t len)
{
    char *start = copy->end;

    if (len > 0)
        memcpy(start, text, len);
    copy->end += len;
    return (struct core_span){start, len};
}

static enum MHD_Result copy_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                   const char *value, size_t value_len)
{
    struct header_copy *copy = context;

    (void)kind;
    copy->next->name = append(copy, name, name_len);
    copy->next->value = append(copy, value, value_len);
    copy->next++;
    return MHD_YES;
}

/* The headers are copied because a call may outlive its connection: one that missed its deadline has been answered. */
static core_status copy_headers(struct exchange *exchange)
{
    struct header_copy copy = {0};

    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, measure_header, &copy);
    exchange->request_headers_size = copy.count * sizeof(struct core_header) + copy.len + 1;
    exchange->request_headers = malloc(exchange->request_headers_size);
    if (!exchange->request_headers)
        return CORE_ERR_MEMORY;
    copy.next = exchange->request_headers;
    copy.end = (char *)(exchange->request_headers + copy.count);
    exchange->request.header_count = (uint32_t)copy.count;
    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, copy_header, &copy);
    return CORE_OK;
}

static struct core_span span_of(const char *text)
{
    return (struct core_span){text, text ? strlen(text) : 0};
}

static core_status fill_request(struct exchange *exchange)
{
    struct core_request *request = &exchange->request;
    core_status status = copy_headers(exchange);

    if (status != CORE_OK)
        return status;
    request->struct_size = sizeof(*request);
    request->user_id = span_of(exchange->user.id);
    request->username = span_of(exchange->user.username);
    request->client_address = span_of(exchange->client_address);
    request->credential = span_of(exchange->secret_credential);
    request->body = (struct core_span){exchange->body, exchange->body_len};
    request->headers = exchange->request_headers;
    return CORE_OK;
}

/* --- all of it --------------------------------------------------------------------------------------------------------------- */

void admission_admit(struct exchange *exchange)
{
    if (atomic_load(&exchange->host->is_stopping)) {
        exchange_fail(exchange, ANSWER_STOPPING, NULL);
    } else if (!exchange->route) {
        exchange_fail(exchange, ANSWER_UNKNOWN_RESOURCE, NULL);
    } else if (read_credential(exchange) != CORE_OK) {
        exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
    } else if (admit_user(exchange) && admit_token(exchange)) {
        read_client_address(exchange);
        if (exchange->discarded_len > 0)
            exchange_fail(exchange, ANSWER_INVALID_STRUCTURE, NULL);
        else if (exchange->route->plugin && fill_request(exchange) != CORE_OK)
            exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
        else
            exchange->route->handler(exchange);
    }
}
