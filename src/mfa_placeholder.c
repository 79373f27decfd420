/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_placeholder.h"

#include <string.h>

#include "mfa_policy.h"
#include "mfa_url.h"

static size_t blank_len(const char *text, const char *end)
{
    const char *at = text;

    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return (size_t)(at - text);
}

static size_t name_len(const char *text, const char *end)
{
    const char *at = text;

    while (at < end && mfa_url_is_unreserved(*at) && *at != '~')
        at++;
    return (size_t)(at - text);
}

bool mfa_placeholder_is_name(const char *text, size_t len)
{
    return len > 0 && len <= MFA_USER_DATA_KEY_MAX_LEN && name_len(text, text + len) == len && *text != '-' &&
           *text != '.' && !(*text >= '0' && *text <= '9');
}

/* Braces are rare, and memchr is many times as fast as memmem. */
const char *mfa_placeholder_find(const char *text, const char *end)
{
    while ((text = memchr(text, '{', (size_t)(end - text))) != NULL) {
        if (end - text < 2)
            return NULL;
        if (text[1] == '{')
            return text;
        text++;
    }
    return NULL;
}

/* Reads `| filter`, blanks around it, as often as it comes. */
static const char *parse_filters(struct mfa_placeholder *out, const char **at, const char *end)
{
    while (*at < end && **at == '|') {
        const char *name = *at + 1 + blank_len(*at + 1, end);
        const size_t len = name_len(name, end);
        const struct mfa_filter *filter = mfa_filter_find(name, len);

        if (filter == NULL)
            return "has an unknown filter behind the name of a variable: those known are digits, e164, urlencode, "
                   "json, "
                   "xml, base64, lower and raw";
        if (out->filter_count == MFA_PLACEHOLDER_MAX_FILTERS)
            return "has more than four filters behind the name of a variable";
        if (out->filter_count > 0 && out->filters[out->filter_count - 1]->apply == NULL)
            return "has a filter behind \"raw\", which must come last";
        out->filters[out->filter_count++] = filter;
        *at = name + len;
        *at += blank_len(*at, end);
    }
    return NULL;
}

const char *mfa_placeholder_parse(struct mfa_placeholder *out, const char *text, const char *end)
{
    const char *at = text + 2;
    const char *problem = NULL;

    *out = (struct mfa_placeholder){0};
    at += blank_len(at, end);
    out->name = at;
    out->name_len = name_len(at, end);
    at += out->name_len;
    at += blank_len(at, end);
    if (!mfa_placeholder_is_name(out->name, out->name_len))
        return "has \"{{\" without the name of a variable behind it (a letter or _, then at most 63 letters, digits, _ "
               ". -)";
    problem = parse_filters(out, &at, end);
    if (problem != NULL)
        return problem;
    if (end - at < 2 || at[0] != '}' || at[1] != '}')
        return "has \"{{\" and the name of a variable without \"}}\" behind it";
    out->len = (size_t)(at + 2 - text);
    return NULL;
}

bool mfa_placeholder_is(const struct mfa_placeholder *placeholder, const char *name)
{
    return placeholder->name_len == strlen(name) && memcmp(placeholder->name, name, placeholder->name_len) == 0;
}

size_t mfa_placeholder_len_of(const char *name, const char *text, const char *end)
{
    const size_t len = strlen(name);
    const char *at = text + 2;

    at += blank_len(at, end);
    if ((size_t)(end - at) < len || memcmp(at, name, len) != 0)
        return 0;
    at += len;
    at += blank_len(at, end);
    return end - at >= 2 && at[0] == '}' && at[1] == '}' ? (size_t)(at + 2 - text) : 0;
}
