/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mfa_file.h"

#define SHIPPED_PRESETS "plugin/presets"

static const char *own_preset;

void files_set_presets(const char *own)
{
    own_preset = own;
}

static enum mfa_status read_shipped(const char *name, struct mfa_buffer *out)
{
    char path[512];
    char chunk[4096];
    size_t got = 0;
    FILE *file = NULL;
    enum mfa_status status = MFA_OK;

    (void)snprintf(path, sizeof path, SHIPPED_PRESETS "/%s", name);
    file = fopen(path, "rb");
    if (file == NULL)
        return MFA_ERR_NOT_FOUND;
    while (status == MFA_OK && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
        status = mfa_buffer_append(out, chunk, got);
    assert_int_equal(fclose(file), 0);
    return status;
}

/* No path leads out of the folder of the presets, or an input could have anything read. */
static enum mfa_status read_preset(const char *name, struct mfa_buffer *out)
{
    if (own_preset == NULL || name[0] == '.' || name[0] == '\0' || strchr(name, '/') != NULL)
        return MFA_ERR_NOT_FOUND;
    return strcmp(name, "own.yml") == 0 ? mfa_buffer_append_text(out, own_preset) : read_shipped(name, out);
}

enum mfa_status mfa_file_read(const char *path, struct mfa_buffer *out)
{
    static const char folder[] = "/presets/";
    const char *in_folder = strstr(path, folder);

    errno = ENOENT;
    if (strcmp(path, FILES_SECRET_PATH) == 0)
        return mfa_buffer_append_text(out, FILES_SECRET "\n");
    return in_folder != NULL ? read_preset(in_folder + sizeof folder - 1, out) : MFA_ERR_NOT_FOUND;
}
