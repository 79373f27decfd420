/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

bool clock_wall(int64_t *unix_ms)
{
    struct timespec now;

    *unix_ms = 0;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    *unix_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return true;
}

bool clock_monotonic(uint64_t *ms)
{
    struct timespec now;

    *ms = 0;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return false;
    *ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)(now.tv_nsec / 1000000);
    return true;
}
