/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config_tree.h"
#include "host_config.h"
#include "log.h"

#define PATH_LEN_MAX 255 /* of a dotted path, in bytes */

/* libyaml counts characters, the text is bytes. */
static size_t byte_offset(const struct host_config *config, size_t characters)
{
    const char *text = config->text;
    size_t i = 0;

    while (characters > 0 && i < config->text_len) {
        i++;
        while (i < config->text_len && ((unsigned char)text[i] & 0xc0) == 0x80)
            i++;
        characters--;
    }
    return i;
}

static size_t line_start(const char *text, size_t offset)
{
    while (offset > 0 && text[offset - 1] != '\n')
        offset--;
    return offset;
}

/* Cuts a block mapping out as whole lines: from that of its first key to the last one before whatever follows it. */
static core_status cut_block(const struct host_config *config, const char *key, yaml_document_t *document,
                             const yaml_node_t *mapping, struct core_config *section)
{
    const yaml_node_t *first = yaml_document_get_node(document, mapping->data.mapping.pairs.start->key);
    size_t first_key = byte_offset(config, first->start_mark.index);
    size_t end = byte_offset(config, mapping->end_mark.index);
    size_t start = line_start(config->text, first_key);

    if (end < config->text_len)
        end = line_start(config->text, end);
    if (strspn(config->text + start, " ") < first_key - start || end <= first_key) {
        config_tree_complain(config, key, first, "must start on a line of its own");
        return CORE_ERR_CONFIG;
    }
    section->text = (struct core_span){config->text + start, end - start};
    section->origin_line = (uint32_t)(first->start_mark.line + 1);
    return CORE_OK;
}

static core_status cut(const struct host_config *config, const char *path, yaml_document_t *document,
                       const yaml_node_t *key, const yaml_node_t *value, struct core_config *section)
{
    /* An anchor stands before its aliases, so a value before its own key is an alias. */
    if (value->start_mark.index < key->start_mark.index) {
        config_tree_complain(config, path, key, "must be written out here, not given as an alias");
        return CORE_ERR_CONFIG;
    }
    if (value->type != YAML_MAPPING_NODE) {
        config_tree_complain(config, path, value, "must be a mapping");
        return CORE_ERR_CONFIG;
    }
    if (value->data.mapping.style == YAML_BLOCK_MAPPING_STYLE)
        return cut_block(config, path, document, value, section);
    size_t start = byte_offset(config, value->start_mark.index);
    section->text = (struct core_span){config->text + start, byte_offset(config, value->end_mark.index) - start};
    section->origin_line = (uint32_t)(value->start_mark.line + 1);
    return CORE_OK;
}

/* "services:" with nothing behind it. */
static bool is_absent(const yaml_node_t *node)
{
    return config_tree_scalar_is(node, "") && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* A plugin must not take a broken configuration for one that leaves it out. */
static core_status refuse_parent(const struct host_config *config, const char *path, const yaml_node_t *node)
{
    config_tree_complain(config, path, node, "cannot be read, because what stands above it is not a mapping");
    return CORE_ERR_CONFIG;
}

/* Walks down the dotted path; `section` stays absent when it ends early. */
static core_status find_section(const struct host_config *config, const char *path, yaml_document_t *document,
                                struct core_config *section)
{
    const yaml_node_t *node = yaml_document_get_root_node(document), *key = NULL;
    char names[PATH_LEN_MAX + 1];
    char *rest = names;

    if (!node)
        return CORE_OK;
    if (strlen(path) >= sizeof(names))
        return CORE_ERR_ARGUMENT;
    (void)strcpy(names, path);
    while (rest) {
        const yaml_node_pair_t *pair = NULL;
        const char *name = strsep(&rest, ".");
        if (node->type != YAML_MAPPING_NODE)
            return is_absent(node) ? CORE_OK : refuse_parent(config, path, node);
        core_status status = config_tree_find(config, document, node, name, path, &pair);
        if (status != CORE_OK || !pair)
            return status;
        key = yaml_document_get_node(document, pair->key);
        node = yaml_document_get_node(document, pair->value);
    }
    return cut(config, path, document, key, node, section);
}

core_status host_config_section(const struct host_config *config, const char *path, struct core_config *section)
{
    yaml_document_t document;

    *section = (struct core_config){
        .struct_size = sizeof(*section), .format = CORE_CONFIG_YAML, .origin = {config->path, strlen(config->path)}};
    core_status status = config_tree_parse(config, &document);
    if (status != CORE_OK)
        return status;
    status = find_section(config, path, &document, section);
    yaml_document_delete(&document);
    return status;
}

/* What the plugins read of the file. */
struct claims {
    const struct host_config *config;
    yaml_document_t *document;
    const char *const *paths;
    size_t count;
};

enum claim { CLAIM_NONE, CLAIM_BELOW, CLAIM_WHOLE };

static enum claim claim_of(const struct claims *claims, const char *path)
{
    enum claim found = CLAIM_NONE;
    size_t len = strlen(path);

    for (size_t i = 0; i < claims->count; i++) {
        if (strncmp(claims->paths[i], path, len) != 0)
            continue;
        if (claims->paths[i][len] == '\0')
            return CLAIM_WHOLE;
        if (claims->paths[i][len] == '.')
            found = CLAIM_BELOW;
    }
    return found;
}

static core_status check_below(const struct claims *claims, const char *path, const yaml_node_t *mapping);

static core_status check_key(const struct claims *claims, const char *above, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_document_get_node(claims->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(claims->document, pair->value);
    enum claim claim = CLAIM_NONE;
    char path[PATH_LEN_MAX + 1];

    if (key->type != YAML_SCALAR_NODE)
        return CORE_OK;
    int len = snprintf(path, sizeof(path), "%s.%s", above, config_tree_text(key));
    /* The dots of a path are between keys. */
    if (len >= 0 && (size_t)len < sizeof(path) && !strchr(config_tree_text(key), '.'))
        claim = claim_of(claims, path);
    if (claim == CLAIM_WHOLE)
        return CORE_OK;
    if (claim == CLAIM_BELOW)
        return check_below(claims, path, value);
    log_line(CORE_LOG_ERROR,
             "%s.%s (%s:%zu): no plugin reads this section; put its plugin into the plugins directory, or remove the "
             "section",
             above, config_tree_text(key), claims->config->path, key->start_mark.line + 1);
    return CORE_ERR_CONFIG;
}

/* Checks the keys of a mapping at `path`. Of anything else no section can be read. */
static core_status check_below(const struct claims *claims, const char *path, const yaml_node_t *mapping)
{
    core_status status = CORE_OK;

    if (mapping->type != YAML_MAPPING_NODE)
        return CORE_OK;
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
         pair++)
        if (check_key(claims, path, pair) != CORE_OK)
            status = CORE_ERR_CONFIG;
    return status;
}

static core_status check_claimed(const struct claims *claims)
{
    static const char services[] = "services";
    const yaml_node_t *root = yaml_document_get_root_node(claims->document);
    const yaml_node_pair_t *pair = NULL;

    if (!root)
        return CORE_OK;
    core_status status = config_tree_find(claims->config, claims->document, root, services, services, &pair);
    if (status != CORE_OK || !pair)
        return status;
    return check_below(claims, services, yaml_document_get_node(claims->document, pair->value));
}

core_status host_config_check_claimed(const struct host_config *config, const char *const *claimed, size_t count)
{
    yaml_document_t document;
    core_status status = config_tree_parse(config, &document);

    if (status != CORE_OK)
        return status;
    status = check_claimed(&(struct claims){config, &document, claimed, count});
    yaml_document_delete(&document);
    return status;
}
