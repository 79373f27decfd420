/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_http.h: an HTTP client for tests, one request or many at once. Not thread-safe; redirects are not followed,
 * and each request has a connection of its own.
 */
#ifndef HARNESS_HTTP_H
#define HARNESS_HTTP_H

#include <curl/curl.h>
#include <jansson.h>
#include <stddef.h>

/* What to send; whatever is left out is not sent. All of it is borrowed until return, except `json`. */
struct http_request {
    const char *method; /* NULL: GET */
    const char *path;   /* appended to the base URL as it is, so with its own percent-encoding and query */
    const char *token;  /* sent as `Authorization: TOKEN` */
    json_t *json;       /* the body, sent as application/json; transferred */
    const void *raw;    /* a body of any bytes, when there is no `json`; sent as application/json as well */
    size_t raw_len;
    const char *const *headers; /* further `Name: value` lines, ends in NULL */
};

/* What came back. Released with http_answer_clear. */
struct http_answer {
    CURLcode transport; /* CURLE_OK, or why there is no whole answer */
    long status;        /* 0: there was none */
    char *body;         /* NUL-terminated, never NULL */
    size_t body_len;
    json_t *json;   /* the body parsed, or NULL when it is not JSON */
    double seconds; /* from first to last byte; for hang detection only */
    CURL *curl;     /* keeps the headers */
};

/* Sends one request and waits for its answer, at most 120 seconds. A failure of the transport is in the answer. */
struct http_answer http_send(const char *base_url, struct http_request request);

/* Sends `count` requests at once and waits for all answers. */
void http_send_all(const char *base_url, const struct http_request *requests, struct http_answer *answers,
                   size_t count);

/* The same in two steps: http_begin_all returns at once, and a thread of its own does the sending until http_await_all,
 * which waits for it, has filled in the answers and freed the batch.
 * Ownership  `requests` are borrowed until http_await_all. */
struct http_batch;
struct http_batch *http_begin_all(const char *base_url, const struct http_request *requests, size_t count);
void http_await_all(struct http_batch *batch, struct http_answer *answers);

/* The value of the first header of that name, in any case, or NULL; borrowed until http_answer_clear. */
const char *http_header(const struct http_answer *answer, const char *name);

/* The string at a path of keys separated by '/', such as "error/id", or NULL; borrowed until http_answer_clear. */
const char *http_json_string(const struct http_answer *answer, const char *path);

/* Idempotent. */
void http_answer_clear(struct http_answer *answer);

/* Asserts the status, and with `error_id` not NULL also `error.id`; prints the answer if not. */
void http_assert_answer(const struct http_answer *answer, long status, const char *error_id);

/* As http_assert_answer, and asserts what every answer carries: `meta` unless it is a 204, and the headers API-Version
 * and Access-Control-Allow-Origin. A success has no `error`. The answer is transferred: it is cleared. */
void http_expect(struct http_answer answer, long status, const char *error_id);

/* As http_expect for an error whose `error.data` equals this JSON text; NULL: that has no data. */
void http_expect_error(struct http_answer answer, long status, const char *error_id, const char *data);

#endif
