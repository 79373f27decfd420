/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "mfa_encode.h"
#include "mfa_json.h"
#include "mfa_yaml_document.h"

static enum mfa_status convert(const struct mfa_yaml_node *node, bool as_written, json_t **out);

/* Puts `member` (transferred) behind the others. */
static enum mfa_status add(json_t *to, const struct mfa_yaml_node *node, json_t *member)
{
    int failed =
        json_is_object(to) ? json_object_set_new(to, mfa_yaml_key(node), member) : json_array_append_new(to, member);

    return failed == 0 ? MFA_OK : MFA_ERR_MEMORY;
}

static enum mfa_status convert_collection(const struct mfa_yaml_node *node, bool as_written, json_t **out)
{
    const bool is_mapping = node->yaml->type == YAML_MAPPING_NODE;
    const struct mfa_yaml_node *entry;
    enum mfa_status status = MFA_OK;
    json_t *value = is_mapping ? json_object() : json_array();

    if (value == NULL)
        return MFA_ERR_MEMORY;
    for (size_t i = 0; status == MFA_OK; i++) {
        json_t *member = NULL;

        entry = is_mapping ? mfa_yaml_entry(node, i) : mfa_yaml_item(node, i);
        if (entry == NULL)
            break;
        status = convert(entry, as_written, &member);
        if (status == MFA_OK)
            status = add(value, entry, member);
    }
    if (status == MFA_OK)
        *out = value; /* transferred */
    else
        mfa_json_free(value);
    return status;
}

/* A plain word that is no string. MFA_ERR_SYNTAX: an ambiguous one. JSON can read no other than what looks like a plain
 * decimal: none begins with a quote or a bracket. */
static enum mfa_status convert_typed(const struct mfa_yaml_node *node, json_t **out)
{
    const char *text = mfa_yaml_scalar(node);

    if (mfa_yaml_is_null(node))
        *out = json_null();
    else if (strcmp(text, "true") == 0)
        *out = json_true();
    else if (strcmp(text, "false") == 0)
        *out = json_false();
    else
        return mfa_json_read(out, text, strlen(text), 0, 0);
    return MFA_OK;
}

/* What libyaml read is UTF-8; what was put in need not be. */
static enum mfa_status convert_text(const struct mfa_yaml_node *node, json_t **out)
{
    const char *text = mfa_yaml_scalar(node);

    if (!mfa_encode_is_utf8(text, strlen(text))) {
        mfa_yaml_error(node, "must be UTF-8: what ${env:} or ${file:} puts in is not");
        return MFA_ERR_CONFIG;
    }
    *out = json_string(text);
    return *out == NULL ? MFA_ERR_MEMORY : MFA_OK;
}

/* Takes `*out` back when its text is another one than the node's. */
static enum mfa_status check_spelling(const struct mfa_yaml_node *node, json_t **out)
{
    struct mfa_buffer text;
    enum mfa_status status;

    mfa_buffer_init(&text, MFA_YAML_MAX_LEN);
    status = mfa_json_encode(*out, &text);
    if (status == MFA_OK && strcmp(text.data, mfa_yaml_scalar(node)) != 0) {
        mfa_yaml_error(node, "is a number that would be sent in another spelling: put it in quotes");
        status = MFA_ERR_CONFIG;
    }
    mfa_buffer_clear(&text);
    if (status == MFA_OK)
        return status;
    mfa_json_free(*out);
    *out = NULL;
    return status;
}

static enum mfa_status convert(const struct mfa_yaml_node *node, bool as_written, json_t **out)
{
    enum mfa_status status = MFA_OK;

    *out = NULL;
    if (node->yaml->type != YAML_SCALAR_NODE)
        return convert_collection(node, as_written, out);
    if (mfa_yaml_is_text(node))
        return convert_text(node, out);
    status = convert_typed(node, out);
    if (status == MFA_OK && as_written && json_is_number(*out))
        return check_spelling(node, out);
    if (status != MFA_ERR_SYNTAX)
        return status;
    mfa_yaml_error(node,
                   "is not clear: put it in quotes if it is a string, or write true, false, null or a decimal number");
    return MFA_ERR_CONFIG;
}

enum mfa_status mfa_yaml_json(const struct mfa_yaml_node *node, json_t **out)
{
    return convert(node, false, out);
}

enum mfa_status mfa_yaml_json_as_written(const struct mfa_yaml_node *node, json_t **out)
{
    return convert(node, true, out);
}
