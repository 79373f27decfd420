/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway as a whole: bounds, stopping, many transfers at a time, and what must not hold it up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fakes/exchange.h"
#include "fakes/wire_service.h"
#include "mfa_gateway.h"

#define MANY 2000

static const struct wire_reply at_once = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};
static const struct wire_reply after_a_second = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                                                 .after_ms = 1000};
static const struct wire_reply never = {.bytes = "", .after_ms = WIRE_NEVER};

static struct wire_service service;
static char service_url[64];
static struct exchange exchanges[8];

static struct mfa_gateway *gateway_with(uint32_t max_in_flight, uint32_t max_per_host)
{
    struct mfa_gateway *gateway = NULL;
    const struct mfa_gateway_limits limits = {.max_in_flight = max_in_flight, .max_per_host = max_per_host};

    assert_int_equal(mfa_gateway_new(&gateway, &limits), MFA_OK);
    return gateway;
}

static void start_service(const struct wire_reply *replies, size_t reply_count)
{
    wire_service_start(&service, replies, reply_count);
    snprintf(service_url, sizeof service_url, "http://127.0.0.1:%u/", service.port);
}

static struct mfa_http_request *get(uint32_t timeout_ms)
{
    return exchange_request(MFA_HTTP_GET, service_url, NULL, NULL, timeout_ms);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void wait_until_requested(unsigned count)
{
    while (atomic_load(&service.requested) < count)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void past_the_bound_submissions_are_refused_until_one_has_ended(void **state)
{
    struct mfa_gateway *gateway = gateway_with(2, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);

    (void)state;
    start_service((const struct wire_reply[]){never, never, at_once}, 3);
    assert_int_equal(exchange_start(&exchanges[0], &port, get(300)), MFA_OK);
    assert_int_equal(exchange_start(&exchanges[1], &port, get(60000)), MFA_OK);
    assert_int_equal(exchange_start(&exchanges[2], &port, get(0)), MFA_ERR_FULL);
    exchange_wait(&exchanges[0]);
    assert_int_equal(exchanges[0].delivery, MFA_DELIVERY_TIMEOUT);
    assert_int_equal(exchange_start(&exchanges[3], &port, get(0)), MFA_OK);
    exchange_wait(&exchanges[3]);
    assert_int_equal(exchanges[3].delivery, MFA_DELIVERY_ANSWERED);
    assert_int_equal(exchanges[2].done_count, 0);
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

static void other_limits_hold_for_what_is_submitted_from_then_on(void **state)
{
    struct mfa_gateway *gateway = gateway_with(1, 1);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);

    (void)state;
    start_service((const struct wire_reply[]){never, at_once}, 2);
    assert_int_equal(exchange_start(&exchanges[0], &port, get(60000)), MFA_OK);
    wait_until_requested(1);
    assert_int_equal(exchange_start(&exchanges[1], &port, get(0)), MFA_ERR_FULL);
    mfa_gateway_set_limits(gateway, &(struct mfa_gateway_limits){.max_in_flight = 2, .max_per_host = 2});
    assert_int_equal(exchange_start(&exchanges[2], &port, get(30000)), MFA_OK);
    exchange_wait(&exchanges[2]);
    assert_int_equal(exchanges[2].delivery, MFA_DELIVERY_ANSWERED);
    mfa_gateway_set_limits(gateway, &(struct mfa_gateway_limits){.max_in_flight = 1, .max_per_host = 2});
    assert_int_equal(exchange_start(&exchanges[3], &port, get(0)), MFA_ERR_FULL);
    assert_int_equal(exchanges[0].done_count, 0);
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

static void a_stop_ends_what_is_in_flight_and_refuses_the_rest(void **state)
{
    struct mfa_gateway *gateway = gateway_with(8, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    uint64_t start_ms = now_ms();

    (void)state;
    start_service(&never, 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(exchange_start(&exchanges[i], &port, get(60000)), MFA_OK);
    wait_until_requested(4);
    mfa_gateway_stop(gateway);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(exchanges[i].done_count, 1);
        assert_int_equal(exchanges[i].delivery, MFA_DELIVERY_STOPPED);
    }
    assert_int_equal(exchange_start(&exchanges[4], &port, get(0)), MFA_ERR_STOPPING);
    mfa_gateway_stop(gateway);
    mfa_gateway_free(gateway);
    assert_int_equal(exchanges[4].done_count, 0);
    assert_int_equal(service.requested, 4);
    assert_in_range(now_ms() - start_ms, 0, 30000);
    wire_service_stop(&service);
}

static void a_stop_right_after_a_submission_still_tells_what_became_of_it(void **state)
{
    (void)state;
    start_service(&never, 1);
    for (int i = 0; i < 50; i++) {
        struct mfa_gateway *gateway = gateway_with(1, 0);
        struct mfa_gateway_port port = mfa_gateway_port(gateway);
        assert_int_equal(exchange_start(&exchanges[0], &port, get(0)), MFA_OK);
        mfa_gateway_free(gateway);
        assert_int_equal(exchanges[0].done_count, 1);
        assert_int_equal(exchanges[0].delivery, MFA_DELIVERY_STOPPED);
    }
    wire_service_stop(&service);
}

static void connections_to_one_host_are_bounded(void **state)
{
    struct mfa_gateway *gateway = gateway_with(8, 2);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);

    (void)state;
    start_service(&(struct wire_reply){.bytes = at_once.bytes, .after_ms = 50}, 1);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(exchange_start(&exchanges[i], &port, get(0)), MFA_OK);
    for (size_t i = 0; i < 8; i++) {
        exchange_wait(&exchanges[i]);
        assert_int_equal(exchanges[i].delivery, MFA_DELIVERY_ANSWERED);
    }
    assert_int_equal(service.accepted, 2);
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

static void waiting_for_a_connection_counts_as_time(void **state)
{
    struct mfa_gateway *gateway = gateway_with(8, 1);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    uint64_t start_ms = now_ms();

    (void)state;
    start_service(&never, 1);
    assert_int_equal(exchange_start(&exchanges[0], &port, get(50000)), MFA_OK);
    wait_until_requested(1);
    assert_int_equal(exchange_start(&exchanges[1], &port, get(300)), MFA_OK);
    exchange_wait(&exchanges[1]);
    assert_int_equal(exchanges[1].delivery, MFA_DELIVERY_TIMEOUT);
    assert_in_range(now_ms() - start_ms, 290, 20000);
    assert_int_equal(service.requested, 1);
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

struct tally {
    atomic_uint answered;
    sem_t done;
};

static void on_done(void *arg, const struct mfa_gateway_answer *answer)
{
    struct tally *tally = arg;

    if (answer->delivery == MFA_DELIVERY_ANSWERED && answer->http_status == 200 && answer->body_len == 2)
        atomic_fetch_add(&tally->answered, 1);
    sem_post(&tally->done);
}

static void thousands_wait_for_a_slow_service_at_the_same_time(void **state)
{
    struct mfa_gateway *gateway = gateway_with(MANY, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    struct tally tally = {0};

    (void)state;
    sem_init(&tally.done, 0, 0);
    start_service(&after_a_second, 1);
    uint64_t start_ms = now_ms();
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(port.submit(port.ctx, get(60000), on_done, &tally), MFA_OK);
    for (size_t i = 0; i < MANY; i++)
        sem_wait(&tally.done);
    print_message("%d transfers against a service that takes 1000 ms: %d ms\n", MANY, (int)(now_ms() - start_ms));
    assert_int_equal(tally.answered, MANY);
    assert_in_range(now_ms() - start_ms, 1000, 60000);
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

static void *submit_a_hundred(void *arg)
{
    struct mfa_gateway_port *port = arg;
    struct tally tally = {0};

    sem_init(&tally.done, 0, 0);
    for (int i = 0; i < 100; i++) {
        struct mfa_http_request *request = get(0);
        if (port->submit(port->ctx, request, on_done, &tally) != MFA_OK) {
            mfa_http_request_free(request);
            break;
        }
        sem_wait(&tally.done);
    }
    return tally.answered == 100 ? arg : NULL;
}

static void any_thread_may_submit(void **state)
{
    struct mfa_gateway *gateway = gateway_with(8, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    pthread_t threads[4];

    (void)state;
    start_service(&at_once, 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_a_hundred, &port), 0);
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, &port);
    }
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

struct relay {
    struct mfa_gateway_port port;
    struct mfa_http_request *next;
    struct exchange *exchange;
};

static void submit_the_next(void *arg, const struct mfa_gateway_answer *answer)
{
    struct relay *relay = arg;

    (void)answer;
    (void)exchange_start(relay->exchange, &relay->port, relay->next);
}

static void done_may_submit_and_finds_its_own_place_free(void **state)
{
    struct mfa_gateway *gateway = gateway_with(1, 0);
    struct relay relay = {.port = mfa_gateway_port(gateway), .exchange = &exchanges[0]};

    (void)state;
    start_service(&at_once, 1);
    memset(&exchanges[0], 0, sizeof exchanges[0]);
    relay.next = get(0);
    assert_int_equal(relay.port.submit(relay.port.ctx, get(0), submit_the_next, &relay), MFA_OK);
    wait_until_requested(2);
    mfa_gateway_free(gateway);
    assert_int_equal(exchanges[0].done_count, 1);
    wire_service_stop(&service);
}

static void instances_do_not_disturb_each_other(void **state)
{
    struct mfa_gateway *first = gateway_with(1, 0);
    struct mfa_gateway *second = gateway_with(1, 0);
    struct mfa_gateway_port port = mfa_gateway_port(second);

    (void)state;
    start_service(&at_once, 1);
    for (int i = 0; i < 3; i++) {
        exchange_get(&exchanges[0], &port, service_url, 0);
        assert_int_equal(exchanges[0].delivery, MFA_DELIVERY_ANSWERED);
        mfa_gateway_free(first);
        first = NULL;
    }
    mfa_gateway_free(second);
    second = gateway_with(1, 0);
    port = mfa_gateway_port(second);
    exchange_get(&exchanges[0], &port, service_url, 0);
    assert_int_equal(exchanges[0].delivery, MFA_DELIVERY_ANSWERED);
    mfa_gateway_free(second);
    wire_service_stop(&service);
}

static void its_thread_blocks_all_signals(void **state)
{
    struct mfa_gateway *gateway = gateway_with(1, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    static const int signals[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1};

    (void)state;
    start_service(&at_once, 1);
    exchange_get(&exchanges[0], &port, service_url, 0);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        assert_true(sigismember(&exchanges[0].signal_mask, signals[i]));
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

/* Name resolution that hangs until it is told not to; stands in for the C library's. */
static sem_t resolver_may_end;
static atomic_uint resolving;

__attribute__((visibility("default"))) int getaddrinfo(const char *restrict name, const char *restrict port,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict out)
{
    (void)name;
    (void)port;
    (void)hints;
    *out = NULL;
    atomic_fetch_add(&resolving, 1);
    sem_wait(&resolver_may_end);
    atomic_fetch_sub(&resolving, 1);
    return EAI_AGAIN;
}

static void a_name_that_does_not_resolve_holds_up_nobody_else(void **state)
{
    struct mfa_gateway *gateway = gateway_with(2, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);

    (void)state;
    sem_init(&resolver_may_end, 0, 0);
    start_service(&at_once, 1);
    exchange_get(&exchanges[0], &port, "http://does-not-resolve.example/", 300);
    assert_int_equal(exchanges[0].delivery, MFA_DELIVERY_TIMEOUT);
    assert_int_equal(resolving, 1);
    exchange_get(&exchanges[1], &port, service_url, 0);
    assert_int_equal(exchanges[1].delivery, MFA_DELIVERY_ANSWERED);
    mfa_gateway_stop(gateway);
    sem_post(&resolver_may_end);
    while (atomic_load(&resolving) > 0)
        sched_yield();
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

static void without_descriptors_transfers_fail_and_the_gateway_lives(void **state)
{
    struct mfa_gateway *gateway = gateway_with(2, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    struct rlimit before;

    (void)state;
    start_service(&at_once, 1);
    int lowest_free = open("/dev/null", O_RDONLY);
    close(lowest_free);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    exchange_get(&exchanges[0], &port, service_url, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(exchanges[0].delivery, MFA_DELIVERY_FAILED);
    exchange_get(&exchanges[1], &port, service_url, 0);
    assert_int_equal(exchanges[1].delivery, MFA_DELIVERY_ANSWERED);
    mfa_gateway_free(gateway);
    wire_service_stop(&service);
}

/* Runs openssl for a key and a certificate that nobody has signed. False: there is no openssl here. */
static bool make_certificate(char *pem, size_t size)
{
    FILE *output = popen("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
                         " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout - 2>/dev/null",
                         "r");
    assert_non_null(output);
    size_t len = fread(pem, 1, size - 1, output);
    pem[len] = '\0';
    return pclose(output) == 0;
}

static enum MHD_Result on_tls_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                      const char *version, const char *data, size_t *data_len, void **request)
{
    (void)connection;
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    (void)data_len;
    (void)request;
    atomic_fetch_add((atomic_uint *)arg, 1);
    return MHD_NO;
}

static void a_certificate_nobody_signed_is_refused(void **state)
{
    atomic_uint requests = 0;
    char pem[8192];
    char text[64];

    (void)state;
    if (!make_certificate(pem, sizeof pem))
        skip();
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, on_tls_request, &requests,
                         MHD_OPTION_HTTPS_MEM_KEY, pem, MHD_OPTION_HTTPS_MEM_CERT, pem, MHD_OPTION_END);
    assert_non_null(daemon);
    struct mfa_gateway *gateway = gateway_with(1, 0);
    struct mfa_gateway_port port = mfa_gateway_port(gateway);
    snprintf(text, sizeof text, "https://127.0.0.1:%u/?code=123456",
             MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    exchange_get(&exchanges[0], &port, text, 0);
    assert_int_equal(exchanges[0].delivery, MFA_DELIVERY_FAILED);
    assert_non_null(strstr(exchanges[0].reason, "certificate"));
    mfa_gateway_free(gateway);
    MHD_stop_daemon(daemon);
    assert_int_equal(requests, 0);
}

static void free_accepts_null(void **state)
{
    (void)state;
    mfa_gateway_free(NULL);
}

/* Both ends of every connection are in this process. */
static int allow_descriptors(void **state)
{
    struct rlimit limit;

    (void)state;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    limit.rlim_cur = limit.rlim_max < 3 * MANY ? limit.rlim_max : 3 * MANY;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_the_bound_submissions_are_refused_until_one_has_ended),
        cmocka_unit_test(other_limits_hold_for_what_is_submitted_from_then_on),
        cmocka_unit_test(a_stop_ends_what_is_in_flight_and_refuses_the_rest),
        cmocka_unit_test(a_stop_right_after_a_submission_still_tells_what_became_of_it),
        cmocka_unit_test(connections_to_one_host_are_bounded),
        cmocka_unit_test(waiting_for_a_connection_counts_as_time),
        cmocka_unit_test(thousands_wait_for_a_slow_service_at_the_same_time),
        cmocka_unit_test(any_thread_may_submit),
        cmocka_unit_test(done_may_submit_and_finds_its_own_place_free),
        cmocka_unit_test(instances_do_not_disturb_each_other),
        cmocka_unit_test(its_thread_blocks_all_signals),
        cmocka_unit_test(a_name_that_does_not_resolve_holds_up_nobody_else),
        cmocka_unit_test(without_descriptors_transfers_fail_and_the_gateway_lives),
        cmocka_unit_test(a_certificate_nobody_signed_is_refused),
        cmocka_unit_test(free_accepts_null),
    };

    setenv("no_proxy", "*", 1);
    return cmocka_run_group_tests(tests, allow_descriptors, NULL);
}
