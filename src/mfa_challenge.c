/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_challenge.h"

#include <string.h>

#include "mfa_json.h"

/* How long a client is told to wait while a message of the same session is on its way. */
#define SENDING_RETRY_AFTER_S 1
#define FULL_RETRY_AFTER_S 30

static enum mfa_outcome begin(struct mfa_flow *flow, const char *code_secret)
{
    switch (mfa_sessions_begin_send(flow->core->sessions, flow->now_ms, &flow->session_ref, code_secret)) {
    case MFA_OK: return MFA_OUTCOME_PENDING;
    case MFA_ERR_NOT_FOUND: return MFA_OUTCOME_BAD_TOKEN;
    case MFA_ERR_CONFLICT: flow->reply.retry_after_s = SENDING_RETRY_AFTER_S; return MFA_OUTCOME_THROTTLED;
    default: return MFA_OUTCOME_INTERNAL;
    }
}

enum mfa_outcome mfa_challenge_send(struct mfa_flow *flow, mfa_flow_step_fn *settle)
{
    const struct mfa_config *config = &flow->core->config;
    bool is_single = config->mode == MFA_MODE_SINGLE;
    const struct mfa_endpoint *endpoint = is_single ? &config->single : &config->challenge;
    const char *code_secret = is_single ? flow->code_secret : NULL;
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    if (is_single && mfa_code_draw(&flow->core->host, config->policy.code_length, flow->code_secret) != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    outcome = begin(flow, code_secret);
    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    outcome = mfa_flow_to_gateway(flow, MFA_CALL_SEND, endpoint, code_secret, settle);
    if (outcome != MFA_OUTCOME_PENDING)
        mfa_sessions_end_send(flow->core->sessions, &flow->session_ref, false);
    return outcome;
}

enum mfa_outcome mfa_challenge_settle(struct mfa_flow *flow)
{
    /* A service that did not answer in time may still have sent the message. */
    bool was_sent = flow->verdict == MFA_VERDICT_SENT || flow->verdict == MFA_VERDICT_TIMEOUT;
    bool is_there = mfa_sessions_end_send(flow->core->sessions, &flow->session_ref, was_sent);
    enum mfa_outcome outcome = mfa_flow_outcome_of(flow);

    if (outcome == MFA_OUTCOME_PENDING && !is_there)
        return MFA_OUTCOME_BAD_TOKEN;
    return outcome;
}

static enum mfa_outcome too_many_pending(struct mfa_flow *flow)
{
    flow->reply.retry_after_s = FULL_RETRY_AFTER_S;
    return MFA_OUTCOME_TOO_MANY_PENDING;
}

/* A session that was opened for a message goes when there was none. One that has gone by itself had to make room. */
static enum mfa_outcome keep_if_sent(struct mfa_flow *flow, enum mfa_outcome outcome)
{
    if (outcome == MFA_OUTCOME_PENDING)
        return outcome;
    mfa_sessions_drop(flow->core->sessions, &flow->session_ref);
    return outcome == MFA_OUTCOME_BAD_TOKEN ? too_many_pending(flow) : outcome;
}

static enum mfa_status open_session(struct mfa_flow *flow, struct mfa_session_facts facts, const json_t *user_data)
{
    struct mfa_core *core = flow->core;
    struct mfa_buffer text;
    enum mfa_status status = mfa_token_draw(&core->host, flow->token_secret);

    mfa_buffer_init(&text, MFA_BODY_MAX_LEN);
    if (status == MFA_OK)
        status = mfa_json_encode(user_data, &text);
    if (status == MFA_OK) {
        facts.user_data = text.data;
        facts.user_data_len = text.len;
        mfa_flow_set_token(flow, flow->token_secret, strlen(flow->token_secret));
        status = mfa_sessions_open(core->sessions, flow->now_ms, &flow->session_ref, &facts);
    }
    mfa_buffer_clear(&text);
    return status;
}

enum mfa_outcome mfa_challenge_open(struct mfa_flow *flow, struct mfa_session_facts facts, const json_t *user_data,
                                    mfa_flow_step_fn *settle)
{
    switch (open_session(flow, facts, user_data)) {
    case MFA_OK: return keep_if_sent(flow, mfa_challenge_send(flow, settle));
    case MFA_ERR_FULL: return too_many_pending(flow);
    default: return MFA_OUTCOME_INTERNAL;
    }
}

enum mfa_outcome mfa_challenge_settle_open(struct mfa_flow *flow)
{
    return keep_if_sent(flow, mfa_challenge_settle(flow));
}
