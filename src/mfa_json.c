/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_json.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

/* Recursion is bounded by `levels`, and what jansson accepts at all by its own limit of 2,048 levels. */
static bool is_deeper_than(const json_t *value, size_t levels)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;

    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (levels == 0)
        return true;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (is_deeper_than(member, levels - 1))
            return true;
    }
    json_array_foreach(value, i, member)
    {
        if (is_deeper_than(member, levels - 1))
            return true;
    }
    return false;
}

static enum mfa_status parse(json_t **out, const char *text, size_t len, size_t max_depth, size_t flags)
{
    json_error_t error;
    json_t *value = NULL;

    *out = NULL;
    /* jansson passes over a NUL behind a number. */
    if (len > 0 && memchr(text, '\0', len) != NULL)
        return MFA_ERR_SYNTAX;
    value = json_loadb(text, len, JSON_REJECT_DUPLICATES | flags, &error);
    if (value == NULL)
        return json_error_code(&error) == json_error_out_of_memory ? MFA_ERR_MEMORY : MFA_ERR_SYNTAX;
    if (!json_is_object(value) || is_deeper_than(value, max_depth)) {
        mfa_json_free(value);
        return MFA_ERR_SYNTAX;
    }
    *out = value;
    return MFA_OK;
}

enum mfa_status mfa_json_parse_object(json_t **out, const char *text, size_t len, size_t max_depth)
{
    return parse(out, text, len, max_depth, 0);
}

enum mfa_status mfa_json_parse_request(json_t **out, const char *text, size_t len, size_t max_depth)
{
    return parse(out, text, len, max_depth, JSON_ALLOW_NUL);
}

struct sink {
    struct mfa_buffer *out;
    enum mfa_status status;
};

static int append_to_sink(const char *bytes, size_t len, void *ctx)
{
    struct sink *sink = ctx;

    sink->status = mfa_buffer_append(sink->out, bytes, len);
    return sink->status == MFA_OK ? 0 : -1;
}

enum mfa_status mfa_json_encode(const json_t *value, struct mfa_buffer *out)
{
    struct sink sink = {.out = out, .status = MFA_OK};

    if (json_dump_callback(value, append_to_sink, &sink, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) != 0)
        return sink.status != MFA_OK ? sink.status : MFA_ERR_MEMORY;
    return MFA_OK;
}

static void wipe_strings(json_t *value)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;

    if (json_is_string(value))
        sodium_memzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_object_foreach(value, key, member) wipe_strings(member);
    json_array_foreach(value, i, member) wipe_strings(member);
}

void mfa_json_delete_secret(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (value != NULL)
        wipe_strings(value);
    json_object_del(object, key);
}

void mfa_json_free(json_t *value)
{
    if (value != NULL)
        wipe_strings(value);
    json_decref(value);
}
