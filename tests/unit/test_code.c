/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "mfa_code.h"

#define DRAWS 10000

static int setup(void **state)
{
    static struct fake_host host;

    fake_host_init(&host);
    *state = &host;
    return 0;
}

static int teardown(void **state)
{
    fake_host_clear(*state);
    return 0;
}

static void script(struct fake_host *host, const unsigned char *bytes, size_t len)
{
    host->script = bytes;
    host->script_len = len;
}

static void codes_have_every_digit_equally_often_in_every_place(void **state)
{
    struct mfa_host_port host = fake_host_port(*state);
    unsigned seen[MFA_CODE_MAX_LEN][10] = {{0}};
    char code[MFA_CODE_SIZE];

    for (size_t i = 0; i < DRAWS; i++) {
        assert_int_equal(mfa_code_draw(&host, MFA_CODE_MAX_LEN, code), MFA_OK);
        assert_int_equal(strspn(code, "0123456789"), MFA_CODE_MAX_LEN);
        for (size_t place = 0; place < MFA_CODE_MAX_LEN; place++)
            seen[place][code[place] - '0']++;
    }
    /* 1,000 are expected; five standard deviations are 150. */
    for (size_t place = 0; place < MFA_CODE_MAX_LEN; place++)
        for (size_t digit = 0; digit < 10; digit++)
            assert_in_range(seen[place][digit], 850, 1150);
}

static void codes_skip_the_bytes_that_would_favour_low_digits(void **state)
{
    static const unsigned char bytes[] = {250, 251, 252, 253, 254, 255, 249, 10, 21, 32,
                                          43,  54,  9,   9,   9,   9,   9,   9,  9,  9};
    struct mfa_host_port host = fake_host_port(*state);
    char code[MFA_CODE_SIZE];

    script(*state, bytes, sizeof bytes);
    assert_int_equal(mfa_code_draw(&host, 6, code), MFA_OK);
    assert_string_equal(code, "901234");
}

static void codes_draw_on_when_all_bytes_were_skipped(void **state)
{
    static const unsigned char bytes[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                          255, 255, 255, 255, 255, 7,   1,   2,   3,   4,   5,   6,   7,   8};
    struct mfa_host_port host = fake_host_port(*state);
    char code[MFA_CODE_SIZE];

    script(*state, bytes, sizeof bytes);
    assert_int_equal(mfa_code_draw(&host, 6, code), MFA_OK);
    assert_string_equal(code, "712345");
}

static void codes_keep_leading_zeros_and_the_length_asked_for(void **state)
{
    static const unsigned char zeros[2 * MFA_CODE_MAX_LEN] = {0};
    struct mfa_host_port host = fake_host_port(*state);
    char code[MFA_CODE_SIZE];

    for (uint32_t length = MFA_CODE_MIN_LEN; length <= MFA_CODE_MAX_LEN; length++) {
        script(*state, zeros, sizeof zeros);
        assert_int_equal(mfa_code_draw(&host, length, code), MFA_OK);
        assert_int_equal(strlen(code), length);
        assert_int_equal(strspn(code, "0"), length);
    }
    assert_int_equal(mfa_code_draw(&host, MFA_CODE_MIN_LEN - 1, code), MFA_ERR_ARGUMENT);
    assert_int_equal(mfa_code_draw(&host, MFA_CODE_MAX_LEN + 1, code), MFA_ERR_ARGUMENT);
    assert_string_equal(code, "");
}

static void without_randomness_there_is_neither_code_nor_token(void **state)
{
    static const char nothing[MFA_TOKEN_SIZE] = {0};
    struct fake_host *fake = *state;
    struct mfa_host_port host = fake_host_port(fake);
    char code[MFA_CODE_SIZE];
    char token[MFA_TOKEN_SIZE];

    memset(code, 'x', sizeof code);
    memset(token, 'x', sizeof token);
    fake->random_fails = true;
    assert_int_equal(mfa_code_draw(&host, 6, code), MFA_ERR_INTERNAL);
    assert_memory_equal(code, nothing, sizeof code);
    assert_int_equal(mfa_token_draw(&host, token), MFA_ERR_INTERNAL);
    assert_memory_equal(token, nothing, sizeof token);
}

static void tokens_differ_and_are_url_safe(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static char tokens[100][MFA_TOKEN_SIZE];
    struct mfa_host_port host = fake_host_port(*state);

    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(mfa_token_draw(&host, tokens[i]), MFA_OK);
        assert_int_equal(strlen(tokens[i]), MFA_TOKEN_SIZE - 1);
        assert_int_equal(strspn(tokens[i], alphabet), MFA_TOKEN_SIZE - 1);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(tokens[i], tokens[j]);
    }
}

static void our_codes_are_read_in_the_groups_people_type(void **state)
{
    static const struct {
        const char *text, *code; /* NULL: refused */
    } rows[] = {
        {"123456", "123456"},
        {"123 456", "123456"},
        {"123-456", "123456"},
        {" 1 2-3 4 ", "1234"},
        {"0000", "0000"},
        {"1234567890", "1234567890"},
        {"", NULL},
        {"   ", NULL},
        {"123", NULL},
        {"1-2-3", NULL},
        {"12345678901", NULL},
        {"12345a", NULL},
        {"123456\n", NULL},
        {"123.456", NULL},
        {"\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4", NULL}, /* Arabic-Indic digits */
    };
    char code[MFA_CODE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum mfa_status expected = rows[i].code != NULL ? MFA_OK : MFA_ERR_SYNTAX;
        assert_int_equal(mfa_code_parse_own(code, rows[i].text, strlen(rows[i].text)), expected);
        assert_string_equal(code, rows[i].code != NULL ? rows[i].code : "");
    }
}

static void codes_of_a_service_are_read_as_they_are(void **state)
{
    static const struct {
        const char *text;
        bool is_code;
    } rows[] = {
        {"1234", true},
        {"1234567890", true},
        {"aB3z", true},
        {"ABCDEFGHIJ", true},
        {"123", false},
        {"", false},
        {"12345678901", false},
        {"123 456", false},
        {"123-456", false},
        {"1234_", false},
        {"1234@", false},
        {"1234[", false},
        {"1234`", false},
        {"1234{", false},
        {"1234/", false},
        {"1234:", false},
        {"12\xc3\xa9"
         "34",
         false},
    };
    char code[MFA_CODE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum mfa_status expected = rows[i].is_code ? MFA_OK : MFA_ERR_SYNTAX;
        assert_int_equal(mfa_code_parse_foreign(code, rows[i].text, strlen(rows[i].text)), expected);
        assert_string_equal(code, rows[i].is_code ? rows[i].text : "");
    }
}

static void a_nul_does_not_end_a_code(void **state)
{
    char code[MFA_CODE_SIZE];

    (void)state;
    assert_int_equal(mfa_code_parse_own(code, "123456\0", 7), MFA_ERR_SYNTAX);
    assert_int_equal(mfa_code_parse_foreign(code,
                                            "1234\0"
                                            "5",
                                            6),
                     MFA_ERR_SYNTAX);
}

static void hostile_codes_are_refused(void **state)
{
    json_t *attacks = json_load_file("tests/data/providers/_attacks.json", JSON_ALLOW_NUL, NULL);
    const json_t *codes = json_object_get(attacks, "code");
    const json_t *hostile = NULL;
    size_t i = 0;

    (void)state;
    assert_true(json_array_size(codes) >= 16);
    json_array_foreach(codes, i, hostile)
    {
        const char *text = json_string_value(hostile);
        size_t len = json_string_length(hostile);
        char code[MFA_CODE_SIZE];

        assert_int_equal(mfa_code_parse_foreign(code, text, len), MFA_ERR_SYNTAX);
        /* In a code of ours, spaces only group digits. */
        if (strspn(text, "0123456789 ") != len || len < MFA_CODE_MIN_LEN)
            assert_int_equal(mfa_code_parse_own(code, text, len), MFA_ERR_SYNTAX);
    }
    json_decref(attacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(codes_have_every_digit_equally_often_in_every_place, setup, teardown),
        cmocka_unit_test_setup_teardown(codes_skip_the_bytes_that_would_favour_low_digits, setup, teardown),
        cmocka_unit_test_setup_teardown(codes_draw_on_when_all_bytes_were_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(codes_keep_leading_zeros_and_the_length_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(without_randomness_there_is_neither_code_nor_token, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_differ_and_are_url_safe, setup, teardown),
        cmocka_unit_test_setup_teardown(our_codes_are_read_in_the_groups_people_type, setup, teardown),
        cmocka_unit_test_setup_teardown(codes_of_a_service_are_read_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(a_nul_does_not_end_a_code, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_codes_are_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
