/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers and housekeeper without threads, in the place of mfa_workers.c and mfa_housekeeper.c: a job runs when it is told
 * to, so that an input decides on the order of things and the same input always does the same.
 */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include <stddef.h>
#include <stdint.h>

/* How many jobs wait, in all queues. */
size_t scheduler_waiting(void);

/* The call of a job that waits; 0 is the oldest. */
uint64_t scheduler_call(size_t i);

void scheduler_run(size_t i);

/* What the housekeeper does every second. */
void scheduler_keep_house(void);

#endif
