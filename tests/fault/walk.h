/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways through the flows that faults are looked for on: each begins somewhere, is one call, and ends with one outcome
 * when nothing fails.
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "flow_fixture.h"

/* What the service answers, request by request; a status of 0 ends the list, and the last answer is given again. */
struct walk_reply {
    int http_status;
    const char *body;
};
#define WALK_MAX_REPLIES 3

struct walk_scene;

struct walk {
    const char *name;
    const char *config;
    void (*set)(struct walk_scene *scene);
    mfa_flow_step_fn *flow;
    const struct walk_reply *replies; /* of the service; NULL: what is sent has been sent */
    enum mfa_outcome outcome;
    /* The outcome when the enrolment is written and the tally, which comes second, cannot be: one that stays only makes the
     * next attempts stricter. */
    enum mfa_outcome half;
    const struct walk_reply *opening; /* likewise, to whatever is sent before and afterwards */
};

extern const struct walk walks[];
extern const size_t walk_count;

struct walk_scene {
    struct fixture *fixture;
    const struct walk *walk;
    char token[MFA_TOKEN_SIZE];
    char recovery_code[MFA_RECOVERY_CODE_SIZE];
    char body[512];
    struct fixture_input input;
};

/* Runs the flow of the walk with what is in the scene, and returns how it was completed. */
const struct fake_completion *walk_run(struct walk_scene *scene, const struct walk_reply *replies);

/* Has alice log in with a code, after enrolling if need be. Returns how that was completed. */
const struct fake_completion *walk_log_in(struct walk_scene *scene);

#endif
