/* SPDX-License-Identifier: Apache-2.0
 *
 * A stored enrolment and a stored tally, whatever they are: who has one is never taken for somebody without MFA, and no
 * recovery code works that is not in it. The input is the enrolment up to a NUL, and the tally.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>

#include "flow_fixture.h"
#include "fuzz.h"
#include "mfa_profile.h"
#include "mfa_tally.h"
#include "scheduler.h"

#define USER_ID "id-alice"
#define NO_CODE "00000000-0000-4000-8000-000000000000"

#define CONFIG FIXTURE_SINGLE("", "recovery: {mode: consume}\n")

/* Runs a flow to its end; what the service is asked it does. */
static const struct fake_completion *run(struct fixture *fixture, mfa_flow_step_fn *first_step,
                                         const struct fixture_input *input)
{
    uint64_t call = fixture_begin(fixture, first_step, input);

    if (fixture->gateway.answered < fixture->gateway.count)
        fake_gateway_answer(&fixture->gateway, 200, "");
    while (scheduler_waiting() > 0)
        scheduler_run(0);
    return fake_host_wait(&fixture->host, call);
}

static json_t *read_enrolment(const char *text)
{
    json_t *root = text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (json_is_object(json_object_get(root, "content")) && json_is_array(json_object_get(root, "recoveryCodes")))
        return root;
    json_decref(root);
    return NULL;
}

/* --- Without a flow ------------------------------------------------------------------------------------------------- */

static void check_parsed(const char *text)
{
    struct mfa_profile profile;
    unsigned char id[MFA_ENROLMENT_ID_LEN];
    json_t *expected = read_enrolment(text);
    enum mfa_status status = mfa_profile_parse(&profile, text, strlen(text));

    /* Besides, it may be too deep. */
    assert_true(status == MFA_ERR_SYNTAX || (status == MFA_OK && json_equal(profile.root, expected)));
    if (status == MFA_OK) {
        assert_int_equal(mfa_profile_enrolment_id(&profile, id), MFA_OK);
        assert_false(sodium_is_zero(id, sizeof id));
        (void)mfa_profile_confirmed_at(&profile);
        assert_int_equal(mfa_profile_recovery_codes_left(&profile),
                         json_array_size(json_object_get(expected, "recoveryCodes")));
    }
    mfa_profile_clear(&profile);
    json_decref(expected);
}

static void check_tally(struct fixture *fixture)
{
    const struct mfa_host_port *host = &fixture->core->host;
    struct mfa_tally before;
    struct mfa_tally after;
    struct mfa_tally again;
    enum mfa_status status = mfa_tally_load(&before, host, USER_ID);

    assert_true(status == MFA_OK || status == MFA_ERR_SYNTAX);
    if (status != MFA_OK)
        return;
    assert_true(before.consecutive <= INT32_MAX && before.recent <= INT32_MAX);
    assert_int_equal(mfa_tally_add_failure(&after, host, USER_ID, 900), MFA_OK);
    assert_int_equal(after.consecutive, before.consecutive + (before.consecutive < INT32_MAX));
    assert_int_equal(after.last_wall_ms, fixture->host.wall_ms);
    assert_int_equal(mfa_tally_load(&again, host, USER_ID), MFA_OK);
    assert_int_equal(again.consecutive, after.consecutive);
    assert_int_equal(again.recent, after.recent);
}

/* --- With flows ----------------------------------------------------------------------------------------------------- */

static void check_login(struct fixture *fixture, bool is_enrolment)
{
    char token[MFA_TOKEN_SIZE];
    const struct fake_completion *login = run(fixture, mfa_flow_login, &(struct fixture_input){.grant = "grant"});
    const struct fake_completion *verify = NULL;

    assert_true(login->outcome != MFA_OUTCOME_ALLOWED && login->http.decision != MFA_ALLOW);
    assert_string_equal(login->grant, "");
    if (login->outcome != MFA_OUTCOME_CHALLENGED)
        return;
    assert_true(is_enrolment);
    fixture_token_of(login, token);
    verify = run(fixture, mfa_flow_verify,
                 &(struct fixture_input){.token = token, .body = "{\"recoveryCode\":\"" NO_CODE "\"}"});
    assert_true(verify->outcome != MFA_OUTCOME_VERIFIED && verify->grant[0] == '\0');
}

static void check_recovery(struct fixture *fixture)
{
    const struct fake_completion *recovery =
        run(fixture, mfa_flow_recover,
            &(struct fixture_input){.body = "{\"username\":\"alice\",\"password\":\"" FAKE_PASSWORD
                                            "\",\"recoveryCode\":\"" NO_CODE "\"}"});

    assert_int_not_equal(recovery->outcome, MFA_OUTCOME_DEACTIVATED);
    assert_true(fixture_is_enrolled(fixture, "alice"));
}

/* Whatever else is in the enrolment stays. */
static void check_renewal(struct fixture *fixture, const char *text)
{
    const struct fake_completion *renewal = run(fixture, mfa_flow_recovery_codes, &(struct fixture_input){0});
    char *stored = fake_host_profile(&fixture->host, USER_ID);
    json_t *before = read_enrolment(text);
    json_t *after = read_enrolment(stored);

    if (renewal->outcome == MFA_OUTCOME_RECOVERY_CODES_RENEWED) {
        assert_int_equal(json_array_size(json_object_get(after, "recoveryCodes")), MFA_RECOVERY_CODE_COUNT);
        assert_int_equal(json_object_size(after), json_object_size(before));
        assert_int_equal(json_object_size(json_object_get(after, "content")),
                         json_object_size(json_object_get(before, "content")));
    } else {
        assert_int_equal(renewal->outcome, MFA_OUTCOME_INTERNAL);
    }
    free(stored);
    json_decref(before);
    json_decref(after);
}

static void check_flows(struct fixture *fixture, const char *text)
{
    json_t *enrolment = read_enrolment(text);
    const struct fake_completion *status = run(fixture, mfa_flow_status, &(struct fixture_input){0});

    assert_true(status->outcome == MFA_OUTCOME_STATUS || status->outcome == MFA_OUTCOME_INTERNAL);
    check_login(fixture, enrolment != NULL);
    check_recovery(fixture);
    check_renewal(fixture, text);
    assert_int_equal(run(fixture, mfa_flow_deactivate, &(struct fixture_input){0})->outcome, MFA_OUTCOME_DEACTIVATED);
    assert_false(fixture_is_enrolled(fixture, "alice"));
    json_decref(enrolment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input input = {(const char *)data, len};
    char *text = fuzz_take_text(&input);
    char *tally = fuzz_take_text(&input);
    void *state = NULL;
    struct fixture *fixture = NULL;

    check_parsed(text);
    assert_int_equal(fixture_setup(&state, CONFIG), 0);
    fixture = state;
    fake_host_set_record(&fixture->host, MFA_RECORD_ATTEMPTS, USER_ID, tally[0] != '\0' ? tally : NULL);
    check_tally(fixture);
    fake_host_set_record(&fixture->host, MFA_RECORD_ATTEMPTS, USER_ID, tally[0] != '\0' ? tally : NULL);
    fake_host_set_profile(&fixture->host, USER_ID, text);
    if (strstr(text, NO_CODE) == NULL)
        check_flows(fixture, text);
    fixture_teardown(&state);
    free(text);
    free(tally);
    return 0;
}
