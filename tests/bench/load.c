/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "measure.h"

#define EVENTS_MAX 256
#define ANSWER_MAX 4096

struct connection {
    int fd;
    double sent_s;
    size_t len; /* of the answer so far */
    char answer[ANSWER_MAX + 1];
};

struct run {
    const struct load *load;
    struct connection *connections;
    int epoll_fd;
    size_t open;
    double until_s;
    double *took_ms; /* of each request */
    size_t count, size;
    size_t answer_len;
};

/* --- one connection -------------------------------------------------------------------------------------------------- */

static int connect_to(const char *url)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    address.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static size_t number_of(const struct run *run, const struct connection *connection)
{
    return (size_t)(connection - run->connections);
}

/* Sends what is next on this connection, or closes it. A request is short and goes out at once. */
static void go_on(struct run *run, struct connection *connection, const struct load_answer *previous)
{
    double now_s = measure_now_s();
    bool is_over = run->until_s > 0 && now_s >= run->until_s;
    const char *request = is_over ? NULL : run->load->next(run->load->context, number_of(run, connection), previous);
    if (!request) {
        close(connection->fd);
        run->open--;
        return;
    }
    size_t len = strlen(request);
    connection->len = 0;
    connection->sent_s = now_s;
    assert_int_equal(send(connection->fd, request, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void note(struct run *run, const struct connection *connection)
{
    if (run->count == run->size) {
        run->size = run->size > 0 ? 2 * run->size : 65536;
        run->took_ms = realloc(run->took_ms, run->size * sizeof *run->took_ms);
        assert_non_null(run->took_ms);
    }
    run->took_ms[run->count++] = (measure_now_s() - connection->sent_s) * 1000;
    run->answer_len = connection->len;
}

/* Whether the answer is all there; its parts then. */
static bool parse(struct connection *connection, struct load_answer *answer)
{
    connection->answer[connection->len] = '\0';
    const char *end = strstr(connection->answer, "\r\n\r\n");
    if (!end)
        return false;
    const char *length = strcasestr(connection->answer, "\r\nContent-Length: ");
    assert_true(length && length < end);
    answer->status = (unsigned)strtoul(connection->answer + strlen("HTTP/1.1 "), NULL, 10);
    answer->body = end + 4;
    size_t body_len = connection->len - (size_t)(answer->body - connection->answer);
    return body_len >= strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
}

static void receive(struct run *run, struct connection *connection)
{
    struct load_answer answer = {0};
    ssize_t got =
        recv(connection->fd, connection->answer + connection->len, ANSWER_MAX - connection->len, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail_msg("connection %zu was closed after %zu bytes", number_of(run, connection), connection->len);
    connection->len += (size_t)got;
    if (!parse(connection, &answer))
        return;
    note(run, connection);
    go_on(run, connection, &answer);
}

/* --- all of them ------------------------------------------------------------------------------------------------------ */

static void open_all(struct run *run)
{
    for (; run->open < run->load->connections; run->open++) {
        struct connection *connection = &run->connections[run->open];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        connection->fd = connect_to(run->load->url);
        assert_int_equal(epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event), 0);
    }
    for (size_t i = 0; i < run->load->connections; i++)
        go_on(run, &run->connections[i], NULL);
}

static void serve(struct run *run)
{
    struct epoll_event events[EVENTS_MAX];
    while (run->open > 0) {
        int count = epoll_wait(run->epoll_fd, events, EVENTS_MAX, -1);
        assert_true(count >= 0 || errno == EINTR);
        for (int i = 0; i < count; i++)
            receive(run, events[i].data.ptr);
    }
}

static void take_turn(struct run *run)
{
    if (run->load->seconds > 0)
        run->until_s = measure_now_s() + run->load->seconds;
    open_all(run);
    serve(run);
}

struct load_result load_run(const struct load *load)
{
    double started_s = measure_now_s();
    struct run run = {.load = load,
                      .connections = calloc(load->connections, sizeof *run.connections),
                      .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    assert_true(run.connections && run.epoll_fd >= 0);
    for (unsigned i = 0; i == 0 || i < load->turns; i++)
        take_turn(&run);
    struct load_result result = {
        .requests = run.count, .seconds = measure_now_s() - started_s, .answer_len = run.answer_len};
    assert_true(run.count > 0);
    result.requests_per_s = (double)run.count / result.seconds;
    result.p50_ms = measure_percentile(run.took_ms, run.count, 0.5);
    result.p99_ms = measure_percentile(run.took_ms, run.count, 0.99);
    close(run.epoll_fd);
    free(run.took_ms);
    free(run.connections);
    return result;
}

/* --- what is sent ------------------------------------------------------------------------------------------------------ */

const char *load_always(void *context, size_t connection, const struct load_answer *previous)
{
    const struct load_fixed *fixed = context;
    if (previous && previous->status != fixed->status)
        fail_msg("expected %u, got %u %s", fixed->status, previous->status, previous->body);
    return fixed->requests[connection];
}

char *load_post(const char *path, const char *token, const char *body)
{
    char *text = NULL;
    assert_true(asprintf(&text,
                         "POST %s HTTP/1.1\r\nHost: localhost\r\n%s%s%sContent-Type: application/json\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         path, token ? "Authorization: " : "", token ? token : "", token ? "\r\n" : "",
                         body ? strlen(body) : 0, body ? body : "") > 0);
    return text;
}
