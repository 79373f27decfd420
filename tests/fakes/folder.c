/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_DESCRIPTORS 8

void folder_init(struct folder *folder)
{
    const char *parent = getenv("TMPDIR");
    const int len = snprintf(folder->path, sizeof folder->path, "%s/mfa-test.XXXXXX",
                             parent != NULL && *parent != '\0' ? parent : "/tmp");

    assert_true(len > 0 && (size_t)len < sizeof folder->path);
    assert_non_null(mkdtemp(folder->path));
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path);
}

void folder_clear(struct folder *folder)
{
    assert_int_equal(nftw(folder->path, remove_entry, MAX_DESCRIPTORS, FTW_DEPTH | FTW_PHYS), 0);
}

const char *folder_path(struct folder *folder, const char *name)
{
    const int len = snprintf(folder->file, sizeof folder->file, "%s/%s", folder->path, name);

    assert_true(len > 0 && (size_t)len < sizeof folder->file);
    return folder->file;
}

const char *folder_write(struct folder *folder, const char *name, const char *text)
{
    return folder_write_bytes(folder, name, text, strlen(text));
}

const char *folder_write_bytes(struct folder *folder, const char *name, const void *bytes, size_t len)
{
    FILE *file = fopen(folder_path(folder, name), "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return folder->file;
}
