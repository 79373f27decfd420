/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that are hardly HTTP, and clients that take their time, against the host.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attack.h"

#define SLOW_CLIENTS 1000
/* For detection of a hang only. */
#define PATIENCE_MS 20000

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &(struct attack_settings){0});
}

static int connect_to_host(struct stage *stage)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    address.sin_port = htons((uint16_t)strtoul(strrchr(stage_url(stage), ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void send_bytes(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the host has closed: its right */
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* Sends the bytes and the end, and reads what comes until the host closes as well; owned by caller. */
static char *exchange_bytes(struct stage *stage, const char *bytes, size_t len)
{
    char part[4096];
    char *answer = NULL;
    size_t answer_len = 0;
    FILE *received = open_memstream(&answer, &answer_len);
    assert_non_null(received);
    int fd = connect_to_host(stage);
    send_bytes(fd, bytes, len);
    shutdown(fd, SHUT_WR);
    ssize_t got = 0;
    while ((got = recv(fd, part, sizeof part, 0)) > 0)
        fwrite(part, 1, (size_t)got, received);
    assert_true(got == 0 || errno == ECONNRESET); /* not a hang */
    close(fd);
    assert_int_equal(fclose(received), 0);
    return answer;
}

/* `@` stands for the login under attack: "PATH" line and Authorization header; `%` for {"code": right}. */
static const char *const malformed[] = {
    "",
    "\r\n\r\n",
    "GET",
    "GET / HTTP/9.9\r\n\r\n",
    "GET /julia/access-info\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nContent-Length: -1\r\n\r\n%",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nContent-Length: 99999999999999999999999\r\n\r\n%",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nContent-Length: 0x12\r\n\r\n%",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nContent-Length: 400\r\n\r\n%",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n%\r\n0\r\n\r\n",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n%",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n%",
    "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization #\r\nContent-Length: 0\r\n\r\n",
    "POST @ HTTP/1.1\r\n: x\r\n: #\r\n\r\n",
    "POST \x01\x02 HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST @%00 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "TRACE @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\n\r\n",
    "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://169.254.169.254/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET @ HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\nX-HTTP-Method-Override: POST\r\nContent-Length: 0\r\n\r\n",
    "POST /../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
};

static void fill_in(FILE *out, const char *pattern, const struct pending_login *login)
{
    for (; *pattern; pattern++) {
        if (*pattern == '@')
            fputs("/malformed/mfa/verify", out);
        else if (*pattern == '#')
            fputs(login->mfa_token, out);
        else if (*pattern == '%' && pattern[1] != '0')
            fprintf(out, "{\"code\":\"%s\"}", login->code);
        else
            putc(*pattern, out);
    }
}

static void assert_host_serves(struct stage *stage, const char *username)
{
    uint64_t started_ms = hold_now_ms();
    free(user_login(stage_url(stage), username));
    assert_true(hold_now_ms() - started_ms < PATIENCE_MS);
}

static void A60_malformed_requests_release_nothing_and_harm_nobody(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "malformed");
    user_register(stage_url(stage), "wellformed");
    struct pending_login login = stage_login(stage, "malformed");
    for (size_t i = 0; i < LIST_LEN(malformed); i++) {
        char *bytes = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&bytes, &len);
        assert_non_null(out);
        fill_in(out, malformed[i], &login);
        assert_int_equal(fclose(out), 0);
        char *answer = exchange_bytes(stage, bytes, len);
        if (strstr(answer, "\"token\"") || strstr(answer, "apiEndpoint"))
            fail_msg("released by %s", bytes);
        free(answer);
        free(bytes);
    }
    assert_host_serves(stage, "wellformed");
    expect_right_code_works(stage, "malformed", &login);
}

/* Two lengths: what one reader takes for the next request, another takes for the body. */
static void A61_a_request_with_two_lengths_smuggles_nothing(void **state)
{
    struct stage *stage = *state;
    static const char *const patterns[] = {
        "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: wrong\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /smuggled/access-info HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\n\r\n",
        "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: wrong\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"
        "GET /smuggled/access-info HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\n\r\n",
        "POST @ HTTP/1.1\r\nHost: x\r\nAuthorization: wrong\r\nTransfer-Encoding: xchunked\r\n\r\n"
        "GET /smuggled/access-info HTTP/1.1\r\nHost: x\r\nAuthorization: #\r\n\r\n",
    };
    stage_enrol(stage, "smuggled");
    struct pending_login login = stage_login(stage, "smuggled");
    for (size_t i = 0; i < LIST_LEN(patterns); i++) {
        char *bytes = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&bytes, &len);
        assert_non_null(out);
        fill_in(out, patterns[i], &login);
        assert_int_equal(fclose(out), 0);
        char *answer = exchange_bytes(stage, bytes, len);
        assert_null(strstr(answer, "HTTP/1.1 200"));
        assert_null(strstr(answer, "apiEndpoint"));
        free(answer);
        free(bytes);
    }
    expect_right_code_works(stage, "smuggled", &login);
}

static void A62_headers_without_end_are_cut_off(void **state)
{
    struct stage *stage = *state;
    static const char head[] = "GET /service/info HTTP/1.1\r\nHost: x\r\nX-Long: ";
    size_t size = 8 * 1024 * 1024;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    memcpy(bytes, head, strlen(head));
    memcpy(bytes + size - 4, "\r\n\r\n", 4);
    char *answer = exchange_bytes(stage, bytes, size);
    assert_null(strstr(answer, "HTTP/1.1 200"));
    free(answer);
    for (size_t i = strlen(head); i + 10 <= size; i += 6)
        memcpy(bytes + i, "a: b\r\n", 6);
    answer = exchange_bytes(stage, bytes, size);
    assert_null(strstr(answer, "HTTP/1.1 200"));
    free(answer);
    free(bytes);
    user_register(stage_url(stage), "headers");
    assert_host_serves(stage, "headers");
}

/* A thousand clients each hold a request that is never finished, and add a byte now and then. */
static void A63_slow_clients_keep_nobody_waiting(void **state)
{
    struct stage *stage = *state;
    static const char *const beginnings[] = {
        "POST /slowloris/auth/login HTTP/1.1\r\nHost: x\r\nX-A: ",
        "POST /slowloris/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\n{\"username\": \"",
        "P",
    };
    int *clients = calloc(SLOW_CLIENTS, sizeof *clients);
    assert_non_null(clients);
    allow_many_descriptors();
    stage_enrol(stage, "slowloris");
    user_register(stage_url(stage), "fastuser");
    struct pending_login login = stage_login(stage, "slowloris");
    size_t threads = host_thread_count(stage->host);
    for (size_t i = 0; i < SLOW_CLIENTS; i++) {
        const char *beginning = beginnings[i % LIST_LEN(beginnings)];
        clients[i] = connect_to_host(stage);
        send_bytes(clients[i], beginning, strlen(beginning));
    }
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < SLOW_CLIENTS; i++)
            send_bytes(clients[i], "x", 1);
        assert_host_serves(stage, "fastuser");
    }
    assert_int_equal(host_thread_count(stage->host), threads);
    expect_right_code_works(stage, "slowloris", &login);
    for (size_t i = 0; i < SLOW_CLIENTS; i++)
        close(clients[i]);
    free(clients);
    assert_host_serves(stage, "fastuser");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A60_malformed_requests_release_nothing_and_harm_nobody),
        cmocka_unit_test(A61_a_request_with_two_lengths_smuggles_nothing),
        cmocka_unit_test(A62_headers_without_end_are_cut_off),
        cmocka_unit_test(A63_slow_clients_keep_nobody_waiting),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
