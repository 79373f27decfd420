/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "mfa_audit.h"

#define VERIFIED(session) "2 event=mfa.verify outcome=verified user=julia session=" session " client=203.0.113.7\n"

/* The words of docs/audit-log.md, and "disabled", which no flow ends with. Outcomes without a word leave no line. */
static const struct {
    enum mfa_log_level level;
    const char *word;
} words[MFA_OUTCOME_COUNT] = {
    [MFA_OUTCOME_INTERNAL] = {MFA_LOG_ERROR, "internal"},
    [MFA_OUTCOME_DISABLED] = {MFA_LOG_WARN, "disabled"},
    [MFA_OUTCOME_NO_TOKEN] = {MFA_LOG_WARN, "no-token"},
    [MFA_OUTCOME_BAD_TOKEN] = {MFA_LOG_WARN, "bad-token"},
    [MFA_OUTCOME_BAD_BODY] = {MFA_LOG_WARN, "bad-body"},
    [MFA_OUTCOME_BAD_PARAMETER] = {MFA_LOG_WARN, "bad-parameter"},
    [MFA_OUTCOME_WRONG_CODE] = {MFA_LOG_WARN, "wrong-code"},
    [MFA_OUTCOME_EXPIRED_CODE] = {MFA_LOG_WARN, "expired-code"},
    [MFA_OUTCOME_ATTEMPTS_USED_UP] = {MFA_LOG_WARN, "attempts-used-up"},
    [MFA_OUTCOME_THROTTLED] = {MFA_LOG_WARN, "throttled"},
    [MFA_OUTCOME_TOO_MANY_PENDING] = {MFA_LOG_WARN, "too-many-pending"},
    [MFA_OUTCOME_STOPPED] = {MFA_LOG_WARN, "stopped"},
    [MFA_OUTCOME_STEP_UP_NEEDED] = {MFA_LOG_WARN, "step-up-needed"},
    [MFA_OUTCOME_BAD_STEP_UP] = {MFA_LOG_WARN, "bad-step-up"},
    [MFA_OUTCOME_PROVIDER_ERROR] = {MFA_LOG_WARN, "provider-error"},
    [MFA_OUTCOME_PROVIDER_TIMEOUT] = {MFA_LOG_WARN, "provider-timeout"},
    [MFA_OUTCOME_QUEUE_FULL] = {MFA_LOG_WARN, "queue-full"},
    [MFA_OUTCOME_BAD_CREDENTIALS] = {MFA_LOG_WARN, "bad-credentials"},
    [MFA_OUTCOME_BAD_RECOVERY_CODE] = {MFA_LOG_WARN, "bad-recovery-code"},
    [MFA_OUTCOME_NOT_ACTIVE] = {MFA_LOG_WARN, "not-active"},
    [MFA_OUTCOME_OTHER_USERNAME] = {MFA_LOG_WARN, "other-username"},
    [MFA_OUTCOME_CHALLENGED] = {MFA_LOG_INFO, "challenged"},
    [MFA_OUTCOME_CHALLENGE_DELAYED] = {MFA_LOG_INFO, "challenge-delayed"},
    [MFA_OUTCOME_ACTIVATION_OPENED] = {MFA_LOG_INFO, "activation-opened"},
    [MFA_OUTCOME_ACTIVATION_OPENED_IN_BROWSER] = {MFA_LOG_INFO, "activation-opened"},
    [MFA_OUTCOME_ENROLLED] = {MFA_LOG_INFO, "enrolled"},
    [MFA_OUTCOME_REPLACED] = {MFA_LOG_INFO, "replaced"},
    [MFA_OUTCOME_RECOVERY_CODES_RENEWED] = {MFA_LOG_INFO, "recovery-codes-renewed"},
    [MFA_OUTCOME_CHALLENGE_SENT] = {MFA_LOG_INFO, "challenge-sent"},
    [MFA_OUTCOME_VERIFIED] = {MFA_LOG_INFO, "verified"},
    [MFA_OUTCOME_DEACTIVATED] = {MFA_LOG_INFO, "deactivated"},
    [MFA_OUTCOME_RESET] = {MFA_LOG_INFO, "reset"},
};

/* A flow that is about to end, with a canary wherever one could hide. */
struct desk {
    struct fake_host fake;
    struct mfa_core core;
    struct mfa_recovery_codes codes;
    struct mfa_flow flow;
};

#define CANARY "canary"

static int setup(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct mfa_flow *flow = NULL;

    assert_non_null(desk);
    fake_host_init(&desk->fake);
    desk->core.host = fake_host_port(&desk->fake);
    flow = &desk->flow;
    flow->core = &desk->core;
    flow->event = "mfa.verify";
    flow->user_id = "id-" CANARY;
    flow->username = "julia";
    flow->client_address = "203.0.113.7";
    snprintf(flow->finding.why, sizeof flow->finding.why, CANARY);
    flow->body_secret = json_pack("{s:s}", CANARY, CANARY);
    snprintf(flow->token_secret, sizeof flow->token_secret, CANARY);
    snprintf(flow->code_secret, sizeof flow->code_secret, CANARY);
    snprintf(flow->hint, sizeof flow->hint, CANARY);
    snprintf(flow->problem.path, sizeof flow->problem.path, "#/" CANARY);
    snprintf(flow->recovery_stored, sizeof flow->recovery_stored, CANARY);
    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++)
        snprintf(desk->codes.text_secret[i], MFA_RECOVERY_CODE_SIZE, CANARY);
    flow->recovery_codes_secret = &desk->codes;
    flow->problem.message = flow->enrolment.hint = flow->reply.path = flow->reply.detail = CANARY;
    flow->reply.token_secret = flow->reply.grant_secret = CANARY;
    flow->reply.grant_len = strlen(CANARY);
    *state = desk;
    return 0;
}

static int teardown(void **state)
{
    struct desk *desk = *state;

    json_decref(desk->flow.body_secret);
    fake_host_clear(&desk->fake);
    free(desk);
    return 0;
}

/* What the flow leaves in the log when it ends so. */
static const char *log_of(struct desk *desk, enum mfa_outcome outcome)
{
    desk->fake.log[0] = '\0';
    desk->flow.reply.outcome = outcome;
    mfa_audit_log(&desk->flow);
    return desk->fake.log;
}

static void each_outcome_has_its_line_and_nothing_else(void **state)
{
    struct desk *desk = *state;
    char expected[256];

    for (unsigned outcome = 0; outcome < MFA_OUTCOME_COUNT; outcome++) {
        snprintf(expected, sizeof expected, "%d event=mfa.verify outcome=%s user=julia session=- client=203.0.113.7\n",
                 (int)words[outcome].level, words[outcome].word != NULL ? words[outcome].word : "");
        assert_string_equal(log_of(desk, outcome), words[outcome].word != NULL ? expected : "");
    }
}

static void logins_without_mfa_and_mere_questions_leave_no_line(void **state)
{
    assert_string_equal(log_of(*state, MFA_OUTCOME_ALLOWED), "");
    assert_string_equal(log_of(*state, MFA_OUTCOME_STATUS), "");
}

static void a_session_is_told_by_the_start_of_its_key(void **state)
{
    static const unsigned char key[] = {0x1f, 0x9c, 0x03, 0xaa, 0x55, 0x66};
    struct desk *desk = *state;

    memcpy(desk->flow.session_ref.key, key, sizeof key);
    assert_string_equal(log_of(desk, MFA_OUTCOME_VERIFIED), VERIFIED("-"));
    desk->flow.has_session_ref = true;
    assert_string_equal(log_of(desk, MFA_OUTCOME_VERIFIED), VERIFIED("1f9c03aa"));
    desk->flow.session_ref.key[4] = 0x77;
    assert_string_equal(log_of(desk, MFA_OUTCOME_VERIFIED), VERIFIED("1f9c03aa"));
}

static void an_address_that_is_not_known_is_a_dash(void **state)
{
    struct desk *desk = *state;

    desk->flow.client_address = "";
    assert_string_equal(log_of(desk, MFA_OUTCOME_WRONG_CODE),
                        "1 event=mfa.verify outcome=wrong-code user=julia session=- client=-\n");
}

/* A core may take names that we would not, or an address from a header. */
static void what_the_core_passes_on_cannot_forge_a_field_or_a_line(void **state)
{
    static const struct {
        const char *passed_on;
        const char *logged;
    } rows[] = {
        {"julia outcome=verified", "julia?outcome=verified"},
        {"julia\n2 event=mfa.reset outcome=reset user=bob", "julia?2?event=mfa.reset?outcome=reset?user=bob"},
        {"a\r\nb\tc\vd\x1b[2K", "a??b?c?d?[2K"},
        {"\"a", "?a"},
        {"j\xc3\xbclia", "j??lia"},
        {"a\xc2\xa0"
         "b\xe2\x80\xa8"
         "c\xc2\x85"
         "d",
         "a??b???c??d"},
        {"\x7f", "?"},
        {"%s%n%p", "%s%n%p"},
        {"fe80::1%eth0", "fe80::1%eth0"},
        {"", "-"},
    };
    struct desk *desk = *state;
    char expected[512];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        desk->flow.username = rows[i].passed_on;
        desk->flow.client_address = rows[i].passed_on;
        snprintf(expected, sizeof expected, "1 event=mfa.verify outcome=wrong-code user=%s session=- client=%s\n",
                 rows[i].logged, rows[i].logged);
        assert_string_equal(log_of(desk, MFA_OUTCOME_WRONG_CODE), expected);
    }
}

static void the_longest_line_is_whole(void **state)
{
    struct desk *desk = *state;
    struct mfa_flow *flow = &desk->flow;
    char username[MFA_USER_ID_SIZE] = "";
    char client_address[MFA_CLIENT_ADDRESS_SIZE] = "";
    char expected[1024];

    flow->event = "mfa.recovery-codes";
    memset(username, 'u', sizeof username - 1);
    memset(client_address, 'f', sizeof client_address - 1);
    flow->username = username;
    flow->client_address = client_address;
    snprintf(expected, sizeof expected,
             "2 event=mfa.recovery-codes outcome=recovery-codes-renewed user=%s session=- client=%s\n", username,
             client_address);
    assert_string_equal(log_of(desk, MFA_OUTCOME_RECOVERY_CODES_RENEWED), expected);
}

#define IN_DESK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DESK(each_outcome_has_its_line_and_nothing_else),
        IN_DESK(logins_without_mfa_and_mere_questions_leave_no_line),
        IN_DESK(a_session_is_told_by_the_start_of_its_key),
        IN_DESK(an_address_that_is_not_known_is_a_dash),
        IN_DESK(what_the_core_passes_on_cannot_forge_a_field_or_a_line),
        IN_DESK(the_longest_line_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
