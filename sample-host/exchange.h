/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange.h: one HTTP request and its answer. The answer may be given on any thread, at once or later; a request that is
 * not answered when its handler returns is suspended and holds no thread.
 *
 * An exchange lives as long as somebody holds it: the listener until the answer is sent, a call until the plugin has
 * completed it, a job until it has run.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "answer.h"
#include "call_result.h"
#include "core_plugin.h"
#include "storage.h"
#include "workers.h"

struct exchange;
struct host;
struct login;
struct route;

/* What is done for an exchange on another thread of the host; it is held meanwhile. */
typedef void exchange_step_fn(struct exchange *exchange);

struct exchange {
    struct host *host;                 /* static */
    struct MHD_Connection *connection; /* valid until the answer is given */
    struct route *route;               /* static; NULL: no route matches */
    char *body;                        /* owned; zeroed when freed, it may hold a password */
    size_t body_len;
    size_t body_size;
    size_t discarded_len; /* of a body that is too long */
    bool is_admitted;     /* the request is complete and has been handed on */

    struct storage_user user;             /* of the {username} in the path */
    struct storage_access access;         /* when the route needed one */
    char *secret_credential;              /* owned, NULL: none was presented */
    char client_address[INET_ADDRSTRLEN]; /* empty: not known */
    struct core_request request;          /* for a plugin; spans into the members above and into headers */
    struct core_header *request_headers;  /* owned, one allocation; zeroed when freed, a token is among them */
    size_t request_headers_size;          /* in bytes */

    struct login *login;        /* owned; when this is a login, or releases one */
    struct call_result *result; /* owned; of the plugin's call, while a worker deals with it */
    struct job job;             /* at most one waits at a time */
    exchange_step_fn *step;     /* what the job does */

    atomic_uint holders;
    pthread_mutex_t lock; /* guards all below */
    struct MHD_Response *response;
    unsigned status;
    bool is_answered;
    bool is_suspended;
};

/* Returns NULL when there is no memory; the listener holds the result. */
struct exchange *exchange_new(struct host *host, struct MHD_Connection *connection, struct route *route);

/* One more holder; one fewer. The last one frees. */
void exchange_hold(struct exchange *exchange);
void exchange_drop(struct exchange *exchange);

/* Answers. `response` is transferred; NULL stands for an allocation that failed, and answers 500. A second answer is
 * dropped. Any thread; calls no hook and does not wait. */
void exchange_answer(struct exchange *exchange, unsigned status, struct MHD_Response *response);

/* Answers with an error; `data` (NULL: none) is transferred. */
void exchange_fail(struct exchange *exchange, enum answer_error error, json_t *data);

/* The response to what a plugin returned. NULL: its body is not a JSON object, or there is no memory. */
struct MHD_Response *exchange_response_of(const struct call_result *result);

/* Adds the headers of a plugin's result to a response; on failure destroys it and returns NULL. Accepts NULLs. */
struct MHD_Response *exchange_add_headers(struct MHD_Response *response, const struct call_result *result);

/* Runs `step` on a thread of the host that may wait for storage. Any thread; does not wait. */
void exchange_continue(struct exchange *exchange, exchange_step_fn *step);

/* Runs `step` on a thread where passwords are hashed; when too many wait, answers that the host is busy. */
void exchange_continue_with_password(struct exchange *exchange, exchange_step_fn *step);

/* For the listener, on the connection's thread, once the handler has returned: sends the answer, or suspends until there
 * is one. */
enum MHD_Result exchange_send_or_suspend(struct exchange *exchange);

#endif
