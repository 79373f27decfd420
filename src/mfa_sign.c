/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_sign.h"

#include <inttypes.h>
#include <sha1.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_endpoint.h"

#define SIGNATURE_PREFIX "$1$"
#define TIMESTAMP_SIZE 24

static void free_text(char **text)
{
    if (*text != NULL)
        mfa_secret_free(*text, strlen(*text));
    *text = NULL;
}

void mfa_sign_clear(struct mfa_sign *sign)
{
    free_text(&sign->aws4.provider);
    free_text(&sign->aws4.access_key_id);
    free_text(&sign->aws4.secret_access_key_secret);
    free_text(&sign->ovh.application_key);
    free_text(&sign->ovh.application_secret_secret);
    free_text(&sign->ovh.consumer_key_secret);
}

static void add(SHA1_CTX *hash, const char *text)
{
    SHA1Update(hash, (const uint8_t *)text, strlen(text));
}

static void sign_ovh(const struct mfa_sign_ovh *ovh, const struct mfa_http_request *request, const char *timestamp,
                     char signature[static sizeof SIGNATURE_PREFIX + 2 * SHA1_DIGEST_LENGTH])
{
    const char *parts[] = {ovh->application_secret_secret,
                           ovh->consumer_key_secret,
                           mfa_http_method_name(request->method),
                           request->url_secret,
                           request->body_secret != NULL ? request->body_secret : "",
                           timestamp};
    uint8_t digest[SHA1_DIGEST_LENGTH];
    SHA1_CTX hash;

    SHA1Init(&hash);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        add(&hash, i == 0 ? "" : "+");
        add(&hash, parts[i]);
    }
    SHA1Final(digest, &hash);
    memcpy(signature, SIGNATURE_PREFIX, strlen(SIGNATURE_PREFIX));
    sodium_bin2hex(signature + strlen(SIGNATURE_PREFIX), 2 * sizeof digest + 1, digest, sizeof digest);
    sodium_memzero(&hash, sizeof hash);
}

static enum mfa_status add_ovh(const struct mfa_sign_ovh *ovh, int64_t wall_ms, struct mfa_http_request *request)
{
    char signature[sizeof SIGNATURE_PREFIX + 2 * SHA1_DIGEST_LENGTH];
    char timestamp[TIMESTAMP_SIZE];
    enum mfa_status status;

    snprintf(timestamp, sizeof timestamp, "%" PRId64, wall_ms / 1000);
    sign_ovh(ovh, request, timestamp, signature);
    status = mfa_http_request_add_header(request, "X-Ovh-Application", ovh->application_key);
    if (status == MFA_OK)
        status = mfa_http_request_add_header(request, "X-Ovh-Consumer", ovh->consumer_key_secret);
    if (status == MFA_OK)
        status = mfa_http_request_add_header(request, "X-Ovh-Timestamp", timestamp);
    return status == MFA_OK ? mfa_http_request_add_header(request, "X-Ovh-Signature", signature) : status;
}

bool mfa_sign_needs_time(const struct mfa_sign *sign)
{
    return sign->ovh.application_key != NULL;
}

enum mfa_status mfa_sign_request(const struct mfa_sign *sign, int64_t wall_ms, struct mfa_http_request *request)
{
    if (sign->aws4.provider != NULL)
        request->aws4 = &sign->aws4;
    return mfa_sign_needs_time(sign) ? add_ovh(&sign->ovh, wall_ms, request) : MFA_OK;
}
