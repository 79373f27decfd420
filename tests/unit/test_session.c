/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_session.h"

#define NOW 86399977

static const unsigned char hash_a[MFA_CODE_HASH_LEN] = {'a'};
static const unsigned char hash_b[MFA_CODE_HASH_LEN] = {'b'};
static const unsigned char hash_c[MFA_CODE_HASH_LEN] = {'c'};
static const unsigned char hash_d[MFA_CODE_HASH_LEN] = {'d'};
static const unsigned char no_hash[MFA_CODE_HASH_LEN] = {0};

static const struct mfa_session_ref ref = {.user = "fedcba987654321", .key = "0123456789abcde"};

static int setup(void **state)
{
    struct mfa_session_facts facts = {.user_data = "{}", .user_data_len = 2};

    *state = mfa_session_new(&ref, &facts, NOW + 1000);
    assert_non_null(*state);
    return 0;
}

static int teardown(void **state)
{
    mfa_session_free(*state);
    return 0;
}

static void a_session_remembers_copies(void **state)
{
    char user_data[] = "{\"number\":\"41791231212\"}";
    char grant[] = "gr\0nt";
    struct mfa_session_facts facts = {.purpose = MFA_PURPOSE_LOGIN,
                                      .enrolment_id = "an enrolment id",
                                      .user_data = user_data,
                                      .user_data_len = strlen(user_data),
                                      .grant_secret = grant,
                                      .grant_len = 5};
    struct mfa_session_facts found;
    struct mfa_session *session = mfa_session_new(&ref, &facts, NOW);

    (void)state;
    memset(user_data, 'x', sizeof user_data);
    memset(grant, 'x', sizeof grant);
    assert_non_null(session);
    mfa_session_facts(session, &found);
    assert_int_equal(found.purpose, MFA_PURPOSE_LOGIN);
    assert_string_equal(found.user_data, "{\"number\":\"41791231212\"}");
    assert_int_equal(found.user_data_len, 24);
    assert_int_equal(found.grant_len, 5);
    assert_memory_equal(found.grant_secret, "gr\0nt", 5);
    assert_memory_equal(found.enrolment_id, facts.enrolment_id, sizeof found.enrolment_id);
    assert_memory_equal(session->user, ref.user, sizeof ref.user);
    assert_memory_equal(session->key, ref.key, sizeof ref.key);
    mfa_session_free(session);
    mfa_session_free(NULL);
}

static void an_activation_has_no_grant(void **state)
{
    struct mfa_session_facts found;

    mfa_session_facts(*state, &found);
    assert_int_equal(found.purpose, MFA_PURPOSE_ACTIVATION);
    assert_null(found.grant_secret);
    assert_int_equal(found.grant_len, 0);
}

static void a_part_too_large_makes_no_session(void **state)
{
    char *huge = calloc(1, 70000);
    struct mfa_session_facts facts = {
        .user_data = "{}", .user_data_len = 2, .grant_secret = huge, .grant_len = UINT16_MAX + 1};

    (void)state;
    assert_non_null(huge);
    assert_null(mfa_session_new(&ref, &facts, NOW));
    free(huge);
}

static void without_a_code_nothing_matches(void **state)
{
    assert_int_equal(mfa_session_match(*state, hash_a, NOW), MFA_ERR_DENIED);
    assert_int_equal(mfa_session_match(*state, no_hash, NOW), MFA_ERR_DENIED);
    assert_int_equal(mfa_session_match(*state, no_hash, 0), MFA_ERR_DENIED);
}

static void every_code_is_good_until_its_own_expiry(void **state)
{
    mfa_session_push_code(*state, hash_a, NOW + 10);
    mfa_session_push_code(*state, hash_b, NOW + 20);
    assert_int_equal(mfa_session_match(*state, hash_a, NOW + 9), MFA_OK);
    assert_int_equal(mfa_session_match(*state, hash_b, NOW + 9), MFA_OK);
    assert_int_equal(mfa_session_match(*state, hash_a, NOW + 10), MFA_ERR_EXPIRED);
    assert_int_equal(mfa_session_match(*state, hash_b, NOW + 19), MFA_OK);
    assert_int_equal(mfa_session_match(*state, hash_b, NOW + 20), MFA_ERR_EXPIRED);
    assert_int_equal(mfa_session_match(*state, hash_c, NOW), MFA_ERR_DENIED);
}

static void a_code_drawn_twice_is_as_good_as_the_later_one(void **state)
{
    mfa_session_push_code(*state, hash_a, NOW + 10);
    mfa_session_push_code(*state, hash_a, NOW + 20);
    assert_int_equal(mfa_session_match(*state, hash_a, NOW + 15), MFA_OK);
}

static void the_codes_kept_are_the_newest(void **state)
{
    mfa_session_push_code(*state, hash_a, NOW + 10);
    mfa_session_push_code(*state, hash_b, NOW + 10);
    mfa_session_push_code(*state, hash_c, NOW + 10);
    mfa_session_keep_codes(*state, 2);
    assert_int_equal(mfa_session_match(*state, hash_a, NOW), MFA_ERR_DENIED);
    assert_int_equal(mfa_session_match(*state, hash_b, NOW), MFA_OK);
    mfa_session_keep_codes(*state, 1);
    assert_int_equal(mfa_session_match(*state, hash_b, NOW), MFA_ERR_DENIED);
    assert_int_equal(mfa_session_match(*state, hash_c, NOW), MFA_OK);
    mfa_session_keep_codes(*state, 0);
    assert_int_equal(mfa_session_match(*state, hash_c, NOW), MFA_ERR_DENIED);
    assert_int_equal(mfa_session_match(*state, no_hash, NOW), MFA_ERR_DENIED);
}

static void a_withdrawn_code_leaves_those_before_it(void **state)
{
    mfa_session_push_code(*state, hash_a, NOW + 10);
    mfa_session_push_code(*state, hash_b, NOW + 10);
    mfa_session_push_code(*state, hash_c, NOW + 10);
    mfa_session_withdraw_code(*state);
    assert_int_equal(mfa_session_match(*state, hash_c, NOW), MFA_ERR_DENIED);
    assert_int_equal(mfa_session_match(*state, hash_b, NOW), MFA_OK);
    assert_int_equal(mfa_session_match(*state, hash_a, NOW), MFA_OK);
}

static void no_more_codes_are_held_than_there_are_slots(void **state)
{
    mfa_session_push_code(*state, hash_a, NOW + 10);
    mfa_session_push_code(*state, hash_b, NOW + 10);
    mfa_session_push_code(*state, hash_c, NOW + 10);
    mfa_session_push_code(*state, hash_d, NOW + 10);
    assert_int_equal(mfa_session_match(*state, hash_a, NOW), MFA_ERR_DENIED);
    assert_int_equal(mfa_session_match(*state, hash_b, NOW), MFA_OK);
    assert_int_equal(mfa_session_match(*state, hash_d, NOW), MFA_OK);
}

#define IN_SESSION(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_remembers_copies),
        IN_SESSION(an_activation_has_no_grant),
        cmocka_unit_test(a_part_too_large_makes_no_session),
        IN_SESSION(without_a_code_nothing_matches),
        IN_SESSION(every_code_is_good_until_its_own_expiry),
        IN_SESSION(a_code_drawn_twice_is_as_good_as_the_later_one),
        IN_SESSION(the_codes_kept_are_the_newest),
        IN_SESSION(a_withdrawn_code_leaves_those_before_it),
        IN_SESSION(no_more_codes_are_held_than_there_are_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
