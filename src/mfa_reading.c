/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_reading.h"

#include <string.h>

#include "mfa_json.h"

enum mfa_status mfa_reading_json(struct mfa_reading *reading, const json_t **out)
{
    const struct mfa_gateway_answer *answer = reading->answer;
    enum mfa_status status = MFA_OK;

    *out = reading->json_secret;
    if (reading->is_read)
        return MFA_OK;
    status = mfa_json_parse_answer(&reading->json_secret, answer->body, answer->body_len, MFA_JSON_MAX_DEPTH);
    if (status == MFA_ERR_MEMORY)
        return status;
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
