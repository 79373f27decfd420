/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "harness.h"
#include "measure.h"

#define EVENTS_MAX 256
#define REQUEST_MAX 2048

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct connection {
    int fd;
    size_t len; /* of the request so far */
    char request[REQUEST_MAX + 1];
    double due_s;                   /* while it waits */
    struct connection *prev, *next; /* of service.waiting */
};

struct service {
    char url[64];
    pthread_t thread;
    int epoll_fd, listen_fd;
    struct connection *waiting; /* in the order they are due */
    atomic_size_t waiting_count;
    _Atomic double delay_s;
    atomic_uint codes[SERVICE_NUMBERS];
};

/* --- one request ------------------------------------------------------------------------------------------------------- */

static void watch(const struct service *service, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    assert_int_equal(epoll_ctl(service->epoll_fd, EPOLL_CTL_ADD, fd, &event), 0);
}

static void hang_up(struct service *service, struct connection *connection)
{
    if (connection->due_s > 0) {
        DL_DELETE(service->waiting, connection);
        atomic_fetch_sub(&service->waiting_count, 1);
    }
    /* Not only closed: a process that is just being started may have it still. */
    epoll_ctl(service->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    close(connection->fd);
    free(connection);
}

/* The customer's single example, in which blanks and colons are percent-encoded. */
static void note_code(struct service *service, const char *request)
{
    const char *code = strstr(request, "is%3A%20");
    const char *number = strstr(request, "numero=4179123");
    assert_true(code && number);
    size_t index = strtoul(number + strlen("numero=4179123"), NULL, 10);
    assert_true(index < SERVICE_NUMBERS);
    atomic_store(&service->codes[index], (unsigned)strtoul(code + strlen("is%3A%20"), NULL, 10));
}

/* Who has left meanwhile is noticed when that is read. */
static void send_answer(const struct connection *connection)
{
    assert_true(send(connection->fd, answer, strlen(answer), MSG_NOSIGNAL) > 0 || errno == EPIPE);
}

static void serve_request(struct service *service, struct connection *connection)
{
    double delay_s = atomic_load(&service->delay_s);
    note_code(service, connection->request);
    connection->len = 0;
    if (delay_s <= 0) {
        send_answer(connection);
        return;
    }
    connection->due_s = measure_now_s() + delay_s;
    DL_APPEND(service->waiting, connection);
    atomic_fetch_add(&service->waiting_count, 1);
}

static void receive(struct service *service, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->request + connection->len, REQUEST_MAX - connection->len, 0);
    if (got <= 0) {
        hang_up(service, connection);
        return;
    }
    connection->len += (size_t)got;
    connection->request[connection->len] = '\0';
    if (strstr(connection->request, "\r\n\r\n"))
        serve_request(service, connection);
}

/* --- all of them ------------------------------------------------------------------------------------------------------- */

static void accept_one(struct service *service)
{
    struct connection *connection = calloc(1, sizeof *connection);
    assert_non_null(connection);
    connection->fd = accept4(service->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(connection->fd >= 0);
    watch(service, connection->fd, connection);
}

/* Answers whoever is due. Returns how long nobody is, in milliseconds; -1: nobody waits. */
static int answer_due(struct service *service)
{
    struct connection *connection;

    while ((connection = service->waiting)) {
        double left_s = connection->due_s - measure_now_s();
        if (left_s > 0)
            return (int)(left_s * 1000) + 1;
        DL_DELETE(service->waiting, connection);
        atomic_fetch_sub(&service->waiting_count, 1);
        connection->due_s = 0;
        send_answer(connection);
    }
    return -1;
}

static void *serve(void *context)
{
    struct service *service = context;
    struct epoll_event events[EVENTS_MAX];
    int count = 0;
    while ((count = epoll_wait(service->epoll_fd, events, EVENTS_MAX, answer_due(service))) >= 0 || errno == EINTR) {
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &service->listen_fd)
                accept_one(service);
            else
                receive(service, events[i].data.ptr);
        }
    }
    return NULL;
}

/* --- starting -------------------------------------------------------------------------------------------------------- */

static void listen_on_any_port(struct service *service)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    service->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(service->listen_fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(service->listen_fd, SOMAXCONN), 0);
    assert_int_equal(getsockname(service->listen_fd, (struct sockaddr *)&address, &len), 0);
    snprintf(service->url, sizeof service->url, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
}

struct service *service_start(void)
{
    struct service *service = calloc(1, sizeof *service);
    assert_non_null(service);
    allow_many_descriptors();
    service->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listen_on_any_port(service);
    watch(service, service->listen_fd, &service->listen_fd);
    assert_int_equal(pthread_create(&service->thread, NULL, serve, service), 0);
    return service;
}

const char *service_url(const struct service *service)
{
    return service->url;
}

void service_delay(struct service *service, double seconds)
{
    atomic_store(&service->delay_s, seconds);
}

size_t service_waiting(struct service *service)
{
    return atomic_load(&service->waiting_count);
}

unsigned service_code(struct service *service, size_t number)
{
    return atomic_load(&service->codes[number]);
}
