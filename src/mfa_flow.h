/* SPDX-License-Identifier: Apache-2.0
 *
 * A flow: one request on its way from the hook that brought it to the completion of its call.
 *
 * A flow is a chain of steps. A step does what needs no waiting and returns the outcome; or it hands the flow over, to the
 * gateway or to a worker, together with the step to go on with, and returns MFA_OUTCOME_PENDING. From that moment the flow
 * belongs to another thread and must not be touched. The first step runs on the host's thread and may read the profile;
 * steps behind the gateway run on its thread and must not wait; steps behind a worker may.
 *
 * The files flow_*.c hold one flow each; flows.h lists them.
 */
#ifndef MFA_FLOW_H
#define MFA_FLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_code.h"
#include "mfa_core.h"
#include "mfa_exchange.h"
#include "mfa_recovery.h"
#include "mfa_reply.h"
#include "mfa_session.h"
#include "mfa_user_data.h"
#include "mfa_verdict.h"
#include "mfa_workers.h"

/* What a client sent, or the host says of a login. Borrowed until the first step returns. */
struct mfa_request {
    uint64_t call;              /* the host's token for it */
    const char *event;          /* names the flow in the log: "mfa.verify"; static */
    const char *user_id;        /* NUL-terminated, shorter than MFA_USER_ID_SIZE */
    const char *username;       /* NUL-terminated */
    const char *client_address; /* NUL-terminated; empty: not known */
    const char *token_secret;   /* what stood in Authorization or ?auth; NULL: nothing */
    size_t token_len;
    const char *body_secret; /* NULL: none */
    size_t body_len;
    const char *grant_secret; /* of a login; NULL for a route */
    size_t grant_len;
    bool is_from_browser; /* a page's script cannot read a 302 */
};

/* Longest text of an IP address, zone included, with NUL. */
#define MFA_CLIENT_ADDRESS_SIZE 64

struct mfa_flow;
typedef enum mfa_outcome mfa_flow_step_fn(struct mfa_flow *flow);
typedef void mfa_flow_undo_fn(struct mfa_flow *flow);

struct mfa_flow {
    struct mfa_job job;
    struct mfa_core *core;
    struct mfa_settings *settings;     /* when it began; held */
    struct mfa_settings *sent_by;      /* by what the code that is checked was sent; held; NULL: not known */
    const struct mfa_request *request; /* NULL after the first step */
    uint64_t call;
    mfa_flow_step_fn *next_step;
    mfa_flow_undo_fn *when_left;   /* in the place of the next step when nobody waits for the answer; NULL: nothing */
    mfa_flow_step_fn *after_check; /* mfa_check.h */
    struct mfa_reply reply;        /* payload; the outcome is what steps return */
    struct mfa_exchange exchange;  /* with the service */
    struct mfa_finding finding;    /* what came of it, for the step behind the gateway; owned */
    json_t *captured_secret;       /* of a challenge: what verify is to know of it; owned */
    uint64_t now_ms;               /* monotonic, when the flow began */
    const char *event;
    const char *user_id;
    const char *username;
    const char *client_address;
    struct mfa_session_ref session_ref;
    bool has_session_ref;
    unsigned char enrolment_id[MFA_ENROLMENT_ID_LEN]; /* that an activation may replace; all zeros: none */
    struct mfa_send_reservation reservation;          /* of the message being sent */
    struct mfa_session *session;                      /* taken; owned */
    json_t *body_secret;                              /* the request's JSON object, by mfa_json_parse_request; owned */
    char token_secret[MFA_TOKEN_SIZE];
    char code_secret[MFA_CODE_SIZE];
    struct mfa_recovery_codes *recovery_codes_secret;   /* those it hands out; owned */
    union {                                             /* what only some flows have */
        struct mfa_parameter_problem problem;           /* activate */
        char recovery_stored[MFA_RECOVERY_STORED_SIZE]; /* verify, recover: what a client sent */
        struct {                                        /* status */
            struct mfa_enrolment_view enrolment;
            char hint[MFA_HINT_SIZE];
        };
    };
    uint8_t service;  /* of a check: which endpoint sent the code, 0: the first, then its fallbacks */
    bool has_message; /* of a check: there is a code that may be right */
    bool is_from_browser;
    bool must_go_on; /* even when nobody waits for the answer any more */
    size_t texts_size;
    char texts[]; /* user_id, username and client_address */
};

/* Runs a flow from its first step on. Completes the call, exactly once, now or later, whatever happens. [any thread] */
void mfa_flow_run(struct mfa_core *core, const struct mfa_request *request, mfa_flow_step_fn *first_step);

/* The settings that the flow's code goes by: those it was sent by, when one is checked, else the flow's own. */
struct mfa_settings *mfa_flow_code_settings(const struct mfa_flow *flow);

/* True in single mode, where we draw and compare the code; otherwise the service does. */
bool mfa_flow_makes_code(const struct mfa_flow *flow);

/* The endpoint that sends messages: of single mode, or the challenge. */
const struct mfa_endpoint *mfa_flow_sender(const struct mfa_flow *flow);

/* What a failed status means to the client: too busy, which says when to come back, or a fault. */
enum mfa_outcome mfa_flow_fault(struct mfa_flow *flow, enum mfa_status status);

/* Goes on with `step` on a worker. Returns MFA_OUTCOME_PENDING, or the outcome: too busy, stopping. */
enum mfa_outcome mfa_flow_to_worker(struct mfa_flow *flow, struct mfa_workers *workers, mfa_flow_step_fn *step);

/* As mfa_flow_to_worker, for the rest of work that was admitted: it is not turned away. */
enum mfa_outcome mfa_flow_on_to_worker(struct mfa_flow *flow, struct mfa_workers *workers, mfa_flow_step_fn *step);

/* Runs `step` here if it may wait here, else on a storage worker. */
enum mfa_outcome mfa_flow_where_it_may_wait(struct mfa_flow *flow, mfa_flow_step_fn *step);

/* One call to the service. All borrowed until the exchange is over. */
struct mfa_flow_call {
    enum mfa_call call;
    const struct mfa_endpoint *endpoint;
    const struct mfa_endpoint *challenge; /* whose answer is captured; the same, when this is the challenge */
    const char *code_secret;              /* NULL: there is none */
};

/* Makes the call, with the session's user data and `flow->captured_secret`, and goes on with `step` once `flow->finding` is
 * known. Returns MFA_OUTCOME_PENDING, or the outcome when nothing was sent: the session is gone, a value does not fit its
 * place, too busy, no time left. */
enum mfa_outcome mfa_flow_to_gateway(struct mfa_flow *flow, const struct mfa_flow_call *call, mfa_flow_step_fn *step);

/* --- What first steps begin with; each returns MFA_OUTCOME_PENDING when nothing is decided yet ---------------------- */

/* Names the session of a token in `flow->session_ref`. */
void mfa_flow_set_token(struct mfa_flow *flow, const char *token_secret, size_t token_len);

/* Reads the mfaToken into `flow->session_ref`. */
enum mfa_outcome mfa_flow_read_token(struct mfa_flow *flow);

/* Reads the body into `flow->body_secret`; an absent one is an empty object. */
enum mfa_outcome mfa_flow_read_body(struct mfa_flow *flow);

/* Draws `flow->recovery_codes_secret`. Returns as mfa_recovery_draw does; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_flow_draw_recovery_codes(struct mfa_flow *flow);

/* Refuses a parameter. Returns MFA_OUTCOME_BAD_PARAMETER. `path` and `message` are static. */
enum mfa_outcome mfa_flow_refuse_parameter(struct mfa_flow *flow, const char *path, const char *message);

/* Checks the `password` in the body, a string, which was read before. Waits for seconds.
 * Returns MFA_OK; MFA_ERR_DENIED: wrong; MFA_ERR_FULL: too busy to check; anything else: nothing is known. */
MFA_MUST_CHECK enum mfa_status mfa_flow_check_password(const struct mfa_flow *flow);

/* What an unwelcome verdict means to the client. */
enum mfa_outcome mfa_flow_outcome_of(const struct mfa_flow *flow);

#endif
