/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "flows.h"
#include "mfa_account.h"
#include "mfa_profile.h"

static enum mfa_outcome use_recovery_code(struct mfa_flow *flow)
{
    switch (mfa_profile_recover(&flow->core->host, flow->user_id, flow->recovery_stored)) {
    case MFA_OK:
        mfa_sessions_drop_user(flow->core->sessions, flow->user_id, 1u << MFA_PURPOSE_LOGIN);
        /* The enrolment is gone already: a tally that stays only makes the next one stricter. */
        (void)mfa_account_forgive(flow);
        return MFA_OUTCOME_DEACTIVATED;
    case MFA_ERR_DENIED: return mfa_account_fail(flow, MFA_OUTCOME_BAD_RECOVERY_CODE);
    case MFA_ERR_NOT_FOUND: mfa_account_return(flow); return MFA_OUTCOME_NOT_ACTIVE;
    default: mfa_account_return(flow); return MFA_OUTCOME_INTERNAL;
    }
}

static enum mfa_outcome check_recovery_code(struct mfa_flow *flow)
{
    enum mfa_outcome outcome = mfa_account_reserve(flow, true);

    return outcome == MFA_OUTCOME_PENDING ? use_recovery_code(flow) : outcome;
}

/* The password comes first, and its failures are the host's to count: whoever does not know it must neither delay the
 * account nor learn anything about it. */
static enum mfa_outcome check_password(struct mfa_flow *flow)
{
    enum mfa_status status = mfa_flow_check_password(flow);

    if (status == MFA_OK)
        return check_recovery_code(flow);
    return status == MFA_ERR_DENIED ? MFA_OUTCOME_BAD_CREDENTIALS : mfa_flow_fault(flow, status);
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
    if (json_string_length(username) != strlen(flow->request->username) ||
        strcmp(json_string_value(username), flow->request->username) != 0)
        return MFA_OUTCOME_OTHER_USERNAME;
    return MFA_OUTCOME_PENDING;
}

enum mfa_outcome mfa_flow_recover(struct mfa_flow *flow)
{
    const json_t *code = NULL;
    enum mfa_outcome outcome = mfa_flow_read_body(flow);

    if (outcome == MFA_OUTCOME_PENDING)
        outcome = check_body(flow);
    if (outcome != MFA_OUTCOME_PENDING)
        return outcome;
    code = json_object_get(flow->body_secret, "recoveryCode");
    mfa_recovery_hash_typed(json_string_value(code), json_string_length(code), flow->recovery_stored);
    return mfa_flow_to_worker(flow, flow->core->password_workers, check_password);
}
