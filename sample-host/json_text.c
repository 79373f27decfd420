/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include <string.h>

/* The position behind the string that starts at `i`; `len` when it does not end. */
static size_t skip_string(const char *text, size_t len, size_t i)
{
    const char *quote = memchr(text + i + 1, '"', len - i - 1);

    /* Most strings end at the first quotation mark; not where a backslash stands before it, perhaps. */
    if (!quote || quote[-1] != '\\')
        return quote ? (size_t)(quote - text) + 1 : len;
    for (i++; i < len && text[i] != '"'; i++)
        if (text[i] == '\\')
            i++;
    return i < len ? i + 1 : len;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool json_text_is_object(const char *text, size_t len, size_t depth_max)
{
    char closers[JSON_TEXT_DEPTH_MAX];
    size_t depth = 0, i = 0;

    while (len > 0 && is_space(text[len - 1]))
        len--;
    while (i < len && is_space(text[i]))
        i++;
    if (i == len || text[i] != '{')
        return false;
    while (i < len) {
        char c = text[i];
        if (c == '"') {
            i = skip_string(text, len, i);
            continue;
        }
        if (c == '{' || c == '[') {
            if (depth == depth_max || depth == JSON_TEXT_DEPTH_MAX)
                return false;
            closers[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (closers[--depth] != c)
                return false;
            if (depth == 0)
                return i + 1 == len;
        }
        i++;
    }
    return false;
}
