/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures over a request, for services that ask for one. AWS's is made by libcurl as the request is sent; OVH's is made
 * here.
 */
#ifndef MFA_SIGN_H
#define MFA_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "mfa_status.h"

struct mfa_http_request;

/* AWS Signature Version 4. All texts NUL-terminated and owned by the configuration. */
struct mfa_sign_aws4 {
    char *provider; /* "aws:amz:REGION:SERVICE", as libcurl reads it; NULL: no such signature */
    char *access_key_id;
    char *secret_access_key_secret;
};

/* OVHcloud's API: "$1$" and the SHA-1 of secret, consumer key, method, URL, body and time, joined by `+`. */
struct mfa_sign_ovh {
    char *application_key; /* NULL: no such signature */
    char *application_secret_secret;
    char *consumer_key_secret;
};

/* How an endpoint's requests are signed: in one of the two ways, or, zeroed, not at all. */
struct mfa_sign {
    struct mfa_sign_aws4 aws4;
    struct mfa_sign_ovh ovh;
};

/* Wipes and frees the texts and zeroes the struct. */
void mfa_sign_clear(struct mfa_sign *sign);

/* True when a signature is made here, and so needs the time. */
bool mfa_sign_needs_time(const struct mfa_sign *sign);

/* Adds the signature's headers to a rendered request, which is complete otherwise. `wall_ms`: since 1970.
 * Returns MFA_OK, also where there is nothing to add; MFA_ERR_MEMORY; MFA_ERR_TOO_LARGE. */
MFA_MUST_CHECK enum mfa_status mfa_sign_request(const struct mfa_sign *sign, int64_t wall_ms,
                                                struct mfa_http_request *request);

#endif
