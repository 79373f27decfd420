/* SPDX-License-Identifier: Apache-2.0 */
#include "collect.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "mfa_expand.h"
#include "mfa_file.h"
#include "mfa_yaml.h"
#include "secret_name.h"

struct collection {
    struct secrets *secrets;
    const char *presets_directory;
    bool are_names_open; /* what a value is called does not make it a secret */
};

static void say_nothing(void *ctx, bool is_error, const char *line)
{
    (void)ctx;
    (void)is_error;
    (void)line;
}

/* --- Sources ------------------------------------------------------------------------------------------------------ */

/* Replaces what can be replaced. Returns the text, owned by caller, release with free; NULL: it cannot be. */
static char *expand(const char *text)
{
    char problem[MFA_EXPAND_PROBLEM_SIZE];
    struct mfa_buffer out;
    size_t len = 0;
    char *expanded = NULL;

    mfa_buffer_init(&out, MFA_YAML_MAX_LEN);
    if (memory_checked(mfa_expand(&out, text, NULL, problem)) == MFA_OK)
        expanded = mfa_buffer_take(&out, &len);
    mfa_buffer_clear(&out);
    return expanded;
}

static void collect_source(struct secrets *secrets, const char *from, size_t len)
{
    char *source = memory_need(strndup(from, len));
    char *value = expand(source);

    if (value != NULL)
        secrets_add(secrets, value, strlen(value));
    free(value);
    free(source);
}

/* Each `${...}` in the text by itself, since what stands around it is no secret. */
static void collect_sources(struct secrets *secrets, const char *text)
{
    const char *end = NULL;

    for (const char *at = strstr(text, "${"); at != NULL; at = strstr(at + 2, "${"))
        if ((end = strchr(at, '}')) != NULL)
            collect_source(secrets, at, (size_t)(end - at) + 1);
}

/* --- The section -------------------------------------------------------------------------------------------------- */

/* Texts and numbers; owned by caller, release with free. NULL: it is neither. */
static char *text_of(const struct mfa_yaml_node *node)
{
    json_t *value = NULL;
    char *text = NULL;

    if (memory_checked(mfa_yaml_json(node, &value)) != MFA_OK)
        return NULL;
    if (json_is_string(value))
        text = memory_need(strdup(json_string_value(value)));
    else if (json_is_number(value))
        text = memory_need(json_dumps(value, JSON_ENCODE_ANY));
    json_decref(value);
    return text;
}

/* What belongs to an authorization and is none. */
static bool is_open(const char *key)
{
    static const char *const keys[] = {"credentials", "region", "service", "tokenUrl"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static void collect_preset(const struct collection *collection, const char *name);

static void collect_text(const struct collection *collection, const struct mfa_yaml_node *node, bool is_secret)
{
    const char *key = mfa_yaml_key(node) != NULL ? mfa_yaml_key(node) : "";
    char *written = text_of(node);
    char *text = written != NULL ? expand(written) : NULL;

    if (written != NULL)
        collect_sources(collection->secrets, written);
    if (text == NULL) {
        text = written;
        written = NULL;
    }
    if (text != NULL && is_secret && !collection->are_names_open)
        secrets_add_from_header(collection->secrets, "authorization", text);
    if (text != NULL && strcmp(key, "preset") == 0)
        collect_preset(collection, text);
    free(written);
    free(text);
}

static void collect(const struct collection *collection, const struct mfa_yaml_node *node, bool is_secret)
{
    const struct mfa_yaml_node *entry = NULL;
    const char *key = mfa_yaml_key(node);

    /* Names of variables and JSON pointers, whatever they are called. */
    if (key != NULL && strcmp(key, "capture") == 0)
        return;
    if (key != NULL)
        is_secret = (is_secret || secret_name_is(key, strlen(key)) || strcmp(key, "sign") == 0) && !is_open(key);
    if (!mfa_yaml_is_collection(node)) {
        collect_text(collection, node, is_secret);
        return;
    }
    for (size_t i = 0; (entry = mfa_yaml_entry(node, i)) != NULL; i++)
        collect(collection, entry, is_secret);
    for (size_t i = 0; (entry = mfa_yaml_item(node, i)) != NULL; i++)
        collect(collection, entry, is_secret);
}

/* Below `path`; NULL: all of it. */
static void collect_document(const struct collection *collection, const struct mfa_config_source *source,
                             const char *path)
{
    struct mfa_yaml *yaml = NULL;
    const struct mfa_yaml_node *node = NULL;

    if (memory_checked(mfa_yaml_parse(&yaml, source, say_nothing, NULL)) == MFA_OK) {
        node = mfa_yaml_root(yaml);
        node = path != NULL ? mfa_yaml_find(node, path) : node;
        if (node != NULL)
            collect(collection, node, false);
    }
    mfa_yaml_free(yaml);
}

/* Where a preset says what its parameters are there is no secret but what defaults name. */
static void collect_preset(const struct collection *collection, const char *name)
{
    const struct collection inner = {.secrets = collection->secrets, .presets_directory = ""};
    const struct collection declared = {
        .secrets = collection->secrets, .presets_directory = "", .are_names_open = true};
    char *path = memory_text("%s/%s.yml", collection->presets_directory, name);
    struct mfa_buffer text;

    mfa_buffer_init(&text, MFA_YAML_MAX_LEN);
    if (strchr(name, '/') == NULL && memory_checked(mfa_file_read(path, &text)) == MFA_OK) {
        const struct mfa_config_source source = {
            .text = text.data, .text_len = text.len, .section = name, .file = path};

        collect_document(&inner, &source, "endpoints");
        collect_document(&declared, &source, "parameters");
    }
    mfa_buffer_clear(&text);
    free(path);
}

void collect_from_section(struct secrets *secrets, const struct mfa_config_source *source,
                          const char *presets_directory)
{
    const struct collection collection = {.secrets = secrets, .presets_directory = presets_directory};

    collect_document(&collection, source, NULL);
}

/* --- What it has become ------------------------------------------------------------------------------------------- */

static void collect_key(struct secrets *secrets, const char *key)
{
    if (key != NULL)
        secrets_add(secrets, key, strlen(key));
}

static void collect_template(struct secrets *secrets, const struct mfa_template *tmpl,
                             void (*add)(struct secrets *secrets, const char *text, size_t len))
{
    if (tmpl != NULL)
        add(secrets, mfa_template_text(tmpl), strlen(mfa_template_text(tmpl)));
}

static void collect_endpoint(struct secrets *secrets, const struct mfa_endpoint *endpoint)
{
    collect_template(secrets, endpoint->url, secrets_add_from_url);
    collect_template(secrets, endpoint->body, secrets_add_from_body);
    for (size_t i = 0; i < endpoint->header_count; i++)
        secrets_add_from_header(secrets, endpoint->headers[i].name, mfa_template_text(endpoint->headers[i].value));
    collect_key(secrets, endpoint->sign.aws4.access_key_id);
    collect_key(secrets, endpoint->sign.aws4.secret_access_key_secret);
    collect_key(secrets, endpoint->sign.ovh.application_key);
    collect_key(secrets, endpoint->sign.ovh.application_secret_secret);
    collect_key(secrets, endpoint->sign.ovh.consumer_key_secret);
    if (endpoint->token != NULL)
        collect_endpoint(secrets, endpoint->token);
}

void collect_from_config(struct secrets *secrets, const struct mfa_config *config)
{
    const struct mfa_endpoint *const chains[] = {&config->single, &config->challenge, &config->verify};

    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++)
        for (const struct mfa_endpoint *endpoint = chains[i]; endpoint != NULL; endpoint = endpoint->fallback)
            collect_endpoint(secrets, endpoint);
}
