/* SPDX-License-Identifier: Apache-2.0
 *
 * json_text.h: what can be told of JSON text without building a tree of it. Any thread.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_TEXT_DEPTH_MAX 128

/* Whether the text opens one object, closes it as its last character, and in between nests no deeper than
 * `depth_max`, itself at most JSON_TEXT_DEPTH_MAX. Members are not looked at: text that passes is an object if it is JSON at all. */
bool json_text_is_object(const char *text, size_t len, size_t depth_max);

#endif
