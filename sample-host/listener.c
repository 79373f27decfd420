/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "admission.h"
#include "exchange.h"
#include "log.h"
#include "router.h"

#define CONNECTIONS_MAX 5000
/* For a request's line and headers, and the answer's. libmicrohttpd clears all of it for each request. */
#define CONNECTION_MEMORY ((size_t)16 * 1024)
#define CONNECTION_TIMEOUT_S 30
#define THREADS_MIN 2
#define DRAIN_MS 5000

/* A body that is too long is read to its end, so that the client reads its answer instead of a broken connection. One that
 * announces more than this is refused unread; one that grows past it unannounced breaks the connection. */
#define DISCARD_MAX (16 * 1024 * 1024)

struct listener {
    struct host *host;
    struct MHD_Daemon *daemon;
    int closed_fd; /* the listening socket after listener_close; else -1 */
};

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static enum MHD_Result append_body(struct exchange *exchange, const char *data, size_t len)
{
    size_t body_max = exchange->route ? exchange->route->max_body_len : 0;

    if (exchange->discarded_len > 0 || len > body_max - exchange->body_len) {
        exchange->discarded_len += len;
        return exchange->discarded_len <= DISCARD_MAX ? MHD_YES : MHD_NO;
    }
    if (exchange->body_size - exchange->body_len < len) {
        size_t size = exchange->body_len + len;
        char *body = malloc(size);
        if (!body)
            return MHD_NO;
        if (exchange->body) {
            memcpy(body, exchange->body, exchange->body_len);
            sodium_memzero(exchange->body, exchange->body_size);
            free(exchange->body);
        }
        exchange->body = body;
        exchange->body_size = size;
    }
    memcpy(exchange->body + exchange->body_len, data, len);
    exchange->body_len += len;
    return MHD_YES;
}

static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");

    return value && strtoull(value, NULL, 10) > DISCARD_MAX;
}

/* Where nothing answers HEAD by itself, GET does: libmicrohttpd leaves the body out. */
static struct route *find_route(struct router *router, const char *method, const char *path,
                                char username[static STORAGE_USERNAME_MAX + 1])
{
    struct route *route = router_find(router, method, path, username);

    return route || strcmp(method, "HEAD") != 0 ? route : router_find(router, "GET", path, username);
}

static enum MHD_Result begin(struct host *host, struct MHD_Connection *connection, const char *method, const char *path,
                             void **slot)
{
    char username[STORAGE_USERNAME_MAX + 1];
    struct route *route = find_route(host->router, method, path, username);
    struct exchange *exchange = exchange_new(host, connection, route);

    if (!exchange)
        return MHD_NO;
    memcpy(exchange->user.username, username, sizeof(username));
    *slot = exchange;
    if (!announces_too_much(connection))
        return MHD_YES;
    exchange_fail(exchange, ANSWER_INVALID_STRUCTURE, NULL);
    return exchange_send_or_suspend(exchange);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *len, void **slot)
{
    struct exchange *exchange = *slot;

    (void)version;
    if (!exchange)
        return begin(context, connection, method, path, slot);
    if (*len > 0) {
        enum MHD_Result result = append_body(exchange, data, *len);
        *len = 0;
        return result;
    }
    if (!exchange->is_admitted) {
        exchange->is_admitted = true;
        if (strcmp(method, "OPTIONS") == 0)
            exchange_answer(exchange, 200, answer_preflight());
        else
            admission_admit(exchange);
    }
    return exchange_send_or_suspend(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *slot;

    (void)context;
    (void)connection;
    (void)code;
    *slot = NULL;
    if (!exchange)
        return;
    if (exchange->route && exchange->status >= 100 && exchange->status < 600)
        atomic_fetch_add_explicit(&exchange->route->answers[exchange->status / 100], 1, memory_order_relaxed);
    exchange_drop(exchange);
}

/* Writes the client's address once for all requests of a connection. Without memory it is not known. */
static char *write_address(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sockaddr_in address;
    char text[INET_ADDRSTRLEN];

    if (!info || !info->client_addr || info->client_addr->sa_family != AF_INET)
        return NULL;
    memcpy(&address, info->client_addr, sizeof(address));
    return inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text)) ? strdup(text) : NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **address,
                          enum MHD_ConnectionNotificationCode code)
{
    (void)context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *address = write_address(connection);
    else
        free(*address);
}

/* --- starting ------------------------------------------------------------------------------------------------------------ */

static unsigned thread_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores > THREADS_MIN ? (unsigned)cores : THREADS_MIN;
}

/* The host binds, not libmicrohttpd: so the address is known before the first request, and why it failed. */
static int bind_socket(const struct host_config *config)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(config->port)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)inet_pton(AF_INET, config->ip, &address.sin_addr);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    log_line(CORE_LOG_ERROR, "cannot listen on %s:%u: %s", config->ip, (unsigned)config->port, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void read_address(struct host *host, int fd)
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);

    (void)getsockname(fd, (struct sockaddr *)&address, &len);
    (void)snprintf(host->address, sizeof(host->address), "%s:%u", host->config.ip, (unsigned)ntohs(address.sin_port));
}

core_status listener_start(struct host *host, struct listener **out)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    int fd = listener ? bind_socket(&host->config) : -1;

    *out = NULL;
    if (fd < 0) {
        free(listener);
        return CORE_ERR_INTERNAL;
    }
    listener->host = host;
    listener->closed_fd = -1;
    read_address(host, fd);
    /* Poll, not epoll: in epoll mode libmicrohttpd 0.9.75 stops serving for good once 128 connections of one thread are
     * ready at the same time, because its event array is then full on every turn. */
    listener->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, host,
        MHD_OPTION_LISTEN_SOCKET, fd /* transferred */, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_THREAD_POOL_SIZE, thread_count(),
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)host->config.connections_per_address_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_END);
    if (!listener->daemon) {
        log_line(CORE_LOG_ERROR, "the HTTP server cannot start");
        free(listener);
        return CORE_ERR_INTERNAL;
    }
    *out = listener; /* transferred */
    return CORE_OK;
}

/* --- stopping ------------------------------------------------------------------------------------------------------------ */

void listener_close(struct listener *listener)
{
    listener->closed_fd = MHD_quiesce_daemon(listener->daemon);
    /* Or the system goes on accepting connections, which nobody serves. */
    (void)shutdown(listener->closed_fd, SHUT_RDWR);
}

/* libmicrohttpd must not be stopped while a connection is suspended. Each of them waits for a job that is under way, so
 * that wait ends; how long a client takes to send or to read is not known, so that one is limited. */
static void drain(struct host *host)
{
    const struct timespec pause = {.tv_nsec = 5000000};

    for (int waited_ms = 0;
         atomic_load(&host->suspended) > 0 || (waited_ms < DRAIN_MS && atomic_load(&host->exchanges) > 0);
         waited_ms += 5)
        (void)nanosleep(&pause, NULL);
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    drain(listener->host);
    MHD_stop_daemon(listener->daemon);
    if (listener->closed_fd >= 0)
        (void)close(listener->closed_fd);
    free(listener);
}
