/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_matcher.h"

#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_json.h"
#include "mfa_policy.h"
#include "mfa_yaml.h"

/* --- Reading --------------------------------------------------------------------------------------------------- */

static struct mfa_matcher_value *add_value(struct mfa_matcher *matcher)
{
    struct mfa_matcher_value *values = reallocarray(matcher->values, matcher->value_count + 1, sizeof *values);

    if (values == NULL)
        return NULL;
    matcher->values = values;
    values[matcher->value_count] = (struct mfa_matcher_value){0};
    return &values[matcher->value_count++];
}

/* Makes a value of `json` (transferred, NULL: the node was no JSON, which has been reported). */
static enum mfa_status set_value(struct mfa_matcher_value *value, const struct mfa_yaml_node *node, json_t *json)
{
    const char *problem = NULL;
    enum mfa_status status = MFA_OK;

    if (json_is_object(json) || json_is_array(json)) {
        mfa_yaml_error(node, "must be a single value: a string, a number, true, false or null");
    } else if (!json_is_string(json)) {
        value->other = json; /* transferred */
        return MFA_OK;
    } else {
        status = mfa_template_parse(&value->text, json_string_value(json), MFA_TEMPLATE_COMPARED, &problem);
        if (status == MFA_ERR_SYNTAX)
            mfa_yaml_error(node, "%s", problem);
    }
    mfa_json_free(json);
    return status == MFA_ERR_MEMORY ? status : MFA_OK;
}

enum mfa_status mfa_matcher_read_value(struct mfa_matcher *matcher, const struct mfa_yaml_node *node)
{
    struct mfa_matcher_value *value = add_value(matcher);
    json_t *json = NULL;

    if (value == NULL || mfa_yaml_json(node, &json) == MFA_ERR_MEMORY)
        return MFA_ERR_MEMORY;
    return set_value(value, node, json);
}

static enum mfa_status read_in(struct mfa_matcher *matcher, const struct mfa_yaml_node *node)
{
    const struct mfa_yaml_node *item;
    enum mfa_status status = MFA_OK;

    if (mfa_yaml_item(node, 0) == NULL)
        mfa_yaml_error(node, "must be a list of at least one value");
    for (size_t i = 0; status == MFA_OK && (item = mfa_yaml_item(node, i)) != NULL; i++)
        status = mfa_matcher_read_value(matcher, item);
    return status;
}

static enum mfa_status read_not(struct mfa_matcher *matcher, const struct mfa_yaml_node *node)
{
    matcher->kind = MFA_MATCHER_NOT;
    return mfa_matcher_read_value(matcher, node);
}

static enum mfa_status read_exists(struct mfa_matcher *matcher, const struct mfa_yaml_node *node)
{
    static const char *const truths[] = {"false", "true", NULL};
    size_t truth = 0;

    if (mfa_yaml_choice(node, truths, &truth))
        matcher->kind = truth == 1 ? MFA_MATCHER_PRESENT : MFA_MATCHER_ABSENT;
    return MFA_OK;
}

static enum mfa_status read_matches(struct mfa_matcher *matcher, const struct mfa_yaml_node *node)
{
    matcher->kind = MFA_MATCHER_PATTERN;
    return mfa_pattern_read(&matcher->pattern, node);
}

enum mfa_status mfa_matcher_read(struct mfa_matcher *matcher, const struct mfa_yaml_node *node)
{
    static const char *const names[] = {"in", "not", "exists", "matches", NULL};
    static enum mfa_status (*const readers[])(struct mfa_matcher *, const struct mfa_yaml_node *) = {
        read_in, read_not, read_exists, read_matches};
    const struct mfa_yaml_node *entry = mfa_yaml_entry(node, 0);

    if (entry == NULL)
        return mfa_matcher_read_value(matcher, node);
    if (mfa_yaml_entry(node, 1) != NULL) {
        mfa_yaml_error(node, "must have one key, not several: one of \"in\", \"not\", \"exists\", \"matches\"");
        return MFA_OK;
    }
    mfa_yaml_check_keys(node, names);
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(mfa_yaml_key(entry), names[i]) == 0)
            return readers[i](matcher, entry);
    return MFA_OK;
}

void mfa_matcher_clear(struct mfa_matcher *matcher)
{
    for (size_t i = 0; i < matcher->value_count; i++) {
        mfa_template_free(matcher->values[i].text);
        mfa_json_free(matcher->values[i].other);
    }
    free(matcher->values);
    mfa_pattern_free(matcher->pattern);
    *matcher = (struct mfa_matcher){0};
}

/* --- Checking -------------------------------------------------------------------------------------------------- */

static bool is_text(const json_t *found, const struct mfa_buffer *text)
{
    return json_is_string(found) && json_string_length(found) == text->len &&
           (text->len == 0 || memcmp(json_string_value(found), text->data, text->len) == 0);
}

static enum mfa_status check_value(const struct mfa_matcher_value *value, const json_t *found,
                                   const struct mfa_variables *variables, bool *is_equal)
{
    struct mfa_buffer text_secret;
    enum mfa_status status;

    if (value->text == NULL) {
        *is_equal = json_equal(value->other, found);
        return MFA_OK;
    }
    mfa_buffer_init(&text_secret, MFA_GATEWAY_ANSWER_MAX_LEN);
    status = mfa_template_render(value->text, variables, &text_secret);
    *is_equal = status == MFA_OK && is_text(found, &text_secret);
    mfa_buffer_clear(&text_secret);
    return status;
}

static enum mfa_status check_values(const struct mfa_matcher *matcher, const json_t *found,
                                    const struct mfa_variables *variables, bool *is_any)
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < matcher->value_count && status == MFA_OK && !*is_any; i++)
        status = check_value(&matcher->values[i], found, variables, is_any);
    return status;
}

enum mfa_status mfa_matcher_check(const struct mfa_matcher *matcher, const json_t *found,
                                  const struct mfa_variables *variables, bool *matches)
{
    bool is_any = false;
    enum mfa_status status;

    *matches = false;
    switch (matcher->kind) {
    case MFA_MATCHER_ONE_OF: return check_values(matcher, found, variables, matches);
    case MFA_MATCHER_NOT:
        status = check_values(matcher, found, variables, &is_any);
        *matches = status == MFA_OK && found != NULL && !is_any;
        return status;
    case MFA_MATCHER_PRESENT: *matches = found != NULL; return MFA_OK;
    case MFA_MATCHER_ABSENT: *matches = found == NULL; return MFA_OK;
    case MFA_MATCHER_PATTERN:
        if (!json_is_string(found))
            return MFA_OK;
        return mfa_pattern_match(matcher->pattern, json_string_value(found), json_string_length(found), matches);
    }
    return MFA_ERR_INTERNAL;
}

/* --- Asking about it ------------------------------------------------------------------------------------------- */

const char *mfa_matcher_variable(const struct mfa_matcher *matcher, size_t *i)
{
    for (size_t at = 0; at < matcher->value_count; at++) {
        const struct mfa_template *text = matcher->values[at].text;
        const char *name;

        for (size_t j = 0; text != NULL && (name = mfa_template_variable(text, j)) != NULL; j++, (*i)--)
            if (*i == 0)
                return name;
    }
    return NULL;
}
