/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_config_endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_compose.h"
#include "mfa_config_auth.h"
#include "mfa_config_limit.h"
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

/* Likewise what proves who asks, and what judges the answer: one left empty by mistake is not one left out. */
static const struct mfa_yaml_node *find_filled(const struct reader *reader, const char *key)
{
    const struct mfa_yaml_node *from =
        mfa_yaml_find_key(reader->mapping, key) != NULL ? reader->mapping : reader->preset;
    const struct mfa_yaml_node *node = mfa_yaml_find(from, key);

    if (node == NULL && mfa_yaml_find_key(from, key) != NULL)
        mfa_yaml_error(mfa_yaml_find_key(from, key), "must not be empty: give it a value or remove the key");
    return node;
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
        status = mfa_yaml_problem(node, status, problem);
    }
    return status;
}

/* What stands under `key`, "auth" or "sign". Both write the Authorization header, or what takes its place; the operator's own
 * header stands for the preset's. */
static const struct mfa_yaml_node *find_proof(const struct reader *reader, const char *key)
{
    const struct mfa_yaml_node *node = find_filled(reader, key);

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
    return node;
}

static enum mfa_status read_auth(const struct reader *reader)
{
    const struct mfa_yaml_node *node = find_proof(reader, "auth");

    return node != NULL ? mfa_config_read_auth(reader->endpoint, node) : MFA_OK;
}

static enum mfa_status read_sign(const struct reader *reader)
{
    const struct mfa_yaml_node *node = find_proof(reader, "sign");

    return node != NULL ? mfa_config_read_sign(&reader->endpoint->sign, node) : MFA_OK;
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
    enum mfa_status status = mfa_yaml_json_as_written(node, &map);

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
        return mfa_yaml_problem(query, status, problem);
    if (!can_be_signed(reader->endpoint, node, url->data))
        return MFA_OK;
    status = mfa_endpoint_set_url(reader->endpoint, url->data, &problem);
    return mfa_yaml_problem(node, status, problem);
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
    status = mfa_yaml_problem(node, mfa_buffer_append_text(&url_secret, text), NULL);
    if (status == MFA_OK && url_secret.len > 0)
        status = set_url(reader, node, &url_secret);
    mfa_buffer_clear(&url_secret);
    if (reader->place->needed_by != NULL && reader->endpoint->url != NULL)
        mfa_config_warn_when_in_clear(node, &reader->endpoint->origin);
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
    enum mfa_status status = mfa_yaml_json_as_written(node, &value);

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
    return status == MFA_ERR_CONFIG ? MFA_OK : mfa_yaml_problem(node, status, problem);
}

static enum mfa_status set_text_body(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node, const char *text)
{
    const char *problem = NULL;
    const enum mfa_status status = mfa_endpoint_set_body(endpoint, text, &problem);

    return mfa_yaml_problem(node, status, problem);
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
        const struct mfa_yaml_node *node = find_filled(reader, parts[i].key);

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
