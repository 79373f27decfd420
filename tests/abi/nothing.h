/* SPDX-License-Identifier: Apache-2.0
 *
 * A host of version 1.0 that does nothing but count and tell the time, and the built plugin that is asked to run in it. What
 * the host shall do otherwise, a test writes into its table. Nothing can be read behind that table.
 */
#ifndef NOTHING_H
#define NOTHING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core_plugin.h"

#define NOTHING_MAX_ROUTES 16

struct nothing {
    struct core_host *table; /* ends where its page does */
    void *pages;             /* this one, and one that faults */
    unsigned route_count;
    struct core_route routes[NOTHING_MAX_ROUTES]; /* a ring */
    unsigned errors;                              /* logged */
    char error[256];                              /* the last one */
    unsigned completions;
    struct core_result result; /* the last one, but for what it pointed to */
    char body[512];            /* of that */
};

struct nothing *nothing_of(const struct core_host *host);
void nothing_init(struct nothing *nothing);
void nothing_clear(const struct nothing *nothing);

/* Leaves of the table its first `size` bytes, and nothing to be read behind them. */
void nothing_shorten(struct nothing *nothing, size_t size);

/* The plugin; set up and torn down by the group's nothing_load and nothing_unload. */
extern const struct core_plugin_descriptor *plugin;
int nothing_load(void **state);
int nothing_unload(void **state);

/* The smallest section with which the plugin does its work. */
#define NOTHING_SINGLE                                                                                                 \
    "mode: single\nsms: {endpoints: {single: {url: 'http://127.0.0.1:1/{{ number }}', method: GET}}}\n"

/* Creates an instance by a section of YAML. */
core_status nothing_create(struct nothing *nothing, const char *yaml, void **instance);

/* Stops and destroys one. */
void nothing_end(void *instance);

#endif
