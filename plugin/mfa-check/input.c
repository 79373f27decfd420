/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "memory.h"
#include "mfa_json.h"
#include "mfa_policy.h"

#define CHUNK_LEN 4096

static enum mfa_status read_all(FILE *file, struct mfa_buffer *out)
{
    char chunk[CHUNK_LEN];
    enum mfa_status status = MFA_OK;
    size_t len = 0;

    while (status == MFA_OK && (len = fread(chunk, 1, sizeof chunk, file)) > 0)
        status = memory_checked(mfa_buffer_append(out, chunk, len));
    return status;
}

bool input_read(const char *path, size_t max_len, struct mfa_buffer *out)
{
    FILE *file = fopen(path, "re");
    enum mfa_status status = MFA_OK;
    bool has_failed = false;

    mfa_buffer_init(out, max_len);
    if (file == NULL) {
        complain("%s cannot be read: %s", path, strerror(errno));
        return false;
    }
    status = read_all(file, out);
    has_failed = ferror(file) != 0;
    if (has_failed)
        complain("%s cannot be read: %s", path, strerror(errno));
    else if (status != MFA_OK)
        complain("%s is longer than %zu bytes", path, max_len);
    (void)fclose(file);
    return !has_failed && status == MFA_OK;
}

/* jansson's words, but for what it quotes: that may be a secret. */
static void complain_of_json(const char *name, const char *text, size_t len)
{
    json_error_t error = {0};
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    const char *near = strstr(error.text, " near ");

    if (value == NULL)
        complain("%s is not JSON: %.*s, on line %d", name,
                 near != NULL ? (int)(near - error.text) : (int)sizeof error.text, error.text, error.line);
    else
        complain("%s must be one JSON object, at most %d levels deep, as {\"phone\": \"+41791231212\"}", name,
                 MFA_BODY_MAX_DEPTH);
    mfa_json_free(value);
}

json_t *input_parse_object(const char *name, const char *text, size_t len)
{
    json_t *object = NULL;

    if (memory_checked(mfa_json_parse_object(&object, text, len, MFA_BODY_MAX_DEPTH)) != MFA_OK)
        complain_of_json(name, text, len);
    return object;
}
