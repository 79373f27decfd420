/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"

_Noreturn void memory_end(void)
{
    (void)fputs("mfa-check: there is not enough memory\n", stderr);
    exit(EXIT_USAGE);
}

void *memory_need(void *block)
{
    if (block == NULL)
        memory_end();
    return block;
}

json_t *memory_need_json(json_t *value)
{
    return memory_need(value);
}

enum mfa_status memory_checked(enum mfa_status status)
{
    if (status == MFA_ERR_MEMORY)
        memory_end();
    return status;
}

char *memory_text_of(const char *format, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        memory_end();
    return text;
}

char *memory_text(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    text = memory_text_of(format, args);
    va_end(args);
    return text;
}

void memory_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        memory_end();
}

void memory_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        memory_end();
}

void memory_update(json_t *object, json_t *from)
{
    if (json_object_update(object, from) != 0)
        memory_end();
}
