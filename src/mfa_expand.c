/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_expand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_file.h"

/* Longest name of a variable, path or parameter, with NUL. */
#define NAME_SIZE 256

struct expansion {
    struct mfa_buffer *out;
    const struct mfa_expand_parameters *parameters;
    char *problem;
    char name[NAME_SIZE];
};

static enum mfa_status append_value(const struct expansion *expansion, const char *what, const char *value, size_t len)
{
    if (len > 0 && memchr(value, '\0', len) == NULL)
        return mfa_buffer_append(expansion->out, value, len);
    snprintf(expansion->problem, MFA_EXPAND_PROBLEM_SIZE, "needs the %s %s, which %s", what, expansion->name,
             len == 0 ? "is empty" : "holds the character NUL");
    return MFA_ERR_SYNTAX;
}

static enum mfa_status expand_env(struct expansion *expansion)
{
    const char *value = getenv(expansion->name);

    if (value != NULL)
        return append_value(expansion, "environment variable", value, strlen(value));
    snprintf(expansion->problem, MFA_EXPAND_PROBLEM_SIZE, "needs the environment variable %s, which is not set",
             expansion->name);
    return MFA_ERR_SYNTAX;
}

static size_t without_line_end(const char *text, size_t len)
{
    len -= len > 0 && text[len - 1] == '\n';
    len -= len > 0 && text[len - 1] == '\r';
    return len;
}

static enum mfa_status append_file(struct expansion *expansion, struct mfa_buffer *secret)
{
    enum mfa_status status = mfa_file_read(expansion->name, secret);

    if (status == MFA_OK)
        return append_value(expansion, "file", secret->data, without_line_end(secret->data, secret->len));
    if (status == MFA_ERR_MEMORY)
        return status;
    snprintf(expansion->problem, MFA_EXPAND_PROBLEM_SIZE, "needs the file %s, which %s%s", expansion->name,
             status == MFA_ERR_TOO_LARGE ? "is longer than 64 KiB" : "cannot be read: ",
             status == MFA_ERR_TOO_LARGE ? "" : strerror(errno));
    return MFA_ERR_SYNTAX;
}

static enum mfa_status expand_file(struct expansion *expansion)
{
    struct mfa_buffer secret;
    enum mfa_status status;

    if (expansion->name[0] != '/') {
        snprintf(expansion->problem, MFA_EXPAND_PROBLEM_SIZE,
                 "has ${file:%s}, which is no absolute path: write it from the root on, as ${file:/run/secrets/name}",
                 expansion->name);
        return MFA_ERR_SYNTAX;
    }
    mfa_buffer_init(&secret, MFA_EXPAND_FILE_MAX_LEN);
    status = append_file(expansion, &secret);
    mfa_buffer_clear(&secret);
    return status;
}

static enum mfa_status expand_parameter(struct expansion *expansion)
{
    const struct mfa_expand_parameters *parameters = expansion->parameters;
    const char *value = parameters->find(parameters->ctx, expansion->name);

    if (value != NULL)
        return mfa_buffer_append_text(expansion->out, value);
    snprintf(expansion->problem, MFA_EXPAND_PROBLEM_SIZE, "needs the parameter %s, which the preset does not declare",
             expansion->name);
    return MFA_ERR_SYNTAX;
}

static const struct {
    const char *prefix;
    enum mfa_status (*expand)(struct expansion *expansion);
} sources[] = {{"${env:", expand_env}, {"${file:", expand_file}, {"${param:", expand_parameter}};

#define ENV_AND_FILE 2

/* Where the name begins if `text` starts a replacement; `*source` is its number, or the count of all when it is unknown.
 * NULL: plain text. */
static const char *name_of(const struct expansion *expansion, const char *text, size_t *source)
{
    const size_t count = expansion->parameters != NULL ? sizeof sources / sizeof sources[0] : ENV_AND_FILE;
    const size_t word_len = strspn(text + 2, "abcdefghijklmnopqrstuvwxyz");

    for (*source = 0; *source < count; (*source)++)
        if (strncmp(text, sources[*source].prefix, strlen(sources[*source].prefix)) == 0)
            return text + strlen(sources[*source].prefix);
    *source = sizeof sources / sizeof sources[0];
    return word_len > 0 && text[2 + word_len] == ':' ? text + 2 + word_len + 1 : NULL;
}

static bool take_name(struct expansion *expansion, const char *name)
{
    const size_t len = strcspn(name, "}");

    if (len == 0 || len >= NAME_SIZE || name[len] == '\0')
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    memcpy(expansion->name, name, len);
    expansion->name[len] = '\0';
    return true;
}

/* Replaces what starts at `*text` and moves behind it. */
static enum mfa_status expand_one(struct expansion *expansion, const char **text, const char *name, size_t source)
{
    if (source == sizeof sources / sizeof sources[0]) {
        snprintf(expansion->problem, MFA_EXPAND_PROBLEM_SIZE,
                 "has \"${\" with a source that is not known: write ${env:NAME} or ${file:/path}");
        return MFA_ERR_SYNTAX;
    }
    if (!take_name(expansion, name)) {
        snprintf(expansion->problem, MFA_EXPAND_PROBLEM_SIZE, "has \"%s\" without a name and \"}\" behind it",
                 sources[source].prefix);
        return MFA_ERR_SYNTAX;
    }
    *text = name + strlen(expansion->name) + 1;
    return sources[source].expand(expansion);
}

enum mfa_status mfa_expand(struct mfa_buffer *out, const char *text, const struct mfa_expand_parameters *parameters,
                           char problem[static MFA_EXPAND_PROBLEM_SIZE])
{
    struct expansion expansion = {.out = out, .parameters = parameters, .problem = problem};
    enum mfa_status status = MFA_OK;
    const char *next = NULL;

    problem[0] = '\0';
    while (status == MFA_OK && (next = strstr(text, "${")) != NULL) {
        size_t source = 0;
        const char *name = name_of(&expansion, next, &source);
        const size_t plain_len = (size_t)(next - text) + (name == NULL ? 2 : 0);

        status = mfa_buffer_append(out, text, plain_len);
        text += plain_len;
        if (status == MFA_OK && name != NULL)
            status = expand_one(&expansion, &text, name, source);
    }
    return status == MFA_OK ? mfa_buffer_append_text(out, text) : status;
}
