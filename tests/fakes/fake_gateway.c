/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

void fake_gateway_init(struct fake_gateway *gateway)
{
    memset(gateway, 0, sizeof *gateway);
    pthread_mutex_init(&gateway->mutex, NULL);
}

void fake_gateway_clear(struct fake_gateway *gateway)
{
    for (size_t i = 0; i < gateway->count; i++)
        mfa_http_request_free(gateway->exchanges[i].request);
    pthread_mutex_destroy(&gateway->mutex);
}

static enum mfa_status submit(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg)
{
    struct fake_gateway *gateway = ctx;
    enum mfa_status status = MFA_ERR_FULL;

    pthread_mutex_lock(&gateway->mutex);
    if (!gateway->is_full && gateway->count < FAKE_GATEWAY_MAX) {
        gateway->exchanges[gateway->count++] = (struct fake_exchange){request, done, arg}; /* transferred */
        status = MFA_OK;
    }
    pthread_mutex_unlock(&gateway->mutex);
    return status;
}

struct mfa_gateway_port fake_gateway_port(struct fake_gateway *gateway)
{
    return (struct mfa_gateway_port){.ctx = gateway, .submit = submit};
}

void fake_gateway_answer_with(struct fake_gateway *gateway, const struct mfa_gateway_answer *answer)
{
    struct fake_exchange *exchange = NULL;

    pthread_mutex_lock(&gateway->mutex);
    if (gateway->answered < gateway->count)
        exchange = &gateway->exchanges[gateway->answered++];
    pthread_mutex_unlock(&gateway->mutex);
    assert_non_null(exchange);
    exchange->done(exchange->arg, answer);
}

void fake_gateway_answer(struct fake_gateway *gateway, int http_status, const char *body)
{
    struct mfa_gateway_answer answer = {.delivery = MFA_DELIVERY_ANSWERED,
                                        .http_status = http_status,
                                        .body = body,
                                        .body_len = strlen(body),
                                        .reason = ""};
    fake_gateway_answer_with(gateway, &answer);
}

void fake_gateway_fail(struct fake_gateway *gateway, enum mfa_delivery delivery)
{
    struct mfa_gateway_answer answer = {.delivery = delivery, .body = "", .reason = "scripted"};

    fake_gateway_answer_with(gateway, &answer);
}

void fake_gateway_fail_unsent(struct fake_gateway *gateway, enum mfa_delivery delivery)
{
    struct mfa_gateway_answer answer = {.delivery = delivery, .body = "", .reason = "scripted", .was_never_sent = true};

    fake_gateway_answer_with(gateway, &answer);
}

const struct mfa_http_request *fake_gateway_last(const struct fake_gateway *gateway)
{
    assert_true(gateway->count > 0);
    return gateway->exchanges[gateway->count - 1].request;
}
