/* SPDX-License-Identifier: Apache-2.0 */
#include "request_match.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encoded.h"
#include "recording.h"

/* Compares what was read with what was recorded, and says both when they differ. */
static void assert_same(const char *what, const json_t *actual, const json_t *expected)
{
    if (actual && json_equal(actual, expected))
        return;
    char *actual_text = json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT);
    char *expected_text = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
    fail_msg("%s: %s instead of %s", what, actual_text ? actual_text : "unreadable", expected_text);
}

static const char *header(const struct gateway_request *request, const char *name)
{
    return json_string_value(json_object_get(request->headers, name));
}

/* --- The recorded request --------------------------------------------------------------------------------------- */

static const json_t *find_header(const json_t *headers, const char *name)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)headers, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return value;
    }
    return NULL;
}

static bool any_client_sends(const char *name)
{
    static const char *const names[] = {"host", "user-agent", "accept", "content-length"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void assert_headers_match(const struct gateway_request *request, const json_t *expected)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t found = 0;

    json_object_foreach(request->headers, name, value)
    {
        const json_t *expected_value = find_header(expected, name);
        if (expected_value)
            assert_same(name, value, expected_value);
        else if (!any_client_sends(name))
            fail_msg("a header that is not recorded: %s", name);
        found += expected_value != NULL;
    }
    if (found != json_object_size(expected))
        fail_msg("%zu of %zu recorded headers", found, json_object_size(expected));
    assert_int_equal(request->header_count, json_object_size(request->headers));
}

static void assert_body_matches(const struct gateway_request *request, const char *expected)
{
    json_t *actual_value = NULL;
    json_t *expected_value = NULL;

    switch (encoded_kind(header(request, "content-type"), request->body_len)) {
    case ENCODED_FORM:
        actual_value = decode_pairs(request->body);
        expected_value = decode_pairs(expected);
        break;
    case ENCODED_JSON:
        actual_value = decode_json(request->body, request->body_len);
        expected_value = decode_json(expected, strlen(expected));
        break;
    case ENCODED_NONE:
    case ENCODED_XML:
    case ENCODED_TEXT: assert_string_equal(request->body, expected); return;
    }
    assert_same("body", actual_value, expected_value);
    json_decref(actual_value);
    json_decref(expected_value);
}

void assert_request_matches(const char *url, const struct gateway_request *request, const json_t *expected)
{
    const char *body = json_string_value(recorded(expected, "body"));

    assert_string_equal(request->method, recorded_text(expected, "method"));
    assert_string_equal(url, recorded_text(expected, "url"));
    assert_headers_match(request, recorded(expected, "headers"));
    assert_body_matches(request, body ? body : "");
}

/* --- What it means ---------------------------------------------------------------------------------------------- */

static json_t *meaning(const char *aspect, const char *url, const struct gateway_request *request)
{
    if (strcmp(aspect, "form") == 0)
        return decode_form(request->body);
    if (strcmp(aspect, "query") == 0)
        return decode_form(query_of(url));
    if (strcmp(aspect, "json") == 0)
        return decode_json(request->body, request->body_len);
    if (strcmp(aspect, "path") == 0) {
        char *path = path_of(url);
        json_t *text = json_string(path);
        free(path);
        return text;
    }
    return NULL;
}

void assert_request_means(const char *url, const struct gateway_request *request, const json_t *decoded)
{
    const char *aspect = NULL;
    json_t *expected = NULL;

    json_object_foreach((json_t *)(uintptr_t)decoded, aspect, expected)
    {
        if (strcmp(aspect, "text") == 0) {
            assert_non_null(strstr(request->body, json_string_value(expected)));
            continue;
        }
        json_t *actual = meaning(aspect, url, request);
        assert_same(aspect, actual, expected);
        json_decref(actual);
    }
}
