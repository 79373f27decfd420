/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes/wire_service.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 4096

struct connection {
    int fd;
    char in[WIRE_REQUEST_SIZE];
    size_t in_len;
    const struct wire_reply *reply; /* under way, or NULL */
    size_t sent;
    uint64_t due_ms;
};

struct wire_loop {
    struct wire_service *service;
    struct connection *connections[MAX_CONNECTIONS];
    size_t count;
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t reply_len(const struct wire_reply *reply)
{
    return reply->len > 0 ? reply->len : strlen(reply->bytes);
}

static void close_connection(struct wire_loop *loop, size_t index, bool reset)
{
    struct connection *connection = loop->connections[index];

    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(connection->fd);
    free(connection);
    loop->connections[index] = loop->connections[--loop->count];
}

static bool request_is_whole(const struct connection *connection)
{
    const char *end = strstr(connection->in, "\r\n\r\n");
    const char *length = strcasestr(connection->in, "\r\ncontent-length:");
    size_t body_len = length && length < end ? strtoul(length + strlen("\r\ncontent-length:"), NULL, 10) : 0;

    return end && connection->in_len >= (size_t)(end - connection->in) + 4 + body_len;
}

static void take_request(struct wire_service *service, struct connection *connection)
{
    size_t number = atomic_fetch_add(&service->requested, 1);
    size_t last = service->reply_count - 1;

    pthread_mutex_lock(&service->mutex);
    memcpy(service->request, connection->in, connection->in_len + 1);
    service->request_len = connection->in_len;
    pthread_mutex_unlock(&service->mutex);
    connection->in_len = 0;
    connection->reply = &service->replies[number < last ? number : last];
    connection->sent = 0;
    connection->due_ms =
        connection->reply->after_ms == WIRE_NEVER ? UINT64_MAX : now_ms() + connection->reply->after_ms;
}

/* False: the connection is over. */
static bool receive(struct wire_service *service, struct connection *connection)
{
    ssize_t got =
        recv(connection->fd, connection->in + connection->in_len, sizeof connection->in - 1 - connection->in_len, 0);
    if (got <= 0)
        return false;
    connection->in_len += (size_t)got;
    connection->in[connection->in_len] = '\0';
    if (request_is_whole(connection))
        take_request(service, connection);
    return true;
}

/* False: the connection is over. */
static bool send_what_is_due(struct connection *connection, bool *reset)
{
    const struct wire_reply *reply = connection->reply;

    if (!reply || connection->due_ms > now_ms())
        return true;
    size_t left = reply_len(reply) - connection->sent;
    size_t part = reply->drip_ms > 0 && left > 1 ? 1 : left;
    ssize_t put = part == 0 ? 0 : send(connection->fd, reply->bytes + connection->sent, part, MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN;
    connection->sent += (size_t)put;
    connection->due_ms += reply->drip_ms;
    if (connection->sent < reply_len(reply))
        return true;
    connection->reply = NULL;
    *reset = reply->end == WIRE_RESET;
    return reply->end == WIRE_KEEP;
}

static int next_due_ms(const struct wire_loop *loop)
{
    uint64_t now = now_ms();
    uint64_t wait_ms = 1000;

    for (size_t i = 0; i < loop->count; i++) {
        const struct connection *connection = loop->connections[i];
        if (connection->reply) {
            uint64_t left_ms = connection->due_ms > now ? connection->due_ms - now : 0;
            wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
        }
    }
    return (int)wait_ms;
}

static void accept_connections(struct wire_loop *loop)
{
    int fd;

    while ((fd = accept4(loop->service->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection || loop->count == MAX_CONNECTIONS) {
            free(connection);
            close(fd);
            continue;
        }
        connection->fd = fd;
        loop->connections[loop->count++] = connection;
        atomic_fetch_add(&loop->service->accepted, 1);
    }
}

static void serve(struct wire_loop *loop, const struct pollfd *polled)
{
    /* From the end, since closing moves the last one down. */
    for (size_t i = loop->count; i-- > 0;) {
        struct connection *connection = loop->connections[i];
        bool reset = false;
        if ((polled[i].revents != 0 && !receive(loop->service, connection)) || !send_what_is_due(connection, &reset))
            close_connection(loop, i, reset);
    }
}

static void *service_main(void *arg)
{
    struct wire_service *service = arg;
    struct wire_loop *loop = calloc(1, sizeof *loop);
    struct pollfd *polled = calloc(MAX_CONNECTIONS + 2, sizeof *polled);

    while (loop && polled) {
        loop->service = service;
        size_t count = loop->count;
        for (size_t i = 0; i < count; i++)
            polled[i] = (struct pollfd){.fd = loop->connections[i]->fd, .events = POLLIN};
        polled[count] = (struct pollfd){.fd = service->listener, .events = POLLIN};
        polled[count + 1] = (struct pollfd){.fd = service->stop_pipe[0], .events = POLLIN};
        poll(polled, count + 2, next_due_ms(loop));
        if (polled[count + 1].revents != 0)
            break;
        serve(loop, polled);
        if (polled[count].revents != 0)
            accept_connections(loop);
    }
    while (loop && loop->count > 0)
        close_connection(loop, 0, false);
    free(polled);
    free(loop);
    return NULL;
}

void wire_service_start(struct wire_service *service, const struct wire_reply *replies, size_t reply_count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_len = sizeof address;

    memset(service, 0, sizeof *service);
    assert_in_range(reply_count, 1, WIRE_MAX_REPLIES);
    memcpy(service->replies, replies, reply_count * sizeof replies[0]);
    service->reply_count = reply_count;
    pthread_mutex_init(&service->mutex, NULL);
    service->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(service->listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(service->listener, 4096), 0);
    assert_int_equal(getsockname(service->listener, (struct sockaddr *)&address, &address_len), 0);
    service->port = ntohs(address.sin_port);
    assert_int_equal(pipe(service->stop_pipe), 0);
    assert_int_equal(pthread_create(&service->thread, NULL, service_main, service), 0);
}

void wire_service_last_request(struct wire_service *service, char out[static WIRE_REQUEST_SIZE])
{
    pthread_mutex_lock(&service->mutex);
    memcpy(out, service->request, service->request_len);
    out[service->request_len] = '\0';
    pthread_mutex_unlock(&service->mutex);
}

void wire_service_stop(struct wire_service *service)
{
    assert_int_equal(write(service->stop_pipe[1], "", 1), 1);
    pthread_join(service->thread, NULL);
    close(service->listener);
    close(service->stop_pipe[0]);
    close(service->stop_pipe[1]);
    pthread_mutex_destroy(&service->mutex);
}
