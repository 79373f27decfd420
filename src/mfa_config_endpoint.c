/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_config_endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_compose.h"
#include "mfa_config_limit.h"
#include "mfa_encode.h"
#include "mfa_json.h"
#include "mfa_policy.h"
#include "mfa_preset.h"

#define PATH_MAX_LEN 64

#define MAX_FALLBACKS 8

static const struct mfa_policy_limit limits[] = {
    {"timeoutMs", offsetof(struct mfa_endpoint, timeout_ms), 10000, 100, 60000, NULL},
    {"connectTimeoutMs", offsetof(struct mfa_endpoint, connect_timeout_ms), 3000, 50, 60000, NULL},
};

/* One endpoint while it is read. */
struct reader {
    struct mfa_endpoint *endpoint;
    const struct mfa_endpoint_place *place;
    const struct mfa_yaml_node *mapping; /* what the operator wrote; NULL: nothing */
    const struct mfa_yaml_node *preset;  /* what the preset says; NULL: there is none */
    bool is_fallback;
};

/* What the operator wrote, else what the preset says. */
static const struct mfa_yaml_node *find(const struct reader *reader, const char *key)
{
    const struct mfa_yaml_node *node = mfa_yaml_find(reader->mapping, key);

    return node != NULL ? node : mfa_yaml_find(reader->preset, key);
}

/* Turns the answer of an endpoint's parser into a report. Only memory ends the reading. */
static enum mfa_status report_problem(const struct mfa_yaml_node *node, enum mfa_status status, const char *problem)
{
    if (status == MFA_OK || status == MFA_ERR_MEMORY)
        return status;
    mfa_yaml_error(node, "%s", status == MFA_ERR_TOO_LARGE ? "is too long" : problem);
    return MFA_OK;
}

/* --- Method, headers, authorization -------------------------------------------------------------------------------- */

static enum mfa_status read_method(const struct reader *reader)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};
    const struct mfa_yaml_node *node = find(reader, "method");
    size_t method = MFA_HTTP_POST;

    if (node != NULL && !mfa_yaml_choice(node, names, &method))
        method = MFA_HTTP_POST;
    reader->endpoint->method = (enum mfa_http_method)method;
    return MFA_OK;
}

static enum mfa_status read_headers(const struct reader *reader)
{
    const struct mfa_yaml_node *headers = find(reader, "headers");
    const struct mfa_yaml_node *node;
    enum mfa_status status = MFA_OK;

    if (headers == NULL || !mfa_yaml_is_mapping(headers))
        return MFA_OK;
    for (size_t i = 0; status == MFA_OK && (node = mfa_yaml_entry(headers, i)) != NULL; i++) {
        const char *value = mfa_yaml_string(node);
        const char *problem = NULL;

        if (value == NULL)
            continue;
        status = mfa_endpoint_add_header(reader->endpoint, mfa_yaml_key(node), value, &problem);
        status = report_problem(node, status, problem);
    }
    return status;
}

/* The texts of a mapping with the keys `keys` (ends with NULL), the first `required` of which must be there. False: that is
 * not so, which has been reported. */
static bool read_texts(const struct mfa_yaml_node *mapping, const char *const keys[], size_t required,
                       const char *texts[])
{
    bool is_complete = mfa_yaml_check_keys(mapping, keys);

    for (size_t i = 0; is_complete && i < required; i++) {
        const struct mfa_yaml_node *node = mfa_yaml_find(mapping, keys[i]);

        texts[i] = node != NULL ? mfa_yaml_string(node) : NULL;
        if (node == NULL)
            mfa_yaml_error(mapping, "must have the key \"%s\"", keys[i]);
        else if (texts[i] != NULL && *texts[i] == '\0')
            mfa_yaml_error(node, "must not be empty");
        is_complete = texts[i] != NULL && *texts[i] != '\0';
    }
    return is_complete;
}

static enum mfa_status read_basic(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"user", "password", NULL};
    const char *texts[2] = {NULL};
    const char *problem = NULL;
    enum mfa_status status;

    if (!read_texts(node, keys, 2, texts))
        return MFA_OK;
    if (strstr(texts[0], "{{") != NULL || strstr(texts[1], "{{") != NULL) {
        mfa_yaml_error(node, "cannot have a placeholder: the credentials are the same for all users");
        return MFA_OK;
    }
    if (strchr(texts[0], ':') != NULL) {
        mfa_yaml_error(node, "has a \":\" in \"user\", which would end it (RFC 7617, 2)");
        return MFA_OK;
    }
    status = mfa_endpoint_add_basic(endpoint, texts[0], texts[1], &problem);
    return report_problem(node, status, problem);
}

static enum mfa_status read_bearer(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node)
{
    const char *token = mfa_yaml_string(node);
    const char *problem = NULL;
    enum mfa_status status;

    if (token == NULL)
        return MFA_OK;
    if (*token == '\0') {
        mfa_yaml_error(node, "must not be empty");
        return MFA_OK;
    }
    status = mfa_endpoint_add_bearer(endpoint, token, &problem);
    return report_problem(node, status, problem);
}

/* --- OAuth 2.0: where the token comes from is an endpoint of its own (RFC 6749, 4.4.2) ------------------------------- */

struct client {
    const char *id;
    const char *secret;
    bool is_in_body; /* else in the Authorization header (RFC 6749, 2.3.1) */
};

/* Form-encoded as a whole: unlike a value of the user data, a secret with a %41 in it has not come encoded. */
static enum mfa_status append_encoded(struct mfa_buffer *out, const char *key, const char *text)
{
    enum mfa_status status = mfa_buffer_append_text(out, key);

    while (status == MFA_OK && *text != '\0') {
        const size_t len = strcspn(text, "%");

        status = len > 0 ? mfa_encode_query(out, text, len) : mfa_buffer_append_text(out, "%25");
        text += len > 0 ? len : 1;
    }
    return status;
}

static enum mfa_status set_token_body(struct mfa_endpoint *token, const struct client *client, const char **problem)
{
    struct mfa_buffer body_secret;
    enum mfa_status status;

    mfa_buffer_init(&body_secret, MFA_ENDPOINT_BODY_MAX_LEN);
    status = mfa_buffer_append_text(&body_secret, "grant_type=client_credentials");
    if (status == MFA_OK && client->is_in_body)
        status = append_encoded(&body_secret, "&client_id=", client->id);
    if (status == MFA_OK && client->is_in_body)
        status = append_encoded(&body_secret, "&client_secret=", client->secret);
    if (status == MFA_OK)
        status = mfa_endpoint_add_header(token, "content-type", "application/x-www-form-urlencoded", problem);
    if (status == MFA_OK)
        status = mfa_endpoint_set_body(token, body_secret.data, problem);
    mfa_buffer_clear(&body_secret);
    return status;
}

/* Both parts are form-encoded before they are joined (RFC 6749, 2.3.1). */
static enum mfa_status set_token_basic(struct mfa_endpoint *token, const struct client *client, const char **problem)
{
    struct mfa_buffer id;
    struct mfa_buffer secret;
    enum mfa_status status;

    mfa_buffer_init(&id, MFA_ENDPOINT_HEADER_MAX_LEN);
    mfa_buffer_init(&secret, MFA_ENDPOINT_HEADER_MAX_LEN);
    status = append_encoded(&id, "", client->id);
    if (status == MFA_OK)
        status = append_encoded(&secret, "", client->secret);
    if (status == MFA_OK)
        status = mfa_endpoint_add_basic(token, id.data, secret.data, problem);
    mfa_buffer_clear(&id);
    mfa_buffer_clear(&secret);
    return status;
}

static void warn_when_in_clear(const struct mfa_yaml_node *node, const struct mfa_url_origin *origin)
{
    if (!origin->is_encrypted && !origin->is_loopback)
        mfa_yaml_warning(node, "is plain http: credentials, destinations and codes travel in clear; use https");
}

static enum mfa_status set_token_url(struct mfa_endpoint *token, const struct mfa_yaml_node *node, const char *url)
{
    const char *problem = NULL;
    enum mfa_status status = mfa_endpoint_set_url(token, url, &problem);

    if (status == MFA_OK && mfa_endpoint_variable(token, 0) != NULL) {
        problem = "must not have a placeholder: the token is the same for all users";
        status = MFA_ERR_SYNTAX;
    }
    if (status == MFA_OK)
        warn_when_in_clear(node, &token->origin);
    return report_problem(node, status, problem);
}

static enum mfa_status set_token_client(struct mfa_endpoint *token, const struct mfa_yaml_node *node,
                                        const struct client *client)
{
    const char *problem = NULL;
    enum mfa_status status = set_token_body(token, client, &problem);

    if (status == MFA_OK && !client->is_in_body)
        status = set_token_basic(token, client, &problem);
    return report_problem(node, status, problem);
}

static enum mfa_status read_oauth2(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"tokenUrl", "clientId", "clientSecret", "credentials", NULL};
    static const char *const ways[] = {"basic", "body", NULL};
    const struct mfa_yaml_node *credentials = NULL;
    const char *texts[3] = {NULL};
    struct client client = {0};
    enum mfa_status status;
    size_t way = 0;

    if (!read_texts(node, keys, 3, texts))
        return MFA_OK;
    credentials = mfa_yaml_find(node, "credentials");
    if (credentials != NULL && !mfa_yaml_choice(credentials, ways, &way))
        return MFA_OK;
    client = (struct client){.id = texts[1], .secret = texts[2], .is_in_body = way == 1};
    endpoint->token = calloc(1, sizeof *endpoint->token);
    if (endpoint->token == NULL)
        return MFA_ERR_MEMORY;
    endpoint->token->method = MFA_HTTP_POST;
    endpoint->token->timeout_ms = endpoint->timeout_ms;
    endpoint->token->connect_timeout_ms = endpoint->connect_timeout_ms;
    status = set_token_url(endpoint->token, mfa_yaml_find(node, "tokenUrl"), texts[0]);
    return status == MFA_OK ? set_token_client(endpoint->token, node, &client) : status;
}

/* The only entry of a mapping; NULL: it has none or several, which has been reported. */
static const struct mfa_yaml_node *only_entry(const struct mfa_yaml_node *mapping, const char *const keys[])
{
    if (!mfa_yaml_check_keys(mapping, keys))
        return NULL;
    if (mfa_yaml_entry(mapping, 0) != NULL && mfa_yaml_entry(mapping, 1) == NULL)
        return mfa_yaml_entry(mapping, 0);
    mfa_yaml_error(mapping, "must have exactly one key");
    return NULL;
}

/* The one way that `key` ("auth", "sign") names. Both write the Authorization header, or what takes its place. */
static const struct mfa_yaml_node *find_way(const struct reader *reader, const char *key, const char *const ways[])
{
    const struct mfa_yaml_node *node = find(reader, key);

    if (node == NULL)
        return NULL;
    if (reader->endpoint->token != NULL || mfa_endpoint_has_header(reader->endpoint, "authorization")) {
        bool is_overridden =
            mfa_yaml_find(reader->mapping, key) == NULL &&
            (mfa_yaml_find(reader->mapping, "headers") != NULL || mfa_yaml_find(reader->mapping, "auth") != NULL);

        if (is_overridden)
            return NULL;
        mfa_yaml_error(node, "sets the header authorization, which is there already: keep one");
        return NULL;
    }
    return only_entry(node, ways);
}

static enum mfa_status read_auth(const struct reader *reader)
{
    static const char *const keys[] = {"basic", "bearer", "oauth2", NULL};
    const struct mfa_yaml_node *way = find_way(reader, "auth", keys);

    if (way == NULL)
        return MFA_OK;
    if (strcmp(mfa_yaml_key(way), "basic") == 0)
        return read_basic(reader->endpoint, way);
    if (strcmp(mfa_yaml_key(way), "bearer") == 0)
        return read_bearer(reader->endpoint, way);
    return strcmp(mfa_yaml_key(way), "oauth2") == 0 ? read_oauth2(reader->endpoint, way) : MFA_OK;
}

/* --- Signatures ------------------------------------------------------------------------------------------------------ */

static enum mfa_status copy(char **out, const char *text)
{
    *out = strdup(text);
    return *out != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

static enum mfa_status read_aws4(struct mfa_sign_aws4 *aws4, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"region", "service", "accessKeyId", "secretAccessKey", NULL};
    const char *texts[4] = {NULL};
    enum mfa_status status;

    if (!read_texts(node, keys, 4, texts))
        return MFA_OK;
    for (size_t i = 0; i < 2; i++) {
        if (strspn(texts[i], "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(texts[i]))
            continue;
        mfa_yaml_error(mfa_yaml_find(node, keys[i]), "must be lower-case letters, digits and -, as AWS writes it");
        return MFA_OK;
    }
    status = copy(&aws4->access_key_id, texts[2]);
    if (status == MFA_OK)
        status = copy(&aws4->secret_access_key_secret, texts[3]);
    if (status == MFA_OK && asprintf(&aws4->provider, "aws:amz:%s:%s", texts[0], texts[1]) < 0) {
        aws4->provider = NULL;
        status = MFA_ERR_MEMORY;
    }
    return status;
}

static enum mfa_status read_ovh(struct mfa_sign_ovh *ovh, const struct mfa_yaml_node *node)
{
    static const char *const keys[] = {"applicationKey", "applicationSecret", "consumerKey", NULL};
    const char *texts[3] = {NULL};
    enum mfa_status status;

    if (!read_texts(node, keys, 3, texts))
        return MFA_OK;
    for (size_t i = 0; i < 3; i++) {
        for (const char *c = texts[i]; *c != '\0'; c++) {
            if (*c > 0x20 && *c < 0x7f)
                continue;
            mfa_yaml_error(mfa_yaml_find(node, keys[i]), "has a character that a header cannot carry");
            return MFA_OK;
        }
    }
    status = copy(&ovh->application_key, texts[0]);
    if (status == MFA_OK)
        status = copy(&ovh->application_secret_secret, texts[1]);
    return status == MFA_OK ? copy(&ovh->consumer_key_secret, texts[2]) : status;
}

static enum mfa_status read_sign(const struct reader *reader)
{
    static const char *const keys[] = {"aws4", "ovh", NULL};
    const struct mfa_yaml_node *way = find_way(reader, "sign", keys);
    struct mfa_sign *sign = &reader->endpoint->sign;

    if (way == NULL)
        return MFA_OK;
    if (strcmp(mfa_yaml_key(way), "aws4") == 0)
        return read_aws4(&sign->aws4, way);
    return strcmp(mfa_yaml_key(way), "ovh") == 0 ? read_ovh(&sign->ovh, way) : MFA_OK;
}

/* --- URL ------------------------------------------------------------------------------------------------------------- */

static void report_missing_url(const struct reader *reader, const struct mfa_yaml_node *node)
{
    const struct mfa_endpoint_place *place = reader->place;
    char path[PATH_MAX_LEN];

    if (place->needed_by == NULL)
        return;
    if (reader->is_fallback) {
        mfa_yaml_error(node != NULL ? node : reader->mapping, "must have a url");
        return;
    }
    (void)snprintf(path, sizeof path, "sms.endpoints.%s.url", place->name);
    if (node != NULL)
        mfa_yaml_error(node, "must not be empty when mode is \"%s\"", place->needed_by);
    else
        mfa_yaml_error_at(place->yaml, path, "must be set when mode is \"%s\"", place->needed_by);
}

/* Appends `?key=value&...`, or goes on with the query that is there. */
static enum mfa_status append_query(struct mfa_buffer *url, const struct mfa_yaml_node *node, const char **problem)
{
    const char *query = strchr(url->data, '?');
    const bool is_open = query != NULL && (url->data[url->len - 1] == '?' || url->data[url->len - 1] == '&');
    json_t *map = NULL;
    enum mfa_status status = mfa_yaml_json(node, &map);

    if (status == MFA_OK && json_object_size(map) > 0) {
        status = mfa_buffer_append_text(url, is_open ? "" : query != NULL ? "&" : "?");
        if (status == MFA_OK)
            status = mfa_compose_pairs(url, map, MFA_PAIRS_QUERY, problem);
    }
    mfa_json_free(map);
    return status;
}

/* Before 8.8, libcurl signs a query as it stands, and AWS sorts it; and the two differ about escapes in a path. */
static bool can_be_signed(const struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node, const char *url)
{
    if (endpoint->sign.aws4.provider == NULL || strpbrk(url, "?%{") == NULL)
        return true;
    mfa_yaml_error(node, "must have no query, escape or variable with sign.aws4: put values into form or body");
    return false;
}

static enum mfa_status set_url(const struct reader *reader, const struct mfa_yaml_node *node, struct mfa_buffer *url)
{
    const struct mfa_yaml_node *query = find(reader, "query");
    const char *problem = NULL;
    enum mfa_status status = MFA_OK;

    if (query != NULL && !mfa_yaml_is_mapping(query))
        return MFA_OK;
    if (query != NULL)
        status = append_query(url, query, &problem);
    if (status == MFA_ERR_CONFIG)
        return MFA_OK; /* reported */
    if (status != MFA_OK)
        return report_problem(query, status, problem);
    if (!can_be_signed(reader->endpoint, node, url->data))
        return MFA_OK;
    status = mfa_endpoint_set_url(reader->endpoint, url->data, &problem);
    return report_problem(node, status, problem);
}

static enum mfa_status read_url(const struct reader *reader)
{
    const struct mfa_yaml_node *node = find(reader, "url");
    const char *text = node == NULL ? "" : mfa_yaml_string(node);
    struct mfa_buffer url_secret;
    enum mfa_status status;

    if (text == NULL)
        return MFA_OK;
    if (*text == '\0') {
        report_missing_url(reader, node);
        return MFA_OK;
    }
    mfa_buffer_init(&url_secret, MFA_ENDPOINT_URL_MAX_LEN);
    status = report_problem(node, mfa_buffer_append_text(&url_secret, text), NULL);
    if (status == MFA_OK && url_secret.len > 0)
        status = set_url(reader, node, &url_secret);
    mfa_buffer_clear(&url_secret);
    if (reader->place->needed_by != NULL && reader->endpoint->url != NULL)
        warn_when_in_clear(node, &reader->endpoint->origin);
    return status;
}

/* --- Body ------------------------------------------------------------------------------------------------------------ */

/* An object is sent as JSON, a form as what browsers send; both say so, unless the operator does. */
static enum mfa_status set_composed_body(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node, bool is_form)
{
    const char *type = is_form ? "application/x-www-form-urlencoded" : "application/json";
    const enum mfa_template_kind kind = is_form ? MFA_TEMPLATE_FORM : MFA_TEMPLATE_JSON;
    const char *problem = NULL;
    struct mfa_buffer text_secret;
    json_t *value = NULL;
    enum mfa_status status = mfa_yaml_json(node, &value);

    mfa_buffer_init(&text_secret, MFA_ENDPOINT_BODY_MAX_LEN);
    if (status == MFA_OK)
        status = is_form ? mfa_compose_pairs(&text_secret, value, MFA_PAIRS_FORM, &problem)
                         : mfa_compose_json(&text_secret, value, &problem);
    if (status == MFA_OK && !endpoint->has_content_type)
        status = mfa_endpoint_add_header(endpoint, "content-type", type, &problem);
    if (status == MFA_OK && endpoint->body_kind != kind) {
        problem = is_form ? "needs the content-type application/x-www-form-urlencoded, or none"
                          : "needs the content-type application/json, or none";
        status = MFA_ERR_SYNTAX;
    }
    if (status == MFA_OK && text_secret.len > 0)
        status = mfa_endpoint_set_body(endpoint, text_secret.data, &problem);
    mfa_buffer_clear(&text_secret);
    mfa_json_free(value);
    return status == MFA_ERR_CONFIG ? MFA_OK : report_problem(node, status, problem);
}

static enum mfa_status set_text_body(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node, const char *text)
{
    const char *problem = NULL;
    const enum mfa_status status = mfa_endpoint_set_body(endpoint, text, &problem);

    return report_problem(node, status, problem);
}

/* `body` or `form`: the operator's, whichever it is, stands for the preset's. */
static enum mfa_status read_body(const struct reader *reader)
{
    const struct mfa_yaml_node *from =
        mfa_yaml_find(reader->mapping, "body") != NULL || mfa_yaml_find(reader->mapping, "form") != NULL
            ? reader->mapping
            : reader->preset;
    const struct mfa_yaml_node *body = mfa_yaml_find(from, "body");
    const struct mfa_yaml_node *form = mfa_yaml_find(from, "form");
    const char *text = body != NULL && !mfa_yaml_is_collection(body) ? mfa_yaml_string(body) : NULL;
    const bool is_absent = form == NULL && (body == NULL || (!mfa_yaml_is_collection(body) && text == NULL) ||
                                            (text != NULL && *text == '\0'));

    if (is_absent)
        return MFA_OK;
    if (form != NULL && body != NULL)
        mfa_yaml_error(form, "cannot stand beside \"body\": keep one");
    if (reader->endpoint->method == MFA_HTTP_GET)
        mfa_yaml_error(form != NULL ? form : body,
                       "must be empty when method is \"GET\": move its values into the url, or use \"POST\"");
    if (form != NULL)
        return mfa_yaml_is_mapping(form) ? set_composed_body(reader->endpoint, form, true) : MFA_OK;
    return text != NULL ? set_text_body(reader->endpoint, body, text)
                        : set_composed_body(reader->endpoint, body, false);
}

/* --- What answers mean ------------------------------------------------------------------------------------------------- */

static enum mfa_status read_rules(const struct reader *reader)
{
    static const struct {
        const char *key;
        enum mfa_status (*read)(struct mfa_rules *rules, const struct mfa_yaml_node *node);
    } parts[] = {
        {"expect", mfa_rules_read_expect},          {"success", mfa_rules_read_success},
        {"outcomes", mfa_rules_read_outcomes},      {"capture", mfa_rules_read_capture},
        {"retryAfter", mfa_rules_read_retry_after},
    };
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == MFA_OK; i++) {
        const struct mfa_yaml_node *node = find(reader, parts[i].key);

        if (node != NULL)
            status = parts[i].read(&reader->endpoint->rules, node);
    }
    return status;
}

/* --- The whole ------------------------------------------------------------------------------------------------------- */

static enum mfa_status read_limits(const struct reader *reader)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct mfa_yaml_node *node = mfa_yaml_find_key(reader->mapping, limits[i].key);

        if (node == NULL)
            node = mfa_yaml_find_key(reader->preset, limits[i].key);
        mfa_limit_read(node, &limits[i], reader->endpoint);
    }
    return MFA_OK;
}

static enum mfa_status read_parts(const struct reader *reader)
{
    /* Headers come before the body, whose kind they may tell. */
    static enum mfa_status (*const parts[])(const struct reader *reader) = {
        read_limits, read_method, read_headers, read_auth, read_sign, read_url, read_body, read_rules};
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == MFA_OK; i++)
        status = parts[i](reader);
    return status;
}

static void check_keys(const struct mfa_yaml_node *mapping, bool may_fall_back)
{
    static const char *const keys[] = {"url",     "method",     "query",    "body",      "form",
                                       "headers", "auth",       "sign",     "timeoutMs", "connectTimeoutMs",
                                       "capture", "expect",     "outcomes", "success",   "retryAfter",
                                       "preset",  "parameters", "fallback", NULL};
    static const char *const fallback_keys[] = {"url",     "method",     "query",    "body",      "form",
                                                "headers", "auth",       "sign",     "timeoutMs", "connectTimeoutMs",
                                                "capture", "expect",     "outcomes", "success",   "retryAfter",
                                                "preset",  "parameters", NULL};

    if (mapping != NULL)
        mfa_yaml_check_keys(mapping, may_fall_back ? keys : fallback_keys);
}

/* A key of the endpoint's own, else the one that is written for all endpoints. A fallback is another service's. */
static const struct mfa_yaml_node *find_or_inherit(const struct reader *reader, const char *key)
{
    const struct mfa_yaml_node *node = mfa_yaml_find(reader->mapping, key);

    if (node != NULL || reader->is_fallback)
        return node;
    return mfa_yaml_find(mfa_yaml_find(mfa_yaml_root(reader->place->yaml), "sms.endpoints"), key);
}

static enum mfa_status read_with_preset(struct reader *reader, const struct mfa_yaml_node *name)
{
    const struct mfa_endpoint_place *place = reader->place;
    const struct mfa_preset *preset = NULL;
    enum mfa_status status = mfa_presets_get(place->presets, name, find_or_inherit(reader, "parameters"), &preset);

    if (status != MFA_OK || preset == NULL)
        return status;
    reader->preset = mfa_preset_endpoint(preset, place->name);
    if (reader->preset != NULL)
        check_keys(reader->preset, false);
    else if (place->needed_by != NULL)
        mfa_yaml_error(name, "is a preset without the endpoint \"%s\": it is for another mode", place->name);
    return reader->preset != NULL ? read_parts(reader) : MFA_OK;
}

static enum mfa_status read_one(struct mfa_endpoint *endpoint, const struct mfa_endpoint_place *place,
                                const struct mfa_yaml_node *mapping, bool is_fallback)
{
    struct reader reader = {.endpoint = endpoint, .place = place, .mapping = mapping, .is_fallback = is_fallback};
    const struct mfa_yaml_node *preset = find_or_inherit(&reader, "preset");

    if (preset == NULL && mfa_yaml_find(mapping, "parameters") != NULL)
        mfa_yaml_error(mfa_yaml_find(mapping, "parameters"), "belongs to a preset: name it in \"preset\"");
    /* Endpoints that the mode does not use need no preset for them. */
    if (preset != NULL && (place->needed_by != NULL || mfa_yaml_find(mapping, "preset") != NULL))
        return read_with_preset(&reader, preset);
    return read_parts(&reader);
}

static enum mfa_status read_fallbacks(struct mfa_endpoint *endpoint, const struct mfa_endpoint_place *place,
                                      const struct mfa_yaml_node *list)
{
    const struct mfa_yaml_node *mapping;
    enum mfa_status status = MFA_OK;

    if (mfa_yaml_item(list, 0) == NULL)
        mfa_yaml_error(list, "must be a list of endpoints");
    for (size_t i = 0; status == MFA_OK && (mapping = mfa_yaml_item(list, i)) != NULL; i++) {
        if (!mfa_yaml_is_mapping(mapping))
            continue;
        if (i == MAX_FALLBACKS) {
            mfa_yaml_error(mapping, "is one fallback too many: at most %d are tried", MAX_FALLBACKS);
            return MFA_OK;
        }
        endpoint->fallback = calloc(1, sizeof *endpoint->fallback);
        if (endpoint->fallback == NULL)
            return MFA_ERR_MEMORY;
        endpoint = endpoint->fallback;
        check_keys(mapping, false);
        status = read_one(endpoint, place, mapping, true);
    }
    return status;
}

enum mfa_status mfa_config_read_endpoint(struct mfa_endpoint *endpoint, const struct mfa_endpoint_place *place)
{
    char path[PATH_MAX_LEN];
    const struct mfa_yaml_node *mapping;
    const struct mfa_yaml_node *fallback;
    enum mfa_status status;

    (void)snprintf(path, sizeof path, "sms.endpoints.%s", place->name);
    mapping = mfa_yaml_find(mfa_yaml_root(place->yaml), path);
    check_keys(mapping, true);
    status = read_one(endpoint, place, mapping, false);
    fallback = mfa_yaml_find(mapping, "fallback");
    return status == MFA_OK && fallback != NULL ? read_fallbacks(endpoint, place, fallback) : status;
}
