/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml_text.h: JSON written as YAML, for people.
 */
#ifndef YAML_TEXT_H
#define YAML_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints the mapping in block style; strings are in quotes. False: it cannot be written. */
bool yaml_text_print(FILE *out, const json_t *mapping);

#endif
