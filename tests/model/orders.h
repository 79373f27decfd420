/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs processes in every order that makes a difference: one run for each set of orders that only differ in accesses which
 * do not depend on each other. A depth-first search that runs everything again for each order, by source-DPOR (Abdulla,
 * Aronis, Jonsson and Sagonas, "Optimal dynamic partial order reduction", POPL 2014).
 */
#ifndef ORDERS_H
#define ORDERS_H

#include <stdint.h>

#define ORDERS_MAX_STEPS 1024

/* What is run. `begin` starts the processes, and must do the same each time; `end` looks at what came of them. */
struct orders_subject {
    void *ctx;
    void (*begin)(void *ctx);
    void (*end)(void *ctx);
};

struct orders_count {
    uint64_t runs;      /* to the end, each in another order */
    uint64_t abandoned; /* halfway, as they would have led to orders that were run before */
    unsigned longest;   /* steps of one run */
};

/* Runs them all and adds to `*count`. */
void orders_run_all(const struct orders_subject *subject, struct orders_count *count);

/* The run that is going on or has just ended, as the numbers of the processes in the order of their steps. Static. */
const char *orders_current(void);

#endif
