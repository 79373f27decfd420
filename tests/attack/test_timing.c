/* SPDX-License-Identifier: Apache-2.0
 *
 * What a wrong code costs must not tell how much of it was right.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

#define SAMPLES 4000

static int connect_to_host(struct stage *stage)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    address.sin_port = htons((uint16_t)strtoul(strrchr(stage_url(stage), ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static uint64_t now_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static char *request_text(const struct pending_login *login, const char *code)
{
    char *text = NULL;
    assert_true(asprintf(&text,
                         "POST /timing/mfa/verify HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n"
                         "Content-Length: %zu\r\n\r\n{\"code\":\"%s\"}",
                         login->mfa_token, strlen("{\"code\":\"\"}") + strlen(code), code) > 0);
    return text;
}

/* One request on a connection that stays. Returns how long its answer took; all answers are alike in length. */
static uint64_t measure(int fd, const char *request)
{
    char answer[4096];
    size_t len = strlen(request);
    uint64_t started_ns = now_ns();
    assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), (ssize_t)len);
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
    uint64_t took_ns = now_ns() - started_ns;
    assert_true(got > 0);
    answer[got] = '\0';
    while (!strstr(answer, "\r\n\r\n{") || answer[got - 1] != '}') {
        ssize_t more = recv(fd, answer + got, sizeof answer - 1 - (size_t)got, 0);
        assert_true(more > 0);
        got += more;
        answer[got] = '\0';
    }
    assert_non_null(strstr(answer, "invalid-mfa-code"));
    return took_ns;
}

static int compare_numbers(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

struct samples {
    uint64_t took_ns[SAMPLES];
    size_t count;
};

static double quantile(const struct samples *samples, size_t percent)
{
    return (double)samples->took_ns[samples->count * percent / 100];
}

/* How far the medians lie apart, in quartile distances of either. */
static double separation(struct samples *one, struct samples *other)
{
    qsort(one->took_ns, one->count, sizeof *one->took_ns, compare_numbers);
    qsort(other->took_ns, other->count, sizeof *other->took_ns, compare_numbers);
    double apart = quantile(one, 50) - quantile(other, 50);
    double spread = quantile(one, 75) - quantile(one, 25) + quantile(other, 75) - quantile(other, 25);
    return (apart < 0 ? -apart : apart) / (spread / 2);
}

/* In turns, in an order that changes, so that what else the machine does falls on both alike. */
static double measure_separation(int fd, const char *first_wrong, const char *last_wrong)
{
    static struct samples first;
    static struct samples last;
    first.count = last.count = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        bool swap = i % 2 == 1;
        if (!swap)
            first.took_ns[first.count++] = measure(fd, first_wrong);
        last.took_ns[last.count++] = measure(fd, last_wrong);
        if (swap)
            first.took_ns[first.count++] = measure(fd, first_wrong);
    }
    return separation(&first, &last);
}

static char other_digit(char digit)
{
    return digit == '9' ? '0' : (char)(digit + 1);
}

/* A difference that is there shows in every series; one by chance does not. */
static void A95_a_wrong_first_digit_takes_as_long_as_a_wrong_last_one(void **state)
{
    (void)state;
    struct stage stage;
    char first[GATEWAY_CODE_MAX + 1];
    char last[GATEWAY_CODE_MAX + 1];
    double least = 1e9;
    stage_attacked_open(
        &stage, &(struct attack_settings){.attempts = "perSession: 0, maxConsecutive: 0, backoff: {baseSeconds: 0}"});
    stage_enrol(&stage, "timing");
    struct pending_login login = stage_login(&stage, "timing");
    memcpy(first, login.code, sizeof first);
    memcpy(last, login.code, sizeof last);
    first[0] = other_digit(first[0]);
    last[5] = other_digit(last[5]);
    char *first_wrong = request_text(&login, first);
    char *last_wrong = request_text(&login, last);
    int fd = connect_to_host(&stage);
    for (size_t i = 0; i < 3 && least > 0.25; i++) {
        double apart = measure_separation(fd, first_wrong, last_wrong);
        print_message("medians apart by %.3f quartile distances\n", apart);
        least = apart < least ? apart : least;
    }
    assert_true(least <= 0.25);
    close(fd);
    free(first_wrong);
    free(last_wrong);
    expect_right_code_works(&stage, "timing", &login);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A95_a_wrong_first_digit_takes_as_long_as_a_wrong_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
