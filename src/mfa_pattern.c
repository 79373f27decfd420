/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_pattern.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_yaml.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A linear pattern takes a few steps for each byte of an answer. */
#define MATCH_MAX_STEPS 4000000
#define MATCH_MAX_DEPTH 10000
#define MATCH_MAX_HEAP_KIB 4096

/* Longest of PCRE2's own messages; the rest is cut off. */
#define MESSAGE_MAX_LEN 120

struct mfa_pattern {
    pcre2_code *code;
    char *text;
};

/* --- Parsing --------------------------------------------------------------------------------------------------- */

static enum mfa_status explain(char *problem, int error, PCRE2_SIZE offset)
{
    PCRE2_UCHAR message[MESSAGE_MAX_LEN + 1] = "";

    if (error == PCRE2_ERROR_HEAP_FAILED)
        return MFA_ERR_MEMORY;
    (void)pcre2_get_error_message(error, message, sizeof message);
    (void)snprintf(problem, MFA_PATTERN_PROBLEM_SIZE, "is not a regular expression: %s, at offset %zu",
                   (const char *)message, offset);
    return MFA_ERR_SYNTAX;
}

/* The callouts are for spend_steps. */
static enum mfa_status compile(pcre2_code **out, const char *text, char *problem)
{
    const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
    PCRE2_SIZE offset = 0;
    int error = 0;

    *out = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
    return *out != NULL ? MFA_OK : explain(problem, error, offset);
}

enum mfa_status mfa_pattern_parse(struct mfa_pattern **out, const char *text,
                                  char problem[static MFA_PATTERN_PROBLEM_SIZE])
{
    struct mfa_pattern *pattern = NULL;
    enum mfa_status status;

    *out = NULL;
    *problem = '\0';
    if (*text == '\0') {
        (void)snprintf(problem, MFA_PATTERN_PROBLEM_SIZE, "must not be empty: that would match anything");
        return MFA_ERR_SYNTAX;
    }
    pattern = calloc(1, sizeof *pattern);
    if (pattern == NULL)
        return MFA_ERR_MEMORY;
    pattern->text = strdup(text);
    status = pattern->text != NULL ? compile(&pattern->code, text, problem) : MFA_ERR_MEMORY;
    if (status != MFA_OK) {
        mfa_pattern_free(pattern);
        return status;
    }
    *out = pattern; /* transferred */
    return MFA_OK;
}

enum mfa_status mfa_pattern_read(struct mfa_pattern **out, const struct mfa_yaml_node *node)
{
    const char *text = mfa_yaml_string(node);
    char problem[MFA_PATTERN_PROBLEM_SIZE];
    enum mfa_status status;

    *out = NULL;
    if (text == NULL)
        return MFA_OK;
    status = mfa_pattern_parse(out, text, problem);
    if (status == MFA_ERR_SYNTAX)
        mfa_yaml_error(node, "%s", problem);
    return status == MFA_ERR_MEMORY ? status : MFA_OK;
}

void mfa_pattern_free(struct mfa_pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    free(pattern->text);
    free(pattern);
}

const char *mfa_pattern_text(const struct mfa_pattern *pattern)
{
    return pattern->text;
}

/* --- Matching -------------------------------------------------------------------------------------------------- */

/* What one match may still do. */
struct allowance {
    size_t steps;
    size_t last_position;
};

/* PCRE2's own limit of steps begins anew at each place where a match may start, and does not see how far one step goes:
 * with that alone `\s*x\d` takes seconds for 64 KiB of spaces. So each step is counted here, with its length. */
static int spend_steps(pcre2_callout_block *block, void *arg)
{
    struct allowance *allowance = arg;
    const size_t from = allowance->last_position;
    const size_t to = block->current_position;
    const size_t steps = 1 + (to > from ? to - from : from - to);

    if (steps > allowance->steps)
        return PCRE2_ERROR_CALLOUT;
    allowance->steps -= steps;
    allowance->last_position = to;
    return 0;
}

static void set_limits(pcre2_match_context *limits, struct allowance *allowance)
{
    (void)pcre2_set_callout(limits, spend_steps, allowance);
    (void)pcre2_set_match_limit(limits, MATCH_MAX_STEPS);
    (void)pcre2_set_depth_limit(limits, MATCH_MAX_DEPTH);
    (void)pcre2_set_heap_limit(limits, MATCH_MAX_HEAP_KIB);
}

static enum mfa_status status_of(int result)
{
    switch (result) {
    case PCRE2_ERROR_NOMATCH: return MFA_OK;
    case PCRE2_ERROR_CALLOUT:
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT: return MFA_ERR_TOO_LARGE;
    case PCRE2_ERROR_NOMEMORY: return MFA_ERR_MEMORY;
    default: return result >= 0 ? MFA_OK : MFA_ERR_INTERNAL;
    }
}

enum mfa_status mfa_pattern_match(const struct mfa_pattern *pattern, const char *text, size_t len, bool *matches)
{
    struct allowance allowance = {.steps = MATCH_MAX_STEPS};
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int result = PCRE2_ERROR_NOMEMORY;

    *matches = false;
    if (limits != NULL && data != NULL) {
        set_limits(limits, &allowance);
        result = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, 0, data, limits);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    *matches = result >= 0;
    return status_of(result);
}
