/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

/* No test runs that an assertion could jump out of. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    assert_int_equal(setenv("CMOCKA_TEST_ABORT", "1", 1), 0);
    assert_true(sodium_init() >= 0);
    return 0;
}

unsigned fuzz_take_byte(struct fuzz_input *input)
{
    if (input->len == 0)
        return 0;
    input->len--;
    return (unsigned char)*input->data++;
}

static char *take(struct fuzz_input *input, size_t len)
{
    char *text = malloc(len + 1);

    assert_non_null(text);
    if (len > 0)
        memcpy(text, input->data, len);
    text[len] = '\0';
    input->data += len;
    input->len -= len;
    return text;
}

static char *take_until(struct fuzz_input *input, char end)
{
    const char *found = input->len > 0 ? memchr(input->data, end, input->len) : NULL;
    char *text = take(input, found != NULL ? (size_t)(found - input->data) : input->len);

    if (found != NULL)
        (void)fuzz_take_byte(input);
    return text;
}

char *fuzz_take_text(struct fuzz_input *input)
{
    return take_until(input, '\0');
}

char *fuzz_take_line(struct fuzz_input *input)
{
    return take_until(input, '\n');
}

char *fuzz_take_rest(struct fuzz_input *input, size_t *len)
{
    *len = input->len;
    return take(input, input->len);
}

static size_t greater(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t fuzz_json_depth(const json_t *value)
{
    const char *name = NULL;
    json_t *member = NULL;
    size_t deepest = 0;
    size_t i = 0;

    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        deepest = greater(deepest, fuzz_json_depth(member));
    }
    json_array_foreach(value, i, member)
    {
        deepest = greater(deepest, fuzz_json_depth(member));
    }
    return json_is_object(value) || json_is_array(value) ? deepest + 1 : 0;
}

bool fuzz_is_line(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}
