/* SPDX-License-Identifier: Apache-2.0 */
#include "json_tree.h"

#include <sodium.h>
#include <stdint.h>

static void wipe(json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(value))
        sodium_memzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_object_foreach(value, key, member)
    {
        wipe(member);
    }
    json_array_foreach(value, i, member)
    {
        wipe(member);
    }
}

void json_tree_free(json_t *tree)
{
    if (tree)
        wipe(tree);
    json_decref(tree);
}
