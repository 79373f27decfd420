/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop by itself. Waits have no end of their own here: a turn that is not ended as it should be is ended by the alarm,
 * and the tests with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "mfa_loop.h"

#define WATCHDOG_S 60
#define FOREVER UINT64_MAX

static int setup(void **state)
{
    struct mfa_loop *loop = malloc(sizeof *loop);

    assert_non_null(loop);
    assert_int_equal(mfa_loop_init(loop, curl_multi_init()), MFA_OK);
    *state = loop;
    alarm(WATCHDOG_S);
    return 0;
}

static int teardown(void **state)
{
    struct mfa_loop *loop = *state;

    alarm(0);
    curl_multi_cleanup(loop->multi);
    mfa_loop_clear(loop);
    mfa_loop_clear(loop);
    free(loop);
    return 0;
}

/* --- Wake-ups ----------------------------------------------------------------------------------------------------- */

static bool is_awake(const struct mfa_loop *loop)
{
    struct pollfd wake = {.fd = loop->wake_fd, .events = POLLIN};

    return poll(&wake, 1, 0) == 1;
}

static void a_wake_up_ends_the_wait_of_the_next_turn(void **state)
{
    struct mfa_loop *loop = *state;

    mfa_loop_wake(loop);
    assert_true(mfa_loop_turn(loop, FOREVER));
}

static void many_wake_ups_end_one_wait(void **state)
{
    struct mfa_loop *loop = *state;

    for (int i = 0; i < 3; i++)
        mfa_loop_wake(loop);
    assert_true(mfa_loop_turn(loop, FOREVER));
    assert_false(is_awake(loop));
    mfa_loop_wake(loop);
    assert_true(mfa_loop_turn(loop, FOREVER));
}

static void *wake(void *loop)
{
    mfa_loop_wake(loop);
    return NULL;
}

static void any_thread_may_wake_it(void **state)
{
    pthread_t thread;

    for (int i = 0; i < 20; i++) {
        assert_int_equal(pthread_create(&thread, NULL, wake, *state), 0);
        assert_true(mfa_loop_turn(*state, FOREVER));
        pthread_join(thread, NULL);
    }
}

static void a_wake_up_never_waits(void **state)
{
    struct mfa_loop *loop = *state;

    assert_int_equal(eventfd_write(loop->wake_fd, UINT64_MAX - 1), 0);
    mfa_loop_wake(loop);
    assert_true(mfa_loop_turn(loop, FOREVER));
    assert_false(is_awake(loop));
}

static void without_anything_to_do_a_turn_ends_in_time(void **state)
{
    assert_true(mfa_loop_turn(*state, 0));
    assert_true(mfa_loop_turn(*state, 1));
}

static void on_signal(int number)
{
    (void)number;
}

/* Signals come again and again, so that one comes while it waits. */
static void a_signal_is_no_failure(void **state)
{
    const struct itimerval often = {{.tv_usec = 10000}, {.tv_usec = 10000}}, never = {0};
    const struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;

    alarm(0);
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    bool is_good = mfa_loop_turn(*state, FOREVER);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_true(is_good);
}

/* --- The timer ---------------------------------------------------------------------------------------------------- */

static void a_timer_ends_the_wait_and_fires_once(void **state)
{
    struct mfa_loop *loop = *state;

    loop->timer_ms = mfa_loop_now_ms() + 20;
    while (loop->timer_ms != UINT64_MAX)
        assert_true(mfa_loop_turn(loop, FOREVER));
    loop->timer_ms = mfa_loop_now_ms() - 1;
    assert_true(mfa_loop_turn(loop, FOREVER));
    assert_int_equal(loop->timer_ms, UINT64_MAX);
}

static void a_timer_that_is_not_due_is_left_alone(void **state)
{
    struct mfa_loop *loop = *state;
    uint64_t later_ms = mfa_loop_now_ms() + 3600 * 1000;

    loop->timer_ms = later_ms;
    assert_true(mfa_loop_turn(loop, 0));
    mfa_loop_wake(loop);
    assert_true(mfa_loop_turn(loop, FOREVER));
    assert_int_equal(loop->timer_ms, later_ms);
}

static CURL *transfer(struct mfa_loop *loop, const char *url)
{
    CURL *easy = curl_easy_init();

    assert_non_null(easy);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_URL, url), CURLE_OK);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"), CURLE_OK);
    assert_int_equal(curl_multi_add_handle(loop->multi, easy), CURLM_OK);
    return easy;
}

static void end(struct mfa_loop *loop, CURL *easy)
{
    assert_int_equal(curl_multi_remove_handle(loop->multi, easy), CURLM_OK);
    curl_easy_cleanup(easy);
}

/* A file has no socket that could wake the loop. */
static void what_libcurl_asks_for_by_timer_is_done(void **state)
{
    struct mfa_loop *loop = *state;
    const CURLMsg *message = NULL;
    int left = 0;
    CURL *easy = transfer(loop, "file:///dev/null");

    assert_int_not_equal(loop->timer_ms, UINT64_MAX);
    while ((message = curl_multi_info_read(loop->multi, &left)) == NULL)
        assert_true(mfa_loop_turn(loop, FOREVER));
    assert_int_equal(message->data.result, CURLE_OK);
    end(loop, easy);
}

/* --- Descriptors -------------------------------------------------------------------------------------------------- */

/* A listener whose queue takes connections that nobody accepts. */
static int listen_on_loopback(char *url, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    snprintf(url, size, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    return listener;
}

static void the_end_of_a_connection_ends_its_transfer(void **state)
{
    struct mfa_loop *loop = *state;
    const CURLMsg *message = NULL;
    int left = 0;
    char url[64];
    int listener = listen_on_loopback(url, sizeof url);
    CURL *easy = transfer(loop, url);

    for (int i = 0; i < 5; i++)
        assert_true(mfa_loop_turn(loop, 10));
    assert_null(curl_multi_info_read(loop->multi, &left));
    close(listener);
    while ((message = curl_multi_info_read(loop->multi, &left)) == NULL)
        assert_true(mfa_loop_turn(loop, FOREVER));
    assert_int_not_equal(message->data.result, CURLE_OK);
    end(loop, easy);
}

/* Opens a socket for libcurl that is watched already, so that the kernel refuses to watch it once more. */
static curl_socket_t open_unwatchable(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct mfa_loop *loop = arg;
    struct epoll_event none = {.events = 0};
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    none.data.fd = fd;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &none) == 0 ? fd : CURL_SOCKET_BAD;
}

static void a_socket_that_the_kernel_would_not_watch_is_told_of_once(void **state)
{
    struct mfa_loop *loop = *state;
    char url[64];
    bool is_good = true;
    int listener = listen_on_loopback(url, sizeof url);
    CURL *easy = transfer(loop, url);

    assert_int_equal(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_unwatchable), CURLE_OK);
    assert_int_equal(curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, loop), CURLE_OK);
    while (is_good)
        is_good = mfa_loop_turn(loop, FOREVER);
    end(loop, easy);
    close(listener);
    assert_true(mfa_loop_turn(loop, 0));
}

static void a_broken_descriptor_is_a_failure_and_no_endless_wait(void **state)
{
    struct mfa_loop *loop = *state;
    int epoll_fd = loop->epoll_fd;

    loop->epoll_fd = -1;
    assert_false(mfa_loop_turn(loop, FOREVER));
    loop->epoll_fd = epoll_fd;
    mfa_loop_wake(loop);
    assert_true(mfa_loop_turn(loop, FOREVER));
}

static int lowest_free_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

static void without_a_descriptor_there_is_no_loop_and_nothing_is_left_open(void **state)
{
    const struct mfa_loop *other = *state;
    struct rlimit before;
    int lowest_free = lowest_free_descriptor();

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int room = 0; room < 2; room++) {
        struct rlimit scarce = {.rlim_cur = (rlim_t)(lowest_free + room), .rlim_max = before.rlim_max};
        struct mfa_loop loop;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &scarce), 0);
        enum mfa_status status = mfa_loop_init(&loop, other->multi);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(status, MFA_ERR_INTERNAL);
        assert_int_equal(loop.epoll_fd, -1);
        assert_int_equal(loop.wake_fd, -1);
        assert_int_equal(lowest_free_descriptor(), lowest_free);
    }
}

#define IN_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_LOOP(a_wake_up_ends_the_wait_of_the_next_turn),
        IN_LOOP(many_wake_ups_end_one_wait),
        IN_LOOP(any_thread_may_wake_it),
        IN_LOOP(a_wake_up_never_waits),
        IN_LOOP(without_anything_to_do_a_turn_ends_in_time),
        IN_LOOP(a_signal_is_no_failure),
        IN_LOOP(a_timer_ends_the_wait_and_fires_once),
        IN_LOOP(a_timer_that_is_not_due_is_left_alone),
        IN_LOOP(what_libcurl_asks_for_by_timer_is_done),
        IN_LOOP(the_end_of_a_connection_ends_its_transfer),
        IN_LOOP(a_socket_that_the_kernel_would_not_watch_is_told_of_once),
        IN_LOOP(a_broken_descriptor_is_a_failure_and_no_endless_wait),
        IN_LOOP(without_a_descriptor_there_is_no_loop_and_nothing_is_left_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
