/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/flow_fixture.h"
#include "mfa_config.h"

#define CODE "0f8fad5b-d9cb-469f-a165-70867728950e"
#define RECOVER(password, code) "{\"username\":\"alice\",\"password\":\"" password "\",\"recoveryCode\":\"" code "\"}"
#define WRONG_RECOVERY RECOVER(FAKE_PASSWORD, "0f8fad5b-d9cb-469f-a165-70867728950f")

/* Sessions that outlast the delays, so that they are what is looked at. */
#define MANY_ATTEMPTS "attempts:\n  perSession: 100\n"
#define STOP_AT_TWO "attempts:\n  maxConsecutive: 2\n"

static const char default_policy[] = FIXTURE_SINGLE("", "");
static const char many_attempts[] = FIXTURE_SINGLE("", MANY_ATTEMPTS);
static const char stop_at_two[] = FIXTURE_SINGLE("", STOP_AT_TWO);

/* Alice under another policy, with CODE as a recovery code. */
static struct fixture *enrolled(void **state, const char *yaml)
{
    struct fixture *fixture = fixture_restart(state, yaml);

    fake_host_set_profile(&fixture->host, "id-alice",
                          "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[\"" CODE "\"]}");
    return fixture;
}

struct login {
    char token[MFA_TOKEN_SIZE];
    char code[MFA_CODE_SIZE];
    char wrong[MFA_CODE_SIZE];
};

static struct login log_in(struct fixture *fixture)
{
    struct login login;

    fixture_open_login(fixture, "alice", login.token);
    fixture_right_code(fixture, login.code);
    fixture_wrong_code(fixture, login.wrong);
    return login;
}

static const struct fake_completion *verify(struct fixture *fixture, const char *token, const char *code)
{
    return fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code);
}

static const struct fake_completion *recover(struct fixture *fixture, const char *body)
{
    return fixture_run(fixture, mfa_flow_recover, &(struct fixture_input){.body = body});
}

static void fail_times(struct fixture *fixture, const struct login *login, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(verify(fixture, login->token, login->wrong)->outcome, MFA_OUTCOME_WRONG_CODE);
}

static void assert_throttled(const struct fake_completion *refused, int retry_after_s)
{
    json_t *body = fixture_body(refused);
    const json_t *data = json_object_get(json_object_get(body, "error"), "data");
    char text[16];

    snprintf(text, sizeof text, "%d", retry_after_s);
    fixture_assert_error(refused, 429, "too-many-attempts", NULL);
    assert_string_equal(refused->http.retry_after, text);
    assert_int_equal(json_integer_value(json_object_get(data, "retryAfterSeconds")), retry_after_s);
    json_decref(body);
}

static void assert_stopped(const struct fake_completion *refused)
{
    assert_int_equal(refused->outcome, MFA_OUTCOME_STOPPED);
    fixture_assert_error(refused, 403, "forbidden", "mfa-stopped");
}

static void assert_verified(const struct fake_completion *verified)
{
    assert_int_equal(verified->outcome, MFA_OUTCOME_VERIFIED);
    assert_string_equal(verified->grant, "grant-alice");
}

/* What is stored about alice's failures, as "consecutive/recent"; empty: nothing. */
static const char *tally(struct fixture *fixture, char text[static 32])
{
    char *stored = fake_host_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice");
    json_t *root = stored != NULL ? json_loads(stored, 0, NULL) : NULL;

    text[0] = '\0';
    if (root != NULL)
        snprintf(text, 32, "%d/%d", (int)json_integer_value(json_object_get(root, "consecutive")),
                 (int)json_integer_value(json_object_get(root, "recent")));
    json_decref(root);
    free(stored);
    return text;
}

static void assert_tally(struct fixture *fixture, const char *expected)
{
    char text[32];

    assert_string_equal(tally(fixture, text), expected);
}

/* --- Delays --------------------------------------------------------------------------------------------------------- */

static void past_the_free_failures_each_doubles_the_delay_up_to_the_longest(void **state)
{
    static const int delays_s[] = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
    struct fixture *fixture = enrolled(state, FIXTURE_SINGLE("", "sessions:\n  ttlSeconds: 86400\n" MANY_ATTEMPTS));
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 3);
    for (size_t i = 0; i < sizeof delays_s / sizeof delays_s[0]; i++) {
        fail_times(fixture, &login, 1);
        assert_throttled(verify(fixture, login.token, login.wrong), delays_s[i]);
        fake_host_advance(&fixture->host, (uint64_t)delays_s[i] * 1000 - 1);
        assert_throttled(verify(fixture, login.token, login.wrong), 1);
        fake_host_advance(&fixture->host, 1);
    }
}

static void during_a_delay_nothing_is_compared_and_no_attempt_is_used(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 4);
    for (int i = 0; i < 7; i++)
        assert_throttled(verify(fixture, login.token, login.code), 2);
    assert_tally(fixture, "4/4");
    fake_host_advance(&fixture->host, 2000);
    assert_verified(verify(fixture, login.token, login.code));
}

static void a_service_is_not_asked_during_a_delay(void **state)
{
    struct fixture *fixture = enrolled(state, FIXTURE_CHALLENGE_VERIFY(MANY_ATTEMPTS));
    char token[MFA_TOKEN_SIZE];
    size_t asked = 0;

    fixture_open_login(fixture, "alice", token);
    for (int i = 0; i < 4; i++)
        assert_int_equal(verify(fixture, token, "654321")->outcome, MFA_OUTCOME_PROVIDER_ERROR);
    asked = fixture->gateway.count;
    assert_throttled(verify(fixture, token, FIXTURE_SERVICE_CODE), 2);
    assert_int_equal(fixture->gateway.count, asked);
    fake_host_advance(&fixture->host, 2000);
    assert_verified(verify(fixture, token, FIXTURE_SERVICE_CODE));
}

static void a_new_login_does_not_start_anew(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login;

    for (int i = 0; i < 4; i++) {
        login = log_in(fixture);
        fail_times(fixture, &login, 1);
    }
    login = log_in(fixture);
    assert_throttled(verify(fixture, login.token, login.code), 2);
}

static void other_accounts_are_not_delayed(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_enrol(fixture, "bob");
    fail_times(fixture, &login, 4);
    fixture_open_login(fixture, "bob", token);
    fixture_right_code(fixture, code);
    assert_int_equal(
        fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.user = "bob", .token = token}, code)->outcome,
        MFA_OUTCOME_VERIFIED);
}

static void of_fifty_at_once_no_more_are_compared_than_are_free_and_one(void **state)
{
    struct fixture *fixture = enrolled(state, many_attempts);
    struct login login = log_in(fixture);
    char body[64];

    snprintf(body, sizeof body, "{\"code\":\"%s\"}", login.wrong);
    fixture_begin_at_once(fixture, mfa_flow_verify, &(struct fixture_input){.token = login.token, .body = body});
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_WRONG_CODE), 4);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_THROTTLED), FIXTURE_THREADS - 4);
    assert_tally(fixture, "4/4");
}

static void quiet_time_forgets_the_delay_but_not_the_failures_in_a_row(void **state)
{
    struct fixture *fixture = enrolled(state, many_attempts);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 4);
    fake_host_advance(&fixture->host, 900 * 1000 + 1);
    login = log_in(fixture);
    fail_times(fixture, &login, 4);
    assert_tally(fixture, "8/4");
    assert_throttled(verify(fixture, login.token, login.wrong), 2);
}

static void a_success_forgets_all(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 3);
    assert_verified(verify(fixture, login.token, login.code));
    assert_tally(fixture, "");
    login = log_in(fixture);
    fail_times(fixture, &login, 3);
    assert_tally(fixture, "3/3");
}

static void confirm_counts_as_verify_does(void **state)
{
    struct fixture *fixture = fixture_restart(state, default_policy);
    struct login login;

    fixture_activate(fixture, "alice", login.token);
    fixture_right_code(fixture, login.code);
    fixture_wrong_code(fixture, login.wrong);
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = login.token}, login.wrong)
                ->outcome,
            MFA_OUTCOME_WRONG_CODE);
    assert_tally(fixture, "4/4");
    assert_throttled(
        fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = login.token}, login.code), 2);
    fake_host_advance(&fixture->host, 2000);
    assert_int_equal(
        fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = login.token}, login.code)->outcome,
        MFA_OUTCOME_ENROLLED);
    assert_tally(fixture, "");
}

static void recover_counts_as_verify_does(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);

    for (int i = 0; i < 4; i++)
        fixture_assert_error(recover(fixture, WRONG_RECOVERY), 400, "invalid-parameters-format",
                             "invalid-recovery-code");
    assert_tally(fixture, "4/4");
    assert_throttled(recover(fixture, RECOVER(FAKE_PASSWORD, CODE)), 2);
    assert_true(fixture_is_enrolled(fixture, "alice"));
    fake_host_advance(&fixture->host, 2000);
    assert_int_equal(recover(fixture, RECOVER(FAKE_PASSWORD, CODE))->outcome, MFA_OUTCOME_DEACTIVATED);
    assert_tally(fixture, "");
}

static void a_wrong_password_at_recover_neither_counts_nor_shows_a_delay(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    for (int i = 0; i < 7; i++)
        fixture_assert_error(recover(fixture, RECOVER("wrong", CODE)), 401, "invalid-credentials", NULL);
    assert_tally(fixture, "");
    fail_times(fixture, &login, 4);
    fixture_assert_error(recover(fixture, RECOVER("wrong", CODE)), 401, "invalid-credentials", NULL);
    assert_tally(fixture, "4/4");
}

/* Busy is no failure: it must leave nothing behind, the last failure's delay neither. */
static void what_was_never_compared_is_taken_back_with_its_delay(void **state)
{
    struct fixture *fixture = enrolled(state, FIXTURE_CHALLENGE_VERIFY(MANY_ATTEMPTS));
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    for (int i = 0; i < 3; i++)
        assert_int_equal(verify(fixture, token, "654321")->outcome, MFA_OUTCOME_PROVIDER_ERROR);
    fixture->gateway.is_full = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(verify(fixture, token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_QUEUE_FULL);
    fixture->gateway.is_full = false;
    assert_tally(fixture, "3/3");
    assert_verified(verify(fixture, token, FIXTURE_SERVICE_CODE));
}

static void an_outage_of_the_service_locks_nobody_out(void **state)
{
    struct fixture *fixture = enrolled(state, FIXTURE_CHALLENGE_VERIFY(STOP_AT_TWO));
    struct fixture_input input = {.body = "{\"code\":\"" FIXTURE_SERVICE_CODE "\"}"};
    char token[MFA_TOKEN_SIZE];
    uint64_t call = 0;

    fixture_open_login(fixture, "alice", token);
    input.token = token;
    for (int i = 0; i < 7; i++) {
        call = fixture_begin(fixture, mfa_flow_verify, &input);
        fake_gateway_fail_unsent(&fixture->gateway, MFA_DELIVERY_FAILED);
        assert_int_equal(fake_host_wait(&fixture->host, call)->outcome, MFA_OUTCOME_PROVIDER_ERROR);
    }
    assert_tally(fixture, "");
    call = fixture_begin(fixture, mfa_flow_verify, &input);
    fake_gateway_fail(&fixture->gateway, MFA_DELIVERY_FAILED);
    fake_host_wait(&fixture->host, call);
    assert_tally(fixture, "1/1"); /* the service may have said no */
    assert_verified(verify(fixture, token, FIXTURE_SERVICE_CODE));
}

/* Some services say 401 to a wrong code, too. */
static void a_guess_counts_although_there_is_no_other_token_to_repeat_it_with(void **state)
{
    struct fixture *fixture = enrolled(
        state,
        "mode: challenge-verify\n"
        "sms:\n"
        "  endpoints:\n"
        "    challenge: {url: 'https://sms.example.com/send', body: {to: '{{ number }}'}}\n"
        "    verify: {url: 'https://sms.example.com/check', body: {code: '{{ code }}'}, auth: {oauth2: {tokenUrl:"
        " 'https://auth.example.com/token', clientId: id, clientSecret: secret}}}\n");
    struct fixture_input guess = {.body = "{\"code\":\"000000\"}"};
    char token[MFA_TOKEN_SIZE];
    uint64_t call = 0;

    fixture_open_login(fixture, "alice", token);
    guess.token = token;
    call = fixture_begin(fixture, mfa_flow_verify, &guess);
    fake_gateway_answer(&fixture->gateway, 200, "{\"access_token\":\"tok-1\"}");
    fake_gateway_answer(&fixture->gateway, 401, "");
    fake_gateway_answer(&fixture->gateway, 503, "");
    assert_int_equal(fake_host_wait(&fixture->host, call)->outcome, MFA_OUTCOME_PROVIDER_ERROR);
    assert_tally(fixture, "1/1");
}

/* --- The end of it ---------------------------------------------------------------------------------------------------- */

static struct fixture *stopped(void **state, struct login *login)
{
    struct fixture *fixture = enrolled(state, stop_at_two);

    *login = log_in(fixture);
    fail_times(fixture, login, 2);
    return fixture;
}

static void a_stopped_factor_refuses_everything_but_recovery(void **state)
{
    struct login login, activation;
    struct fixture *fixture = enrolled(state, stop_at_two);
    size_t sent = 0;

    fixture_activate(fixture, "alice", activation.token);
    fixture_right_code(fixture, activation.code);
    login = log_in(fixture);
    fail_times(fixture, &login, 2);
    sent = fixture->gateway.count;
    assert_stopped(verify(fixture, login.token, login.code));
    assert_stopped(
        fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = activation.token}, activation.code));
    assert_stopped(fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = login.token}));
    assert_stopped(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"}));
    assert_stopped(fixture_run(fixture, mfa_flow_activate, &(struct fixture_input){.body = FIXTURE_SINGLE_DATA}));
    assert_int_equal(fixture->gateway.count, sent);
    fake_host_advance(&fixture->host, 86400 * 1000);
    assert_stopped(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"}));
    assert_int_equal(recover(fixture, RECOVER(FAKE_PASSWORD, CODE))->outcome, MFA_OUTCOME_DEACTIVATED);
}

static void without_a_session_nobody_learns_that_a_factor_has_stopped(void **state)
{
    struct login login;
    struct fixture *fixture = stopped(state, &login);

    fixture_assert_bad_token(verify(fixture, "no-such-token", login.code));
    fixture_assert_bad_token(
        fixture_run(fixture, mfa_flow_challenge, &(struct fixture_input){.token = "no-such-token"}));
}

static void recovery_starts_it_again(void **state)
{
    struct login login;
    struct fixture *fixture = stopped(state, &login);

    assert_int_equal(recover(fixture, RECOVER(FAKE_PASSWORD, CODE))->outcome, MFA_OUTCOME_DEACTIVATED);
    assert_tally(fixture, "");
    fixture_enrol(fixture, "alice");
    login = log_in(fixture);
    assert_verified(verify(fixture, login.token, login.code));
}

static void deactivation_does_not_start_it_again(void **state)
{
    struct login login;
    struct fixture *fixture = stopped(state, &login);

    assert_int_equal(fixture_run(fixture, mfa_flow_deactivate, &(struct fixture_input){0})->outcome,
                     MFA_OUTCOME_DEACTIVATED);
    assert_stopped(fixture_run(fixture, mfa_flow_activate, &(struct fixture_input){.body = FIXTURE_SINGLE_DATA}));
}

static void it_stops_however_long_the_failures_take(void **state)
{
    struct fixture *fixture = enrolled(state, FIXTURE_SINGLE("", "attempts:\n  maxConsecutive: 5\n"));

    for (int i = 0; i < 5; i++) {
        struct login login = log_in(fixture);
        fail_times(fixture, &login, 1);
        fake_host_advance(&fixture->host, 3600 * 1000);
        mfa_throttle_expire(fixture->core->throttle, fixture->host.monotonic_ms);
    }
    assert_stopped(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"}));
}

/* --- What is stored ------------------------------------------------------------------------------------------------- */

static void a_restart_forgets_neither_the_delay_nor_the_failures(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 4);
    fixture_restart_core(fixture, default_policy);
    fake_host_advance(&fixture->host, 500);
    login = log_in(fixture);
    assert_throttled(verify(fixture, login.token, login.code), 2);
    fake_host_advance(&fixture->host, 1500);
    fail_times(fixture, &login, 1);
    assert_throttled(verify(fixture, login.token, login.code), 4);
    assert_tally(fixture, "5/5");
}

static void a_restart_does_not_start_a_stopped_factor(void **state)
{
    struct login login;
    struct fixture *fixture = stopped(state, &login);

    fixture_restart_core(fixture, stop_at_two);
    assert_stopped(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"}));
}

static void a_wall_clock_that_goes_back_shortens_no_delay(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 4);
    fixture->host.wall_ms -= 86400 * 1000;
    fixture_restart_core(fixture, default_policy);
    login = log_in(fixture);
    assert_throttled(verify(fixture, login.token, login.code), 2);
    fake_host_advance(&fixture->host, 2000);
    assert_verified(verify(fixture, login.token, login.code));
}

static void a_failure_is_stored_even_when_nobody_waits_for_the_answer(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fixture->host.is_cancelled = true;
    fail_times(fixture, &login, 1);
    assert_tally(fixture, "1/1");
}

static void a_right_code_that_nobody_waits_for_any_more_is_no_failure(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 1);
    fixture->host.is_cancelled = true;
    for (int i = 0; i < 5; i++)
        assert_int_equal(verify(fixture, login.token, login.code)->http.decision, MFA_DENY);
    fixture->host.is_cancelled = false;
    assert_tally(fixture, "1/1");
    assert_verified(verify(fixture, login.token, login.code));
}

static void nor_is_one_that_the_service_says_yes_to(void **state)
{
    struct fixture *fixture = enrolled(state, FIXTURE_CHALLENGE_VERIFY(""));
    struct fixture_input input = {.body = "{\"code\":\"" FIXTURE_SERVICE_CODE "\"}"};
    char token[MFA_TOKEN_SIZE];

    fixture_open_login(fixture, "alice", token);
    input.token = token;
    for (int i = 0; i < 5; i++) {
        uint64_t call = fixture_begin(fixture, mfa_flow_verify, &input);
        fixture->host.is_cancelled = true;
        fake_gateway_answer(&fixture->gateway, 200, "");
        assert_int_equal(fake_host_wait(&fixture->host, call)->http.decision, MFA_DENY);
        fixture->host.is_cancelled = false;
    }
    assert_verified(verify(fixture, token, FIXTURE_SERVICE_CODE));
}

static void a_conflict_on_the_tally_is_tried_again(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 1);
    fixture->host.conflicts = 2;
    fail_times(fixture, &login, 1);
    assert_tally(fixture, "2/2");
    fixture->host.conflicts = 2;
    assert_verified(verify(fixture, login.token, login.code));
    assert_tally(fixture, "");
}

static void an_unreadable_tally_denies(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);

    fake_host_set_record(&fixture->host, MFA_RECORD_ATTEMPTS, "id-alice", "garbage");
    fixture_assert_error(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"}), 500,
                         "unexpected-error", NULL);
    fixture_assert_error(recover(fixture, RECOVER(FAKE_PASSWORD, CODE)), 500, "unexpected-error", NULL);
    assert_true(fixture_is_enrolled(fixture, "alice"));
    assert_int_equal(fixture_run(fixture, mfa_flow_reset, &(struct fixture_input){0})->outcome, MFA_OUTCOME_RESET);
    assert_tally(fixture, "");
}

static void a_failure_that_cannot_be_stored_counts_all_the_same(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fixture->host.store_fails = true;
    for (int i = 0; i < 4; i++)
        fixture_assert_error(verify(fixture, login.token, login.wrong), 500, "unexpected-error", NULL);
    assert_throttled(verify(fixture, login.token, login.code), 2);
}

static void failures_that_cannot_be_removed_release_nothing(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 1);
    fixture->host.store_fails = true;
    fixture_assert_error(verify(fixture, login.token, login.code), 500, "unexpected-error", NULL);
    fixture->host.store_fails = false;
    assert_verified(verify(fixture, login.token, login.code));
    assert_tally(fixture, "");
}

/* Whoever opened an activation before there was an enrolment must not be able to start the count anew. */
static void a_confirmation_that_came_too_late_forgets_nothing(void **state)
{
    struct fixture *fixture = fixture_restart(state, default_policy);
    struct login login;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fake_host_set_profile(&fixture->host, "id-alice", "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[]}");
    login = log_in(fixture);
    fail_times(fixture, &login, 2);
    fixture_assert_bad_token(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code));
    assert_tally(fixture, "2/2");
    fail_times(fixture, &login, 2);
    assert_throttled(verify(fixture, login.token, login.code), 2);
}

static void without_a_limit_nothing_is_stored(void **state)
{
    struct fixture *fixture = enrolled(state, FIXTURE_SINGLE("", FIXTURE_NO_THROTTLING));
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 4);
    assert_tally(fixture, "");
    assert_verified(verify(fixture, login.token, login.code));
}

static void a_delay_needs_no_limit(void **state)
{
    struct fixture *fixture = enrolled(state, FIXTURE_SINGLE("", MANY_ATTEMPTS "  maxConsecutive: 0\n"));
    struct login login = log_in(fixture);

    fail_times(fixture, &login, 4);
    assert_throttled(verify(fixture, login.token, login.wrong), 2);
}

/* --- What it costs ---------------------------------------------------------------------------------------------------- */

struct cost {
    unsigned loads, stores;
};

static struct cost cost_since(const struct fixture *fixture, struct cost before)
{
    return (struct cost){fixture->host.loads - before.loads, fixture->host.stores - before.stores};
}

/* Runs one flow as a client would that makes no mistakes. */
static enum mfa_outcome run_by_name(struct fixture *fixture, const char *name, const struct login *login)
{
    struct fixture_input input = {.token = login->token, .grant = "grant-alice"};

    if (strcmp(name, "status") == 0)
        return fixture_run(fixture, mfa_flow_status, &input)->outcome;
    if (strcmp(name, "login") == 0)
        return fixture_run_answered(fixture, mfa_flow_login, &input, 200, "")->outcome;
    if (strcmp(name, "challenge") == 0)
        return fixture_run_answered(fixture, mfa_flow_challenge, &input, 200, "")->outcome;
    if (strcmp(name, "verify") == 0)
        return verify(fixture, login->token, login->code)->outcome;
    if (strcmp(name, "confirm") == 0)
        return fixture_check(fixture, mfa_flow_confirm, &input, login->code)->outcome;
    if (strcmp(name, "recover") == 0)
        return recover(fixture, RECOVER(FAKE_PASSWORD, CODE))->outcome;
    if (strcmp(name, "activate") == 0)
        input.body = FIXTURE_SINGLE_DATA;
    return strcmp(name, "activate") == 0 ? fixture_run_answered(fixture, mfa_flow_activate, &input, 200, "")->outcome
                                         : fixture_run(fixture, mfa_flow_deactivate, &input)->outcome;
}

static void a_success_at_once_stores_no_more_than_it_changes(void **state)
{
    static const struct {
        const char *flow;
        enum mfa_outcome outcome;
        struct cost first; /* in a new process */
        struct cost later; /* once the account is known */
    } rows[] = {
        {"status", MFA_OUTCOME_STATUS, {1, 0}, {1, 0}},
        {"login", MFA_OUTCOME_CHALLENGED, {2, 0}, {1, 0}},
        {"activate", MFA_OUTCOME_ACTIVATION_OPENED, {2, 0}, {1, 0}},
        {"challenge", MFA_OUTCOME_CHALLENGE_SENT, {0, 0}, {0, 0}},
        {"verify", MFA_OUTCOME_VERIFIED, {1, 0}, {1, 0}},
        {"confirm", MFA_OUTCOME_REPLACED, {1, 1}, {1, 1}},
        {"deactivate", MFA_OUTCOME_DEACTIVATED, {1, 1}, {1, 1}},
        {"recover", MFA_OUTCOME_DEACTIVATED, {3, 1}, {2, 1}},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        bool is_first = i % 2 == 0;
        struct fixture *fixture = enrolled(state, default_policy);
        struct login login = {.token = ""};
        struct cost cost, expected = is_first ? rows[i / 2].first : rows[i / 2].later;

        if (strcmp(rows[i / 2].flow, "challenge") == 0 || strcmp(rows[i / 2].flow, "verify") == 0)
            login = log_in(fixture);
        else if (strcmp(rows[i / 2].flow, "confirm") == 0) {
            fixture_activate(fixture, "alice", login.token);
            fixture_right_code(fixture, login.code);
        } else if (!is_first)
            log_in(fixture);
        cost = (struct cost){fixture->host.loads, fixture->host.stores};
        assert_int_equal(run_by_name(fixture, rows[i / 2].flow, &login), rows[i / 2].outcome);
        cost = cost_since(fixture, cost);
        if (cost.loads != expected.loads || cost.stores != expected.stores)
            fail_msg("%s %s: %u loads, %u stores", is_first ? "first" : "later", rows[i / 2].flow, cost.loads,
                     cost.stores);
    }
}

static void a_failure_costs_a_load_and_a_store(void **state)
{
    struct fixture *fixture = enrolled(state, default_policy);
    struct login login = log_in(fixture);
    struct cost cost = {fixture->host.loads, fixture->host.stores};

    fail_times(fixture, &login, 1);
    cost = cost_since(fixture, cost);
    assert_int_equal(cost.loads, 1);
    assert_int_equal(cost.stores, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(past_the_free_failures_each_doubles_the_delay_up_to_the_longest),
        IN_SINGLE(during_a_delay_nothing_is_compared_and_no_attempt_is_used),
        IN_SINGLE(a_service_is_not_asked_during_a_delay),
        IN_SINGLE(a_new_login_does_not_start_anew),
        IN_SINGLE(other_accounts_are_not_delayed),
        IN_SINGLE(of_fifty_at_once_no_more_are_compared_than_are_free_and_one),
        IN_SINGLE(quiet_time_forgets_the_delay_but_not_the_failures_in_a_row),
        IN_SINGLE(a_success_forgets_all),
        IN_SINGLE(confirm_counts_as_verify_does),
        IN_SINGLE(recover_counts_as_verify_does),
        IN_SINGLE(a_wrong_password_at_recover_neither_counts_nor_shows_a_delay),
        IN_SINGLE(what_was_never_compared_is_taken_back_with_its_delay),
        IN_SINGLE(an_outage_of_the_service_locks_nobody_out),
        IN_SINGLE(a_guess_counts_although_there_is_no_other_token_to_repeat_it_with),
        IN_SINGLE(a_stopped_factor_refuses_everything_but_recovery),
        IN_SINGLE(without_a_session_nobody_learns_that_a_factor_has_stopped),
        IN_SINGLE(recovery_starts_it_again),
        IN_SINGLE(deactivation_does_not_start_it_again),
        IN_SINGLE(it_stops_however_long_the_failures_take),
        IN_SINGLE(a_restart_forgets_neither_the_delay_nor_the_failures),
        IN_SINGLE(a_restart_does_not_start_a_stopped_factor),
        IN_SINGLE(a_wall_clock_that_goes_back_shortens_no_delay),
        IN_SINGLE(a_failure_is_stored_even_when_nobody_waits_for_the_answer),
        IN_SINGLE(a_right_code_that_nobody_waits_for_any_more_is_no_failure),
        IN_SINGLE(nor_is_one_that_the_service_says_yes_to),
        IN_SINGLE(a_conflict_on_the_tally_is_tried_again),
        IN_SINGLE(an_unreadable_tally_denies),
        IN_SINGLE(a_failure_that_cannot_be_stored_counts_all_the_same),
        IN_SINGLE(failures_that_cannot_be_removed_release_nothing),
        IN_SINGLE(a_confirmation_that_came_too_late_forgets_nothing),
        IN_SINGLE(without_a_limit_nothing_is_stored),
        IN_SINGLE(a_delay_needs_no_limit),
        IN_SINGLE(a_success_at_once_stores_no_more_than_it_changes),
        IN_SINGLE(a_failure_costs_a_load_and_a_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
