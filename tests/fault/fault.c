/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <stdatomic.h>
#include <stddef.h>

static atomic_int armed_kind = FAULT_KINDS; /* FAULT_KINDS: none */
static atomic_uint armed_nth;
static atomic_bool armed_lasts;
static atomic_uint acts;
static _Thread_local bool counts; /* what this thread does */

/* Other threads begin when the sanitizer has set them up, for which it needs memory. */
__attribute__((constructor)) static void begin_main(void)
{
    counts = true;
}

const char *fault_name(enum fault_kind kind)
{
    static const char *const names[FAULT_KINDS] = {
        [FAULT_MEMORY] = "allocation",
        [FAULT_THREAD] = "thread",
        [FAULT_IO] = "read or write",
        [FAULT_CLOCK] = "clock read",
        [FAULT_RANDOM] = "random draw",
        [FAULT_LOAD] = "load",
        [FAULT_STORE] = "store",
        [FAULT_CONFLICT] = "store in conflict",
        [FAULT_PASSWORD] = "password check",
        [FAULT_REGISTER] = "registration",
        [FAULT_GATEWAY] = "request to the gateway",
        [FAULT_PATIENCE] = "look at the deadline",
        [FAULT_HOUR_FORWARD] = "clock read an hour ahead",
        [FAULT_HOUR_BACK] = "clock read an hour behind",
        [FAULT_END_OF_TIME] = "clock read at the end of time",
    };
    return names[kind];
}

void fault_arm(const struct fault *fault)
{
    atomic_store(&acts, 0);
    atomic_store(&armed_nth, fault->nth);
    atomic_store(&armed_lasts, fault->lasts);
    atomic_store(&armed_kind, fault->kind);
}

bool fault_disarm(void)
{
    atomic_store(&armed_kind, FAULT_KINDS);
    return atomic_load(&acts) >= atomic_load(&armed_nth);
}

bool fault_count(bool does_count)
{
    const bool did_count = counts;

    counts = does_count;
    return did_count;
}

bool fault_strikes(enum fault_kind kind)
{
    unsigned act = 0;

    if (atomic_load(&armed_kind) != (int)kind || !counts)
        return false;
    act = atomic_fetch_add(&acts, 1) + 1;
    return act == atomic_load(&armed_nth) || (atomic_load(&armed_lasts) && act > atomic_load(&armed_nth));
}
