/* SPDX-License-Identifier: Apache-2.0
 *
 * measure.h: what the programs of the benchmark share: a clock, percentiles, measuring two things in turn, and how a
 * result is printed, one JSON object per line. ./report makes the table, the file and the plots of them.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <jansson.h>
#include <stddef.h>

/* Seconds on the monotonic clock. [any thread] */
double measure_now_s(void);

/* The smallest of the values that `share` of them (0.5, 0.99) do not exceed. Sorts them; `count` is at least 1. */
double measure_percentile(double *values, size_t count, double share);

/* Measures once and returns the figure: a rate, a duration. */
typedef double measure_fn(void *context);

struct measure_pair {
    double value;
    double reference;
};

/* Measures two things in turn, once to warm up and then `rounds` times (at most MEASURE_ROUNDS_MAX), so that whatever
 * the machine does besides meets both. Returns the median of each. */
#define MEASURE_ROUNDS_MAX 64
struct measure_pair measure_in_turn(measure_fn *value, measure_fn *reference, void *context, size_t rounds);

enum measure_goal { MEASURE_REPORT = 0, MEASURE_AT_LEAST, MEASURE_AT_MOST };

/* One row of the table. The goal is about the ratio value / reference, or about the value where there is no reference.
 * All text is borrowed until return. */
struct measure_row {
    const char *row; /* its name, for those who compare files: "verify-unknown-token" */
    const char *what;
    const char *against; /* NULL: nothing */
    const char *unit;
    double value;
    double reference; /* 0: none */
    enum measure_goal goal;
    double limit;    /* of the goal */
    json_t *context; /* an object of further figures, transferred; NULL: none */
};

/* Prints to stdout. */
void measure_print_row(const struct measure_row *row);

/* Prints a point of a plot, "concurrency" or "pending". `members` is an object of figures, transferred. */
void measure_print_point(const char *plot, json_t *members);

#endif
