/* SPDX-License-Identifier: Apache-2.0
 *
 * What we need to know about a URL beyond its text (RFC 3986).
 */
#ifndef MFA_URL_H
#define MFA_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "mfa_status.h"

/* Length of a percent-escape: "%2B". */
#define MFA_URL_ESCAPE_LEN 3

/* Longest host name (RFC 1035, 2.3.4) with its NUL. */
#define MFA_URL_HOST_SIZE 256

/* Whom a URL talks to: its scheme and authority. */
struct mfa_url_origin {
    char host[MFA_URL_HOST_SIZE]; /* without user, password and port */
    size_t len;                   /* bytes of the URL before its path or query */
    bool is_encrypted;            /* https */
    bool is_loopback;             /* localhost, 127.0.0.0/8, ::1 */
};

/* Reads the origin of `url` (NUL-terminated, borrowed until return), which must be http or https and name a host.
 * Returns MFA_OK; MFA_ERR_SYNTAX with `*problem` a static phrase that says what is wrong; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_url_parse_origin(struct mfa_url_origin *out, const char *url, const char **problem);

/* True when a segment of `path` is `.` or `..`, however written: a server may take `%2e` for a dot, `%2f`, `\` and `%5c`
 * for a slash, and decode more than once. Also true of a path in which more escapes are nested than anybody would write. */
bool mfa_url_has_dot_segment(const char *path, size_t len);

/* What a character is in a URL, whatever the locale. */
#define MFA_URL_UNRESERVED 1 /* means itself anywhere (RFC 3986, 2.3) */
#define MFA_URL_HEX 2        /* a hexadecimal digit */
extern const unsigned char mfa_url_classes[256] __attribute__((visibility("hidden")));

static inline bool mfa_url_is_unreserved(char c)
{
    return (mfa_url_classes[(unsigned char)c] & MFA_URL_UNRESERVED) != 0;
}

/* The character that `text` (not empty) starts with, a percent-escape decoded once; `*taken` is how many bytes it takes. */
char mfa_url_decoded(const char *text, size_t len, size_t *taken);

static inline bool mfa_url_is_hex(char c)
{
    return (mfa_url_classes[(unsigned char)c] & MFA_URL_HEX) != 0;
}

/* True when `text` starts with a percent sign and two hexadecimal digits. */
static inline bool mfa_url_is_escape(const char *text, size_t len)
{
    return len >= MFA_URL_ESCAPE_LEN && text[0] == '%' && mfa_url_is_hex(text[1]) && mfa_url_is_hex(text[2]);
}

#endif
