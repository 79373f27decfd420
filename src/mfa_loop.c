/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256

uint64_t mfa_loop_now_ms(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- What libcurl asks for -------------------------------------------------------------------------------------- */

static uint32_t events_of(int what)
{
    uint32_t events = 0;

    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= EPOLLOUT;
    return events;
}

/* Never says -1, after which the multi handle would be of no use any more. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *is_watched)
{
    struct mfa_loop *loop = arg;
    struct epoll_event event = {.events = events_of(what), .data.fd = fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(loop->epoll_fd, is_watched != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0 ||
             curl_multi_assign(loop->multi, fd, loop) != CURLM_OK)
        loop->has_lost_socket = true;
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct mfa_loop *loop = arg;

    (void)multi;
    loop->timer_ms = timeout_ms < 0 ? UINT64_MAX : mfa_loop_now_ms() + (uint64_t)timeout_ms;
    return 0;
}

enum mfa_status mfa_loop_renew(struct mfa_loop *loop, CURLM *multi)
{
    loop->multi = multi;
    loop->timer_ms = UINT64_MAX;
    loop->has_lost_socket = false;
    if (curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK &&
        curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop) == CURLM_OK &&
        curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
        curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop) == CURLM_OK)
        return MFA_OK;
    return MFA_ERR_MEMORY;
}

enum mfa_status mfa_loop_init(struct mfa_loop *loop, CURLM *multi)
{
    struct epoll_event wake = {.events = EPOLLIN};

    *loop =
        (struct mfa_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC), .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    wake.data.fd = loop->wake_fd;
    if (loop->epoll_fd >= 0 && loop->wake_fd >= 0 && mfa_loop_renew(loop, multi) == MFA_OK &&
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &wake) == 0)
        return MFA_OK;
    mfa_loop_clear(loop);
    return MFA_ERR_INTERNAL;
}

void mfa_loop_clear(struct mfa_loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    loop->epoll_fd = loop->wake_fd = -1;
}

/* --- One turn --------------------------------------------------------------------------------------------------- */

void mfa_loop_wake(const struct mfa_loop *loop)
{
    /* Fails only when the counter is at its end: there is a wake-up in it then. */
    if (eventfd_write(loop->wake_fd, 1) != 0)
        return;
}

static int wait_ms(const struct mfa_loop *loop, uint64_t max_wait_ms)
{
    uint64_t now_ms = mfa_loop_now_ms();
    uint64_t until_timer_ms = loop->timer_ms > now_ms ? loop->timer_ms - now_ms : 0;
    uint64_t wait = until_timer_ms < max_wait_ms ? until_timer_ms : max_wait_ms;

    return wait > INT32_MAX ? INT32_MAX : (int)wait;
}

static bool act_on(struct mfa_loop *loop, const struct epoll_event *event)
{
    int mask = 0;
    int running = 0;
    eventfd_t count = 0;

    if (event->data.fd == loop->wake_fd)
        return eventfd_read(loop->wake_fd, &count) == 0 || errno == EAGAIN;
    if ((event->events & EPOLLIN) != 0)
        mask |= CURL_CSELECT_IN;
    if ((event->events & EPOLLOUT) != 0)
        mask |= CURL_CSELECT_OUT;
    if ((event->events & (EPOLLERR | EPOLLHUP)) != 0)
        mask |= CURL_CSELECT_ERR;
    return curl_multi_socket_action(loop->multi, event->data.fd, mask, &running) == CURLM_OK;
}

bool mfa_loop_turn(struct mfa_loop *loop, uint64_t max_wait_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(loop, max_wait_ms));
    int running = 0;
    bool is_good = count >= 0 || errno == EINTR;

    /* libcurl is not asked again once it has failed: mfa_gateway.c says why. */
    for (int i = 0; i < count && is_good; i++)
        is_good = act_on(loop, &events[i]);
    if (is_good && loop->timer_ms <= mfa_loop_now_ms()) {
        loop->timer_ms = UINT64_MAX;
        is_good = curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running) == CURLM_OK;
    }
    is_good = is_good && !loop->has_lost_socket;
    loop->has_lost_socket = false;
    return is_good;
}
