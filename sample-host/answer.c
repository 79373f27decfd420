/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_text.h"
#include "json_tree.h"

#define META_MAX 128

struct error_text {
    unsigned status;
    const char *id;
    const char *message;
};

static const struct error_text errors[] = {
    [ANSWER_UNEXPECTED_ERROR] = {500, "unexpected-error", "Something went wrong on the server."},
    [ANSWER_UNKNOWN_RESOURCE] = {404, "unknown-resource", "There is nothing at this path for this method."},
    [ANSWER_TOKEN_MISSING] = {401, "invalid-access-token", "An access token is needed."},
    [ANSWER_TOKEN_UNKNOWN] = {403, "invalid-access-token", "This access token is not valid here."},
    [ANSWER_FORBIDDEN] = {403, "forbidden", "This needs a personal access token."},
    [ANSWER_PROTECTED_FIELD] = {403, "forbidden", "This part of the profile is protected and cannot be written here."},
    [ANSWER_INVALID_STRUCTURE] = {400, "invalid-request-structure",
                                  "The body must be one JSON object of moderate size."},
    [ANSWER_INVALID_PARAMETERS] = {400, "invalid-parameters-format", "Some parameters are missing or malformed."},
    [ANSWER_INVALID_CREDENTIALS] = {401, "invalid-credentials", "The username or the password is wrong."},
    [ANSWER_OTHER_USERNAME] = {400, "invalid-operation", "The username in the body is not the one in the path."},
    [ANSWER_USERNAME_TAKEN] = {409, "item-already-exists", "A user with this username exists already."},
    [ANSWER_BUSY] = {503, "api-unavailable", "The server is busy, try again in a moment."},
    [ANSWER_STOPPING] = {503, "api-unavailable", "The server is stopping, try again in a moment."},
};

/* A body may hold a token. The allocation starts with its length. */
static void free_body(void *body)
{
    size_t *allocation = (size_t *)body - 1;

    sodium_memzero(allocation, sizeof(*allocation) + *allocation);
    free(allocation);
}

static void *new_body(size_t len)
{
    size_t *allocation = malloc(sizeof(*allocation) + len);

    if (!allocation)
        return NULL;
    *allocation = len;
    return allocation + 1;
}

static struct MHD_Response *new_response(void *body, size_t len, const char *media_type)
{
    struct MHD_Response *response = body ? MHD_create_response_from_buffer_with_free_callback(len, body, free_body)
                                         : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    if (!response) {
        if (body)
            free_body(body);
        return NULL;
    }
    if ((media_type && MHD_add_response_header(response, "Content-Type", media_type) != MHD_YES) ||
        MHD_add_response_header(response, "API-Version", ANSWER_API_VERSION) != MHD_YES ||
        MHD_add_response_header(response, "Access-Control-Allow-Origin", "*") != MHD_YES ||
        MHD_add_response_header(response, "Access-Control-Expose-Headers", "API-Version, Retry-After") != MHD_YES) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

/* Writes a number so that it ends at `end`, in at least `digits` digits. Returns where it begins. */
static char *write_number(char *end, uint64_t number, int digits)
{
    for (; number > 0 || digits > 0; number /= 10, digits--)
        *--end = (char)('0' + number % 10);
    return end;
}

static size_t write_meta(char meta[static META_MAX], const char *separator)
{
    static const char head[] = "\"meta\":{\"apiVersion\":\"" ANSWER_API_VERSION "\",\"serverTime\":";
    static const char tail[] = ",\"serial\":\"" ANSWER_SERIAL "\"}}";
    char time[32];
    char *time_end = time + sizeof(time);
    int64_t now_ms = 0;
    _Static_assert(1 + sizeof(head) + sizeof(time) + sizeof(tail) <= META_MAX, "the meta does not fit its memory");

    /* Without a clock the time is 0, which no client can take for a time. */
    uint64_t time_ms = clock_wall(&now_ms) && now_ms > 0 ? (uint64_t)now_ms : 0;
    char *at = write_number(time_end, time_ms % 1000, 3);
    *--at = '.';
    at = write_number(at, time_ms / 1000, 1);
    char *end = stpcpy(stpcpy(meta, separator), head);
    end = mempcpy(end, at, (size_t)(time_end - at));
    end = mempcpy(end, tail, sizeof(tail) - 1);
    return (size_t)(end - meta);
}

/* Whether anything stands between the braces of the object. */
static bool has_members(const char *text, size_t closing)
{
    size_t i = closing;

    while (text[i - 1] == ' ' || text[i - 1] == '\t' || text[i - 1] == '\n' || text[i - 1] == '\r')
        i--;
    return text[i - 1] != '{';
}

struct MHD_Response *answer_object(struct core_span span)
{
    const char *text = span.data;
    size_t closing = (size_t)span.len;
    char meta[META_MAX];

    if (!text || !json_text_is_object(text, closing, JSON_TEXT_DEPTH_MAX))
        return NULL;
    while (text[closing - 1] != '}')
        closing--;
    closing--;
    size_t meta_len = write_meta(meta, has_members(text, closing) ? "," : "");
    char *body = new_body(closing + meta_len);
    if (!body)
        return NULL;
    memcpy(body, text, closing);
    memcpy(body + closing, meta, meta_len);
    return new_response(body, closing + meta_len, "application/json; charset=utf-8");
}

/* Not json_dumps, which leaves what it wrote behind in memory that it has freed. */
static char *write_text(const json_t *object, size_t *len)
{
    char *text = NULL;

    *len = object ? json_dumpb(object, NULL, 0, JSON_COMPACT) : 0;
    if (*len > 0)
        text = malloc(*len);
    if (text)
        (void)json_dumpb(object, text, *len, JSON_COMPACT);
    return text;
}

struct MHD_Response *answer_json(json_t *object)
{
    size_t len = 0;
    char *text = write_text(object, &len);
    struct MHD_Response *response = text ? answer_object((struct core_span){text, len}) : NULL;

    if (text)
        sodium_memzero(text, len);
    free(text);
    json_tree_free(object);
    return response;
}

struct MHD_Response *answer_error(enum answer_error error, json_t *data, unsigned *status)
{
    const struct error_text *text = &errors[error];
    struct MHD_Response *response = answer_json(json_pack("{s:{s:s, s:s, s:o*}}", "error", "id", text->id, "message",
                                                          text->message, "data", data)); /* transferred */

    *status = text->status;
    if (response && text->status == 503 && MHD_add_response_header(response, "Retry-After", "1") != MHD_YES) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

struct MHD_Response *answer_empty(void)
{
    return new_response(NULL, 0, NULL);
}

struct MHD_Response *answer_preflight(void)
{
    struct MHD_Response *response = answer_json(json_object());

    if (response &&
        (MHD_add_response_header(response, "Access-Control-Allow-Methods",
                                 "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") != MHD_YES ||
         MHD_add_response_header(response, "Access-Control-Allow-Headers", "Authorization, Content-Type") != MHD_YES ||
         MHD_add_response_header(response, "Access-Control-Max-Age", "86400") != MHD_YES)) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

struct MHD_Response *answer_text(const char *media_type, struct core_span text)
{
    void *body = new_body((size_t)text.len);

    if (!body)
        return NULL;
    memcpy(body, text.data, (size_t)text.len);
    return new_response(body, (size_t)text.len, media_type);
}
