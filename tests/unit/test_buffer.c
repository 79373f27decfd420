/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mfa_buffer.h"

static void an_unused_buffer_owns_nothing(void **state)
{
    struct mfa_buffer buffer;
    size_t len = 99;

    (void)state;
    mfa_buffer_init(&buffer, 10);
    assert_null(buffer.data);
    mfa_buffer_reset(&buffer);
    assert_null(mfa_buffer_take(&buffer, &len));
    assert_int_equal(len, 0);
    mfa_buffer_clear(&buffer);
    mfa_buffer_clear(&(struct mfa_buffer){0});
    mfa_secret_free(NULL, 5);
}

static void appended_bytes_are_kept_and_followed_by_a_nul(void **state)
{
    struct mfa_buffer buffer;

    (void)state;
    mfa_buffer_init(&buffer, 5000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(mfa_buffer_append(&buffer, "a\0b", 3), MFA_OK);
    assert_int_equal(mfa_buffer_append_text(&buffer, "end"), MFA_OK);
    assert_int_equal(buffer.len, 3003);
    for (size_t i = 0; i < 1000; i++)
        assert_memory_equal(buffer.data + 3 * i, "a\0b", 3);
    assert_string_equal(buffer.data + 3000, "end");
    mfa_buffer_clear(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.max_len, 5000);
}

static void appending_nothing_makes_an_empty_text(void **state)
{
    struct mfa_buffer buffer;

    (void)state;
    mfa_buffer_init(&buffer, 0);
    assert_int_equal(mfa_buffer_append(&buffer, NULL, 0), MFA_OK);
    assert_string_equal(buffer.data, "");
    mfa_buffer_clear(&buffer);
}

static void the_cap_is_exact_and_changes_nothing(void **state)
{
    struct mfa_buffer buffer;

    (void)state;
    mfa_buffer_init(&buffer, 4);
    assert_int_equal(mfa_buffer_append_text(&buffer, "abc"), MFA_OK);
    assert_int_equal(mfa_buffer_append_text(&buffer, "de"), MFA_ERR_TOO_LARGE);
    assert_int_equal(mfa_buffer_reserve(&buffer, SIZE_MAX), MFA_ERR_TOO_LARGE);
    assert_string_equal(buffer.data, "abc");
    assert_int_equal(mfa_buffer_append_text(&buffer, "d"), MFA_OK);
    assert_string_equal(buffer.data, "abcd");
    assert_int_equal(mfa_buffer_append_text(&buffer, "e"), MFA_ERR_TOO_LARGE);
    mfa_buffer_clear(&buffer);
}

static void a_size_that_cannot_exist_is_refused_without_a_cap(void **state)
{
    struct mfa_buffer buffer;

    (void)state;
    mfa_buffer_init(&buffer, SIZE_MAX);
    assert_int_equal(mfa_buffer_append_text(&buffer, "abc"), MFA_OK);
    assert_int_equal(mfa_buffer_reserve(&buffer, SIZE_MAX - 3), MFA_ERR_TOO_LARGE);
    assert_string_equal(buffer.data, "abc");
    mfa_buffer_clear(&buffer);
}

static void reset_wipes_and_keeps_the_memory(void **state)
{
    struct mfa_buffer buffer;
    const char *data;

    (void)state;
    mfa_buffer_init(&buffer, 100);
    assert_int_equal(mfa_buffer_append_text(&buffer, "secret"), MFA_OK);
    data = buffer.data;
    mfa_buffer_reset(&buffer);
    assert_ptr_equal(buffer.data, data);
    assert_int_equal(buffer.len, 0);
    assert_memory_equal(buffer.data, "\0\0\0\0\0\0", 6);
    mfa_buffer_clear(&buffer);
}

static void taken_contents_are_the_callers(void **state)
{
    struct mfa_buffer buffer;
    size_t len = 0;
    char *data;

    (void)state;
    mfa_buffer_init(&buffer, 100);
    assert_int_equal(mfa_buffer_append_text(&buffer, "secret"), MFA_OK);
    data = mfa_buffer_take(&buffer, &len);
    assert_string_equal(data, "secret");
    assert_int_equal(len, 6);
    assert_null(buffer.data);
    assert_int_equal(mfa_buffer_append_text(&buffer, "again"), MFA_OK);
    assert_string_equal(data, "secret");
    mfa_buffer_clear(&buffer);
    mfa_secret_free(data, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unused_buffer_owns_nothing),
        cmocka_unit_test(appended_bytes_are_kept_and_followed_by_a_nul),
        cmocka_unit_test(appending_nothing_makes_an_empty_text),
        cmocka_unit_test(the_cap_is_exact_and_changes_nothing),
        cmocka_unit_test(a_size_that_cannot_exist_is_refused_without_a_cap),
        cmocka_unit_test(reset_wipes_and_keeps_the_memory),
        cmocka_unit_test(taken_contents_are_the_callers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
