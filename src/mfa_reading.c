/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_reading.h"

#include <string.h>

#include "mfa_json.h"

/* Mostly jansson says nothing when memory is short, and always what is wrong with the text. Only a string for which there
 * is no room passes for a broken one. */
static bool lacked_memory(const json_error_t *error)
{
    const enum json_error_code code = json_error_code(error);

    return code == json_error_unknown || code == json_error_out_of_memory;
}

enum mfa_status mfa_reading_json(struct mfa_reading *reading, const json_t **out)
{
    const struct mfa_gateway_answer *answer = reading->answer;
    json_error_t error = {0};

    *out = reading->json_secret;
    if (reading->is_read)
        return MFA_OK;
    /* jansson passes over a NUL behind a number. */
    if (memchr(answer->body, '\0', answer->body_len) == NULL) {
        reading->json_secret =
            json_loadb(answer->body, answer->body_len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
        if (reading->json_secret == NULL && lacked_memory(&error))
            return MFA_ERR_MEMORY;
    }
    reading->is_read = true;
    *out = reading->json_secret;
    return MFA_OK;
}

enum mfa_status mfa_reading_find(struct mfa_reading *reading, const struct mfa_pointer *pointer, const json_t **found)
{
    const json_t *json = NULL;
    enum mfa_status status = mfa_reading_json(reading, &json);

    *found = NULL;
    return status == MFA_OK ? mfa_pointer_find(pointer, json, reading->variables, found) : status;
}

bool mfa_reading_is_blank(const struct mfa_reading *reading)
{
    for (size_t i = 0; i < reading->answer->body_len; i++)
        if (memchr(" \t\r\n", reading->answer->body[i], 4) == NULL)
            return false;
    return true;
}

void mfa_reading_clear(struct mfa_reading *reading)
{
    mfa_json_free(reading->json_secret);
    *reading = (struct mfa_reading){0};
}
