/* SPDX-License-Identifier: Apache-2.0
 *
 * host.h: the parts of a running host. All are made before the listener starts and freed after it has ended, so whoever
 * serves a request may use them without asking.
 */
#ifndef HOST_H
#define HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host_config.h"

struct calls;
struct grants;
struct listener;
struct log_writer;
struct metrics;
struct passwords;
struct plugin;
struct router;
struct storage;
struct workers;

struct host {
    struct host_config config;
    struct storage *storage;
    struct log_writer *log_writer; /* for the lines of plugins */
    struct passwords *passwords;
    struct workers *continuations; /* what follows a plugin's completion */
    struct calls *calls;
    struct grants *grants;
    struct metrics *metrics; /* of plugins */
    struct router *router;
    struct listener *listener; /* NULL: it does not listen */
    struct plugin *plugins;    /* in the order of the login chain */
    size_t plugin_count;
    uint64_t started_ms; /* monotonic */
    char address[80];    /* "IP:PORT" that is listened on */
    atomic_bool is_stopping;
    atomic_size_t suspended; /* requests that wait for their answer without a thread */
    atomic_size_t exchanges; /* requests that are not answered yet or whose inputs are still lent to a plugin */
};

struct host_options {
    const char *config;        /* file */
    const char *plugins;       /* directory */
    const char *data;          /* directory; NULL: keep nothing */
    uint64_t call_deadline_ms; /* how long a plugin may take to complete a call */
};

/* Makes everything but the listener, from a zeroed `host`; the options are borrowed until return. Anything but CORE_OK: it
 * was refused, and the reasons have been logged. Release with host_clear, in any case. Main thread, like all below. */
core_status host_start(struct host *host, const struct host_options *options) __attribute__((warn_unused_result));

/* Starts to listen; `host->address` then says where. CORE_ERR_INTERNAL: it cannot; the reason has been logged. */
core_status host_listen(struct host *host) __attribute__((warn_unused_result));

/* Ends a host that was started: accepts no more connections, refuses new work, stops the plugins, which completes the open
 * calls, and writes the answers out. */
void host_stop(struct host *host);

/* Frees what host_start made. It has been stopped, or had not started. */
void host_clear(struct host *host);

#endif
