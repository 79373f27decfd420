/* SPDX-License-Identifier: Apache-2.0
 *
 * A communication service without a network: keeps each request it gets, and answers when the test says so, on the test's
 * own thread.
 */
#ifndef FAKE_GATEWAY_H
#define FAKE_GATEWAY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "mfa_ports.h"

#define FAKE_GATEWAY_MAX 64

struct fake_exchange {
    struct mfa_http_request *request;
    mfa_gateway_done_fn *done; /* NULL once answered */
    void *arg;
};

struct fake_gateway {
    pthread_mutex_t mutex; /* guards all below */
    struct fake_exchange exchanges[FAKE_GATEWAY_MAX];
    size_t count;    /* requests received */
    size_t answered; /* of them, in order */
    bool is_full;
};

void fake_gateway_init(struct fake_gateway *gateway);
void fake_gateway_clear(struct fake_gateway *gateway);
struct mfa_gateway_port fake_gateway_port(struct fake_gateway *gateway);

/* Answers the oldest open request with a status and body. Fails the test when there is none. */
void fake_gateway_answer(struct fake_gateway *gateway, int http_status, const char *body);

/* As fake_gateway_answer, with all there is to say. */
void fake_gateway_answer_with(struct fake_gateway *gateway, const struct mfa_gateway_answer *answer);

/* Ends the oldest open request without an answer. */
void fake_gateway_fail(struct fake_gateway *gateway, enum mfa_delivery delivery);

/* As fake_gateway_fail, of a request that certainly never reached the service. */
void fake_gateway_fail_unsent(struct fake_gateway *gateway, enum mfa_delivery delivery);

/* The last request received; borrowed. Fails the test when there is none. */
const struct mfa_http_request *fake_gateway_last(const struct fake_gateway *gateway);

#endif
