/* SPDX-License-Identifier: Apache-2.0 */
#include "call_result.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX 64
#define HEADER_LEN_MAX 8192
#define BODY_LEN_MAX (1024 * 1024)

static bool is_token_character(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* How the message itself is framed (RFC 9112), and what the host puts into every answer. */
static bool is_for_the_host(struct core_span name)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Content-Type"};
    static const char cors[] = "Access-Control-";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (name.len == strlen(names[i]) && strncasecmp(name.data, names[i], name.len) == 0)
            return true;
    return name.len >= strlen(cors) && strncasecmp(name.data, cors, strlen(cors)) == 0;
}

static bool header_is_sound(const struct core_header *header)
{
    const unsigned char *name = header->name.data, *value = header->value.data;

    if (!name || header->name.len == 0 || header->name.len > HEADER_LEN_MAX || !value || header->value.len == 0 ||
        header->value.len > HEADER_LEN_MAX || is_for_the_host(header->name))
        return false;
    for (uint64_t i = 0; i < header->name.len; i++)
        if (!is_token_character(name[i]))
            return false;
    for (uint64_t i = 0; i < header->value.len; i++)
        if ((value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
            return false;
    return true;
}

static bool headers_are_sound(const struct core_result *result)
{
    if (result->header_count > HEADERS_MAX || (result->header_count > 0 && !result->headers))
        return false;
    for (uint32_t i = 0; i < result->header_count; i++)
        if (!header_is_sound(&result->headers[i]))
            return false;
    return true;
}

/* The table of core_result: which outcomes a kind of call may have, and what each needs. */
static bool outcome_is_permitted(enum call_kind kind, const struct core_result *result)
{
    uint32_t status = result->http_status;
    bool has_body = result->body.data && result->body.len > 0;

    switch (result->outcome) {
    case CORE_DENY: return has_body && status >= 400 && status <= 599;
    case CORE_ALLOW: return kind == CALL_LOGIN;
    case CORE_CHALLENGE: return kind == CALL_LOGIN && has_body && status >= 200 && status <= 299 && status != 204;
    case CORE_ANSWER: return kind == CALL_ROUTE && status >= 200 && status <= 399 && has_body == (status != 204);
    case CORE_RELEASE: return kind == CALL_ROUTE && result->grant.data && result->grant.len > 0;
    default: return false;
    }
}

static struct core_span pack(char **end, struct core_span span)
{
    char *start = *end;

    if (!span.data)
        return span;
    memcpy(start, span.data, (size_t)span.len);
    start[span.len] = '\0';
    *end += span.len + 1;
    return (struct core_span){start, span.len};
}

static size_t packed_len(struct core_span span)
{
    return span.data ? (size_t)span.len + 1 : 0;
}

/* What the plugin is told of by CORE_ERR_ARGUMENT, or NULL. */
static const char *argument_objection(const struct core_result *source)
{
    if (!source || source->struct_size < sizeof(*source))
        return "is missing or too short";
    if (!headers_are_sound(source))
        return "has too many headers, or one that no plugin may send";
    if (source->body.len > BODY_LEN_MAX)
        return "has a body that is too long";
    if (source->grant.len > CORE_GRANT_MAX)
        return "has a grant that is too long";
    return NULL;
}

/* Returns NULL when there is no memory. */
static struct call_result *copy(const struct core_result *source)
{
    size_t size = sizeof(struct call_result) + source->header_count * sizeof(struct core_header) +
                  packed_len(source->body) + packed_len(source->grant);
    for (uint32_t i = 0; i < source->header_count; i++)
        size += packed_len(source->headers[i].name) + packed_len(source->headers[i].value);
    struct call_result *result = malloc(size);
    if (!result)
        return NULL;

    *result = (struct call_result){.size = size,
                                   .outcome = source->outcome,
                                   .http_status = source->http_status,
                                   .header_count = source->header_count};
    char *end = (char *)&result->headers[source->header_count];
    result->body = pack(&end, source->body);
    result->secret_grant = pack(&end, source->grant);
    for (uint32_t i = 0; i < source->header_count; i++) {
        result->headers[i].name = pack(&end, source->headers[i].name);
        result->headers[i].value = pack(&end, source->headers[i].value);
    }
    return result;
}

core_status call_result_copy(enum call_kind kind, const struct core_result *source, struct call_result **out,
                             const char **objection)
{
    *out = NULL;
    *objection = argument_objection(source);
    if (*objection)
        return CORE_ERR_ARGUMENT;
    if (!outcome_is_permitted(kind, source)) {
        *objection = "has an outcome that is not permitted here, or lacks what it takes";
        return CORE_OK;
    }
    *out = copy(source);
    if (*out)
        return CORE_OK;
    *objection = "finds no memory";
    return CORE_ERR_MEMORY;
}

void call_result_free(struct call_result *result)
{
    if (!result)
        return;
    sodium_memzero(result, result->size);
    free(result);
}
