/* SPDX-License-Identifier: Apache-2.0
 *
 * config_tree.h: the configuration file as libyaml's tree, and the form of messages about it; what host_config*.c are made
 * of. Nodes are borrowed from their document. Main thread.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stdbool.h>
#include <yaml.h>

#include "core_plugin.h"
#include "host_config.h"

/* Parses the text of the file. `*document` is owned by caller, release with yaml_document_delete. CORE_ERR_CONFIG: it is
 * not one YAML document; logged. */
core_status config_tree_parse(const struct host_config *config, yaml_document_t *document)
    __attribute__((warn_unused_result));

/* Finds the pair of a key in a mapping; `*pair` is NULL when there is none. CORE_ERR_CONFIG: the key stands there twice,
 * which is logged under its `full_key`. */
core_status config_tree_find(const struct host_config *config, yaml_document_t *document, const yaml_node_t *mapping,
                             const char *key, const char *full_key, const yaml_node_pair_t **pair)
    __attribute__((warn_unused_result));

/* Whether the node is a scalar of that text. */
bool config_tree_scalar_is(const yaml_node_t *node, const char *text);

/* The text of a scalar, borrowed. */
const char *config_tree_text(const yaml_node_t *node);

/* Logs `key (file:line): reason` as an error, with the line of the node. */
void config_tree_complain(const struct host_config *config, const char *key, const yaml_node_t *node,
                          const char *reason);

#endif
