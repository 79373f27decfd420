/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PLAIN MFA_URL_UNRESERVED
#define DIGIT (MFA_URL_UNRESERVED | MFA_URL_HEX)

/* clang-format off */
const unsigned char mfa_url_classes[256] = {
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT, ['5'] = DIGIT, ['6'] = DIGIT,
    ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
    ['A'] = DIGIT, ['B'] = DIGIT, ['C'] = DIGIT, ['D'] = DIGIT, ['E'] = DIGIT, ['F'] = DIGIT, ['G'] = PLAIN,
    ['H'] = PLAIN, ['I'] = PLAIN, ['J'] = PLAIN, ['K'] = PLAIN, ['L'] = PLAIN, ['M'] = PLAIN, ['N'] = PLAIN,
    ['O'] = PLAIN, ['P'] = PLAIN, ['Q'] = PLAIN, ['R'] = PLAIN, ['S'] = PLAIN, ['T'] = PLAIN, ['U'] = PLAIN,
    ['V'] = PLAIN, ['W'] = PLAIN, ['X'] = PLAIN, ['Y'] = PLAIN, ['Z'] = PLAIN,
    ['a'] = DIGIT, ['b'] = DIGIT, ['c'] = DIGIT, ['d'] = DIGIT, ['e'] = DIGIT, ['f'] = DIGIT, ['g'] = PLAIN,
    ['h'] = PLAIN, ['i'] = PLAIN, ['j'] = PLAIN, ['k'] = PLAIN, ['l'] = PLAIN, ['m'] = PLAIN, ['n'] = PLAIN,
    ['o'] = PLAIN, ['p'] = PLAIN, ['q'] = PLAIN, ['r'] = PLAIN, ['s'] = PLAIN, ['t'] = PLAIN, ['u'] = PLAIN,
    ['v'] = PLAIN, ['w'] = PLAIN, ['x'] = PLAIN, ['y'] = PLAIN, ['z'] = PLAIN,
    ['-'] = PLAIN, ['.'] = PLAIN, ['_'] = PLAIN, ['~'] = PLAIN,
};
/* clang-format on */

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

/* Escapes that are not complete yet: one digit of an escape may be an escape itself, as in "%2%45". */
#define MAX_PENDING 32

/* A path while it is decoded as often as anybody could. */
struct decoding {
    char pending[MAX_PENDING]; /* percent signs, each with at most one digit behind it */
    size_t pending_len;
    size_t segment_len; /* of the segment so far */
    size_t dots;        /* in it */
    bool has_dot_segment;
};

static void end_segment(struct decoding *decoding)
{
    decoding->has_dot_segment |=
        decoding->segment_len == decoding->dots && (decoding->dots == 1 || decoding->dots == 2);
    decoding->segment_len = decoding->dots = 0;
}

/* What is pending will never be an escape: it is neither dot nor slash. */
static void give_up_pending(struct decoding *decoding)
{
    decoding->segment_len += decoding->pending_len;
    decoding->pending_len = 0;
}

static void decode_character(struct decoding *decoding, char c)
{
    char *pending = decoding->pending;

    while (mfa_url_is_hex(c) && decoding->pending_len >= 2 && pending[decoding->pending_len - 1] != '%') {
        c = hex_pair_value((const char[]){pending[decoding->pending_len - 1], c});
        decoding->pending_len -= 2;
    }
    if (decoding->pending_len == MAX_PENDING) {
        decoding->has_dot_segment = true; /* nobody writes that in good faith */
    } else if (c == '%' || (mfa_url_is_hex(c) && decoding->pending_len > 0)) {
        pending[decoding->pending_len++] = c;
    } else {
        give_up_pending(decoding);
        if (c == '/' || c == '\\')
            end_segment(decoding);
        else
            decoding->segment_len++;
        decoding->dots += c == '.';
    }
}

bool mfa_url_has_dot_segment(const char *path, size_t len)
{
    struct decoding decoding = {0};

    for (size_t i = 0; i < len; i++)
        decode_character(&decoding, path[i]);
    give_up_pending(&decoding);
    end_segment(&decoding);
    return decoding.has_dot_segment;
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
