/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_encode.h"
#include "mfa_placeholder.h"
#include "mfa_rules.h"
#include "mfa_template.h"
#include "mfa_url.h"
#include "mfa_yaml.h"

/* Longest pointer that a `jsonPath` is turned into. */
#define POINTER_MAX_LEN 1024

/* How the source of a capture begins when it is a header. */
#define HEADER_PREFIX "header:"

static const char *const meaning_names[] = {
    [MFA_MEANING_ERROR] = "error",       [MFA_MEANING_THROTTLED] = "throttled", [MFA_MEANING_EXPIRED] = "expired",
    [MFA_MEANING_REJECTED] = "rejected", [MFA_MEANING_ACCEPTED] = "accepted",   NULL};

/* Reports a mistake in what was parsed from `node`, and goes on. */
static enum mfa_status report_problem(const struct mfa_yaml_node *node, enum mfa_status status, const char *problem)
{
    if (status == MFA_ERR_SYNTAX)
        mfa_yaml_error(node, "%s", problem);
    return status == MFA_ERR_MEMORY ? status : MFA_OK;
}

/* --- expect ---------------------------------------------------------------------------------------------------- */

static void begin_expectation(struct mfa_rules *rules)
{
    rules->has_expectation = true;
    rules->expect.needs_2xx = true;
}

enum mfa_status mfa_rules_read_expect(struct mfa_rules *rules, const struct mfa_yaml_node *node)
{
    begin_expectation(rules);
    return mfa_condition_read(&rules->expect, node);
}

/* --- success --------------------------------------------------------------------------------------------------- */

/* Appends what `*at` begins with, a name or an index in brackets, as a token, and moves past it. */
static enum mfa_status append_token(struct mfa_buffer *pointer, const char **at)
{
    const bool is_index = **at == '[';
    const char *token = *at + is_index;
    const size_t len = strcspn(token, is_index ? "]" : ".[");
    const bool is_good =
        is_index ? strspn(token, "0123456789") == len && token[len] == ']' : strcspn(token, "]*?(){}$'\"") >= len;
    enum mfa_status status;

    if (len == 0 || !is_good)
        return MFA_ERR_SYNTAX;
    *at = token + len + is_index;
    status = mfa_buffer_append_text(pointer, "/");
    return status == MFA_OK ? mfa_encode_pointer(pointer, token, len) : status;
}

/* Appends the pointer that a path like `$.messages[0].status` stands for. */
static enum mfa_status append_path(struct mfa_buffer *pointer, const char *path)
{
    const char *at = path;
    enum mfa_status status;

    if (strncmp(at, "$.", 2) == 0 || strncmp(at, "$[", 2) == 0)
        at += at[1] == '.' ? 2 : 1;
    while ((status = append_token(pointer, &at)) == MFA_OK && *at != '\0') {
        if (*at == '.')
            at++;
        else if (*at != '[')
            return MFA_ERR_SYNTAX;
    }
    return status;
}

static enum mfa_status read_path(struct mfa_rules *rules, const struct mfa_yaml_node *node,
                                 struct mfa_condition_member **out)
{
    const char *path = mfa_yaml_string(node);
    struct mfa_buffer pointer;
    enum mfa_status status;

    *out = NULL;
    if (path == NULL)
        return MFA_OK;
    mfa_buffer_init(&pointer, POINTER_MAX_LEN);
    status = append_path(&pointer, path);
    if (status == MFA_OK)
        status = mfa_condition_add(&rules->expect, pointer.data, true, node, out);
    else if (status != MFA_ERR_MEMORY)
        status = report_problem(node, MFA_ERR_SYNTAX,
                                "must be names joined by dots, with [0] for an item of a list, as in "
                                "\"messages[0].status\": for anything else use expect.json");
    mfa_buffer_clear(&pointer);
    return status;
}

enum mfa_status mfa_rules_read_success(struct mfa_rules *rules, const struct mfa_yaml_node *node)
{
    static const char *const names[] = {"jsonPath", "equals", NULL};
    const struct mfa_yaml_node *path = NULL;
    const struct mfa_yaml_node *equals = NULL;
    struct mfa_condition_member *member = NULL;
    enum mfa_status status;

    begin_expectation(rules);
    if (!mfa_yaml_check_keys(node, names))
        return MFA_OK;
    path = mfa_yaml_find_key(node, "jsonPath");
    equals = mfa_yaml_find_key(node, "equals");
    if (path == NULL || equals == NULL) {
        mfa_yaml_error(node, "must have both \"jsonPath\" and \"equals\"");
        return MFA_OK;
    }
    status = read_path(rules, path, &member);
    return member == NULL ? status : mfa_matcher_read_value(&member->matcher, equals);
}

/* --- outcomes -------------------------------------------------------------------------------------------------- */

static struct mfa_outcome_rule *add_outcome(struct mfa_rules *rules)
{
    struct mfa_outcome_rule *outcomes = reallocarray(rules->outcomes, rules->outcome_count + 1, sizeof *outcomes);

    if (outcomes == NULL)
        return NULL;
    rules->outcomes = outcomes;
    outcomes[rules->outcome_count] = (struct mfa_outcome_rule){0};
    return &outcomes[rules->outcome_count++];
}

static enum mfa_status read_outcome(struct mfa_rules *rules, const struct mfa_yaml_node *node)
{
    static const char *const names[] = {"when", "is", NULL};
    const struct mfa_yaml_node *when = NULL;
    const struct mfa_yaml_node *is = NULL;
    struct mfa_outcome_rule *outcome = NULL;
    size_t meaning = MFA_MEANING_ERROR;

    if (!mfa_yaml_check_keys(node, names))
        return MFA_OK;
    when = mfa_yaml_find_key(node, "when");
    is = mfa_yaml_find_key(node, "is");
    if (when == NULL || is == NULL) {
        mfa_yaml_error(node, "must have both \"when\" and \"is\"");
        return MFA_OK;
    }
    outcome = add_outcome(rules);
    if (outcome == NULL)
        return MFA_ERR_MEMORY;
    if (mfa_yaml_choice(is, meaning_names, &meaning))
        outcome->is = (enum mfa_meaning)meaning;
    outcome->when.needs_2xx = outcome->is == MFA_MEANING_ACCEPTED;
    return mfa_condition_read(&outcome->when, when);
}

enum mfa_status mfa_rules_read_outcomes(struct mfa_rules *rules, const struct mfa_yaml_node *node)
{
    const struct mfa_yaml_node *item;
    enum mfa_status status = MFA_OK;

    if (mfa_yaml_item(node, 0) == NULL)
        mfa_yaml_error(node, "must be a list of rules, each with \"when\" and \"is\"");
    for (size_t i = 0; status == MFA_OK && (item = mfa_yaml_item(node, i)) != NULL; i++)
        status = read_outcome(rules, item);
    return status;
}

/* --- capture --------------------------------------------------------------------------------------------------- */

static const char *capture_name_problem(const struct mfa_rules *rules, const char *name)
{
    if (!mfa_placeholder_is_name(name, strlen(name)))
        return "is not the name of a variable: a letter or _, then at most 63 letters, digits, _ . -";
    if (strcmp(name, MFA_VARIABLE_CODE) == 0 || strcmp(name, MFA_VARIABLE_NONCE) == 0)
        return "is a name that is taken: captures must not be called \"code\" or \"nonce\"";
    if (rules->capture_count == MFA_RULES_MAX_CAPTURES)
        return "is one capture too many: there can be 16";
    return NULL;
}

static bool is_header_name(const char *name)
{
    const char *at = name;

    while (mfa_url_is_unreserved(*at))
        at++;
    return at > name && *at == '\0';
}

/* Sets where the capture comes from. */
static enum mfa_status set_source(struct mfa_capture *capture, const char *source, const char **problem)
{
    const char *header = source + strlen(HEADER_PREFIX);

    if (strncmp(source, HEADER_PREFIX, strlen(HEADER_PREFIX)) != 0)
        return mfa_pointer_parse(&capture->pointer, source, problem);
    if (!is_header_name(header)) {
        *problem = "must be a JSON pointer or the name of a header, as in \"/request_id\" or \"header:Location\"";
        return MFA_ERR_SYNTAX;
    }
    capture->header = strdup(header);
    return capture->header == NULL ? MFA_ERR_MEMORY : MFA_OK;
}

static enum mfa_status read_one_capture(struct mfa_rules *rules, const struct mfa_yaml_node *node)
{
    const char *name = mfa_yaml_key(node);
    const char *source = mfa_yaml_string(node);
    const char *problem = capture_name_problem(rules, name);
    struct mfa_capture *capture = &rules->captures[rules->capture_count];
    enum mfa_status status;

    if (problem != NULL)
        return report_problem(node, MFA_ERR_SYNTAX, problem);
    if (source == NULL)
        return MFA_OK;
    capture->name = strdup(name);
    if (capture->name == NULL)
        return MFA_ERR_MEMORY;
    rules->capture_count++;
    status = set_source(capture, source, &problem);
    return report_problem(node, status, problem);
}

enum mfa_status mfa_rules_read_capture(struct mfa_rules *rules, const struct mfa_yaml_node *node)
{
    const struct mfa_yaml_node *entry;
    enum mfa_status status = MFA_OK;

    if (!mfa_yaml_is_mapping(node))
        return MFA_OK;
    for (size_t i = 0; status == MFA_OK && (entry = mfa_yaml_entry(node, i)) != NULL; i++)
        status = read_one_capture(rules, entry);
    return status;
}

/* --- retryAfter ------------------------------------------------------------------------------------------------ */

enum mfa_status mfa_rules_read_retry_after(struct mfa_rules *rules, const struct mfa_yaml_node *node)
{
    const char *pointer = mfa_yaml_string(node);
    const char *problem = NULL;
    enum mfa_status status;

    if (pointer == NULL)
        return MFA_OK;
    status = mfa_pointer_parse(&rules->retry_after, pointer, &problem);
    return report_problem(node, status, problem);
}
