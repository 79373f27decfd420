/* SPDX-License-Identifier: Apache-2.0 */
#include "sending.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_port.h"
#include "memory.h"
#include "mfa_exchange.h"
#include "mfa_gateway.h"
#include "mfa_loop.h"
#include "request.h"

/* Time enough for every endpoint's own time-outs, which count. */
#define PATIENCE_MS 3600000

/* What a rehearsal says in the place of an access token. */
#define REHEARSED_TOKEN "what-is-fetched-when-it-is-sent"

/* Stands between the exchange and the gateway. */
struct recorder {
    struct sending *sending;
    struct secrets *secrets;
    bool is_rehearsal;
    struct mfa_gateway_port gateway; /* the real one */
    struct mfa_exchange exchange;
    sem_t over;
};

/* One request under way. */
struct delivery {
    struct recorder *recorder;
    struct attempt *attempt;
    mfa_gateway_done_fn *done;
    void *arg;
};

/* --- Recording ---------------------------------------------------------------------------------------------------- */

/* Behind the last one. Only the exchange knows which endpoint it asks; any other request is for its token. */
static struct attempt *add_attempt(struct recorder *recorder, const struct mfa_http_request *request, const void *arg)
{
    const struct mfa_endpoint *endpoint = recorder->exchange.endpoint;
    struct attempt *attempt = memory_need(calloc(1, sizeof *attempt));
    struct attempt **end = &recorder->sending->attempts;

    while (*end != NULL)
        end = &(*end)->next;
    *end = attempt;
    attempt->is_for_token = arg != &recorder->exchange;
    attempt->endpoint = attempt->is_for_token ? endpoint->token : endpoint;
    request_add_secrets(recorder->secrets, request);
    attempt->request = request_json(recorder->secrets, request);
    return attempt;
}

static void take_answer(void *arg, const struct mfa_gateway_answer *answer)
{
    const struct delivery delivery = *(struct delivery *)arg;

    free(arg);
    answer_copy(&delivery.attempt->answer, answer, &delivery.attempt->endpoint->rules);
    secrets_add_from_body(delivery.recorder->secrets, answer->body, answer->body_len);
    delivery.done(delivery.arg, answer);
}

/* A token is given, so that the request it is for is made; the request itself has come to its end. */
static void rehearse(struct delivery *delivery)
{
    static const char token[] = "{\"access_token\":\"" REHEARSED_TOKEN "\"}";
    const bool is_for_token = delivery->attempt->is_for_token;

    take_answer(delivery, &(struct mfa_gateway_answer){
                              .delivery = is_for_token ? MFA_DELIVERY_ANSWERED : MFA_DELIVERY_STOPPED,
                              .http_status = is_for_token ? 200 : 0,
                              .body = is_for_token ? token : "",
                              .body_len = is_for_token ? strlen(token) : 0,
                              .reason = "",
                          });
}

static enum mfa_status submit(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg)
{
    struct recorder *recorder = ctx;
    struct delivery *delivery = memory_need(malloc(sizeof *delivery));
    enum mfa_status status = MFA_OK;

    *delivery = (struct delivery){
        .recorder = recorder, .attempt = add_attempt(recorder, request, arg), .done = done, .arg = arg};
    if (recorder->is_rehearsal) {
        mfa_http_request_free(request);
        rehearse(delivery);
        return MFA_OK;
    }
    status = memory_checked(recorder->gateway.submit(recorder->gateway.ctx, request, take_answer, delivery));
    if (status != MFA_OK)
        free(delivery);
    return status;
}

static void take_finding(void *arg, struct mfa_finding *finding)
{
    struct recorder *recorder = arg;

    recorder->sending->verdict = finding->verdict;
    mfa_finding_clear(finding);
    (void)sem_post(&recorder->over);
}

/* --- What cannot be sent ------------------------------------------------------------------------------------------ */

static bool is_refused(const struct mfa_template *tmpl, const struct call *call)
{
    const struct mfa_variables variables = call_variables(call);
    struct mfa_buffer out;
    bool is_good = false;

    if (tmpl == NULL)
        return false;
    mfa_buffer_init(&out, MFA_ENDPOINT_BODY_MAX_LEN);
    is_good = memory_checked(mfa_template_render(tmpl, &variables, &out)) == MFA_OK;
    mfa_buffer_clear(&out);
    return !is_good;
}

static const char *refused_part(const struct call *call)
{
    const struct mfa_endpoint *endpoint = call->endpoint;

    if (is_refused(endpoint->url, call))
        return "url";
    if (is_refused(endpoint->body, call))
        return "body";
    for (size_t i = 0; i < endpoint->header_count; i++)
        if (is_refused(endpoint->headers[i].value, call))
            return endpoint->headers[i].name;
    return "request";
}

static int complain_of(const struct call *call, enum mfa_status status)
{
    char *name = call_endpoint_name(call, call->endpoint);

    if (status == MFA_ERR_REFUSED || status == MFA_ERR_NOT_FOUND)
        complain("%s: a value of the user data cannot stand in its %s: there is a control character in it, or nothing "
                 "that the filter behind it can use, or it makes a path of \"..\"",
                 name, refused_part(call));
    else if (status == MFA_ERR_TOO_LARGE)
        complain("%s: the request is too long", name);
    else
        complain("%s: the request could not be sent", name);
    free(name);
    return EXIT_PROBLEM;
}

/* --- The whole ---------------------------------------------------------------------------------------------------- */

static int exchange(struct recorder *recorder, struct mfa_services *services, const struct call *call)
{
    struct mfa_variables variables = call_variables(call);
    enum mfa_status status = MFA_OK;

    variables.user_data = memory_need_json(json_deep_copy(call->variables));
    recorder->exchange = (struct mfa_exchange){.services = services,
                                               .call = call->kind,
                                               .endpoint = call->endpoint,
                                               .variables = variables, /* transferred */
                                               .deadline_ms = mfa_loop_now_ms() + PATIENCE_MS,
                                               .done = take_finding,
                                               .arg = recorder};
    status = memory_checked(mfa_exchange_begin(&recorder->exchange));
    if (status != MFA_OK)
        return complain_of(call, status);
    while (sem_wait(&recorder->over) != 0)
        ;
    return EXIT_FINE;
}

static int run(struct recorder *recorder, const struct call *call)
{
    const struct mfa_gateway_port recording = {.ctx = recorder, .submit = submit};
    struct mfa_services *services = NULL;
    atomic_size_t in_flight = 0;
    int status = EXIT_FINE;

    (void)memory_checked(mfa_services_new(&services, &host_port, &recording, &in_flight, &call->first, 1));
    status = exchange(recorder, services, call);
    mfa_services_free(services);
    return status;
}

int sending_run(struct sending *sending, struct subject *subject, const struct call *call, bool is_rehearsal)
{
    const struct mfa_gateway_limits limits = {.max_in_flight = 1, .max_per_host = 1};
    struct recorder recorder = {.sending = sending, .secrets = &subject->secrets, .is_rehearsal = is_rehearsal};
    struct mfa_gateway *gateway = NULL;
    int status = EXIT_USAGE;

    *sending = (struct sending){0};
    if (!is_rehearsal && memory_checked(mfa_gateway_new(&gateway, &limits)) != MFA_OK) {
        complain("libcurl or a thread could not be set up");
        return status;
    }
    if (gateway != NULL)
        recorder.gateway = mfa_gateway_port(gateway);
    (void)sem_init(&recorder.over, 0, 0);
    status = run(&recorder, call);
    mfa_gateway_free(gateway);
    (void)sem_destroy(&recorder.over);
    return status;
}

void sending_clear(struct sending *sending)
{
    while (sending->attempts != NULL) {
        struct attempt *next = sending->attempts->next;

        json_decref(sending->attempts->request);
        answer_clear(&sending->attempts->answer);
        free(sending->attempts);
        sending->attempts = next;
    }
}
