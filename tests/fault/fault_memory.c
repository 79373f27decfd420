/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that are defined here must not be macros. */
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

/* The sanitizer's own, where there is one, so that it still sees what leaks. */
extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *block, size_t size) __attribute__((weak));
extern void *__interceptor_aligned_alloc(size_t alignment, size_t size) __attribute__((weak));
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static bool has_no_memory(void)
{
    if (!fault_strikes(FAULT_MEMORY))
        return false;
    errno = ENOMEM;
    return true;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    if (has_no_memory())
        return NULL;
    return __interceptor_malloc != NULL ? __interceptor_malloc(size) : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    if (has_no_memory())
        return NULL;
    return __interceptor_calloc != NULL ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *block, size_t size)
{
    /* To make a block smaller takes no memory. */
    if ((block == NULL || size > malloc_usable_size(block)) && has_no_memory())
        return NULL;
    return __interceptor_realloc != NULL ? __interceptor_realloc(block, size) : __libc_realloc(block, size);
}

__attribute__((visibility("default"))) void *reallocarray(void *block, size_t count, size_t size)
{
    size_t total = 0;

    if (!__builtin_mul_overflow(count, size, &total))
        return realloc(block, total);
    errno = ENOMEM;
    return NULL;
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t size)
{
    if (has_no_memory())
        return NULL;
    return __interceptor_aligned_alloc != NULL ? __interceptor_aligned_alloc(alignment, size)
                                               : __libc_memalign(alignment, size);
}

__attribute__((visibility("default"))) char *strndup(const char *text, size_t max_len)
{
    size_t len = strnlen(text, max_len);
    char *copy = malloc(len + 1);

    if (copy == NULL)
        return NULL;
    copy[len] = '\0';
    return memcpy(copy, text, len);
}

__attribute__((visibility("default"))) char *strdup(const char *text)
{
    return strndup(text, strlen(text));
}

/* glibc's own takes some failures without a word, where it would only have spared memory. */
__attribute__((format(printf, 2, 0))) static int print(char **out, const char *format, va_list arguments)
{
    va_list again;
    int len = 0;

    va_copy(again, arguments);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *out = len >= 0 ? malloc((size_t)len + 1) : NULL;
    return *out != NULL ? vsnprintf(*out, (size_t)len + 1, format, arguments) : -1;
}

__attribute__((visibility("default"))) int asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    int len = 0;

    va_start(arguments, format);
    len = print(out, format, arguments);
    va_end(arguments);
    return len;
}

/* What -D_FORTIFY_SOURCE makes of it. */
int __asprintf_chk(char **out, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));

__attribute__((visibility("default"))) int __asprintf_chk(char **out, int flag, const char *format, ...)
{
    va_list arguments;
    int len = 0;

    (void)flag;
    va_start(arguments, format);
    len = print(out, format, arguments);
    va_end(arguments);
    return len;
}

/* libyaml 0.2.5 forgets the items of a mapping or a sequence when there is no memory for one more node; what else a document
 * consists of is allocated elsewhere, and seen when it leaks. */
const char *__lsan_default_suppressions(void);

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:yaml_parser_load\n";
}
