/* SPDX-License-Identifier: Apache-2.0
 *
 * load.h: an HTTP client that costs little beside the server it measures: one thread, connections that stay, on each of
 * them one request at a time. Asserts with cmocka that every answer has the status it must have.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>

/* What a request was answered; borrowed until return. */
struct load_answer {
    unsigned status;
    const char *body; /* NUL-terminated */
};

/* Says what connection number `connection` sends next.
 * `previous`  what it was answered last; NULL: nothing yet
 * Returns     the whole request, to live until it is answered; NULL: this connection has done its part. */
typedef const char *load_next_fn(void *context, size_t connection, const struct load_answer *previous);

struct load {
    const char *url; /* "http://127.0.0.1:PORT" */
    size_t connections;
    double seconds; /* no request is begun later; 0: until every connection has done its part */
    unsigned turns; /* of so many seconds, each with new connections; 0: one */
    load_next_fn *next;
    void *context;
};

struct load_result {
    size_t requests;
    double seconds; /* of all turns: from before the first connection to the last answer */
    double requests_per_s;
    double p50_ms;
    double p99_ms;
    size_t answer_len; /* of the last answer, headers included */
};

struct load_result load_run(const struct load *load);

/* The same request over and over; `context` of load_always is this. */
struct load_fixed {
    const char *const *requests; /* one for each connection */
    unsigned status;             /* of every answer */
};
load_next_fn load_always;

/* The text of a POST with `token` and `body` (may be NULL); owned by caller, release with free. */
char *load_post(const char *path, const char *token, const char *body);

#endif
