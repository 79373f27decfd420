/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
const bool mfa_url_unreserved[256] = {
    ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true,
    ['8'] = true, ['9'] = true,
    ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true, ['G'] = true, ['H'] = true,
    ['I'] = true, ['J'] = true, ['K'] = true, ['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true,
    ['Q'] = true, ['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true, ['X'] = true,
    ['Y'] = true, ['Z'] = true,
    ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true, ['h'] = true,
    ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true,
    ['q'] = true, ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true,
    ['y'] = true, ['z'] = true,
    ['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true,
};
/* clang-format on */

static bool is_hex_pair(const char *text)
{
    return mfa_url_is_hex(text[0]) && mfa_url_is_hex(text[1]);
}

static char hex_pair_value(const char *text)
{
    return (char)strtoul((const char[]){text[0], text[1], '\0'}, NULL, 16);
}

char mfa_url_decoded(const char *text, size_t len, size_t *taken)
{
    const bool is_escape = mfa_url_is_escape(text, len);

    *taken = is_escape ? MFA_URL_ESCAPE_LEN : 1;
    return is_escape ? hex_pair_value(text + 1) : text[0];
}

/* The character that `text` starts with, decoded as often as anybody could, and how many bytes it takes. */
static char first_decoded(const char *text, size_t len, size_t *taken)
{
    size_t at = 1;

    *taken = 1;
    if (!mfa_url_is_escape(text, len))
        return text[0];
    while (len - at >= 4 && memcmp(text + at, "25", 2) == 0 && is_hex_pair(text + at + 2))
        at += 2;
    *taken = at + 2;
    return hex_pair_value(text + at);
}

bool mfa_url_has_dot_segment(const char *path, size_t len)
{
    size_t segment_len = 0;
    size_t dots = 0;
    size_t taken = 0;

    for (size_t i = 0; i < len; i += taken) {
        const char c = first_decoded(path + i, len - i, &taken);

        if (c != '/' && c != '\\') {
            segment_len++;
            dots += c == '.';
            continue;
        }
        if (segment_len == dots && (dots == 1 || dots == 2))
            return true;
        segment_len = dots = 0;
    }
    return segment_len == dots && (dots == 1 || dots == 2);
}

static bool host_is_loopback(const char *host)
{
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* libcurl's own parser judges the authority, since libcurl is who will connect to it. */
static enum mfa_status parse_authority(struct mfa_url_origin *origin, const char *url)
{
    enum mfa_status status = MFA_ERR_MEMORY;
    CURLU *handle = curl_url();
    char *text = strndup(url, origin->len);
    char *host = NULL;
    CURLUcode code = CURLUE_OUT_OF_MEMORY;

    if (handle == NULL || text == NULL)
        goto out;
    code = curl_url_set(handle, CURLUPART_URL, text, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(handle, CURLUPART_HOST, &host, 0);
    if (code != CURLUE_OK) {
        status = code == CURLUE_OUT_OF_MEMORY ? MFA_ERR_MEMORY : MFA_ERR_SYNTAX;
        goto out;
    }
    origin->is_loopback = host_is_loopback(host);
    status =
        (size_t)snprintf(origin->host, sizeof origin->host, "%s", host) < sizeof origin->host ? MFA_OK : MFA_ERR_SYNTAX;
out:
    curl_free(host);
    free(text);
    curl_url_cleanup(handle);
    return status;
}

enum mfa_status mfa_url_parse_origin(struct mfa_url_origin *out, const char *url, const char **problem)
{
    enum mfa_status status;
    size_t scheme_len = 0;
    size_t authority_len;

    *out = (struct mfa_url_origin){.is_encrypted = strncasecmp(url, "https://", 8) == 0};
    *problem = "must begin with http:// or https://";
    if (out->is_encrypted)
        scheme_len = 8;
    else if (strncasecmp(url, "http://", 7) == 0)
        scheme_len = 7;
    else
        return MFA_ERR_SYNTAX;
    authority_len = strcspn(url + scheme_len, "/?#\\");
    *problem = "must name a host and, if any, a valid port after http:// or https://";
    /* Browsers take a backslash for a slash, libcurl for a part of the user's name. */
    if (authority_len == 0 || url[scheme_len + authority_len] == '\\')
        return MFA_ERR_SYNTAX;
    out->len = scheme_len + authority_len;
    status = parse_authority(out, url);
    if (status == MFA_OK)
        *problem = NULL;
    return status;
}
