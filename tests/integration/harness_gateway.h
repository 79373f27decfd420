/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_gateway.h: a communication service inside the test process. It records every request and answers as it is
 * told to. It serves on one thread of its own and can keep thousands of connections waiting at once. Links
 * sample-host/gateway/hold.c.
 */
#ifndef HARNESS_GATEWAY_H
#define HARNESS_GATEWAY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct gateway;

/* How an answer goes out. */
enum gateway_manner {
    GATEWAY_WHOLE = 0,
    GATEWAY_STALL,        /* never; the request is held until gateway_release or gateway_stop */
    GATEWAY_RESET,        /* not at all: the connection is reset */
    GATEWAY_RESET_MIDWAY, /* status, headers, half of the body, and then a reset */
    GATEWAY_DRIP,         /* the body byte by byte, `drip_ms` apart */
};

/* One answer; zeroed but for the status it is an empty one. Text is borrowed until the request has come in and been
 * recorded; literals are the usual thing. */
struct gateway_script {
    unsigned status;
    const char *body;           /* NULL: empty */
    size_t body_len;            /* 0: strlen(body) */
    uint64_t body_times;        /* the body is sent so many times over, for huge answers; 0 means once */
    const char *const *headers; /* name, value, name, value, ..., NULL; NULL: none */
    uint32_t delay_ms;          /* before anything is sent */
    enum gateway_manner manner;
    uint32_t drip_ms;
};

/* One request as it came in. All of it is borrowed until gateway_forget_requests or gateway_stop. */
struct gateway_request {
    char *method;
    char *path;          /* percent-decoded, without the query */
    char *raw_url;       /* path and query as they were on the wire */
    json_t *query;       /* object: name -> decoded value; of a repeated name the last */
    json_t *headers;     /* object: name in lower case -> value; of a repeated name the last */
    size_t header_count; /* lines, of a repeated name all */
    char *body;          /* NUL-terminated, never NULL */
    size_t body_len;
    uint64_t at_ms; /* when it had come in whole, on CLOCK_MONOTONIC */
};

/* Decides an answer. Called on the gateway's thread; what it fills in `script` with must live as said above. */
typedef void gateway_script_fn(void *context, const struct gateway_request *request, struct gateway_script *script);

/* Starts on a free port of the loopback address, answering 200 with an empty body. Raises the limit of open files. */
struct gateway *gateway_start(void);

/* Closes every connection. Accepts NULL. */
void gateway_stop(struct gateway *gateway);

/* "http://127.0.0.1:PORT"; borrowed until gateway_stop. */
const char *gateway_url(const struct gateway *gateway);

/* What to answer, in this order: what was queued, once each; else what the function says; else the default. The script is
 * copied, not its text. [any thread] */
void gateway_answer(struct gateway *gateway, struct gateway_script script);
void gateway_answer_next(struct gateway *gateway, struct gateway_script script);
void gateway_answer_with(struct gateway *gateway, gateway_script_fn *decide, void *context); /* NULL: no function */

/* Lets go of everything that is being held: a delayed answer goes out now, a stalled request is closed. */
void gateway_release(struct gateway *gateway);

/* Requests recorded since the start or gateway_forget_requests. [any thread] */
size_t gateway_request_count(struct gateway *gateway);

/* Asserts that at least `count` requests come in within `timeout_ms`. */
void gateway_await_requests(struct gateway *gateway, size_t count, uint32_t timeout_ms);

/* Request number `index` from 0; asserts that it is there. */
const struct gateway_request *gateway_request(struct gateway *gateway, size_t index);
const struct gateway_request *gateway_last_request(struct gateway *gateway);

/* Not while a request is coming in. */
void gateway_forget_requests(struct gateway *gateway);

/* The code in the last message: the last run of 4 to 10 digits in the query's `message`, else in the body. Asserts that
 * there is one. */
#define GATEWAY_CODE_MAX 10
void gateway_last_code(struct gateway *gateway, char code[static GATEWAY_CODE_MAX + 1]);

#endif
