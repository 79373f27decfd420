/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the product stops for other processes: in front of each of its locks. What it hands to a worker is a process of its
 * own. Its workers and its housekeeper are not linked; stops.c takes their places. touches.c says what its functions touch.
 */
#ifndef STOPS_H
#define STOPS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether locks are not stopped at: those of the fakes, which are no part of the product. */
void stops_are_off(bool are_off);

/* Whether this process does not stop at locks that nobody has taken before. Then nobody can come in between there: what goes
 * through all shards of a table makes a difference only at those that are used. */
void stops_only_where_used(bool is_on);

/* What is touched behind the next lock that is taken: one part (0: anything), and whether it is only looked at. */
void stops_touch(uint64_t part, bool only_looks);

/* Forgets which locks have been taken. */
void stops_forget(void);

#endif
