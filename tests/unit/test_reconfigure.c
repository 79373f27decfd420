/* SPDX-License-Identifier: Apache-2.0
 *
 * Another configuration for a core that is at work: what begins afterwards goes by it, what has begun does not notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fakes/flow_fixture.h"

#define BEFORE "https://api.smsapi.com/"
#define AFTER "https://after.example/"

#define AFTER_SINGLE                                                                                                   \
    "mode: single\n"                                                                                                   \
    "sms:\n" FIXTURE_NO_SEND_LIMITS                                                                                    \
    "  endpoints: {single: {url: 'https://after.example/?text={{ message }}&to={{ number }}', method: GET}}\n"         \
    "  codeLength: 8\n" FIXTURE_NO_THROTTLING

#define AFTER_CHALLENGE_VERIFY                                                                                         \
    "mode: challenge-verify\n"                                                                                         \
    "sms:\n" FIXTURE_NO_SEND_LIMITS "  endpoints:\n"                                                                   \
    "    challenge: {url: 'https://after.example/send?to={{ number }}', capture: {id: /id}}\n"                         \
    "    verify: {url: 'https://after.example/check?id={{ id }}&code={{ code }}'}\n" FIXTURE_NO_THROTTLING

static const struct fake_completion *verify(struct fixture *fixture, const char *token, const char *code)
{
    return fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code);
}

static void assert_asked(const struct fixture *fixture, const char *url)
{
    const char *asked = fake_gateway_last(&fixture->gateway)->url_secret;

    if (strncmp(asked, url, strlen(url)) != 0)
        fail_msg("%s was asked, not %s", asked, url);
}

/* The service answers with an id, in case the configuration has a use for it. */
static void send_again(struct fixture *fixture, const char *token)
{
    assert_int_equal(fixture_run_answered(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}, 200,
                                          "{\"id\":\"x7\"}")
                         ->outcome,
                     MFA_OUTCOME_CHALLENGE_SENT);
}

static void log_in(struct fixture *fixture, char token[static MFA_TOKEN_SIZE])
{
    const struct fake_completion *challenged = fixture_run_answered(
        fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"}, 200, "{\"id\":\"x7\"}");

    assert_int_equal(challenged->outcome, MFA_OUTCOME_CHALLENGED);
    fixture_token_of(challenged, token);
}

static void the_next_message_goes_by_the_new_one(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_reconfigure(fixture, AFTER_SINGLE);
    log_in(fixture, token);
    assert_asked(fixture, AFTER);
}

static void a_code_of_ours_that_was_sent_before_is_good_after(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fixture_reconfigure(fixture, AFTER_SINGLE);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
}

static void a_code_of_ours_is_good_also_when_the_service_makes_the_next(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], other_token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
    size_t requests = 0;

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    fixture_reconfigure(fixture, AFTER_CHALLENGE_VERIFY);
    log_in(fixture, other_token);
    requests = fixture->gateway.count;
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
    assert_int_equal(fixture->gateway.count, requests);
    assert_int_equal(verify(fixture, other_token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_VERIFIED);
    assert_asked(fixture, AFTER "check?id=x7&code=" FIXTURE_SERVICE_CODE);
}

static void a_code_of_the_service_is_checked_by_the_service_that_sent_it(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_reconfigure(fixture, AFTER_CHALLENGE_VERIFY);
    assert_int_equal(verify(fixture, token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_VERIFIED);
    assert_asked(fixture, BEFORE);
}

static void a_code_of_the_service_is_checked_by_it_also_when_we_make_the_next(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_reconfigure(fixture, AFTER_SINGLE);
    assert_int_equal(verify(fixture, token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_VERIFIED);
    assert_asked(fixture, BEFORE);
}

static void a_re_send_goes_by_the_new_one_and_so_does_its_code(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_reconfigure(fixture, AFTER_CHALLENGE_VERIFY);
    send_again(fixture, token);
    assert_asked(fixture, AFTER "send");
    assert_int_equal(verify(fixture, token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_VERIFIED);
    assert_asked(fixture, AFTER "check?id=x7");
}

static void a_re_send_that_failed_leaves_the_code_to_the_service_before(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_reconfigure(fixture, AFTER_CHALLENGE_VERIFY);
    assert_int_equal(
        fixture_run_answered(fixture, mfa_flow_challenge, &(struct fixture_input){.token = token}, 500, "")->outcome,
        MFA_OUTCOME_PROVIDER_ERROR);
    assert_int_equal(verify(fixture, token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_VERIFIED);
    assert_asked(fixture, BEFORE);
}

static void what_is_under_way_ends_as_it_began(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_completion *challenged = NULL;
    char token[MFA_TOKEN_SIZE];
    uint64_t call = 0;

    fixture_enrol(fixture, "alice");
    call = fixture_begin(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant-alice"});
    fixture_reconfigure(fixture, AFTER_CHALLENGE_VERIFY);
    fake_gateway_answer(&fixture->gateway, 200, ""); /* from which the new one would have an id */
    challenged = fake_host_wait(&fixture->host, call);
    assert_int_equal(challenged->outcome, MFA_OUTCOME_CHALLENGED);
    fixture_token_of(challenged, token);
    assert_int_equal(verify(fixture, token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_VERIFIED);
    assert_asked(fixture, BEFORE);
}

static void an_activation_is_confirmed_by_the_service_that_it_began_with(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_reconfigure(fixture, AFTER_CHALLENGE_VERIFY);
    assert_int_equal(
        fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, FIXTURE_SERVICE_CODE)
            ->outcome,
        MFA_OUTCOME_ENROLLED);
    assert_asked(fixture, BEFORE);
}

/* A flow ends a moment after its call has been completed. */
static void await_holders(const struct mfa_settings *settings, size_t count)
{
    for (int i = 0; i < 5000 && settings->holders > count; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(settings->holders, count);
}

/* Credentials of a configuration are not to be in memory for longer than somebody needs them. */
static void what_was_in_use_is_freed_with_the_last_that_needs_it(void **state)
{
    struct fixture *fixture = *state;
    struct mfa_settings *before = mfa_core_settings(fixture->core);
    char token[MFA_TOKEN_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_reconfigure(fixture, AFTER_CHALLENGE_VERIFY);
    await_holders(before, 2); /* the login, and this test */
    assert_int_equal(verify(fixture, token, FIXTURE_SERVICE_CODE)->outcome, MFA_OUTCOME_VERIFIED);
    await_holders(before, 1);
    mfa_settings_release(before);
}

static void limits_hold_at_once(void **state)
{
    struct fixture *fixture = *state;
    char token[MFA_TOKEN_SIZE], wrong[MFA_CODE_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_wrong_code(fixture, wrong);
    fixture_reconfigure(fixture, FIXTURE_SINGLE("", "attempts: {perSession: 2, maxConsecutive: 2, "
                                                    "backoff: {baseSeconds: 0}}\n"));
    fixture_assert_wrong_code(verify(fixture, token, wrong), 1);
    assert_int_equal(verify(fixture, token, wrong)->outcome, MFA_OUTCOME_ATTEMPTS_USED_UP);
    assert_int_equal(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant"})->outcome,
                     MFA_OUTCOME_STOPPED);
}

static void whoever_got_in_while_limits_were_off_is_not_stopped_after(void **state)
{
    static const char limits[] = FIXTURE_SINGLE("", "attempts: {maxConsecutive: 2, backoff: {baseSeconds: 0}}\n");
    struct fixture *fixture = fixture_restart(state, limits);
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_enrol(fixture, "alice");
    fixture_open_login(fixture, "alice", token);
    fixture_wrong_code(fixture, code);
    for (int i = 0; i < 2; i++)
        fixture_assert_wrong_code(verify(fixture, token, code), 4 - i);
    assert_int_equal(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant"})->outcome,
                     MFA_OUTCOME_STOPPED);
    fixture_reconfigure(fixture, FIXTURE_SINGLE("", FIXTURE_NO_THROTTLING));
    fixture_open_login(fixture, "alice", token);
    fixture_right_code(fixture, code);
    assert_int_equal(verify(fixture, token, code)->outcome, MFA_OUTCOME_VERIFIED);
    fixture_reconfigure(fixture, limits);
    fixture_open_login(fixture, "alice", token);
}

static void a_disabled_core_stays_disabled(void **state)
{
    struct fixture *fixture = fixture_restart(state, "mode: disabled\n");

    fixture_reconfigure(fixture, "mode: disabled\nsms: {codeLength: 8}\n");
    assert_int_equal(fixture_run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant"})->outcome,
                     MFA_OUTCOME_ALLOWED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(the_next_message_goes_by_the_new_one),
        IN_SINGLE(a_code_of_ours_that_was_sent_before_is_good_after),
        IN_SINGLE(a_code_of_ours_is_good_also_when_the_service_makes_the_next),
        IN_CHALLENGE_VERIFY(a_code_of_the_service_is_checked_by_the_service_that_sent_it),
        IN_CHALLENGE_VERIFY(a_code_of_the_service_is_checked_by_it_also_when_we_make_the_next),
        IN_BOTH(a_re_send_goes_by_the_new_one_and_so_does_its_code),
        IN_CHALLENGE_VERIFY(a_re_send_that_failed_leaves_the_code_to_the_service_before),
        IN_CHALLENGE_VERIFY(what_is_under_way_ends_as_it_began),
        IN_CHALLENGE_VERIFY(an_activation_is_confirmed_by_the_service_that_it_began_with),
        IN_CHALLENGE_VERIFY(what_was_in_use_is_freed_with_the_last_that_needs_it),
        IN_SINGLE(limits_hold_at_once),
        IN_SINGLE(whoever_got_in_while_limits_were_off_is_not_stopped_after),
        IN_SINGLE(a_disabled_core_stays_disabled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
