/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "fakes/flow_fixture.h"
#include <cmocka.h>

static void assert_status(struct fixture *fixture, const char *body)
{
    const struct fake_completion *status = fixture_run(fixture, mfa_flow_status, &(struct fixture_input){0});

    assert_int_equal(status->http.decision, MFA_ANSWER);
    assert_int_equal(status->http.status, 200);
    assert_string_equal(status->http.body.data, body);
}

static void a_user_without_mfa_is_not_active(void **state)
{
    assert_status(*state, "{\"active\":false,\"mode\":\"single\",\"hint\":null,\"recoveryCodesRemaining\":0,"
                          "\"confirmedAt\":null}");
}

static void an_enrolled_user_is_active(void **state)
{
    fixture_enrol(*state, "alice");
    assert_status(*state, "{\"active\":true,\"mode\":\"challenge-verify\",\"hint\":\"+41 ** *** 12 12\","
                          "\"recoveryCodesRemaining\":10,\"confirmedAt\":1700000000.123}");
}

static void an_activation_does_not_make_active(void **state)
{
    char token[MFA_TOKEN_SIZE];

    fixture_activate(*state, "alice", token);
    a_user_without_mfa_is_not_active(state);
}

static void an_enrolment_of_other_software_is_active_since_nobody_knows_when(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":{\"number\":\"41791231231\"},\"recoveryCodes\":[\"a\",\"b\"]}");
    assert_status(fixture, "{\"active\":true,\"mode\":\"single\",\"hint\":\"+41 ** *** 12 31\","
                           "\"recoveryCodesRemaining\":2,\"confirmedAt\":null}");
}

static void what_cannot_be_read_is_neither(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    fixture_assert_error(fixture_run(fixture, mfa_flow_status, &(struct fixture_input){0}), 500, "unexpected-error",
                         NULL);
    fixture->host.load_fails = true;
    fixture_assert_error(fixture_run(fixture, mfa_flow_status, &(struct fixture_input){0}), 500, "unexpected-error",
                         NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(a_user_without_mfa_is_not_active),
        IN_CHALLENGE_VERIFY(an_enrolled_user_is_active),
        IN_SINGLE(an_activation_does_not_make_active),
        IN_SINGLE(an_enrolment_of_other_software_is_active_since_nobody_knows_when),
        IN_SINGLE(what_cannot_be_read_is_neither),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
