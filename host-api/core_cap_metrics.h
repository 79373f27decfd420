/* SPDX-License-Identifier: Apache-2.0
 *
 * core_cap_metrics.h: the capability "core.metrics/1", numbers for whoever watches the host. The conventions of
 * core_plugin.h hold here too.
 *
 * A metric is defined at create, with every value that each of its labels can have; recording names them by their place in
 * those lists. What is recorded can so never grow in number, and never hold a user, an address or anything else that a
 * client chooses. A host shows each series of a counter from the definition on, with 0: of one that begins with 1 nobody
 * sees that it has grown.
 *
 * Rationale: a function that took label texts would let a plugin make a series of each user, which is a leak and, in the
 * system that collects the numbers, an outage.
 */
#ifndef CORE_CAP_METRICS_H
#define CORE_CAP_METRICS_H

#include "core_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CORE_CAP_METRICS_ID "core.metrics/1"

#define CORE_METRIC_MAX_LABELS 4
#define CORE_METRIC_MAX_BUCKETS 32
/* Most combinations of label values of one metric. */
#define CORE_METRIC_MAX_SERIES 4096

/* What recording a number does. */
#define CORE_METRIC_COUNTER 1   /* adds it; it is not negative */
#define CORE_METRIC_GAUGE 2     /* puts it in the place of the one before */
#define CORE_METRIC_HISTOGRAM 3 /* counts it in the bucket it falls into; it is not negative */

/* A label and all the values it can have. */
struct core_metric_label {
    const char *name;          /* [a-z_][a-z0-9_]*, once in a metric; not "le" in a histogram, whose buckets have it */
    const char *const *values; /* ends with NULL; at least one */
};

struct core_metric {
    uint32_t struct_size;
    uint32_t kind;
    const char *name; /* [a-z_][a-z0-9_]*, unique in the host, whose own begin with host_: begin it with the plugin's */
    const char *help; /* one sentence */
    const struct core_metric_label *labels;
    const int64_t *buckets; /* of a histogram: upper bounds, ascending */
    uint32_t label_count;
    uint32_t bucket_count;
    int64_t unit; /* what is recorded is shown divided by this: 1000 for milliseconds shown as seconds. At least 1 */
};

/* Defines a metric.
 * Returns    CORE_OK: `*id` names it for core_metric_record_fn;
 *            CORE_ERR_ARGUMENT: the definition is not as described, or the name is taken;
 *            CORE_ERR_MEMORY.
 * Ownership  `metric` and what it points to are borrowed until return.
 * Threads    [create]
 * Since      1.0 */
typedef core_status core_metric_define_fn(const struct core_host *host, const struct core_metric *metric, uint64_t *id);

/* Records one number. Never waits. What does not fit the definition is ignored.
 * `label_values`  the place of each label's value in its list, as many as the metric has labels.
 * Ownership  `label_values` is borrowed until return.
 * Threads    [any thread]
 * Since      1.0 */
typedef void core_metric_record_fn(const struct core_host *host, uint64_t id, const uint32_t *label_values,
                                   int64_t number);

/* The capability; *static*. The functions take the host that it was asked of. */
struct core_cap_metrics {
    uint32_t struct_size;
    uint32_t reserved;
    core_metric_define_fn *define;
    core_metric_record_fn *record;
};

/* Looks the capability up.
 * Returns    the table, complete; NULL: this host does not offer it, or not all of it.
 * Ownership  the result is static.
 * Threads    [create]
 * Since      1.0 */
static inline const struct core_cap_metrics *core_cap_metrics_of(const struct core_host *host)
{
    const struct core_cap_metrics *metrics = NULL;

    if (CORE_HAS(host, capability) && host->capability != NULL)
        metrics = (const struct core_cap_metrics *)host->capability(host, CORE_CAP_METRICS_ID);
    return metrics != NULL && CORE_HAS(metrics, record) && metrics->define != NULL && metrics->record != NULL ? metrics
                                                                                                              : NULL;
}

#ifdef __cplusplus
}
#endif

#endif
