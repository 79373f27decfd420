/* SPDX-License-Identifier: Apache-2.0
 *
 * A transfer: one request on its way through libcurl, from submission until its answer has been handed over. Private to
 * the gateway.
 *
 * libcurl reads the body and the headers from the request itself. What it copies (the URL, what it sends and receives) it
 * frees when the transfer ends, without wiping.
 */
#ifndef MFA_TRANSFER_H
#define MFA_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_buffer.h"
#include "mfa_endpoint.h"
#include "mfa_ports.h"
#include "mfa_status.h"

struct mfa_transfer {
    CURL *easy;                       /* its CURLOPT_PRIVATE is the transfer */
    struct mfa_http_request *request; /* owned */
    uint64_t deadline_ms;             /* on the monotonic clock */
    mfa_gateway_done_fn *done;
    void *arg;
    bool is_sent;        /* the request has been given to a connection */
    const char *refusal; /* static; why the answer was cut short, or NULL */
    size_t header_len;   /* bytes of answer headers so far */
    bool has_headers;    /* the answer's headers have come to their end */
    struct mfa_buffer body_secret;
    struct mfa_transfer *prev, *next; /* the gateway's own */
    char no_content_type[sizeof "Content-Type:"];
    struct curl_slist headers[MFA_REQUEST_MAX_HEADERS + 1]; /* text borrowed from the request and no_content_type */
};

/* Prepares a transfer of `request`, to be over in the request's time-out from now. A GET has no body. The request is transferred when this
 * returns MFA_OK. `*out` is owned by the caller, released with one of the functions below.
 * Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_transfer_new(struct mfa_transfer **out, struct mfa_http_request *request,
                                                mfa_gateway_done_fn *done, void *arg);

/* Ends a transfer that libcurl is through with, by its result: calls `done`, then wipes and frees. */
void mfa_transfer_complete(struct mfa_transfer *transfer, CURLcode result);

/* Likewise, for a transfer that got no answer. `reason` is static. */
void mfa_transfer_abandon(struct mfa_transfer *transfer, enum mfa_delivery delivery, const char *reason);

/* Wipes and frees without calling `done`. Accepts NULL. */
void mfa_transfer_free(struct mfa_transfer *transfer);

#endif
