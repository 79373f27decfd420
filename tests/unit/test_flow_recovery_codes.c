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
#include "mfa_profile.h"
#include "mfa_record.h"

#define CODE "0f8fad5b-d9cb-469f-a165-70867728950e"
#define LEGACY "{\"content\":" FIXTURE_SINGLE_DATA ",\"recoveryCodes\":[\"" CODE "\"]}"

static const struct fixture_input alices = {.body = "{}"};

struct codes {
    char text[MFA_RECOVERY_CODE_COUNT][MFA_RECOVERY_CODE_SIZE];
};

/* The codes of an answer, which holds ten of them and nothing else. */
static struct codes codes_of(const struct fake_completion *completion)
{
    json_t *body = fixture_body(completion);
    const json_t *list = json_object_get(body, "recoveryCodes");
    struct codes codes;

    assert_int_equal(completion->http.decision, MFA_ANSWER);
    assert_int_equal(completion->http.status, 200);
    assert_int_equal(json_object_size(body), 1);
    assert_int_equal(json_array_size(list), MFA_RECOVERY_CODE_COUNT);
    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        const json_t *code = json_array_get(list, i);
        assert_int_equal(mfa_recovery_parse(codes.text[i], json_string_value(code), json_string_length(code)), MFA_OK);
    }
    json_decref(body);
    return codes;
}

static struct codes enrol(struct fixture *fixture)
{
    char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];

    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    return codes_of(fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code));
}

static struct codes renew(struct fixture *fixture)
{
    return codes_of(fixture_run(fixture, mfa_flow_recovery_codes, &alices));
}

static enum mfa_outcome recover(struct fixture *fixture, const char *code)
{
    char body[256];

    snprintf(body, sizeof body, "{\"username\":\"alice\",\"password\":\"" FAKE_PASSWORD "\",\"recoveryCode\":\"%s\"}",
             code);
    return fixture_run(fixture, mfa_flow_recover, &(struct fixture_input){.body = body})->outcome;
}

/* Whether these are the codes that are stored, hashed. */
static bool are_stored(struct fixture *fixture, const struct codes *codes)
{
    char *profile = fake_host_profile(&fixture->host, "id-alice");
    size_t found = 0;

    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        char stored[MFA_RECOVERY_STORED_SIZE];
        mfa_recovery_hash(codes->text[i], stored);
        found += strstr(profile, stored) != NULL;
    }
    free(profile);
    assert_true(found == 0 || found == MFA_RECOVERY_CODE_COUNT);
    return found > 0;
}

/* Refused so, and the stored enrolment has not changed. */
static void assert_refused(struct fixture *fixture, const struct fixture_input *input, uint32_t status, const char *id)
{
    char *before = fake_host_profile(&fixture->host, "id-alice");
    char *after = NULL;

    fixture_assert_error(fixture_run(fixture, mfa_flow_recovery_codes, input), status, id, NULL);
    after = fake_host_profile(&fixture->host, "id-alice");
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void ten_fresh_codes_are_handed_out(void **state)
{
    struct codes old = enrol(*state);
    struct codes fresh = renew(*state);

    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        for (size_t j = 0; j < MFA_RECOVERY_CODE_COUNT; j++) {
            assert_string_not_equal(fresh.text[i], old.text[j]);
            if (j != i)
                assert_string_not_equal(fresh.text[i], fresh.text[j]);
        }
    }
}

static void the_old_codes_are_dead_and_each_new_one_recovers(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        struct codes old = enrol(fixture);
        struct codes fresh = renew(fixture);
        assert_int_equal(recover(fixture, old.text[i]), MFA_OUTCOME_BAD_RECOVERY_CODE);
        assert_int_equal(recover(fixture, fresh.text[i]), MFA_OUTCOME_DEACTIVATED);
    }
}

static void only_hashes_are_stored_and_the_rest_stays(void **state)
{
    static const char *const kept[] = {"content", "confirmedAt", "enrolmentId"};
    struct fixture *fixture = *state;
    struct codes fresh;
    char *texts[2] = {NULL};
    json_t *roots[2] = {NULL};

    enrol(fixture);
    texts[0] = fake_host_profile(&fixture->host, "id-alice");
    fake_host_advance(&fixture->host, 60000);
    fresh = renew(fixture);
    texts[1] = fake_host_profile(&fixture->host, "id-alice");
    for (size_t i = 0; i < 2; i++)
        roots[i] = json_loads(texts[i], 0, NULL);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        assert_true(json_equal(json_object_get(roots[0], kept[i]), json_object_get(roots[1], kept[i])));
    assert_int_equal(json_object_size(roots[1]), 4);
    assert_int_equal(json_array_size(json_object_get(roots[1], "recoveryCodes")), MFA_RECOVERY_CODE_COUNT);
    assert_true(are_stored(fixture, &fresh));
    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++)
        assert_null(strstr(texts[1], fresh.text[i]));
    for (size_t i = 0; i < 2; i++) {
        json_decref(roots[i]);
        free(texts[i]);
    }
}

static void codes_that_other_software_left_in_clear_are_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct codes fresh;
    char *profile = NULL;

    fake_host_set_profile(&fixture->host, "id-alice", LEGACY);
    fresh = renew(fixture);
    profile = fake_host_profile(&fixture->host, "id-alice");
    assert_null(strstr(profile, CODE));
    free(profile);
    assert_int_equal(recover(fixture, CODE), MFA_OUTCOME_BAD_RECOVERY_CODE);
    assert_int_equal(recover(fixture, fresh.text[0]), MFA_OUTCOME_DEACTIVATED);
}

static void it_is_the_same_enrolment_for_a_login_that_waits(void **state)
{
    static const char *const profiles[] = {NULL, LEGACY};
    struct fixture *fixture = *state;

    enrol(fixture);
    for (size_t i = 0; i < 2; i++) {
        char token[MFA_TOKEN_SIZE], code[MFA_CODE_SIZE];
        if (profiles[i] != NULL)
            fake_host_set_profile(&fixture->host, "id-alice", profiles[i]);
        fixture_open_login(fixture, "alice", token);
        fixture_right_code(fixture, code);
        renew(fixture);
        assert_int_equal(
            fixture_check(fixture, mfa_flow_verify, &(struct fixture_input){.token = token}, code)->outcome,
            MFA_OUTCOME_VERIFIED);
    }
}

static void other_users_keep_their_codes(void **state)
{
    struct fixture *fixture = *state;
    struct codes alices_codes = enrol(fixture);
    char *before = NULL, *after = NULL;

    fixture_enrol(fixture, "bob");
    before = fake_host_profile(&fixture->host, "id-alice");
    codes_of(fixture_run(fixture, mfa_flow_recovery_codes, &(struct fixture_input){.user = "bob"}));
    after = fake_host_profile(&fixture->host, "id-alice");
    assert_string_equal(after, before);
    assert_true(are_stored(fixture, &alices_codes));
    free(before);
    free(after);
}

static void without_mfa_there_are_none_to_renew(void **state)
{
    struct fixture *fixture = *state;

    fixture_assert_error(fixture_run(fixture, mfa_flow_recovery_codes, &alices), 400, "invalid-operation", NULL);
    assert_false(fixture_is_enrolled(fixture, "alice"));
    assert_int_equal(fixture->host.stores, 0);
}

static void a_conflict_is_tried_again_with_the_codes_handed_out(void **state)
{
    struct fixture *fixture = *state;
    struct codes old = enrol(fixture), fresh;

    fixture->host.conflicts = 2;
    fresh = renew(fixture);
    assert_true(are_stored(fixture, &fresh));
    assert_false(are_stored(fixture, &old));
}

static void endless_conflicts_hand_out_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct codes old = enrol(fixture);
    unsigned stores_before = fixture->host.stores;

    fixture->host.conflicts = 1000;
    assert_refused(fixture, &alices, 500, "unexpected-error");
    assert_int_equal(fixture->host.stores - stores_before, MFA_RECORD_MAX_TRIES);
    fixture->host.conflicts = 0;
    assert_int_equal(recover(fixture, old.text[0]), MFA_OUTCOME_DEACTIVATED);
}

/* Whoever loses too often is told so; of those who got codes, the last one's are good. */
static void of_fifty_at_the_same_time_one_has_the_codes_that_are_good(void **state)
{
    struct fixture *fixture = *state;
    struct codes old = enrol(fixture);
    size_t good = 0;

    fixture_begin_at_once(fixture, mfa_flow_recovery_codes, &alices);
    assert_int_equal(fixture_count_at_once(fixture, MFA_OUTCOME_RECOVERY_CODES_RENEWED) +
                         fixture_count_at_once(fixture, MFA_OUTCOME_INTERNAL),
                     FIXTURE_THREADS);
    for (uint64_t call = fixture->call_count - FIXTURE_THREADS + 1; call <= fixture->call_count; call++) {
        const struct fake_completion *renewed = fake_host_wait(&fixture->host, call);
        if (renewed->outcome == MFA_OUTCOME_RECOVERY_CODES_RENEWED) {
            struct codes codes = codes_of(renewed);
            good += are_stored(fixture, &codes);
        }
    }
    assert_int_equal(good, 1);
    assert_false(are_stored(fixture, &old));
}

static void a_failing_host_changes_nothing_and_hands_out_nothing(void **state)
{
    struct fixture *fixture = *state;
    bool *const failures[] = {&fixture->host.load_fails, &fixture->host.store_fails, &fixture->host.random_fails,
                              &fixture->host.clock_fails};
    struct codes old = enrol(fixture);

    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        *failures[i] = true;
        assert_refused(fixture, &alices, 500, "unexpected-error");
        *failures[i] = false;
    }
    assert_int_equal(recover(fixture, old.text[9]), MFA_OUTCOME_DEACTIVATED);
}

static void an_enrolment_that_cannot_be_read_is_left_as_it_is(void **state)
{
    struct fixture *fixture = *state;

    fake_host_set_profile(&fixture->host, "id-alice", "{\"recoveryCodes\":[\"" CODE "\"]}");
    assert_refused(fixture, &alices, 500, "unexpected-error");
}

static void a_body_that_is_no_object_is_refused(void **state)
{
    struct fixture *fixture = *state;

    enrol(fixture);
    assert_refused(fixture, &(struct fixture_input){.body = "[]"}, 400, "invalid-request-structure");
    codes_of(fixture_run(fixture, mfa_flow_recovery_codes, &(struct fixture_input){0}));
}

/* Codes that nobody reads would leave the user with none. */
static void when_nobody_waits_any_more_the_old_codes_stay(void **state)
{
    struct fixture *fixture = *state;
    struct codes old = enrol(fixture);

    fixture->host.is_cancelled = true;
    assert_int_equal(fixture_run(fixture, mfa_flow_recovery_codes, &alices)->http.decision, MFA_DENY);
    assert_true(are_stored(fixture, &old));
}

static void where_a_step_up_is_required_it_takes_the_password(void **state)
{
    struct fixture *fixture = fixture_restart(state, FIXTURE_SINGLE("", "stepUp:\n  required: true\n"));
    struct codes fresh;

    enrol(fixture);
    assert_refused(fixture, &alices, 400, "invalid-parameters-format");
    assert_refused(fixture, &(struct fixture_input){.body = "{\"password\":\"wrong\"}"}, 403, "invalid-step-up");
    fresh = codes_of(fixture_run(fixture, mfa_flow_recovery_codes,
                                 &(struct fixture_input){.body = "{\"password\":\"" FAKE_PASSWORD "\"}"}));
    assert_true(are_stored(fixture, &fresh));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(ten_fresh_codes_are_handed_out),
        IN_SINGLE(the_old_codes_are_dead_and_each_new_one_recovers),
        IN_SINGLE(only_hashes_are_stored_and_the_rest_stays),
        IN_SINGLE(codes_that_other_software_left_in_clear_are_replaced),
        IN_SINGLE(it_is_the_same_enrolment_for_a_login_that_waits),
        IN_SINGLE(other_users_keep_their_codes),
        IN_SINGLE(without_mfa_there_are_none_to_renew),
        IN_SINGLE(a_conflict_is_tried_again_with_the_codes_handed_out),
        IN_SINGLE(endless_conflicts_hand_out_nothing),
        IN_SINGLE(of_fifty_at_the_same_time_one_has_the_codes_that_are_good),
        IN_SINGLE(a_failing_host_changes_nothing_and_hands_out_nothing),
        IN_SINGLE(an_enrolment_that_cannot_be_read_is_left_as_it_is),
        IN_SINGLE(a_body_that_is_no_object_is_refused),
        IN_SINGLE(when_nobody_waits_any_more_the_old_codes_stay),
        IN_SINGLE(where_a_step_up_is_required_it_takes_the_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
