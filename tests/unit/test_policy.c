/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "mfa_policy.h"

static void the_defaults_are_those_of_the_policy(void **state)
{
    struct mfa_policy policy;

    (void)state;
    memset(&policy, 0xff, sizeof policy);
    mfa_policy_init(&policy);
    assert_int_equal(policy.session_ttl_s, 1800);
    assert_int_equal(policy.max_pending, 100000);
    assert_int_equal(policy.max_pending_per_user, 10);
    assert_int_equal(policy.code_length, 6);
    assert_int_equal(policy.code_ttl_s, 600);
    assert_int_equal(policy.accept_previous_codes, 1);
    assert_int_equal(policy.attempts_per_session, 5);
    assert_int_equal(policy.resend_interval_s, 30);
    assert_int_equal(policy.sends_per_user_hour, 10);
    assert_int_equal(policy.sends_per_destination_day, 20);
    assert_int_equal(policy.sends_per_day, 0);
    assert_int_equal(policy.gateway_max_in_flight, 4000);
    assert_int_equal(policy.gateway_max_per_host, 512);
}

static void every_member_has_exactly_one_limit(void **state)
{
    bool is_set[sizeof(struct mfa_policy) / sizeof(uint32_t)] = {false};

    (void)state;
    assert_int_equal(mfa_policy_limit_count, sizeof is_set / sizeof is_set[0]);
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        const size_t member = mfa_policy_limits[i].offset / sizeof(uint32_t);

        assert_in_range(member, 0, mfa_policy_limit_count - 1);
        assert_false(is_set[member]);
        is_set[member] = true;
    }
}

static void every_default_is_within_its_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        assert_in_range(mfa_policy_limits[i].fallback, mfa_policy_limits[i].min, mfa_policy_limits[i].max);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(mfa_policy_limits[i].key, mfa_policy_limits[j].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_policy),
        cmocka_unit_test(every_member_has_exactly_one_limit),
        cmocka_unit_test(every_default_is_within_its_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
