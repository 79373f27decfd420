/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.h: the tool ends when memory does, so that nothing else in it has to think of that.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <jansson.h>
#include <stdarg.h>

#include "mfa_status.h"

/* Says so and ends the program. */
_Noreturn void memory_end(void);

/* Both return their argument, and end the program where it is NULL. */
void *memory_need(void *block);
json_t *memory_need_json(json_t *value);

/* Returns its argument, and ends the program where it is MFA_ERR_MEMORY. */
enum mfa_status memory_checked(enum mfa_status status);

/* Formats a text; owned by caller, release with free. */
char *memory_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *memory_text_of(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Adds `value` (transferred) to an object or an array. */
void memory_put(json_t *object, const char *key, json_t *value);
void memory_append(json_t *array, json_t *value);

/* Puts every member of `from` into an object. */
void memory_update(json_t *object, json_t *from);

#endif
