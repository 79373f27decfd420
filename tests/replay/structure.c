/* SPDX-License-Identifier: Apache-2.0 */
#include "structure.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoded.h"

/* --- The URL ---------------------------------------------------------------------------------------------------- */

/* Decodes in place until nothing changes, for servers that decode more than once, and takes `\` for `/`. */
static void decode_fully(char *path)
{
    size_t before = 0;

    do {
        size_t out = 0;
        before = strlen(path);
        for (size_t i = 0; i < before; i++) {
            unsigned byte = 0;
            if (path[i] == '%' && isxdigit((unsigned char)path[i + 1]) && isxdigit((unsigned char)path[i + 2]) &&
                sscanf(path + i + 1, "%2x", &byte) == 1)
                i += 2;
            else
                byte = (unsigned char)path[i];
            path[out++] = byte == '\\' ? '/' : (char)byte;
        }
        path[out] = '\0';
    } while (strlen(path) < before);
}

static size_t count_dot_segments(const char *path)
{
    size_t count = 0;

    for (const char *segment = path; *segment == '/'; segment += strcspn(segment, "/")) {
        segment++;
        size_t len = strcspn(segment, "/");
        count += (len == 1 || len == 2) && strspn(segment, ".") == len;
    }
    return count;
}

static void describe_url(FILE *out, const char *url)
{
    char *path = path_of(url);
    const char *after = strstr(url, "://") + strlen("://");
    size_t depth = 0;

    for (const char *at = path; *at; at++)
        depth += *at == '/';
    fprintf(out, "%.*s, %zu deep", (int)(after + strcspn(after, "/?#") - url), url, depth);
    decode_fully(path);
    fprintf(out, ", %zu dot segments%s\n", count_dot_segments(path), strchr(url, '#') ? ", a fragment" : "");
    free(path);
}

static void describe_pairs(FILE *out, const char *text)
{
    json_t *pairs = decode_pairs(text);
    json_t *pair = NULL;
    size_t i = 0;

    json_array_foreach(pairs, i, pair)
    {
        fprintf(out, "%s%s&", json_string_value(json_array_get(pair, 0)), json_array_size(pair) > 1 ? "=" : "");
    }
    json_decref(pairs);
}

/* --- Header lines ----------------------------------------------------------------------------------------------- */

static void describe_headers(FILE *out, const struct gateway_request *request)
{
    json_t *names = json_object();
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(request->headers, name, value)
    {
        json_object_set_new(names, name, json_null());
    }
    json_dumpf(names, out, JSON_SORT_KEYS | JSON_COMPACT);
    fprintf(out, ", %zu header lines\n", request->header_count);
    json_decref(names);
}

/* --- Bodies ----------------------------------------------------------------------------------------------------- */

/* The value with every scalar replaced by the name of its type. */
static json_t *types_of(const json_t *value)
{
    static const char *const types[] = {[JSON_STRING] = "string", [JSON_INTEGER] = "number", [JSON_REAL] = "number",
                                        [JSON_TRUE] = "boolean",  [JSON_FALSE] = "boolean",  [JSON_NULL] = "null"};
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;

    if (!json_is_object(value) && !json_is_array(value))
        return json_string(value ? types[json_typeof(value)] : "no JSON");
    json_t *out = json_is_object(value) ? json_object() : json_array();
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        json_object_set_new(out, key, types_of(member));
    }
    json_array_foreach(value, i, member)
    {
        json_array_append_new(out, types_of(member));
    }
    return out;
}

static void describe_json(FILE *out, const struct gateway_request *request)
{
    json_t *body = decode_json(request->body, request->body_len);
    json_t *types = types_of(body);

    json_dumpf(types, out, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(types);
    json_decref(body);
}

static bool is_reference(const char *text)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(text, names[i], strlen(names[i])) == 0)
            return true;
    return strncmp(text, "&#", 2) == 0 && text[2 + strspn(text + 2, "x0123456789abcdefABCDEF")] == ';';
}

/* The tags, without the values of attributes; outside them only what would be mark-up if it were not for its escape. */
static void describe_xml(FILE *out, const char *text)
{
    char quote = '\0';
    bool is_in_tag = false;

    for (; *text; text++) {
        bool is_quoted = quote != '\0';
        if (is_quoted && *text == quote)
            quote = '\0';
        else if (!is_quoted && is_in_tag && (*text == '"' || *text == '\''))
            quote = *text;
        else if (!is_quoted && (*text == '<' || *text == '>'))
            is_in_tag = *text == '<';
        if ((!is_quoted && is_in_tag) || *text == '<' || *text == '>' || (*text == '&' && !is_reference(text)))
            fputc(*text, out);
    }
}

static void describe_text(FILE *out, const char *text)
{
    size_t lines = 1;

    for (; *text; text++)
        lines += *text == '\n' || *text == '\r';
    fprintf(out, "%zu lines", lines);
}

static void describe_body(FILE *out, const struct gateway_request *request)
{
    const char *type = json_string_value(json_object_get(request->headers, "content-type"));

    fprintf(out, "%zu NULs, ", request->body_len - strlen(request->body));
    switch (encoded_kind(type, request->body_len)) {
    case ENCODED_NONE: fputs("no body", out); break;
    case ENCODED_FORM: describe_pairs(out, request->body); break;
    case ENCODED_JSON: describe_json(out, request); break;
    case ENCODED_XML: describe_xml(out, request->body); break;
    case ENCODED_TEXT: describe_text(out, request->body); break;
    }
}

char *structure_of(const char *url, const struct gateway_request *request)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    fprintf(out, "%s ", request->method);
    describe_url(out, url);
    describe_pairs(out, query_of(url));
    fputc('\n', out);
    describe_headers(out, request);
    describe_body(out, request);
    assert_int_equal(fclose(out), 0);
    return text;
}
