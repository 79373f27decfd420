/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "mfa_condition.h"
#include "mfa_json.h"
#include "mfa_yaml.h"

/* --- status ---------------------------------------------------------------------------------------------------- */

static void allow(struct mfa_condition *condition, int first, int last)
{
    for (int bit = first - MFA_CONDITION_MIN_STATUS; bit <= last - MFA_CONDITION_MIN_STATUS; bit++)
        condition->statuses[bit / 8] |= (uint8_t)(1 << bit % 8);
}

/* The hundreds that a class like "2xx" stands for; 0: it is none. */
static int class_of(const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";

    return text[0] >= '1' && text[0] <= '5' && strcmp(text + 1, "xx") == 0 ? (text[0] - '0') * 100 : 0;
}

static enum mfa_status read_one_status(struct mfa_condition *condition, const struct mfa_yaml_node *node)
{
    json_t *value = NULL;
    enum mfa_status status = mfa_yaml_json(node, &value);
    const int class = class_of(value);
    const json_int_t number = json_integer_value(value);

    if (class != 0)
        allow(condition, class, class + 99);
    else if (number >= MFA_CONDITION_MIN_STATUS && number <= MFA_CONDITION_MAX_STATUS)
        allow(condition, (int)number, (int)number);
    else if (status == MFA_OK)
        mfa_yaml_error(node, "must be a status from 100 to 599, or a class of them, as 2xx");
    mfa_json_free(value);
    return status == MFA_ERR_MEMORY ? status : MFA_OK;
}

static enum mfa_status read_status(struct mfa_condition *condition, const struct mfa_yaml_node *node)
{
    const struct mfa_yaml_node *item = mfa_yaml_item(node, 0);
    enum mfa_status status = MFA_OK;

    condition->has_status = true;
    if (item == NULL)
        return read_one_status(condition, node);
    for (size_t i = 0; status == MFA_OK && (item = mfa_yaml_item(node, i)) != NULL; i++)
        status = read_one_status(condition, item);
    return status;
}

/* --- json ------------------------------------------------------------------------------------------------------ */

/* A pointer that is there twice in `json` has been reported as a repeated key. */
static bool is_said_elsewhere(const struct mfa_condition *condition, const char *pointer, bool is_success)
{
    for (size_t i = 0; i < condition->member_count; i++)
        if (condition->members[i].is_success != is_success &&
            strcmp(mfa_pointer_text(condition->members[i].pointer), pointer) == 0)
            return true;
    return false;
}

static struct mfa_condition_member *add_member(struct mfa_condition *condition)
{
    struct mfa_condition_member *members =
        reallocarray(condition->members, condition->member_count + 1, sizeof *members);

    if (members == NULL)
        return NULL;
    condition->members = members;
    members[condition->member_count] = (struct mfa_condition_member){0};
    return &members[condition->member_count++];
}

enum mfa_status mfa_condition_add(struct mfa_condition *condition, const char *pointer, bool is_success,
                                  const struct mfa_yaml_node *node, struct mfa_condition_member **out)
{
    struct mfa_pointer *parsed = NULL;
    const char *problem = NULL;
    enum mfa_status status;

    *out = NULL;
    if (is_said_elsewhere(condition, pointer, is_success)) {
        mfa_yaml_error(node, "is a place of which expect.json and success both say what stands there: keep one");
        return MFA_OK;
    }
    status = mfa_pointer_parse(&parsed, pointer, &problem);
    if (status == MFA_ERR_SYNTAX)
        mfa_yaml_error(node, "%s", problem);
    if (status != MFA_OK)
        return status == MFA_ERR_MEMORY ? status : MFA_OK;
    *out = add_member(condition);
    if (*out == NULL) {
        mfa_pointer_free(parsed);
        return MFA_ERR_MEMORY;
    }
    (*out)->pointer = parsed; /* transferred */
    (*out)->is_success = is_success;
    return MFA_OK;
}

static enum mfa_status read_json(struct mfa_condition *condition, const struct mfa_yaml_node *node)
{
    const struct mfa_yaml_node *entry;
    enum mfa_status status = MFA_OK;

    if (!mfa_yaml_is_mapping(node))
        return MFA_OK;
    if (mfa_yaml_entry(node, 0) == NULL)
        mfa_yaml_error(node, "must have at least one JSON pointer with what stands there, as in {/status: approved}");
    for (size_t i = 0; status == MFA_OK && (entry = mfa_yaml_entry(node, i)) != NULL; i++) {
        struct mfa_condition_member *member = NULL;

        status = mfa_condition_add(condition, mfa_yaml_key(entry), false, entry, &member);
        if (member != NULL)
            status = mfa_matcher_read(&member->matcher, entry);
    }
    return status;
}

/* --- text and empty -------------------------------------------------------------------------------------------- */

static enum mfa_status read_text(struct mfa_condition *condition, const struct mfa_yaml_node *node)
{
    return mfa_pattern_read(&condition->text, node);
}

static enum mfa_status read_empty(struct mfa_condition *condition, const struct mfa_yaml_node *node)
{
    static const char *const truths[] = {"false", "true", NULL};
    size_t truth = 0;

    if (mfa_yaml_choice(node, truths, &truth))
        condition->body = truth == 1 ? MFA_CONDITION_EMPTY_BODY : MFA_CONDITION_FILLED_BODY;
    return MFA_OK;
}

/* --- The whole ------------------------------------------------------------------------------------------------- */

enum mfa_status mfa_condition_read(struct mfa_condition *condition, const struct mfa_yaml_node *node)
{
    static const char *const names[] = {"status", "json", "text", "empty", NULL};
    static enum mfa_status (*const readers[])(struct mfa_condition *, const struct mfa_yaml_node *) = {
        read_status, read_json, read_text, read_empty};
    const struct mfa_yaml_node *entry;
    enum mfa_status status = MFA_OK;

    if (!mfa_yaml_check_keys(node, names))
        return MFA_OK;
    if (mfa_yaml_entry(node, 0) == NULL)
        mfa_yaml_error(node, "must not be empty: it would hold for any answer");
    for (size_t i = 0; names[i] != NULL && status == MFA_OK; i++) {
        entry = mfa_yaml_find_key(node, names[i]);
        if (entry != NULL)
            status = readers[i](condition, entry);
    }
    return status;
}
