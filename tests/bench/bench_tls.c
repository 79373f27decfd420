/* SPDX-License-Identifier: Apache-2.0
 *
 * A thousand challenges at once to one service, through the gateway as it ships: over HTTP/1.1 in clear and with TLS, and
 * over HTTP/2. What counts is how many TLS handshakes that takes, the dear part of a connection. The gateway trusts the
 * services' certificate only because this program is linked with a curl_easy_init of its own.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <microhttpd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "mfa_gateway.h"

#define CHALLENGES 1000
#define MAX_PER_HOST 512
#define TIMEOUT_MS 60000
#define CERTIFICATE "tests/data/self-signed.pem"
#define BODY "{\"phone_number\":\"41791231212\"}"

/* --- What the gateway is linked with ------------------------------------------------------------------------------- */

static atomic_uint handshakes;

static CURLcode count_handshake(CURL *easy, void *context, void *arg)
{
    (void)easy;
    (void)context;
    (void)arg;
    atomic_fetch_add(&handshakes, 1);
    return CURLE_OK;
}

CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);

CURL *__wrap_curl_easy_init(void)
{
    CURL *easy = __real_curl_easy_init();

    if (easy == NULL || curl_easy_setopt(easy, CURLOPT_CAINFO, CERTIFICATE) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, count_handshake) != CURLE_OK)
        abort();
    return easy;
}

/* --- A thousand challenges ------------------------------------------------------------------------------------------- */

struct tally {
    atomic_uint answered;
    sem_t done;
};

static void on_done(void *arg, const struct mfa_gateway_answer *answer)
{
    struct tally *tally = arg;

    if (answer->delivery == MFA_DELIVERY_ANSWERED && answer->http_status == 200)
        atomic_fetch_add(&tally->answered, 1);
    sem_post(&tally->done);
}

static struct mfa_http_request *request_to(const char *url)
{
    struct mfa_http_request *request = calloc(1, sizeof *request);

    if (request == NULL)
        abort();
    request->method = MFA_HTTP_POST;
    request->url_secret = strdup(url);
    request->url_len = strlen(url);
    request->body_secret = strdup(BODY);
    request->body_len = strlen(BODY);
    request->timeout_ms = TIMEOUT_MS;
    request->connect_timeout_ms = TIMEOUT_MS;
    return request;
}

static void challenge(const struct mfa_gateway_port *port, const char *url, struct tally *tally, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (port->submit(port->ctx, request_to(url), on_done, tally) != MFA_OK)
            abort();
    for (size_t i = 0; i < count; i++)
        sem_wait(&tally->done);
    if (tally->answered != count) {
        fprintf(stderr, "%s: %u of %zu challenges were answered\n", url, tally->answered, count);
        exit(1);
    }
    tally->answered = 0;
}

/* Seconds until all were answered, by a gateway that has a connection already or none. */
static double challenge_all(const char *url, bool is_connected)
{
    const struct mfa_gateway_limits limits = {.max_in_flight = 4000, .max_per_host = MAX_PER_HOST};
    struct mfa_gateway *gateway = NULL;
    struct tally tally = {0};

    sem_init(&tally.done, 0, 0);
    atomic_store(&handshakes, 0);
    if (mfa_gateway_new(&gateway, &limits) != MFA_OK)
        abort();
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    if (is_connected)
        challenge(&port, url, &tally, 1);
    double start_s = measure_now_s();
    challenge(&port, url, &tally, CHALLENGES);
    start_s = measure_now_s() - start_s;
    mfa_gateway_free(gateway);
    return start_s;
}

/* --- The services ---------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_len, void **request)
{
    static int seen;

    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    if (*request == NULL || *upload_len > 0) {
        *request = &seen;
        *upload_len = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, 200, context);
}

static char *read_text(const char *path)
{
    static char text[8192];
    FILE *file = fopen(path, "r");

    if (file == NULL)
        abort();
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static struct MHD_Daemon *http1_start(unsigned tls, struct MHD_Response *response, char url[static 64])
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char *pem = read_text(CERTIFICATE);
    const struct MHD_OptionItem keys[] = {{tls != 0 ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, pem},
                                          {MHD_OPTION_HTTPS_MEM_CERT, 0, pem},
                                          {MHD_OPTION_END, 0, NULL}};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | tls, 0, NULL, NULL, answer, response,
                         MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u,
                         MHD_OPTION_CONNECTION_LIMIT, 4096u, MHD_OPTION_ARRAY, keys, MHD_OPTION_END);

    if (daemon == NULL)
        abort();
    snprintf(url, 64, "%s://127.0.0.1:%u/", tls != 0 ? "https" : "http",
             MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    return daemon;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (const struct sockaddr *)&address, sizeof address);

    close(fd);
    return result;
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (const struct sockaddr *)&address, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        abort();
    close(fd);
    return ntohs(address.sin_port);
}

/* nghttpd, of the package nghttp2-server, answers with a file: an empty one, in a folder of its own. */
static pid_t http2_start(const char *folder, char url[static 64])
{
    uint16_t port = free_port();
    char number[8], file[128];

    snprintf(file, sizeof file, "%s/index.html", folder);
    FILE *index = fopen(file, "w");
    if (index == NULL || fclose(index) != 0)
        abort();
    snprintf(number, sizeof number, "%u", port);
    snprintf(url, 64, "https://127.0.0.1:%u/", port);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/usr/sbin/nghttpd", "nghttpd", "--address=127.0.0.1", "-m", "1000", "-d", folder, number, CERTIFICATE,
              CERTIFICATE, (char *)NULL);
        _exit(127);
    }
    for (int tries = 0; connect_to(port) != 0; tries++) {
        if (pid < 0 || tries == 500 || waitpid(pid, NULL, WNOHANG) != 0) {
            fputs("nghttpd does not start\n", stderr);
            exit(1);
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return pid;
}

/* --- The rows -------------------------------------------------------------------------------------------------------- */

struct trial {
    const char *row;
    const char *what;
    const char *url;
    bool is_connected;
    double limit;
};

static void print(const struct trial *trial, double plain_s)
{
    double took_s = challenge_all(trial->url, trial->is_connected);

    measure_print_row(
        &(struct measure_row){.row = trial->row,
                              .what = trial->what,
                              .unit = "handshakes",
                              .value = atomic_load(&handshakes),
                              .goal = MEASURE_AT_MOST,
                              .limit = trial->limit,
                              .context = json_pack("{s:f, s:f}", "seconds", took_s, "seconds_without_tls", plain_s)});
}

static void allow_many_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
}

int main(void)
{
    static char body[] = "{}";
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_PERSISTENT);
    char folder[] = "/tmp/mfa-bench-XXXXXX", command[128], plain_url[64], tls_url[64], http2_url[64];

    allow_many_descriptors();
    if (mkdtemp(folder) == NULL)
        abort();
    struct MHD_Daemon *plain = http1_start(0, response, plain_url);
    struct MHD_Daemon *tls = http1_start(MHD_USE_TLS, response, tls_url);
    pid_t http2 = http2_start(folder, http2_url);
    const struct trial trials[] = {
        {"tls-http1", "1,000 challenges to one host, TLS, HTTP/1.1", tls_url, false, MAX_PER_HOST},
        {"tls-http2", "1,000 challenges to one host, TLS, HTTP/2", http2_url, false, 1},
        {"tls-http2-connected", "the same after one challenge before", http2_url, true, 1},
    };
    double plain_s = challenge_all(plain_url, false);

    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++)
        print(&trials[i], plain_s);
    kill(http2, SIGTERM);
    waitpid(http2, NULL, 0);
    MHD_stop_daemon(tls);
    MHD_stop_daemon(plain);
    MHD_destroy_response(response);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
