/* SPDX-License-Identifier: Apache-2.0
 *
 * What the product's functions touch behind the lock they take, where that is less than all there is: one session, or nothing
 * that they change. Without it the model would run the same in many more orders. The functions are wrapped by the linker.
 */
#include <string.h>

#include "mfa_core.h"
#include "mfa_sessions.h"
#include "mfa_throttle.h"
#include "stops.h"

#define TOUCHES(part, only_looks, type, function, parameters, arguments)                                               \
    type __real_##function parameters;                                                                                 \
    type __wrap_##function parameters;                                                                                 \
    type __wrap_##function parameters                                                                                  \
    {                                                                                                                  \
        stops_touch(part, only_looks);                                                                                 \
        return __real_##function arguments;                                                                            \
    }

static uint64_t part_of(const unsigned char key[static MFA_SESSION_KEY_LEN])
{
    uint64_t part = 0;

    memcpy(&part, key, sizeof part);
    return part;
}

#define SESSIONS struct mfa_sessions *sessions
#define REF const struct mfa_session_ref *ref
#define ONE part_of(ref->key)

/* --- One session that is only looked at ---------------------------------------------------------------------------- */

TOUCHES(ONE, true, bool, mfa_sessions_has, (SESSIONS, uint64_t now_ms, REF), (sessions, now_ms, ref))
TOUCHES(ONE, true, enum mfa_status, mfa_sessions_user_data, (SESSIONS, uint64_t now_ms, REF, char **text, size_t *len),
        (sessions, now_ms, ref, text, len))
TOUCHES(ONE, true, enum mfa_status, mfa_sessions_challenge,
        (SESSIONS, uint64_t now_ms, REF, struct mfa_session_challenge *out), (sessions, now_ms, ref, out))
TOUCHES(ONE, true, enum mfa_status, mfa_sessions_match, (SESSIONS, uint64_t now_ms, REF, const char *code_secret),
        (sessions, now_ms, ref, code_secret))

/* --- One session that may change ----------------------------------------------------------------------------------- */

TOUCHES(ONE, false, enum mfa_status, mfa_sessions_set_challenge,
        (SESSIONS, uint64_t now_ms, REF, const struct mfa_session_challenge *challenge),
        (sessions, now_ms, ref, challenge))
TOUCHES(ONE, false, enum mfa_status, mfa_sessions_begin_send, (SESSIONS, uint64_t now_ms, REF, uint32_t *wait_s),
        (sessions, now_ms, ref, wait_s))
TOUCHES(ONE, false, enum mfa_status, mfa_sessions_add_code, (SESSIONS, uint64_t now_ms, REF, const char *code_secret),
        (sessions, now_ms, ref, code_secret))
TOUCHES(ONE, false, bool, mfa_sessions_end_send, (SESSIONS, uint64_t begun_ms, REF, bool was_sent),
        (sessions, begun_ms, ref, was_sent))
TOUCHES(ONE, false, enum mfa_status, mfa_sessions_reserve_attempt,
        (SESSIONS, uint64_t now_ms, REF, enum mfa_purpose purpose), (sessions, now_ms, ref, purpose))
TOUCHES(ONE, false, enum mfa_status, mfa_sessions_fail_attempt, (SESSIONS, REF, uint32_t *left), (sessions, ref, left))
TOUCHES(ONE, false, void, mfa_sessions_return_attempt, (SESSIONS, REF), (sessions, ref))
TOUCHES(ONE, false, struct mfa_session *, mfa_sessions_take, (SESSIONS, uint64_t now_ms, REF), (sessions, now_ms, ref))
TOUCHES(ONE, false, void, mfa_sessions_drop, (SESSIONS, REF), (sessions, ref))
TOUCHES(part_of(session->key), false, void, mfa_sessions_put_back, (SESSIONS, struct mfa_session *session),
        (sessions, session))
TOUCHES(part_of(session->key), false, void, mfa_sessions_use_up, (SESSIONS, struct mfa_session *session),
        (sessions, session))

/* --- All that is behind the lock, only looked at ------------------------------------------------------------------- */

TOUCHES(0, true, struct mfa_settings *, mfa_core_settings, (struct mfa_core * core), (core))
TOUCHES(0, true, bool, mfa_throttle_knows, (struct mfa_throttle * throttle, const char *user_id), (throttle, user_id))
TOUCHES(0, true, bool, mfa_throttle_is_stopped, (struct mfa_throttle * throttle, const char *user_id),
        (throttle, user_id))
TOUCHES(0, true, bool, mfa_throttle_is_stored, (struct mfa_throttle * throttle, const char *user_id),
        (throttle, user_id))
