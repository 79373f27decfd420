/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_verdict.h"

#include <stdbool.h>

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Moves `*at` past white space and then past `c`, if it comes next. */
static bool skip_to(const char *body, size_t len, size_t *at, char c)
{
    while (*at < len && is_json_space(body[*at]))
        (*at)++;
    if (*at == len || body[*at] != c)
        return false;
    (*at)++;
    return true;
}

/* True of nothing but white space, and of an object without members. */
static bool body_says_nothing(const char *body, size_t len)
{
    size_t at = 0;

    if (skip_to(body, len, &at, '{') && !skip_to(body, len, &at, '}'))
        return false;
    while (at < len && is_json_space(body[at]))
        at++;
    return at == len;
}

static enum mfa_verdict verdict_without_answer(const struct mfa_gateway_answer *answer, const char **why)
{
    *why = answer->reason;
    return answer->delivery == MFA_DELIVERY_TIMEOUT ? MFA_VERDICT_TIMEOUT : MFA_VERDICT_ERROR;
}

static enum mfa_verdict verdict_by_default(enum mfa_call call, const struct mfa_gateway_answer *answer,
                                           const char **why)
{
    if (answer->http_status == 429) {
        *why = "throttled: the service answered 429";
        return MFA_VERDICT_THROTTLED;
    }
    if (answer->http_status < 200 || answer->http_status > 299) {
        *why = "refused: the status is not 2xx";
        return MFA_VERDICT_ERROR;
    }
    switch (call) {
    case MFA_CALL_SEND: *why = "sent"; return MFA_VERDICT_SENT;
    case MFA_CALL_VERIFY:
        if (body_says_nothing(answer->body, answer->body_len)) {
            *why = "accepted";
            return MFA_VERDICT_ACCEPTED;
        }
        *why = "refused: answer has a body and no expect rule";
        return MFA_VERDICT_ERROR;
    }
    *why = "refused: unknown call";
    return MFA_VERDICT_ERROR;
}

enum mfa_verdict mfa_verdict_of(enum mfa_call call, const struct mfa_gateway_answer *answer, const char **why)
{
    if (answer->delivery != MFA_DELIVERY_ANSWERED)
        return verdict_without_answer(answer, why);
    return verdict_by_default(call, answer, why);
}

const char *mfa_verdict_name(enum mfa_verdict verdict)
{
    switch (verdict) {
    case MFA_VERDICT_TIMEOUT: return "timeout";
    case MFA_VERDICT_THROTTLED: return "throttled";
    case MFA_VERDICT_EXPIRED: return "expired";
    case MFA_VERDICT_REJECTED: return "rejected";
    case MFA_VERDICT_SENT: return "sent";
    case MFA_VERDICT_ACCEPTED: return "accepted";
    case MFA_VERDICT_ERROR: break;
    }
    return "error";
}
