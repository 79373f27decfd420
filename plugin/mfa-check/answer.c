/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "memory.h"
#include "mfa_policy.h"

static void set_body(struct answer *answer, const char *text, size_t len)
{
    mfa_buffer_init(&answer->body, SIZE_MAX);
    (void)memory_checked(mfa_buffer_reserve(&answer->body, len));
    (void)memory_checked(mfa_buffer_append(&answer->body, text, len));
}

static void add_header(struct answer *answer, const char *name, size_t name_len, const char *value, size_t value_len)
{
    answer->headers = memory_need(reallocarray(answer->headers, answer->header_count + 1, sizeof answer->headers[0]));
    answer->headers[answer->header_count++] = (struct answer_header){.name = memory_need(strndup(name, name_len)),
                                                                     .value = memory_need(strndup(value, value_len))};
}

static const char *find_header(const struct answer *answer, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcasecmp(answer->headers[i].name, name) != 0)
            continue;
        if (value != NULL)
            return NULL;
        value = answer->headers[i].value;
    }
    return value;
}

/* --- Copying ------------------------------------------------------------------------------------------------------ */

static void copy_header(struct answer *out, const struct mfa_gateway_answer *from, const char *name)
{
    const char *value = from->header != NULL ? from->header(from, name) : NULL;

    if (value != NULL && find_header(out, name) == NULL)
        add_header(out, name, strlen(name), value, strlen(value));
}

void answer_copy(struct answer *out, const struct mfa_gateway_answer *from, const struct mfa_rules *rules)
{
    *out = (struct answer){.given = *from};
    set_body(out, from->body, from->body_len);
    copy_header(out, from, "content-type");
    copy_header(out, from, "location");
    copy_header(out, from, "retry-after");
    for (size_t i = 0; i < rules->capture_count; i++)
        if (rules->captures[i].header != NULL)
            copy_header(out, from, rules->captures[i].header);
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

/* A line of the text, without its end; `*next` is where the next one begins. */
static size_t line_len(const char *text, const char *end, const char **next)
{
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    size_t len = (size_t)((newline != NULL ? newline : end) - text);

    *next = newline != NULL ? newline + 1 : end;
    return len > 0 && text[len - 1] == '\r' ? len - 1 : len;
}

/* "HTTP/1.1 200 OK"; 0: it is none. */
static int status_of(const char *line, size_t len)
{
    const char *space = len > 5 && memcmp(line, "HTTP/", 5) == 0 ? memchr(line, ' ', len) : NULL;
    char digits[4] = "";
    size_t count = 0;

    for (; space != NULL && count < 3 && space + 1 + count < line + len; count++)
        digits[count] = space[1 + count];
    return count == 3 && strspn(digits, "0123456789") == 3 ? atoi(digits) : 0;
}

static void parse_header(struct answer *out, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    const char *value = colon;
    const char *end = line + len;

    if (colon == NULL)
        return;
    do
        value++;
    while (value < end && (*value == ' ' || *value == '\t'));
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    add_header(out, line, (size_t)(colon - line), value, (size_t)(end - value));
}

static void clear_headers(struct answer *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        free(answer->headers[i].name);
        free(answer->headers[i].value);
    }
    free(answer->headers);
    answer->headers = NULL;
    answer->header_count = 0;
}

/* Returns where the body begins. */
static const char *parse_head(struct answer *out, const char *text, const char *end)
{
    const char *next = text;
    size_t len = line_len(text, end, &next);

    out->given.http_status = status_of(text, len);
    clear_headers(out);
    for (text = next; text < end; text = next) {
        len = line_len(text, end, &next);
        if (len == 0)
            return next;
        parse_header(out, text, len);
    }
    return end;
}

static uint32_t retry_after_s(const struct answer *answer)
{
    const char *value = find_header(answer, "retry-after");
    const bool is_number = value != NULL && *value != '\0' && value[strspn(value, "0123456789")] == '\0';
    long long seconds = 0;

    if (is_number)
        seconds = strtoll(value, NULL, 10);
    else if (value != NULL)
        seconds = (long long)curl_getdate(value, NULL) - time(NULL);
    if (seconds > MFA_RETRY_AFTER_MAX_S)
        seconds = MFA_RETRY_AFTER_MAX_S;
    return seconds > 0 ? (uint32_t)seconds : 0;
}

/* The gateway gives up on an answer that is too long. */
static void bound(struct answer *answer, size_t head_len)
{
    if (answer->body.len <= MFA_GATEWAY_ANSWER_MAX_LEN && head_len <= MFA_GATEWAY_ANSWER_MAX_LEN)
        return;
    answer->given.delivery = MFA_DELIVERY_FAILED;
    answer->given.http_status = 0;
    answer->given.reason = head_len > MFA_GATEWAY_ANSWER_MAX_LEN ? "answer has too long headers" : "answer is too long";
}

bool answer_parse(struct answer *out, const char *text, size_t len, int status)
{
    const char *end = text + len;
    const char *body = text;
    const char *next = NULL;

    *out = (struct answer){.given = {.delivery = MFA_DELIVERY_ANSWERED, .http_status = status, .reason = "answered"}};
    /* An interim answer, or a proxy's, has another one behind it. */
    if (status == 0)
        while (body < end && status_of(body, line_len(body, end, &next)) != 0)
            body = parse_head(out, body, end);
    set_body(out, body, (size_t)(end - body));
    out->given.retry_after_s = retry_after_s(out);
    bound(out, (size_t)(body - text));
    return out->given.http_status != 0 || out->given.delivery != MFA_DELIVERY_ANSWERED;
}

/* --- Giving it back ----------------------------------------------------------------------------------------------- */

static const char *header(const struct mfa_gateway_answer *view, const char *name)
{
    return find_header(view->header_ctx, name);
}

struct mfa_gateway_answer answer_view(const struct answer *answer)
{
    struct mfa_gateway_answer view = answer->given;

    view.body = answer->body.data;
    view.body_len = answer->body.len;
    view.header = header;
    view.header_ctx = (void *)(uintptr_t)answer;
    return view;
}

json_t *answer_json(const struct answer *answer, const struct secrets *secrets)
{
    json_t *out = memory_need_json(json_object());
    json_t *headers = memory_need_json(json_array());

    if (answer->given.delivery != MFA_DELIVERY_ANSWERED) {
        json_decref(headers);
        memory_put(out, "failure", json_string(answer->given.reason));
        return out;
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        json_t *one = memory_need_json(json_object());

        memory_put(one, "name", secrets_text(secrets, answer->headers[i].name, strlen(answer->headers[i].name)));
        memory_put(one, "value", secrets_header(secrets, answer->headers[i].name, answer->headers[i].value));
        memory_append(headers, one);
    }
    memory_put(out, "status", json_integer(answer->given.http_status));
    memory_put(out, "headers", headers);
    memory_put(out, "body", secrets_text(secrets, answer->body.data, answer->body.len));
    return out;
}

void answer_clear(struct answer *answer)
{
    clear_headers(answer);
    mfa_buffer_clear(&answer->body);
    *answer = (struct answer){0};
}
