/* SPDX-License-Identifier: Apache-2.0
 *
 * bare_server.c: what libmicrohttpd costs by itself: run as the sample host runs it (sample-host/listener.c), it takes any
 * request with its body and answers all of them with the same bytes, made once.
 *
 *     bare_server STATUS BODY [NAME VALUE]...
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct bare_server {
    unsigned status;
    struct MHD_Response *response;
};

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *len, void **slot)
{
    static char is_seen;
    const struct bare_server *server = context;

    (void)path;
    (void)method;
    (void)version;
    (void)body;
    if (*slot && *len == 0)
        return MHD_queue_response(connection, server->status, server->response);
    *slot = &is_seen;
    *len = 0;
    return MHD_YES;
}

static struct MHD_Response *make_response(char **words)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(words[0]), words[0], MHD_RESPMEM_PERSISTENT);

    for (char **header = words + 1; response && header[0] && header[1]; header += 2)
        if (MHD_add_response_header(response, header[0], header[1]) != MHD_YES)
            return NULL;
    return response;
}

static struct MHD_Daemon *listen_on_any_port(struct bare_server *server)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR,
        &address, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)(cores > 2 ? cores : 2), MHD_OPTION_CONNECTION_LIMIT, 5000U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16 * 1024, MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_END);
}

int main(int count, char **words)
{
    if (count < 3)
        return 2;
    struct bare_server server = {.status = (unsigned)strtoul(words[1], NULL, 10), .response = make_response(words + 2)};
    struct MHD_Daemon *daemon = server.response ? listen_on_any_port(&server) : NULL;
    if (!daemon)
        return 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    printf("http://127.0.0.1:%u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    for (;;)
        pause();
}
