/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double measure_now_s(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        abort();
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double measure_percentile(double *values, size_t count, double share)
{
    qsort(values, count, sizeof(*values), compare);
    size_t rank = (size_t)(share * (double)count);
    if ((double)rank < share * (double)count)
        rank++;
    return values[rank > 0 ? rank - 1 : 0];
}

struct measure_pair measure_in_turn(measure_fn *value, measure_fn *reference, void *context, size_t rounds)
{
    double values[MEASURE_ROUNDS_MAX], references[MEASURE_ROUNDS_MAX];

    if (rounds == 0 || rounds > MEASURE_ROUNDS_MAX)
        abort();
    (void)value(context);
    (void)reference(context);
    for (size_t i = 0; i < rounds; i++) {
        values[i] = value(context);
        references[i] = reference(context);
    }
    return (struct measure_pair){.value = measure_percentile(values, rounds, 0.5),
                                 .reference = measure_percentile(references, rounds, 0.5)};
}

/* `line` is transferred. */
static void print_line(json_t *line)
{
    if (!line || json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) != 0 || putchar('\n') == EOF ||
        fflush(stdout) != 0)
        abort();
    json_decref(line);
}

static json_t *goal_text(const struct measure_row *row)
{
    const char *unit = row->reference > 0 ? "" : row->unit;

    if (row->goal == MEASURE_REPORT)
        return json_string("report");
    return json_sprintf("at %s %g%s%s", row->goal == MEASURE_AT_LEAST ? "least" : "most", row->limit, *unit ? " " : "",
                        unit);
}

static json_t *verdict(const struct measure_row *row)
{
    double figure = row->reference > 0 ? row->value / row->reference : row->value;

    if (row->goal == MEASURE_REPORT)
        return json_null();
    return json_boolean(row->goal == MEASURE_AT_LEAST ? figure >= row->limit : figure <= row->limit);
}

void measure_print_row(const struct measure_row *row)
{
    bool has_reference = row->reference > 0;

    print_line(json_pack("{s:s, s:s, s:s?, s:f, s:o, s:s, s:o, s:o, s:o, s:o*}", "row", row->row, "what", row->what,
                         "against", row->against, "value", row->value, "reference",
                         has_reference ? json_real(row->reference) : json_null(), "unit", row->unit, "ratio",
                         has_reference ? json_real(row->value / row->reference) : json_null(), "goal", goal_text(row),
                         "met", verdict(row), "context", row->context));
}

void measure_print_point(const char *plot, json_t *members)
{
    json_t *line = json_pack("{s:s}", "plot", plot);

    if (json_object_update_new(line, members) != 0) /* transferred */
        abort();
    print_line(line);
}
