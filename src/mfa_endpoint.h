/* SPDX-License-Identifier: Apache-2.0
 *
 * An endpoint: how one HTTP request to the operator's communication service is made from templates.
 */
#ifndef MFA_ENDPOINT_H
#define MFA_ENDPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_rules.h"
#include "mfa_sign.h"
#include "mfa_status.h"
#include "mfa_template.h"
#include "mfa_url.h"

#define MFA_ENDPOINT_MAX_HEADERS 32

/* Most bytes of a rendered URL, header line and body; more is MFA_ERR_TOO_LARGE. */
#define MFA_ENDPOINT_URL_MAX_LEN 16384
#define MFA_ENDPOINT_HEADER_MAX_LEN 8192
#define MFA_ENDPOINT_BODY_MAX_LEN 262144

enum mfa_http_method { MFA_HTTP_GET, MFA_HTTP_POST, MFA_HTTP_PUT, MFA_HTTP_PATCH, MFA_HTTP_DELETE };

/* "GET", ... Static. */
const char *mfa_http_method_name(enum mfa_http_method method);

/* What a request may have beside the endpoint's headers: content type, authorization, signature. */
#define MFA_REQUEST_MAX_HEADERS (MFA_ENDPOINT_MAX_HEADERS + 6)

struct mfa_endpoint_header {
    char *name; /* NUL-terminated token of RFC 9110 */
    struct mfa_template *value;
};

/* Owned by the configuration. `url` is NULL when the endpoint is not configured; `body` is NULL when there is none. */
struct mfa_endpoint {
    struct mfa_endpoint *fallback; /* tried next; owned; NULL: none */
    struct mfa_endpoint
        *token; /* where an access token is to be had (OAuth 2.0, RFC 6749, 4.4); owned; NULL: none needed */
    struct mfa_sign sign;
    struct mfa_rules rules; /* what its answers mean */
    enum mfa_http_method method;
    struct mfa_url_origin origin; /* of the URL: whom the requests go to */
    struct mfa_template *url;
    struct mfa_template *body;
    struct mfa_endpoint_header headers[MFA_ENDPOINT_MAX_HEADERS];
    size_t header_count;
    bool has_content_type;            /* one of the headers */
    enum mfa_template_kind body_kind; /* what it says about the body */
    uint32_t timeout_ms;              /* whole exchange */
    uint32_t connect_timeout_ms;      /* name resolution, TCP and TLS */
};

/* A rendered request. Everything in it may hold credentials, codes and destinations. */
struct mfa_http_request {
    enum mfa_http_method method;
    char *url_secret; /* NUL-terminated */
    size_t url_len;
    char *body_secret; /* NUL-terminated; NULL: none */
    size_t body_len;
    char *header_secrets[MFA_REQUEST_MAX_HEADERS]; /* "name: value", NUL-terminated */
    size_t header_count;
    const struct mfa_sign_aws4 *aws4; /* borrowed from the configuration; NULL: no such signature */
    uint32_t timeout_ms;
    uint32_t connect_timeout_ms;
};

/* Frees what the endpoint owns, fallbacks included, and zeroes it. Accepts a zeroed struct. */
void mfa_endpoint_clear(struct mfa_endpoint *endpoint);

/* The three below fill in a zeroed endpoint from the operator's text: the URL, each header, then the body, whose kind the
 * content-type header tells, or else its own first character. All text is NUL-terminated and borrowed until return.
 * They return what mfa_template_parse does, `*problem` included; the endpoint is unchanged on failure. */
MFA_MUST_CHECK enum mfa_status mfa_endpoint_set_url(struct mfa_endpoint *endpoint, const char *text,
                                                    const char **problem);

/* Refuses, besides, names that are no token, that are there already in whatever case, or that the HTTP client sets. */
MFA_MUST_CHECK enum mfa_status mfa_endpoint_add_header(struct mfa_endpoint *endpoint, const char *name,
                                                       const char *value, const char **problem);

/* True when there is a header of that name, whatever the case of its letters. */
bool mfa_endpoint_has_header(const struct mfa_endpoint *endpoint, const char *name);

/* An empty text is no body. */
MFA_MUST_CHECK enum mfa_status mfa_endpoint_set_body(struct mfa_endpoint *endpoint, const char *text,
                                                     const char **problem);

/* Adds `authorization: Basic ...` (RFC 7617). */
MFA_MUST_CHECK enum mfa_status mfa_endpoint_add_basic(struct mfa_endpoint *endpoint, const char *user,
                                                      const char *password_secret, const char **problem);

/* Adds `authorization: Bearer ...` (RFC 6750, 2.1). */
MFA_MUST_CHECK enum mfa_status mfa_endpoint_add_bearer(struct mfa_endpoint *endpoint, const char *token_secret,
                                                       const char **problem);

/* The i-th variable that the URL, the body or a header uses, repetitions and all; borrowed. NULL past the last. */
const char *mfa_endpoint_variable(const struct mfa_endpoint *endpoint, size_t i);

/* True when the URL, the body or a header has a placeholder for `variable`. */
bool mfa_endpoint_uses(const struct mfa_endpoint *endpoint, const char *variable);

/* As mfa_endpoint_uses, and true when the rules for its answers have one. */
bool mfa_endpoint_uses_anywhere(const struct mfa_endpoint *endpoint, const char *variable);

/* Names the first variable that the endpoint needs and `user_data` lacks or has empty, other than `code`, `nonce` and what
 * `challenge` (may be NULL) captures. Returns a name borrowed from the endpoint, or NULL: nothing is missing. */
const char *mfa_endpoint_missing_variable(const struct mfa_endpoint *endpoint, const struct mfa_endpoint *challenge,
                                          const json_t *user_data);

/* Renders one request. `*out` is owned by the caller, released with mfa_http_request_free.
 * Returns what mfa_template_render does; `*out` is NULL on failure. */
MFA_MUST_CHECK enum mfa_status mfa_endpoint_render(const struct mfa_endpoint *endpoint,
                                                   const struct mfa_variables *variables,
                                                   struct mfa_http_request **out);

/* Adds a header line. Returns MFA_OK, MFA_ERR_TOO_LARGE or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_http_request_add_header(struct mfa_http_request *request, const char *name,
                                                           const char *value);

/* Wipes and frees a request. Accepts NULL. */
void mfa_http_request_free(struct mfa_http_request *request);

#endif
