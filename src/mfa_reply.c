/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_reply.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mfa_encode.h"
#include "mfa_json.h"

#define BODY_MAX_LEN 16384
#define ERROR_LEN 256 /* of most */

enum payload {
    PAYLOAD_NONE,
    PAYLOAD_PARAMETER,
    PAYLOAD_ATTEMPTS_LEFT,
    PAYLOAD_RETRY_AFTER,      /* as a header and in the data */
    PAYLOAD_RETRY_AFTER_ONLY, /* as a header */
    PAYLOAD_TOKEN,
    PAYLOAD_TOKEN_FOR_LATER, /* and when a message can be asked for */
    PAYLOAD_RECOVERY_CODES,
    PAYLOAD_ENROLMENT,
};

/* One row an outcome. Errors have an id, and a data id where the protocol gives one; successes with a message only say
 * it. */
static const struct {
    const char *name;
    enum mfa_decision decision;
    uint32_t status;
    const char *id;
    const char *message;
    const char *data_id;
    enum payload payload;
} table[MFA_OUTCOME_COUNT] = {
    [MFA_OUTCOME_INTERNAL] = {"internal", MFA_DENY, 500, "unexpected-error", "Unexpected error.", NULL, PAYLOAD_NONE},
    [MFA_OUTCOME_DISABLED] = {"disabled", MFA_DENY, 503, "api-unavailable", "MFA is not enabled on this server.", NULL,
                              PAYLOAD_NONE},
    [MFA_OUTCOME_NO_TOKEN] = {"no-token", MFA_DENY, 400, "invalid-parameters-format", "An mfaToken is needed.", NULL,
                              PAYLOAD_NONE},
    [MFA_OUTCOME_BAD_TOKEN] = {"bad-token", MFA_DENY, 401, "invalid-access-token",
                               "The mfaToken is unknown, has expired or was used already.", NULL, PAYLOAD_NONE},
    [MFA_OUTCOME_BAD_BODY] = {"bad-body", MFA_DENY, 400, "invalid-request-structure",
                              "The request body must be a JSON object of reasonable size and depth.", NULL,
                              PAYLOAD_NONE},
    [MFA_OUTCOME_BAD_PARAMETER] = {"bad-parameter", MFA_DENY, 400, "invalid-parameters-format",
                                   "A parameter is missing or malformed.", NULL, PAYLOAD_PARAMETER},
    [MFA_OUTCOME_WRONG_CODE] = {"wrong-code", MFA_DENY, 400, "invalid-parameters-format", "The code is wrong.",
                                "invalid-mfa-code", PAYLOAD_ATTEMPTS_LEFT},
    [MFA_OUTCOME_EXPIRED_CODE] = {"expired-code", MFA_DENY, 400, "invalid-parameters-format",
                                  "The code has expired. Ask for a new one.", "expired-mfa-code", PAYLOAD_NONE},
    [MFA_OUTCOME_ATTEMPTS_USED_UP] = {"attempts-used-up", MFA_DENY, 401, "invalid-access-token",
                                      "Too many wrong codes. Log in again.", "too-many-attempts", PAYLOAD_NONE},
    [MFA_OUTCOME_THROTTLED] = {"throttled", MFA_DENY, 429, "too-many-attempts", "Too many attempts. Wait a moment.",
                               NULL, PAYLOAD_RETRY_AFTER},
    [MFA_OUTCOME_TOO_MANY_PENDING] = {"too-many-pending", MFA_DENY, 429, "too-many-requests",
                                      "Too many logins are waiting for a code. Try again later.", NULL,
                                      PAYLOAD_RETRY_AFTER_ONLY},
    [MFA_OUTCOME_STOPPED] = {"stopped", MFA_DENY, 403, "forbidden",
                             "Too many failures: the second factor is stopped. Use a recovery code.", "mfa-stopped",
                             PAYLOAD_NONE},
    [MFA_OUTCOME_STEP_UP_NEEDED] = {"step-up-needed", MFA_DENY, 400, "invalid-parameters-format",
                                    "The password must be given for this.", "step-up-required", PAYLOAD_NONE},
    [MFA_OUTCOME_BAD_STEP_UP] = {"bad-step-up", MFA_DENY, 403, "invalid-step-up", "The password is wrong.", NULL,
                                 PAYLOAD_NONE},
    [MFA_OUTCOME_PROVIDER_ERROR] = {"provider-error", MFA_DENY, 400, "invalid-operation",
                                    "The communication service did not accept the request.", "mfa-sms-provider-error",
                                    PAYLOAD_NONE},
    [MFA_OUTCOME_PROVIDER_TIMEOUT] = {"provider-timeout", MFA_DENY, 400, "invalid-operation",
                                      "The communication service did not answer in time.", "mfa-sms-provider-timeout",
                                      PAYLOAD_NONE},
    [MFA_OUTCOME_QUEUE_FULL] = {"queue-full", MFA_DENY, 503, "api-unavailable",
                                "The server is busy. Try again in a moment.", NULL, PAYLOAD_RETRY_AFTER_ONLY},
    [MFA_OUTCOME_BAD_CREDENTIALS] = {"bad-credentials", MFA_DENY, 401, "invalid-credentials",
                                     "The user name or the password is wrong.", NULL, PAYLOAD_NONE},
    [MFA_OUTCOME_BAD_RECOVERY_CODE] = {"bad-recovery-code", MFA_DENY, 400, "invalid-parameters-format",
                                       "The recovery code is wrong.", "invalid-recovery-code", PAYLOAD_NONE},
    [MFA_OUTCOME_NOT_ACTIVE] = {"not-active", MFA_DENY, 400, "invalid-operation", "MFA is not active for this user.",
                                NULL, PAYLOAD_NONE},
    [MFA_OUTCOME_OTHER_USERNAME] = {"other-username", MFA_DENY, 400, "invalid-operation",
                                    "The user name in the body is not the one in the path.", NULL, PAYLOAD_NONE},

    [MFA_OUTCOME_ALLOWED] = {"allowed", MFA_ALLOW, 0, NULL, NULL, NULL, PAYLOAD_NONE},
    [MFA_OUTCOME_CHALLENGED] = {"challenged", MFA_CHALLENGE, 200, NULL, NULL, NULL, PAYLOAD_TOKEN},
    [MFA_OUTCOME_CHALLENGE_DELAYED] = {"challenge-delayed", MFA_CHALLENGE, 200, NULL, NULL, NULL,
                                       PAYLOAD_TOKEN_FOR_LATER},
    [MFA_OUTCOME_ACTIVATION_OPENED] = {"activation-opened", MFA_ANSWER, 302, NULL, NULL, NULL, PAYLOAD_TOKEN},
    [MFA_OUTCOME_ACTIVATION_OPENED_IN_BROWSER] = {"activation-opened", MFA_ANSWER, 200, NULL, NULL, NULL,
                                                  PAYLOAD_TOKEN},
    [MFA_OUTCOME_ENROLLED] = {"enrolled", MFA_ANSWER, 200, NULL, NULL, NULL, PAYLOAD_RECOVERY_CODES},
    [MFA_OUTCOME_REPLACED] = {"replaced", MFA_ANSWER, 200, NULL, NULL, NULL, PAYLOAD_RECOVERY_CODES},
    [MFA_OUTCOME_RECOVERY_CODES_RENEWED] = {"recovery-codes-renewed", MFA_ANSWER, 200, NULL, NULL, NULL,
                                            PAYLOAD_RECOVERY_CODES},
    [MFA_OUTCOME_CHALLENGE_SENT] = {"challenge-sent", MFA_ANSWER, 200, NULL, "Please verify the MFA challenge.", NULL,
                                    PAYLOAD_NONE},
    [MFA_OUTCOME_VERIFIED] = {"verified", MFA_RELEASE, 0, NULL, NULL, NULL, PAYLOAD_NONE},
    [MFA_OUTCOME_DEACTIVATED] = {"deactivated", MFA_ANSWER, 200, NULL, "MFA deactivated.", NULL, PAYLOAD_NONE},
    [MFA_OUTCOME_STATUS] = {"status", MFA_ANSWER, 200, NULL, NULL, NULL, PAYLOAD_ENROLMENT},
    [MFA_OUTCOME_RESET] = {"reset", MFA_ANSWER, 204, NULL, NULL, NULL, PAYLOAD_NONE},
};

const char *mfa_outcome_name(enum mfa_outcome outcome)
{
    return outcome < MFA_OUTCOME_COUNT ? table[outcome].name : "pending";
}

/* --- Errors ----------------------------------------------------------------------------------------------------- */

/* Written without a tree of jansson's, which costs as much as all else that refusing a request takes: of errors there are
 * as many as an attacker likes. */

/* Appends `lead` as it is, and a string. */
static enum mfa_status append_string(struct mfa_buffer *out, const char *lead, const char *text)
{
    enum mfa_status status = mfa_buffer_append_text(out, lead);

    return status == MFA_OK ? mfa_encode_json_quoted(out, text, strlen(text)) : status;
}

static enum mfa_status append_number(struct mfa_buffer *out, const char *lead, uint32_t number)
{
    char digits[sizeof "4294967295"];
    enum mfa_status status = mfa_buffer_append_text(out, lead);

    snprintf(digits, sizeof digits, "%" PRIu32, number);
    return status == MFA_OK ? mfa_buffer_append_text(out, digits) : status;
}

static enum mfa_status append_parameter(const struct mfa_reply *reply, struct mfa_buffer *out)
{
    enum mfa_status status = append_string(out, ",\"data\":[{\"path\":", reply->path);

    if (status == MFA_OK)
        status = append_string(out, ",\"message\":", reply->detail);
    return status == MFA_OK ? mfa_buffer_append_text(out, "}]") : status;
}

static enum mfa_status append_data(const struct mfa_reply *reply, struct mfa_buffer *out)
{
    const char *id = table[reply->outcome].data_id;
    enum payload payload = table[reply->outcome].payload;
    enum mfa_status status = MFA_OK;

    if (payload == PAYLOAD_PARAMETER)
        return append_parameter(reply, out);
    if (payload == PAYLOAD_RETRY_AFTER)
        status = append_number(out, ",\"data\":{\"retryAfterSeconds\":", reply->retry_after_s);
    else if (id != NULL)
        status = append_string(out, ",\"data\":{\"id\":", id);
    else
        return status;
    if (status == MFA_OK && payload == PAYLOAD_ATTEMPTS_LEFT && reply->attempts_left != UINT32_MAX)
        status = append_number(out, ",\"attemptsLeft\":", reply->attempts_left);
    return status == MFA_OK ? mfa_buffer_append_text(out, "}") : status;
}

static enum mfa_status render_error(const struct mfa_reply *reply, struct mfa_buffer *out)
{
    enum mfa_status status = mfa_buffer_reserve(out, ERROR_LEN);

    if (status == MFA_OK)
        status = append_string(out, "{\"error\":{\"id\":", table[reply->outcome].id);
    if (status == MFA_OK)
        status = append_string(out, ",\"message\":", table[reply->outcome].message);
    if (status == MFA_OK)
        status = append_data(reply, out);
    return status == MFA_OK ? mfa_buffer_append_text(out, "}}") : status;
}

/* --- Successes -------------------------------------------------------------------------------------------------- */

static json_t *pack_recovery_codes(const struct mfa_recovery_codes *codes_secret)
{
    json_t *codes = json_array();

    for (size_t i = 0; codes != NULL && i < MFA_RECOVERY_CODE_COUNT; i++) {
        if (json_array_append_new(codes, json_string(codes_secret->text_secret[i])) != 0) {
            mfa_json_free(codes);
            return NULL;
        }
    }
    return json_pack("{s:o}", "recoveryCodes", codes);
}

static json_t *pack_enrolment(const struct mfa_enrolment_view *view)
{
    return json_pack("{s:b, s:s, s:o, s:I, s:o}", "active", view->is_active, "mode", view->mode, "hint",
                     view->hint[0] != '\0' ? json_string(view->hint) : json_null(), "recoveryCodesRemaining",
                     (json_int_t)view->recovery_codes_left, "confirmedAt",
                     view->confirmed_at >= 0 ? json_real(view->confirmed_at) : json_null());
}

static json_t *pack_success(const struct mfa_reply *reply)
{
    switch (table[reply->outcome].payload) {
    case PAYLOAD_TOKEN: return json_pack("{s:s}", "mfaToken", reply->token_secret);
    case PAYLOAD_TOKEN_FOR_LATER:
        return json_pack("{s:s, s:I}", "mfaToken", reply->token_secret, "retryAfterSeconds",
                         (json_int_t)reply->retry_after_s);
    case PAYLOAD_RECOVERY_CODES: return pack_recovery_codes(reply->recovery_codes_secret);
    case PAYLOAD_ENROLMENT: return pack_enrolment(reply->enrolment);
    case PAYLOAD_NONE:
    case PAYLOAD_PARAMETER:
    case PAYLOAD_ATTEMPTS_LEFT:
    case PAYLOAD_RETRY_AFTER:
    case PAYLOAD_RETRY_AFTER_ONLY: break;
    }
    return json_pack("{s:s}", "message", table[reply->outcome].message);
}

static enum mfa_status render_success(const struct mfa_reply *reply, struct mfa_buffer *out)
{
    json_t *body = pack_success(reply);
    enum mfa_status status = body != NULL ? mfa_json_encode(body, out) : MFA_ERR_MEMORY;

    mfa_json_free(body);
    return status;
}

/* --- Both ------------------------------------------------------------------------------------------------------- */

enum mfa_status mfa_reply_render(const struct mfa_reply *reply, struct mfa_http_reply *out)
{
    enum mfa_status status = MFA_OK;
    uint32_t http_status = 0;

    *out = (struct mfa_http_reply){.decision = MFA_DENY, .status = 500};
    mfa_buffer_init(&out->body, BODY_MAX_LEN);
    if (reply->outcome >= MFA_OUTCOME_COUNT)
        return MFA_ERR_ARGUMENT;
    http_status = table[reply->outcome].status;
    if (table[reply->outcome].decision == MFA_DENY)
        status = render_error(reply, &out->body);
    else if (http_status != 0 && http_status != 204)
        status = render_success(reply, &out->body);
    if (status != MFA_OK) {
        mfa_buffer_clear(&out->body);
        return status;
    }
    if (table[reply->outcome].payload == PAYLOAD_RETRY_AFTER ||
        table[reply->outcome].payload == PAYLOAD_RETRY_AFTER_ONLY)
        snprintf(out->retry_after, sizeof out->retry_after, "%" PRIu32, reply->retry_after_s);
    out->status = http_status;
    out->decision = table[reply->outcome].decision;
    return MFA_OK;
}

void mfa_http_reply_clear(struct mfa_http_reply *reply)
{
    mfa_buffer_clear(&reply->body);
    *reply = (struct mfa_http_reply){0};
}
