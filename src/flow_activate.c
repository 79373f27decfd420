/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "flows.h"
#include "mfa_account.h"
#include "mfa_challenge.h"
#include "mfa_destination.h"
#include "mfa_json.h"
#include "mfa_profile.h"
#include "mfa_step_up.h"

/* Stands for any code when the user data are tried out. */
#define SAMPLE_CODE "000000"

static enum mfa_outcome settle(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_challenge_settle_open(flow);

    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    /* A user has one pending activation; an older one lives until the newer has been sent. */
    mfa_sessions_drop_older(flow->core->sessions, &flow->session_ref, 1u << MFA_PURPOSE_ACTIVATION);
    flow->reply.token_secret = flow->token_secret;
    return flow->is_from_browser ? MFA_OUTCOME_ACTIVATION_OPENED_IN_BROWSER : MFA_OUTCOME_ACTIVATION_OPENED;
}

static enum mfa_outcome refuse(struct mfa_flow *flow)
{
    return mfa_flow_refuse_parameter(flow, flow->problem.path, flow->problem.message);
}

/* Stands for a value that a service's answer will give; good in every place, a JSON value included. */
#define SAMPLE_VALUE "1"

/* Gives `variables` what the challenge would: the nonce and what is captured. */
static enum mfa_status add_samples(json_t *variables, const struct mfa_endpoint *challenge)
{
    const char *name = MFA_VARIABLE_NONCE;

    for (size_t i = 0; name != NULL; i++) {
        if (json_object_set_new(variables, name, json_string(SAMPLE_VALUE)) != 0)
            return MFA_ERR_MEMORY;
        name = mfa_rules_capture_name(&challenge->rules, i);
    }
    return MFA_OK;
}

static enum mfa_status try_render(const struct mfa_flow *flow, const struct mfa_endpoint *endpoint,
                                  const json_t *variables)
{
    struct mfa_http_request *request = NULL;
    enum mfa_status status = mfa_endpoint_render(endpoint,
                                                 &(struct mfa_variables){.user_data = variables,
                                                                         .code_secret = SAMPLE_CODE,
                                                                         .code_in_values = mfa_flow_makes_code(flow)},
                                                 &request);

    mfa_http_request_free(request);
    return status;
}

/* Finds out now, and not at a login, that an endpoint lacks a variable or cannot carry a value. */
static enum mfa_outcome try_variables(struct mfa_flow *flow, const struct mfa_endpoint *endpoint,
                                      const struct mfa_endpoint *challenge, const json_t *variables)
{
    const char *missing = mfa_endpoint_missing_variable(endpoint, challenge, variables);
    enum mfa_status status = MFA_OK;

    if (missing != NULL) {
        snprintf(flow->problem.path, sizeof flow->problem.path, "#/%s", missing);
        flow->problem.message = "This variable is needed.";
        return refuse(flow);
    }
    status = try_render(flow, endpoint, variables);
    if (status == MFA_OK)
        return MFA_OUTCOME_PENDING;
    if (status != MFA_ERR_REFUSED && status != MFA_ERR_TOO_LARGE)
        return MFA_OUTCOME_INTERNAL;
    return mfa_flow_refuse_parameter(flow, "#/", "A variable has a value that cannot be sent.");
}

static enum mfa_outcome try_endpoint(struct mfa_flow *flow, const struct mfa_endpoint *endpoint,
                                     const struct mfa_endpoint *challenge)
{
    json_t *variables = json_object();
    enum mfa_status status = MFA_ERR_MEMORY;
    enum mfa_outcome outcome = MFA_OUTCOME_INTERNAL;

    /* json_copy leaves out what there is no memory for. */
    if (json_object_update(variables, flow->body_secret) == 0)
        status = mfa_messages_add(&flow->settings->config.messages, variables);
    if (status == MFA_OK)
        status = add_samples(variables, challenge);
    if (status == MFA_OK)
        outcome = try_variables(flow, endpoint, challenge, variables);
    json_decref(variables);
    return outcome;
}

/* Each fallback must work as well. */
static enum mfa_outcome try_all(struct mfa_flow *flow, const struct mfa_endpoint *challenge,
                                const struct mfa_endpoint *verify)
{
    enum mfa_outcome outcome = MFA_OUTCOME_PENDING;

    for (; challenge != NULL && outcome == MFA_OUTCOME_PENDING; challenge = challenge->fallback) {
        if (mfa_destination_check(flow->body_secret, challenge, &flow->problem) != MFA_OK)
            return refuse(flow);
        outcome = try_endpoint(flow, challenge, challenge);
        if (verify == NULL || outcome != MFA_OUTCOME_PENDING)
            continue;
        outcome = try_endpoint(flow, verify, challenge);
        verify = verify->fallback;
    }
    return outcome;
}

static enum mfa_outcome check_user_data(struct mfa_flow *flow)
{
    const struct mfa_config *config = &flow->settings->config;

    if (mfa_user_data_check(flow->body_secret, &flow->problem) != MFA_OK)
        return refuse(flow);
    return mfa_flow_makes_code(flow) ? try_all(flow, &config->single, NULL)
                                     : try_all(flow, &config->challenge, &config->verify);
}

static enum mfa_outcome open_session(struct mfa_flow *flow)
{
    struct mfa_session_facts facts = {.purpose = MFA_PURPOSE_ACTIVATION};
    enum mfa_outcome outcome = MFA_OUTCOME_PENDING;

    memcpy(facts.enrolment_id, flow->enrolment_id, sizeof facts.enrolment_id);
    /* The password of a step-up is none of the user data. */
    if (flow->settings->config.step_up_is_required)
        mfa_json_delete_secret(flow->body_secret, "password");
    outcome = check_user_data(flow);
    return outcome == MFA_OUTCOME_PENDING ? mfa_challenge_open(flow, facts, flow->body_secret, settle) : outcome;
}

/* Whoever has a personal token may enrol; only to replace an enrolment takes more. */
static enum mfa_outcome step_up_to_replace(struct mfa_flow *flow)
{
    if (mfa_profile_load_id(&flow->core->host, flow->user_id, flow->enrolment_id) != MFA_OK)
        return MFA_OUTCOME_INTERNAL;
    return sodium_is_zero(flow->enrolment_id, sizeof flow->enrolment_id) ? open_session(flow)
                                                                         : mfa_step_up(flow, open_session);
}

enum mfa_outcome mfa_flow_activate(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_body(flow);

    if (outcome == MFA_OUTCOME_PENDING)
        outcome = mfa_account_admit(flow);
    return outcome == MFA_OUTCOME_PENDING ? step_up_to_replace(flow) : outcome;
}
