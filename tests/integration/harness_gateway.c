/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"
#include "harness_gateway_request.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <utlist.h>

#define CONNECTIONS_MAX 8192

struct queued_script {
    struct gateway_script script;
    struct queued_script *prev;
    struct queued_script *next;
};

struct gateway {
    struct MHD_Daemon *daemon;
    struct hold *hold;
    char url[64];
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t recorded;
    struct gateway_request **requests;
    size_t count;
    struct queued_script *queue;
    struct gateway_script script;
    gateway_script_fn *decide;
    void *context;
};

/* A request under way, until libmicrohttpd is done with its connection. */
struct call {
    struct gateway *gateway;
    struct MHD_Connection *connection;
    struct gateway_request *request; /* until it is recorded */
    char *raw_url;
    struct hold_entry held;
    struct gateway_script script; /* numbers only: its text may be gone */
    struct MHD_Response *response;
    bool is_decided;
    char *body; /* of the answer */
    size_t body_len;
    bool has_dripped; /* the next byte has to wait */
};

/* Records the request and takes the script for it. The record stays where it is while the list grows. */
static const struct gateway_request *record(struct call *call, gateway_script_fn **decide, void **context)
{
    struct gateway *gateway = call->gateway;
    struct gateway_request *request = call->request;
    request->at_ms = hold_now_ms();
    pthread_mutex_lock(&gateway->mutex);
    struct gateway_request **longer = realloc(gateway->requests, (gateway->count + 1) * sizeof *longer);
    if (longer) {
        gateway->requests = longer;
        gateway->requests[gateway->count++] = request;
        call->request = NULL; /* transferred */
    }
    *decide = gateway->decide;
    *context = gateway->context;
    call->script = gateway->script;
    struct queued_script *queued = gateway->queue;
    if (queued) {
        DL_DELETE(gateway->queue, queued);
        call->script = queued->script;
        *decide = NULL;
    }
    pthread_cond_broadcast(&gateway->recorded);
    pthread_mutex_unlock(&gateway->mutex);
    free(queued);
    return longer ? request : NULL;
}

/* Closing alone would end the connection in good order first. Linux resets a socket that is disconnected. */
static void reset_connection(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    if (info)
        connect(info->connect_fd, &nowhere, sizeof nowhere);
}

static uint64_t answer_len(const struct call *call)
{
    return call->body_len * (call->script.body_times ? call->script.body_times : 1);
}

static ssize_t read_body(void *context, uint64_t pos, char *buffer, size_t size)
{
    struct call *call = context;
    uint64_t end = answer_len(call);
    if (call->script.manner == GATEWAY_RESET_MIDWAY) {
        end /= 2;
        if (pos >= end) {
            reset_connection(call->connection);
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
    if (call->script.manner == GATEWAY_DRIP) {
        bool must_wait = call->has_dripped;
        call->has_dripped = !must_wait;
        if (must_wait && hold_start(call->gateway->hold, &call->held, call->connection, call->script.drip_ms))
            return 0;
        size = 1;
    }
    size_t len = 0;
    for (; len < size && pos + len < end; len++)
        buffer[len] = call->body[(pos + len) % call->body_len];
    return (ssize_t)len;
}

/* Makes the response while the script's text is still there. */
static void prepare_response(struct call *call)
{
    const struct gateway_script *script = &call->script;
    const char *body = script->body ? script->body : "";
    call->body_len = script->body_len > 0 ? script->body_len : strlen(body);
    call->body = malloc(call->body_len + 1);
    if (!call->body)
        return;
    memcpy(call->body, body, call->body_len);
    call->response = MHD_create_response_from_callback(answer_len(call), 16384, read_body, call, NULL);
    for (const char *const *header = script->headers; call->response && header && header[0]; header += 2)
        MHD_add_response_header(call->response, header[0], header[1]);
}

static enum MHD_Result answer(struct call *call)
{
    const struct gateway_script *script = &call->script;
    if (script->manner == GATEWAY_RESET)
        reset_connection(call->connection);
    if (!call->response || script->manner == GATEWAY_STALL || script->manner == GATEWAY_RESET)
        return MHD_NO;
    return MHD_queue_response(call->connection, script->status, call->response);
}

static enum MHD_Result decide_and_answer(struct call *call)
{
    gateway_script_fn *decide = NULL;
    void *context = NULL;
    const struct gateway_request *request = record(call, &decide, &context);
    if (!request)
        return MHD_NO;
    if (decide)
        decide(context, request, &call->script);
    prepare_response(call);
    call->is_decided = true;

    uint64_t delay_ms = call->script.manner == GATEWAY_STALL ? HOLD_FOREVER_MS : call->script.delay_ms;
    if (delay_ms > 0 && hold_start(call->gateway->hold, &call->held, call->connection, delay_ms))
        return MHD_YES;
    return answer(call);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_len, void **state)
{
    (void)context;
    (void)version;
    struct call *call = *state;
    if (!call)
        return MHD_NO;
    if (call->is_decided)
        return answer(call);
    if (!call->request) {
        call->connection = connection;
        call->request = call->raw_url ? gateway_request_new(connection, method, path, call->raw_url) : NULL;
        return call->request ? MHD_YES : MHD_NO;
    }
    if (*upload_len > 0) {
        bool fits = gateway_request_append(call->request, upload, *upload_len);
        *upload_len = 0;
        return fits ? MHD_YES : MHD_NO;
    }
    return decide_and_answer(call);
}

/* The first that libmicrohttpd calls for a request; the only one to see the URL undecoded. */
static void *begin_call(void *context, const char *raw_url, struct MHD_Connection *connection)
{
    (void)connection;
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->gateway = context;
    call->raw_url = strdup(raw_url);
    return call;
}

static void end_call(void *context, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct call *call = *state;
    if (!call)
        return;
    if (call->response)
        MHD_destroy_response(call->response);
    gateway_request_free(call->request);
    free(call->raw_url);
    free(call->body);
    free(call);
    *state = NULL;
}

struct gateway *gateway_start(void)
{
    allow_many_descriptors();
    struct gateway *gateway = calloc(1, sizeof *gateway);
    assert_non_null(gateway);
    gateway->script.status = MHD_HTTP_OK;
    gateway->hold = hold_new();
    assert_non_null(gateway->hold);
    pthread_mutex_init(&gateway->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&gateway->recorded, &monotonic);
    pthread_condattr_destroy(&monotonic);

    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* poll, not epoll: libmicrohttpd 0.9.75 stops serving in epoll mode once 128 connections are ready together. */
    gateway->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, gateway, MHD_OPTION_SOCK_ADDR,
        &loopback, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_URI_LOG_CALLBACK, begin_call,
        gateway, MHD_OPTION_NOTIFY_COMPLETED, end_call, NULL, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096U, MHD_OPTION_END);
    assert_non_null(gateway->daemon);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(gateway->daemon, MHD_DAEMON_INFO_BIND_PORT);
    snprintf(gateway->url, sizeof gateway->url, "http://127.0.0.1:%u", (unsigned)info->port);
    return gateway;
}

void gateway_stop(struct gateway *gateway)
{
    if (!gateway)
        return;
    hold_stop(gateway->hold);
    MHD_stop_daemon(gateway->daemon);
    hold_free(gateway->hold);
    gateway_forget_requests(gateway);
    struct queued_script *queued = NULL;
    struct queued_script *next = NULL;
    DL_FOREACH_SAFE(gateway->queue, queued, next)
    {
        free(queued);
    }
    pthread_cond_destroy(&gateway->recorded);
    pthread_mutex_destroy(&gateway->mutex);
    free(gateway);
}

const char *gateway_url(const struct gateway *gateway)
{
    return gateway->url;
}

void gateway_answer(struct gateway *gateway, struct gateway_script script)
{
    pthread_mutex_lock(&gateway->mutex);
    gateway->script = script;
    pthread_mutex_unlock(&gateway->mutex);
}

void gateway_answer_next(struct gateway *gateway, struct gateway_script script)
{
    struct queued_script *queued = calloc(1, sizeof *queued);
    assert_non_null(queued);
    queued->script = script;
    pthread_mutex_lock(&gateway->mutex);
    DL_APPEND(gateway->queue, queued);
    pthread_mutex_unlock(&gateway->mutex);
}

void gateway_answer_with(struct gateway *gateway, gateway_script_fn *decide, void *context)
{
    pthread_mutex_lock(&gateway->mutex);
    gateway->decide = decide;
    gateway->context = context;
    pthread_mutex_unlock(&gateway->mutex);
}

void gateway_release(struct gateway *gateway)
{
    hold_release_all(gateway->hold);
}

size_t gateway_request_count(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->mutex);
    size_t count = gateway->count;
    pthread_mutex_unlock(&gateway->mutex);
    return count;
}

void gateway_await_requests(struct gateway *gateway, size_t count, uint32_t timeout_ms)
{
    uint64_t until_ms = hold_now_ms() + timeout_ms;
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000};
    int waited = 0;
    pthread_mutex_lock(&gateway->mutex);
    while (gateway->count < count && waited == 0)
        waited = pthread_cond_timedwait(&gateway->recorded, &gateway->mutex, &until);
    size_t got = gateway->count;
    pthread_mutex_unlock(&gateway->mutex);
    assert_true(got >= count);
}

const struct gateway_request *gateway_request(struct gateway *gateway, size_t index)
{
    pthread_mutex_lock(&gateway->mutex);
    const struct gateway_request *request = index < gateway->count ? gateway->requests[index] : NULL;
    pthread_mutex_unlock(&gateway->mutex);
    assert_non_null(request);
    return request;
}

const struct gateway_request *gateway_last_request(struct gateway *gateway)
{
    return gateway_request(gateway, gateway_request_count(gateway) - 1);
}

void gateway_forget_requests(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->mutex);
    for (size_t i = 0; i < gateway->count; i++)
        gateway_request_free(gateway->requests[i]);
    free(gateway->requests);
    gateway->requests = NULL;
    gateway->count = 0;
    pthread_mutex_unlock(&gateway->mutex);
}

void gateway_last_code(struct gateway *gateway, char code[static GATEWAY_CODE_MAX + 1])
{
    const struct gateway_request *request = gateway_last_request(gateway);
    const char *message = json_string_value(json_object_get(request->query, "message"));
    code[0] = '\0';
    for (const char *at = message ? message : request->body; *at;) {
        size_t len = strspn(at, "0123456789");
        if (len >= 4 && len <= GATEWAY_CODE_MAX)
            snprintf(code, GATEWAY_CODE_MAX + 1, "%.*s", (int)len, at);
        at += len > 0 ? len : 1;
    }
    assert_string_not_equal(code, "");
}
