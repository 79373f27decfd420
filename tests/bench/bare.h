/* SPDX-License-Identifier: Apache-2.0
 *
 * bare.h: runs bare_server.c. Asserts with cmocka what it promises.
 */
#ifndef BARE_H
#define BARE_H

#include "harness_http.h"

#include <sys/types.h>

struct bare {
    pid_t pid;
    char url[64];
};

/* Starts a server that answers everything with the bytes of this answer. */
void bare_start(struct bare *bare, const struct http_answer *answer);

void bare_stop(struct bare *bare);

#endif
