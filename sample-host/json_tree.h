/* SPDX-License-Identifier: Apache-2.0
 *
 * json_tree.h: trees of JSON that hold secrets. Any thread.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <jansson.h>

/* Zeroes every text in a tree, also where it is shared, and drops the reference to it. Accepts NULL. */
void json_tree_free(json_t *tree);

#endif
