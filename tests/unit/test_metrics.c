/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "mfa_metrics.h"

static void a_flow_is_found_by_the_name_of_its_event(void **state)
{
    (void)state;
    for (uint32_t place = 0; mfa_metrics_flows[place] != NULL; place++) {
        char event[64];

        snprintf(event, sizeof event, "mfa.%s", mfa_metrics_flows[place]);
        assert_int_equal(mfa_metrics_flow(event), place);
    }
}

static void any_other_event_is_one_place(void **state)
{
    static const char *const events[] = {"",           "mfa",    "mfa.",        "mfa.verif", "mfa.verifyy",
                                         "MFA.verify", "verify", "gateway.send"};

    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        assert_string_equal(mfa_metrics_flows[mfa_metrics_flow(events[i])], "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_is_found_by_the_name_of_its_event),
        cmocka_unit_test(any_other_event_is_one_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
