/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_places.h"

#include <string.h>
#include <strings.h>

#include "secret_name.h"
#include "secret_scan.h"
#include "secret_xml.h"

/* --- Pairs: queries and forms ------------------------------------------------------------------------------------- */

/* A pair ends before one of `ends`. */
static void scan_pairs(struct secret_scan *scan, const char *ends)
{
    while (scan->at < scan->end) {
        const char *end = secret_scan_find_any(scan, scan->at, ends);
        const char *equals = memchr(scan->at, '=', (size_t)(end - scan->at));

        if (equals != NULL && secret_name_is(scan->at, (size_t)(equals - scan->at)))
            secret_scan_found(scan, equals + 1, end);
        scan->at = end + 1;
    }
}

void secret_places_in_url(const char *url, size_t len, secret_place_fn *found, void *ctx)
{
    struct secret_scan scan = {.at = url, .end = url + len, .found = found, .ctx = ctx};
    const char *authority = memmem(url, len, "://", 3);
    const char *authority_end = authority == NULL ? url : secret_scan_find_any(&scan, authority + 3, "/?#\\");
    const char *at = authority == NULL ? NULL : memrchr(authority, '@', (size_t)(authority_end - authority));

    if (at != NULL) {
        const char *password = memchr(authority + 3, ':', (size_t)(at - authority - 3));

        secret_scan_found(&scan, authority + 3, at);
        secret_scan_found(&scan, password == NULL ? at : password + 1, at);
    }
    scan.at = secret_scan_find_any(&scan, url, "?");
    scan.at += scan.at < scan.end;
    scan_pairs(&scan, "&#");
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

/* What of the structure counts: whether what comes is under a name that says secret. */
struct json_scan {
    struct secret_scan scan;
    size_t depth;
    size_t secret_depth; /* of the outermost value that is secret as a whole; 0: there is none around */
    bool is_secret;      /* the member whose value comes next */
};

static bool is_secret(const struct json_scan *json)
{
    return json->is_secret || json->secret_depth > 0;
}

static void scan_string(struct json_scan *json)
{
    struct secret_scan *scan = &json->scan;
    const char *text = scan->at + 1;
    const char *end = text;

    while (end < scan->end && *end != '"')
        end += *end == '\\' && end + 1 < scan->end ? 2 : 1;
    scan->at = end + (end < scan->end);
    if (secret_scan_skip_blanks(scan, scan->at) < scan->end && *secret_scan_skip_blanks(scan, scan->at) == ':')
        json->is_secret = secret_name_is(text, (size_t)(end - text));
    else if (is_secret(json))
        secret_scan_found(scan, text, end);
}

/* Numbers, words, and the placeholders of a template. */
static void scan_bare(struct json_scan *json)
{
    struct secret_scan *scan = &json->scan;
    const char *placeholder_end = memmem(scan->at, (size_t)(scan->end - scan->at), "}}", 2);
    const char *end = secret_scan_find_any(scan, scan->at, ",:{}[]\" \t\r\n");

    if (*scan->at == '{') {
        scan->at = placeholder_end != NULL ? placeholder_end + 2 : scan->end;
        return;
    }
    if (is_secret(json) && ((*scan->at >= '0' && *scan->at <= '9') || *scan->at == '-'))
        secret_scan_found(scan, scan->at, end);
    scan->at = end;
}

static void open_collection(struct json_scan *json)
{
    json->depth++;
    if (json->is_secret && json->secret_depth == 0)
        json->secret_depth = json->depth;
    json->is_secret = false;
    json->scan.at++;
}

static void close_collection(struct json_scan *json)
{
    if (json->depth == json->secret_depth)
        json->secret_depth = 0;
    json->depth -= json->depth > 0;
    json->is_secret = false;
    json->scan.at++;
}

static void scan_json(struct json_scan *json)
{
    struct secret_scan *scan = &json->scan;

    while ((scan->at = secret_scan_skip_blanks(scan, scan->at)) < scan->end) {
        const bool is_placeholder = *scan->at == '{' && scan->at + 1 < scan->end && scan->at[1] == '{';

        if (*scan->at == '"')
            scan_string(json);
        else if (is_placeholder || strchr("{[]}:,", *scan->at) == NULL)
            scan_bare(json);
        else if (*scan->at == '{' || *scan->at == '[')
            open_collection(json);
        else if (*scan->at == '}' || *scan->at == ']')
            close_collection(json);
        else
            scan->at++;
    }
}

void secret_places_in_body(const char *body, size_t len, secret_place_fn *found, void *ctx)
{
    struct json_scan json = {.scan = {.at = body, .end = body + len, .found = found, .ctx = ctx}};
    const char *first = secret_scan_skip_blanks(&json.scan, body);
    const size_t left = (size_t)(body + len - first);

    if (left > 0 && (*first == '[' || (*first == '{' && !(left > 1 && first[1] == '{'))))
        scan_json(&json);
    else if (left > 0 && *first == '<')
        secret_xml_scan(&json.scan);
    else
        scan_pairs(&json.scan, "&");
}

/* --- Headers ------------------------------------------------------------------------------------------------------ */

bool secret_places_is_header(const char *name)
{
    return secret_name_is(name, strlen(name));
}

size_t secret_places_scheme_len(const char *value)
{
    static const char *const schemes[] = {"Basic", "Bearer",    "Bearer:", "Digest", "Token",
                                          "App",   "AccessKey", "ApiKey",  "Key"};
    const size_t len = strcspn(value, " ");

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strlen(schemes[i]) == len && strncasecmp(schemes[i], value, len) == 0 && value[len] == ' ')
            return len + strspn(value + len, " ");
    return 0;
}
