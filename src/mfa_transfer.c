/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mfa_loop.h"
#include "mfa_policy.h"

static const struct {
    CURLoption option;
    long value;
} fixed_options[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_PATH_AS_IS, 1},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS},
    {CURLOPT_TCP_KEEPALIVE, 1},
    /* Answers are short, and thousands of transfers have a buffer each. */
    {CURLOPT_BUFFERSIZE, 1024},
    {CURLOPT_UPLOAD_BUFFERSIZE, 16384},
    /* Otherwise ending a transfer waits for its name resolution, and every other transfer with it. */
    {CURLOPT_QUICK_EXIT, 1},
};

/* libcurl repeats a request when a kept connection closes without an answer. The service may have acted on the first. */
static int on_ready_to_send(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct mfa_transfer *transfer = arg;

    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (transfer->is_sent) {
        transfer->refusal = "connection closed without an answer";
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->is_sent = true;
    return CURL_PREREQFUNC_OK;
}

/* libcurl takes a connection that closes within the headers for an answer without a body: to some services, a yes. */
static void note_end_of_headers(struct mfa_transfer *transfer, const char *line, size_t len)
{
    static const char status_line[] = "HTTP/";

    if (len >= strlen(status_line) && memcmp(line, status_line, strlen(status_line)) == 0)
        transfer->has_headers = false; /* the blank line before belonged to an interim answer */
    else if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
        transfer->has_headers = true;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct mfa_transfer *transfer = arg;
    size_t len = size * count;

    if (len > MFA_GATEWAY_ANSWER_MAX_LEN - transfer->header_len) {
        transfer->refusal = "answer has too long headers";
        return 0;
    }
    transfer->header_len += len;
    note_end_of_headers(transfer, bytes, len);
    return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct mfa_transfer *transfer = arg;
    size_t len = size * count;

    switch (mfa_buffer_append(&transfer->body_secret, bytes, len)) {
    case MFA_OK: return len;
    case MFA_ERR_TOO_LARGE: transfer->refusal = "answer is too long"; return 0;
    default: transfer->refusal = "no memory for the answer"; return 0;
    }
}

static bool set_fixed_options(CURL *easy)
{
    for (size_t i = 0; i < sizeof fixed_options / sizeof fixed_options[0]; i++)
        if (curl_easy_setopt(easy, fixed_options[i].option, fixed_options[i].value) != CURLE_OK)
            return false;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "mfa.so/" MFA_VERSION) == CURLE_OK;
}

static bool set_callbacks(CURL *easy, struct mfa_transfer *transfer)
{
    return curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready_to_send) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
}

/* To libcurl "Name:" means to leave a header out, and "Name;" to send it empty. */
static void spell_empty_header(char *header)
{
    char *colon = strchr(header, ':');

    if (colon && colon[1 + strspn(colon + 1, " \t")] == '\0') {
        colon[0] = ';';
        colon[1] = '\0';
    }
}

/* What the request leaves open libcurl must not fill in: a POST's content type is the operator's business. That is not said
 * of a request to be signed, since libcurl signs every line of the list, also one that keeps a header from being sent. */
static bool leaves_content_type_open(const struct mfa_http_request *request)
{
    static const char name[] = "content-type:";

    for (size_t i = 0; i < request->header_count; i++)
        if (strncasecmp(request->header_secrets[i], name, strlen(name)) == 0)
            return false;
    return request->aws4 == NULL;
}

static struct curl_slist *link_headers(struct mfa_transfer *transfer, struct mfa_http_request *request)
{
    struct curl_slist *first = NULL;
    struct curl_slist **end = &first;
    struct curl_slist *header = transfer->headers;
    bool is_open = leaves_content_type_open(request);

    for (size_t i = 0; i < request->header_count; i++, end = &header++->next) {
        spell_empty_header(request->header_secrets[i]);
        *header = (struct curl_slist){.data = request->header_secrets[i]};
        *end = header;
    }
    if (is_open) {
        *header = (struct curl_slist){.data = transfer->no_content_type};
        *end = header;
    }
    return first;
}

static bool set_method(CURL *easy, const struct mfa_http_request *request)
{
    const char *body = request->body_len > 0 ? request->body_secret : "";

    if (request->method == MFA_HTTP_GET)
        return true;
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, mfa_http_method_name(request->method)) == CURLE_OK;
}

/* libcurl signs what it is about to send, at the time it sends it. */
static bool set_signature(CURL *easy, const struct mfa_sign_aws4 *aws4)
{
    return aws4 == NULL || (curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, aws4->provider) == CURLE_OK &&
                            curl_easy_setopt(easy, CURLOPT_USERNAME, aws4->access_key_id) == CURLE_OK &&
                            curl_easy_setopt(easy, CURLOPT_PASSWORD, aws4->secret_access_key_secret) == CURLE_OK);
}

/* Many requests at once to a host that is not connected to yet wait until its first handshake has told whether one
 * connection will do for all of them. In clear nothing tells before the first answer, and all would go one by one. */
static bool set_multiplexing(CURL *easy, const char *url)
{
    static const char scheme[] = "https:";
    const long waits = strncasecmp(url, scheme, strlen(scheme)) == 0;

    return curl_easy_setopt(easy, CURLOPT_PIPEWAIT, waits) == CURLE_OK;
}

static bool set_request(CURL *easy, struct mfa_transfer *transfer, struct mfa_http_request *request)
{
    struct curl_slist *headers = link_headers(transfer, request);

    return set_method(easy, request) && set_signature(easy, request->aws4) &&
           set_multiplexing(easy, request->url_secret) &&
           curl_easy_setopt(easy, CURLOPT_URL, request->url_secret) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms) == CURLE_OK;
}

enum mfa_status mfa_transfer_new(struct mfa_transfer **out, struct mfa_http_request *request, mfa_gateway_done_fn *done,
                                 void *arg)
{
    *out = NULL;
    struct mfa_transfer *transfer = malloc(sizeof *transfer);
    if (!transfer)
        return MFA_ERR_MEMORY;
    *transfer = (struct mfa_transfer){
        .easy = curl_easy_init(),
        .deadline_ms = mfa_loop_now_ms() + request->timeout_ms,
        .done = done,
        .arg = arg,
        .no_content_type = "Content-Type:",
    };
    mfa_buffer_init(&transfer->body_secret, MFA_GATEWAY_ANSWER_MAX_LEN);
    if (!transfer->easy || !set_fixed_options(transfer->easy) || !set_callbacks(transfer->easy, transfer) ||
        !set_request(transfer->easy, transfer, request)) {
        mfa_transfer_free(transfer);
        return MFA_ERR_MEMORY;
    }
    transfer->request = request; /* transferred */
    *out = transfer;             /* transferred */
    return MFA_OK;
}

static uint32_t retry_after_s(CURL *easy)
{
    curl_off_t seconds = 0;

    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0)
        return 0;
    return seconds > MFA_RETRY_AFTER_MAX_S ? MFA_RETRY_AFTER_MAX_S : (uint32_t)seconds;
}

static const char *answer_header(const struct mfa_gateway_answer *answer, const char *name)
{
    struct curl_header *header = NULL;
    CURLHcode code = curl_easy_header(answer->header_ctx, name, 0, CURLH_HEADER, -1, &header);

    return code == CURLHE_OK && header->amount == 1 ? header->value : NULL;
}

static void hand_over(struct mfa_transfer *transfer, const struct mfa_gateway_answer *answer)
{
    transfer->done(transfer->arg, answer);
    mfa_transfer_free(transfer);
}

void mfa_transfer_complete(struct mfa_transfer *transfer, CURLcode result)
{
    long http_status = 0;

    if (result == CURLE_OK && !transfer->has_headers)
        result = CURLE_PARTIAL_FILE;
    if (result != CURLE_OK || curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status) != CURLE_OK ||
        http_status > 999) {
        mfa_transfer_abandon(transfer, result == CURLE_OPERATION_TIMEDOUT ? MFA_DELIVERY_TIMEOUT : MFA_DELIVERY_FAILED,
                             transfer->refusal ? transfer->refusal : curl_easy_strerror(result));
        return;
    }
    hand_over(transfer, &(struct mfa_gateway_answer){
                            .delivery = MFA_DELIVERY_ANSWERED,
                            .http_status = (int)http_status,
                            .body = transfer->body_secret.data ? transfer->body_secret.data : "",
                            .body_len = transfer->body_secret.len,
                            .retry_after_s = retry_after_s(transfer->easy),
                            .header = answer_header,
                            .header_ctx = transfer->easy,
                            .reason = "answered",
                        });
}

void mfa_transfer_abandon(struct mfa_transfer *transfer, enum mfa_delivery delivery, const char *reason)
{
    hand_over(transfer, &(struct mfa_gateway_answer){
                            .delivery = delivery, .body = "", .reason = reason, .was_never_sent = !transfer->is_sent});
}

void mfa_transfer_free(struct mfa_transfer *transfer)
{
    if (!transfer)
        return;
    curl_easy_cleanup(transfer->easy);
    mfa_http_request_free(transfer->request);
    mfa_buffer_clear(&transfer->body_secret);
    free(transfer);
}
