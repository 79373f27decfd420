/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_pointer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Longest rendered pointer, with room for a value of the user data. */
#define RENDERED_MAX_LEN 16384

/* A pointer taken apart in place: the tokens, unescaped, with a NUL behind each. */
struct tokens {
    const char *first; /* NULL: not taken apart */
    size_t count;
};

struct mfa_pointer {
    struct mfa_template *tmpl;
    char *constant_text; /* NULL when there are placeholders */
    struct tokens constant;
};

/* --- Taking apart ---------------------------------------------------------------------------------------------- */

static const char *problem_of(const char *text)
{
    if (*text != '\0' && *text != '/')
        return "must be a JSON pointer: it begins with \"/\", as in \"/messages/0/status\"";
    for (const char *at = strchr(text, '~'); at != NULL; at = strchr(at + 1, '~'))
        if (at[1] != '0' && at[1] != '1')
            return "has a \"~\" without 0 or 1 behind it: in a JSON pointer \"~\" is written ~0, and \"/\" in a name "
                   "~1";
    return NULL;
}

/* `text` has no problem. What is unescaped is never longer, so nothing is overwritten before it is read. */
static struct tokens split(char *text)
{
    struct tokens tokens = {.first = text + (*text == '/')};
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        tokens.count += *from == '/';
        if (*from == '~')
            *to++ = *++from == '0' ? '~' : '/';
        else
            *to++ = *from == '/' ? '\0' : *from;
    }
    *to = '\0';
    return tokens;
}

static enum mfa_status fill(struct mfa_pointer *pointer, const char *text, const char **problem)
{
    enum mfa_status status = mfa_template_parse(&pointer->tmpl, text, MFA_TEMPLATE_POINTER, problem);

    if (status != MFA_OK)
        return status;
    if (mfa_pointer_variable(pointer, 0) != NULL)
        return MFA_OK;
    pointer->constant_text = strdup(text);
    if (pointer->constant_text == NULL)
        return MFA_ERR_MEMORY;
    pointer->constant = split(pointer->constant_text);
    return MFA_OK;
}

enum mfa_status mfa_pointer_parse(struct mfa_pointer **out, const char *text, const char **problem)
{
    struct mfa_pointer *pointer;
    enum mfa_status status;

    *out = NULL;
    *problem = problem_of(text);
    if (*problem != NULL)
        return MFA_ERR_SYNTAX;
    pointer = calloc(1, sizeof *pointer);
    if (pointer == NULL)
        return MFA_ERR_MEMORY;
    status = fill(pointer, text, problem);
    if (status != MFA_OK) {
        mfa_pointer_free(pointer);
        return status;
    }
    *out = pointer; /* transferred */
    return MFA_OK;
}

void mfa_pointer_free(struct mfa_pointer *pointer)
{
    if (pointer == NULL)
        return;
    mfa_template_free(pointer->tmpl);
    free(pointer->constant_text);
    free(pointer);
}

/* --- Following ------------------------------------------------------------------------------------------------- */

static bool is_index(const char *token)
{
    return *token != '\0' && token[strspn(token, "0123456789")] == '\0' && (*token != '0' || token[1] == '\0');
}

static const json_t *child_of(const json_t *value, const char *token)
{
    if (json_is_array(value))
        return is_index(token) ? json_array_get(value, strtoul(token, NULL, 10)) : NULL;
    return json_object_get(value, token);
}

static const json_t *follow(const struct tokens *tokens, const json_t *value)
{
    const char *token = tokens->first;

    for (size_t i = 0; i < tokens->count && value != NULL; i++) {
        value = child_of(value, token);
        token += strlen(token) + 1;
    }
    return value;
}

/* What `| raw` puts into a pointer may be anything. */
static enum mfa_status follow_rendered(const struct mfa_pointer *pointer, const json_t *document,
                                       const struct mfa_variables *variables, const json_t **found)
{
    struct mfa_buffer rendered_secret;
    enum mfa_status status;

    mfa_buffer_init(&rendered_secret, RENDERED_MAX_LEN);
    status = mfa_template_render(pointer->tmpl, variables, &rendered_secret);
    if (status == MFA_OK && (strlen(rendered_secret.data) != rendered_secret.len || problem_of(rendered_secret.data)))
        status = MFA_ERR_REFUSED;
    if (status == MFA_OK) {
        const struct tokens tokens = split(rendered_secret.data);

        *found = follow(&tokens, document);
    }
    mfa_buffer_clear(&rendered_secret);
    return status;
}

enum mfa_status mfa_pointer_find(const struct mfa_pointer *pointer, const json_t *document,
                                 const struct mfa_variables *variables, const json_t **found)
{
    *found = NULL;
    if (pointer->constant.first == NULL)
        return follow_rendered(pointer, document, variables, found);
    *found = follow(&pointer->constant, document);
    return MFA_OK;
}

/* --- Asking about it ------------------------------------------------------------------------------------------- */

const char *mfa_pointer_text(const struct mfa_pointer *pointer)
{
    return mfa_template_text(pointer->tmpl);
}

const char *mfa_pointer_variable(const struct mfa_pointer *pointer, size_t i)
{
    return mfa_template_variable(pointer->tmpl, i);
}
