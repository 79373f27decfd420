/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_compose.h"

#include <stdint.h>
#include <string.h>

#include "mfa_encode.h"
#include "mfa_json.h"
#include "mfa_placeholder.h"

/* Appends `text`, literals encoded. */
static enum mfa_status append_template(struct mfa_buffer *out, const char *text, size_t len, mfa_encode_fn *encode,
                                       const char **problem)
{
    const char *end = text + len;
    enum mfa_status status = MFA_OK;

    while (text < end && status == MFA_OK) {
        const char *opening = mfa_placeholder_find(text, end);
        const char *literal_end = opening != NULL ? opening : end;
        struct mfa_placeholder placeholder = {0};

        status = encode(out, text, (size_t)(literal_end - text));
        text = literal_end;
        if (opening == NULL || status != MFA_OK)
            continue;
        *problem = mfa_placeholder_parse(&placeholder, opening, end);
        if (*problem != NULL)
            return MFA_ERR_SYNTAX;
        status = mfa_buffer_append(out, opening, placeholder.len);
        text += placeholder.len;
    }
    return status;
}

static enum mfa_status encode_form_literal(struct mfa_buffer *out, const char *value, size_t len)
{
    const char *end = value + len;
    enum mfa_status status = MFA_OK;

    while (value < end && status == MFA_OK) {
        const char *space = memchr(value, ' ', (size_t)(end - value));
        const char *run_end = space != NULL ? space : end;

        status = mfa_encode_query(out, value, (size_t)(run_end - value));
        if (status == MFA_OK && space != NULL)
            status = mfa_buffer_append(out, "+", 1);
        value = space != NULL ? space + 1 : end;
    }
    return status;
}

/* --- Pairs ------------------------------------------------------------------------------------------------------ */

static enum mfa_status append_scalar(struct mfa_buffer *out, const json_t *value, mfa_encode_fn *encode,
                                     const char **problem)
{
    if (json_is_string(value))
        return append_template(out, json_string_value(value), json_string_length(value), encode, problem);
    if (json_is_number(value) || json_is_boolean(value))
        return mfa_json_encode(value, out);
    *problem = "must hold only strings, numbers, true and false";
    return MFA_ERR_SYNTAX;
}

static enum mfa_status append_key(struct mfa_buffer *out, const char *key, mfa_encode_fn *encode, const char **problem)
{
    if (strstr(key, "{{") == NULL)
        return encode(out, key, strlen(key));
    *problem = "has a placeholder in a key: only values can have one";
    return MFA_ERR_SYNTAX;
}

enum mfa_status mfa_compose_pairs(struct mfa_buffer *out, const json_t *map, enum mfa_pairs pairs, const char **problem)
{
    mfa_encode_fn *encode = pairs == MFA_PAIRS_FORM ? encode_form_literal : mfa_encode_query;
    const char *separator = "";
    const char *key = NULL;
    json_t *value = NULL;
    enum mfa_status status = MFA_OK;

    *problem = NULL;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        if (status == MFA_OK)
            status = mfa_buffer_append_text(out, separator);
        if (status == MFA_OK)
            status = append_key(out, key, encode, problem);
        if (status == MFA_OK)
            status = mfa_buffer_append_text(out, "=");
        if (status == MFA_OK)
            status = append_scalar(out, value, encode, problem);
        separator = "&";
    }
    return status;
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

static enum mfa_status append_json_string(struct mfa_buffer *out, const json_t *value, const char **problem)
{
    enum mfa_status status = mfa_buffer_append(out, "\"", 1);

    if (status == MFA_OK)
        status =
            append_template(out, json_string_value(value), json_string_length(value), mfa_encode_json_string, problem);
    return status == MFA_OK ? mfa_buffer_append(out, "\"", 1) : status;
}

static enum mfa_status append_object(struct mfa_buffer *out, const json_t *object, const char **problem)
{
    const char *separator = "{\"";
    const char *key = NULL;
    json_t *member = NULL;
    enum mfa_status status = json_object_size(object) == 0 ? mfa_buffer_append(out, "{", 1) : MFA_OK;

    json_object_foreach((json_t *)(uintptr_t)object, key, member)
    {
        if (status == MFA_OK)
            status = mfa_buffer_append_text(out, separator);
        if (status == MFA_OK)
            status = append_key(out, key, mfa_encode_json_string, problem);
        if (status == MFA_OK)
            status = mfa_buffer_append_text(out, "\":");
        if (status == MFA_OK)
            status = mfa_compose_json(out, member, problem);
        separator = ",\"";
    }
    return status == MFA_OK ? mfa_buffer_append(out, "}", 1) : status;
}

static enum mfa_status append_array(struct mfa_buffer *out, const json_t *array, const char **problem)
{
    enum mfa_status status = mfa_buffer_append(out, "[", 1);

    for (size_t i = 0; i < json_array_size(array) && status == MFA_OK; i++) {
        status = mfa_buffer_append_text(out, i == 0 ? "" : ",");
        if (status == MFA_OK)
            status = mfa_compose_json(out, json_array_get(array, i), problem);
    }
    return status == MFA_OK ? mfa_buffer_append(out, "]", 1) : status;
}

enum mfa_status mfa_compose_json(struct mfa_buffer *out, const json_t *value, const char **problem)
{
    *problem = NULL;
    switch (json_typeof(value)) {
    case JSON_OBJECT: return append_object(out, value, problem);
    case JSON_ARRAY: return append_array(out, value, problem);
    case JSON_STRING: return append_json_string(out, value, problem);
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL: return mfa_json_encode(value, out);
    }
    return MFA_ERR_INTERNAL;
}
