/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_capture.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_reading.h"
#include "mfa_url.h"

/* Room for the text of an integer. */
#define INTEGER_SIZE 24

void mfa_capture_clear(struct mfa_capture *capture)
{
    free(capture->name);
    free(capture->header);
    mfa_pointer_free(capture->pointer);
    *capture = (struct mfa_capture){0};
}

static bool is_harmless(const char *text, size_t len)
{
    if (len == 0 || len > MFA_CAPTURE_MAX_LEN)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!mfa_url_is_unreserved(text[i]) && memchr(":+=/@", text[i], 5) == NULL)
            return false;
    return true;
}

static enum mfa_status take_text(const char *text, size_t len, json_t **out)
{
    if (!is_harmless(text, len))
        return MFA_ERR_REFUSED;
    *out = json_stringn(text, len);
    return *out == NULL ? MFA_ERR_MEMORY : MFA_OK;
}

static enum mfa_status take_integer(const json_t *value, json_t **out)
{
    char text_secret[INTEGER_SIZE];
    enum mfa_status status;

    (void)snprintf(text_secret, sizeof text_secret, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    status = take_text(text_secret, strlen(text_secret), out);
    sodium_memzero(text_secret, sizeof text_secret);
    return status;
}

static enum mfa_status take_value(const json_t *value, json_t **out)
{
    if (value == NULL)
        return MFA_ERR_NOT_FOUND;
    if (json_is_string(value))
        return take_text(json_string_value(value), json_string_length(value), out);
    if (json_is_integer(value))
        return take_integer(value, out);
    if (json_is_boolean(value))
        return json_is_true(value) ? take_text("true", 4, out) : take_text("false", 5, out);
    return MFA_ERR_REFUSED;
}

static enum mfa_status take_header(const char *name, const struct mfa_gateway_answer *answer, json_t **out)
{
    const char *value = answer->header == NULL ? NULL : answer->header(answer, name);

    return value == NULL ? MFA_ERR_NOT_FOUND : take_text(value, strlen(value), out);
}

enum mfa_status mfa_capture_take(const struct mfa_capture *capture, struct mfa_reading *reading, json_t **out)
{
    const json_t *value = NULL;
    enum mfa_status status;

    *out = NULL;
    if (capture->header != NULL)
        return take_header(capture->header, reading->answer, out);
    status = mfa_reading_find(reading, capture->pointer, &value);
    if (status != MFA_OK)
        return status == MFA_ERR_MEMORY ? status : MFA_ERR_INTERNAL;
    return take_value(value, out);
}
