/* SPDX-License-Identifier: Apache-2.0 */
#include "encoded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool type_ends_with(const char *type, size_t len, const char *end)
{
    size_t end_len = strlen(end);

    return len >= end_len && strncasecmp(type + len - end_len, end, end_len) == 0;
}

enum encoded_kind encoded_kind(const char *content_type, size_t len)
{
    size_t type_len = content_type ? strcspn(content_type, "; ") : 0;

    if (len == 0)
        return ENCODED_NONE;
    if (type_ends_with(content_type, type_len, "/x-www-form-urlencoded"))
        return ENCODED_FORM;
    if (type_ends_with(content_type, type_len, "/json") || type_ends_with(content_type, type_len, "+json"))
        return ENCODED_JSON;
    if (type_ends_with(content_type, type_len, "/xml") || type_ends_with(content_type, type_len, "+xml"))
        return ENCODED_XML;
    return ENCODED_TEXT;
}

static char *decode_piece(const char *piece, size_t len)
{
    char *decoded = calloc(len + 1, 1);
    size_t out = 0;

    assert_non_null(decoded);
    for (size_t i = 0; i < len; i++) {
        if (piece[i] == '%' && len - i > 2 && isxdigit((unsigned char)piece[i + 1]) &&
            isxdigit((unsigned char)piece[i + 2])) {
            const char digits[] = {piece[i + 1], piece[i + 2], '\0'};
            decoded[out++] = (char)strtol(digits, NULL, 16);
            i += 2;
        } else
            decoded[out++] = piece[i] == '+' ? ' ' : piece[i];
    }
    return decoded;
}

static void add_decoded(json_t *pair, const char *piece, size_t len)
{
    char *decoded = decode_piece(piece, len);

    /* Not json_string: what a hostile value decodes to may be no UTF-8. */
    json_array_append_new(pair, json_string_nocheck(decoded));
    free(decoded);
}

json_t *decode_pairs(const char *text)
{
    json_t *pairs = json_array();

    for (const char *piece = text; *piece;) {
        size_t len = strcspn(piece, "&");
        size_t name_len = strcspn(piece, "=&");
        json_t *pair = json_array();
        add_decoded(pair, piece, name_len);
        if (name_len < len)
            add_decoded(pair, piece + name_len + 1, len - name_len - 1);
        json_array_append_new(pairs, pair);
        piece += piece[len] == '&' ? len + 1 : len;
    }
    return pairs;
}

json_t *decode_form(const char *text)
{
    json_t *pairs = decode_pairs(text);
    json_t *form = json_object();
    json_t *pair = NULL;
    size_t i = 0;

    json_array_foreach(pairs, i, pair)
    {
        json_object_set_nocheck(form, json_string_value(json_array_get(pair, 0)), json_array_get(pair, 1));
    }
    json_decref(pairs);
    return form;
}

json_t *decode_json(const char *text, size_t len)
{
    return json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

const char *query_of(const char *url)
{
    const char *mark = strchr(url, '?');

    return mark ? mark + 1 : "";
}

char *path_of(const char *url)
{
    const char *authority = strstr(url, "://");

    assert_non_null(authority);
    authority += strlen("://");
    const char *path = authority + strcspn(authority, "/?#");
    return strndup(path, strcspn(path, "?#"));
}
