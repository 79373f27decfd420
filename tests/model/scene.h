/* SPDX-License-Identifier: Apache-2.0
 *
 * What the model runs: one user, alice, who is enrolled and may have two logins and an activation pending, and a few callers
 * who each do one thing to her account at the same time. The core is the real one, over the fakes.
 *
 * Beside the outcomes it keeps what the outcomes are judged by: what was compared, loaded and stored on whose behalf.
 */
#ifndef SCENE_H
#define SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow_fixture.h"
#include "orders.h"

/* A session that is pending when the callers come, or that one of them opens. */
struct pending {
    char token[MFA_TOKEN_SIZE];
    char code[MFA_CODE_SIZE];
    const char *grant;  /* NULL: an activation */
    unsigned enrolment; /* which it was opened for, counted by how often it had changed */
    unsigned released;  /* how often the grant came out */
};

/* How the service answers. */
enum service_answer { SERVICE_AGREES, SERVICE_REFUSES, SERVICE_IS_SILENT, SERVICE_IS_AWAY, SERVICE_ANSWERS };

struct scene;

/* What a caller does: a request, or what happens around requests. */
struct action {
    const char *name;
    mfa_flow_step_fn *flow; /* NULL: `happen` */
    void (*happen)(struct scene *scene);
    enum { NO_SESSION, LOGIN_A, LOGIN_B, ACTIVATION } session;
    enum {
        NO_BODY,
        RIGHT_CODE,
        WRONG_CODE,
        RECOVERY_CODE,
        WRONG_RECOVERY_CODE,
        PASSWORD_AND_RECOVERY_CODE,
        PASSWORD_AND_WRONG_CODE
    } body;
    bool asks_service[2];      /* in single mode, in challenge-verify */
    const struct action *then; /* once it has been sent a code: verifies with that */
};

#define MAX_CALLERS 8

struct caller {
    const struct action *action;
    enum service_answer answer;
    struct scene *scene;
    struct pending *pending;
    char code[MFA_CODE_SIZE];      /* to be tried */
    char sent_code[MFA_CODE_SIZE]; /* by the service on the caller's behalf */
    bool was_asked;                /* the service */
    unsigned loaded;               /* the enrolment that was loaded last, counted as above */
    bool has_loaded;
    bool saw_none;     /* no enrolment, when it was loaded last */
    unsigned stored;   /* how often what is stored of the enrolment was changed */
    unsigned compared; /* codes, and recovery codes that were looked for */
    unsigned failures; /* of them */
    unsigned completed;
    enum mfa_outcome outcome;
    char grant[64];
};

/* Who does what in a scene, and how the service answers them. */
struct invitation {
    const struct action *action;
    enum service_answer answer;
};

struct scene {
    struct fixture fixture;
    struct mfa_host_port host; /* the fakes' own */
    struct mfa_gateway_port gateway;
    uint32_t attempts_per_session; /* 0: no limit */
    uint32_t attempts_at_once;     /* of the account, before the first delay; 0: no limit */
    bool recovery_is_free;         /* of that, since it is the way out of an account that has stopped */
    char *profile;                 /* of alice, as stored at the beginning of each run */
    char recovery_code[MFA_RECOVERY_CODE_SIZE];
    struct pending sessions[ACTIVATION + 1 + MAX_CALLERS]; /* by `session`; then those that callers opened */
    size_t session_count;
    struct caller callers[MAX_CALLERS];
    size_t caller_count; /* those that were invited, and behind them those that went on */
    const struct invitation *invitations;
    size_t invited;
    unsigned enrolment; /* how often it has changed in this run */
    size_t answered;    /* requests to the service */
    bool has_expired;
    bool have_left;
};

extern const struct action actions[];
extern const size_t action_count;

/* Enrols alice in a core of its own. The section of the configuration is in `yaml`. */
void scene_open(struct scene *scene, const char *yaml);
void scene_close(struct scene *scene);

/* Lets them all come at the same time, in every order, and judges each run. */
void scene_run(struct scene *scene, const struct invitation *invitations, size_t count, struct orders_count *orders);

/* Stops before a change of the clock, or of who is there. */
void scene_change_outside(void);

bool scene_is_single(const struct scene *scene);

#endif
