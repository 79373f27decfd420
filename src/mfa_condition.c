/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_condition.h"

#include <stdlib.h>

#include "mfa_ports.h"
#include "mfa_reading.h"

void mfa_condition_clear(struct mfa_condition *condition)
{
    for (size_t i = 0; i < condition->member_count; i++) {
        mfa_pointer_free(condition->members[i].pointer);
        mfa_matcher_clear(&condition->members[i].matcher);
    }
    free(condition->members);
    mfa_pattern_free(condition->text);
    *condition = (struct mfa_condition){0};
}

/* --- Checking -------------------------------------------------------------------------------------------------- */

static bool status_holds(const struct mfa_condition *condition, int status)
{
    const int bit = status - MFA_CONDITION_MIN_STATUS;

    if (!condition->has_status)
        return !condition->needs_2xx || (status >= 200 && status <= 299);
    return status >= MFA_CONDITION_MIN_STATUS && status <= MFA_CONDITION_MAX_STATUS &&
           (condition->statuses[bit / 8] >> bit % 8 & 1) != 0;
}

static bool body_holds(const struct mfa_condition *condition, const struct mfa_reading *reading)
{
    return condition->body == MFA_CONDITION_ANY_BODY ||
           mfa_reading_is_blank(reading) == (condition->body == MFA_CONDITION_EMPTY_BODY);
}

static enum mfa_status check_member(const struct mfa_condition_member *member, struct mfa_reading *reading,
                                    enum mfa_condition_part *part)
{
    const json_t *json = NULL;
    const json_t *found = NULL;
    bool matches = false;
    enum mfa_status status = mfa_reading_json(reading, &json);

    *part = MFA_PART_JSON;
    if (status != MFA_OK || json == NULL)
        return status;
    *part = MFA_PART_MEMBER;
    status = mfa_reading_find(reading, member->pointer, &found);
    if (status == MFA_OK)
        status = mfa_matcher_check(&member->matcher, found, reading->variables, &matches);
    if (matches)
        *part = MFA_PART_NONE;
    return status;
}

static enum mfa_status check_members(const struct mfa_condition *condition, struct mfa_reading *reading,
                                     struct mfa_condition_failure *failure)
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < condition->member_count && status == MFA_OK && failure->part == MFA_PART_NONE; i++) {
        failure->member = &condition->members[i];
        status = check_member(failure->member, reading, &failure->part);
    }
    return status;
}

static enum mfa_status check_text(const struct mfa_condition *condition, const struct mfa_reading *reading,
                                  struct mfa_condition_failure *failure)
{
    bool matches = false;
    enum mfa_status status;

    if (condition->text == NULL)
        return MFA_OK;
    status = mfa_pattern_match(condition->text, reading->answer->body, reading->answer->body_len, &matches);
    if (!matches)
        failure->part = MFA_PART_TEXT;
    return status;
}

enum mfa_status mfa_condition_check(const struct mfa_condition *condition, struct mfa_reading *reading,
                                    struct mfa_condition_failure *failure)
{
    enum mfa_status status;

    *failure = (struct mfa_condition_failure){0};
    if (!status_holds(condition, reading->answer->http_status)) {
        failure->part = MFA_PART_STATUS;
        return MFA_OK;
    }
    if (!body_holds(condition, reading)) {
        failure->part = MFA_PART_BODY;
        return MFA_OK;
    }
    status = check_members(condition, reading, failure);
    if (status != MFA_OK || failure->part != MFA_PART_NONE)
        return status;
    return check_text(condition, reading, failure);
}

/* --- Asking about it ------------------------------------------------------------------------------------------- */

const char *mfa_condition_variable(const struct mfa_condition *condition, size_t *i)
{
    for (size_t at = 0; at < condition->member_count; at++) {
        const struct mfa_condition_member *member = &condition->members[at];
        const char *name;

        for (size_t j = 0; (name = mfa_pointer_variable(member->pointer, j)) != NULL; j++, (*i)--)
            if (*i == 0)
                return name;
        name = mfa_matcher_variable(&member->matcher, i);
        if (name != NULL)
            return name;
    }
    return NULL;
}
