/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "login_chain.h"
#include "passwords.h"
#include "router.h"

struct exchange *exchange_new(struct host *host, struct MHD_Connection *connection, struct route *route)
{
    struct exchange *exchange = malloc(sizeof(*exchange));

    if (!exchange)
        return NULL;
    *exchange = (struct exchange){.host = host, .connection = connection, .route = route};
    pthread_mutex_init(&exchange->lock, NULL);
    atomic_init(&exchange->holders, 1);
    atomic_fetch_add(&host->exchanges, 1);
    return exchange;
}

void exchange_hold(struct exchange *exchange)
{
    atomic_fetch_add(&exchange->holders, 1);
}

static void free_secret(void *secret, size_t len)
{
    if (secret)
        sodium_memzero(secret, len);
    free(secret);
}

void exchange_drop(struct exchange *exchange)
{
    if (atomic_fetch_sub(&exchange->holders, 1) != 1)
        return;
    struct host *host = exchange->host;

    if (exchange->response)
        MHD_destroy_response(exchange->response);
    login_free(exchange->login);
    call_result_free(exchange->result);
    free_secret(exchange->secret_credential, exchange->secret_credential ? strlen(exchange->secret_credential) : 0);
    free_secret(exchange->body, exchange->body_size);
    free_secret(exchange->request_headers, exchange->request_headers_size);
    pthread_mutex_destroy(&exchange->lock);
    free(exchange);
    atomic_fetch_sub(&host->exchanges, 1);
}

void exchange_answer(struct exchange *exchange, unsigned status, struct MHD_Response *response)
{
    bool resumes = false;

    if (!response)
        response = answer_error(ANSWER_UNEXPECTED_ERROR, NULL, &status);
    pthread_mutex_lock(&exchange->lock);
    if (!exchange->is_answered) {
        exchange->is_answered = true;
        exchange->status = status;
        exchange->response = response; /* transferred */
        response = NULL;
        resumes = exchange->is_suspended;
        exchange->is_suspended = false;
    }
    pthread_mutex_unlock(&exchange->lock);
    if (response)
        MHD_destroy_response(response);
    if (resumes) {
        MHD_resume_connection(exchange->connection);
        atomic_fetch_sub(&exchange->host->suspended, 1);
    }
}

void exchange_fail(struct exchange *exchange, enum answer_error error, json_t *data)
{
    unsigned status = 500;
    struct MHD_Response *response = answer_error(error, data, &status); /* transferred */

    exchange_answer(exchange, status, response);
}

static bool add_header(struct MHD_Response *response, const struct core_header *header)
{
    /* The spans of a call_result are followed by a NUL. */
    return MHD_add_response_header(response, header->name.data, header->value.data) == MHD_YES;
}

struct MHD_Response *exchange_add_headers(struct MHD_Response *response, const struct call_result *result)
{
    size_t count = response && result ? result->header_count : 0;

    for (size_t i = 0; i < count; i++) {
        if (!add_header(response, &result->headers[i])) {
            MHD_destroy_response(response);
            return NULL;
        }
    }
    return response;
}

struct MHD_Response *exchange_response_of(const struct call_result *result)
{
    return exchange_add_headers(result->body.data ? answer_object(result->body) : answer_empty(), result);
}

static void run_step(void *context)
{
    struct exchange *exchange = context;

    exchange->step(exchange);
    exchange_drop(exchange);
}

/* Many may wait for their turn, and each takes long: more than a host has time for when it stops. */
static void run_step_with_password(void *context)
{
    struct exchange *exchange = context;

    if (!atomic_load(&exchange->host->is_stopping)) {
        run_step(exchange);
        return;
    }
    exchange_fail(exchange, ANSWER_STOPPING, NULL);
    exchange_drop(exchange);
}

static struct job *prepare_job(struct exchange *exchange, exchange_step_fn *step, void (*run)(void *context))
{
    exchange->step = step;
    exchange->job.run = run;
    exchange->job.context = exchange;
    exchange_hold(exchange);
    return &exchange->job;
}

void exchange_continue(struct exchange *exchange, exchange_step_fn *step)
{
    if (workers_submit(exchange->host->continuations, prepare_job(exchange, step, run_step)))
        return;
    exchange_fail(exchange, ANSWER_UNEXPECTED_ERROR, NULL);
    exchange_drop(exchange);
}

void exchange_continue_with_password(struct exchange *exchange, exchange_step_fn *step)
{
    if (passwords_submit(exchange->host->passwords, prepare_job(exchange, step, run_step_with_password)))
        return;
    exchange_fail(exchange, ANSWER_BUSY, NULL);
    exchange_drop(exchange);
}

enum MHD_Result exchange_send_or_suspend(struct exchange *exchange)
{
    enum MHD_Result result = MHD_YES;

    /* The lock makes the choice between answering and suspending one step against an answer from another thread. */
    pthread_mutex_lock(&exchange->lock);
    struct MHD_Response *response = exchange->response;
    bool is_answered = exchange->is_answered;
    exchange->response = NULL;
    if (!is_answered) {
        exchange->is_suspended = true;
        atomic_fetch_add(&exchange->host->suspended, 1);
        MHD_suspend_connection(exchange->connection);
    }
    pthread_mutex_unlock(&exchange->lock);

    if (is_answered && response)
        result = MHD_queue_response(exchange->connection, exchange->status, response);
    else if (is_answered)
        result = MHD_NO;
    if (response)
        MHD_destroy_response(response);
    return result;
}
