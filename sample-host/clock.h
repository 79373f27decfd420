/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h: the two clocks of the host. Any thread. Both return false, and set 0, when there is no time to be had.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z; may jump. */
bool clock_wall(int64_t *unix_ms) __attribute__((warn_unused_result));

/* Milliseconds since some point; never goes back. */
bool clock_monotonic(uint64_t *ms) __attribute__((warn_unused_result));

#endif
