/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes over the wire, and what the answers come to: the real gateway and the real libcurl against a service that
 * misbehaves to the byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fakes/exchange.h"
#include "fakes/wire_service.h"
#include "mfa_gateway.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct mfa_gateway *gateway;
static struct mfa_gateway_port port;
static struct wire_service service;
static struct exchange exchange;

static int start_gateway(void **state)
{
    (void)state;
    enum mfa_status status = mfa_gateway_new(&gateway, &(struct mfa_gateway_limits){.max_in_flight = 10});
    port = mfa_gateway_port(gateway);
    return status;
}

static int stop_gateway(void **state)
{
    (void)state;
    mfa_gateway_free(gateway);
    return 0;
}

static const char *url(const char *path)
{
    static char text[256];

    snprintf(text, sizeof text, "http://127.0.0.1:%u%s", service.port, path);
    return text;
}

static void start_service(const char *reply)
{
    wire_service_start(&service, &(struct wire_reply){.bytes = reply}, 1);
}

/* Sends one request to a service that answers `reply` and then does `end`. */
static void get_from(struct wire_reply reply, uint32_t timeout_ms)
{
    wire_service_start(&service, &reply, 1);
    exchange_get(&exchange, &port, url("/"), timeout_ms);
    wire_service_stop(&service);
}

/* The request that arrives is `line`, the headers every request has, and `rest`. */
static void assert_request(struct mfa_http_request *request, const char *line, const char *rest)
{
    char expected[1024];
    char arrived[WIRE_REQUEST_SIZE];

    assert_int_equal(exchange_start(&exchange, &port, request), MFA_OK);
    exchange_wait(&exchange);
    assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    wire_service_last_request(&service, arrived);
    snprintf(expected, sizeof expected,
             "%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: mfa.so/" MFA_VERSION "\r\nAccept: */*\r\n%s", line,
             service.port, rest);
    assert_string_equal(arrived, expected);
}

static void a_get_is_sent_as_it_was_rendered(void **state)
{
    (void)state;
    start_service(OK_EMPTY);
    assert_request(exchange_request(MFA_HTTP_GET, url("/send?to=%2B41&message=a%20b%2Bc"), NULL, "X-Key: k e y", 0),
                   "GET /send?to=%2B41&message=a%20b%2Bc", "X-Key: k e y\r\n\r\n");
    wire_service_stop(&service);
}

static void a_path_keeps_its_dots(void **state)
{
    (void)state;
    start_service(OK_EMPTY);
    assert_request(exchange_request(MFA_HTTP_GET, url("/a/../b/./c"), NULL, NULL, 0), "GET /a/../b/./c", "\r\n");
    wire_service_stop(&service);
}

static void a_post_brings_its_body_and_no_invented_content_type(void **state)
{
    (void)state;
    start_service(OK_EMPTY);
    assert_request(exchange_request(MFA_HTTP_POST, url("/codes"), "{\"code\":\"123456\"}", NULL, 0), "POST /codes",
                   "Content-Length: 17\r\n\r\n{\"code\":\"123456\"}");
    wire_service_stop(&service);
}

static void a_post_has_the_content_type_of_the_operator(void **state)
{
    (void)state;
    start_service(OK_EMPTY);
    assert_request(exchange_request(MFA_HTTP_POST, url("/codes"), "{}", "content-type: application/json", 0),
                   "POST /codes", "content-type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    wire_service_stop(&service);
}

static void a_post_without_a_body_says_so(void **state)
{
    (void)state;
    start_service(OK_EMPTY);
    assert_request(exchange_request(MFA_HTTP_POST, url("/codes"), NULL, NULL, 0), "POST /codes",
                   "Content-Length: 0\r\n\r\n");
    wire_service_stop(&service);
}

static void an_empty_header_is_sent_empty(void **state)
{
    (void)state;
    start_service(OK_EMPTY);
    assert_request(exchange_request(MFA_HTTP_GET, url("/"), NULL, "X-Empty: ", 0), "GET /", "X-Empty:\r\n\r\n");
    wire_service_stop(&service);
}

static void a_large_body_is_sent_at_once_and_whole(void **state)
{
    char body[5001] = "";
    char arrived[WIRE_REQUEST_SIZE];

    (void)state;
    memset(body, 'x', sizeof body - 1);
    start_service(OK_EMPTY);
    struct mfa_http_request *request = exchange_request(MFA_HTTP_POST, url("/"), body, "Content-Type: text/plain", 0);
    assert_int_equal(exchange_start(&exchange, &port, request), MFA_OK);
    exchange_wait(&exchange);
    wire_service_last_request(&service, arrived);
    wire_service_stop(&service);
    assert_null(strcasestr(arrived, "expect:"));
    assert_string_equal(strstr(arrived, "\r\n\r\n") + 4, body);
}

static void an_answer_is_handed_over_to_the_byte(void **state)
{
    static const char reply[] = "HTTP/1.1 201 Created\r\nContent-Length: 7\r\n\r\na\0b\r\n\xff{";

    (void)state;
    get_from((struct wire_reply){.bytes = reply, .len = sizeof reply - 1}, 0);
    assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    assert_int_equal(exchange.http_status, 201);
    assert_int_equal(exchange.body_len, 7);
    assert_false(exchange.was_never_sent);
    assert_memory_equal(exchange.body, "a\0b\r\n\xff{", 8);
}

/* Some services end their lines so; the end of the headers is an end all the same. */
static void lines_may_end_in_lf_alone(void **state)
{
    (void)state;
    get_from((struct wire_reply){.bytes = "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"}, 0);
    assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    assert_string_equal(exchange.body, "{}");
}

static void a_chunked_answer_is_put_together(void **state)
{
    (void)state;
    get_from((struct wire_reply){.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                          "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
             0);
    assert_string_equal(exchange.body, "abcde");
    assert_int_equal(exchange.body_len, 5);
}

static void compressed_bytes_are_left_alone(void **state)
{
    (void)state;
    get_from((struct wire_reply){.bytes = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"},
             0);
    assert_string_equal(exchange.body, "abc");
}

static void whatever_its_status_an_answer_is_an_answer(void **state)
{
    static const struct {
        const char *reply;
        int http_status;
    } cases[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", 204},
        {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 400},
        {"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 401},
        {"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", 429},
        {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", 500},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        get_from((struct wire_reply){.bytes = cases[i].reply}, 0);
        assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
        assert_int_equal(exchange.http_status, cases[i].http_status);
    }
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    get_from((struct wire_reply){.bytes = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"},
             0);
    assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    assert_int_equal(exchange.http_status, 302);
    assert_int_equal(service.requested, 1);
}

static void retry_after_is_read_and_bounded(void **state)
{
    static const struct {
        const char *value;
        uint32_t retry_after_s;
    } cases[] = {{"30", 30},
                 {"0", 0},
                 {"86400", 86400},
                 {"999999999", 86400},
                 {"99999999999999999999", 0},
                 {"-5", 0},
                 {"soon", 0},
                 {"", 0},
                 {"Thu, 01 Jan 1998 00:00:00 GMT", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char reply[128];
        snprintf(reply, sizeof reply, "HTTP/1.1 429 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
                 cases[i].value);
        get_from((struct wire_reply){.bytes = reply}, 0);
        assert_int_equal(exchange.retry_after_s, cases[i].retry_after_s);
    }
    get_from((struct wire_reply){.bytes = OK_EMPTY}, 0);
    assert_int_equal(exchange.retry_after_s, 0);
}

static void a_header_is_found_when_it_is_there_once(void **state)
{
    static const struct {
        const char *reply;
        const char *value; /* NULL: not found */
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nX-Request-Id: abc\r\nContent-Length: 0\r\n\r\n", "abc"},
        {"HTTP/1.1 200 OK\r\nx-request-ID:  a b \r\nContent-Length: 0\r\n\r\n", "a b"},
        {"HTTP/1.1 200 OK\r\nX-Request-Id: a\r\nX-Request-Id: a\r\nContent-Length: 0\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\r\nX-Request-Identity: a\r\nContent-Length: 0\r\n\r\n", NULL},
        {"HTTP/1.1 103 Early\r\nX-Request-Id: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Request-Id: a\r\n\r\n", NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\nX-Request-Id: a\r\n", NULL},
        {OK_EMPTY, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        get_from((struct wire_reply){.bytes = cases[i].reply}, 0);
        assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
        assert_int_equal(exchange.has_header, cases[i].value != NULL);
        assert_string_equal(exchange.header, cases[i].value == NULL ? "" : cases[i].value);
    }
}

static void assert_failure(enum mfa_delivery delivery)
{
    assert_int_equal(exchange.delivery, delivery);
    assert_int_equal(exchange.http_status, 0);
    assert_int_equal(exchange.body_len, 0);
    assert_string_equal(exchange.body, "");
    assert_false(exchange.has_header);
    assert_string_not_equal(exchange.reason, "");
    assert_null(strstr(exchange.reason, "127.0.0.1"));
}

/* The service may have the request. */
static void assert_no_answer(enum mfa_delivery delivery)
{
    assert_failure(delivery);
    assert_false(exchange.was_never_sent);
}

static void assert_never_sent(enum mfa_delivery delivery)
{
    assert_failure(delivery);
    assert_true(exchange.was_never_sent);
}

static void what_is_not_a_whole_answer_is_a_failure(void **state)
{
    static const struct wire_reply cases[] = {
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", .end = WIRE_RESET},
        {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 200 OK\r\n", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 200 OK", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 100 Continue\r\n\r\n", .end = WIRE_CLOSE},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .end = WIRE_CLOSE},
        {.bytes = "{}", .end = WIRE_CLOSE},
        {.bytes = "HTTP/0.9 200\r\n\r\n{}", .end = WIRE_CLOSE},
        {.bytes = "", .end = WIRE_CLOSE},
        {.bytes = "", .end = WIRE_RESET},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        get_from(cases[i], 0);
        assert_no_answer(MFA_DELIVERY_FAILED);
    }
}

/* `head`, then `count` times `filler`. The caller frees it. */
static char *long_reply(const char *head, size_t count, char filler)
{
    char *reply = calloc(1, strlen(head) + count + 1);

    assert_non_null(reply);
    strcpy(reply, head);
    memset(reply + strlen(head), filler, count);
    return reply;
}

static void the_longest_answer_passes_and_one_byte_more_does_not(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    char *longest = long_reply(head, MFA_GATEWAY_ANSWER_MAX_LEN, 'x');
    char *too_long = long_reply(head, MFA_GATEWAY_ANSWER_MAX_LEN + 1, 'x');

    (void)state;
    get_from((struct wire_reply){.bytes = longest, .end = WIRE_CLOSE}, 0);
    assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    assert_int_equal(exchange.body_len, MFA_GATEWAY_ANSWER_MAX_LEN);
    get_from((struct wire_reply){.bytes = too_long, .end = WIRE_CLOSE}, 0);
    assert_no_answer(MFA_DELIVERY_FAILED);
    assert_string_equal(exchange.reason, "answer is too long");
    free(longest);
    free(too_long);
}

static void endless_headers_are_cut_off(void **state)
{
    static const char line[] = "X-Filler: 0123456789012345678901234567890123456789\r\n";
    char *reply = long_reply("HTTP/1.1 200 OK\r\n", 2000 * strlen(line), ' ');

    (void)state;
    for (size_t i = 0; i < 2000; i++)
        memcpy(reply + strlen("HTTP/1.1 200 OK\r\n") + i * strlen(line), line, strlen(line));
    get_from((struct wire_reply){.bytes = reply, .end = WIRE_KEEP}, 0);
    assert_no_answer(MFA_DELIVERY_FAILED);
    assert_string_equal(exchange.reason, "answer has too long headers");
    free(reply);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void a_service_that_stalls_or_drips_is_given_up_in_time(void **state)
{
    static const struct wire_reply cases[] = {
        {.bytes = "", .after_ms = WIRE_NEVER},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n12345"},
        {.bytes = "HTTP/1.1 200 OK\r\nX-Slow: 012345678901234567890123456789\r\n\r\n", .drip_ms = 50},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t start_ms = now_ms();
        get_from(cases[i], 300);
        assert_in_range(now_ms() - start_ms, 290, 5000);
        assert_no_answer(MFA_DELIVERY_TIMEOUT);
        assert_int_equal(service.requested, 1);
    }
}

static void a_host_that_does_not_take_the_connection_is_given_up_in_time(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int queued[3];
    char text[64];

    (void)state;
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &address_len), 0);
    for (size_t i = 0; i < 3; i++) {
        queued[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(queued[i], (const struct sockaddr *)&address, sizeof address);
    }
    snprintf(text, sizeof text, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    struct mfa_http_request *request = exchange_request(MFA_HTTP_GET, text, NULL, NULL, 50000);
    request->connect_timeout_ms = 300;
    assert_int_equal(exchange_start(&exchange, &port, request), MFA_OK);
    exchange_wait(&exchange);
    assert_never_sent(MFA_DELIVERY_TIMEOUT);
    for (size_t i = 0; i < 3; i++)
        close(queued[i]);
    close(listener);
}

static void what_cannot_be_reached_is_a_failure(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:1/", "https://127.0.0.1:1/", "http://[::1", "http://", ""};

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        exchange_get(&exchange, &port, urls[i], 0);
        assert_never_sent(MFA_DELIVERY_FAILED);
    }
}

static void only_http_is_spoken(void **state)
{
    static const char *const schemes[] = {"ftp", "file", "gopher", "dict", "telnet", "smtp", "ldap", "scp"};

    (void)state;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s://127.0.0.1/", schemes[i]);
        exchange_get(&exchange, &port, text, 0);
        assert_never_sent(MFA_DELIVERY_FAILED);
        assert_string_equal(exchange.reason, "Unsupported protocol");
    }
}

static void the_proxy_of_the_environment_is_used(void **state)
{
    char arrived[WIRE_REQUEST_SIZE];

    (void)state;
    start_service(OK_EMPTY);
    unsetenv("no_proxy");
    setenv("http_proxy", url(""), 1);
    exchange_get(&exchange, &port, "http://sms.example/send", 0);
    unsetenv("http_proxy");
    setenv("no_proxy", "*", 1);
    wire_service_last_request(&service, arrived);
    wire_service_stop(&service);
    assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    assert_ptr_equal(strstr(arrived, "GET http://sms.example/send HTTP/1.1\r\n"), arrived);
}

static void a_connection_is_used_again(void **state)
{
    (void)state;
    start_service(OK_EMPTY);
    for (int i = 0; i < 10; i++) {
        exchange_get(&exchange, &port, url("/"), 0);
        assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    }
    assert_int_equal(service.accepted, 1);
    assert_int_equal(service.requested, 10);
    wire_service_stop(&service);
}

/* The service has read the second request, and may have acted on it. */
static void a_request_is_not_repeated_when_a_kept_connection_closes(void **state)
{
    static const struct wire_reply replies[] = {
        {.bytes = OK_EMPTY}, {.bytes = "", .end = WIRE_CLOSE}, {.bytes = OK_EMPTY}};

    (void)state;
    wire_service_start(&service, replies, 3);
    exchange_get(&exchange, &port, url("/"), 0);
    assert_int_equal(exchange.delivery, MFA_DELIVERY_ANSWERED);
    exchange_get(&exchange, &port, url("/"), 0);
    assert_no_answer(MFA_DELIVERY_FAILED);
    assert_string_equal(exchange.reason, "connection closed without an answer");
    assert_int_equal(service.requested, 2);
    wire_service_stop(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_is_sent_as_it_was_rendered),
        cmocka_unit_test(a_path_keeps_its_dots),
        cmocka_unit_test(a_post_brings_its_body_and_no_invented_content_type),
        cmocka_unit_test(a_post_has_the_content_type_of_the_operator),
        cmocka_unit_test(a_post_without_a_body_says_so),
        cmocka_unit_test(an_empty_header_is_sent_empty),
        cmocka_unit_test(a_large_body_is_sent_at_once_and_whole),
        cmocka_unit_test(an_answer_is_handed_over_to_the_byte),
        cmocka_unit_test(lines_may_end_in_lf_alone),
        cmocka_unit_test(a_chunked_answer_is_put_together),
        cmocka_unit_test(compressed_bytes_are_left_alone),
        cmocka_unit_test(whatever_its_status_an_answer_is_an_answer),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(retry_after_is_read_and_bounded),
        cmocka_unit_test(a_header_is_found_when_it_is_there_once),
        cmocka_unit_test(what_is_not_a_whole_answer_is_a_failure),
        cmocka_unit_test(the_longest_answer_passes_and_one_byte_more_does_not),
        cmocka_unit_test(endless_headers_are_cut_off),
        cmocka_unit_test(a_service_that_stalls_or_drips_is_given_up_in_time),
        cmocka_unit_test(a_host_that_does_not_take_the_connection_is_given_up_in_time),
        cmocka_unit_test(what_cannot_be_reached_is_a_failure),
        cmocka_unit_test(only_http_is_spoken),
        cmocka_unit_test(the_proxy_of_the_environment_is_used),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(a_request_is_not_repeated_when_a_kept_connection_closes),
    };

    setenv("no_proxy", "*", 1);
    return cmocka_run_group_tests(tests, start_gateway, stop_gateway);
}
