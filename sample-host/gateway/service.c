/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include "behaviour.h"
#include "codes.h"
#include "hold.h"
#include "phone.h"
#include "reply.h"
#include "smsapi.h"
#include "smsmode.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 4096
#define CONNECTIONS_MAX 8192
#define PHONE_PATH "/phone/"

struct service {
    struct MHD_Daemon *daemon;
    struct hold *hold;
    struct phone *phone;
    struct codes *codes;
    struct behaviour behaviour;
    uint32_t sent;
};

struct request {
    char secret_body[BODY_MAX];
    size_t body_len;
    bool body_is_too_large;
    bool is_decided; /* `reply` is what will be answered, now or after being held */
    struct reply reply;
    struct hold_entry held;
};

typedef struct reply route_fn(struct service *service, struct MHD_Connection *connection, const char *path,
                              json_t *body);

struct route {
    const char *method;
    const char *path; /* one that ends in '/' stands for all below it */
    bool follows_behaviour;
    route_fn *answer;
};

static struct reply answer_send(struct service *service, struct MHD_Connection *connection, const char *path,
                                json_t *body)
{
    (void)path;
    (void)body;
    return smsmode_send(connection, service->phone, &service->sent);
}

static struct reply answer_create_code(struct service *service, struct MHD_Connection *connection, const char *path,
                                       json_t *body)
{
    (void)path;
    return smsapi_create_code(connection, body, service->codes, service->phone);
}

static struct reply answer_verify_code(struct service *service, struct MHD_Connection *connection, const char *path,
                                       json_t *body)
{
    (void)path;
    return smsapi_verify_code(connection, body, service->codes);
}

static struct reply answer_messages(struct service *service, struct MHD_Connection *connection, const char *path,
                                    json_t *body)
{
    (void)connection;
    (void)body;
    json_t *messages = phone_messages(service->phone, path + strlen(PHONE_PATH));
    return reply_json(MHD_HTTP_OK, json_pack("{s:o}", "messages", messages));
}

static struct reply answer_behave(struct service *service, struct MHD_Connection *connection, const char *path,
                                  json_t *body)
{
    (void)connection;
    (void)path;
    struct behaviour behaviour = {0};
    if (!behaviour_parse(&behaviour, body))
        return reply_error(MHD_HTTP_BAD_REQUEST, "invalid_behaviour",
                           "Expected {\"mode\": \"ok|stall|error500|redirect|garbage|reset\", \"delayMs\": n}");
    service->behaviour = behaviour;
    hold_release_all(service->hold);
    return reply_text(MHD_HTTP_NO_CONTENT, "text/plain", "");
}

static const struct route routes[] = {
    {"GET", "/http/1.6/sendSMS.do", true, answer_send},
    {"POST", "/mfa/codes", true, answer_create_code},
    {"POST", "/mfa/codes/verifications", true, answer_verify_code},
    {"GET", PHONE_PATH, false, answer_messages},
    {"POST", "/behave", false, answer_behave},
};

static bool path_matches(const char *path, const char *pattern)
{
    size_t len = strlen(pattern);
    return pattern[len - 1] == '/' ? strncmp(path, pattern, len) == 0 : strcmp(path, pattern) == 0;
}

static const struct route *find_route(const char *method, const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(method, routes[i].method) == 0 && path_matches(path, routes[i].path))
            return &routes[i];
    return NULL;
}

/* Decides the answer, and how long to hold it. */
static struct reply decide(struct service *service, struct MHD_Connection *connection, const struct request *request,
                           const char *method, const char *path, uint64_t *delay_ms)
{
    *delay_ms = 0;
    const struct route *route = find_route(method, path);
    if (!route)
        return reply_error(MHD_HTTP_NOT_FOUND, "not_found", "Not found");
    if (request->body_is_too_large)
        return reply_error(MHD_HTTP_CONTENT_TOO_LARGE, "too_large", "The body is too large.");
    if (route->follows_behaviour) {
        enum behaviour_mode mode = service->behaviour.mode;
        *delay_ms = mode == BEHAVIOUR_STALL ? HOLD_FOREVER_MS : service->behaviour.delay_ms;
        if (mode != BEHAVIOUR_OK)
            return behaviour_reply(mode, connection);
    }
    json_t *body = json_loadb(request->secret_body, request->body_len, JSON_REJECT_DUPLICATES, NULL);
    struct reply reply = route->answer(service, connection, path, body);
    json_decref(body);
    return reply;
}

static void take_upload(struct request *request, const char *data, size_t len)
{
    if (len > BODY_MAX - request->body_len) {
        request->body_is_too_large = true;
        return;
    }
    memcpy(request->secret_body + request->body_len, data, len);
    request->body_len += len;
}

/* libmicrohttpd calls this once with the headers, again for each piece of the body, then to be answered; and once more
 * after the connection was held. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_len, void **state)
{
    (void)version;
    struct service *service = context;
    struct request *request = *state;
    if (!request) {
        *state = calloc(1, sizeof *request);
        return *state ? MHD_YES : MHD_NO;
    }
    if (*upload_len > 0) {
        take_upload(request, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    if (!request->is_decided) {
        uint64_t delay_ms = 0;
        request->reply = decide(service, connection, request, method, path, &delay_ms);
        request->is_decided = true;
        if (delay_ms > 0 && hold_start(service->hold, &request->held, connection, delay_ms))
            return MHD_YES;
    }
    if (!request->reply.response)
        return MHD_NO;
    return MHD_queue_response(connection, request->reply.status, request->reply.response);
}

static void forget_request(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct request *request = *state;
    if (!request)
        return;
    reply_clear(&request->reply);
    sodium_memzero(request->secret_body, request->body_len);
    free(request);
    *state = NULL;
}

struct service *service_new(uint16_t port)
{
    struct service *service = calloc(1, sizeof *service);
    if (!service)
        return NULL;
    service->hold = hold_new();
    service->phone = phone_new();
    service->codes = codes_new();
    if (!service->hold || !service->phone || !service->codes)
        goto fail;

    const struct sockaddr_in loopback = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* poll, not epoll: libmicrohttpd 0.9.75 stops serving in epoll mode once 128 connections are ready together. */
    service->daemon =
        MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, service,
                         MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                         MHD_OPTION_NOTIFY_COMPLETED, forget_request, NULL, MHD_OPTION_END);
    if (!service->daemon)
        goto fail;
    return service;

fail:
    service_free(service);
    return NULL;
}

uint16_t service_port(const struct service *service)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(service->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    if (service->daemon) {
        hold_stop(service->hold);
        MHD_stop_daemon(service->daemon);
    }
    hold_free(service->hold);
    phone_free(service->phone);
    codes_free(service->codes);
    free(service);
}
