/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a YAML document, for the files that make up its reader (mfa_yaml*.c) and nobody else.
 */
#ifndef MFA_YAML_DOCUMENT_H
#define MFA_YAML_DOCUMENT_H

#include <yaml.h>

#include "mfa_yaml.h"

struct mfa_yaml_node {
    struct mfa_yaml *document;
    const yaml_node_t *yaml;
    const struct mfa_yaml_node *parent; /* NULL: the root, or not seen yet */
    const struct mfa_yaml_node *key;    /* NULL: the parent is no mapping */
    size_t index;                       /* among the parent's entries */
    size_t depth;                       /* 1 for the root */
    char *expanded_secret;              /* text of a scalar in which something was replaced; owned; NULL: nothing was */
    size_t expanded_len;
};

struct mfa_yaml {
    yaml_document_t document;
    struct mfa_yaml_node *nodes; /* one for each of libyaml's, in the same order; NULL: there is none */
    size_t node_count;
    struct mfa_yaml_node *root; /* the outermost of what is read; NULL: there is none */
    const struct mfa_config_source *source;
    mfa_config_report_fn *report;
    void *report_ctx;
    size_t error_count;
    struct mfa_yaml *includer; /* the document that asked for this one; NULL: none */
};

/* The text of a scalar; borrowed. */
static inline const char *mfa_yaml_scalar(const struct mfa_yaml_node *node)
{
    return node->expanded_secret != NULL ? node->expanded_secret : (const char *)node->yaml->data.scalar.value;
}

/* The node that libyaml counts as `id`, from 1. */
static inline struct mfa_yaml_node *mfa_yaml_node_at(const struct mfa_yaml *yaml, int id)
{
    return &yaml->nodes[id - 1];
}

/* True for plain `~`, `null` and nothing at all. */
bool mfa_yaml_is_null(const struct mfa_yaml_node *node);

/* True for text that every reader of YAML takes for a string. */
bool mfa_yaml_is_text(const struct mfa_yaml_node *node);

/* Goes from a node down `path` as far as that exists, which is the result. `*rest` is what does not exist, or "". */
const struct mfa_yaml_node *mfa_yaml_descend(const struct mfa_yaml_node *from, const char *path, const char **rest);

/* The line of the operator's file on which a node, or its key, stands. */
size_t mfa_yaml_line(const struct mfa_yaml_node *node);

/* Reports an error about the document as a whole; `mark_line` counts from 0, as libyaml does. */
void mfa_yaml_document_error(struct mfa_yaml *yaml, size_t mark_line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends to a text in an array of `size` bytes; what does not fit is cut off. */
void mfa_yaml_append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
