/* SPDX-License-Identifier: Apache-2.0
 *
 * hold.h: keeps HTTP connections waiting without a thread for each of them.
 *
 * A connection is suspended, one thread sleeps until the earliest of them is due, and resumes it; libmicrohttpd then
 * calls the connection's handler (or content reader) again. The daemon must run with MHD_ALLOW_SUSPEND_RESUME.
 */
#ifndef HOLD_H
#define HOLD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/* As a delay: held until hold_release_all. */
#define HOLD_FOREVER_MS UINT64_MAX

struct hold;

/* One held connection; lives in the caller's request, zeroed before first use. A connection that is held is never
 * completed by libmicrohttpd, so the request outlives the hold. */
struct hold_entry {
    struct MHD_Connection *connection;
    uint64_t due_ms; /* on CLOCK_MONOTONIC */
    struct hold_entry *prev;
    struct hold_entry *next;
};

/* Milliseconds on CLOCK_MONOTONIC. [any thread] */
uint64_t hold_now_ms(void);

/* Returns    a hold with its thread running, or NULL.
 * Ownership  owned by caller, release with hold_free. */
__attribute__((warn_unused_result)) struct hold *hold_new(void);

/* Suspends `connection` for `delay_ms`, or until hold_release_all.
 * Returns    true: held, the handler must return MHD_YES (a content reader 0) and wait to be called again;
 *            false: hold_stop has been called, nothing was suspended, answer or close now.
 * Ownership  `entry` is borrowed until the connection has been resumed.
 * Threads    [the handler of this connection] */
__attribute__((warn_unused_result)) bool hold_start(struct hold *hold, struct hold_entry *entry,
                                                    struct MHD_Connection *connection, uint64_t delay_ms);

/* Resumes everything held, due or not. [any thread] */
void hold_release_all(struct hold *hold);

/* Resumes everything held and holds nothing from now on; to be called before MHD_stop_daemon, which does not permit
 * suspended connections. The thread has ended when this returns. [one thread, once] */
void hold_stop(struct hold *hold);

/* Frees a hold after MHD_stop_daemon; stops it first if that has not been done. Accepts NULL. */
void hold_free(struct hold *hold);

#endif
