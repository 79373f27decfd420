/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "mfa_recovery.h"

#define CODE "0f8fad5b-d9cb-469f-a165-70867728950e"
#define OTHER_CODE "0f8fad5b-d9cb-469f-a165-70867728950f"

static struct fake_host fake;

static int setup(void **state)
{
    (void)state;
    fake_host_init(&fake);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_host_clear(&fake);
    return 0;
}

static bool matches(const char *stored, const char *presented)
{
    char code[MFA_RECOVERY_CODE_SIZE];
    char hash[MFA_RECOVERY_STORED_SIZE] = {0};

    if (mfa_recovery_parse(code, presented, strlen(presented)) == MFA_OK)
        mfa_recovery_hash(code, hash);
    return mfa_recovery_matches(stored, hash);
}

static void codes_are_different_version_4_uuids(void **state)
{
    struct mfa_host_port host = fake_host_port(&fake);
    struct mfa_recovery_codes codes;

    (void)state;
    assert_int_equal(mfa_recovery_draw(&host, &codes), MFA_OK);
    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++) {
        assert_int_equal(strlen(codes.text_secret[i]), 36);
        for (size_t c = 0; c < 36; c++) {
            bool is_hyphen = c == 8 || c == 13 || c == 18 || c == 23;
            assert_non_null(strchr(is_hyphen ? "-" : "0123456789abcdef", codes.text_secret[i][c]));
        }
        assert_int_equal(codes.text_secret[i][14], '4');
        assert_non_null(strchr("89ab", codes.text_secret[i][19]));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(codes.text_secret[i], codes.text_secret[j]);
    }
}

static void without_randomness_there_are_no_codes(void **state)
{
    static const struct mfa_recovery_codes nothing;
    struct mfa_host_port host = fake_host_port(&fake);
    struct mfa_recovery_codes codes;

    (void)state;
    memset(&codes, 'x', sizeof codes);
    fake.random_fails = true;
    assert_int_equal(mfa_recovery_draw(&host, &codes), MFA_ERR_INTERNAL);
    assert_memory_equal(&codes, &nothing, sizeof codes);
}

static void the_stored_form_is_a_versioned_hash_without_the_code(void **state)
{
    char stored[MFA_RECOVERY_STORED_SIZE];
    char other[MFA_RECOVERY_STORED_SIZE];

    (void)state;
    mfa_recovery_hash(CODE, stored);
    mfa_recovery_hash(OTHER_CODE, other);
    assert_int_equal(strlen(stored), MFA_RECOVERY_STORED_SIZE - 1);
    assert_memory_equal(stored, "v1:", 3);
    assert_null(strstr(stored, "0f8fad5b"));
    assert_string_not_equal(stored, other);
    assert_true(mfa_recovery_is_hashed(stored));
    assert_false(mfa_recovery_is_hashed(CODE));
    assert_false(mfa_recovery_is_hashed("v1:short"));
}

static void hashed_and_legacy_clear_codes_match(void **state)
{
    char stored[MFA_RECOVERY_STORED_SIZE];

    (void)state;
    mfa_recovery_hash(CODE, stored);
    assert_true(matches(stored, CODE));
    assert_true(matches(CODE, CODE));
    assert_false(matches(stored, OTHER_CODE));
    assert_false(matches(OTHER_CODE, CODE));
}

static void upper_case_and_spaces_around_are_forgiven(void **state)
{
    char stored[MFA_RECOVERY_STORED_SIZE];

    (void)state;
    mfa_recovery_hash(CODE, stored);
    assert_true(matches(stored, "0F8FAD5B-D9CB-469F-A165-70867728950E"));
    assert_true(matches(stored, "  " CODE "   "));
    assert_true(matches("0F8FAD5B-D9CB-469F-A165-70867728950E", CODE));
}

static void nothing_else_is_a_code(void **state)
{
    static const char *const texts[] = {
        "",
        "   ",
        "0f8fad5b",
        "0f8fad5bd9cb469fa16570867728950e",
        CODE "0",
        "0f8fad5b-d9cb-469f-a165-70867728950",
        "0f8fad5b-d9cb-469f-a165-70867728950g",
        "0f8fad5b-d9cb-469f-a165_70867728950e",
        "-f8fad5b-d9cb-469f-a165-70867728950e",
        "{0f8fad5b-d9cb-469f-a165-70867728950",
        "0f8fad5b d9cb 469f a165 70867728950e",
        CODE "\n",
        "\t0f8fad5b-d9cb-469f-a165-70867728950e",
        "v1:",
    };
    char stored[MFA_RECOVERY_STORED_SIZE];
    char code[MFA_RECOVERY_CODE_SIZE];

    (void)state;
    mfa_recovery_hash(CODE, stored);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(mfa_recovery_parse(code, texts[i], strlen(texts[i])), MFA_ERR_SYNTAX);
        assert_string_equal(code, "");
        assert_false(matches(stored, texts[i]));
        /* Nor does an unreadable entry of a profile match an unreadable code. */
        assert_false(matches(texts[i], texts[i]));
    }
}

static void a_stored_hash_does_not_open_what_it_guards(void **state)
{
    char stored[MFA_RECOVERY_STORED_SIZE];

    (void)state;
    mfa_recovery_hash(CODE, stored);
    assert_false(matches(stored, stored));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(codes_are_different_version_4_uuids, setup, teardown),
        cmocka_unit_test_setup_teardown(without_randomness_there_are_no_codes, setup, teardown),
        cmocka_unit_test(the_stored_form_is_a_versioned_hash_without_the_code),
        cmocka_unit_test(hashed_and_legacy_clear_codes_match),
        cmocka_unit_test(upper_case_and_spaces_around_are_forgiven),
        cmocka_unit_test(nothing_else_is_a_code),
        cmocka_unit_test(a_stored_hash_does_not_open_what_it_guards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
