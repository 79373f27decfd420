/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_check.h"

#include <string.h>

#include "mfa_account.h"
#include "mfa_json.h"

#define CODE_PATH "#/code"

/* --- Reading the request ---------------------------------------------------------------------------------------- */

static enum mfa_outcome recall_challenge(struct mfa_flow *flow)
{
    struct mfa_session_challenge challenge;
    enum mfa_status status = mfa_sessions_challenge(flow->core->sessions, flow->now_ms, &flow->session_ref, &challenge);

    if (status == MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_BAD_TOKEN;
    if (status == MFA_OK && challenge.captured_secret != NULL)
        status = mfa_json_parse_object(&flow->captured_secret, challenge.captured_secret,
                                       strlen(challenge.captured_secret), MFA_BODY_MAX_DEPTH);
    flow->sent_by = mfa_settings_hold(challenge.settings);
    flow->service = challenge.service;
    flow->has_message = challenge.has_message;
    mfa_session_challenge_clear(&challenge);
    return status == MFA_OK ? MFA_OUTCOME_PENDING : MFA_OUTCOME_INTERNAL;
}

enum mfa_outcome mfa_check_read(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_token(flow);

    if (outcome == MFA_OUTCOME_PENDING)
        outcome = recall_challenge(flow);
    return outcome == MFA_OUTCOME_PENDING ? mfa_flow_read_body(flow) : outcome;
}

static enum mfa_outcome read_code(struct mfa_flow *flow)
{
    const json_t *code = json_object_get(flow->body_secret, "code");
    enum mfa_status status = MFA_ERR_SYNTAX;

    if (!json_is_string(code))
        return mfa_flow_refuse_parameter(flow, CODE_PATH, "The code must be given, as a string.");
    if (mfa_flow_makes_code(flow))
        status = mfa_code_parse_own(flow->code_secret, json_string_value(code), json_string_length(code));
    else
        status = mfa_code_parse_foreign(flow->code_secret, json_string_value(code), json_string_length(code));
    if (status != MFA_OK)
        return mfa_flow_refuse_parameter(flow, CODE_PATH, "The code must be 4 to 10 digits or letters.");
    return MFA_OUTCOME_PENDING;
}

/* --- The attempt ------------------------------------------------------------------------------------------------- */

static enum mfa_outcome reserve(struct mfa_flow *flow, enum mfa_purpose purpose)
{
    switch (mfa_sessions_reserve_attempt(flow->core->sessions, flow->now_ms, &flow->session_ref, purpose)) {
    case MFA_OK: return MFA_OUTCOME_PENDING;
    case MFA_ERR_NOT_FOUND: return MFA_OUTCOME_BAD_TOKEN;
    case MFA_ERR_DENIED: return MFA_OUTCOME_ATTEMPTS_USED_UP;
    default: return MFA_OUTCOME_INTERNAL;
    }
}

static void give_back(struct mfa_flow *flow)
{
    mfa_sessions_return_attempt(flow->core->sessions, &flow->session_ref);
}

/* What a failure of the session's last attempt means to the client. */
static enum mfa_outcome fail_session(struct mfa_flow *flow, enum mfa_outcome outcome)
{
    enum mfa_status status =
        mfa_sessions_fail_attempt(flow->core->sessions, &flow->session_ref, &flow->reply.attempts_left);
    bool is_about_the_code = outcome == MFA_OUTCOME_WRONG_CODE || outcome == MFA_OUTCOME_EXPIRED_CODE ||
                             outcome == MFA_OUTCOME_BAD_RECOVERY_CODE;

    if (!is_about_the_code || flow->reply.attempts_left > 0)
        return outcome;
    return status == MFA_OK ? MFA_OUTCOME_ATTEMPTS_USED_UP : MFA_OUTCOME_BAD_TOKEN;
}

enum mfa_outcome mfa_check_fail(struct mfa_flow *flow, enum mfa_outcome outcome)
{
    return mfa_account_fail(flow, fail_session(flow, outcome));
}

void mfa_check_return(struct mfa_flow *flow)
{
    give_back(flow);
    mfa_account_return(flow);
}

enum mfa_outcome mfa_check_lost(struct mfa_flow *flow)
{
    /* The session's attempt as well: it may only be in somebody else's hands. */
    mfa_check_return(flow);
    return MFA_OUTCOME_BAD_TOKEN;
}

enum mfa_outcome mfa_check_begin(struct mfa_flow *flow, enum mfa_purpose purpose, bool may_be_stopped)
{
    enum mfa_outcome outcome = reserve(flow, purpose);

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    outcome = mfa_account_reserve(flow, may_be_stopped);
    if (outcome == MFA_OUTCOME_PENDING)
        flow->when_left = mfa_check_return;
    else
        give_back(flow);
    return outcome;
}

/* --- The check --------------------------------------------------------------------------------------------------- */

static enum mfa_outcome compare(struct mfa_flow *flow, mfa_flow_step_fn *then)
{
    switch (mfa_sessions_match(flow->core->sessions, flow->now_ms, &flow->session_ref, flow->code_secret)) {
    case MFA_OK: return then(flow);
    case MFA_ERR_DENIED: return mfa_check_fail(flow, MFA_OUTCOME_WRONG_CODE);
    case MFA_ERR_EXPIRED: return mfa_check_fail(flow, MFA_OUTCOME_EXPIRED_CODE);
    case MFA_ERR_NOT_FOUND: return mfa_check_lost(flow);
    default: return MFA_OUTCOME_INTERNAL;
    }
}

static enum mfa_outcome settle_check(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_outcome_of(flow);

    if (outcome == MFA_OUTCOME_PENDING)
        return mfa_flow_on_to_worker(flow, flow->core->storage_workers, flow->after_check);
    if (!flow->exchange.was_never_sent)
        return mfa_check_fail(flow, outcome);
    /* An outage of the service must not lock its users out. */
    mfa_check_return(flow);
    return outcome;
}

/* Whoever sent the code is asked to check it, by the settings it was sent by, and told what it said of it. */
static enum mfa_outcome ask_service(struct mfa_flow *flow, mfa_flow_step_fn *then)
{
    const struct mfa_config *config = &mfa_flow_code_settings(flow)->config;
    struct mfa_flow_call call = {.call = MFA_CALL_VERIFY,
                                 .endpoint = &config->verify,
                                 .challenge = &config->challenge,
                                 .code_secret = flow->code_secret};
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    for (uint8_t i = 0; i < flow->service && call.endpoint->fallback != NULL; i++) {
        call.endpoint = call.endpoint->fallback;
        call.challenge = call.challenge->fallback;
    }
    flow->after_check = then;
    outcome = mfa_flow_to_gateway(flow, &call, settle_check);
    if (outcome != MFA_OUTCOME_PENDING)
        mfa_check_return(flow);
    return outcome;
}

enum mfa_outcome mfa_check_code(struct mfa_flow *flow, enum mfa_purpose purpose, mfa_flow_step_fn *then)
{
    enum mfa_outcome outcome = read_code(flow);

    if (outcome == MFA_OUTCOME_PENDING)
        outcome = mfa_check_begin(flow, purpose, false);
    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    if (!mfa_flow_makes_code(flow))
        return flow->has_message ? ask_service(flow, then) : mfa_check_fail(flow, MFA_OUTCOME_WRONG_CODE);
    outcome = compare(flow, then);
    /* Who is told to come back shall find the attempt there. */
    if (outcome == MFA_OUTCOME_QUEUE_FULL)
        mfa_check_return(flow);
    return outcome;
}
