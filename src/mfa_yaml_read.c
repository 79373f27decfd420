/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mfa_yaml_document.h"

#define LIST_MAX_LEN 384

/* --- Finding --------------------------------------------------------------------------------------------------- */

const struct mfa_yaml_node *mfa_yaml_root(const struct mfa_yaml *yaml)
{
    return yaml->root == NULL || mfa_yaml_is_null(yaml->root) ? NULL : yaml->root;
}

const struct mfa_yaml_node *mfa_yaml_entry(const struct mfa_yaml_node *mapping, size_t i)
{
    const yaml_node_pair_t *pairs = mapping->yaml->data.mapping.pairs.start;

    if (mapping->yaml->type != YAML_MAPPING_NODE || i >= (size_t)(mapping->yaml->data.mapping.pairs.top - pairs))
        return NULL;
    return mfa_yaml_node_at(mapping->document, pairs[i].value);
}

const struct mfa_yaml_node *mfa_yaml_item(const struct mfa_yaml_node *sequence, size_t i)
{
    const yaml_node_item_t *items = sequence->yaml->data.sequence.items.start;

    if (sequence->yaml->type != YAML_SEQUENCE_NODE || i >= (size_t)(sequence->yaml->data.sequence.items.top - items))
        return NULL;
    return mfa_yaml_node_at(sequence->document, items[i]);
}

const char *mfa_yaml_key(const struct mfa_yaml_node *node)
{
    return node->key == NULL ? NULL : mfa_yaml_scalar(node->key);
}

static const struct mfa_yaml_node *find_entry(const struct mfa_yaml_node *mapping, const char *key, size_t key_len)
{
    const struct mfa_yaml_node *entry;

    for (size_t i = 0; (entry = mfa_yaml_entry(mapping, i)) != NULL; i++)
        if (strlen(mfa_yaml_key(entry)) == key_len && memcmp(mfa_yaml_key(entry), key, key_len) == 0)
            return entry;
    return NULL;
}

const struct mfa_yaml_node *mfa_yaml_descend(const struct mfa_yaml_node *from, const char *path, const char **rest)
{
    while (*path != '\0') {
        const size_t key_len = strcspn(path, ".");
        const struct mfa_yaml_node *entry = find_entry(from, path, key_len);

        if (entry == NULL)
            break;
        from = entry;
        path += key_len;
        path += *path == '.';
    }
    *rest = path;
    return from;
}

const struct mfa_yaml_node *mfa_yaml_find_key(const struct mfa_yaml_node *from, const char *path)
{
    const char *rest;
    const struct mfa_yaml_node *node = from == NULL ? NULL : mfa_yaml_descend(from, path, &rest);

    return node == NULL || *rest != '\0' ? NULL : node;
}

const struct mfa_yaml_node *mfa_yaml_find(const struct mfa_yaml_node *from, const char *path)
{
    const struct mfa_yaml_node *node = mfa_yaml_find_key(from, path);

    return node == NULL || mfa_yaml_is_null(node) ? NULL : node;
}

/* --- Reading --------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *text, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcasecmp(words[i], text) == 0)
            return true;
    return false;
}

static bool is_plain(const struct mfa_yaml_node *node)
{
    return node->yaml->type == YAML_SCALAR_NODE && node->yaml->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           node->expanded_secret == NULL;
}

bool mfa_yaml_is_null(const struct mfa_yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", NULL};

    return is_plain(node) && is_one_of(mfa_yaml_scalar(node), words);
}

/* Booleans, numbers in all their bases, dates and times: whatever one reader or another would not take for text. */
static bool is_typed_word(const char *text)
{
    static const char *const words[] = {"true", "false", "yes",   "no",    "on",   "off", "y",
                                        "n",    ".inf",  "-.inf", "+.inf", ".nan", NULL};
    const char *digits = text + strspn(text, "+-.");
    const bool has_base = *digits == '0' && digits[1] != '\0' && strchr("xXoObB", digits[1]) != NULL;

    if (is_one_of(text, words))
        return true;
    if (has_base)
        return digits[2 + strspn(digits + 2, "0123456789abcdefABCDEF_")] == '\0';
    return *digits >= '0' && *digits <= '9' && digits[strspn(digits, "0123456789eE_+-.:")] == '\0';
}

bool mfa_yaml_is_text(const struct mfa_yaml_node *node)
{
    return node->yaml->type == YAML_SCALAR_NODE && !mfa_yaml_is_null(node) &&
           !(is_plain(node) && is_typed_word(mfa_yaml_scalar(node)));
}

bool mfa_yaml_is_collection(const struct mfa_yaml_node *node)
{
    return node->yaml->type != YAML_SCALAR_NODE;
}

bool mfa_yaml_is_mapping(const struct mfa_yaml_node *node)
{
    if (node->yaml->type == YAML_MAPPING_NODE)
        return true;
    mfa_yaml_error(node, "must be a mapping (keys with values)");
    return false;
}

/* The place of `text` among `names`, or of the NULL behind them. */
static size_t place_among(const char *const names[], const char *text)
{
    size_t i = 0;

    while (names[i] != NULL && strcmp(names[i], text) != 0)
        i++;
    return i;
}

static void list_names(char *list, size_t size, const char *const names[])
{
    *list = '\0';
    for (size_t i = 0; names[i] != NULL; i++)
        mfa_yaml_append(list, size, "%s\"%s\"", i == 0 ? "" : ", ", names[i]);
}

bool mfa_yaml_check_keys(const struct mfa_yaml_node *node, const char *const known[])
{
    const struct mfa_yaml_node *entry;
    char list[LIST_MAX_LEN];

    if (!mfa_yaml_is_mapping(node))
        return false;
    list_names(list, sizeof list, known);
    for (size_t i = 0; (entry = mfa_yaml_entry(node, i)) != NULL; i++)
        if (known[place_among(known, mfa_yaml_key(entry))] == NULL)
            mfa_yaml_error(entry, "is not a known key: those known here are %s", list);
    return true;
}

bool mfa_yaml_choice(const struct mfa_yaml_node *node, const char *const names[], size_t *out)
{
    char list[LIST_MAX_LEN];

    *out = 0;
    if (node->yaml->type == YAML_SCALAR_NODE)
        *out = place_among(names, mfa_yaml_scalar(node));
    if (node->yaml->type == YAML_SCALAR_NODE && names[*out] != NULL)
        return true;
    *out = 0;
    list_names(list, sizeof list, names);
    mfa_yaml_error(node, "must be one of %s", list);
    return false;
}

const char *mfa_yaml_string(const struct mfa_yaml_node *node)
{
    if (mfa_yaml_is_text(node))
        return mfa_yaml_scalar(node);
    mfa_yaml_error(node, "must be a string: put it in quotes");
    return NULL;
}

static bool is_decimal(const char *text)
{
    const char *digits = text + (*text == '-');

    return digits[0] != '\0' && digits[strspn(digits, "0123456789")] == '\0' && (digits[0] != '0' || digits[1] == '\0');
}

bool mfa_yaml_integer(const struct mfa_yaml_node *node, int64_t *out)
{
    *out = 0;
    if (!is_plain(node) || !is_decimal(mfa_yaml_scalar(node))) {
        mfa_yaml_error(node, "must be a whole number, without quotes");
        return false;
    }
    *out = strtoll(mfa_yaml_scalar(node), NULL, 10);
    return true;
}
