/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mfa_service.h"

#define NOW_MS 86399977

/* Two chains, of two and of one. */
struct scene {
    struct mfa_endpoint first, fallback, other;
    struct mfa_services *services;
    struct mfa_service *service; /* of `first` */
    atomic_size_t in_flight;
};

static int setup(void **state)
{
    static const struct mfa_host_port no_host;
    static const struct mfa_gateway_port no_gateway;
    struct scene *scene = calloc(1, sizeof *scene);
    const struct mfa_endpoint *endpoints[3] = {NULL};

    assert_non_null(scene);
    scene->first.fallback = &scene->fallback;
    endpoints[0] = &scene->first;
    endpoints[2] = &scene->other;
    assert_int_equal(mfa_services_new(&scene->services, &no_host, &no_gateway, &scene->in_flight, endpoints, 3),
                     MFA_OK);
    scene->service = mfa_services_find(scene->services, &scene->first);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    mfa_services_free(scene->services);
    free(scene);
    return 0;
}

static bool is_up(struct scene *scene, uint64_t now_ms)
{
    return mfa_service_is_worth_trying(scene->services, scene->service, now_ms);
}

static void fail_times(struct scene *scene, unsigned times, uint64_t now_ms)
{
    for (unsigned i = 0; i < times; i++)
        mfa_service_note(scene->services, scene->service, true, now_ms);
}

static void succeed(struct scene *scene, uint64_t now_ms)
{
    mfa_service_note(scene->services, scene->service, false, now_ms);
}

static void each_endpoint_and_fallback_is_a_service_of_its_own(void **state)
{
    struct scene *scene = *state;
    struct mfa_service *fallback = mfa_services_find(scene->services, &scene->fallback);
    struct mfa_service *other = mfa_services_find(scene->services, &scene->other);

    assert_int_equal(scene->services->count, 3);
    assert_ptr_equal(scene->service->endpoint, &scene->first);
    assert_ptr_equal(fallback->endpoint, &scene->fallback);
    assert_ptr_equal(other->endpoint, &scene->other);
    fail_times(scene, 5, NOW_MS);
    assert_false(is_up(scene, NOW_MS));
    assert_true(mfa_service_is_worth_trying(scene->services, fallback, NOW_MS));
    assert_true(mfa_service_is_worth_trying(scene->services, other, NOW_MS));
}

static void a_service_is_down_after_five_failures(void **state)
{
    struct scene *scene = *state;

    assert_true(is_up(scene, NOW_MS));
    fail_times(scene, 4, NOW_MS);
    assert_true(is_up(scene, NOW_MS));
    fail_times(scene, 1, NOW_MS);
    assert_false(is_up(scene, NOW_MS));
}

static void only_failures_in_a_row_count(void **state)
{
    struct scene *scene = *state;

    fail_times(scene, 4, NOW_MS);
    succeed(scene, NOW_MS);
    fail_times(scene, 4, NOW_MS);
    assert_true(is_up(scene, NOW_MS));
}

static void it_is_tried_again_after_thirty_seconds(void **state)
{
    struct scene *scene = *state;

    fail_times(scene, 5, NOW_MS);
    assert_false(is_up(scene, NOW_MS + 29999));
    assert_true(is_up(scene, NOW_MS + 30000));
}

static void while_one_tries_the_others_pass_it_over(void **state)
{
    struct scene *scene = *state;

    fail_times(scene, 5, NOW_MS);
    assert_true(is_up(scene, NOW_MS + 40000));
    assert_false(is_up(scene, NOW_MS + 40000));
    assert_false(is_up(scene, NOW_MS + 69999));
    assert_true(is_up(scene, NOW_MS + 70000)); /* nothing was heard of that trial */
}

static void a_trial_that_succeeds_brings_it_back(void **state)
{
    struct scene *scene = *state;

    fail_times(scene, 5, NOW_MS);
    assert_true(is_up(scene, NOW_MS + 30000));
    succeed(scene, NOW_MS + 30100);
    assert_true(is_up(scene, NOW_MS + 30100));
    fail_times(scene, 4, NOW_MS + 30100);
    assert_true(is_up(scene, NOW_MS + 30100));
}

static void a_trial_that_fails_is_enough_for_another_thirty_seconds(void **state)
{
    struct scene *scene = *state;

    fail_times(scene, 5, NOW_MS);
    assert_true(is_up(scene, NOW_MS + 30000));
    fail_times(scene, 1, NOW_MS + 33000);
    assert_false(is_up(scene, NOW_MS + 62999));
    assert_true(is_up(scene, NOW_MS + 63000));
}

static void nothing_is_freed_of_nothing(void **state)
{
    (void)state;
    mfa_services_free(NULL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_endpoint_and_fallback_is_a_service_of_its_own),
        TEST(a_service_is_down_after_five_failures),
        TEST(only_failures_in_a_row_count),
        TEST(it_is_tried_again_after_thirty_seconds),
        TEST(while_one_tries_the_others_pass_it_over),
        TEST(a_trial_that_succeeds_brings_it_back),
        TEST(a_trial_that_fails_is_enough_for_another_thirty_seconds),
        cmocka_unit_test(nothing_is_freed_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
