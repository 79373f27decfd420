/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mfa_pointer.h"

static const struct mfa_variables no_variables;

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(value);
    return value;
}

static struct mfa_pointer *parse(const char *text)
{
    struct mfa_pointer *pointer = NULL;
    const char *problem = "unset";

    if (mfa_pointer_parse(&pointer, text, &problem) != MFA_OK)
        fail_msg("%s: %s", text, problem);
    assert_null(problem);
    assert_string_equal(mfa_pointer_text(pointer), text);
    return pointer;
}

static enum mfa_status find(const char *text, const json_t *document, const struct mfa_variables *variables,
                            const json_t **found)
{
    struct mfa_pointer *pointer = parse(text);
    enum mfa_status status;

    *found = document;
    status = mfa_pointer_find(pointer, document, variables, found);
    mfa_pointer_free(pointer);
    return status;
}

/* Expects the number `expected` there, or nothing for 0. */
static void check_found(const char *text, const json_t *document, const struct mfa_variables *variables,
                        json_int_t expected)
{
    const json_t *found = NULL;

    assert_int_equal(find(text, document, variables, &found), MFA_OK);
    if (expected == 0 ? found != NULL : json_integer_value(found) != expected)
        fail_msg("%s found something else", text);
}

/* The examples of RFC 6901, 5, their values made positive. */
static void the_examples_of_the_rfc(void **state)
{
    json_t *document = json("{\"foo\": [10, 20], \"\": 1, \"a/b\": 2, \"c%d\": 3, \"e^f\": 4, \"g|h\": 5,"
                            " \"i\\\\j\": 6, \"k\\\"l\": 7, \" \": 8, \"m~n\": 9}");
    static const struct {
        const char *pointer;
        json_int_t expected;
    } cases[] = {
        {"/foo/0", 10}, {"/", 1},     {"/a~1b", 2}, {"/c%d", 3},  {"/e^f", 4},    {"/g|h", 5},
        {"/i\\j", 6},   {"/k\"l", 7}, {"/ ", 8},    {"/m~0n", 9}, {"/foo/1", 20},
    };
    const json_t *found = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_found(cases[i].pointer, document, &no_variables, cases[i].expected);
    assert_int_equal(find("", document, &no_variables, &found), MFA_OK);
    assert_ptr_equal(found, document);
    assert_int_equal(find("/foo", document, &no_variables, &found), MFA_OK);
    assert_true(json_is_array(found));
    json_decref(document);
}

static void an_index_is_plain_digits(void **state)
{
    static const char *const nowhere[] = {
        "/a/-",          "/a/01", "/a/00",       "/a/+1",       "/a/-1",
        "/a/ 1",         "/a/1 ", "/a/1.0",      "/a/1e0",      "/a/0x1",
        "/a/3",          "/a/",   "/a/\xd9\xa1", "/a/99999999", "/a/18446744073709551617",
        "/a/4294967297",
    };
    json_t *document = json("{\"a\": [1, 2, 3]}");

    (void)state;
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
        check_found(nowhere[i], document, &no_variables, 0);
    check_found("/a/0", document, &no_variables, 1);
    check_found("/a/2", document, &no_variables, 3);
    json_decref(document);
}

static void what_is_not_there_is_not_found(void **state)
{
    static const char *const nowhere[] = {"/b",  "/a/b/c", "/a/b/0", "//a",  "/a//b",
                                          "/a/", "/A",     "/a~0",   "/s/0", "/n/x"};
    json_t *document = json("{\"a\": {\"b\": 1}, \"s\": \"text\", \"n\": null}");
    json_t *scalar = json("7");

    (void)state;
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
        check_found(nowhere[i], document, &no_variables, 0);
    check_found("/a/b", document, &no_variables, 1);
    check_found("", scalar, &no_variables, 7);
    check_found("/", scalar, &no_variables, 0);
    json_decref(document);
    json_decref(scalar);
}

static void tokens_are_unescaped_once(void **state)
{
    json_t *document = json("{\"~1\": 1, \"/0\": 2, \"~\": {\"/\": {\"~/~\": 3}}, \"a/\": {\"\": 4}}");

    (void)state;
    check_found("/~01", document, &no_variables, 1);
    check_found("/~10", document, &no_variables, 2);
    check_found("/~0/~1/~0~1~0", document, &no_variables, 3);
    check_found("/a~1/", document, &no_variables, 4);
    json_decref(document);
}

static void a_value_stays_one_token(void **state)
{
    json_t *document = json("{\"m\": {\"x/y\": {\"s\": 1}, \"~1\": {\"s\": 2}, \"-\": {\"s\": 3}, \"\": {\"s\": 4}},"
                            " \"a\": [{\"s\": 5}, {\"s\": 6}], \"x\": {\"y\": {\"s\": 7}}}");
    json_t *user_data = json("{\"slash\": \"x/y\", \"tilde\": \"~1\", \"empty\": \"\", \"index\": 1, \"zero\": \"01\","
                             " \"up\": \"x/y/s\", \"long\": \"m/x/y/s\"}");
    const struct mfa_variables variables = {.user_data = user_data, .code_secret = "1"};

    (void)state;
    check_found("/m/{{ slash }}/s", document, &variables, 1);
    check_found("/m/{{ tilde }}/s", document, &variables, 2);
    check_found("/m/{{ empty }}/s", document, &variables, 4);
    check_found("/a/{{ index }}/s", document, &variables, 6);
    check_found("/a/{{ code }}/s", document, &variables, 6);
    check_found("/a/{{ zero }}/s", document, &variables, 0);
    check_found("/{{ slash }}/s", document, &variables, 0);
    check_found("/{{ up }}", document, &variables, 0);
    json_decref(document);
    json_decref(user_data);
}

static void a_variable_that_is_missing_finds_nothing_out(void **state)
{
    json_t *document = json("{\"a\": {\"\": 1}}");
    json_t *user_data = json("{\"list\": []}");
    const struct mfa_variables variables = {.user_data = user_data};
    const json_t *found = NULL;

    (void)state;
    assert_int_equal(find("/a/{{ id }}", document, &variables, &found), MFA_ERR_NOT_FOUND);
    assert_null(found);
    assert_int_equal(find("/a/{{ code }}", document, &variables, &found), MFA_ERR_NOT_FOUND);
    assert_null(found);
    json_decref(document);
    json_decref(user_data);
}

static void what_raw_puts_in_must_be_a_pointer_still(void **state)
{
    static const struct {
        const char *value;
        enum mfa_status status;
    } cases[] = {{"a/b", MFA_OK}, {"a~1b", MFA_OK}, {"a~2", MFA_ERR_REFUSED}, {"a~", MFA_ERR_REFUSED}};
    json_t *document = json("{\"a\": {\"b\": 1}, \"a/b\": 1}");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *user_data = json_pack("{s:s}", "id", cases[i].value);
        const struct mfa_variables variables = {.user_data = user_data};
        const json_t *found = NULL;

        assert_int_equal(find("/{{ id | raw }}", document, &variables, &found), cases[i].status);
        assert_int_equal(json_integer_value(found), cases[i].status == MFA_OK);
        json_decref(user_data);
    }
    json_decref(document);
}

static void a_nul_in_a_value_does_not_end_the_token(void **state)
{
    json_t *document = json("{\"a\": 1}");
    json_t *user_data = json_loads("{\"id\": \"a\\u0000b\"}", JSON_ALLOW_NUL, NULL);
    const struct mfa_variables variables = {.user_data = user_data};
    const json_t *found = NULL;

    (void)state;
    assert_int_equal(find("/{{ id }}", document, &variables, &found), MFA_ERR_REFUSED);
    assert_null(found);
    json_decref(document);
    json_decref(user_data);
}

static void variables_are_named(void **state)
{
    struct mfa_pointer *pointer = parse("/a/{{ id }}/{{ code }}");

    (void)state;
    assert_string_equal(mfa_pointer_variable(pointer, 0), "id");
    assert_string_equal(mfa_pointer_variable(pointer, 1), "code");
    assert_null(mfa_pointer_variable(pointer, 2));
    mfa_pointer_free(pointer);
    pointer = parse("/a");
    assert_null(mfa_pointer_variable(pointer, 0));
    mfa_pointer_free(pointer);
    mfa_pointer_free(NULL);
}

static void mistakes_are_explained(void **state)
{
    static const char no_slash[] = "must be a JSON pointer: it begins with \"/\", as in \"/messages/0/status\"";
    static const char no_escape[] = "has a \"~\" without 0 or 1 behind it: in a JSON pointer \"~\" is written ~0, and "
                                    "\"/\" in a name ~1";
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"status", no_slash},        {"#/status", no_slash}, {"$.status", no_slash},
        {"{{ pointer }}", no_slash}, {" /status", no_slash}, {"/a~", no_escape},
        {"/a~2", no_escape},         {"/~~0", no_escape},    {"/~{{ id }}", no_escape},
    };
    struct mfa_pointer *pointer;
    const char *problem;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pointer = (struct mfa_pointer *)&problem;
        problem = NULL;
        assert_int_equal(mfa_pointer_parse(&pointer, cases[i].text, &problem), MFA_ERR_SYNTAX);
        assert_null(pointer);
        assert_string_equal(problem, cases[i].problem);
    }
    assert_int_equal(mfa_pointer_parse(&pointer, "/{{ id", &problem), MFA_ERR_SYNTAX);
    assert_string_equal(problem, "has \"{{\" and the name of a variable without \"}}\" behind it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(an_index_is_plain_digits),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(tokens_are_unescaped_once),
        cmocka_unit_test(a_value_stays_one_token),
        cmocka_unit_test(a_variable_that_is_missing_finds_nothing_out),
        cmocka_unit_test(what_raw_puts_in_must_be_a_pointer_still),
        cmocka_unit_test(a_nul_in_a_value_does_not_end_the_token),
        cmocka_unit_test(variables_are_named),
        cmocka_unit_test(mistakes_are_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
