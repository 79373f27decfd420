/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "fakes/flow_fixture.h"

#define STOP_AT_TWO "attempts:\n  maxConsecutive: 2\n"

static const struct fixture_input alices = {0};

static int setup(void **state)
{
    fixture_setup_single(state);
    fixture_restart(state, FIXTURE_SINGLE("", ""));
    return 0;
}

static const struct fake_completion *reset(struct fixture *fixture)
{
    return fixture_run(fixture, mfa_flow_reset, &alices);
}

static void assert_reset(const struct fake_completion *done)
{
    assert_int_equal(done->outcome, MFA_OUTCOME_RESET);
    assert_int_equal(done->http.decision, MFA_ANSWER);
    assert_int_equal(done->http.status, 204);
    assert_int_equal(done->http.body.len, 0);
}

static void assert_failed(const struct fake_completion *failed)
{
    fixture_assert_error(failed, 500, "unexpected-error", NULL);
}

static bool has_tally(struct fixture *fixture, const char *user_id)
{
    char *stored = fake_host_record(&fixture->host, MFA_RECORD_ATTEMPTS, user_id);
    bool is_there = stored != NULL;

    free(stored);
    return is_there;
}

struct login {
    char token[MFA_TOKEN_SIZE];
    char code[MFA_CODE_SIZE];
    char wrong[MFA_CODE_SIZE];
};

static struct login log_in(struct fixture *fixture, const char *user)
{
    struct login login;

    fixture_open_login(fixture, user, login.token);
    fixture_right_code(fixture, login.code);
    fixture_wrong_code(fixture, login.wrong);
    return login;
}

static const struct fake_completion *verify(struct fixture *fixture, const char *user, const char *token,
                                            const char *code)
{
    return fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.user = user, .token = token}, code);
}

/* An enrolled user with a pending login, who has failed so often. */
static struct login failed_times(struct fixture *fixture, const char *user, int count)
{
    struct login login;

    fixture_enrol(fixture, user);
    login = log_in(fixture, user);
    for (int i = 0; i < count; i++)
        assert_int_equal(verify(fixture, user, login.token, login.wrong)->outcome, MFA_OUTCOME_WRONG_CODE);
    return login;
}

static enum mfa_outcome begin_login(struct fixture *fixture, const char *user)
{
    return fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.user = user, .grant = "grant"})->outcome;
}

static void the_enrolment_is_gone_and_the_next_login_goes_through(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    assert_reset(reset(fixture));
    assert_false(fixture_is_enrolled(fixture, "alice"));
    assert_int_equal(begin_login(fixture, "alice"), MFA_OUTCOME_ALLOWED);
}

static void it_says_the_same_when_there_was_nothing(void **state)
{
    assert_reset(reset(*state));
    assert_reset(reset(*state));
}

static void a_pending_login_ends(void **state)
{
    struct fixture *fixture = *state;
    struct login login = failed_times(fixture, "alice", 0);

    assert_reset(reset(fixture));
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
    fixture_assert_bad_token(verify(fixture, "alice", login.token, login.code));
}

static void all_failures_are_forgotten_with_their_delay(void **state)
{
    struct fixture *fixture = *state;
    struct login login = failed_times(fixture, "alice", 4);

    assert_int_equal(verify(fixture, "alice", login.token, login.code)->outcome, MFA_OUTCOME_THROTTLED);
    assert_reset(reset(fixture));
    assert_false(has_tally(fixture, "id-alice"));
    login = failed_times(fixture, "alice", 3);
    assert_int_equal(verify(fixture, "alice", login.token, login.code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void a_factor_that_has_stopped_works_again(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", STOP_AT_TWO));
    struct login login = failed_times(fixture, "alice", 2);

    assert_int_equal(begin_login(fixture, "alice"), MFA_OUTCOME_STOPPED);
    assert_reset(reset(fixture));
    login = failed_times(fixture, "alice", 0);
    assert_int_equal(verify(fixture, "alice", login.token, login.code)->outcome, MFA_OUTCOME_VERIFIED);
}

/* Stopped in a process that is no more: here nobody has tried yet. */
static void failures_from_before_a_restart_are_forgotten_too(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", STOP_AT_TWO));
    struct login login = failed_times(fixture, "alice", 2);

    fixture_restart_core(fixture, FIXTURE_SINGLE("", STOP_AT_TWO));
    assert_reset(reset(fixture));
    fixture_restart_core(fixture, FIXTURE_SINGLE("", STOP_AT_TWO));
    login = failed_times(fixture, "alice", 0);
    assert_int_equal(verify(fixture, "alice", login.token, login.code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void other_users_keep_everything(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", STOP_AT_TWO));
    struct login login = failed_times(fixture, "bob", 1);

    fixture_enrol(fixture, "alice");
    assert_reset(reset(fixture));
    assert_true(fixture_is_enrolled(fixture, "bob"));
    assert_true(has_tally(fixture, "id-bob"));
    assert_int_equal(verify(fixture, "bob", login.token, login.wrong)->outcome, MFA_OUTCOME_WRONG_CODE);
    assert_int_equal(begin_login(fixture, "bob"), MFA_OUTCOME_STOPPED);
}

static void what_cannot_be_read_is_cleared_as_well(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    fake_host_set_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice", "garbage");
    assert_reset(reset(fixture));
    assert_false(fixture_is_enrolled(fixture, "alice"));
    assert_false(has_tally(fixture, "id-alice"));
    fixture_enrol(fixture, "alice");
}

static void conflicts_are_tried_again(void **state)
{
    struct fixture *fixture = *state;

    failed_times(fixture, "alice", 1);
    fixture->host.conflicts = 3;
    assert_reset(reset(fixture));
    assert_false(fixture_is_enrolled(fixture, "alice"));
    assert_false(has_tally(fixture, "id-alice"));
}

static void a_failing_storage_leaves_all_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    bool *const failures[] = {&fixture->host.load_fails, &fixture->host.store_fails};
    struct login login = failed_times(fixture, "alice", 4);

    for (size_t i = 0; i < 2; i++) {
        *failures[i] = true;
        assert_failed(reset(fixture));
        *failures[i] = false;
        assert_true(fixture_is_enrolled(fixture, "alice"));
        assert_true(has_tally(fixture, "id-alice"));
        assert_int_equal(verify(fixture, "alice", login.token, login.code)->outcome, MFA_OUTCOME_THROTTLED);
    }
    fake_host_advance(&fixture->host, 2000);
    assert_int_equal(verify(fixture, "alice", login.token, login.code)->outcome, MFA_OUTCOME_VERIFIED);
}

static enum mfa_status store_no_attempts(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                                         const char *data, size_t len)
{
    if (record == MFA_RECORD_ATTEMPTS)
        return MFA_ERR_INTERNAL;
    return fake_host_port(ctx).profile_store(ctx, record, user_id, expected, data, len);
}

/* Half a reset is no success, and the factor is no easier to guess by it; the second one does the rest. */
static void failures_that_cannot_be_removed_are_told_and_still_count(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", STOP_AT_TWO));
    struct mfa_host_port *host = &fixture->core->host;

    failed_times(fixture, "alice", 2);
    host->profile_store = store_no_attempts;
    assert_failed(reset(fixture));
    assert_int_equal(
        fixture_run(fixture, mfa_flow_activate, &(struct fixture_input){.body = FIXTURE_SINGLE_DATA})->outcome,
        MFA_OUTCOME_STOPPED);
    *host = fake_host_port(&fixture->host);
    assert_reset(reset(fixture));
    fixture_enrol(fixture, "alice");
}

static struct fixture *impatient;

static enum mfa_status store_while_the_user_tries(void *ctx, enum mfa_record record, const char *user_id,
                                                  uint64_t expected, const char *data, size_t len)
{
    if (record == MFA_RECORD_ATTEMPTS)
        fixture_run(impatient, mfa_flow_activate, &(struct fixture_input){.body = FIXTURE_SINGLE_DATA});
    return fake_host_port(ctx).profile_store(ctx, record, user_id, expected, data, len);
}

/* Whoever is on the phone with the administrator goes on trying. */
static void a_try_in_the_middle_of_it_brings_no_failures_back(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", STOP_AT_TWO));

    failed_times(fixture, "alice", 2);
    impatient = fixture;
    fixture->core->host.profile_store = store_while_the_user_tries;
    assert_reset(reset(fixture));
    fixture->core->host.profile_store = fake_host_port(&fixture->host).profile_store;
    fixture_enrol(fixture, "alice");
}

static void when_nobody_waits_any_more_nothing_is_reset(void **state)
{
    struct fixture *fixture = *state;

    fixture_enrol(fixture, "alice");
    fixture->host.is_cancelled = true;
    assert_int_equal(reset(fixture)->http.decision, MFA_DENY);
    assert_true(fixture_is_enrolled(fixture, "alice"));
}

static void where_nothing_is_throttled_what_is_stored_goes_all_the_same(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", FIXTURE_NO_THROTTLING));

    fake_host_set_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice",
                         "{\"consecutive\":100,\"recent\":9,\"lastAt\":1700000000}");
    assert_reset(reset(fixture));
    assert_false(has_tally(fixture, "id-alice"));
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(the_enrolment_is_gone_and_the_next_login_goes_through),
        IN_FIXTURE(it_says_the_same_when_there_was_nothing),
        IN_FIXTURE(a_pending_login_ends),
        IN_FIXTURE(all_failures_are_forgotten_with_their_delay),
        IN_FIXTURE(a_factor_that_has_stopped_works_again),
        IN_FIXTURE(failures_from_before_a_restart_are_forgotten_too),
        IN_FIXTURE(other_users_keep_everything),
        IN_FIXTURE(what_cannot_be_read_is_cleared_as_well),
        IN_FIXTURE(conflicts_are_tried_again),
        IN_FIXTURE(a_failing_storage_leaves_all_as_it_was),
        IN_FIXTURE(failures_that_cannot_be_removed_are_told_and_still_count),
        IN_FIXTURE(a_try_in_the_middle_of_it_brings_no_failures_back),
        IN_FIXTURE(when_nobody_waits_any_more_nothing_is_reset),
        IN_FIXTURE(where_nothing_is_throttled_what_is_stored_goes_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
