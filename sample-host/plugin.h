/* SPDX-License-Identifier: Apache-2.0
 *
 * plugin.h: one loaded plugin.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core_plugin.h"

struct host;

struct plugin {
    struct host *host;                               /* static */
    struct core_host table;                          /* the host as this plugin sees it; its host_data is this struct */
    char *file;                                      /* absolute path; owned */
    void *library;                                   /* of dlopen; owned */
    const struct core_plugin_descriptor *descriptor; /* in the library */
    void *instance;                                  /* of create; NULL: none */
    uint32_t position;                               /* in the login chain */
    atomic_bool is_creating;                         /* create is running, on the main thread */
    atomic_bool is_reconfiguring;                    /* the same of reconfigure */
};

#endif
