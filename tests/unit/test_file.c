/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "mfa_file.h"

#define CAP 20000

static struct folder folder;

static int make_folder(void **state)
{
    (void)state;
    folder_init(&folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    folder_clear(&folder);
    return 0;
}

static void check_unreadable(const char *path, int expected_errno)
{
    struct mfa_buffer buffer;

    mfa_buffer_init(&buffer, CAP);
    errno = 0;
    assert_int_equal(mfa_file_read(path, &buffer), MFA_ERR_NOT_FOUND);
    assert_int_equal(errno, expected_errno);
    assert_int_equal(buffer.len, 0);
    mfa_buffer_clear(&buffer);
}

static void the_whole_file_is_appended_whatever_its_bytes(void **state)
{
    char bytes[CAP - 1];
    struct mfa_buffer buffer;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i % 251);
    mfa_buffer_init(&buffer, CAP);
    assert_int_equal(mfa_buffer_append(&buffer, "x", 1), MFA_OK);
    assert_int_equal(mfa_file_read(folder_write_bytes(&folder, "whole", bytes, sizeof bytes), &buffer), MFA_OK);
    assert_int_equal(buffer.len, CAP);
    assert_memory_equal(buffer.data, "x", 1);
    assert_memory_equal(buffer.data + 1, bytes, sizeof bytes);
    mfa_buffer_clear(&buffer);
}

static void an_empty_file_adds_nothing(void **state)
{
    struct mfa_buffer buffer;

    (void)state;
    mfa_buffer_init(&buffer, CAP);
    assert_int_equal(mfa_file_read(folder_write(&folder, "empty", ""), &buffer), MFA_OK);
    assert_int_equal(buffer.len, 0);
    mfa_buffer_clear(&buffer);
}

static void a_file_longer_than_the_buffer_may_be_is_refused(void **state)
{
    static const char bytes[CAP + 1];
    struct mfa_buffer buffer;

    (void)state;
    mfa_buffer_init(&buffer, CAP);
    assert_int_equal(mfa_file_read(folder_write_bytes(&folder, "long", bytes, CAP), &buffer), MFA_OK);
    mfa_buffer_clear(&buffer);
    assert_int_equal(mfa_file_read(folder_write_bytes(&folder, "long", bytes, CAP + 1), &buffer), MFA_ERR_TOO_LARGE);
    mfa_buffer_clear(&buffer);
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    check_unreadable(folder_path(&folder, "missing"), ENOENT);
    check_unreadable(folder.path, EISDIR);
    folder_write(&folder, "file", "x");
    check_unreadable(folder_path(&folder, "file/below"), ENOTDIR);
    assert_int_equal(symlink("circle", folder_path(&folder, "circle")), 0);
    check_unreadable(folder_path(&folder, "circle"), ELOOP);
}

static void nobody_is_waited_for_at_a_pipe(void **state)
{
    struct mfa_buffer buffer;
    int writer;

    (void)state;
    assert_int_equal(mkfifo(folder_path(&folder, "pipe"), 0600), 0);
    mfa_buffer_init(&buffer, CAP);
    assert_int_equal(mfa_file_read(folder.file, &buffer), MFA_OK);
    assert_int_equal(buffer.len, 0);
    mfa_buffer_clear(&buffer);
    writer = open(folder.file, O_RDWR | O_CLOEXEC);
    assert_true(writer >= 0);
    check_unreadable(folder.file, EAGAIN);
    close(writer);
}

static int next_descriptor(void)
{
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void no_descriptor_is_left_open(void **state)
{
    const int before = next_descriptor();
    struct mfa_buffer buffer;

    (void)state;
    mfa_buffer_init(&buffer, 1);
    assert_int_equal(mfa_file_read(folder_write(&folder, "short", "x"), &buffer), MFA_OK);
    assert_int_equal(mfa_file_read(folder.file, &buffer), MFA_ERR_TOO_LARGE);
    assert_int_equal(mfa_file_read(folder.path, &buffer), MFA_ERR_NOT_FOUND);
    assert_int_equal(next_descriptor(), before);
    mfa_buffer_clear(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_file_is_appended_whatever_its_bytes),
        cmocka_unit_test(an_empty_file_adds_nothing),
        cmocka_unit_test(a_file_longer_than_the_buffer_may_be_is_refused),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(nobody_is_waited_for_at_a_pipe),
        cmocka_unit_test(no_descriptor_is_left_open),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
