/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sample host makes of a request line, its tokens and its body, against a slow and obvious reading. The input is a
 * byte for what the storage says, and a line each for method and path, the Authorization header and ?auth; then the body.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <strings.h>

#include "access_token.h"
#include "admission.h"
#include "exchange.h"
#include "fuzz.h"
#include "host.h"
#include "json_text.h"
#include "json_tree.h"
#include "request_body.h"
#include "router.h"

#define TOKEN "token-of-alice"
#define ADMIN_KEY "administrator"
#define USER_ID "id-alice"

/* What came of the request, where it is no error of enum answer_error. */
#define HANDLED (-1)

static struct trial {
    const char *method;
    const char *path;
    const char *authorization; /* NULL: no such header */
    const char *argument;      /* NULL: no ?auth */
    bool is_stopping;
    bool users_fail;
    bool accesses_fail;
    bool is_app;
    bool is_of_other;
    int result;
} trial;

/* --- Routes --------------------------------------------------------------------------------------------------------- */

static route_handler_fn handle;

static const struct {
    struct route route;
    const char *pattern;
} routes[] = {
    {{.method = "POST", .path = "/{username}/mfa/verify", .auth = CORE_AUTH_NONE}, "^/([a-z0-9-]{5,60})/mfa/verify$"},
    {{.method = "GET", .path = "/{username}/mfa", .auth = CORE_AUTH_PERSONAL}, "^/([a-z0-9-]{5,60})/mfa$"},
    {{.method = "PUT", .path = "/{username}/profile/private", .auth = ROUTE_AUTH_ANY_ACCESS},
     "^/([a-z0-9-]{5,60})/profile/private$"},
    {{.method = "DELETE", .path = "/system/users/{username}/mfa", .auth = CORE_AUTH_ADMIN},
     "^/system/users/([a-z0-9-]{5,60})/mfa$"},
    {{.method = "GET", .path = "/service/info", .auth = CORE_AUTH_NONE}, "^/(service)/info$"},
};

#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

static struct router *make_router(void)
{
    struct router *router = router_new();

    assert_non_null(router);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        struct route route = routes[i].route;
        route.handler = handle;
        assert_int_equal(router_add(router, &route), CORE_OK);
    }
    return router;
}

static void handle(struct exchange *exchange)
{
    (void)exchange;
    trial.result = HANDLED;
}

/* --- The world around it: by --wrap --------------------------------------------------------------------------------- */

const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                               const char *name);
int __wrap_MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind, void *each,
                                       void *arg);
const void *__wrap_MHD_get_connection_info(struct MHD_Connection *connection, int type, ...);
core_status __wrap_storage_find_user(struct storage *storage, const char *username, struct storage_user *user);
core_status __wrap_storage_find_access(struct storage *storage, const uint8_t *hash, struct storage_access *access);
void __wrap_exchange_fail(struct exchange *exchange, enum answer_error error, json_t *data);

const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                               const char *name)
{
    (void)connection;
    if (kind == MHD_HEADER_KIND && strcasecmp(name, "authorization") == 0)
        return trial.authorization;
    return kind == MHD_GET_ARGUMENT_KIND && strcmp(name, "auth") == 0 ? trial.argument : NULL;
}

int __wrap_MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind, void *each,
                                       void *arg)
{
    (void)connection;
    (void)kind;
    (void)each;
    (void)arg;
    return 0;
}

const void *__wrap_MHD_get_connection_info(struct MHD_Connection *connection, int type, ...)
{
    (void)connection;
    (void)type;
    return NULL;
}

static bool is_user(const char *username)
{
    return strcmp(username, "alice") == 0 || strcmp(username, "bobby-1") == 0;
}

core_status __wrap_storage_find_user(struct storage *storage, const char *username, struct storage_user *user)
{
    (void)storage;
    if (trial.users_fail)
        return CORE_ERR_INTERNAL;
    if (!is_user(username))
        return CORE_ERR_NOT_FOUND;
    *user = (struct storage_user){.id = USER_ID};
    (void)snprintf(user->username, sizeof user->username, "%s", username);
    return CORE_OK;
}

core_status __wrap_storage_find_access(struct storage *storage, const uint8_t *hash, struct storage_access *access)
{
    uint8_t known[STORAGE_TOKEN_HASH_LEN];

    (void)storage;
    access_token_hash(TOKEN, known);
    if (trial.accesses_fail)
        return CORE_ERR_INTERNAL;
    if (memcmp(hash, known, sizeof known) != 0)
        return CORE_ERR_NOT_FOUND;
    *access = (struct storage_access){.type = "personal"};
    if (trial.is_app)
        (void)snprintf(access->type, sizeof access->type, "app");
    (void)snprintf(access->user_id, sizeof access->user_id, "%s", trial.is_of_other ? "id-other" : USER_ID);
    return CORE_OK;
}

void __wrap_exchange_fail(struct exchange *exchange, enum answer_error error, json_t *data)
{
    (void)exchange;
    json_decref(data);
    trial.result = (int)error;
}

/* --- What must come of it ------------------------------------------------------------------------------------------- */

/* One word is a token, two are when the first is the scheme. */
static char *expected_token(void)
{
    char first[1024] = "";
    char second[1024] = "";
    char third[2] = "";
    int words = 0;

    if (trial.authorization != NULL)
        words = sscanf(trial.authorization, "%1023[^ ]%*[ ]%1023[^ ]%*[ ]%1[^ ]", first, second, third);
    if (words == 2 && strcasecmp(first, "Bearer") == 0)
        return strdup(second);
    if (words == 1 && strcasecmp(first, "Bearer") != 0)
        return strdup(first);
    return trial.argument != NULL && *trial.argument != '\0' ? strdup(trial.argument) : NULL;
}

/* The route of the request, and the name in its path. */
static const struct route *expected_route(char username[static STORAGE_USERNAME_MAX + 1])
{
    static regex_t patterns[ROUTE_COUNT];
    static bool is_ready;
    regmatch_t groups[2];

    for (size_t i = 0; !is_ready && i < ROUTE_COUNT; i++)
        assert_int_equal(regcomp(&patterns[i], routes[i].pattern, REG_EXTENDED), 0);
    is_ready = true;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (strcmp(routes[i].route.method, trial.method) != 0 || regexec(&patterns[i], trial.path, 2, groups, 0) != 0)
            continue;
        (void)snprintf(username, STORAGE_USERNAME_MAX + 1, "%.*s", (int)(groups[1].rm_eo - groups[1].rm_so),
                       trial.path + groups[1].rm_so);
        if (strchr(routes[i].route.path, '{') == NULL)
            username[0] = '\0';
        return &routes[i].route;
    }
    username[0] = '\0';
    return NULL;
}

static int expected_of_token(const struct route *route, const char *token)
{
    if (route->auth == CORE_AUTH_NONE)
        return HANDLED;
    if (token == NULL)
        return ANSWER_TOKEN_MISSING;
    if (route->auth == CORE_AUTH_ADMIN)
        return strcmp(token, ADMIN_KEY) == 0 ? HANDLED : ANSWER_TOKEN_UNKNOWN;
    if (trial.accesses_fail)
        return ANSWER_UNEXPECTED_ERROR;
    if (strcmp(token, TOKEN) != 0 || trial.is_of_other)
        return ANSWER_TOKEN_UNKNOWN;
    return trial.is_app && route->auth == CORE_AUTH_PERSONAL ? ANSWER_FORBIDDEN : HANDLED;
}

static int expected_result(const struct route *route, const char *username, const char *token)
{
    if (trial.is_stopping)
        return ANSWER_STOPPING;
    if (route == NULL)
        return ANSWER_UNKNOWN_RESOURCE;
    if (username[0] != '\0' && trial.users_fail)
        return ANSWER_UNEXPECTED_ERROR;
    if (username[0] != '\0' && !is_user(username))
        return ANSWER_UNKNOWN_RESOURCE;
    return expected_of_token(route, token);
}

static void check_admission(struct host *host)
{
    char username[STORAGE_USERNAME_MAX + 1];
    struct exchange exchange = {.host = host};
    const struct route *route = expected_route(username);
    char *token = expected_token();

    atomic_store(&host->is_stopping, trial.is_stopping);
    exchange.route = router_find(host->router, trial.method, trial.path, exchange.user.username);
    assert_int_equal(exchange.route != NULL, route != NULL);
    assert_string_equal(exchange.user.username, username);
    if (route != NULL)
        assert_string_equal(exchange.route->path, route->path);
    admission_admit(&exchange);
    assert_int_equal(trial.result, expected_result(route, username, token));
    if (trial.result == HANDLED && token != NULL)
        assert_string_equal(exchange.secret_credential, token);
    free(exchange.secret_credential);
    free(token);
}

/* --- Bodies --------------------------------------------------------------------------------------------------------- */

static void check_body(char *text, size_t len)
{
    struct exchange exchange = {.body = text, .body_len = len};
    json_t *expected = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    bool is_good = json_is_object(expected) && fuzz_json_depth(expected) <= REQUEST_BODY_DEPTH_MAX;
    json_t *body = NULL;

    if (expected != NULL)
        assert_int_equal(json_text_is_object(text, len, REQUEST_BODY_DEPTH_MAX), is_good);
    trial.result = HANDLED;
    body = request_body_parse(&exchange);
    assert_int_equal(trial.result, is_good ? HANDLED : ANSWER_INVALID_STRUCTURE);
    assert_true(is_good ? json_equal(body, expected) : body == NULL);
    json_tree_free(body);
    json_decref(expected);
}

/* --- The whole ------------------------------------------------------------------------------------------------------ */

/* A header has no blanks around it when it comes to us, and no line end in it. */
static char *take_value(struct fuzz_input *input)
{
    char *line = fuzz_take_line(input);
    size_t start = strspn(line, " \t");
    size_t len = strlen(line);

    while (len > start && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    memmove(line, line + start, len - start);
    line[len - start] = '\0';
    return line;
}

static void check_request(struct fuzz_input *input)
{
    static struct host host;
    unsigned bits = fuzz_take_byte(input);
    char *line = fuzz_take_line(input);
    char *blank = strchr(line, ' ');
    char *authorization = take_value(input);
    char *argument = fuzz_take_line(input);
    static char admin_key[] = ADMIN_KEY;

    if (host.router == NULL)
        host = (struct host){.router = make_router(), .config = {.secret_admin_key = admin_key}};
    if (blank != NULL)
        *blank = '\0';
    trial = (struct trial){.method = line,
                           .path = blank != NULL ? blank + 1 : "",
                           .authorization = authorization[0] != '\0' ? authorization : NULL,
                           .argument = argument,
                           .is_stopping = (bits & 1) != 0,
                           .users_fail = (bits & 2) != 0,
                           .accesses_fail = (bits & 4) != 0,
                           .is_app = (bits & 8) != 0,
                           .is_of_other = (bits & 16) != 0};
    if (strlen(authorization) < 1000)
        check_admission(&host);
    free(line);
    free(authorization);
    free(argument);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input input = {(const char *)data, len};
    size_t body_len = 0;
    char *body = NULL;

    check_request(&input);
    body = fuzz_take_rest(&input, &body_len);
    check_body(body, body_len);
    free(body);
    return 0;
}
