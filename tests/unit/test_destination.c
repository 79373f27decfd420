/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_destination.h"

static void assert_normal(const char *text, const char *expected)
{
    char normal[MFA_DESTINATION_SIZE];

    memset(normal, 'x', sizeof normal);
    mfa_destination_normalise(text, normal);
    assert_string_equal(normal, expected);
}

static void spellings_of_a_number_are_one(void **state)
{
    static const char *const spellings[] = {
        "41791231212",         "+41791231212",         "+41 79 123 12 12",
        "0041 (79) 123-12-12", "%2B41791231212",       "%2b41%2079%20123%2012%2012",
        "%34%31791231212",     "tel:+41-79-123.12.12", "\t41791231212\n",
        "41791231212x",        "%0041791231212",       "00041791231212",
    };

    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        assert_normal(spellings[i], "41791231212");
    assert_normal("41791231213", "41791231213");
}

static void spellings_of_an_address_are_one(void **state)
{
    (void)state;
    assert_normal("Jane@Example.COM", "jane@example.com");
    assert_normal(" jane%40example.com ", "jane@example.com");
    assert_normal("41791231212@sms.example.com", "41791231212@sms.example.com");
}

static void other_names_keep_their_letters(void **state)
{
    (void)state;
    assert_normal("Room 101", "room101");
    assert_normal("%", "%");
    assert_normal("%4", "%4");
    assert_normal("", "");
}

static void what_is_long_is_cut_after_it_has_been_brought_into_form(void **state)
{
    char text[1024];

    (void)state;
    memset(text, ' ', sizeof text);
    strcpy(text + 900, "41791231212");
    assert_normal(text, "41791231212");
    memset(text, '7', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    mfa_destination_normalise(text, text + 512);
    assert_int_equal(strlen(text + 512), MFA_DESTINATION_SIZE - 1);
}

static void assert_found(const char *user_data, const struct mfa_endpoint *endpoint, const char *expected)
{
    char number[MFA_DESTINATION_NUMBER_SIZE];
    json_t *root = json_loads(user_data, 0, NULL);
    const char *found = NULL;

    assert_non_null(root);
    found = mfa_destination_find(root, endpoint, number);
    if (expected == NULL)
        assert_null(found);
    else
        assert_string_equal(found, expected);
    json_decref(root);
}

static void the_first_known_name_with_a_value_is_the_destination(void **state)
{
    (void)state;
    assert_found("{\"email\":\"e\",\"to\":\"t\",\"number\":\"n\",\"phone_number\":\"pn\",\"phone\":\"p\"}", NULL, "p");
    assert_found("{\"email\":\"e\",\"to\":\"t\",\"number\":\"n\",\"phone_number\":\"pn\"}", NULL, "pn");
    assert_found("{\"email\":\"e\",\"to\":\"t\",\"number\":\"n\"}", NULL, "n");
    assert_found("{\"email\":\"e\",\"to\":\"t\"}", NULL, "t");
    assert_found("{\"email\":\"e\",\"phone\":\"\",\"to\":true}", NULL, "e");
    assert_found("{\"phone\":41791231212}", NULL, "41791231212");
    assert_found("{\"phone\":41791231212.0}", NULL, "41791231212");
    assert_found("{\"pager\":\"1\"}", NULL, NULL);
}

static void a_value_that_is_not_sent_is_no_destination(void **state)
{
    struct mfa_endpoint endpoint = {0};
    const char *problem = NULL;

    (void)state;
    assert_int_equal(mfa_endpoint_set_url(&endpoint, "https://h/?n={{ number }}", &problem), MFA_OK);
    assert_found("{\"phone\":\"a decoy\",\"number\":\"n\"}", &endpoint, "n");
    assert_found("{\"phone\":\"a decoy\"}", &endpoint, NULL);
    mfa_endpoint_clear(&endpoint);
}

/* --- One receiver ------------------------------------------------------------------------------------------------ */

static enum mfa_status check(const char *name, const char *value, const struct mfa_endpoint *endpoint,
                             struct mfa_parameter_problem *problem)
{
    json_t *user_data = json_pack("{s:s}", name, value);
    enum mfa_status status = MFA_OK;

    assert_non_null(user_data);
    status = mfa_destination_check(user_data, endpoint, problem);
    json_decref(user_data);
    return status;
}

static void assert_receivers(const char *const *values, size_t count, enum mfa_status expected)
{
    struct mfa_endpoint endpoint = {0};
    const char *problem = NULL;

    assert_int_equal(mfa_endpoint_set_url(&endpoint, "https://h/?n={{ to }}", &problem), MFA_OK);
    for (size_t i = 0; i < count; i++) {
        struct mfa_parameter_problem found = {.message = NULL};

        if (check("to", values[i], &endpoint, &found) != expected)
            fail_msg("%s is %s", values[i], expected == MFA_OK ? "refused" : "taken");
        assert_string_equal(found.path, expected == MFA_OK ? "" : "#/to");
        assert_int_equal(found.message == NULL, expected == MFA_OK);
    }
    mfa_endpoint_clear(&endpoint);
}

#define ASSERT_ALL(values, expected) assert_receivers(values, sizeof(values) / sizeof(values)[0], expected)

static void one_number_or_address_in_any_spelling_is_one_receiver(void **state)
{
    static const char *const values[] = {
        "41791231212",
        "+41 79 123 12 12",
        "0041 (79) 123-12-12",
        "+41/79.123.12.12",
        "%2B41%2079%20123",
        "%34%31791231212",
        "123456789012345",
        "00123456789012345",
        "tel:+41-79-123.12.12",
        "whatsapp:+41791231212",
        "jane@example.com",
        "41791231212@sms.example.com",
        "j\u00e4ne@example.com",
        "jane%40example.com",
        "sip:41791231212@example.com",
        "110",
        "room 101",
        "U0123456789",
        "user_0123456789.a-b",
        "",
    };

    (void)state;
    ASSERT_ALL(values, MFA_OK);
}

static void a_list_is_refused(void **state)
{
    static const char *const values[] = {
        "41791231212,41791231213",
        "41791231212, 41791231213",
        "41791231212%2C41791231213",
        "41791231212%2c41791231213",
        "41791231212;41791231213",
        "41791231212%3B41791231213",
        "41791231212|41791231213",
        "41791231212%7C41791231213",
        "41791231212\n41791231213",
        "41791231212%0A41791231213",
        "41791231212%0D%0A41791231213",
        "41791231212\t41791231213",
        "41791231212%0041791231213",
        "41791231212 41791231213",
        "41791231212/41791231213",
        "41791231212+41791231213",
        "41791231212%2041791231213",
        "jane@example.com,41791231212",
        "jane@example.com john@example.com",
        "jane@example.com%20john%40example.com",
        "jane@example.com|41791231212",
        "jane@example.com\n41791231212",
        "jane@example.com%0D%0Abcc:41791231212",
        "jane@example.com\x7f",
        "john jane@example.com",
        "room 101,room 102",
        "110;111",
        ",",
    };

    (void)state;
    ASSERT_ALL(values, MFA_ERR_SYNTAX);
}

/* Each would be counted apart, and reach the same telephone. */
static void what_makes_ever_new_spellings_of_a_number_is_refused(void **state)
{
    static const char *const values[] = {
        "41791231212 ext 77",
        "41791231212x77",
        "41791231212#77",
        "41791231212%2377",
        "41791231212*77",
        "tel:+41791231212 ext 77",
        "tel:+41791231212x77",
        "tel:41791231212#77",
        "Tel%3A+41791231212x77",
        "to 41791231212 ext 77",
        "ext.77+41791231212",
        "n:m:41791231212",
        "1234567890123456",
        "%253441791231212",
        "41791231212%",
        "41791231212\u0665",
        "\uff14\uff11\uff17\uff19\uff11\uff12\uff13\uff11\uff12\uff11\uff12",
        "%EF%BC%94%EF%BC%91791231212",
        "\u0664\u0661 79",
        "+41\u00a079\u00a0123\u00a012\u00a012",
    };

    (void)state;
    ASSERT_ALL(values, MFA_ERR_SYNTAX);
}

static void what_makes_ever_new_spellings_of_an_address_is_refused(void **state)
{
    static const char *const values[] = {
        "a <jane@example.com>",        "<jane@example.com>",  "%3Cjane@example.com%3E",
        "(a) jane@example.com",        "jane(a)@example.com", "\"jane\"@example.com",
        "\"jane d\" jane@example.com", "j\\ane@example.com",  "jane@[192.0.2.1]",
    };

    (void)state;
    ASSERT_ALL(values, MFA_ERR_SYNTAX);
}

static void the_code_is_no_part_of_a_receiver(void **state)
{
    static const char *const values[] = {"+4179{{ code }}1", "+4179-{{code}}", "{{ code }}", "a{{ code }}@example.com"};

    (void)state;
    ASSERT_ALL(values, MFA_ERR_SYNTAX);
}

static void every_name_is_checked_and_only_what_is_sent(void **state)
{
    static const char *const names[] = {"phone", "phone_number", "number", "to", "email"};
    struct mfa_parameter_problem found;
    char url[64], path[64];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct mfa_endpoint endpoint = {0};
        const char *problem = NULL;

        snprintf(url, sizeof url, "https://h/?x={{ %s }}", names[i]);
        assert_int_equal(mfa_endpoint_set_url(&endpoint, url, &problem), MFA_OK);
        snprintf(path, sizeof path, "#/%s", names[i]);
        assert_int_equal(check(names[i], "1,2", &endpoint, &found), MFA_ERR_SYNTAX);
        assert_string_equal(found.path, path);
        assert_int_equal(check(names[(i + 1) % 5], "1,2", &endpoint, &found), MFA_OK);
        mfa_endpoint_clear(&endpoint);
    }
}

static void a_whole_number_of_json_is_one_receiver(void **state)
{
    struct mfa_endpoint endpoint = {0};
    struct mfa_parameter_problem found;
    const char *problem = NULL;
    json_t *user_data = json_pack("{s:I}", "to", (json_int_t)41791231212);
    json_t *with_point = json_pack("{s:f}", "to", 4179123121.2);

    (void)state;
    assert_int_equal(mfa_endpoint_set_url(&endpoint, "https://h/?n={{ to }}", &problem), MFA_OK);
    assert_int_equal(mfa_destination_check(user_data, &endpoint, &found), MFA_OK);
    assert_int_equal(mfa_destination_check(with_point, &endpoint, &found), MFA_ERR_SYNTAX);
    assert_string_equal(found.path, "#/to");
    json_decref(with_point);
    json_decref(user_data);
    mfa_endpoint_clear(&endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_a_number_are_one),
        cmocka_unit_test(spellings_of_an_address_are_one),
        cmocka_unit_test(other_names_keep_their_letters),
        cmocka_unit_test(what_is_long_is_cut_after_it_has_been_brought_into_form),
        cmocka_unit_test(the_first_known_name_with_a_value_is_the_destination),
        cmocka_unit_test(a_value_that_is_not_sent_is_no_destination),
        cmocka_unit_test(one_number_or_address_in_any_spelling_is_one_receiver),
        cmocka_unit_test(a_list_is_refused),
        cmocka_unit_test(what_makes_ever_new_spellings_of_a_number_is_refused),
        cmocka_unit_test(what_makes_ever_new_spellings_of_an_address_is_refused),
        cmocka_unit_test(the_code_is_no_part_of_a_receiver),
        cmocka_unit_test(every_name_is_checked_and_only_what_is_sent),
        cmocka_unit_test(a_whole_number_of_json_is_one_receiver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
