/* SPDX-License-Identifier: Apache-2.0
 *
 * input.h: the files that the operator names. What is wrong with one is said on stderr.
 */
#ifndef INPUT_H
#define INPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "mfa_buffer.h"

/* Reads a file or pipe of at most `max_len` bytes. False: it cannot be read. The buffer is initialised in any case. */
bool input_read(const char *path, size_t max_len, struct mfa_buffer *out);

/* Reads one JSON object. `name` is what it is called: a file's path, an option. NULL: it is none; owned by caller,
 * release with mfa_json_free. */
json_t *input_parse_object(const char *name, const char *text, size_t len);

#endif
