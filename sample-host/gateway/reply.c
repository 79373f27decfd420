/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

static struct reply reply_owned_text(unsigned status, const char *content_type, char *text)
{
    struct reply reply = {.status = status,
                          .response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE)};
    reply_add_header(&reply, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    return reply;
}

struct reply reply_text(unsigned status, const char *content_type, const char *text)
{
    char *copy = strdup(text);
    return copy ? reply_owned_text(status, content_type, copy) : (struct reply){0};
}

struct reply reply_json(unsigned status, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text ? reply_owned_text(status, "application/json", text) : (struct reply){0};
}

struct reply reply_error(unsigned status, const char *id, const char *message)
{
    return reply_json(status, json_pack("{s:s, s:s}", "error", id, "message", message));
}

void reply_add_header(struct reply *reply, const char *name, const char *value)
{
    if (reply->response)
        MHD_add_response_header(reply->response, name, value);
}

void reply_clear(struct reply *reply)
{
    if (reply->response)
        MHD_destroy_response(reply->response);
    *reply = (struct reply){0};
}
