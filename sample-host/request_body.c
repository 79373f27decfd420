/* SPDX-License-Identifier: Apache-2.0 */
#include "request_body.h"

#include <string.h>

#include "json_text.h"

json_t *request_body_parse(struct exchange *exchange)
{
    json_t *body = NULL;

    /* Depth first: the parser would recurse. */
    if (exchange->body && json_text_is_object(exchange->body, exchange->body_len, REQUEST_BODY_DEPTH_MAX))
        body = json_loadb(exchange->body, exchange->body_len, JSON_REJECT_DUPLICATES, NULL);
    if (!body)
        exchange_fail(exchange, ANSWER_INVALID_STRUCTURE, NULL);
    return body;
}

void request_body_note(json_t *problems, const char *key, const char *message)
{
    /* An array that lacks an entry for want of memory still says that the request is refused. */
    (void)json_array_append_new(problems,
                                json_pack("{s:o, s:s}", "path", json_sprintf("#/%s", key), "message", message));
}

const char *request_body_text(const json_t *body, const char *key, size_t len_max, json_t *problems)
{
    const json_t *member = json_object_get(body, key);
    size_t len = json_string_length(member);

    if (json_is_string(member) && len > 0 && len <= len_max && strlen(json_string_value(member)) == len)
        return json_string_value(member);
    request_body_note(problems, key, "must be a text, not empty and not too long");
    return NULL;
}

const char *request_body_optional_text(const json_t *body, const char *key, size_t len_max, json_t *problems)
{
    const json_t *member = json_object_get(body, key);

    return !member || json_is_null(member) ? NULL : request_body_text(body, key, len_max, problems);
}
