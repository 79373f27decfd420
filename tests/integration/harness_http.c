/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 120000L

/* One request under way: what libcurl points to until it is done. */
struct exchange {
    CURL *curl;
    struct curl_slist *headers;
    char *url;
    char *body; /* of the request */
    FILE *received;
    char *answer_body;
    size_t answer_body_len;
    CURLcode transport; /* only in a batch */
};

static size_t receive(char *data, size_t size, size_t count, void *context)
{
    return fwrite(data, size, count, context);
}

static void add_header(struct exchange *exchange, const char *line)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    assert_non_null(longer);
    exchange->headers = longer; /* transferred */
}

static void set_body(struct exchange *exchange, const struct http_request *request)
{
    const void *body = request->raw;
    size_t len = request->raw_len;
    if (request->json) {
        exchange->body = json_dumps(request->json, JSON_COMPACT | JSON_ENCODE_ANY);
        json_decref(request->json);
        assert_non_null(exchange->body);
        body = exchange->body;
        len = strlen(exchange->body);
    }
    if (!body)
        return;
    add_header(exchange, "Content-Type: application/json");
    add_header(exchange, "Expect:");
    curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    curl_easy_setopt(exchange->curl, CURLOPT_POSTFIELDS, body);
}

static void set_token(struct exchange *exchange, const char *token)
{
    char *line = NULL;
    assert_true(asprintf(&line, "Authorization: %s", token) > 0);
    add_header(exchange, line);
    free(line);
}

static void exchange_init(struct exchange *exchange, const char *base_url, const struct http_request *request)
{
    *exchange = (struct exchange){.curl = curl_easy_init()};
    assert_non_null(exchange->curl);
    assert_true(asprintf(&exchange->url, "%s%s", base_url, request->path) > 0);
    exchange->received = open_memstream(&exchange->answer_body, &exchange->answer_body_len);
    assert_non_null(exchange->received);

    set_body(exchange, request);
    if (request->token)
        set_token(exchange, request->token);
    for (const char *const *line = request->headers; line && *line; line++)
        add_header(exchange, *line);

    curl_easy_setopt(exchange->curl, CURLOPT_URL, exchange->url);
    curl_easy_setopt(exchange->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(exchange->curl, CURLOPT_CUSTOMREQUEST, request->method ? request->method : "GET");
    curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->headers);
    curl_easy_setopt(exchange->curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(exchange->curl, CURLOPT_WRITEDATA, exchange->received);
    curl_easy_setopt(exchange->curl, CURLOPT_TIMEOUT_MS, PATIENCE_MS);
    curl_easy_setopt(exchange->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(exchange->curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(exchange->curl, CURLOPT_PROXY, "");
}

static struct http_answer exchange_finish(struct exchange *exchange, CURLcode transport)
{
    struct http_answer answer = {.transport = transport};
    assert_int_equal(fclose(exchange->received), 0);
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_getinfo(exchange->curl, CURLINFO_TOTAL_TIME, &answer.seconds);
    answer.body = exchange->answer_body; /* transferred */
    answer.body_len = exchange->answer_body_len;
    answer.json = json_loadb(answer.body, answer.body_len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    answer.curl = exchange->curl; /* transferred */
    curl_slist_free_all(exchange->headers);
    free(exchange->url);
    free(exchange->body);
    *exchange = (struct exchange){0};
    return answer;
}

struct http_answer http_send(const char *base_url, struct http_request request)
{
    struct exchange exchange;
    exchange_init(&exchange, base_url, &request);
    return exchange_finish(&exchange, curl_easy_perform(exchange.curl));
}

struct http_batch {
    pthread_t thread;
    CURLM *multi;
    size_t count;
    struct exchange exchanges[];
};

static void *perform_all(void *context)
{
    const struct http_batch *batch = context;
    CURLMcode code = CURLM_OK;
    for (int running = 1; code == CURLM_OK && running > 0;) {
        code = curl_multi_perform(batch->multi, &running);
        if (code == CURLM_OK && running > 0)
            code = curl_multi_poll(batch->multi, NULL, 0, 1000, NULL);
    }
    return NULL;
}

struct http_batch *http_begin_all(const char *base_url, const struct http_request *requests, size_t count)
{
    allow_many_descriptors();
    struct http_batch *batch = calloc(1, sizeof *batch + count * sizeof *batch->exchanges);
    assert_non_null(batch);
    batch->multi = curl_multi_init();
    assert_non_null(batch->multi);
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        exchange_init(&batch->exchanges[i], base_url, &requests[i]);
        curl_easy_setopt(batch->exchanges[i].curl, CURLOPT_PRIVATE, &batch->exchanges[i]);
        batch->exchanges[i].transport = CURLE_AGAIN;
        assert_int_equal(curl_multi_add_handle(batch->multi, batch->exchanges[i].curl), CURLM_OK);
    }
    assert_int_equal(pthread_create(&batch->thread, NULL, perform_all, batch), 0);
    return batch;
}

void http_await_all(struct http_batch *batch, struct http_answer *answers)
{
    assert_int_equal(pthread_join(batch->thread, NULL), 0);
    int remaining = 0;
    for (CURLMsg *message = NULL; (message = curl_multi_info_read(batch->multi, &remaining));) {
        struct exchange *exchange = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        exchange->transport = message->data.result;
    }
    for (size_t i = 0; i < batch->count; i++) {
        curl_multi_remove_handle(batch->multi, batch->exchanges[i].curl);
        answers[i] = exchange_finish(&batch->exchanges[i], batch->exchanges[i].transport);
    }
    curl_multi_cleanup(batch->multi);
    free(batch);
}

void http_send_all(const char *base_url, const struct http_request *requests, struct http_answer *answers, size_t count)
{
    http_await_all(http_begin_all(base_url, requests, count), answers);
}

const char *http_header(const struct http_answer *answer, const char *name)
{
    struct curl_header *header = NULL;
    return curl_easy_header(answer->curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

const char *http_json_string(const struct http_answer *answer, const char *path)
{
    char keys[256];
    assert_true(snprintf(keys, sizeof keys, "%s", path) < (int)sizeof keys);
    const json_t *at = answer->json;
    char *rest = NULL;
    for (char *key = strtok_r(keys, "/", &rest); key; key = strtok_r(NULL, "/", &rest))
        at = json_object_get(at, key);
    return json_string_value(at);
}

void http_answer_clear(struct http_answer *answer)
{
    free(answer->body);
    json_decref(answer->json);
    curl_easy_cleanup(answer->curl);
    *answer = (struct http_answer){0};
}

void http_assert_answer(const struct http_answer *answer, long status, const char *error_id)
{
    const char *got_id = http_json_string(answer, "error/id");
    bool good = answer->status == status && (!error_id || (got_id && strcmp(got_id, error_id) == 0));
    if (!good)
        fail_msg("expected %ld %s, got %ld (%s) %s", status, error_id ? error_id : "", answer->status,
                 curl_easy_strerror(answer->transport), answer->body);
}

static void assert_common_parts(const struct http_answer *answer)
{
    const json_t *meta = json_object_get(answer->json, "meta");
    assert_string_equal(http_header(answer, "Access-Control-Allow-Origin"), "*");
    assert_non_null(http_header(answer, "API-Version"));
    if (answer->status == 204) {
        assert_int_equal(answer->body_len, 0);
        return;
    }
    assert_string_equal(json_string_value(json_object_get(meta, "apiVersion")), http_header(answer, "API-Version"));
    assert_true(json_is_number(json_object_get(meta, "serverTime")));
    assert_true(json_is_string(json_object_get(meta, "serial")));
    if (answer->status < 400)
        assert_null(json_object_get(answer->json, "error"));
    else
        assert_non_null(http_json_string(answer, "error/message"));
}

void http_expect(struct http_answer answer, long status, const char *error_id)
{
    http_assert_answer(&answer, status, error_id);
    assert_common_parts(&answer);
    http_answer_clear(&answer);
}

void http_expect_error(struct http_answer answer, long status, const char *error_id, const char *data)
{
    http_assert_answer(&answer, status, error_id);
    json_t *got = json_object_get(json_object_get(answer.json, "error"), "data");
    json_t *expected = data ? json_loads(data, 0, NULL) : NULL;
    if (data ? !json_equal(got, expected) : got != NULL)
        fail_msg("expected data %s, got %s", data ? data : "absent", answer.body);
    json_decref(expected);
    http_expect(answer, status, error_id); /* transferred */
}
