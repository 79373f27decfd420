/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending over a real connection, with the first, the second, ... the last thing that it needs failing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "exchange.h"
#include "fault.h"
#include "mfa_gateway.h"
#include "wire_service.h"

static bool start_gateway(void *state, const struct fault *fault)
{
    static const struct mfa_gateway_limits limits = {.max_in_flight = 10, .max_per_host = 10};
    struct mfa_gateway *gateway = NULL;
    enum mfa_status status = MFA_OK;
    bool was_met = false;

    (void)state;
    fault_arm(fault);
    status = mfa_gateway_new(&gateway, &limits);
    was_met = fault_disarm();
    FAULT_EXPECT(fault, (status != MFA_OK) == (gateway == NULL));
    /* Its thread goes on after a wait that failed. */
    FAULT_EXPECT(fault, was_met == (status != MFA_OK) || fault->kind == FAULT_IO);
    mfa_gateway_free(gateway);
    return status != MFA_OK;
}

static void a_gateway_starts_whole_or_not_at_all(void **state)
{
    fault_exhaust(state, FAULT_MEMORY, start_gateway);
    fault_exhaust(state, FAULT_THREAD, start_gateway);
    fault_exhaust(state, FAULT_IO, start_gateway);
}

/* Long enough for its buffer to grow. */
#define BODY_LEN 5000

static int start_service(void **state)
{
    static struct wire_service service;
    static char bytes[BODY_LEN + 100];
    static const struct wire_reply reply = {.bytes = bytes};

    snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nRetry-After: 7\r\n\r\n%0*d", BODY_LEN,
             BODY_LEN, 1234);
    (void)fault_count(false);
    wire_service_start(&service, &reply, 1);
    (void)fault_count(true);
    *state = &service;
    return 0;
}

static int stop_service(void **state)
{
    wire_service_stop(*state);
    return 0;
}

/* An exchange that is over once, with the whole answer or none. */
static void exchange_under(const struct fault *fault, const struct mfa_gateway_port *port, const char *url,
                           struct exchange *exchange)
{
    struct mfa_http_request *request = exchange_request(MFA_HTTP_POST, url, "{\"code\":\"123456\"}", "x-key: v", 0);
    enum mfa_status status = MFA_OK;

    fault_arm(fault);
    status = exchange_start(exchange, port, request);
    if (status != MFA_OK)
        return;
    exchange_wait(exchange);
    FAULT_EXPECT(fault, atomic_load(&exchange->done_count) == 1);
    if (exchange->delivery == MFA_DELIVERY_ANSWERED)
        FAULT_EXPECT(fault, exchange->http_status == 200 && exchange->body_len == BODY_LEN &&
                                strcmp(exchange->body + BODY_LEN - 4, "1234") == 0 && exchange->retry_after_s == 7);
    else
        FAULT_EXPECT(fault, exchange->delivery == MFA_DELIVERY_FAILED);
}

/* The gateway's thread may need another moment to see that there is memory again. */
static enum mfa_delivery ask_until_answered(const struct mfa_gateway_port *port, const char *url)
{
    static struct exchange exchange;

    for (int i = 0; i < 1000; i++) {
        exchange_get(&exchange, port, url, 0);
        if (exchange.delivery == MFA_DELIVERY_ANSWERED)
            break;
    }
    return exchange.delivery;
}

static bool send_under(void *state, const struct fault *fault)
{
    static const struct mfa_gateway_limits limits = {.max_in_flight = 10, .max_per_host = 10};
    static struct exchange exchange;
    const struct wire_service *service = state;
    struct mfa_gateway *gateway = NULL;
    struct mfa_gateway_port port;
    char url[64];
    bool was_met = false;

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", service->port);
    assert_int_equal(mfa_gateway_new(&gateway, &limits), MFA_OK);
    port = mfa_gateway_port(gateway);
    exchange_under(fault, &port, url, &exchange);
    was_met = fault_disarm();
    FAULT_EXPECT(fault, ask_until_answered(&port, url) == MFA_DELIVERY_ANSWERED);
    mfa_gateway_free(gateway);
    return was_met;
}

static void an_answer_is_taken_whole_or_not_at_all_and_the_next_one_comes(void **state)
{
    fault_exhaust(state, FAULT_MEMORY, send_under);
    fault_exhaust(state, FAULT_IO, send_under);
}

/* libcurl, and what is below it, is set up once for the whole process. */
static int set_libcurl_up(void **state)
{
    (void)state;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int clear_libcurl(void **state)
{
    (void)state;
    curl_global_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_starts_whole_or_not_at_all),
        cmocka_unit_test_setup_teardown(an_answer_is_taken_whole_or_not_at_all_and_the_next_one_comes, start_service,
                                        stop_service),
    };

    return cmocka_run_group_tests(tests, set_libcurl_up, clear_libcurl);
}
