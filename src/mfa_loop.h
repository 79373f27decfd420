/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop that drives a multi handle of libcurl by its sockets, so that an event on one connection costs the same with
 * thousands of them open.
 */
#ifndef MFA_LOOP_H
#define MFA_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "mfa_status.h"

/* Released with mfa_loop_clear. */
struct mfa_loop {
    CURLM *multi; /* borrowed */
    int epoll_fd;
    int wake_fd;
    uint64_t timer_ms;    /* when libcurl wants to be called without an event; UINT64_MAX: never */
    bool has_lost_socket; /* the kernel would not watch a socket: some transfer will hear nothing */
};

/* Takes over the socket and timer callbacks of `multi`.
 * Returns MFA_OK; MFA_ERR_INTERNAL: no descriptor to be had, nothing to clear. */
MFA_MUST_CHECK enum mfa_status mfa_loop_init(struct mfa_loop *loop, CURLM *multi);

/* Goes on with another multi handle, the one before having been cleaned up. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_loop_renew(struct mfa_loop *loop, CURLM *multi);

/* To be called after the multi handle has been cleaned up. */
void mfa_loop_clear(struct mfa_loop *loop);

/* Waits for an event, a timer of libcurl, a wake-up, or `max_wait_ms`, and lets libcurl act on what there is.
 * Returns false when that failed: transfers may be stuck then. */
MFA_MUST_CHECK bool mfa_loop_turn(struct mfa_loop *loop, uint64_t max_wait_ms);

/* Ends the wait of this turn or the next. [any thread] */
void mfa_loop_wake(const struct mfa_loop *loop);

/* Milliseconds on the system's monotonic clock, on which transfers are timed. */
uint64_t mfa_loop_now_ms(void);

#endif
