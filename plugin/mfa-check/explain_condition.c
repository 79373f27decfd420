/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_condition.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "effective_rules.h"
#include "memory.h"
#include "mfa_ports.h"
#include "mfa_template.h"

/* Longest value that is quoted. */
#define QUOTED_MAX_LEN 120

const char *explain_obstacle(enum mfa_status status)
{
    switch (status) {
    case MFA_ERR_NOT_FOUND:
        return "a variable is missing; give what the request was made with: --user, --code, --captured";
    case MFA_ERR_REFUSED: return "a variable cannot stand there";
    case MFA_ERR_TOO_LARGE: return "it is too much work";
    default: return "something went wrong";
    }
}

char *explain_part(const struct explained_condition *about, const char *rule)
{
    static const char *const parts[] = {
        [MFA_PART_NONE] = "",        [MFA_PART_STATUS] = ".status", [MFA_PART_JSON] = ".json",
        [MFA_PART_MEMBER] = ".json", [MFA_PART_TEXT] = ".text",     [MFA_PART_BODY] = ".empty"};
    const struct mfa_condition_failure *failure = about->failure;
    const bool is_success = failure->member != NULL && failure->member->is_success;

    return memory_text("%s%s%s%s", is_success ? "success" : rule, is_success ? "" : parts[failure->part],
                       failure->part == MFA_PART_MEMBER ? " " : "",
                       failure->part == MFA_PART_MEMBER ? mfa_pointer_text(failure->member->pointer) : "");
}

/* --- Words -------------------------------------------------------------------------------------------------------- */

static char *joined(char *list, const char *separator, char *more)
{
    char *text = list != NULL ? memory_text("%s%s%s", list, separator, more) : memory_need(strdup(more));

    free(list);
    free(more);
    return text;
}

/* Cuts what is longer than can be read at a glance; the text is transferred. */
static char *cut(char *text)
{
    size_t len = QUOTED_MAX_LEN;
    char *shorter = NULL;

    if (strlen(text) <= QUOTED_MAX_LEN)
        return text;
    while (((unsigned char)text[len] & 0xc0) == 0x80) /* within a character */
        len--;
    shorter = memory_text("%.*s\u2026", (int)len, text);
    free(text);
    return shorter;
}

/* JSON of a value, without secrets. */
static char *quoted(const struct secrets *secrets, const json_t *value)
{
    json_t *masked = json_is_string(value) ? secrets_text(secrets, json_string_value(value), json_string_length(value))
                                           : json_incref((json_t *)(uintptr_t)value);
    char *text = memory_need(json_dumps(masked, JSON_ENCODE_ANY | JSON_COMPACT));

    json_decref(masked);
    if (json_is_string(value))
        return cut(text);
    masked = secrets_text(secrets, text, strlen(text));
    free(text);
    text = memory_need(strdup(json_string_value(masked)));
    json_decref(masked);
    return cut(text);
}

/* It has been compared already, so it can be filled in. */
static char *expected_value(const struct explained_condition *about, const struct mfa_matcher_value *value)
{
    struct mfa_buffer rendered;
    json_t *text = NULL;
    char *words = NULL;

    if (value->text == NULL)
        return quoted(about->secrets, value->other);
    mfa_buffer_init(&rendered, SIZE_MAX);
    (void)memory_checked(mfa_template_render(value->text, about->reading->variables, &rendered));
    text = secrets_text(about->secrets, rendered.data, rendered.len);
    words = quoted(about->secrets, text);
    json_decref(text);
    mfa_buffer_clear(&rendered);
    return words;
}

/* There is at least one, as there is of all that an operator lists. */
static char *expected(const struct explained_condition *about, const struct mfa_matcher *matcher)
{
    char *list = NULL;

    for (size_t i = 0; i < matcher->value_count; i++)
        list = joined(list, " or ", expected_value(about, &matcher->values[i]));
    return list;
}

static char *statuses(const struct mfa_condition *condition)
{
    json_t *all = NULL;
    const json_t *one = NULL;
    char *list = NULL;
    size_t i = 0;

    if (!condition->has_status)
        return memory_text("2xx");
    all = effective_statuses(condition);
    json_array_foreach(all, i, one)
    {
        list = joined(list, " or ",
                      json_is_string(one) ? memory_text("%s", json_string_value(one))
                                          : memory_text("%d", (int)json_integer_value(one)));
    }
    json_decref(all);
    return list;
}

/* What stands in a place of the answer; NULL: nothing. */
static const json_t *find(const struct explained_condition *about, const struct mfa_condition_member *member)
{
    const json_t *found = NULL;

    (void)memory_checked(mfa_reading_find(about->reading, member->pointer, &found));
    return found;
}

/* --- What does not hold ------------------------------------------------------------------------------------------- */

static char *member_failure(const struct explained_condition *about)
{
    const struct mfa_matcher *matcher = &about->failure->member->matcher;
    const json_t *found = find(about, about->failure->member);
    char *is = found != NULL ? quoted(about->secrets, found) : memory_text("nothing stands there");
    char *wanted = NULL;
    char *text = NULL;

    switch (matcher->kind) {
    case MFA_MATCHER_ONE_OF:
        wanted = expected(about, matcher);
        text = memory_text("%s, not %s", is, wanted);
        break;
    case MFA_MATCHER_NOT: text = memory_text(found != NULL ? "%s, which it must not be" : "%s", is); break;
    case MFA_MATCHER_PRESENT: text = memory_text("%s", is); break;
    case MFA_MATCHER_ABSENT: text = memory_text("%s, where nothing may stand", is); break;
    case MFA_MATCHER_PATTERN: text = memory_text("%s, which does not match the expression", is); break;
    }
    free(is);
    free(wanted);
    return text;
}

char *explain_failure(const struct explained_condition *about)
{
    char *wanted = NULL;
    char *text = NULL;

    switch (about->failure->part) {
    case MFA_PART_STATUS:
        wanted = statuses(about->condition);
        text = memory_text("%d, not %s", about->reading->answer->http_status, wanted);
        free(wanted);
        return text;
    case MFA_PART_MEMBER: return member_failure(about);
    case MFA_PART_JSON: return memory_text("the body is not JSON");
    case MFA_PART_TEXT: return memory_text("the expression matches nowhere in the body");
    case MFA_PART_BODY:
        return memory_text(about->condition->body == MFA_CONDITION_EMPTY_BODY ? "there is a body" : "there is no body");
    case MFA_PART_NONE: break;
    }
    return memory_text("nothing");
}

/* --- What holds --------------------------------------------------------------------------------------------------- */

static char *member_success(const struct explained_condition *about, const struct mfa_condition_member *member)
{
    const json_t *found = find(about, member);
    char *is = found != NULL ? quoted(about->secrets, found) : NULL;
    char *text = is != NULL ? memory_text("%s is %s", mfa_pointer_text(member->pointer), is)
                            : memory_text("%s is not there", mfa_pointer_text(member->pointer));

    free(is);
    return text;
}

char *explain_success(const struct explained_condition *about)
{
    const struct mfa_condition *condition = about->condition;
    char *list = NULL;

    if (condition->has_status || condition->needs_2xx)
        list = joined(list, ", ", memory_text("status %d", about->reading->answer->http_status));
    for (size_t i = 0; i < condition->member_count; i++)
        list = joined(list, ", ", member_success(about, &condition->members[i]));
    if (condition->text != NULL)
        list = joined(list, ", ", memory_text("the text matches"));
    if (condition->body != MFA_CONDITION_ANY_BODY)
        list = joined(list, ", ",
                      memory_text(condition->body == MFA_CONDITION_EMPTY_BODY ? "no body" : "there is a body"));
    return list;
}
