/* SPDX-License-Identifier: Apache-2.0 */
#include "config_tree.h"

#include <string.h>

#include "log.h"

void config_tree_complain(const struct host_config *config, const char *key, const yaml_node_t *node,
                          const char *reason)
{
    log_line(CORE_LOG_ERROR, "%s (%s:%zu): %s", key, config->path, node->start_mark.line + 1, reason);
}

bool config_tree_scalar_is(const yaml_node_t *node, const char *text)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(text) &&
           memcmp(node->data.scalar.value, text, strlen(text)) == 0;
}

const char *config_tree_text(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

core_status config_tree_find(const struct host_config *config, yaml_document_t *document, const yaml_node_t *mapping,
                             const char *key, const char *full_key, const yaml_node_pair_t **pair)
{
    *pair = NULL;
    for (const yaml_node_pair_t *i = mapping->data.mapping.pairs.start; i < mapping->data.mapping.pairs.top; i++) {
        const yaml_node_t *name = yaml_document_get_node(document, i->key);
        if (!config_tree_scalar_is(name, key))
            continue;
        if (*pair) {
            config_tree_complain(config, full_key, name, "is there twice; keep one");
            return CORE_ERR_CONFIG;
        }
        *pair = i;
    }
    return CORE_OK;
}

static core_status refuse_text(const struct host_config *config, const yaml_parser_t *parser)
{
    log_line(CORE_LOG_ERROR, "%s:%zu: is not YAML: %s", config->path, parser->problem_mark.line + 1,
             parser->problem ? parser->problem : "no memory");
    return CORE_ERR_CONFIG;
}

/* A second document would be a second configuration, of which nothing would be read. */
static core_status expect_end(const struct host_config *config, yaml_parser_t *parser)
{
    yaml_document_t next;
    core_status status = CORE_OK;

    if (!yaml_parser_load(parser, &next))
        return refuse_text(config, parser);
    const yaml_node_t *root = yaml_document_get_root_node(&next);
    if (root) {
        log_line(CORE_LOG_ERROR, "%s:%zu: starts a second document; keep one", config->path, root->start_mark.line + 1);
        status = CORE_ERR_CONFIG;
    }
    yaml_document_delete(&next);
    return status;
}

core_status config_tree_parse(const struct host_config *config, yaml_document_t *document)
{
    yaml_parser_t parser;
    core_status status = CORE_OK;

    if (!yaml_parser_initialize(&parser))
        return CORE_ERR_MEMORY;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)config->text, config->text_len);
    if (!yaml_parser_load(&parser, document))
        status = refuse_text(config, &parser);
    else if ((status = expect_end(config, &parser)) != CORE_OK)
        yaml_document_delete(document);
    yaml_parser_delete(&parser);
    return status;
}
