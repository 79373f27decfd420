/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_exchange.h"

#include <stdio.h>

#include "mfa_json.h"

static const struct mfa_host_port *host_of(const struct mfa_exchange *exchange)
{
    return exchange->services->host;
}

static void forget_user_data(struct mfa_exchange *exchange)
{
    mfa_json_free((json_t *)(uintptr_t)exchange->variables.user_data);
    exchange->variables.user_data = NULL;
}

/* --- Asking one endpoint ------------------------------------------------------------------------------------------- */

static mfa_gateway_done_fn take_answer;

/* Bounds a request by the time that is left. */
static enum mfa_status bound(struct mfa_exchange *exchange, struct mfa_http_request *request)
{
    uint64_t now_ms = 0;

    if (host_of(exchange)->monotonic_ms(host_of(exchange)->ctx, &now_ms) != MFA_OK)
        return MFA_ERR_INTERNAL;
    if (now_ms >= exchange->deadline_ms)
        return MFA_ERR_EXPIRED;
    if (exchange->deadline_ms - now_ms < request->timeout_ms)
        request->timeout_ms = (uint32_t)(exchange->deadline_ms - now_ms);
    exchange->asked_ms = now_ms;
    return MFA_OK;
}

static enum mfa_status sign(const struct mfa_exchange *exchange, struct mfa_http_request *request)
{
    int64_t wall_ms = 0;

    if (!mfa_sign_needs_time(&exchange->endpoint->sign))
        return mfa_sign_request(&exchange->endpoint->sign, 0, request);
    if (host_of(exchange)->wall_ms(host_of(exchange)->ctx, &wall_ms) != MFA_OK)
        return MFA_ERR_INTERNAL;
    return mfa_sign_request(&exchange->endpoint->sign, wall_ms, request);
}

/* The request is transferred in any case. */
static enum mfa_status submit(struct mfa_exchange *exchange, struct mfa_http_request *request)
{
    const struct mfa_gateway_port *gateway = &exchange->services->gateway;
    enum mfa_status status = gateway->submit(gateway->ctx, request, take_answer, exchange);

    if (status != MFA_OK)
        mfa_http_request_free(request);
    return status;
}

static void fail_unsent(struct mfa_exchange *exchange, enum mfa_delivery delivery, const char *reason)
{
    take_answer(exchange, &(struct mfa_gateway_answer){
                              .delivery = delivery, .was_never_sent = true, .body = "", .reason = reason});
}

static enum mfa_status add_token(struct mfa_http_request *request, const char *token_secret)
{
    struct mfa_buffer value_secret;
    enum mfa_status status;

    mfa_buffer_init(&value_secret, MFA_ENDPOINT_HEADER_MAX_LEN);
    status = mfa_buffer_append_text(&value_secret, "Bearer ");
    if (status == MFA_OK)
        status = mfa_buffer_append_text(&value_secret, token_secret);
    if (status == MFA_OK)
        status = mfa_http_request_add_header(request, "authorization", value_secret.data);
    mfa_buffer_clear(&value_secret);
    return status;
}

/* What we lack ourselves says nothing of the service. */
static void fail_by_ourselves(struct mfa_exchange *exchange, enum mfa_status status)
{
    bool is_late = status == MFA_ERR_EXPIRED;

    exchange->is_our_own = true;
    fail_unsent(exchange, is_late ? MFA_DELIVERY_TIMEOUT : MFA_DELIVERY_FAILED,
                is_late ? "no time is left" : "too busy");
}

static void fail_without_token(struct mfa_exchange *exchange, const struct mfa_gateway_answer *answer)
{
    bool is_stopped = answer != NULL && answer->delivery == MFA_DELIVERY_STOPPED;

    if (answer == NULL)
        fail_by_ourselves(exchange, MFA_ERR_FULL);
    else
        fail_unsent(exchange, is_stopped ? MFA_DELIVERY_STOPPED : MFA_DELIVERY_FAILED, "no access token");
}

static void take_token(void *arg, const char *token_secret, uint64_t number, const struct mfa_gateway_answer *answer)
{
    struct mfa_exchange *exchange = arg;
    struct mfa_http_request *request = exchange->request;
    enum mfa_status status = MFA_OK;

    exchange->request = NULL; /* transferred */
    exchange->token_number = number;
    if (token_secret == NULL) {
        mfa_http_request_free(request);
        fail_without_token(exchange, answer);
        return;
    }
    status = add_token(request, token_secret);
    if (status == MFA_OK)
        status = bound(exchange, request); /* the token took its time */
    if (status == MFA_OK)
        status = submit(exchange, request);
    else
        mfa_http_request_free(request);
    if (status != MFA_OK)
        fail_by_ourselves(exchange, status);
}

/* Sends one request. On MFA_OK the answer is on its way or has been taken. */
static enum mfa_status ask(struct mfa_exchange *exchange)
{
    struct mfa_http_request *request = NULL;
    enum mfa_status status = mfa_endpoint_render(exchange->endpoint, &exchange->variables, &request);

    if (status == MFA_OK)
        status = bound(exchange, request);
    if (status == MFA_OK)
        status = sign(exchange, request);
    if (status != MFA_OK) {
        mfa_http_request_free(request);
        return status;
    }
    if (exchange->endpoint->token == NULL)
        return submit(exchange, request);
    exchange->request = request; /* transferred */
    exchange->waiter = (struct mfa_token_waiter){.ready = take_token, .arg = exchange};
    mfa_access_token_get(exchange->services, mfa_services_find(exchange->services, exchange->endpoint),
                         &exchange->waiter, request->timeout_ms);
    return MFA_OK;
}

/* --- Choosing the endpoint ----------------------------------------------------------------------------------------- */

static bool is_up(const struct mfa_exchange *exchange, const struct mfa_endpoint *endpoint)
{
    const struct mfa_host_port *host = host_of(exchange);
    uint64_t now_ms = 0;

    return host->monotonic_ms(host->ctx, &now_ms) == MFA_OK &&
           mfa_service_is_worth_trying(exchange->services, mfa_services_find(exchange->services, endpoint), now_ms);
}

/* Moves on to the next fallback that is up. False: there is none. */
static bool move_on(struct mfa_exchange *exchange)
{
    const struct mfa_endpoint *endpoint = exchange->endpoint->fallback;
    size_t number = exchange->number + 1;

    while (endpoint != NULL && !is_up(exchange, endpoint)) {
        endpoint = endpoint->fallback;
        number++;
    }
    if (endpoint == NULL)
        return false;
    exchange->endpoint = endpoint;
    exchange->number = number;
    exchange->has_refreshed = false;
    exchange->is_our_own = false;
    return true;
}

/* With all of them down the first one is as good as any. */
static void choose_first(struct mfa_exchange *exchange)
{
    if (exchange->call == MFA_CALL_SEND && exchange->endpoint->fallback != NULL && !is_up(exchange, exchange->endpoint))
        (void)move_on(exchange);
}

/* --- The answer ---------------------------------------------------------------------------------------------------- */

static void log_finding(const struct mfa_exchange *exchange, const struct mfa_gateway_answer *answer,
                        const struct mfa_finding *finding)
{
    const struct mfa_host_port *host = host_of(exchange);
    bool is_good = finding->verdict == MFA_VERDICT_SENT || finding->verdict == MFA_VERDICT_ACCEPTED;
    char line[512];

    snprintf(line, sizeof line, "event=gateway.%s host=%s status=%d outcome=%s reason=\"%s\"",
             exchange->call == MFA_CALL_SEND ? "send" : "verify", exchange->endpoint->origin.host, answer->http_status,
             mfa_verdict_name(finding->verdict), finding->why);
    host->log(host->ctx, is_good ? MFA_LOG_DEBUG : MFA_LOG_WARN, line);
}

static void count(const struct mfa_exchange *exchange, const struct mfa_gateway_answer *answer,
                  const struct mfa_finding *finding)
{
    const struct mfa_host_port *host = host_of(exchange);
    uint32_t place = mfa_services_find(exchange->services, exchange->endpoint)->host_place;
    uint64_t now_ms = 0;

    if (exchange->call == MFA_CALL_SEND)
        mfa_metrics_record(&host->metrics, MFA_METRIC_CHALLENGES, place, finding->verdict, 1);
    if (!answer->was_never_sent && host->monotonic_ms(host->ctx, &now_ms) == MFA_OK)
        mfa_metrics_record(&host->metrics, MFA_METRIC_GATEWAY_TIME, place, exchange->call,
                           (int64_t)(now_ms - exchange->asked_ms));
}

/* Remembers whether the service is there. What it says about the request does not matter. */
static void note(const struct mfa_exchange *exchange, const struct mfa_gateway_answer *answer)
{
    const struct mfa_host_port *host = host_of(exchange);
    bool has_failed = answer->delivery != MFA_DELIVERY_ANSWERED || answer->http_status >= 500;
    uint64_t now_ms = 0;

    if (answer->delivery != MFA_DELIVERY_STOPPED && !exchange->is_our_own &&
        host->monotonic_ms(host->ctx, &now_ms) == MFA_OK)
        mfa_service_note(exchange->services, mfa_services_find(exchange->services, exchange->endpoint), has_failed,
                         now_ms);
}

/* A message that certainly was not sent may be sent by another. A code is checked by whoever made it. */
static bool ask_another(struct mfa_exchange *exchange, const struct mfa_finding *finding)
{
    if (exchange->call != MFA_CALL_SEND || !finding->is_definite)
        return false;
    while (move_on(exchange))
        if (ask(exchange) == MFA_OK)
            return true;
    return false;
}

/* A refused token is refreshed once. */
static bool ask_again(struct mfa_exchange *exchange, const struct mfa_gateway_answer *answer)
{
    if (answer->http_status != 401 || exchange->endpoint->token == NULL || exchange->has_refreshed)
        return false;
    exchange->has_refreshed = true;
    mfa_access_token_refuse(exchange->services, mfa_services_find(exchange->services, exchange->endpoint),
                            exchange->token_number);
    return ask(exchange) == MFA_OK;
}

static void take_answer(void *arg, const struct mfa_gateway_answer *answer)
{
    struct mfa_exchange *exchange = arg;
    struct mfa_finding finding;
    size_t number = exchange->number;
    bool is_our_own = exchange->is_our_own;

    if (ask_again(exchange, answer))
        return;
    mfa_verdict_of(&exchange->endpoint->rules, exchange->call, answer, &exchange->variables, &finding);
    log_finding(exchange, answer, &finding);
    count(exchange, answer, &finding);
    note(exchange, answer);
    if (answer->delivery != MFA_DELIVERY_STOPPED && ask_another(exchange, &finding)) {
        mfa_finding_clear(&finding);
        return;
    }
    forget_user_data(exchange);
    atomic_fetch_sub(exchange->services->in_flight, 1);
    exchange->number = number;
    exchange->is_our_own = is_our_own;
    /* Whoever asked for another token has had the request, and may have looked at the code. */
    exchange->was_never_sent = answer->was_never_sent && !exchange->has_refreshed;
    exchange->done(exchange->arg, &finding);
}

enum mfa_status mfa_exchange_begin(struct mfa_exchange *exchange)
{
    struct mfa_services *services = exchange->services;
    enum mfa_status status;

    exchange->number = 0;
    choose_first(exchange);
    atomic_fetch_add(services->in_flight, 1);
    status = ask(exchange);
    if (status == MFA_OK)
        return status;
    atomic_fetch_sub(services->in_flight, 1);
    forget_user_data(exchange);
    return status;
}
