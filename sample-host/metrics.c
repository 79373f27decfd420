/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_METRICS 256
#define OWN_PREFIX "host_" /* of what the host counts itself */

struct label {
    char *name;
    char **values;
    uint32_t value_count;
};

/* A number of each series; of a histogram one for each bucket, for what is above them all, and for the sum. */
struct metric {
    uint32_t kind;
    char *name;
    char *help;
    struct label labels[CORE_METRIC_MAX_LABELS];
    uint32_t label_count;
    int64_t buckets[CORE_METRIC_MAX_BUCKETS];
    uint32_t bucket_count;
    int64_t unit;
    size_t series_count;
    size_t cells; /* of one series */
    atomic_int_fast64_t *numbers;
    atomic_bool *is_used; /* one of each series */
};

struct metrics {
    struct metric *list[MAX_METRICS];
    size_t count;
};

struct metrics *metrics_new(void)
{
    return calloc(1, sizeof(struct metrics));
}

static void metric_free(struct metric *metric)
{
    for (uint32_t i = 0; i < metric->label_count; i++) {
        for (uint32_t j = 0; j < metric->labels[i].value_count; j++)
            free(metric->labels[i].values[j]);
        free(metric->labels[i].values);
        free(metric->labels[i].name);
    }
    free(metric->numbers);
    free(metric->is_used);
    free(metric->name);
    free(metric->help);
    free(metric);
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < metrics->count; i++)
        metric_free(metrics->list[i]);
    free(metrics);
}

/* --- Defining ------------------------------------------------------------------------------------------------------ */

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";

    return name && *name && strchr(letters, *name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name);
}

static bool is_taken(const struct metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->list[i]->name, name) == 0)
            return true;
    return false;
}

/* `le` is the label that a histogram's buckets have of themselves. */
static bool has_good_labels(const struct core_metric *metric)
{
    if (metric->label_count > CORE_METRIC_MAX_LABELS || (metric->label_count > 0 && !metric->labels))
        return false;
    for (uint32_t i = 0; i < metric->label_count; i++) {
        const char *name = metric->labels[i].name;

        if (!is_name(name) || (metric->kind == CORE_METRIC_HISTOGRAM && strcmp(name, "le") == 0))
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(metric->labels[j].name, name) == 0)
                return false;
    }
    return true;
}

static uint32_t count_values(const struct core_metric_label *label)
{
    uint32_t count = 0;

    while (label->values && label->values[count] && count < CORE_METRIC_MAX_SERIES)
        count++;
    return count;
}

/* How many series the labels make; 0: one has no values, or they make too many. */
static size_t count_series(const struct core_metric *metric)
{
    size_t count = 1;

    for (uint32_t i = 0; i < metric->label_count; i++) {
        count *= count_values(&metric->labels[i]);
        if (count > CORE_METRIC_MAX_SERIES)
            return 0;
    }
    return count;
}

static bool has_good_buckets(const struct core_metric *metric)
{
    if (metric->kind != CORE_METRIC_HISTOGRAM)
        return metric->bucket_count == 0;
    if (!metric->buckets || metric->bucket_count == 0 || metric->bucket_count > CORE_METRIC_MAX_BUCKETS)
        return false;
    for (uint32_t i = 1; i < metric->bucket_count; i++)
        if (metric->buckets[i] <= metric->buckets[i - 1])
            return false;
    return true;
}

static bool is_as_described(const struct metrics *metrics, const struct core_metric *metric)
{
    return metric && metric->struct_size >= sizeof(*metric) && metric->kind >= CORE_METRIC_COUNTER &&
           metric->kind <= CORE_METRIC_HISTOGRAM && is_name(metric->name) &&
           strncmp(metric->name, OWN_PREFIX, strlen(OWN_PREFIX)) != 0 && metric->help &&
           !strpbrk(metric->help, "\\\n") && metric->unit >= 1 && has_good_buckets(metric) && has_good_labels(metric) &&
           count_series(metric) > 0 && metrics->count < MAX_METRICS && !is_taken(metrics, metric->name);
}

static bool copy_label(struct metric *to, const struct core_metric_label *from)
{
    struct label *label = &to->labels[to->label_count++];

    label->name = strdup(from->name);
    label->values = calloc(count_values(from), sizeof(*label->values));
    for (uint32_t i = 0; label->values && i < count_values(from); i++) {
        label->values[i] = strdup(from->values[i]);
        if (!label->values[i])
            return false;
        label->value_count++;
    }
    return label->name && label->values;
}

static struct metric *copy(const struct core_metric *from)
{
    struct metric *to = calloc(1, sizeof(*to));
    bool is_whole = to != NULL;

    if (!to)
        return NULL;
    to->kind = from->kind;
    to->unit = from->unit;
    to->bucket_count = from->bucket_count;
    for (uint32_t i = 0; i < from->bucket_count; i++)
        to->buckets[i] = from->buckets[i];
    to->name = strdup(from->name);
    to->help = strdup(from->help);
    to->series_count = count_series(from);
    to->cells = from->kind == CORE_METRIC_HISTOGRAM ? from->bucket_count + 2u : 1;
    to->numbers = calloc(to->series_count * to->cells, sizeof(*to->numbers));
    to->is_used = calloc(to->series_count, sizeof(*to->is_used));
    for (uint32_t i = 0; i < from->label_count && is_whole; i++)
        is_whole = copy_label(to, &from->labels[i]);
    if (is_whole && to->name && to->help && to->numbers && to->is_used)
        return to;
    metric_free(to);
    return NULL;
}

core_status metrics_define(struct metrics *metrics, const struct core_metric *metric, uint64_t *id)
{
    struct metric *made = NULL;

    if (!id)
        return CORE_ERR_ARGUMENT;
    *id = 0;
    if (!is_as_described(metrics, metric))
        return CORE_ERR_ARGUMENT;
    made = copy(metric);
    if (!made)
        return CORE_ERR_MEMORY;
    metrics->list[metrics->count++] = made; /* transferred */
    *id = metrics->count;
    return CORE_OK;
}

/* --- Recording ------------------------------------------------------------------------------------------------------ */

/* The place of a series; series_count: there is none. */
static size_t series_of(const struct metric *metric, const uint32_t *label_values)
{
    size_t series = 0;

    if (metric->label_count > 0 && !label_values)
        return metric->series_count;
    for (uint32_t i = 0; i < metric->label_count; i++) {
        if (label_values[i] >= metric->labels[i].value_count)
            return metric->series_count;
        series = series * metric->labels[i].value_count + label_values[i];
    }
    return series;
}

static void observe(struct metric *metric, atomic_int_fast64_t *cells, int64_t number)
{
    uint32_t bucket = 0;

    while (bucket < metric->bucket_count && number > metric->buckets[bucket])
        bucket++;
    atomic_fetch_add_explicit(&cells[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cells[metric->bucket_count + 1], number, memory_order_relaxed);
}

void metrics_record(struct metrics *metrics, uint64_t id, const uint32_t *label_values, int64_t number)
{
    struct metric *metric = id > 0 && id <= metrics->count ? metrics->list[id - 1] : NULL;
    size_t series = metric ? series_of(metric, label_values) : 0;

    if (!metric || series == metric->series_count || (number < 0 && metric->kind != CORE_METRIC_GAUGE))
        return;
    atomic_store_explicit(&metric->is_used[series], true, memory_order_relaxed);
    if (metric->kind == CORE_METRIC_HISTOGRAM)
        observe(metric, &metric->numbers[series * metric->cells], number);
    else if (metric->kind == CORE_METRIC_GAUGE)
        atomic_store_explicit(&metric->numbers[series], number, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&metric->numbers[series], number, memory_order_relaxed);
}

/* --- Writing -------------------------------------------------------------------------------------------------------- */

static void write_escaped(FILE *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            (void)fputc('\\', out);
        (void)fputc(*value == '\n' ? ' ' : *value, out);
    }
}

/* Writes `{a="x",b="y",le="..."}`; `bound` may be NULL. */
static void write_labels(FILE *out, const struct metric *metric, size_t series, const char *bound)
{
    size_t rest = metric->series_count;
    const char *separator = "{";

    for (uint32_t i = 0; i < metric->label_count; i++) {
        const struct label *label = &metric->labels[i];

        rest /= label->value_count;
        (void)fprintf(out, "%s%s=\"", separator, label->name);
        write_escaped(out, label->values[series / rest % label->value_count]);
        (void)fputc('"', out);
        separator = ",";
    }
    if (bound)
        (void)fprintf(out, "%sle=\"%s\"", separator, bound);
    if (bound || metric->label_count > 0)
        (void)fputc('}', out);
}

static double shown(const struct metric *metric, int64_t number)
{
    return (double)number / (double)metric->unit;
}

static void write_histogram(FILE *out, struct metric *metric, size_t series)
{
    atomic_int_fast64_t *cells = &metric->numbers[series * metric->cells];
    int64_t count = 0;
    char bound[32];

    for (uint32_t i = 0; i <= metric->bucket_count; i++) {
        count += atomic_load_explicit(&cells[i], memory_order_relaxed);
        if (i < metric->bucket_count)
            (void)snprintf(bound, sizeof(bound), "%g", shown(metric, metric->buckets[i]));
        (void)fprintf(out, "%s_bucket", metric->name);
        write_labels(out, metric, series, i < metric->bucket_count ? bound : "+Inf");
        (void)fprintf(out, " %" PRId64 "\n", count);
    }
    (void)fprintf(out, "%s_sum", metric->name);
    write_labels(out, metric, series, NULL);
    (void)fprintf(out, " %.17g\n%s_count",
                  shown(metric, atomic_load_explicit(&cells[metric->bucket_count + 1], memory_order_relaxed)),
                  metric->name);
    write_labels(out, metric, series, NULL);
    (void)fprintf(out, " %" PRId64 "\n", count);
}

static void write_series(FILE *out, struct metric *metric, size_t series)
{
    if (metric->kind == CORE_METRIC_HISTOGRAM) {
        write_histogram(out, metric, series);
        return;
    }
    (void)fputs(metric->name, out);
    write_labels(out, metric, series, NULL);
    (void)fprintf(out, " %.17g\n", shown(metric, atomic_load_explicit(&metric->numbers[series], memory_order_relaxed)));
}

/* A counter counts from 0, so that what watches it sees the first event; of the others 0 would be a number nobody said. */
static bool is_shown(struct metric *metric, size_t series)
{
    return metric->kind == CORE_METRIC_COUNTER || metric->label_count == 0 ||
           atomic_load_explicit(&metric->is_used[series], memory_order_relaxed);
}

void metrics_write(struct metrics *metrics, FILE *out)
{
    static const char *const kinds[] = {
        [CORE_METRIC_COUNTER] = "counter", [CORE_METRIC_GAUGE] = "gauge", [CORE_METRIC_HISTOGRAM] = "histogram"};

    for (size_t i = 0; i < metrics->count; i++) {
        struct metric *metric = metrics->list[i];

        (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                      kinds[metric->kind]);
        for (size_t series = 0; series < metric->series_count; series++)
            if (is_shown(metric, series))
                write_series(out, metric, series);
    }
}
