/* SPDX-License-Identifier: Apache-2.0 */
#include "effective_rules.h"

#include <string.h>

#include "memory.h"

#define CLASS_SIZE 100

const char *effective_meaning(enum mfa_meaning meaning)
{
    switch (meaning) {
    case MFA_MEANING_THROTTLED: return "throttled";
    case MFA_MEANING_EXPIRED: return "expired";
    case MFA_MEANING_REJECTED: return "rejected";
    case MFA_MEANING_ACCEPTED: return "accepted";
    case MFA_MEANING_ERROR: break;
    }
    return "error";
}

/* --- Conditions --------------------------------------------------------------------------------------------------- */

static bool has_status(const struct mfa_condition *condition, int status)
{
    const int bit = status - MFA_CONDITION_MIN_STATUS;

    return (condition->statuses[bit / 8] >> bit % 8 & 1) != 0;
}

static bool has_class(const struct mfa_condition *condition, int first)
{
    for (int status = first; status < first + CLASS_SIZE; status++)
        if (!has_status(condition, status))
            return false;
    return true;
}

json_t *effective_statuses(const struct mfa_condition *condition)
{
    json_t *out = memory_need_json(json_array());

    for (int status = MFA_CONDITION_MIN_STATUS; status <= MFA_CONDITION_MAX_STATUS; status++) {
        if (status % CLASS_SIZE == 0 && has_class(condition, status)) {
            memory_append(out, json_sprintf("%dxx", status / CLASS_SIZE));
            status += CLASS_SIZE - 1;
        } else if (has_status(condition, status)) {
            memory_append(out, json_integer(status));
        }
    }
    return out;
}

static json_t *value(const struct secrets *secrets, const struct mfa_matcher_value *from)
{
    if (from->text == NULL)
        return memory_need_json(json_deep_copy(from->other));
    return secrets_text(secrets, mfa_template_text(from->text), strlen(mfa_template_text(from->text)));
}

static json_t *list(const struct secrets *secrets, const struct mfa_matcher *matcher)
{
    json_t *out = memory_need_json(json_array());

    for (size_t i = 0; i < matcher->value_count; i++)
        memory_append(out, value(secrets, &matcher->values[i]));
    return out;
}

static json_t *keyed(const char *key, json_t *inner)
{
    json_t *out = memory_need_json(json_object());

    memory_put(out, key, inner);
    return out;
}

static json_t *matcher_of(const struct secrets *secrets, const struct mfa_matcher *matcher)
{
    switch (matcher->kind) {
    case MFA_MATCHER_ONE_OF:
        return matcher->value_count == 1 ? value(secrets, &matcher->values[0]) : keyed("in", list(secrets, matcher));
    case MFA_MATCHER_NOT: return keyed("not", value(secrets, &matcher->values[0]));
    case MFA_MATCHER_PRESENT: return keyed("exists", json_true());
    case MFA_MATCHER_ABSENT: return keyed("exists", json_false());
    case MFA_MATCHER_PATTERN: break;
    }
    return keyed("matches",
                 secrets_text(secrets, mfa_pattern_text(matcher->pattern), strlen(mfa_pattern_text(matcher->pattern))));
}

static json_t *condition_of(const struct secrets *secrets, const struct mfa_condition *condition)
{
    json_t *out = memory_need_json(json_object());

    if (condition->has_status)
        memory_put(out, "status", effective_statuses(condition));
    if (condition->member_count > 0)
        memory_put(out, "json", json_object());
    for (size_t i = 0; i < condition->member_count; i++)
        memory_put(json_object_get(out, "json"), mfa_pointer_text(condition->members[i].pointer),
                   matcher_of(secrets, &condition->members[i].matcher));
    if (condition->text != NULL)
        memory_put(out, "text",
                   secrets_text(secrets, mfa_pattern_text(condition->text), strlen(mfa_pattern_text(condition->text))));
    if (condition->body != MFA_CONDITION_ANY_BODY)
        memory_put(out, "empty", json_boolean(condition->body == MFA_CONDITION_EMPTY_BODY));
    return out;
}

/* --- Rules -------------------------------------------------------------------------------------------------------- */

static json_t *outcome_of(const struct secrets *secrets, const struct mfa_outcome_rule *outcome)
{
    json_t *out = memory_need_json(json_object());

    memory_put(out, "when", condition_of(secrets, &outcome->when));
    memory_put(out, "is", json_string(effective_meaning(outcome->is)));
    return out;
}

static json_t *pointer_text(const struct secrets *secrets, const struct mfa_pointer *pointer)
{
    return secrets_text(secrets, mfa_pointer_text(pointer), strlen(mfa_pointer_text(pointer)));
}

void effective_put_rules(json_t *endpoint, const struct secrets *secrets, const struct mfa_rules *rules)
{
    if (rules->capture_count > 0)
        memory_put(endpoint, "capture", json_object());
    for (size_t i = 0; i < rules->capture_count; i++) {
        const struct mfa_capture *capture = &rules->captures[i];

        memory_put(json_object_get(endpoint, "capture"), capture->name,
                   capture->header != NULL ? json_sprintf("header:%s", capture->header)
                                           : pointer_text(secrets, capture->pointer));
    }
    if (rules->outcome_count > 0)
        memory_put(endpoint, "outcomes", json_array());
    for (size_t i = 0; i < rules->outcome_count; i++)
        memory_append(json_object_get(endpoint, "outcomes"), outcome_of(secrets, &rules->outcomes[i]));
    if (mfa_rules_has_expectation(rules))
        memory_put(endpoint, "expect", condition_of(secrets, &rules->expect));
    if (rules->retry_after != NULL)
        memory_put(endpoint, "retryAfter", pointer_text(secrets, rules->retry_after));
}
