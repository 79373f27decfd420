/* SPDX-License-Identifier: Apache-2.0
 *
 * listener.h: the HTTP server (libmicrohttpd). It collects requests, hands them to admission, and sends their answers.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "core_plugin.h"
#include "host.h"

struct listener;

/* Starts to listen where the configuration says and sets `host->address`. CORE_ERR_INTERNAL: it cannot; the reason has been
 * logged. `*out` is owned by caller, release with listener_free. */
core_status listener_start(struct host *host, struct listener **out) __attribute__((warn_unused_result));

/* Accepts no more connections. Requests on those that exist are still read. */
void listener_close(struct listener *listener);

/* Waits until all answers are written out, but not for ever, and ends the server. Every call must have been settled.
 * Accepts NULL. */
void listener_free(struct listener *listener);

#endif
