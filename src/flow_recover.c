/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <string.h>

#include "flows.h"
#include "mfa_profile.h"

#define BUSY_RETRY_AFTER_S 5

static enum mfa_outcome use_recovery_code(struct mfa_flow *flow)
{
    switch (mfa_profile_recover(&flow->core->host, flow->user_id, flow->recovery_stored)) {
    case MFA_OK:
        mfa_sessions_drop_user(flow->core->sessions, flow->user_id, 1u << MFA_PURPOSE_LOGIN);
        return MFA_OUTCOME_DEACTIVATED;
    case MFA_ERR_NOT_FOUND: return MFA_OUTCOME_NOT_ACTIVE;
    case MFA_ERR_DENIED: return MFA_OUTCOME_BAD_RECOVERY_CODE;
    default: return MFA_OUTCOME_INTERNAL;
    }
}

static enum mfa_outcome check_password(struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    const json_t *password = json_object_get(flow->body_secret, "password");

    switch (host->password_check(host->ctx, flow->user_id, json_string_value(password), json_string_length(password))) {
    case MFA_OK: return use_recovery_code(flow);
    case MFA_ERR_DENIED: return MFA_OUTCOME_BAD_CREDENTIALS;
    case MFA_ERR_FULL: flow->reply.retry_after_s = BUSY_RETRY_AFTER_S; return MFA_OUTCOME_QUEUE_FULL;
    default: return MFA_OUTCOME_INTERNAL;
    }
}

/* A text that cannot be a recovery code is treated as a wrong one, and only after the password. */
static void read_recovery_code(struct mfa_flow *flow, const json_t *code)
{
    char code_secret[MFA_RECOVERY_CODE_SIZE];

    if (mfa_recovery_parse(code_secret, json_string_value(code), json_string_length(code)) == MFA_OK)
        mfa_recovery_hash(code_secret, flow->recovery_stored);
    sodium_memzero(code_secret, sizeof code_secret);
}

static enum mfa_outcome check_body(struct mfa_flow *flow)
{
    const json_t *username = json_object_get(flow->body_secret, "username");

    if (!json_is_string(username))
        return mfa_flow_refuse_parameter(flow, "#/username", "The user name must be given, as a string.");
    if (!json_is_string(json_object_get(flow->body_secret, "password")))
        return mfa_flow_refuse_parameter(flow, "#/password", "The password must be given, as a string.");
    if (!json_is_string(json_object_get(flow->body_secret, "recoveryCode")))
        return mfa_flow_refuse_parameter(flow, "#/recoveryCode", "The recovery code must be given, as a string.");
    if (strcmp(json_string_value(username), flow->request->username) != 0)
        return MFA_OUTCOME_OTHER_USERNAME;
    return MFA_OUTCOME_PENDING;
}

enum mfa_outcome mfa_flow_recover(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_flow_read_body(flow);

    if (outcome == MFA_OUTCOME_PENDING)
        outcome = check_body(flow);
    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    read_recovery_code(flow, json_object_get(flow->body_secret, "recoveryCode"));
    return mfa_flow_to_worker(flow, flow->core->password_workers, check_password);
}
