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

/* Copies `text` to `*end`, which it moves behind it. Returns the copy. */
static const char *put_text(char **end, const char *text)
{
    const char *copy = *end;

    *end = stpcpy(*end, text) + 1;
    return copy;
}

/* `settings` is transferred when the result is not NULL. */
static struct mfa_flow *flow_new(struct mfa_core *core, struct mfa_settings *settings,
                                 const struct mfa_request *request)
{
    const size_t texts_size =
        strlen(request->user_id) + strlen(request->username) + strlen(request->client_address) + 3;
    struct mfa_flow *flow = strlen(request->user_id) < MFA_USER_ID_SIZE ? malloc(sizeof *flow + texts_size) : NULL;
    char *end = NULL;

    if (flow == NULL)
        return NULL;
    *flow = (struct mfa_flow){.core = core,
                              .settings = settings, /* transferred */
                              .request = request,
                              .call = request->call,
                              .is_from_browser = request->is_from_browser,
                              .event = request->event,
                              .texts_size = texts_size};
    end = flow->texts;
    flow->user_id = put_text(&end, request->user_id);
    flow->username = put_text(&end, request->username);
    flow->client_address = put_text(&end, request->client_address);
    return flow;
}

static void flow_free(struct mfa_flow *flow)
{
    mfa_session_free(flow->session);
    mfa_json_free(flow->body_secret);
    mfa_json_free(flow->captured_secret);
    mfa_finding_clear(&flow->finding);
    mfa_settings_release(flow->sent_by);
    mfa_settings_release(flow->settings);
    mfa_secret_free(flow->recovery_codes_secret, sizeof *flow->recovery_codes_secret);
    mfa_secret_free(flow, sizeof *flow + flow->texts_size);
}

static void flow_finish(struct mfa_flow *flow, enum mfa_outcome outcome)
{
    if (outcome == MFA_OUTCOME_PENDING)
        return; /* another thread has it, or has had it */
    flow->reply.outcome = outcome;
    mfa_audit_log(flow);
    mfa_metrics_record(&flow->core->host.metrics, MFA_METRIC_REQUESTS, mfa_metrics_flow(flow->event), outcome, 1);
    if (flow->session != NULL)
        mfa_sessions_use_up(flow->core->sessions, flow->session);
    flow->core->host.complete(flow->core->host.ctx, flow->call, &flow->reply);
    flow_free(flow);
}

void mfa_flow_run(struct mfa_core *core, const struct mfa_request *request, mfa_flow_step_fn *first_step)
{
    struct mfa_settings *settings = mfa_core_settings(core);
    bool is_disabled = settings->config.mode == MFA_MODE_DISABLED;
    struct mfa_flow *flow = is_disabled ? NULL : flow_new(core, settings, request);
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    if (flow == NULL) {
        mfa_settings_release(settings);
        if (is_disabled)
            outcome = request->grant_secret != NULL ? MFA_OUTCOME_ALLOWED : MFA_OUTCOME_DISABLED;
        complete_without_flow(core, request->call, outcome);
        return;
    }
    if (core->host.monotonic_ms(core->host.ctx, &flow->now_ms) == MFA_OK)
        outcome = first_step(flow);
    flow_finish(flow, outcome);
}

struct mfa_settings *mfa_flow_code_settings(const struct mfa_flow *flow)
{
    return flow->sent_by != NULL ? flow->sent_by : flow->settings;
}

bool mfa_flow_makes_code(const struct mfa_flow *flow)
{
    return mfa_flow_code_settings(flow)->config.mode == MFA_MODE_SINGLE;
}

const struct mfa_endpoint *mfa_flow_sender(const struct mfa_flow *flow)
{
    const struct mfa_config *config = &flow->settings->config;

    return config->mode == MFA_MODE_SINGLE ? &config->single : &config->challenge;
}

/* --- Handing over ----------------------------------------------------------------------------------------------- */

static void run_next_step(struct mfa_job *job)
{
    struct mfa_flow *flow = (struct mfa_flow *)job;
    const struct mfa_host_port *host = &flow->core->host;
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    if (flow->must_go_on || host->deadline_ms(host->ctx, flow->call) != 0)
        outcome = flow->next_step(flow);
    else if (flow->when_left != NULL)
        flow->when_left(flow);
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

static void take_finding(void *arg, struct mfa_finding *finding)
{
    struct mfa_flow *flow = arg;

    flow->finding = *finding; /* transferred */
    flow->reply.retry_after_s = finding->retry_after_s > 0 ? finding->retry_after_s : DEFAULT_RETRY_AFTER_S;
    flow_finish(flow, flow->next_step(flow));
}

/* The session's user data, as the client gave them. `*out` is owned by the caller. */
static enum mfa_status load_user_data(const struct mfa_flow *flow, json_t **out)
{
    char *text = NULL;
    size_t len = 0;
    enum mfa_status status =
        mfa_sessions_user_data(flow->core->sessions, flow->now_ms, &flow->session_ref, &text, &len);

    if (status == MFA_OK)
        status = mfa_json_parse_object(out, text, len, MFA_BODY_MAX_DEPTH);
    mfa_secret_free(text, len);
    return status;
}

/* Clients can neither read nor set what belongs to the challenge: it takes the place of user data of the same name, also
 * where there is nothing to put there. */
static enum mfa_status overlay(json_t *variables, const struct mfa_endpoint *challenge, const json_t *captured)
{
    const char *name = NULL;
    json_t *copy_secret = NULL; /* since the variables are wiped when the call is over */
    int failed = 0;

    json_object_del(variables, MFA_VARIABLE_NONCE);
    for (size_t i = 0; (name = mfa_rules_capture_name(&challenge->rules, i)) != NULL; i++)
        json_object_del(variables, name);
    if (captured == NULL)
        return MFA_OK;
    copy_secret = json_deep_copy(captured);
    failed = json_object_update(variables, copy_secret);
    json_decref(copy_secret);
    return failed == 0 ? MFA_OK : MFA_ERR_MEMORY;
}

/* When the host's patience ends, with what we need for our own part of the answer taken off; 0: it has. */
static uint64_t deadline_ms(const struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    uint64_t deadline = host->deadline_ms(host->ctx, flow->call);

    return deadline > ANSWER_MARGIN_MS ? deadline - ANSWER_MARGIN_MS : 0;
}

static enum mfa_outcome refusal_to_send(struct mfa_flow *flow, enum mfa_status status)
{
    switch (status) {
    case MFA_OK: return MFA_OUTCOME_PENDING;
    case MFA_ERR_NOT_FOUND:
    case MFA_ERR_REFUSED: return MFA_OUTCOME_PROVIDER_ERROR; /* a variable is missing, or does not fit its place */
    case MFA_ERR_EXPIRED: return MFA_OUTCOME_PROVIDER_TIMEOUT;
    default: return mfa_flow_fault(flow, status);
    }
}

enum mfa_outcome mfa_flow_to_gateway(struct mfa_flow *flow, const struct mfa_flow_call *call, mfa_flow_step_fn *step)
{
    const struct mfa_settings *settings = mfa_flow_code_settings(flow);
    json_t *variables = NULL;
    enum mfa_status status = load_user_data(flow, &variables);

    if (status == MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_BAD_TOKEN;
    if (status == MFA_OK)
        status = mfa_messages_add(&settings->config.messages, variables);
    if (status == MFA_OK)
        status = overlay(variables, call->challenge, flow->captured_secret);
    if (status != MFA_OK) {
        mfa_json_free(variables);
        return MFA_OUTCOME_INTERNAL;
    }
    flow->request = NULL;
    flow->next_step = step;
    flow->exchange = (struct mfa_exchange){
        .services = settings->services,
        .call = call->call,
        .endpoint = call->endpoint,
        .variables = {.user_data = variables, /* transferred */
                      .code_secret = call->code_secret,
                      .code_in_values = mfa_flow_makes_code(flow)},
        .deadline_ms = deadline_ms(flow),
        .done = take_finding,
        .arg = flow,
    };
    return refusal_to_send(flow, mfa_exchange_begin(&flow->exchange));
}

enum mfa_outcome mfa_flow_outcome_of(const struct mfa_flow *flow)
{
    bool is_check = flow->exchange.call == MFA_CALL_VERIFY;

    switch (flow->finding.verdict) {
    case MFA_VERDICT_TIMEOUT: return MFA_OUTCOME_PROVIDER_TIMEOUT;
    case MFA_VERDICT_THROTTLED: return MFA_OUTCOME_THROTTLED;
    case MFA_VERDICT_EXPIRED: return is_check ? MFA_OUTCOME_EXPIRED_CODE : MFA_OUTCOME_PROVIDER_ERROR;
    case MFA_VERDICT_REJECTED: return is_check ? MFA_OUTCOME_WRONG_CODE : MFA_OUTCOME_PROVIDER_ERROR;
    case MFA_VERDICT_SENT: return is_check ? MFA_OUTCOME_PROVIDER_ERROR : MFA_OUTCOME_PENDING;
    case MFA_VERDICT_ACCEPTED: return is_check ? MFA_OUTCOME_PENDING : MFA_OUTCOME_PROVIDER_ERROR;
    case MFA_VERDICT_ERROR: break;
    }
    return flow->exchange.is_our_own ? MFA_OUTCOME_QUEUE_FULL : MFA_OUTCOME_PROVIDER_ERROR;
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

enum mfa_status mfa_flow_draw_recovery_codes(struct mfa_flow *flow)
{
    flow->recovery_codes_secret = malloc(sizeof *flow->recovery_codes_secret);
    return flow->recovery_codes_secret != NULL ? mfa_recovery_draw(&flow->core->host, flow->recovery_codes_secret)
                                               : MFA_ERR_MEMORY;
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
