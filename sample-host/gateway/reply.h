/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.h: an HTTP answer that is ready but not sent yet.
 */
#ifndef REPLY_H
#define REPLY_H

#include <jansson.h>
#include <microhttpd.h>

/* `response` NULL means there is no answer: the connection is closed. The response is owned by whoever holds the
 * struct, released with reply_clear. A zeroed reply is a valid "no answer". */
struct reply {
    unsigned status;
    struct MHD_Response *response;
};

/* A text of the given content type; `text` is copied. No answer if memory is short. */
struct reply reply_text(unsigned status, const char *content_type, const char *text);

/* A JSON answer. `body`, which may be NULL after a failed json_pack, is *transferred*; then there is no answer. */
struct reply reply_json(unsigned status, json_t *body);

/* {"error": id, "message": message}, the shape of smsapi's errors. */
struct reply reply_error(unsigned status, const char *id, const char *message);

/* Adds a header, best effort: without an answer there is nothing to add to. Both are copied. */
void reply_add_header(struct reply *reply, const char *name, const char *value);

/* Idempotent. */
void reply_clear(struct reply *reply);

#endif
