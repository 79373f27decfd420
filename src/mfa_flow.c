/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_flow.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_audit.h"
#include "mfa_json.h"

#define DEFAULT_RETRY_AFTER_S 30
#define BUSY_RETRY_AFTER_S 5
/* What is left for our own part of an answer, so that the host hears of a time-out before its own patience ends. */
#define ANSWER_MARGIN_MS 1000

/* --- Beginning and end ------------------------------------------------------------------------------------------ */

static void complete_without_flow(const struct mfa_core *core, uint64_t call, enum mfa_outcome outcome)
{
    struct mfa_reply reply = {.outcome = outcome};

    core->host.complete(core->host.ctx, call, &reply);
}

static struct mfa_flow *flow_new(struct mfa_core *core, const struct mfa_request *request)
{
    bool has_room = strlen(request->user_id) < MFA_USER_ID_SIZE;
    struct mfa_flow *flow = has_room ? calloc(1, sizeof *flow) : NULL;

    if (flow == NULL)
        return NULL;
    flow->core = core;
    flow->request = request;
    flow->call = request->call;
    flow->is_from_browser = request->is_from_browser;
    snprintf(flow->user_id, sizeof flow->user_id, "%s", request->user_id);
    snprintf(flow->username, sizeof flow->username, "%s", request->username);
    snprintf(flow->client_address, sizeof flow->client_address, "%s", request->client_address);
    flow->event = request->event;
    flow->session_ref.user_id = flow->user_id;
    return flow;
}

static void flow_free(struct mfa_flow *flow)
{
    mfa_session_free(flow->session);
    mfa_json_free(flow->body_secret);
    mfa_secret_free(flow, sizeof *flow);
}

static void flow_finish(struct mfa_flow *flow, enum mfa_outcome outcome)
{
    if (outcome == MFA_OUTCOME_PENDING)
        return; /* another thread has it, or has had it */
    flow->reply.outcome = outcome;
    mfa_audit_log(flow);
    flow->core->host.complete(flow->core->host.ctx, flow->call, &flow->reply);
    flow_free(flow);
}

void mfa_flow_run(struct mfa_core *core, const struct mfa_request *request, mfa_flow_step_fn *first_step)
{
    struct mfa_flow *flow = NULL;
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    if (core->config.mode == MFA_MODE_DISABLED) {
        complete_without_flow(core, request->call,
                              request->grant_secret != NULL ? MFA_OUTCOME_ALLOWED : MFA_OUTCOME_DISABLED);
        return;
    }
    flow = flow_new(core, request);
    if (flow == NULL) {
        complete_without_flow(core, request->call, MFA_OUTCOME_INTERNAL);
        return;
    }
    if (core->host.monotonic_ms(core->host.ctx, &flow->now_ms) == MFA_OK)
        outcome = first_step(flow);
    flow_finish(flow, outcome);
}

bool mfa_flow_makes_code(const struct mfa_flow *flow)
{
    return flow->core->config.mode == MFA_MODE_SINGLE;
}

/* --- Handing over ----------------------------------------------------------------------------------------------- */

static void run_next_step(struct mfa_job *job)
{
    struct mfa_flow *flow = (struct mfa_flow *)job;
    const struct mfa_host_port *host = &flow->core->host;
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    if (flow->must_go_on || host->deadline_ms(host->ctx, flow->call) != 0)
        outcome = flow->next_step(flow);
    flow_finish(flow, outcome);
}

_Static_assert(offsetof(struct mfa_flow, job) == 0, "a job must lead back to its flow");

enum mfa_outcome mfa_flow_fault(struct mfa_flow *flow, enum mfa_status status)
{
    if (status != MFA_ERR_FULL && status != MFA_ERR_STOPPING)
        return MFA_OUTCOME_INTERNAL;
    flow->reply.retry_after_s = BUSY_RETRY_AFTER_S;
    return MFA_OUTCOME_QUEUE_FULL;
}

enum mfa_outcome mfa_flow_to_worker(struct mfa_flow *flow, struct mfa_workers *workers, mfa_flow_step_fn *step)
{
    enum mfa_status status = MFA_OK;

    flow->request = NULL;
    flow->next_step = step;
    flow->job.run = run_next_step;
    status = mfa_workers_submit(workers, &flow->job);
    return status == MFA_OK ? MFA_OUTCOME_PENDING : mfa_flow_fault(flow, status);
}

enum mfa_outcome mfa_flow_on_to_worker(struct mfa_flow *flow, struct mfa_workers *workers, mfa_flow_step_fn *step)
{
    flow->request = NULL;
    flow->next_step = step;
    flow->job.run = run_next_step;
    mfa_workers_continue(workers, &flow->job);
    return MFA_OUTCOME_PENDING;
}

enum mfa_outcome mfa_flow_where_it_may_wait(struct mfa_flow *flow, mfa_flow_step_fn *step)
{
    bool is_on_host_thread = flow->request != NULL;

    return is_on_host_thread ? mfa_flow_to_worker(flow, flow->core->storage_workers, step) : step(flow);
}

static void log_verdict(const struct mfa_flow *flow, const struct mfa_gateway_answer *answer, const char *why)
{
    const struct mfa_host_port *host = &flow->core->host;
    bool is_good = flow->verdict == MFA_VERDICT_SENT || flow->verdict == MFA_VERDICT_ACCEPTED;
    char line[512];

    snprintf(line, sizeof line, "event=gateway.%s host=%s status=%d outcome=%s reason=\"%s\"",
             flow->gateway_call == MFA_CALL_SEND ? "send" : "verify", flow->gateway_host, answer->http_status,
             mfa_verdict_name(flow->verdict), why);
    host->log(host->ctx, is_good ? MFA_LOG_DEBUG : MFA_LOG_WARN, line);
}

static void take_answer(void *arg, const struct mfa_gateway_answer *answer)
{
    struct mfa_flow *flow = arg;
    const char *why = "";

    flow->verdict = mfa_verdict_of(flow->gateway_call, answer, &why);
    flow->was_never_sent = answer->was_never_sent;
    flow->reply.retry_after_s = answer->retry_after_s > 0 ? answer->retry_after_s : DEFAULT_RETRY_AFTER_S;
    log_verdict(flow, answer, why);
    flow_finish(flow, flow->next_step(flow));
}

static enum mfa_status render(const struct mfa_flow *flow, const struct mfa_endpoint *endpoint, const char *code_secret,
                              struct mfa_http_request **request)
{
    const struct mfa_core *core = flow->core;
    struct mfa_variables variables = {.code_secret = code_secret, .code_in_values = mfa_flow_makes_code(flow)};
    char *text = NULL;
    size_t len = 0;
    json_t *user_data = NULL;
    enum mfa_status status = mfa_sessions_user_data(core->sessions, flow->now_ms, &flow->session_ref, &text, &len);

    if (status == MFA_OK)
        status = mfa_json_parse_object(&user_data, text, len, MFA_BODY_MAX_DEPTH);
    variables.user_data = user_data;
    if (status == MFA_OK) {
        status = mfa_endpoint_render(endpoint, &variables, request);
        if (status == MFA_ERR_NOT_FOUND)
            status = MFA_ERR_REFUSED; /* a variable is missing, not the session */
    }
    mfa_json_free(user_data);
    mfa_secret_free(text, len);
    return status;
}

/* Bounds the request by what is left of the call's time. Returns false when nothing is. */
static bool fit_into_call(const struct mfa_flow *flow, struct mfa_http_request *request)
{
    const struct mfa_host_port *host = &flow->core->host;
    uint64_t used_up_ms = flow->now_ms + ANSWER_MARGIN_MS;
    uint64_t deadline_ms = host->deadline_ms(host->ctx, flow->call);

    if (deadline_ms <= used_up_ms)
        return false;
    if (deadline_ms - used_up_ms < request->timeout_ms)
        request->timeout_ms = (uint32_t)(deadline_ms - used_up_ms);
    return true;
}

enum mfa_outcome mfa_flow_to_gateway(struct mfa_flow *flow, enum mfa_call call, const struct mfa_endpoint *endpoint,
                                     const char *code_secret, mfa_flow_step_fn *step)
{
    const struct mfa_gateway_port *gateway = &flow->core->gateway;
    struct mfa_http_request *request = NULL;
    enum mfa_status status = render(flow, endpoint, code_secret, &request);

    if (status == MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_BAD_TOKEN;
    if (status == MFA_ERR_REFUSED)
        return MFA_OUTCOME_PROVIDER_ERROR;
    if (status != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    if (!fit_into_call(flow, request)) {
        mfa_http_request_free(request);
        return MFA_OUTCOME_PROVIDER_TIMEOUT;
    }
    flow->request = NULL;
    flow->gateway_call = call;
    flow->gateway_host = endpoint->origin.host;
    flow->next_step = step;
    status = gateway->submit(gateway->ctx, request, take_answer, flow);
    if (status == MFA_OK)
        return MFA_OUTCOME_PENDING;
    mfa_http_request_free(request);
    return mfa_flow_fault(flow, status);
}

enum mfa_outcome mfa_flow_outcome_of(const struct mfa_flow *flow)
{
    bool is_check = flow->gateway_call == MFA_CALL_VERIFY;

    switch (flow->verdict) {
    case MFA_VERDICT_TIMEOUT: return MFA_OUTCOME_PROVIDER_TIMEOUT;
    case MFA_VERDICT_THROTTLED: return MFA_OUTCOME_THROTTLED;
    case MFA_VERDICT_EXPIRED: return is_check ? MFA_OUTCOME_EXPIRED_CODE : MFA_OUTCOME_PROVIDER_ERROR;
    case MFA_VERDICT_REJECTED: return is_check ? MFA_OUTCOME_WRONG_CODE : MFA_OUTCOME_PROVIDER_ERROR;
    case MFA_VERDICT_SENT: return is_check ? MFA_OUTCOME_PROVIDER_ERROR : MFA_OUTCOME_PENDING;
    case MFA_VERDICT_ACCEPTED: return is_check ? MFA_OUTCOME_PENDING : MFA_OUTCOME_PROVIDER_ERROR;
    case MFA_VERDICT_ERROR: break;
    }
    return MFA_OUTCOME_PROVIDER_ERROR;
}

/* --- Reading the request ---------------------------------------------------------------------------------------- */

void mfa_flow_set_token(struct mfa_flow *flow, const char *token_secret, size_t token_len)
{
    mfa_sessions_ref(flow->core->sessions, flow->user_id, token_secret, token_len, &flow->session_ref);
    flow->has_session_ref = true;
}

enum mfa_outcome mfa_flow_read_token(struct mfa_flow *flow)
{
    const struct mfa_request *request = flow->request;

    if (request->token_secret == NULL || request->token_len == 0)
        return MFA_OUTCOME_NO_TOKEN;
    mfa_flow_set_token(flow, request->token_secret, request->token_len);
    return MFA_OUTCOME_PENDING;
}

enum mfa_outcome mfa_flow_read_body(struct mfa_flow *flow)
{
    const struct mfa_request *request = flow->request;
    const char *text = request->body_secret != NULL ? request->body_secret : "{}";
    size_t len = request->body_secret != NULL ? request->body_len : 2;
    enum mfa_status status = MFA_ERR_SYNTAX;

    if (len <= MFA_BODY_MAX_LEN)
        status = mfa_json_parse_request(&flow->body_secret, text, len, MFA_BODY_MAX_DEPTH);
    if (status == MFA_OK)
        return MFA_OUTCOME_PENDING;
    return status == MFA_ERR_SYNTAX ? MFA_OUTCOME_BAD_BODY : MFA_OUTCOME_INTERNAL;
}

enum mfa_outcome mfa_flow_refuse_parameter(struct mfa_flow *flow, const char *path, const char *message)
{
    flow->reply.path = path;
    flow->reply.detail = message;
    return MFA_OUTCOME_BAD_PARAMETER;
}

enum mfa_status mfa_flow_check_password(const struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    const json_t *password = json_object_get(flow->body_secret, "password");

    return host->password_check(host->ctx, flow->user_id, json_string_value(password), json_string_length(password));
}
