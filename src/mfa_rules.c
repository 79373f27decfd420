/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_rules.h"

#include <stdlib.h>
#include <string.h>

void mfa_rules_clear(struct mfa_rules *rules)
{
    mfa_condition_clear(&rules->expect);
    for (size_t i = 0; i < rules->outcome_count; i++)
        mfa_condition_clear(&rules->outcomes[i].when);
    free(rules->outcomes);
    for (size_t i = 0; i < rules->capture_count; i++)
        mfa_capture_clear(&rules->captures[i]);
    mfa_pointer_free(rules->retry_after);
    *rules = (struct mfa_rules){0};
}

bool mfa_rules_has_expectation(const struct mfa_rules *rules)
{
    return rules->has_expectation;
}

bool mfa_rules_say_what_succeeds(const struct mfa_rules *rules)
{
    for (size_t i = 0; i < rules->outcome_count; i++)
        if (rules->outcomes[i].is == MFA_MEANING_ACCEPTED)
            return true;
    return rules->has_expectation;
}

const char *mfa_rules_capture_name(const struct mfa_rules *rules, size_t i)
{
    return i < rules->capture_count ? rules->captures[i].name : NULL;
}

bool mfa_rules_captures(const struct mfa_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->capture_count; i++)
        if (strcmp(rules->captures[i].name, name) == 0)
            return true;
    return false;
}

static const char *pointer_variable(const struct mfa_pointer *pointer, size_t *i)
{
    const char *name;

    for (size_t j = 0; pointer != NULL && (name = mfa_pointer_variable(pointer, j)) != NULL; j++, (*i)--)
        if (*i == 0)
            return name;
    return NULL;
}

const char *mfa_rules_variable(const struct mfa_rules *rules, size_t i)
{
    const char *name = mfa_condition_variable(&rules->expect, &i);

    for (size_t at = 0; at < rules->outcome_count && name == NULL; at++)
        name = mfa_condition_variable(&rules->outcomes[at].when, &i);
    for (size_t at = 0; at < rules->capture_count && name == NULL; at++)
        name = pointer_variable(rules->captures[at].pointer, &i);
    return name != NULL ? name : pointer_variable(rules->retry_after, &i);
}
