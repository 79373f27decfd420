/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "fakes/flow_fixture.h"

static const struct fixture_input alices = {.body = "{}"};

static void assert_deactivated(const struct fake_completion *deactivated)
{
    assert_int_equal(deactivated->http.decision, MFA_ANSWER);
    assert_int_equal(deactivated->http.status, 200);
    assert_string_equal(deactivated->http.body.data, "{\"message\":\"MFA deactivated.\"}");
}

static void an_enrolment_is_removed_and_only_that_of_the_user(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    fixture_enrol(fixture, "bob");
    assert_deactivated(fixture_run(fixture, mfa_flow_deactivate, &alices));
    assert_false(fixture_is_enrolled(fixture, "alice"));
    assert_true(fixture_is_enrolled(fixture, "bob"));
    assert_int_equal(
        fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"})->http.decision,
        MFA_ALLOW);
}

static void it_says_the_same_when_there_was_none(void **state)
{
    assert_deactivated(fixture_run(*state, mfa_flow_deactivate, &alices));
    assert_deactivated(fixture_run(*state, mfa_flow_deactivate, &(struct fixture_input){0}));
}

static void an_unreadable_enrolment_can_be_removed(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    assert_deactivated(fixture_run(fixture, mfa_flow_deactivate, &alices));
    assert_false(fixture_is_enrolled(fixture, "alice"));
}

static void an_administrators_reset_answers_204(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *reset = NULL;

    fixture_enrol(fixture, "alice");
    for (int i = 0; i < 2; i++) {
        reset = fixture_run(fixture, mfa_flow_reset, &(struct fixture_input){0});
        assert_int_equal(reset->http.decision, MFA_ANSWER);
        assert_int_equal(reset->http.status, 204);
        assert_int_equal(reset->http.body.len, 0);
        assert_false(fixture_is_enrolled(fixture, "alice"));
    }
}

static void pending_logins_end_and_pending_activations_do_not(void **state)
{
    struct fixture *fixture = *state;
    char login[MFA_TOKEN_SIZE], login_code[MFA_CODE_SIZE], activation[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", login);
    fixture_right_code(fixture, login_code);
    fixture_activate(fixture, "alice", activation);
    fixture_right_code(fixture, code);
    assert_deactivated(fixture_run(fixture, mfa_flow_deactivate, &alices));
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 1);
    fixture_assert_bad_token(
        fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = login}, login_code));
    assert_int_equal(
        fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = activation}, code)->outcome,
        MFA_OUTCOME_ENROLLED);
}

static void a_failing_store_removes_nothing(void **state)
{
    static mfa_flow_step_fn *const both[] = {mfa_flow_deactivate, mfa_flow_reset};
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    for (size_t i = 0; i < 2; i++) {
        fixture->host.store_fails = true;
        fixture_assert_error(fixture_run(fixture, both[i], &alices), 500, "unexpected-error", NULL);
        fixture->host.store_fails = false;
        fixture->host.load_fails = true;
        fixture_assert_error(fixture_run(fixture, both[i], &alices), 500, "unexpected-error", NULL);
        fixture->host.load_fails = false;
        assert_true(fixture_is_enrolled(fixture, "alice"));
    }
}

static void a_conflict_is_tried_again(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    fixture->host.conflicts = 1;
    assert_deactivated(fixture_run(fixture, mfa_flow_deactivate, &alices));
    assert_false(fixture_is_enrolled(fixture, "alice"));
}

static void a_body_that_is_no_object_is_refused(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    fixture_assert_error(fixture_run(fixture, mfa_flow_deactivate, &(struct fixture_input){.body = "[]"}), 400,
                         "invalid-request-structure", NULL);
    assert_true(fixture_is_enrolled(fixture, "alice"));
}

static void a_cancelled_call_removes_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    fixture->host.is_cancelled = true;
    assert_int_equal(fixture_run(fixture, mfa_flow_deactivate, &alices)->http.decision, MFA_DENY);
    assert_true(fixture_is_enrolled(fixture, "alice"));
}

static void a_core_that_has_stopped_turns_requests_away(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *refused = NULL;

    fixture_enrol(fixture, "alice");
    mfa_core_stop(fixture->core);
    mfa_core_stop(fixture->core);
    refused = fixture_run(fixture, mfa_flow_deactivate, &alices);
    fixture_assert_error(refused, 503, "api-unavailable", NULL);
    assert_string_not_equal(refused->http.retry_after, "");
    assert_true(fixture_is_enrolled(fixture, "alice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(an_enrolment_is_removed_and_only_that_of_the_user),
        IN_SINGLE(it_says_the_same_when_there_was_none),
        IN_SINGLE(an_unreadable_enrolment_can_be_removed),
        IN_SINGLE(an_administrators_reset_answers_204),
        IN_BOTH(pending_logins_end_and_pending_activations_do_not),
        IN_SINGLE(a_failing_store_removes_nothing),
        IN_SINGLE(a_conflict_is_tried_again),
        IN_SINGLE(a_body_that_is_no_object_is_refused),
        IN_SINGLE(a_cancelled_call_removes_nothing),
        IN_SINGLE(a_core_that_has_stopped_turns_requests_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
