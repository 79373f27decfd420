/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"
#include "scene.h"
#include "stops.h"

/* Longer than a session lives, a code is good, or a delay lasts. */
#define LONG_MS (3600 * 1000)

/* The clock jumps, and the housekeeper comes by. */
static void expire(struct scene *scene)
{
    struct mfa_core *core = scene->fixture.core;

    scene_change_outside();
    stops_are_off(true);
    fake_host_advance(&scene->fixture.host, LONG_MS);
    stops_are_off(false);
    scene->has_expired = true;
    stops_only_where_used(true);
    mfa_sessions_expire(core->sessions, scene->fixture.host.monotonic_ms);
    mfa_throttle_expire(core->throttle, scene->fixture.host.monotonic_ms);
    stops_only_where_used(false);
}

static void leave(struct scene *scene)
{
    scene_change_outside();
    scene->fixture.host.is_cancelled = true;
    scene->have_left = true;
}

static const struct action verify_sent = {
    .name = "verify that code", .flow = mfa_flow_verify, .body = RIGHT_CODE, .asks_service = {false, true}};

const struct action actions[] = {
    {.name = "verify", .flow = mfa_flow_verify, .session = LOGIN_A, .body = RIGHT_CODE, .asks_service = {false, true}},
    {.name = "guess", .flow = mfa_flow_verify, .session = LOGIN_A, .body = WRONG_CODE, .asks_service = {false, true}},
    {.name = "guess at the other login",
     .flow = mfa_flow_verify,
     .session = LOGIN_B,
     .body = WRONG_CODE,
     .asks_service = {false, true}},
    {.name = "verify with a recovery code", .flow = mfa_flow_verify, .session = LOGIN_A, .body = RECOVERY_CODE},
    {.name = "guess a recovery code", .flow = mfa_flow_verify, .session = LOGIN_A, .body = WRONG_RECOVERY_CODE},
    {.name = "verify the other login with that recovery code",
     .flow = mfa_flow_verify,
     .session = LOGIN_B,
     .body = RECOVERY_CODE},
    {.name = "confirm another enrolment",
     .flow = mfa_flow_confirm,
     .session = ACTIVATION,
     .body = RIGHT_CODE,
     .asks_service = {false, true}},
    {.name = "send again", .flow = mfa_flow_challenge, .session = LOGIN_A, .asks_service = {true, true}},
    {.name = "send again and verify",
     .flow = mfa_flow_challenge,
     .session = LOGIN_A,
     .asks_service = {true, true},
     .then = &verify_sent},
    {.name = "log in", .flow = mfa_flow_login, .asks_service = {true, true}},
    {.name = "log in and verify", .flow = mfa_flow_login, .asks_service = {true, true}, .then = &verify_sent},
    {.name = "recover", .flow = mfa_flow_recover, .body = PASSWORD_AND_RECOVERY_CODE},
    {.name = "recover with a wrong code", .flow = mfa_flow_recover, .body = PASSWORD_AND_WRONG_CODE},
    {.name = "deactivate", .flow = mfa_flow_deactivate},
    {.name = "renew the recovery codes", .flow = mfa_flow_recovery_codes},
    {.name = "reset", .flow = mfa_flow_reset},
    {.name = "time passes", .happen = expire},
    {.name = "the clients leave", .happen = leave},
};
const size_t action_count = sizeof actions / sizeof actions[0];
