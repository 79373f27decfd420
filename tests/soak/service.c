/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#define FAILS_ONE_IN 10
#define SLOW_MS 50 /* as many are, but in time */

/* Sent to one user, the last one first. */
struct sent {
    char codes[2][GATEWAY_CODE_MAX + 1];
};

struct service {
    struct gateway *gateway;
    pthread_mutex_t mutex; /* guards sent */
    struct sent sent[SERVICE_USERS];
    atomic_size_t requests;
    atomic_size_t failed;
};

static const char *const elsewhere[] = {"Location", "http://127.0.0.1:9/", NULL};
static const char *const come_back[] = {"Retry-After", "1", NULL};

static const struct gateway_script failures[] = {
    {.manner = GATEWAY_STALL},
    {.manner = GATEWAY_RESET},
    {.status = 200, .body = "half of this", .manner = GATEWAY_RESET_MIDWAY},
    {.status = 200, .body = "byte by byte, past any patience", .manner = GATEWAY_DRIP, .drip_ms = 50},
    {.status = 200, .delay_ms = 1000}, /* too late */
    {.status = 200, .body = "0123456789abcdef", .body_times = 100000},
    {.status = 500, .body = "<html>\x01garbage</html>"},
    {.status = 302, .headers = elsewhere},
    {.status = 429, .headers = come_back},
    {.status = 404},
};

static void remember(struct service *service, size_t user, const char *code)
{
    struct sent *sent = &service->sent[user];

    pthread_mutex_lock(&service->mutex);
    memcpy(sent->codes[1], sent->codes[0], sizeof sent->codes[1]);
    memset(sent->codes[0], 0, sizeof sent->codes[0]);
    memcpy(sent->codes[0], code, strnlen(code, GATEWAY_CODE_MAX));
    pthread_mutex_unlock(&service->mutex);
}

/* SERVICE_USERS: nobody's. */
static size_t user_of(const json_t *number)
{
    const char *text = json_string_value(number);
    size_t user =
        text != NULL && strlen(text) > strlen("4179") ? strtoul(text + strlen("4179"), NULL, 10) : SERVICE_USERS;

    return user < SERVICE_USERS ? user : SERVICE_USERS;
}

/* Mode single: a message with a code in it. */
static void take_message(struct service *service, const struct gateway_request *request)
{
    const char *message = json_string_value(json_object_get(request->query, "message"));
    size_t user = user_of(json_object_get(request->query, "numero"));

    if (message != NULL && user < SERVICE_USERS)
        remember(service, user, message + strcspn(message, "0123456789"));
}

/* Mode challenge-verify: a number to send a code to, or with a code that is to be checked. */
static void take_number(struct service *service, size_t number, const struct gateway_request *request,
                        struct gateway_script *script)
{
    json_t *body = json_loads(request->body, 0, NULL);
    const char *code = json_string_value(json_object_get(body, "code"));
    size_t user = user_of(json_object_get(body, "phone_number"));
    char drawn[16];

    if (user < SERVICE_USERS && code == NULL) {
        snprintf(drawn, sizeof drawn, "%06zu", (number * 7919 + user) % 1000000);
        remember(service, user, drawn);
    } else if (user == SERVICE_USERS || !service_has_sent(service, user, code)) {
        script->body = "no";
    }
    json_decref(body);
}

/* Runs through the ways to fail, so that it has none more often than another. */
static void decide(void *context, const struct gateway_request *request, struct gateway_script *script)
{
    struct service *service = context;
    size_t number = atomic_fetch_add(&service->requests, 1);

    if (strcmp(request->method, "GET") == 0)
        take_message(service, request);
    else
        take_number(service, number, request, script);
    if (number % FAILS_ONE_IN == 0)
        *script = failures[atomic_fetch_add(&service->failed, 1) % (sizeof failures / sizeof failures[0])];
    else if (number % FAILS_ONE_IN == 1)
        script->delay_ms = SLOW_MS;
    /* On the gateway's only thread no other one can be coming in. */
    gateway_forget_requests(service->gateway);
}

struct service *service_start(void)
{
    struct service *service = calloc(1, sizeof *service);

    assert_non_null(service);
    pthread_mutex_init(&service->mutex, NULL);
    service->gateway = gateway_start();
    gateway_answer_with(service->gateway, decide, service);
    return service;
}

void service_stop(struct service *service)
{
    gateway_stop(service->gateway);
    pthread_mutex_destroy(&service->mutex);
    free(service);
}

const char *service_url(const struct service *service)
{
    return gateway_url(service->gateway);
}

void service_code(struct service *service, size_t user, char code[static GATEWAY_CODE_MAX + 1])
{
    pthread_mutex_lock(&service->mutex);
    memcpy(code, service->sent[user].codes[0], GATEWAY_CODE_MAX + 1);
    pthread_mutex_unlock(&service->mutex);
}

bool service_has_sent(struct service *service, size_t user, const char *code)
{
    const struct sent *sent = &service->sent[user];
    bool has_sent = false;

    pthread_mutex_lock(&service->mutex);
    has_sent = strcmp(code, sent->codes[0]) == 0 || strcmp(code, sent->codes[1]) == 0;
    pthread_mutex_unlock(&service->mutex);
    return has_sent;
}

void service_release(struct service *service)
{
    gateway_release(service->gateway);
}

void service_take_counts(struct service *service, size_t *requests, size_t *failed)
{
    *requests = atomic_exchange(&service->requests, 0);
    *failed = atomic_exchange(&service->failed, 0);
}
