/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_messages.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mfa_placeholder.h"
#include "mfa_template.h"
#include "mfa_yaml.h"

#define DOMAIN_MAX_LEN 253 /* RFC 1035, 2.3.4 */

void mfa_messages_clear(struct mfa_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        free(messages->list[i].language);
        free(messages->list[i].text);
    }
    *messages = (struct mfa_messages){0};
}

/* --- Reading ----------------------------------------------------------------------------------------------------- */

/* `{{ code }}` must be there, and nothing else is ever replaced in a message. */
static const char *text_problem(const char *text)
{
    const char *end = text + strlen(text);
    bool has_code = false;

    if (end - text > MFA_MESSAGE_MAX_LEN)
        return "is longer than 1600 bytes";
    for (const char *at = text; (at = mfa_placeholder_find(at, end)) != NULL; at += 2) {
        if (mfa_placeholder_len_of(MFA_VARIABLE_CODE, at, end) == 0)
            return "can have no placeholder but {{ code }}";
        has_code = true;
    }
    return has_code ? NULL : "must have {{ code }} where the code is to stand";
}

static const char *language_problem(const char *language)
{
    const size_t len = strlen(language);

    if (len < 2 || len > 35 ||
        strspn(language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != len)
        return "is not a language: write its tag, such as en, fr or pt-BR";
    return NULL;
}

static enum mfa_status add(struct mfa_messages *messages, const char *language, const char *text, const char *domain)
{
    struct mfa_message message = {.language = strdup(language)};
    const int len = domain != NULL ? asprintf(&message.text, "%s\n\n@%s #{{ code }}", text, domain)
                                   : asprintf(&message.text, "%s", text);

    if (len < 0)
        message.text = NULL;
    if (message.language == NULL || message.text == NULL) {
        free(message.language);
        free(message.text);
        return MFA_ERR_MEMORY;
    }
    messages->list[messages->count++] = message; /* transferred */
    return MFA_OK;
}

static enum mfa_status read_message(struct mfa_messages *messages, const struct mfa_yaml_node *node, const char *domain)
{
    const char *text = mfa_yaml_string(node);
    const char *problem = text != NULL ? language_problem(mfa_yaml_key(node)) : NULL;

    if (text != NULL && problem == NULL)
        problem = text_problem(text);
    if (problem == NULL && messages->count == MFA_MESSAGES_MAX)
        problem = "is one message too many: at most 32 are kept";
    if (problem != NULL)
        mfa_yaml_error(node, "%s", problem);
    return text != NULL && problem == NULL ? add(messages, mfa_yaml_key(node), text, domain) : MFA_OK;
}

/* Returns the domain; NULL: there is none, or it is none, which has been reported. */
static const char *read_domain(const struct mfa_yaml_node *node)
{
    const char *domain = node != NULL ? mfa_yaml_string(node) : NULL;
    const size_t len = domain != NULL ? strlen(domain) : 0;

    if (domain == NULL)
        return NULL;
    if (len > 0 && len <= DOMAIN_MAX_LEN && strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len)
        return domain;
    mfa_yaml_error(node, "must be the domain of the site that the code is typed into, in lower case: example.com");
    return NULL;
}

enum mfa_status mfa_messages_read(struct mfa_messages *messages, const struct mfa_yaml_node *node,
                                  const struct mfa_yaml_node *domain_node)
{
    const char *domain = read_domain(domain_node);
    const struct mfa_yaml_node *entry = NULL;
    enum mfa_status status = MFA_OK;

    if (node == NULL && domain_node != NULL)
        mfa_yaml_error(domain_node, "needs messages beside it: its line is put at their end");
    if (node == NULL || !mfa_yaml_is_mapping(node))
        return MFA_OK;
    for (size_t i = 0; status == MFA_OK && (entry = mfa_yaml_entry(node, i)) != NULL; i++)
        status = read_message(messages, entry, domain);
    if (mfa_yaml_entry(node, 0) == NULL)
        mfa_yaml_error(node, "must have at least one language");
    return status;
}

/* --- Choosing ---------------------------------------------------------------------------------------------------- */

static const char *find(const struct mfa_messages *messages, const char *language, size_t len)
{
    for (size_t i = 0; i < messages->count; i++)
        if (strlen(messages->list[i].language) == len && strncasecmp(messages->list[i].language, language, len) == 0)
            return messages->list[i].text;
    return NULL;
}

/* Looks for "de-CH-1996", then "de-CH", then "de" (RFC 4647, 3.4). */
static const char *look_up(const struct mfa_messages *messages, const char *language)
{
    size_t len = strlen(language);
    const char *text = NULL;

    while (len > 0 && (text = find(messages, language, len)) == NULL)
        while (len > 0 && language[--len] != '-' && language[len] != '_')
            ;
    return text != NULL ? text : messages->list[0].text;
}

enum mfa_status mfa_messages_add(const struct mfa_messages *messages, json_t *variables)
{
    const char *language = json_string_value(json_object_get(variables, MFA_VARIABLE_LANGUAGE));
    const char *text = NULL;

    if (messages->count == 0 || json_object_get(variables, MFA_VARIABLE_MESSAGE) != NULL)
        return MFA_OK;
    text = look_up(messages, language != NULL ? language : "");
    return json_object_set_new(variables, MFA_VARIABLE_MESSAGE, json_string(text)) == 0 ? MFA_OK : MFA_ERR_MEMORY;
}
