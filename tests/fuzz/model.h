/* SPDX-License-Identifier: Apache-2.0
 *
 * What flows may do, as a small machine that knows nothing of their code: it hears of each call that begins, of each message
 * and check that the service is asked for, of each answer, and of how each call ends; and fails the test when something
 * happens that no rule allows.
 *
 * - A login is released for a code that was sent for it and is good still, for a code that the service accepts, or for an
 *   unused recovery code; once; to the user whose it is; while the enrolment is the one it was challenged for.
 * - An enrolment comes of such a code as well, and takes the place of none but the one it was begun to replace.
 * - No more codes of one session are compared than there are attempts; no attempt is made while the account is delayed, and
 *   none after too many failures.
 * - No more messages are sent than the limits allow.
 * - With nothing else going on, a right code works.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow_fixture.h"

#define MODEL_USERS 2
#define MODEL_CALLS 96 /* which have numbers from 1 */
#define MODEL_SESSIONS MODEL_CALLS
#define MODEL_DESTINATION_SIZE 32
#define MODEL_CODES FAKE_GATEWAY_MAX

enum model_op {
    MODEL_LOGIN,
    MODEL_ACTIVATE,
    MODEL_CONFIRM,
    MODEL_VERIFY,
    MODEL_CHALLENGE,
    MODEL_DEACTIVATE,
    MODEL_RECOVER,
    MODEL_RENEW,
    MODEL_STATUS,
    MODEL_RESET,
};

/* A code that was sent for a session. */
struct model_code {
    char text[MFA_CODE_SIZE];
    uint64_t made_ms;
    bool is_settled; /* the service has answered */
    bool is_withdrawn;
};

struct model_session {
    char token[MFA_TOKEN_SIZE];
    char identity[64]; /* of the enrolment that it was opened under; empty: none */
    char grant[64];
    size_t user;
    bool is_login;
    bool is_lost; /* by a restart */
    bool is_used;
    uint64_t opened_ms;
    size_t activation;         /* how many the user had begun, with it */
    size_t opened_activations; /* and how many had come to a token */
    struct model_code codes[MODEL_CODES];
    size_t code_count;
    size_t sent_count; /* messages that may have been sent, the first included */
    uint64_t last_sent_ms;
    unsigned tries;    /* calls that may have compared something */
    unsigned failures; /* that said so */
    unsigned checks;   /* that the service was asked for, and not certainly without being reached */
};

struct model_call {
    enum model_op op;
    size_t user;
    struct model_session *session; /* NULL: none, or not yet */
    uint64_t begun_ms;
    int64_t begun_wall_ms;
    char identity[64]; /* of the user's enrolment when it began */
    size_t activation; /* how many the user had begun, with it */
    char grant[64];
    char presented[MFA_CODE_SIZE]; /* empty: none */
    char recovery_code[MFA_RECOVERY_CODE_SIZE];
    bool is_password_right;
    struct model_code sent; /* by a call that opens a session, which has no name yet */
    bool has_sent;
    bool has_checked;     /* the service was asked to check a code */
    bool is_accepted;     /* the code was right, or so the service says */
    uint64_t until_ms;    /* of the account, when it began; 0 once the failures were forgotten */
    unsigned consecutive; /* likewise */
    bool is_done;
};

/* A message that the service was asked to send. */
struct model_message {
    size_t user;
    char destination[MODEL_DESTINATION_SIZE];
    uint32_t at_s;
    bool is_given_back;
};

struct model_user {
    char identity[64]; /* of the enrolment that is stored; empty: none */
    char recovery_codes[MFA_RECOVERY_CODE_COUNT][MFA_RECOVERY_CODE_SIZE]; /* the last that were handed out */
    bool is_used[MFA_RECOVERY_CODE_COUNT];
    unsigned consecutive;
    unsigned recent;
    int64_t last_failure_wall_ms;
    uint64_t until_ms;
    unsigned tries;     /* since the failures were forgotten */
    size_t activations; /* begun */
    size_t opened_activations;
};

struct model {
    struct fixture *fixture;
    struct mfa_policy policy;
    bool makes_code;
    bool step_up_is_required;
    struct model_user users[MODEL_USERS];
    struct model_session sessions[MODEL_SESSIONS];
    size_t session_count;
    struct model_call calls[MODEL_CALLS]; /* by their number in the fixture */
    struct model_message messages[FAKE_GATEWAY_MAX];
    uint64_t caller[FAKE_GATEWAY_MAX]; /* of each request */
    size_t requests_seen;
    size_t completions_seen;
    uint32_t newest_s;
};

extern const char *const model_users[MODEL_USERS];

/* What is known of a call. */
struct model_call *model_call(struct model *model, uint64_t number);

/* Begins with a fixture whose users have no enrolment. */
void model_init(struct model *model, struct fixture *fixture);

/* The core is a new one, and no call is going on. */
void model_restart(struct model *model);

/* A call is about to begin: the next one of the fixture, which `call` tells of. Returns what is known of it. */
struct model_call *model_begin(struct model *model, const struct model_call *call);

/* A step of a call has been made: looks at what came of it. */
void model_step(struct model *model, uint64_t call);

/* The oldest open request is about to be answered: whether the service did what it was asked to do, and whether it certainly
 * did not. Returns the call. */
uint64_t model_answer(struct model *model, bool is_done, bool is_definite, bool was_never_sent);

/* True while some call has not ended. */
bool model_is_busy(const struct model *model);

/* True when the newest code of a session must be right: nothing speaks against it. */
bool model_must_succeed(const struct model *model, const struct model_session *session);

#endif
