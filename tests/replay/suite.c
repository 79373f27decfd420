/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "replay.h"

void suite_init(struct suite *suite)
{
    *suite = (struct suite){0};
    recordings_load(&suite->recordings);
}

void suite_clear(struct suite *suite)
{
    for (size_t i = 0; i < suite->count; i++) {
        free((char *)(uintptr_t)suite->tests[i].name);
        free(suite->tests[i].initial_state);
    }
    free(suite->tests);
    recordings_clear(&suite->recordings);
    *suite = (struct suite){0};
}

void suite_add(struct suite *suite, CMUnitTestFunction test, const struct subject *subject, const char *name)
{
    struct subject *state = malloc(sizeof *state);
    struct CMUnitTest *longer = realloc(suite->tests, (suite->count + 1) * sizeof *longer);
    char *whole_name = NULL;

    assert_non_null(state);
    assert_non_null(longer);
    assert_true(asprintf(&whole_name, "%s/%s/%s", subject->recording->name, subject->call, name) > 0);
    *state = *subject;
    suite->tests = longer;
    suite->tests[suite->count++] =
        (struct CMUnitTest){.name = whole_name, .test_func = test, .initial_state = state}; /* both transferred */
}

int suite_run(const struct suite *suite, const char *name)
{
    return _cmocka_run_group_tests(name, suite->tests, suite->count, replay_setup, replay_teardown);
}
