/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_plugins.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness.h"

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
    char *command = NULL;
    va_list arguments;

    va_start(arguments, format);
    assert_true(vasprintf(&command, format, arguments) > 0);
    va_end(arguments);
    assert_int_equal(system(command), 0);
    free(command);
}

char *plugins_dir_new(void)
{
    const char *parent = getenv("TMPDIR");
    char *dir = NULL;

    assert_true(asprintf(&dir, "%s/mfa-plugins.XXXXXX", parent && *parent ? parent : "/tmp") > 0);
    assert_non_null(mkdtemp(dir));
    return dir;
}

void plugins_dir_add(const char *dir, const char *built, const char *name)
{
    char *from = build_path(built);

    run("install -m 755 '%s' '%s/%s'", from, dir, name);
    free(from);
}

void plugins_dir_free(char *dir)
{
    if (!dir)
        return;
    run("rm -r '%s'", dir);
    free(dir);
}
