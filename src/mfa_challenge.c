/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_challenge.h"

#include <sodium.h>
#include <string.h>

#include "mfa_destination.h"
#include "mfa_json.h"

#define FULL_RETRY_AFTER_S 30

static enum mfa_outcome refusal(struct mfa_flow *flow, enum mfa_status status, uint32_t wait_s)
{
    switch (status) {
    case MFA_OK: return MFA_OUTCOME_PENDING;
    case MFA_ERR_NOT_FOUND: return MFA_OUTCOME_BAD_TOKEN;
    case MFA_ERR_FULL: flow->reply.retry_after_s = wait_s; return MFA_OUTCOME_THROTTLED;
    default: return MFA_OUTCOME_INTERNAL;
    }
}

/* --- The limits -------------------------------------------------------------------------------------------------- */

/* Writes where the session's message goes; an empty text: the user data do not say. */
static enum mfa_status read_destination(const struct mfa_flow *flow, char normal[static MFA_DESTINATION_SIZE])
{
    char number[MFA_DESTINATION_NUMBER_SIZE];
    const char *destination = NULL;
    char *text = NULL;
    size_t len = 0;
    json_t *user_data = NULL;
    enum mfa_status status =
        mfa_sessions_user_data(flow->core->sessions, flow->now_ms, &flow->session_ref, &text, &len);

    normal[0] = '\0';
    if (status == MFA_OK)
        status = mfa_json_parse_object(&user_data, text, len, MFA_BODY_MAX_DEPTH);
    if (status == MFA_OK)
        destination = mfa_destination_find(user_data, mfa_flow_sender(flow), number);
    if (destination != NULL)
        mfa_destination_normalise(destination, normal);
    sodium_memzero(number, sizeof number);
    mfa_json_free(user_data);
    mfa_secret_free(text, len);
    return status;
}

static enum mfa_outcome reserve(struct mfa_flow *flow)
{
    char destination[MFA_DESTINATION_SIZE];
    uint32_t wait_s = 0;
    enum mfa_status status = read_destination(flow, destination);

    if (status == MFA_OK)
        status = mfa_send_limits_reserve(flow->core->send_limits, flow->now_ms, flow->user_id,
                                         destination[0] != '\0' ? destination : NULL, &flow->reservation, &wait_s);
    sodium_memzero(destination, sizeof destination);
    return refusal(flow, status, wait_s);
}

/* --- Sending ----------------------------------------------------------------------------------------------------- */

static enum mfa_outcome add_code(struct mfa_flow *flow)
{
    const struct mfa_core *core = flow->core;
    enum mfa_status status = mfa_code_draw(&core->host, flow->settings->config.policy.code_length, flow->code_secret);

    if (status == MFA_OK)
        status = mfa_sessions_add_code(core->sessions, flow->now_ms, &flow->session_ref, flow->code_secret);
    return refusal(flow, status, 0);
}

/* What is fresh for each challenge: 128 random bits as hexadecimal digits. */
#define NONCE_LEN 16

static enum mfa_outcome draw_nonce(struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    unsigned char bytes[NONCE_LEN];
    char text[2 * NONCE_LEN + 1];
    int failed = 0;

    flow->captured_secret = json_object();
    if (flow->captured_secret == NULL)
        return MFA_OUTCOME_INTERNAL;
    if (!flow->settings->config.uses_nonce)
        return MFA_OUTCOME_PENDING;
    if (host->random(host->ctx, bytes, sizeof bytes) != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    failed = json_object_set_new(flow->captured_secret, MFA_VARIABLE_NONCE, json_string(text));
    sodium_memzero(text, sizeof text);
    return failed == 0 ? MFA_OUTCOME_PENDING : MFA_OUTCOME_INTERNAL;
}

/* Goes on where a message has been begun and reserved. */
static enum mfa_outcome send_reserved(struct mfa_flow *flow, mfa_flow_step_fn *settle)
{
    const struct mfa_flow_call call = {.call = MFA_CALL_SEND,
                                       .endpoint = mfa_flow_sender(flow),
                                       .challenge = mfa_flow_sender(flow),
                                       .code_secret = mfa_flow_makes_code(flow) ? flow->code_secret : NULL};
    enum mfa_outcome outcome = draw_nonce(flow);

    if (outcome == MFA_OUTCOME_PENDING && mfa_flow_makes_code(flow))
        outcome = add_code(flow);
    if (outcome == MFA_OUTCOME_PENDING)
        outcome = mfa_flow_to_gateway(flow, &call, settle);
    if (outcome != MFA_OUTCOME_PENDING)
        mfa_send_limits_give_back(flow->core->send_limits, &flow->reservation);
    return outcome;
}

enum mfa_outcome mfa_challenge_send(struct mfa_flow *flow, mfa_flow_step_fn *settle)
{
    struct mfa_sessions *sessions = flow->core->sessions;
    uint32_t wait_s = 0;
    enum mfa_status status = mfa_sessions_begin_send(sessions, flow->now_ms, &flow->session_ref, &wait_s);
    enum mfa_outcome outcome = refusal(flow, status, wait_s);

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    outcome = reserve(flow);
    if (outcome == MFA_OUTCOME_PENDING)
        outcome = send_reserved(flow, settle);
    if (outcome != MFA_OUTCOME_PENDING)
        mfa_sessions_end_send(sessions, flow->now_ms, &flow->session_ref, false);
    return outcome;
}

static enum mfa_status encode_captured(struct mfa_flow *flow, struct mfa_buffer *text_secret)
{
    if (flow->finding.captures_secret != NULL &&
        json_object_update(flow->captured_secret, flow->finding.captures_secret) != 0)
        return MFA_ERR_MEMORY;
    return json_object_size(flow->captured_secret) > 0 ? mfa_json_encode(flow->captured_secret, text_secret) : MFA_OK;
}

/* Remembers what the check will need, in the place of what the challenge before left. */
static enum mfa_status keep_challenge(struct mfa_flow *flow)
{
    struct mfa_session_challenge challenge = {.settings = flow->settings, .service = (uint8_t)flow->exchange.number};
    struct mfa_buffer text_secret;
    enum mfa_status status = MFA_OK;

    mfa_buffer_init(&text_secret, MFA_BODY_MAX_LEN);
    if (!mfa_flow_makes_code(flow))
        status = encode_captured(flow, &text_secret);
    challenge.captured_secret = text_secret.data;
    if (status == MFA_OK)
        status = mfa_sessions_set_challenge(flow->core->sessions, flow->now_ms, &flow->session_ref, &challenge);
    mfa_buffer_clear(&text_secret);
    return status;
}

enum mfa_outcome mfa_challenge_settle(struct mfa_flow *flow)
{
    /* A service that did not answer, or not clearly, may have sent the message all the same. */
    bool was_sent = flow->finding.verdict == MFA_VERDICT_SENT || !flow->finding.is_definite;
    enum mfa_status kept = flow->finding.verdict == MFA_VERDICT_SENT ? keep_challenge(flow) : MFA_OK;
    enum mfa_outcome outcome = mfa_flow_outcome_of(flow);

    mfa_sessions_end_send(flow->core->sessions, flow->now_ms, &flow->session_ref, was_sent);
    if (!was_sent)
        mfa_send_limits_give_back(flow->core->send_limits, &flow->reservation);
    return outcome == MFA_OUTCOME_PENDING ? refusal(flow, kept, 0) : outcome;
}

/* --- Opening ----------------------------------------------------------------------------------------------------- */

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
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    switch (open_session(flow, facts, user_data)) {
    case MFA_OK: break;
    case MFA_ERR_FULL: return too_many_pending(flow);
    default: return MFA_OUTCOME_INTERNAL;
    }
    outcome = mfa_challenge_send(flow, settle);
    if (outcome != MFA_OUTCOME_THROTTLED || facts.purpose != MFA_PURPOSE_LOGIN)
        return keep_if_sent(flow, outcome);
    flow->reply.token_secret = flow->token_secret;
    return MFA_OUTCOME_CHALLENGE_DELAYED;
}

enum mfa_outcome mfa_challenge_settle_open(struct mfa_flow *flow)
{
    return keep_if_sent(flow, mfa_challenge_settle(flow));
}
