/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_yaml.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_yaml_document.h"

/* --- Loading --------------------------------------------------------------------------------------------------- */

static size_t count_lines(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

static enum mfa_status parser_failure(struct mfa_yaml *yaml, const yaml_parser_t *parser)
{
    const struct mfa_config_source *source = yaml->source;

    /* libyaml does not name every failed allocation, but everything else. */
    if (parser->error == YAML_MEMORY_ERROR || parser->problem == NULL)
        return MFA_ERR_MEMORY;
    if (parser->error == YAML_READER_ERROR && parser->problem_offset <= source->text_len)
        mfa_yaml_document_error(yaml, count_lines(source->text, parser->problem_offset), "is not valid YAML: %s",
                                parser->problem);
    else
        mfa_yaml_document_error(yaml, parser->problem_mark.line, "is not valid YAML: %s%s%s",
                                parser->context == NULL ? "" : parser->context, parser->context == NULL ? "" : ", ",
                                parser->problem);
    return MFA_ERR_CONFIG;
}

/* libyaml's loader hands out one document after the other, and an empty one at the end. */
static enum mfa_status expect_end(struct mfa_yaml *yaml, yaml_parser_t *parser)
{
    yaml_document_t second;
    const yaml_node_t *root;

    if (!yaml_parser_load(parser, &second))
        return parser_failure(yaml, parser);
    root = yaml_document_get_root_node(&second);
    if (root != NULL)
        mfa_yaml_document_error(yaml, root->start_mark.line, "holds a second YAML document: keep one");
    yaml_document_delete(&second);
    return root == NULL ? MFA_OK : MFA_ERR_CONFIG;
}

static enum mfa_status load(struct mfa_yaml *yaml)
{
    const struct mfa_config_source *source = yaml->source;
    enum mfa_status status = MFA_ERR_MEMORY;
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser))
        return status;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->text, source->text_len);
    if (!yaml_parser_load(&parser, &yaml->document))
        status = parser_failure(yaml, &parser);
    else if (yaml_document_get_root_node(&yaml->document) == NULL)
        status = MFA_OK;
    else
        status = expect_end(yaml, &parser);
    yaml_parser_delete(&parser);
    return status;
}

/* --- Linking: who stands where --------------------------------------------------------------------------------- */

static bool check_scalar(const struct mfa_yaml_node *node)
{
    if (memchr(mfa_yaml_scalar(node), '\0', node->yaml->data.scalar.length) == NULL)
        return true;
    mfa_yaml_error(node, "must not contain the character NUL");
    return false;
}

static bool check_tag(const struct mfa_yaml_node *node)
{
    static const char *const expected[] = {
        [YAML_SCALAR_NODE] = YAML_STR_TAG, [YAML_SEQUENCE_NODE] = YAML_SEQ_TAG, [YAML_MAPPING_NODE] = YAML_MAP_TAG};

    if (strcmp((const char *)node->yaml->tag, expected[node->yaml->type]) == 0)
        return true;
    mfa_yaml_error(node, "must not have a YAML tag: remove the \"!\" and the word behind it");
    return false;
}

/* Makes `child` an entry of `parent`. libyaml resolves an alias to the node it names, which then has two places, or stands
 * inside itself. */
static bool link_child(const struct mfa_yaml_node *parent, struct mfa_yaml_node *child, const struct mfa_yaml_node *key,
                       size_t index)
{
    if (child <= parent || child->parent != NULL) {
        mfa_yaml_error(parent, "must not use a YAML alias (\"*name\"): write the value out");
        return false;
    }
    child->parent = parent;
    child->key = key;
    child->index = index;
    child->depth = parent->depth + 1;
    if (child->depth > MFA_YAML_MAX_DEPTH) {
        mfa_yaml_error(parent, "is nested more than %d levels deep", MFA_YAML_MAX_DEPTH);
        return false;
    }
    if (child->yaml->type == YAML_SCALAR_NODE && !check_scalar(child))
        return false;
    return check_tag(child);
}

static void check_repeated(const struct mfa_yaml_node *child)
{
    const struct mfa_yaml_node *other;

    for (size_t i = 0; i < child->index; i++) {
        other = mfa_yaml_entry(child->parent, i);
        if (strcmp(mfa_yaml_key(other), mfa_yaml_key(child)) == 0) {
            mfa_yaml_error(child, "is there twice, first on line %zu: keep one", mfa_yaml_line(other));
            return;
        }
    }
}

static bool link_mapping(const struct mfa_yaml_node *node)
{
    const yaml_node_pair_t *pairs = node->yaml->data.mapping.pairs.start;
    const size_t count = (size_t)(node->yaml->data.mapping.pairs.top - pairs);

    if (count > MFA_YAML_MAX_ENTRIES) {
        mfa_yaml_error(node, "has more than %d entries", MFA_YAML_MAX_ENTRIES);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct mfa_yaml_node *key = mfa_yaml_node_at(node->document, pairs[i].key);
        struct mfa_yaml_node *value = mfa_yaml_node_at(node->document, pairs[i].value);

        if (!link_child(node, key, NULL, i))
            return false;
        if (key->yaml->type != YAML_SCALAR_NODE) {
            mfa_yaml_error(node, "has a key that is not text: a value with {{ }} must be in quotes");
            return false;
        }
        if (!link_child(node, value, key, i))
            return false;
        check_repeated(value);
    }
    return true;
}

static bool link_sequence(const struct mfa_yaml_node *node)
{
    const yaml_node_item_t *items = node->yaml->data.sequence.items.start;
    const size_t count = (size_t)(node->yaml->data.sequence.items.top - items);

    for (size_t i = 0; i < count; i++)
        if (!link_child(node, mfa_yaml_node_at(node->document, items[i]), NULL, i))
            return false;
    return true;
}

static bool link_entries(const struct mfa_yaml_node *node)
{
    switch (node->yaml->type) {
    case YAML_MAPPING_NODE: return link_mapping(node);
    case YAML_SEQUENCE_NODE: return link_sequence(node);
    case YAML_SCALAR_NODE:
    case YAML_NO_NODE: return true;
    }
    return false;
}

/* Finds the value of a key, `*out`, NULL: it is not there. False: it is not clear which one, which has been reported. */
static bool find_value(const struct mfa_yaml_node *mapping, const char *key, size_t key_len, struct mfa_yaml_node **out)
{
    const yaml_node_pair_t *pairs = mapping->yaml->data.mapping.pairs.start;
    const size_t count = (size_t)(mapping->yaml->data.mapping.pairs.top - pairs);
    struct mfa_yaml *yaml = mapping->document;

    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct mfa_yaml_node *name = mfa_yaml_node_at(yaml, pairs[i].key);
        const char *problem = NULL;

        if (name->yaml->type != YAML_SCALAR_NODE || name->yaml->data.scalar.length != key_len ||
            memcmp(mfa_yaml_scalar(name), key, key_len) != 0)
            continue;
        if (*out != NULL)
            problem = "is there twice: keep one";
        *out = mfa_yaml_node_at(yaml, pairs[i].value);
        if (*out < name) /* an alias stands for what was there before it */
            problem = "must not be a YAML alias (\"*name\"): write the value out";
        if (problem != NULL) {
            mfa_yaml_document_error(yaml, name->yaml->start_mark.line, "%s", problem);
            return false;
        }
    }
    return true;
}

/* Goes down to where the section stands. False: what is on the way cannot be read, which has been reported. */
static bool find_root(struct mfa_yaml *yaml)
{
    const char *path = yaml->source->path == NULL ? "" : yaml->source->path;
    struct mfa_yaml_node *node = yaml->nodes;

    while (*path != '\0' && node != NULL && !mfa_yaml_is_null(node)) {
        const size_t key_len = strcspn(path, ".");

        if (node->yaml->type != YAML_MAPPING_NODE) {
            mfa_yaml_document_error(yaml, node->yaml->start_mark.line,
                                    "cannot be read: what stands above it is no mapping (keys with values)");
            return false;
        }
        if (!find_value(node, path, key_len, &node))
            return false;
        path += key_len;
        path += *path == '.';
    }
    yaml->root = *path == '\0' ? node : NULL;
    return true;
}

/* What is null says nothing as a whole document; as a section of one it is unfinished, and no core takes it. */
static bool has_nothing(const struct mfa_yaml *yaml)
{
    return yaml->root == NULL || (yaml->source->path == NULL && mfa_yaml_is_null(yaml->root));
}

static enum mfa_status link_all(struct mfa_yaml *yaml)
{
    const yaml_node_t *first = yaml->document.nodes.start;

    yaml->node_count = (size_t)(yaml->document.nodes.top - first);
    if (yaml->node_count == 0)
        return MFA_OK;
    yaml->nodes = calloc(yaml->node_count, sizeof *yaml->nodes);
    if (yaml->nodes == NULL)
        return MFA_ERR_MEMORY;
    for (size_t i = 0; i < yaml->node_count; i++)
        yaml->nodes[i] = (struct mfa_yaml_node){.document = yaml, .yaml = first + i};
    if (!find_root(yaml))
        return MFA_ERR_CONFIG;
    if (has_nothing(yaml))
        return MFA_OK;
    yaml->root->depth = 1;
    if (!mfa_yaml_is_mapping(yaml->root) || !check_tag(yaml->root))
        return MFA_ERR_CONFIG;
    /* A parent comes before its entries, so each has its own place by the time they get theirs. */
    for (size_t i = 0; i < yaml->node_count; i++)
        if (yaml->nodes[i].depth > 0 && !link_entries(&yaml->nodes[i]))
            return MFA_ERR_CONFIG;
    return MFA_OK;
}

static enum mfa_status read_document(struct mfa_yaml *yaml)
{
    enum mfa_status status = MFA_OK;

    if (yaml->source->text_len > MFA_YAML_MAX_LEN) {
        mfa_yaml_document_error(yaml, 0, "is longer than %d bytes", MFA_YAML_MAX_LEN);
        return MFA_ERR_CONFIG;
    }
    if (yaml->source->text != NULL && yaml->source->text_len > 0)
        status = load(yaml);
    return status == MFA_OK ? link_all(yaml) : status;
}

/* `like` has everything that is the same for all documents. */
static enum mfa_status parse(struct mfa_yaml **out, const struct mfa_yaml *like)
{
    enum mfa_status status;
    struct mfa_yaml *yaml = malloc(sizeof *yaml);

    *out = NULL;
    if (yaml == NULL)
        return MFA_ERR_MEMORY;
    *yaml = *like;
    status = read_document(yaml);
    if (status == MFA_OK)
        *out = yaml; /* transferred */
    else
        mfa_yaml_free(yaml);
    return status;
}

enum mfa_status mfa_yaml_parse(struct mfa_yaml **out, const struct mfa_config_source *source,
                               mfa_config_report_fn *report_fn, void *report_ctx)
{
    return parse(out, &(struct mfa_yaml){.source = source, .report = report_fn, .report_ctx = report_ctx});
}

enum mfa_status mfa_yaml_parse_for(struct mfa_yaml **out, const struct mfa_config_source *source,
                                   const struct mfa_yaml_node *place)
{
    struct mfa_yaml *includer = place->document;

    return parse(out, &(struct mfa_yaml){.source = source,
                                         .report = includer->report,
                                         .report_ctx = includer->report_ctx,
                                         .includer = includer});
}

/* --- Replacing ------------------------------------------------------------------------------------------------- */

static enum mfa_status expand_scalar(struct mfa_yaml_node *node, const struct mfa_expand_parameters *parameters)
{
    char problem[MFA_EXPAND_PROBLEM_SIZE];
    struct mfa_buffer secret;
    enum mfa_status status;

    mfa_buffer_init(&secret, MFA_YAML_MAX_LEN);
    status = mfa_expand(&secret, mfa_yaml_scalar(node), parameters, problem);
    if (status == MFA_OK)
        node->expanded_secret = mfa_buffer_take(&secret, &node->expanded_len); /* transferred */
    else if (status == MFA_ERR_SYNTAX)
        mfa_yaml_error(node, "%s", problem);
    else if (status == MFA_ERR_TOO_LARGE)
        mfa_yaml_error(node, "is longer than %d bytes", MFA_YAML_MAX_LEN);
    mfa_buffer_clear(&secret);
    return status == MFA_ERR_MEMORY ? status : MFA_OK;
}

static bool is_within(const struct mfa_yaml_node *node, const struct mfa_yaml_node *from)
{
    while (node != NULL && node != from)
        node = node->parent;
    return node != NULL;
}

enum mfa_status mfa_yaml_expand(const struct mfa_yaml_node *from, const struct mfa_expand_parameters *parameters)
{
    const size_t count = from != NULL ? from->document->node_count : 0;
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < count && status == MFA_OK; i++) {
        struct mfa_yaml_node *node = &from->document->nodes[i];
        bool is_value = node->key != NULL || (node->parent != NULL && node->parent->yaml->type == YAML_SEQUENCE_NODE);

        if (is_value && node->yaml->type == YAML_SCALAR_NODE && strstr(mfa_yaml_scalar(node), "${") != NULL &&
            is_within(node, from))
            status = expand_scalar(node, parameters);
    }
    return status;
}

void mfa_yaml_free(struct mfa_yaml *yaml)
{
    if (yaml == NULL)
        return;
    for (yaml_node_t *node = yaml->document.nodes.start; node != yaml->document.nodes.top; node++)
        if (node->type == YAML_SCALAR_NODE)
            sodium_memzero(node->data.scalar.value, node->data.scalar.length);
    yaml_document_delete(&yaml->document);
    for (size_t i = 0; yaml->nodes != NULL && i < yaml->node_count; i++)
        mfa_secret_free(yaml->nodes[i].expanded_secret, yaml->nodes[i].expanded_len);
    free(yaml->nodes);
    free(yaml);
}

size_t mfa_yaml_error_count(const struct mfa_yaml *yaml)
{
    return yaml->error_count;
}
