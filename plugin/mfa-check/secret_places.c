/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_places.h"

#include <string.h>
#include <strings.h>

#include "secret_name.h"

struct scan {
    const char *at;
    const char *end;
    secret_place_fn *found;
    void *ctx;
};

static void find(const struct scan *scan, const char *value, const char *end)
{
    if (end > value)
        scan->found(scan->ctx, value, (size_t)(end - value));
}

/* Where one of `ends` stands from `at` on, or the end of the text. */
static const char *find_any(const struct scan *scan, const char *at, const char *ends)
{
    while (at < scan->end && (*at == '\0' || strchr(ends, *at) == NULL))
        at++;
    return at;
}

/* --- Pairs: queries and forms ------------------------------------------------------------------------------------- */

/* A pair ends before one of `ends`. */
static void scan_pairs(struct scan *scan, const char *ends)
{
    while (scan->at < scan->end) {
        const char *end = find_any(scan, scan->at, ends);
        const char *equals = memchr(scan->at, '=', (size_t)(end - scan->at));

        if (equals != NULL && secret_name_is(scan->at, (size_t)(equals - scan->at)))
            find(scan, equals + 1, end);
        scan->at = end + 1;
    }
}

void secret_places_in_url(const char *url, size_t len, secret_place_fn *found, void *ctx)
{
    struct scan scan = {.at = url, .end = url + len, .found = found, .ctx = ctx};
    const char *authority = memmem(url, len, "://", 3);
    const char *authority_end = authority == NULL ? url : find_any(&scan, authority + 3, "/?#\\");
    const char *at = authority == NULL ? NULL : memrchr(authority, '@', (size_t)(authority_end - authority));

    if (at != NULL) {
        const char *password = memchr(authority + 3, ':', (size_t)(at - authority - 3));

        find(&scan, authority + 3, at);
        find(&scan, password == NULL ? at : password + 1, at);
    }
    scan.at = find_any(&scan, url, "?");
    scan.at += scan.at < scan.end;
    scan_pairs(&scan, "&#");
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

/* What of the structure counts: whether what comes is under a name that says secret. */
struct json_scan {
    struct scan scan;
    size_t depth;
    size_t secret_depth; /* of the outermost value that is secret as a whole; 0: there is none around */
    bool is_secret;      /* the member whose value comes next */
};

static const char *skip_blanks(const struct scan *scan, const char *at)
{
    while (at < scan->end && *at != '\0' && strchr(" \t\r\n", *at) != NULL)
        at++;
    return at;
}

static bool is_secret(const struct json_scan *json)
{
    return json->is_secret || json->secret_depth > 0;
}

static void scan_string(struct json_scan *json)
{
    struct scan *scan = &json->scan;
    const char *text = scan->at + 1;
    const char *end = text;

    while (end < scan->end && *end != '"')
        end += *end == '\\' && end + 1 < scan->end ? 2 : 1;
    scan->at = end + (end < scan->end);
    if (skip_blanks(scan, scan->at) < scan->end && *skip_blanks(scan, scan->at) == ':')
        json->is_secret = secret_name_is(text, (size_t)(end - text));
    else if (is_secret(json))
        find(scan, text, end);
}

/* Numbers, words, and the placeholders of a template. */
static void scan_bare(struct json_scan *json)
{
    struct scan *scan = &json->scan;
    const char *placeholder_end = memmem(scan->at, (size_t)(scan->end - scan->at), "}}", 2);
    const char *end = find_any(scan, scan->at, ",:{}[]\" \t\r\n");

    if (*scan->at == '{') {
        scan->at = placeholder_end != NULL ? placeholder_end + 2 : scan->end;
        return;
    }
    if (is_secret(json) && ((*scan->at >= '0' && *scan->at <= '9') || *scan->at == '-'))
        find(scan, scan->at, end);
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
    struct scan *scan = &json->scan;

    while ((scan->at = skip_blanks(scan, scan->at)) < scan->end) {
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

/* --- XML ---------------------------------------------------------------------------------------------------------- */

static bool is_quote(const struct scan *scan, const char *at)
{
    return at < scan->end && (*at == '"' || *at == '\'');
}

/* What follows an attribute's name: `= "value"`, or nothing of the kind. */
static void scan_attribute_value(struct scan *scan, bool is_secret)
{
    const char *value = NULL;

    scan->at = skip_blanks(scan, scan->at);
    if (scan->at == scan->end || *scan->at != '=')
        return;
    scan->at = skip_blanks(scan, scan->at + 1);
    if (!is_quote(scan, scan->at))
        return;
    value = scan->at + 1;
    scan->at = find_any(scan, value, *scan->at == '"' ? "\"" : "'");
    if (is_secret)
        find(scan, value, scan->at);
    scan->at += scan->at < scan->end;
}

/* Up to what follows the tag. */
static void scan_attributes(struct scan *scan)
{
    while ((scan->at = skip_blanks(scan, scan->at)) < scan->end && *scan->at != '>') {
        const char *name = scan->at;

        scan->at = find_any(scan, name, "= \t\r\n/>");
        scan->at += scan->at == name && *name != '='; /* a slash */
        scan_attribute_value(scan, secret_name_is(name, (size_t)(scan->at - name)));
    }
    scan->at += scan->at < scan->end;
}

/* The text that begins here, up to the next tag; `*len` bytes. */
static const char *text_at(const struct scan *scan, size_t *len)
{
    static const char opening[] = "<![CDATA[";
    const size_t left = (size_t)(scan->end - scan->at);
    const bool is_cdata = left >= strlen(opening) && memcmp(scan->at, opening, strlen(opening)) == 0;
    const char *text = is_cdata ? scan->at + strlen(opening) : scan->at;
    const char *end = is_cdata ? memmem(text, (size_t)(scan->end - text), "]]>", 3) : find_any(scan, text, "<");

    *len = (size_t)((end != NULL ? end : scan->end) - text);
    return text;
}

/* Blanks stand between tags. */
static void find_text(const struct scan *scan)
{
    size_t len = 0;
    const char *text = text_at(scan, &len);

    if (skip_blanks(scan, text) < text + len)
        find(scan, text, text + len);
}

static bool is_named(const char *name, const char *name_end, const char *wanted)
{
    return (size_t)(name_end - name) == strlen(wanted) && memcmp(name, wanted, strlen(wanted)) == 0;
}

static bool text_says_secret(const struct scan *scan)
{
    size_t len = 0;
    const char *text = text_at(scan, &len);

    return secret_name_is(text, len);
}

/* In XML-RPC the text of one element says what the next one holds. */
static void scan_xml(struct scan *scan)
{
    bool is_secret_member = false;

    while ((scan->at = find_any(scan, scan->at, "<")) < scan->end) {
        const bool is_end = scan->at + 1 < scan->end && scan->at[1] == '/';
        const char *name = scan->at + 1 + is_end;
        const char *name_end = find_any(scan, name, " \t\r\n/>");

        scan->at = name_end;
        scan_attributes(scan);
        if (is_end)
            is_secret_member &= !is_named(name, name_end, "member");
        else if (is_named(name, name_end, "name"))
            is_secret_member = text_says_secret(scan);
        else if (is_secret_member || secret_name_is(name, (size_t)(name_end - name)))
            find_text(scan);
    }
}

void secret_places_in_body(const char *body, size_t len, secret_place_fn *found, void *ctx)
{
    struct json_scan json = {.scan = {.at = body, .end = body + len, .found = found, .ctx = ctx}};
    const char *first = skip_blanks(&json.scan, body);
    const size_t left = (size_t)(body + len - first);

    if (left > 0 && (*first == '[' || (*first == '{' && !(left > 1 && first[1] == '{'))))
        scan_json(&json);
    else if (left > 0 && *first == '<')
        scan_xml(&json.scan);
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
