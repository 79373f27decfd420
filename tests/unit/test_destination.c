/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_a_number_are_one),
        cmocka_unit_test(spellings_of_an_address_are_one),
        cmocka_unit_test(other_names_keep_their_letters),
        cmocka_unit_test(what_is_long_is_cut_after_it_has_been_brought_into_form),
        cmocka_unit_test(the_first_known_name_with_a_value_is_the_destination),
        cmocka_unit_test(a_value_that_is_not_sent_is_no_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
