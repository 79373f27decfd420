/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of sessions that fills, with the first, the second, ... the last allocation failing: what it has, it keeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "mfa_sessions.h"

#define NOW_MS 86399977
/* All of one user's, which are side by side: their place in the table grows five times. */
#define SESSIONS 20

static struct mfa_session_ref ref_of(const struct mfa_sessions *sessions, int number)
{
    struct mfa_session_ref ref;
    char token[16];

    snprintf(token, sizeof token, "token-%d", number);
    mfa_sessions_ref(sessions, "id-alice", token, strlen(token), &ref);
    return ref;
}

static bool open_under(void *state, const struct fault *fault)
{
    static const unsigned char seed[MFA_SESSIONS_SEED_LEN] = "a seed for sessions under faults";
    const struct mfa_session_facts facts = {.purpose = MFA_PURPOSE_LOGIN, .user_data = "{}", .user_data_len = 2};
    struct mfa_sessions *sessions = NULL;
    struct mfa_policy policy;
    enum mfa_status opened[SESSIONS] = {MFA_OK};
    bool was_met = false;

    (void)state;
    mfa_policy_init(&policy);
    policy.max_pending_per_user = 0;
    assert_int_equal(mfa_sessions_new(&sessions, &policy, seed), MFA_OK);
    fault_arm(fault);
    for (int i = 0; i < SESSIONS; i++) {
        const struct mfa_session_ref ref = ref_of(sessions, i);
        opened[i] = mfa_sessions_open(sessions, NOW_MS, &ref, &facts);
    }
    was_met = fault_disarm();
    for (int i = 0; i < SESSIONS; i++) {
        const struct mfa_session_ref ref = ref_of(sessions, i);
        FAULT_EXPECT(fault, opened[i] == MFA_OK || (was_met && opened[i] == MFA_ERR_MEMORY));
        FAULT_EXPECT(fault, mfa_sessions_has(sessions, NOW_MS, &ref) == (opened[i] == MFA_OK));
    }
    mfa_sessions_free(sessions);
    return was_met;
}

static void sessions_stay_when_there_is_no_memory_for_more(void **state)
{
    fault_exhaust(state, FAULT_MEMORY, open_under);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_stay_when_there_is_no_memory_for_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
