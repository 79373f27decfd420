/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "mfa_reply.h"

static const struct mfa_recovery_codes codes = {{"first", "second", "3", "4", "5", "6", "7", "8", "9", "tenth"}};
static const struct mfa_enrolment_view enrolled = {
    .is_active = true, .mode = "single", .hint = "+41 **", .recovery_codes_left = 9, .confirmed_at = 1700000000.123};

/* A reply with every payload there is. */
static struct mfa_reply full(enum mfa_outcome outcome)
{
    return (struct mfa_reply){.outcome = outcome,
                              .attempts_left = 3,
                              .retry_after_s = 30,
                              .path = "#/code",
                              .detail = "The code must be given.",
                              .token_secret = "a-token",
                              .recovery_codes_secret = &codes,
                              .grant_secret = "the grant",
                              .grant_len = 9,
                              .enrolment = &enrolled};
}

static void assert_renders(const struct mfa_reply *reply, enum mfa_decision decision, uint32_t status, const char *body)
{
    struct mfa_http_reply http;

    assert_int_equal(mfa_reply_render(reply, &http), MFA_OK);
    assert_int_equal(http.decision, decision);
    assert_int_equal(http.status, status);
    if (body == NULL)
        assert_int_equal(http.body.len, 0);
    else
        assert_string_equal(http.body.data, body);
    mfa_http_reply_clear(&http);
    mfa_http_reply_clear(&http);
}

static void every_error_has_its_row_of_the_table(void **state)
{
    static const struct {
        enum mfa_outcome outcome;
        uint32_t status;
        const char *id;
        const char *data_id;
    } rows[] = {
        {MFA_OUTCOME_INTERNAL, 500, "unexpected-error", NULL},
        {MFA_OUTCOME_DISABLED, 503, "api-unavailable", NULL},
        {MFA_OUTCOME_NO_TOKEN, 400, "invalid-parameters-format", NULL},
        {MFA_OUTCOME_BAD_TOKEN, 401, "invalid-access-token", NULL},
        {MFA_OUTCOME_BAD_BODY, 400, "invalid-request-structure", NULL},
        {MFA_OUTCOME_BAD_PARAMETER, 400, "invalid-parameters-format", NULL},
        {MFA_OUTCOME_WRONG_CODE, 400, "invalid-parameters-format", "invalid-mfa-code"},
        {MFA_OUTCOME_EXPIRED_CODE, 400, "invalid-parameters-format", "expired-mfa-code"},
        {MFA_OUTCOME_ATTEMPTS_USED_UP, 401, "invalid-access-token", "too-many-attempts"},
        {MFA_OUTCOME_THROTTLED, 429, "too-many-attempts", NULL},
        {MFA_OUTCOME_TOO_MANY_PENDING, 429, "too-many-requests", NULL},
        {MFA_OUTCOME_STOPPED, 403, "forbidden", "mfa-stopped"},
        {MFA_OUTCOME_STEP_UP_NEEDED, 400, "invalid-parameters-format", "step-up-required"},
        {MFA_OUTCOME_BAD_STEP_UP, 403, "invalid-step-up", NULL},
        {MFA_OUTCOME_PROVIDER_ERROR, 400, "invalid-operation", "mfa-sms-provider-error"},
        {MFA_OUTCOME_PROVIDER_TIMEOUT, 400, "invalid-operation", "mfa-sms-provider-timeout"},
        {MFA_OUTCOME_QUEUE_FULL, 503, "api-unavailable", NULL},
        {MFA_OUTCOME_BAD_CREDENTIALS, 401, "invalid-credentials", NULL},
        {MFA_OUTCOME_BAD_RECOVERY_CODE, 400, "invalid-parameters-format", "invalid-recovery-code"},
        {MFA_OUTCOME_NOT_ACTIVE, 400, "invalid-operation", NULL},
        {MFA_OUTCOME_OTHER_USERNAME, 400, "invalid-operation", NULL},
    };

    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], MFA_OUTCOME_ALLOWED); /* the first that is no error */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mfa_reply reply = full(rows[i].outcome);
        struct mfa_http_reply http;
        json_t *body = NULL;
        const json_t *error = NULL;

        assert_int_equal(mfa_reply_render(&reply, &http), MFA_OK);
        body = json_loads(http.body.data, 0, NULL);
        error = json_object_get(body, "error");
        assert_int_equal(http.decision, MFA_DENY);
        assert_int_equal(http.status, rows[i].status);
        assert_string_equal(json_string_value(json_object_get(error, "id")), rows[i].id);
        assert_true(json_string_length(json_object_get(error, "message")) > 0);
        if (rows[i].data_id != NULL)
            assert_string_equal(json_string_value(json_object_get(json_object_get(error, "data"), "id")),
                                rows[i].data_id);
        else if (rows[i].outcome != MFA_OUTCOME_BAD_PARAMETER && rows[i].outcome != MFA_OUTCOME_THROTTLED)
            assert_null(json_object_get(error, "data"));
        assert_null(strstr(http.body.data, "a-token"));
        assert_null(strstr(http.body.data, "the grant"));
        assert_true(strlen(mfa_outcome_name(rows[i].outcome)) > 0);
        json_decref(body);
        mfa_http_reply_clear(&http);
    }
}

static void a_disabled_server_says_so(void **state)
{
    struct mfa_reply reply = full(MFA_OUTCOME_DISABLED);

    (void)state;
    assert_renders(&reply, MFA_DENY, 503,
                   "{\"error\":{\"id\":\"api-unavailable\",\"message\":\"MFA is not enabled on this server.\"}}");
}

static void a_bad_parameter_is_named(void **state)
{
    struct mfa_reply reply = full(MFA_OUTCOME_BAD_PARAMETER);

    (void)state;
    assert_renders(&reply, MFA_DENY, 400,
                   "{\"error\":{\"id\":\"invalid-parameters-format\",\"message\":\"A parameter is missing or "
                   "malformed.\",\"data\":[{\"path\":\"#/code\",\"message\":\"The code must be given.\"}]}}");
}

static void a_wrong_code_says_how_many_attempts_are_left(void **state)
{
    struct mfa_reply reply = full(MFA_OUTCOME_WRONG_CODE);

    (void)state;
    assert_renders(&reply, MFA_DENY, 400,
                   "{\"error\":{\"id\":\"invalid-parameters-format\",\"message\":\"The code is wrong.\","
                   "\"data\":{\"id\":\"invalid-mfa-code\",\"attemptsLeft\":3}}}");
    reply.attempts_left = UINT32_MAX; /* not limited */
    assert_renders(&reply, MFA_DENY, 400,
                   "{\"error\":{\"id\":\"invalid-parameters-format\",\"message\":\"The code is wrong.\","
                   "\"data\":{\"id\":\"invalid-mfa-code\"}}}");
}

static void what_passes_says_when_to_come_back(void **state)
{
    static const enum mfa_outcome passing[] = {MFA_OUTCOME_THROTTLED, MFA_OUTCOME_TOO_MANY_PENDING,
                                               MFA_OUTCOME_QUEUE_FULL};

    (void)state;
    for (size_t i = 0; i < MFA_OUTCOME_COUNT; i++) {
        struct mfa_reply reply = full((enum mfa_outcome)i);
        struct mfa_http_reply http;
        const char *expected = "";

        for (size_t j = 0; j < sizeof passing / sizeof passing[0]; j++)
            expected = passing[j] == i ? "30" : expected;
        assert_int_equal(mfa_reply_render(&reply, &http), MFA_OK);
        assert_string_equal(http.retry_after, expected);
        mfa_http_reply_clear(&http);
    }
}

#define TEN_CODES "{\"recoveryCodes\":[\"first\",\"second\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"tenth\"]}"

static void successes_have_the_documented_bodies(void **state)
{
    static const struct {
        enum mfa_outcome outcome;
        enum mfa_decision decision;
        uint32_t status;
        const char *body;
    } rows[] = {
        {MFA_OUTCOME_ALLOWED, MFA_ALLOW, 0, NULL},
        {MFA_OUTCOME_CHALLENGED, MFA_CHALLENGE, 200, "{\"mfaToken\":\"a-token\"}"},
        {MFA_OUTCOME_CHALLENGE_DELAYED, MFA_CHALLENGE, 200, "{\"mfaToken\":\"a-token\",\"retryAfterSeconds\":30}"},
        {MFA_OUTCOME_ACTIVATION_OPENED, MFA_ANSWER, 302, "{\"mfaToken\":\"a-token\"}"},
        {MFA_OUTCOME_ACTIVATION_OPENED_IN_BROWSER, MFA_ANSWER, 200, "{\"mfaToken\":\"a-token\"}"},
        {MFA_OUTCOME_ENROLLED, MFA_ANSWER, 200, TEN_CODES},
        {MFA_OUTCOME_REPLACED, MFA_ANSWER, 200, TEN_CODES},
        {MFA_OUTCOME_RECOVERY_CODES_RENEWED, MFA_ANSWER, 200, TEN_CODES},
        {MFA_OUTCOME_CHALLENGE_SENT, MFA_ANSWER, 200, "{\"message\":\"Please verify the MFA challenge.\"}"},
        {MFA_OUTCOME_VERIFIED, MFA_RELEASE, 0, NULL},
        {MFA_OUTCOME_DEACTIVATED, MFA_ANSWER, 200, "{\"message\":\"MFA deactivated.\"}"},
        {MFA_OUTCOME_STATUS, MFA_ANSWER, 200,
         "{\"active\":true,\"mode\":\"single\",\"hint\":\"+41 **\",\"recoveryCodesRemaining\":9,"
         "\"confirmedAt\":1700000000.123}"},
        {MFA_OUTCOME_RESET, MFA_ANSWER, 204, NULL},
    };

    (void)state;
    assert_int_equal(sizeof rows / sizeof rows[0], MFA_OUTCOME_COUNT - MFA_OUTCOME_ALLOWED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mfa_reply reply = full(rows[i].outcome);
        assert_renders(&reply, rows[i].decision, rows[i].status, rows[i].body);
    }
}

static void what_is_not_known_of_an_enrolment_is_null(void **state)
{
    static const struct mfa_enrolment_view none = {.mode = "single", .hint = "", .confirmed_at = -1};
    struct mfa_reply reply = full(MFA_OUTCOME_STATUS);

    (void)state;
    reply.enrolment = &none;
    assert_renders(&reply, MFA_ANSWER, 200,
                   "{\"active\":false,\"mode\":\"single\",\"hint\":null,\"recoveryCodesRemaining\":0,"
                   "\"confirmedAt\":null}");
}

static void a_reply_nobody_decided_on_denies(void **state)
{
    struct mfa_reply reply = {0};
    struct mfa_http_reply http;

    (void)state;
    assert_int_equal(mfa_reply_render(&reply, &http), MFA_OK);
    assert_int_equal(http.decision, MFA_DENY);
    assert_int_equal(http.status, 500);
    mfa_http_reply_clear(&http);
    assert_int_equal(http.decision, MFA_DENY);
}

static void a_pending_outcome_cannot_be_told(void **state)
{
    struct mfa_reply reply = full(MFA_OUTCOME_PENDING);
    struct mfa_http_reply http;

    (void)state;
    assert_int_equal(mfa_reply_render(&reply, &http), MFA_ERR_ARGUMENT);
    assert_int_equal(http.decision, MFA_DENY);
    assert_int_equal(http.status, 500);
    assert_int_equal(http.body.len, 0);
    assert_string_equal(mfa_outcome_name(MFA_OUTCOME_PENDING), "pending");
}

static void what_is_no_utf8_denies(void **state)
{
    struct mfa_reply reply = full(MFA_OUTCOME_CHALLENGED);
    struct mfa_http_reply http;

    (void)state;
    reply.token_secret = "\xff";
    assert_int_not_equal(mfa_reply_render(&reply, &http), MFA_OK);
    assert_int_equal(http.decision, MFA_DENY);
    assert_int_equal(http.status, 500);
    assert_int_equal(http.body.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_row_of_the_table),
        cmocka_unit_test(a_disabled_server_says_so),
        cmocka_unit_test(a_bad_parameter_is_named),
        cmocka_unit_test(a_wrong_code_says_how_many_attempts_are_left),
        cmocka_unit_test(what_passes_says_when_to_come_back),
        cmocka_unit_test(successes_have_the_documented_bodies),
        cmocka_unit_test(what_is_not_known_of_an_enrolment_is_null),
        cmocka_unit_test(a_reply_nobody_decided_on_denies),
        cmocka_unit_test(a_pending_outcome_cannot_be_told),
        cmocka_unit_test(what_is_no_utf8_denies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
