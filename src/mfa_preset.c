/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_preset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_file.h"
#include "mfa_json.h"

#define NAME_MAX_LEN 64
#define LIST_MAX_LEN 640
#define SUFFIX ".yml"

struct mfa_preset {
    struct mfa_preset *next;
    const struct mfa_yaml_node *name_node;
    const struct mfa_yaml_node *parameters;
    bool is_good;
    char *path;
    struct mfa_buffer text;
    struct mfa_config_source source;
    struct mfa_yaml *yaml;
    const char *name;      /* the operator's; borrowed */
    json_t *values_secret; /* name -> text of each parameter */
};

static void preset_free(struct mfa_preset *preset)
{
    mfa_json_free(preset->values_secret);
    mfa_yaml_free(preset->yaml);
    mfa_buffer_clear(&preset->text);
    free(preset->path);
    free(preset);
}

void mfa_presets_clear(struct mfa_presets *presets)
{
    while (presets->list != NULL) {
        struct mfa_preset *next = presets->list->next;

        preset_free(presets->list);
        presets->list = next;
    }
}

/* --- The file --------------------------------------------------------------------------------------------------- */

static bool is_name(const char *name, size_t len)
{
    return len > 0 && len <= NAME_MAX_LEN && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") >= len;
}

static int is_preset_file(const struct dirent *entry)
{
    const char *suffix = strrchr(entry->d_name, '.');

    return suffix != NULL && strcmp(suffix, SUFFIX) == 0 && is_name(entry->d_name, (size_t)(suffix - entry->d_name));
}

/* Names what there is to choose from, as far as it fits on a line. */
static void report_unknown(const struct mfa_yaml_node *name, const char *directory)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_preset_file, alphasort);
    char list[LIST_MAX_LEN] = "";
    size_t len = 0;

    for (int i = 0; i < count; i++) {
        const size_t stem_len = strlen(entries[i]->d_name) - strlen(SUFFIX);

        if (len + stem_len + 3 < sizeof list)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%.*s", len == 0 ? "" : ", ", (int)stem_len,
                                    entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (len > 0)
        mfa_yaml_error(name, "is not the name of a preset in %s: those there are %s", directory, list);
    else
        mfa_yaml_error(name, "cannot be looked up: there are no presets in %s; set presetsDirectory", directory);
}

static enum mfa_status load(struct mfa_preset *preset, const char *directory)
{
    const struct mfa_yaml_node *name = preset->name_node;
    enum mfa_status status;

    if (!is_name(preset->name, strlen(preset->name))) {
        report_unknown(name, directory);
        return MFA_ERR_CONFIG;
    }
    if (asprintf(&preset->path, "%s/%s" SUFFIX, directory, preset->name) < 0) {
        preset->path = NULL;
        return MFA_ERR_MEMORY;
    }
    mfa_buffer_init(&preset->text, MFA_YAML_MAX_LEN);
    status = mfa_file_read(preset->path, &preset->text);
    if (status == MFA_ERR_NOT_FOUND && errno == ENOENT)
        report_unknown(name, directory);
    else if (status == MFA_ERR_NOT_FOUND)
        mfa_yaml_error(name, "names a preset that cannot be read, %s: %s", preset->path, strerror(errno));
    else if (status == MFA_ERR_TOO_LARGE)
        mfa_yaml_error(name, "names a preset that is too long, %s", preset->path);
    if (status == MFA_ERR_NOT_FOUND || status == MFA_ERR_TOO_LARGE)
        return MFA_ERR_CONFIG;
    if (status != MFA_OK)
        return status;
    preset->source = (struct mfa_config_source){.text = preset->text.data,
                                                .text_len = preset->text.len,
                                                .section = preset->name,
                                                .file = preset->path,
                                                .first_line = 1};
    return mfa_yaml_parse_for(&preset->yaml, &preset->source, name);
}

/* --- Parameters ------------------------------------------------------------------------------------------------- */

/* Text or a number, as text. `*out` is NULL when it is something else, which has been reported. */
static enum mfa_status read_value(const struct mfa_yaml_node *node, json_t **out)
{
    enum mfa_status status = mfa_yaml_json(node, out);
    struct mfa_buffer text;

    if (status != MFA_OK)
        return status == MFA_ERR_CONFIG ? MFA_OK : status;
    if (json_is_string(*out))
        return MFA_OK;
    mfa_buffer_init(&text, NAME_MAX_LEN);
    if (json_is_integer(*out))
        status = mfa_json_encode(*out, &text);
    else
        mfa_yaml_error(node, "must be a string: put it in quotes");
    mfa_json_free(*out);
    *out = text.len > 0 ? json_stringn(text.data, text.len) : NULL;
    if (text.len > 0 && *out == NULL)
        status = MFA_ERR_MEMORY;
    mfa_buffer_clear(&text);
    return status;
}

/* What is missing has been reported; something must stand in for it, or all that needs it would be reported as well. */
#define STAND_IN "1"

static enum mfa_status keep_value(struct mfa_preset *preset, const char *name, json_t *value)
{
    json_t *kept = value != NULL ? value : json_string(STAND_IN);

    return kept != NULL && json_object_set_new(preset->values_secret, name, kept) == 0 ? MFA_OK : MFA_ERR_MEMORY;
}

/* One parameter that the preset declares: the operator's value, else the default. */
static enum mfa_status resolve(struct mfa_preset *preset, const struct mfa_yaml_node *declared)
{
    const struct mfa_yaml_node *parameters = preset->parameters;
    const char *key = mfa_yaml_key(declared);
    const struct mfa_yaml_node *given = mfa_yaml_find(parameters, key);
    const struct mfa_yaml_node *fallback = mfa_yaml_find(declared, "default");
    const struct mfa_yaml_node *description = mfa_yaml_find(declared, "description");
    json_t *value = NULL;
    enum mfa_status status = MFA_OK;

    if (given == NULL && fallback == NULL) {
        const char *text = mfa_yaml_string(description != NULL ? description : declared);

        mfa_yaml_error(parameters != NULL ? parameters : preset->name_node,
                       "must have the parameter %s for the preset %s: %s", key, preset->name, text != NULL ? text : "");
        return keep_value(preset, key, NULL);
    }
    if (given == NULL)
        status = mfa_yaml_expand(fallback, NULL);
    if (status == MFA_OK)
        status = read_value(given != NULL ? given : fallback, &value);
    if (given != NULL && value != NULL && json_string_length(value) == 0)
        mfa_yaml_error(given, "must not be empty");
    return status == MFA_OK ? keep_value(preset, key, value) : status;
}

static void check_given(const struct mfa_preset *preset, const struct mfa_yaml_node *declared)
{
    const struct mfa_yaml_node *parameters = preset->parameters;
    const char *names[MFA_YAML_MAX_ENTRIES + 1] = {NULL};
    const struct mfa_yaml_node *entry = NULL;

    for (size_t i = 0; i < MFA_YAML_MAX_ENTRIES && declared != NULL && (entry = mfa_yaml_entry(declared, i)) != NULL;
         i++)
        names[i] = mfa_yaml_key(entry);
    if (names[0] != NULL)
        mfa_yaml_check_keys(parameters, names);
    else if (mfa_yaml_is_mapping(parameters) && mfa_yaml_entry(parameters, 0) != NULL)
        mfa_yaml_error(parameters, "must be empty: the preset %s has no parameters", preset->name);
}

static const char *find_value(void *ctx, const char *name)
{
    const struct mfa_preset *preset = ctx;

    return json_string_value(json_object_get(preset->values_secret, name));
}

static enum mfa_status fill_in(struct mfa_preset *preset)
{
    const struct mfa_yaml_node *root = mfa_yaml_root(preset->yaml);
    const struct mfa_yaml_node *declared = mfa_yaml_find(root, "parameters");
    const struct mfa_yaml_node *entry = NULL;
    enum mfa_status status = MFA_OK;

    preset->values_secret = json_object();
    if (preset->values_secret == NULL)
        return MFA_ERR_MEMORY;
    if (preset->parameters != NULL)
        check_given(preset, declared);
    for (size_t i = 0; status == MFA_OK && declared != NULL && (entry = mfa_yaml_entry(declared, i)) != NULL; i++)
        status = resolve(preset, entry);
    if (status != MFA_OK)
        return status;
    return mfa_yaml_expand(mfa_yaml_find(root, "endpoints"),
                           &(struct mfa_expand_parameters){.find = find_value, .ctx = preset});
}

static enum mfa_status read(struct mfa_preset *preset, const char *directory)
{
    static const char *const keys[] = {"title", "parameters", "endpoints", NULL};
    enum mfa_status status = MFA_ERR_CONFIG;

    preset->name = mfa_yaml_string(preset->name_node);
    if (preset->name != NULL)
        status = load(preset, directory);
    if (status != MFA_OK)
        return status;
    if (mfa_yaml_root(preset->yaml) == NULL) {
        mfa_yaml_error(preset->name_node, "names a preset that is empty, %s", preset->path);
        return MFA_ERR_CONFIG;
    }
    return mfa_yaml_check_keys(mfa_yaml_root(preset->yaml), keys) ? fill_in(preset) : MFA_ERR_CONFIG;
}

static struct mfa_preset *find(const struct mfa_presets *presets, const struct mfa_yaml_node *name,
                               const struct mfa_yaml_node *parameters)
{
    struct mfa_preset *preset = presets->list;

    while (preset != NULL && (preset->name_node != name || preset->parameters != parameters))
        preset = preset->next;
    return preset;
}

enum mfa_status mfa_presets_get(struct mfa_presets *presets, const struct mfa_yaml_node *name,
                                const struct mfa_yaml_node *parameters, const struct mfa_preset **out)
{
    struct mfa_preset *preset = find(presets, name, parameters);
    enum mfa_status status = MFA_OK;

    *out = NULL;
    if (preset == NULL) {
        preset = calloc(1, sizeof *preset);
        if (preset == NULL)
            return MFA_ERR_MEMORY;
        preset->name_node = name;
        preset->parameters = parameters;
        preset->next = presets->list;
        presets->list = preset; /* transferred */
        status = read(preset, presets->directory);
        preset->is_good = status == MFA_OK;
    }
    if (preset->is_good)
        *out = preset;
    return status == MFA_ERR_CONFIG ? MFA_OK : status;
}

const struct mfa_yaml_node *mfa_preset_endpoint(const struct mfa_preset *preset, const char *name)
{
    const struct mfa_yaml_node *endpoints = mfa_yaml_find(mfa_yaml_root(preset->yaml), "endpoints");

    return mfa_yaml_find(endpoints, name);
}
