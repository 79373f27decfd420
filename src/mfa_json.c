/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_json.h"

#include <sodium.h>
#include <string.h>

static enum mfa_status parse(json_t **out, const char *text, size_t len, size_t max_depth, size_t flags)
{
    enum mfa_status status = mfa_json_read(out, text, len, max_depth, JSON_REJECT_DUPLICATES | flags);

    if (status != MFA_OK || json_is_object(*out))
        return status;
    mfa_json_free(*out);
    *out = NULL;
    return MFA_ERR_SYNTAX;
}

enum mfa_status mfa_json_parse_object(json_t **out, const char *text, size_t len, size_t max_depth)
{
    return parse(out, text, len, max_depth, 0);
}

enum mfa_status mfa_json_parse_request(json_t **out, const char *text, size_t len, size_t max_depth)
{
    return parse(out, text, len, max_depth, JSON_ALLOW_NUL);
}

enum mfa_status mfa_json_parse_answer(json_t **out, const char *text, size_t len, size_t max_depth)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};

    if (len >= sizeof mark && memcmp(text, mark, sizeof mark) == 0) {
        text += sizeof mark;
        len -= sizeof mark;
    }
    return mfa_json_read(out, text, len, max_depth, JSON_REJECT_DUPLICATES | MFA_JSON_LARGE_AS_REAL);
}

struct sink {
    struct mfa_buffer *out;
    enum mfa_status status;
};

static int append_to_sink(const char *bytes, size_t len, void *ctx)
{
    struct sink *sink = ctx;

    if (sink->status == MFA_OK)
        sink->status = mfa_buffer_append(sink->out, bytes, len);
    return sink->status == MFA_OK ? 0 : -1;
}

enum mfa_status mfa_json_encode(const json_t *value, struct mfa_buffer *out)
{
    struct sink sink = {.out = out, .status = MFA_OK};
    const int failed =
        json_dump_callback(value, append_to_sink, &sink, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    /* Of a key that could not be written jansson does not tell. */
    return failed != 0 && sink.status == MFA_OK ? MFA_ERR_MEMORY : sink.status;
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
