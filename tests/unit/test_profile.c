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
#include "mfa_json.h"
#include "mfa_profile.h"

#define USER "id-alice"
#define CODE "0f8fad5b-d9cb-469f-a165-70867728950e"
#define OTHER_CODE "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define LEGACY "{\"content\":{\"number\":\"41791231212\"},\"recoveryCodes\":[\"" CODE "\",\"" OTHER_CODE "\"]}"

struct desk {
    bool was_enrolled;
    struct fake_host fake;
    struct mfa_host_port host;
    struct mfa_recovery_codes codes;
};

static int setup(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    assert_non_null(desk);
    fake_host_init(&desk->fake);
    desk->host = fake_host_port(&desk->fake);
    assert_int_equal(mfa_recovery_draw(&desk->host, &desk->codes), MFA_OK);
    *state = desk;
    return 0;
}

static int teardown(void **state)
{
    struct desk *desk = *state;

    fake_host_clear(&desk->fake);
    free(desk);
    return 0;
}

static enum mfa_status replace_only(struct desk *desk, const unsigned char replaced_id[static MFA_ENROLMENT_ID_LEN])
{
    json_t *user_data = json_pack("{s:s, s:i}", "number", "41791231212", "n", 7);
    enum mfa_status status =
        mfa_profile_replace(&desk->host, USER, replaced_id, user_data, &desk->codes, &desk->was_enrolled);

    mfa_json_free(user_data);
    return status;
}

/* Whatever is there. */
static enum mfa_status replace(struct desk *desk)
{
    unsigned char id[MFA_ENROLMENT_ID_LEN];
    enum mfa_status status = mfa_profile_load_id(&desk->host, USER, id);

    return status == MFA_OK ? replace_only(desk, id) : status;
}

static enum mfa_status recover(struct desk *desk, const char *code)
{
    char stored[MFA_RECOVERY_STORED_SIZE];

    mfa_recovery_hash(code, stored);
    return mfa_profile_recover(&desk->host, USER, stored);
}

static void assert_stored(struct desk *desk, const char *expected)
{
    char *stored = fake_host_profile(&desk->fake, USER);

    if (expected == NULL)
        assert_null(stored);
    else
        assert_string_equal(stored, expected);
    free(stored);
}

static void what_is_stored_has_the_documented_shape(void **state)
{
    struct desk *desk = *state;
    char *text = NULL;
    json_t *root = NULL;
    const json_t *codes = NULL;

    assert_int_equal(replace(desk), MFA_OK);
    text = fake_host_profile(&desk->fake, USER);
    root = json_loads(text, 0, NULL);
    codes = json_object_get(root, "recoveryCodes");
    assert_int_equal(json_object_size(root), 4);
    assert_true(json_string_length(json_object_get(root, "enrolmentId")) > 20);
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "content"), "number")), "41791231212");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "content"), "n")), 7);
    assert_true(json_real_value(json_object_get(root, "confirmedAt")) == 1700000000.123);
    assert_int_equal(json_array_size(codes), MFA_RECOVERY_CODE_COUNT);
    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        char stored[MFA_RECOVERY_STORED_SIZE];
        mfa_recovery_hash(desk->codes.text_secret[i], stored);
        assert_string_equal(json_string_value(json_array_get(codes, i)), stored);
        assert_null(strstr(text, desk->codes.text_secret[i]));
    }
    json_decref(root);
    free(text);
}

static void what_was_stored_is_loaded(void **state)
{
    struct desk *desk = *state;
    struct mfa_profile profile;

    assert_int_equal(replace(desk), MFA_OK);
    assert_int_equal(mfa_profile_load(&profile, &desk->host, USER), MFA_OK);
    assert_string_equal(json_string_value(json_object_get(profile.user_data, "number")), "41791231212");
    assert_int_equal(mfa_profile_recovery_codes_left(&profile), MFA_RECOVERY_CODE_COUNT);
    assert_true(mfa_profile_confirmed_at(&profile) == 1700000000.123);
    assert_true(profile.version > 0);
    mfa_profile_clear(&profile);
    mfa_profile_clear(&profile);
}

static void profiles_of_other_software_are_read(void **state)
{
    struct desk *desk = *state;
    struct mfa_profile profile;

    fake_host_set_profile(&desk->fake, USER, LEGACY);
    assert_int_equal(mfa_profile_load(&profile, &desk->host, USER), MFA_OK);
    assert_int_equal(mfa_profile_recovery_codes_left(&profile), 2);
    assert_true(mfa_profile_confirmed_at(&profile) < 0);
    mfa_profile_clear(&profile);
}

static void what_cannot_be_read_is_never_no_enrolment(void **state)
{
    static const char *const corrupt[] = {
        "",
        " ",
        "null",
        "[]",
        "{}",
        "garbage",
        "{\"content\":{}",
        "{\"content\":{}}",
        "{\"recoveryCodes\":[]}",
        "{\"content\":null,\"recoveryCodes\":[]}",
        "{\"content\":\"x\",\"recoveryCodes\":[]}",
        "{\"content\":[],\"recoveryCodes\":[]}",
        "{\"content\":{},\"recoveryCodes\":{}}",
        "{\"content\":{},\"recoveryCodes\":null}",
    };
    struct desk *desk = *state;
    struct mfa_profile profile;

    for (size_t i = 0; i < sizeof corrupt / sizeof corrupt[0]; i++) {
        fake_host_set_profile(&desk->fake, USER, corrupt[i]);
        assert_int_equal(mfa_profile_load(&profile, &desk->host, USER), MFA_ERR_SYNTAX);
        assert_null(profile.root);
        assert_int_equal(recover(desk, CODE), MFA_ERR_SYNTAX);
        assert_stored(desk, corrupt[i]);
    }
    desk->fake.load_fails = true;
    assert_int_equal(mfa_profile_load(&profile, &desk->host, USER), MFA_ERR_INTERNAL);
    assert_int_equal(recover(desk, CODE), MFA_ERR_INTERNAL);
    assert_int_equal(mfa_profile_remove(&desk->host, USER), MFA_ERR_INTERNAL);
    assert_int_equal(replace(desk), MFA_ERR_INTERNAL);
    assert_int_equal(desk->fake.stores, 0);
}

static void nothing_stored_is_not_found(void **state)
{
    struct desk *desk = *state;
    struct mfa_profile profile;

    assert_int_equal(mfa_profile_load(&profile, &desk->host, USER), MFA_ERR_NOT_FOUND);
    assert_int_equal(mfa_profile_remove(&desk->host, USER), MFA_ERR_NOT_FOUND);
    assert_int_equal(recover(desk, CODE), MFA_ERR_NOT_FOUND);
    assert_int_equal(desk->fake.stores, 0);
}

static void a_replacement_replaces_what_cannot_be_read(void **state)
{
    struct desk *desk = *state;
    struct mfa_profile profile;

    fake_host_set_profile(&desk->fake, USER, "garbage");
    assert_int_equal(replace(desk), MFA_OK);
    assert_int_equal(mfa_profile_load(&profile, &desk->host, USER), MFA_OK);
    mfa_profile_clear(&profile);
}

static void a_replacement_replaces_only_what_it_is_for(void **state)
{
    static const char *const stored[] = {NULL, LEGACY, "{\"content\":{},\"recoveryCodes\":[]}", "garbage",
                                         "other garbage"};
    struct desk *desk = *state;

    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        for (size_t j = 0; j < sizeof stored / sizeof stored[0]; j++) {
            unsigned char id[MFA_ENROLMENT_ID_LEN];
            fake_host_set_profile(&desk->fake, USER, stored[i]);
            assert_int_equal(mfa_profile_load_id(&desk->host, USER, id), MFA_OK);
            fake_host_set_profile(&desk->fake, USER, stored[j]);
            if (j == i || stored[j] == NULL) {
                assert_int_equal(replace_only(desk, id), MFA_OK);
                assert_int_equal(desk->was_enrolled, stored[j] != NULL);
            } else {
                assert_int_equal(replace_only(desk, id), MFA_ERR_DENIED);
                assert_stored(desk, stored[j]);
            }
        }
    }
}

static enum mfa_status store_behind_a_rival(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                                            const char *data, size_t len)
{
    const struct mfa_host_port real = fake_host_port(ctx);

    fake_host_set_record(ctx, record, user_id, LEGACY);
    return real.profile_store(ctx, record, user_id, expected, data, len);
}

static void of_two_that_replace_the_same_the_second_is_refused(void **state)
{
    const unsigned char none[MFA_ENROLMENT_ID_LEN] = {0};
    struct desk *desk = *state;

    desk->host.profile_store = store_behind_a_rival;
    assert_int_equal(replace_only(desk, none), MFA_ERR_DENIED);
    assert_stored(desk, LEGACY);
}

static void a_removal_removes_what_cannot_be_read(void **state)
{
    struct desk *desk = *state;

    fake_host_set_profile(&desk->fake, USER, "garbage");
    assert_int_equal(mfa_profile_remove(&desk->host, USER), MFA_OK);
    assert_stored(desk, NULL);
}

static void a_conflict_is_tried_again(void **state)
{
    struct desk *desk = *state;

    desk->fake.conflicts = 1;
    assert_int_equal(replace(desk), MFA_OK);
    assert_int_equal(desk->fake.stores, 2);
    desk->fake.conflicts = 1;
    assert_int_equal(mfa_profile_remove(&desk->host, USER), MFA_OK);
    assert_stored(desk, NULL);
    fake_host_set_profile(&desk->fake, USER, LEGACY);
    desk->fake.conflicts = 1;
    assert_int_equal(recover(desk, CODE), MFA_OK);
    assert_stored(desk, NULL);
}

static void endless_conflicts_end_in_a_failure(void **state)
{
    struct desk *desk = *state;

    fake_host_set_profile(&desk->fake, USER, LEGACY);
    desk->fake.conflicts = 1000;
    assert_int_equal(replace(desk), MFA_ERR_CONFLICT);
    assert_int_equal(mfa_profile_remove(&desk->host, USER), MFA_ERR_CONFLICT);
    assert_int_equal(recover(desk, CODE), MFA_ERR_CONFLICT);
    assert_stored(desk, LEGACY);
}

static void a_failing_store_leaves_what_was_there(void **state)
{
    struct desk *desk = *state;

    fake_host_set_profile(&desk->fake, USER, LEGACY);
    desk->fake.store_fails = true;
    assert_int_equal(replace(desk), MFA_ERR_INTERNAL);
    assert_int_equal(mfa_profile_remove(&desk->host, USER), MFA_ERR_INTERNAL);
    assert_int_equal(recover(desk, CODE), MFA_ERR_INTERNAL);
    assert_stored(desk, LEGACY);
}

static void without_a_clock_nothing_is_stored(void **state)
{
    struct desk *desk = *state;

    desk->fake.wall_clock_fails = true;
    assert_int_equal(replace(desk), MFA_ERR_INTERNAL);
    assert_int_equal(desk->fake.stores, 0);
}

static void each_recovery_code_removes_the_enrolment_once(void **state)
{
    struct desk *desk = *state;

    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        assert_int_equal(replace(desk), MFA_OK);
        assert_int_equal(recover(desk, CODE), MFA_ERR_DENIED);
        assert_int_equal(recover(desk, desk->codes.text_secret[i]), MFA_OK);
        assert_stored(desk, NULL);
        assert_int_equal(recover(desk, desk->codes.text_secret[i]), MFA_ERR_NOT_FOUND);
    }
}

static void clear_codes_of_other_software_recover(void **state)
{
    struct desk *desk = *state;

    fake_host_set_profile(&desk->fake, USER, LEGACY);
    assert_int_equal(recover(desk, OTHER_CODE), MFA_OK);
    assert_stored(desk, NULL);
}

static void entries_that_are_no_codes_recover_nothing(void **state)
{
    struct desk *desk = *state;
    const char none[MFA_RECOVERY_STORED_SIZE] = {0};

    fake_host_set_profile(&desk->fake, USER,
                          "{\"content\":{},\"recoveryCodes\":[null,1,\"\",[\"" CODE "\"],{\"a\":\"" CODE "\"}]}");
    assert_int_equal(recover(desk, CODE), MFA_ERR_DENIED);
    assert_int_equal(mfa_profile_recover(&desk->host, USER, none), MFA_ERR_DENIED);
}

static void enrolment_id(struct desk *desk, unsigned char id[static MFA_ENROLMENT_ID_LEN])
{
    struct mfa_profile profile;

    assert_int_equal(mfa_profile_load(&profile, &desk->host, USER), MFA_OK);
    assert_int_equal(mfa_profile_enrolment_id(&profile, id), MFA_OK);
    mfa_profile_clear(&profile);
}

static void an_enrolment_is_told_from_its_replacement_by_the_same_data(void **state)
{
    struct desk *desk = *state;
    unsigned char first[MFA_ENROLMENT_ID_LEN], again[MFA_ENROLMENT_ID_LEN], second[MFA_ENROLMENT_ID_LEN];

    assert_int_equal(replace(desk), MFA_OK);
    enrolment_id(desk, first);
    enrolment_id(desk, again);
    assert_int_equal(replace(desk), MFA_OK);
    enrolment_id(desk, second);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
}

static void an_enrolment_is_told_from_one_with_other_data(void **state)
{
    struct desk *desk = *state;
    unsigned char first[MFA_ENROLMENT_ID_LEN], second[MFA_ENROLMENT_ID_LEN];

    fake_host_set_profile(&desk->fake, USER, LEGACY);
    enrolment_id(desk, first);
    fake_host_set_profile(&desk->fake, USER, "{\"content\":{\"number\":\"41791231213\"},\"recoveryCodes\":[]}");
    enrolment_id(desk, second);
    assert_memory_not_equal(first, second, sizeof first);
}

#define IN_DESK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DESK(what_is_stored_has_the_documented_shape),
        IN_DESK(what_was_stored_is_loaded),
        IN_DESK(profiles_of_other_software_are_read),
        IN_DESK(what_cannot_be_read_is_never_no_enrolment),
        IN_DESK(nothing_stored_is_not_found),
        IN_DESK(a_replacement_replaces_what_cannot_be_read),
        IN_DESK(a_replacement_replaces_only_what_it_is_for),
        IN_DESK(of_two_that_replace_the_same_the_second_is_refused),
        IN_DESK(a_removal_removes_what_cannot_be_read),
        IN_DESK(a_conflict_is_tried_again),
        IN_DESK(endless_conflicts_end_in_a_failure),
        IN_DESK(a_failing_store_leaves_what_was_there),
        IN_DESK(without_a_clock_nothing_is_stored),
        IN_DESK(each_recovery_code_removes_the_enrolment_once),
        IN_DESK(clear_codes_of_other_software_recover),
        IN_DESK(entries_that_are_no_codes_recover_nothing),
        IN_DESK(an_enrolment_is_told_from_its_replacement_by_the_same_data),
        IN_DESK(an_enrolment_is_told_from_one_with_other_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
