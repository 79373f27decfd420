/* SPDX-License-Identifier: Apache-2.0
 *
 * Verify with a recovery code, where `recovery.mode` is `consume`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/flow_fixture.h"
#include "mfa_recovery.h"

#define CONSUME "recovery:\n  mode: consume\n"
#define STOP_AT_TWO "attempts:\n  maxConsecutive: 2\n"

#define CODE "0f8fad5b-d9cb-469f-a165-70867728950e"
#define OTHER_CODE "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define THIRD_CODE "11111111-2222-4333-8444-555555555555"
#define WRONG_CODE "0f8fad5b-d9cb-469f-a165-70867728950f"

/* As other software leaves it, in clear. */
#define LEGACY                                                                                                         \
    "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[\"" OTHER_CODE "\",\"" CODE "\",\"" THIRD_CODE "\"]}"

static int setup(void **state)
{
    struct fixture *fixture = NULL;

    fixture_setup_single(state);
    fixture = fixture_restart(state, FIXTURE_SINGLE("", CONSUME));
    fake_host_set_profile(&fixture->host, "id-alice", LEGACY);
    return 0;
}

static const struct fake_completion *verify_body(struct fixture *fixture, const char *token, const char *body)
{
    return fixture_run(fixture, mfa_flow_verify, &(struct fixture_input){.token = token, .body = body});
}

static const struct fake_completion *verify(struct fixture *fixture, const char *token, const char *recovery_code)
{
    char body[128];

    snprintf(body, sizeof body, "{\"recoveryCode\":\"%s\"}", recovery_code);
    return verify_body(fixture, token, body);
}

/* The same with a login of its own. */
static const struct fake_completion *log_in_with(struct fixture *fixture, const char *recovery_code)
{
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    return verify(fixture, token, recovery_code);
}

static void assert_verified(const struct fake_completion *verified)
{
    assert_int_equal(verified->outcome, MFA_OUTCOME_VERIFIED);
    assert_int_equal(verified->http.decision, MFA_RELEASE);
    assert_string_equal(verified->grant, "grant-alice");
}

static void assert_wrong(const struct fake_completion *refused)
{
    assert_int_equal(refused->outcome, MFA_OUTCOME_BAD_RECOVERY_CODE);
    fixture_assert_error(refused, 400, "invalid-parameters-format", "invalid-recovery-code");
}

static void assert_profile(struct fixture *fixture, const char *expected)
{
    char *stored = fake_host_profile(&fixture->host, "id-alice");

    assert_string_equal(stored, expected);
    free(stored);
}

/* Alice's stored recovery codes are these, in this order, hashed; and the user data are what they were. */
static void assert_left(struct fixture *fixture, const char *const *codes, size_t count)
{
    char *text = fake_host_profile(&fixture->host, "id-alice");
    json_t *root = json_loads(text, 0, NULL);
    json_t *user_data = json_loads(FIXTURE_SINGLE_DATA, 0, NULL);
    const json_t *list = json_object_get(root, "recoveryCodes");

    assert_true(json_equal(json_object_get(root, "content"), user_data));
    assert_int_equal(json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        char stored[MFA_RECOVERY_STORED_SIZE];
        mfa_recovery_hash(codes[i], stored);
        assert_string_equal(json_string_value(json_array_get(list, i)), stored);
        assert_null(strstr(text, codes[i]));
    }
    json_decref(user_data);
    json_decref(root);
    free(text);
}

static void a_code_in_clear_logs_in_and_the_rest_is_hashed_on_that_write(void **state)
{
    struct fixture *fixture = *state;

    assert_verified(log_in_with(fixture, CODE));
    assert_left(fixture, (const char *const[]){OTHER_CODE, THIRD_CODE}, 2);
    assert_int_equal(fixture->host.stores, 1);
    assert_int_equal(mfa_sessions_count(fixture->core->sessions), 0);
}

static void each_code_logs_in_once(void **state)
{
    static const char *const codes[] = {CODE, OTHER_CODE, THIRD_CODE};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 3; i++) {
        assert_verified(log_in_with(fixture, codes[i]));
        assert_wrong(log_in_with(fixture, codes[i]));
    }
    assert_left(fixture, codes, 0);
}

static void a_code_that_stands_there_twice_logs_in_once(void **state)
{
    struct fixture *fixture = *state;
    char stored[MFA_RECOVERY_STORED_SIZE], profile[512];

    mfa_recovery_hash(CODE, stored);
    snprintf(profile, sizeof profile,
             "{\"content\":%s,\"recoveryCodes\":[\"" CODE "\",\"" OTHER_CODE "\",\"" CODE
             "\",\"%s\",\"0F8FAD5B-D9CB-469F-A165-70867728950E\"]}",
             FIXTURE_SINGLE_DATA, stored);
    fake_host_set_profile(&fixture->host, "id-alice", profile);
    assert_verified(log_in_with(fixture, CODE));
    assert_wrong(log_in_with(fixture, CODE));
    assert_left(fixture, (const char *const[]){OTHER_CODE}, 1);
}

static void without_any_codes_left_the_factor_is_still_on(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[\"" CODE "\"]}");
    assert_verified(log_in_with(fixture, CODE));
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_verified(fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code));
}

static void a_code_handed_out_at_confirmation_logs_in_once(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    json_t *answer = NULL;
    const char *recovery_code = NULL;

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    answer = fixture_body(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code));
    recovery_code = json_string_value(json_array_get(json_object_get(answer, "recoveryCodes"), 4));
    assert_verified(log_in_with(fixture, recovery_code));
    assert_wrong(log_in_with(fixture, recovery_code));
    json_decref(answer);
}

static void upper_case_and_spaces_are_forgiven(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":" FIXTURE_SINGLE_DATA
                          ",\"recoveryCodes\":[\"0F8FAD5B-D9CB-469F-A165-70867728950E\",\" " OTHER_CODE " \"]}");
    assert_verified(log_in_with(fixture, CODE));
    assert_left(fixture, (const char *const[]){OTHER_CODE}, 1);
    assert_verified(log_in_with(fixture, " 7C9E6679-7425-40DE-944B-E07FC1F90AE7"));
}

/* Neither makes a code of what was none, nor loses one. */
static void entries_that_are_no_codes_stay_none(void **state)
{
    static const char *const none[] = {"", "null", "7", "nonsense"};
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[null,7,\"\",\"nonsense\",\"" CODE
                          "\",[\"" OTHER_CODE "\"],\"" THIRD_CODE "\"]}");
    assert_verified(log_in_with(fixture, CODE));
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_wrong(log_in_with(fixture, none[i]));
        fake_host_advance(&fixture->host, 300 * 1000);
    }
    assert_wrong(log_in_with(fixture, OTHER_CODE));
    fake_host_advance(&fixture->host, 300 * 1000);
    assert_verified(log_in_with(fixture, THIRD_CODE));
}

static void in_deactivate_mode_it_is_no_way_in(void **state)
{
    static const char *const modes[] = {"", "recovery:\n  mode: deactivate\n"};

    for (size_t i = 0; i < 2; i++) {
        char yaml[2048], token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
        struct fixture *fixture = NULL;
        const struct fake_completion *refused = NULL;

        snprintf(yaml, sizeof yaml, "%s%s", FIXTURE_SINGLE("", ""), modes[i]);
        fixture = fixture_restart(state, yaml);
        fake_host_set_profile(&fixture->host, "id-alice", LEGACY);
        fixture_open_login(fixture, "alice", token);
        fixture_right_code(fixture, code);
        refused = verify(fixture, token, CODE);
        fixture_assert_error(refused, 400, "invalid-parameters-format", NULL);
        assert_non_null(strstr(refused->http.body.data, "#/code"));
        assert_profile(fixture, LEGACY);
        assert_int_equal(fixture->host.stores, 0);
        assert_verified(fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code));
    }
}

static void a_service_is_not_asked(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_CHALLENGE_VERIFY(CONSUME));
    char token[MFA_TOKEN_SIZE];
    size_t asked = 0;

    fake_host_set_profile(&fixture->host, "id-alice", LEGACY);
    fixture_open_login(fixture, "alice", token);
    asked = fixture->gateway.count;
    assert_verified(verify(fixture, token, CODE));
    assert_int_equal(fixture->gateway.count, asked);
}

static void a_code_must_be_a_string_and_costs_nothing_otherwise(void **state)
{
    static const char *const bodies[] = {"{\"recoveryCode\":null}", "{\"recoveryCode\":7}",
                                         "{\"recoveryCode\":true}", "{\"recoveryCode\":[\"" CODE "\"]}",
                                         "{\"recoveryCode\":{}}",   "{\"code\":\"123456\",\"recoveryCode\":[]}"};
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const struct fake_completion *refused = verify_body(fixture, token, bodies[i]);
        fixture_assert_error(refused, 400, "invalid-parameters-format", NULL);
        assert_non_null(strstr(refused->http.body.data, "#/recoveryCode"));
    }
    assert_int_equal(fixture->host.stores, 0);
    assert_verified(verify(fixture, token, CODE));
}

static void a_wrong_code_uses_up_nothing_but_an_attempt(void **state)
{
    static const char *const wrong[] = {WRONG_CODE, "", "0f8fad5b", "nonsense"};
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];
    char *tally = NULL;

    fixture_open_login(fixture, "alice", token);
    for (size_t i = 0; i < 3; i++)
        assert_wrong(verify(fixture, token, wrong[i]));
    assert_profile(fixture, LEGACY);
    tally = fake_host_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice");
    assert_string_equal(tally, "{\"consecutive\":3,\"recent\":3,\"lastAt\":1700000000.123}");
    free(tally);
    assert_wrong(verify(fixture, token, wrong[3]));
    assert_int_equal(verify(fixture, token, CODE)->outcome, MFA_OUTCOME_THROTTLED);
    assert_profile(fixture, LEGACY);
    fake_host_advance(&fixture->host, 2000);
    assert_verified(verify(fixture, token, CODE));
    assert_null(fake_host_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice"));
}

static void the_fifth_wrong_code_ends_the_login(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_restart_core(fixture, FIXTURE_SINGLE("", CONSUME FIXTURE_NO_THROTTLING));
    fixture_open_login(fixture, "alice", token);
    for (int i = 0; i < 4; i++)
        assert_wrong(verify(fixture, token, WRONG_CODE));
    fixture_assert_error(verify(fixture, token, WRONG_CODE), 401, "invalid-access-token", "too-many-attempts");
    fixture_assert_bad_token(verify(fixture, token, CODE));
    assert_profile(fixture, LEGACY);
}

static void requests_that_nobody_waits_for_any_more_use_up_nothing(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    fixture->host.is_cancelled = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(verify(fixture, token, CODE)->http.decision, MFA_DENY);
    fixture->host.is_cancelled = false;
    assert_profile(fixture, LEGACY);
    assert_verified(verify(fixture, token, CODE));
}

/* Were it for a worker to say so, it would find that nobody waits. */
static void who_has_no_login_takes_no_workers_time(void **state)
{
    struct fixture *fixture = *state;

    fixture->host.is_cancelled = true;
    fixture_assert_bad_token(verify(fixture, "no-such-token", CODE));
}

static void another_users_code_is_wrong(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-bob",
                          "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[\"" WRONG_CODE "\"]}");
    assert_wrong(log_in_with(fixture, WRONG_CODE));
}

static void without_the_logins_token_it_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], activation[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    fixture_activate(fixture, "alice", activation);
    fixture_assert_error(verify(fixture, NULL, CODE), 400, "invalid-parameters-format", NULL);
    fixture_assert_bad_token(verify(fixture, "no-such-token", CODE));
    fixture_assert_bad_token(verify(fixture, activation, CODE));
    assert_profile(fixture, LEGACY);
    assert_verified(verify(fixture, token, CODE));
}

/* As when the session was opened on the stale profile after the change had dropped the others. */
static void it_is_no_good_for_an_enrolment_changed_behind_our_back(void **state)
{
    static const char *const changed[] = {NULL, "{\"content\":{\"number\":\"15555550199\"},\"recoveryCodes\":[\"" CODE
                                                "\"]}"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2; i++) {
        char token[MFA_TOKEN_SIZE];
        fake_host_set_profile(&fixture->host, "id-alice", LEGACY);
        fixture_open_login(fixture, "alice", token);
        fake_host_set_profile(&fixture->host, "id-alice", changed[i]);
        fixture_assert_bad_token(verify(fixture, token, CODE));
        fixture_assert_bad_token(verify(fixture, token, CODE));
    }
    assert_profile(fixture, changed[1]);
}

/* Whoever has lost the phone may have tried too often before. */
static void it_starts_a_stopped_factor_again(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_restart_core(fixture, FIXTURE_SINGLE("", CONSUME STOP_AT_TWO));
    fixture_open_login(fixture, "alice", token);
    for (int i = 0; i < 2; i++)
        assert_wrong(verify(fixture, token, WRONG_CODE));
    assert_int_equal(
        fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, "123456")->outcome,
        MFA_OUTCOME_STOPPED);
    assert_verified(verify(fixture, token, CODE));
    assert_verified(log_in_with(fixture, OTHER_CODE));
}

static void a_failing_storage_uses_up_nothing_and_can_be_waited_out(void **state)
{
    struct fixture *fixture = *state;
    bool *const failures[] = {&fixture->host.load_fails, &fixture->host.store_fails};
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    for (size_t i = 0; i < 2; i++) {
        *failures[i] = true;
        for (int j = 0; j < 6; j++)
            fixture_assert_error(verify(fixture, token, CODE), 500, "unexpected-error", NULL);
        *failures[i] = false;
    }
    fake_host_set_profile(&fixture->host, "id-alice", "garbage");
    fixture_assert_error(verify(fixture, token, CODE), 500, "unexpected-error", NULL);
    fake_host_set_profile(&fixture->host, "id-alice", LEGACY);
    assert_verified(verify(fixture, token, CODE));
}

static void a_conflict_is_tried_again_but_not_for_ever(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    fixture->host.conflicts = 1000;
    fixture_assert_error(verify(fixture, token, CODE), 500, "unexpected-error", NULL);
    fixture->host.conflicts = 2;
    assert_verified(verify(fixture, token, CODE));
    assert_left(fixture, (const char *const[]){OTHER_CODE, THIRD_CODE}, 2);
}

/* --- At the same time ------------------------------------------------------------------------------------------------ */

static void of_fifty_at_once_with_one_login_one_is_let_in(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    fixture_begin_at_once(fixture, mfa_flow_verify,
                          &(struct fixture_input){.token = token, .body = "{\"recoveryCode\":\"" CODE "\"}"});
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_VERIFIED), 1);
    assert_left(fixture, (const char *const[]){OTHER_CODE, THIRD_CODE}, 2);
}

/* Another login with a code of its own, which comes between our load and our store. */
static struct rival {
    struct fixture *fixture;
    char token[MFA_TOKEN_SIZE];
    const char *code;
    enum mfa_outcome outcome;
} rival;

static enum mfa_status store_after_the_rival(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                                             const char *data, size_t len)
{
    const char *code = rival.code;

    rival.code = NULL;
    if (code != NULL)
        rival.outcome = verify(rival.fixture, rival.token, code)->outcome;
    return fake_host_port(ctx).profile_store(ctx, record, user_id, expected, data, len);
}

/* Our own login, of which the rival's with that code is quicker. */
static const struct fake_completion *race(struct fixture *fixture, const char *code, const char *rivals_code)
{
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    fixture_open_login(fixture, "alice", rival.token);
    rival.fixture = fixture;
    rival.code = rivals_code;
    fixture->core->host.profile_store = store_after_the_rival;
    return verify(fixture, token, code);
}

static void of_two_logins_that_race_with_one_code_one_is_let_in(void **state)
{
    assert_wrong(race(*state, CODE, CODE));
    assert_int_equal(rival.outcome, MFA_OUTCOME_VERIFIED);
    assert_left(*state, (const char *const[]){OTHER_CODE, THIRD_CODE}, 2);
}

static void of_two_logins_that_race_with_two_codes_both_are_let_in(void **state)
{
    assert_verified(race(*state, CODE, OTHER_CODE));
    assert_int_equal(rival.outcome, MFA_OUTCOME_VERIFIED);
    assert_left(*state, (const char *const[]){THIRD_CODE}, 1);
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(a_code_in_clear_logs_in_and_the_rest_is_hashed_on_that_write),
        IN_FIXTURE(each_code_logs_in_once),
        IN_FIXTURE(a_code_that_stands_there_twice_logs_in_once),
        IN_FIXTURE(without_any_codes_left_the_factor_is_still_on),
        IN_FIXTURE(a_code_handed_out_at_confirmation_logs_in_once),
        IN_FIXTURE(upper_case_and_spaces_are_forgiven),
        IN_FIXTURE(entries_that_are_no_codes_stay_none),
        IN_FIXTURE(in_deactivate_mode_it_is_no_way_in),
        IN_FIXTURE(a_service_is_not_asked),
        IN_FIXTURE(a_code_must_be_a_string_and_costs_nothing_otherwise),
        IN_FIXTURE(a_wrong_code_uses_up_nothing_but_an_attempt),
        IN_FIXTURE(the_fifth_wrong_code_ends_the_login),
        IN_FIXTURE(requests_that_nobody_waits_for_any_more_use_up_nothing),
        IN_FIXTURE(who_has_no_login_takes_no_workers_time),
        IN_FIXTURE(another_users_code_is_wrong),
        IN_FIXTURE(without_the_logins_token_it_opens_nothing),
        IN_FIXTURE(it_is_no_good_for_an_enrolment_changed_behind_our_back),
        IN_FIXTURE(it_starts_a_stopped_factor_again),
        IN_FIXTURE(a_failing_storage_uses_up_nothing_and_can_be_waited_out),
        IN_FIXTURE(a_conflict_is_tried_again_but_not_for_ever),
        IN_FIXTURE(of_fifty_at_once_with_one_login_one_is_let_in),
        IN_FIXTURE(of_two_logins_that_race_with_one_code_one_is_let_in),
        IN_FIXTURE(of_two_logins_that_race_with_two_codes_both_are_let_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
