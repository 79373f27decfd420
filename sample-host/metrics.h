/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.h: the numbers that plugins record (core_cap_metrics.h), and their text.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "core_cap_metrics.h"

struct metrics;

/* NULL: no memory. Released with metrics_free. */
struct metrics *metrics_new(void);

/* Accepts NULL. */
void metrics_free(struct metrics *metrics);

/* As core_metric_define_fn. Not to be called at the same time as any of the others. */
core_status metrics_define(struct metrics *metrics, const struct core_metric *metric, uint64_t *id);

/* As core_metric_record_fn. Any thread. */
void metrics_record(struct metrics *metrics, uint64_t id, const uint32_t *label_values, int64_t number);

/* Writes all of them in Prometheus' text format, version 0.0.4. Counters are there from the start; of others with
 * labels the series that nothing was recorded of are left out. Any thread. */
void metrics_write(struct metrics *metrics, FILE *out);

#endif
