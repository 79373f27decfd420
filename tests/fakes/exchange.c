/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes/exchange.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMEOUT_MS 10000
#define HANG_S 60

static void on_done(void *arg, const struct mfa_gateway_answer *answer)
{
    struct exchange *exchange = arg;
    const char *header = answer->header == NULL ? NULL : answer->header(answer, EXCHANGE_HEADER);

    atomic_fetch_add(&exchange->done_count, 1);
    exchange->delivery = answer->delivery;
    exchange->http_status = answer->http_status;
    exchange->body_len = answer->body_len;
    memcpy(exchange->body, answer->body, answer->body_len + 1);
    exchange->retry_after_s = answer->retry_after_s;
    exchange->was_never_sent = answer->was_never_sent;
    snprintf(exchange->reason, sizeof exchange->reason, "%s", answer->reason);
    exchange->has_header = header != NULL;
    snprintf(exchange->header, sizeof exchange->header, "%s", header == NULL ? "" : header);
    pthread_sigmask(SIG_SETMASK, NULL, &exchange->signal_mask);
    sem_post(&exchange->done);
}

struct mfa_http_request *exchange_request(enum mfa_http_method method, const char *url, const char *body,
                                          const char *header, uint32_t timeout_ms)
{
    struct mfa_http_request *request = calloc(1, sizeof *request);

    assert_non_null(request);
    request->method = method;
    request->url_secret = strdup(url);
    request->url_len = strlen(url);
    if (body) {
        request->body_secret = strdup(body);
        request->body_len = strlen(body);
    }
    if (header)
        request->header_secrets[request->header_count++] = strdup(header);
    request->timeout_ms = timeout_ms > 0 ? timeout_ms : TIMEOUT_MS;
    request->connect_timeout_ms = request->timeout_ms;
    return request;
}

enum mfa_status exchange_start(struct exchange *exchange, const struct mfa_gateway_port *port,
                               struct mfa_http_request *request)
{
    memset(exchange, 0, sizeof *exchange);
    sem_init(&exchange->done, 0, 0);
    enum mfa_status status = port->submit(port->ctx, request, on_done, exchange);
    if (status != MFA_OK)
        mfa_http_request_free(request);
    return status;
}

void exchange_wait(struct exchange *exchange)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += HANG_S;
    assert_int_equal(sem_timedwait(&exchange->done, &limit), 0);
    assert_int_equal(atomic_load(&exchange->done_count), 1);
}

void exchange_get(struct exchange *exchange, const struct mfa_gateway_port *port, const char *url, uint32_t timeout_ms)
{
    assert_int_equal(exchange_start(exchange, port, exchange_request(MFA_HTTP_GET, url, NULL, NULL, timeout_ms)),
                     MFA_OK);
    exchange_wait(exchange);
}
