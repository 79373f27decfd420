/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_access_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mfa_buffer.h"
#include "mfa_json.h"
#include "mfa_policy.h"
#include "mfa_verdict.h"

#define TOKEN_MAX_LEN 4096

/* What is assumed of a token that does not say (RFC 6749, 5.1 leaves it open), and the longest that one is kept. */
#define DEFAULT_LIFE_S 300
#define MAX_LIFE_S 86400

/* A request takes a while to arrive. */
#define MARGIN_S 30

/* --- What the answer says ------------------------------------------------------------------------------------------ */

/* b64token is a part of what may stand in a header (RFC 6750, 2.1); more than that no server has meant. */
static bool is_token(const char *text)
{
    const size_t len = text != NULL ? strlen(text) : 0;

    for (size_t i = 0; i < len; i++)
        if (text[i] <= 0x20 || text[i] > 0x7e)
            return false;
    return len > 0 && len <= TOKEN_MAX_LEN;
}

static bool is_bearer(const json_t *type)
{
    return type == NULL || (json_is_string(type) && strcasecmp(json_string_value(type), "bearer") == 0);
}

/* Seconds for which the token may be used. */
static uint64_t life_s(const json_t *expires_in)
{
    json_int_t seconds = json_is_integer(expires_in) ? json_integer_value(expires_in) : DEFAULT_LIFE_S;

    if (seconds > MAX_LIFE_S)
        seconds = MAX_LIFE_S;
    return seconds > MARGIN_S ? (uint64_t)(seconds - MARGIN_S) : 0;
}

/* Returns a copy of the token, owned by the caller; NULL: there is none. */
static char *read_answer(const struct mfa_gateway_answer *answer, uint64_t *life)
{
    json_t *body_secret = NULL;
    const char *token_secret = NULL;
    char *copy = NULL;

    if (answer->delivery != MFA_DELIVERY_ANSWERED || answer->http_status != 200 ||
        mfa_json_parse_answer(&body_secret, answer->body, answer->body_len, MFA_BODY_MAX_DEPTH) != MFA_OK)
        return NULL;
    token_secret = json_string_value(json_object_get(body_secret, "access_token"));
    *life = life_s(json_object_get(body_secret, "expires_in"));
    if (is_token(token_secret) && is_bearer(json_object_get(body_secret, "token_type")))
        copy = strdup(token_secret);
    mfa_json_free(body_secret);
    return copy;
}

/* --- Fetching ------------------------------------------------------------------------------------------------------ */

struct fetch {
    struct mfa_services *services;
    struct mfa_service *service;
};

static void keep(struct mfa_service *service, char *token_secret, uint64_t expires_ms)
{
    char *old_secret = service->token_secret;

    service->token_secret = token_secret; /* transferred */
    service->token_expires_ms = expires_ms;
    service->token_number++;
    mfa_secret_free(old_secret, old_secret != NULL ? strlen(old_secret) : 0);
}

/* Keeps the token (transferred; NULL: none) and tells everybody who waits. */
static void settle(struct mfa_services *services, struct mfa_service *service, char *token_secret, uint64_t life,
                   const struct mfa_gateway_answer *answer)
{
    struct mfa_token_waiter *waiters = NULL;
    char *shared_secret = token_secret != NULL ? strdup(token_secret) : NULL;
    uint64_t now_ms = 0;
    uint64_t number = 0;
    bool has_clock = services->host->monotonic_ms(services->host->ctx, &now_ms) == MFA_OK;

    pthread_mutex_lock(&services->mutex);
    keep(service, token_secret, has_clock ? now_ms + life * 1000 : 0);
    number = service->token_number;
    waiters = service->waiters;
    service->waiters = NULL;
    service->is_fetching_token = false;
    pthread_mutex_unlock(&services->mutex);

    while (waiters != NULL) {
        struct mfa_token_waiter *waiter = waiters;

        waiters = waiter->next;
        waiter->ready(waiter->arg, shared_secret, number, answer);
    }
    mfa_secret_free(shared_secret, shared_secret != NULL ? strlen(shared_secret) : 0);
}

static void log_answer(const struct fetch *fetch, const struct mfa_gateway_answer *answer, bool is_good)
{
    const struct mfa_host_port *host = fetch->services->host;
    char line[512];

    snprintf(line, sizeof line, "event=gateway.token host=%s status=%d outcome=%s reason=\"%s\"",
             fetch->service->endpoint->token->origin.host, answer->http_status, is_good ? "fetched" : "error",
             answer->delivery != MFA_DELIVERY_ANSWERED ? answer->reason
             : is_good                                 ? "fetched"
                                                       : "the answer is not 200 with an access_token of type Bearer");
    host->log(host->ctx, is_good ? MFA_LOG_DEBUG : MFA_LOG_WARN, line);
}

static void take_answer(void *arg, const struct mfa_gateway_answer *answer)
{
    struct fetch *fetch = arg;
    uint64_t life = 0;
    char *token_secret = read_answer(answer, &life);

    log_answer(fetch, answer, token_secret != NULL);
    settle(fetch->services, fetch->service, token_secret, life, answer);
    free(fetch);
}

static enum mfa_status submit(struct mfa_services *services, struct fetch *fetch, uint32_t timeout_ms)
{
    const struct mfa_endpoint *endpoint = fetch->service->endpoint->token;
    struct mfa_http_request *request = NULL;
    enum mfa_status status = mfa_endpoint_render(endpoint, &(struct mfa_variables){0}, &request);

    if (status != MFA_OK)
        return status;
    if (timeout_ms < request->timeout_ms)
        request->timeout_ms = timeout_ms;
    status = services->gateway.submit(services->gateway.ctx, request, take_answer, fetch);
    if (status != MFA_OK)
        mfa_http_request_free(request);
    return status;
}

static void begin(struct mfa_services *services, struct mfa_service *service, uint32_t timeout_ms)
{
    struct fetch *fetch = malloc(sizeof *fetch);

    if (fetch != NULL) {
        *fetch = (struct fetch){.services = services, .service = service};
        if (submit(services, fetch, timeout_ms) == MFA_OK)
            return;
    }
    free(fetch);
    settle(services, service, NULL, 0, NULL);
}

/* --- Asking -------------------------------------------------------------------------------------------------------- */

/* A copy of the token if it is good, owned by the caller; else NULL, and the waiter stands in line. */
static char *take_or_wait(struct mfa_services *services, struct mfa_service *service, struct mfa_token_waiter *waiter,
                          uint64_t *number, bool *must_fetch)
{
    uint64_t now_ms = UINT64_MAX;
    char *token_secret = NULL;

    if (services->host->monotonic_ms(services->host->ctx, &now_ms) != MFA_OK)
        now_ms = UINT64_MAX; /* no clock, no token that is known to be good */
    pthread_mutex_lock(&services->mutex);
    *number = service->token_number;
    if (service->token_secret != NULL && now_ms < service->token_expires_ms)
        token_secret = strdup(service->token_secret);
    if (token_secret == NULL) {
        waiter->next = service->waiters;
        service->waiters = waiter;
        *must_fetch = !service->is_fetching_token;
        service->is_fetching_token = true;
    }
    pthread_mutex_unlock(&services->mutex);
    return token_secret;
}

void mfa_access_token_get(struct mfa_services *services, struct mfa_service *service, struct mfa_token_waiter *waiter,
                          uint32_t timeout_ms)
{
    uint64_t number = 0;
    bool must_fetch = false;
    char *token_secret = take_or_wait(services, service, waiter, &number, &must_fetch);

    if (token_secret != NULL) {
        waiter->ready(waiter->arg, token_secret, number, NULL);
        mfa_secret_free(token_secret, strlen(token_secret));
    } else if (must_fetch) {
        begin(services, service, timeout_ms);
    }
}

void mfa_access_token_refuse(struct mfa_services *services, struct mfa_service *service, uint64_t number)
{
    pthread_mutex_lock(&services->mutex);
    if (service->token_number == number && service->token_secret != NULL)
        service->token_expires_ms = 0;
    pthread_mutex_unlock(&services->mutex);
}
