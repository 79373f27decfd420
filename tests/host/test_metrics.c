/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

static const char *const colours[] = {"red", "gr\"een", NULL};
static const char *const sizes[] = {"s", "m", "l", NULL};
static const struct core_metric_label labels[] = {{"colour", colours}, {"size", sizes}};
static const int64_t buckets[] = {10, 250};

static struct core_metric metric_of(uint32_t kind, const char *name)
{
    return (struct core_metric){
        .struct_size = sizeof(struct core_metric), .kind = kind, .name = name, .help = "Things.", .unit = 1};
}

static int make(void **state)
{
    *state = metrics_new();
    return *state ? 0 : -1;
}

static int drop(void **state)
{
    metrics_free(*state);
    return 0;
}

static uint64_t define(struct metrics *metrics, const struct core_metric *metric)
{
    uint64_t id = 0;

    assert_int_equal(metrics_define(metrics, metric, &id), CORE_OK);
    return id;
}

static void expect_text(struct metrics *metrics, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    metrics_write(metrics, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void a_counter_adds_up_by_its_labels(void **state)
{
    struct core_metric metric = metric_of(CORE_METRIC_COUNTER, "things_total");
    uint64_t id;

    metric.labels = labels;
    metric.label_count = 2;
    id = define(*state, &metric);
    metrics_record(*state, id, (const uint32_t[]){0, 2}, 1);
    metrics_record(*state, id, (const uint32_t[]){0, 2}, 2);
    metrics_record(*state, id, (const uint32_t[]){1, 0}, 5);
    expect_text(*state, "# HELP things_total Things.\n# TYPE things_total counter\n"
                        "things_total{colour=\"red\",size=\"s\"} 0\n"
                        "things_total{colour=\"red\",size=\"m\"} 0\n"
                        "things_total{colour=\"red\",size=\"l\"} 3\n"
                        "things_total{colour=\"gr\\\"een\",size=\"s\"} 5\n"
                        "things_total{colour=\"gr\\\"een\",size=\"m\"} 0\n"
                        "things_total{colour=\"gr\\\"een\",size=\"l\"} 0\n");
}

static void a_gauge_says_the_last(void **state)
{
    const struct core_metric metric = metric_of(CORE_METRIC_GAUGE, "depth");
    uint64_t id = define(*state, &metric);

    expect_text(*state, "# HELP depth Things.\n# TYPE depth gauge\ndepth 0\n");
    metrics_record(*state, id, NULL, 7);
    metrics_record(*state, id, NULL, -2);
    expect_text(*state, "# HELP depth Things.\n# TYPE depth gauge\ndepth -2\n");
}

static void a_histogram_counts_in_buckets_and_in_its_unit(void **state)
{
    struct core_metric metric = metric_of(CORE_METRIC_HISTOGRAM, "time_seconds");
    uint64_t id;

    metric.buckets = buckets;
    metric.bucket_count = 2;
    metric.unit = 1000;
    id = define(*state, &metric);
    metrics_record(*state, id, NULL, 10);
    metrics_record(*state, id, NULL, 11);
    metrics_record(*state, id, NULL, 251);
    expect_text(*state, "# HELP time_seconds Things.\n# TYPE time_seconds histogram\n"
                        "time_seconds_bucket{le=\"0.01\"} 1\ntime_seconds_bucket{le=\"0.25\"} 2\n"
                        "time_seconds_bucket{le=\"+Inf\"} 3\ntime_seconds_sum 0.27200000000000002\n"
                        "time_seconds_count 3\n");
}

static void what_does_not_fit_is_ignored(void **state)
{
    struct core_metric metric = metric_of(CORE_METRIC_COUNTER, "things_total");
    uint64_t id;

    metric.labels = labels;
    metric.label_count = 1;
    id = define(*state, &metric);
    metrics_record(*state, id, (const uint32_t[]){2}, 1);
    metrics_record(*state, id, (const uint32_t[]){0}, -1);
    metrics_record(*state, id, NULL, 1);
    metrics_record(*state, id + 1, NULL, 1);
    metrics_record(*state, 0, NULL, 1);
    expect_text(*state, "# HELP things_total Things.\n# TYPE things_total counter\n"
                        "things_total{colour=\"red\"} 0\nthings_total{colour=\"gr\\\"een\"} 0\n");
}

static void a_gauge_is_shown_from_its_first_number_on(void **state)
{
    struct core_metric metric = metric_of(CORE_METRIC_GAUGE, "depth");
    uint64_t id;

    metric.labels = labels;
    metric.label_count = 1;
    id = define(*state, &metric);
    metrics_record(*state, id, (const uint32_t[]){0}, 7);
    expect_text(*state, "# HELP depth Things.\n# TYPE depth gauge\ndepth{colour=\"red\"} 7\n");
}

static void a_definition_that_is_not_as_described_is_refused(void **state)
{
    static const int64_t descending[] = {2, 1};
    static const struct core_metric_label nameless[] = {{"A", colours}};
    static const struct core_metric_label valueless[] = {{"a", NULL}};
    static const struct core_metric_label twice[] = {{"a", colours}, {"b", sizes}, {"a", sizes}};
    static const struct core_metric_label bound[] = {{"le", colours}};
    const struct core_metric good = metric_of(CORE_METRIC_COUNTER, "a");
    struct core_metric bad[15];
    uint64_t id = 1;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        bad[i] = good;
    bad[0].struct_size--;
    bad[1].kind = 0;
    bad[2].kind = CORE_METRIC_HISTOGRAM + 1;
    bad[3].name = "9";
    bad[4].name = "a-b";
    bad[5].help = NULL;
    bad[6].help = "two\nlines";
    bad[7].unit = 0;
    bad[8].label_count = 1;
    bad[9] = metric_of(CORE_METRIC_HISTOGRAM, "a");
    bad[9].buckets = descending;
    bad[9].bucket_count = 2;
    bad[10].labels = nameless;
    bad[10].label_count = 1;
    bad[11].labels = valueless;
    bad[11].label_count = 1;
    bad[12].labels = twice;
    bad[12].label_count = 3;
    bad[13] = metric_of(CORE_METRIC_HISTOGRAM, "a");
    bad[13].buckets = buckets;
    bad[13].bucket_count = 2;
    bad[13].labels = bound;
    bad[13].label_count = 1;
    bad[14].name = "host_open_calls";
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (metrics_define(*state, &bad[i], &id) != CORE_ERR_ARGUMENT)
            fail_msg("definition %zu was taken", i);
        assert_int_equal(id, 0);
    }
    define(*state, &good);
    assert_int_equal(metrics_define(*state, &good, &id), CORE_ERR_ARGUMENT); /* the name is taken */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_counter_adds_up_by_its_labels, make, drop),
        cmocka_unit_test_setup_teardown(a_gauge_says_the_last, make, drop),
        cmocka_unit_test_setup_teardown(a_gauge_is_shown_from_its_first_number_on, make, drop),
        cmocka_unit_test_setup_teardown(a_histogram_counts_in_buckets_and_in_its_unit, make, drop),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_ignored, make, drop),
        cmocka_unit_test_setup_teardown(a_definition_that_is_not_as_described_is_refused, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
