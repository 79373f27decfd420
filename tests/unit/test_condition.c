/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions and the matchers in them: what holds for which answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mfa_reading.h"
#include "rules_fixture.h"

/* Checks what `outcomes` say of an answer to a request with these variables. */
static enum mfa_status check_bytes(const char *condition, int http_status, const char *body, size_t len,
                                   struct mfa_condition_failure *failure)
{
    json_t *user_data =
        json_pack("{s:s, s:i, s:b, s:s, s:s}", "name", "a/b~c", "number", 5, "truth", 1, "empty", "", "line", "a\nb");
    const struct mfa_variables variables = {.user_data = user_data, .code_secret = "012345"};
    const struct mfa_gateway_answer answer = {
        .delivery = MFA_DELIVERY_ANSWERED, .http_status = http_status, .body = body, .body_len = len, .reason = ""};
    struct mfa_reading reading = {.answer = &answer, .variables = &variables};
    struct rules_fixture fixture;
    char text[500] = "outcomes: [{is: error, when: ";
    enum mfa_status status;

    strcat(strcat(text, condition), "}]");
    rules_fixture_init(&fixture, text);
    status = mfa_condition_check(&fixture.rules.outcomes[0].when, &reading, failure);
    failure->member = NULL;
    mfa_reading_clear(&reading);
    rules_fixture_clear(&fixture);
    json_decref(user_data);
    return status;
}

static bool holds(const char *condition, int http_status, const char *body)
{
    struct mfa_condition_failure failure;

    assert_int_equal(check_bytes(condition, http_status, body, strlen(body), &failure), MFA_OK);
    return failure.part == MFA_PART_NONE;
}

struct row {
    const char *condition;
    const char *body;
    bool holds;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (holds(rows[i].condition, 200, rows[i].body) != rows[i].holds)
            fail_msg("%s on %s", rows[i].condition, rows[i].body);
}

/* --- status ---------------------------------------------------------------------------------------------------- */

static bool status_is_listed(size_t list, int status)
{
    switch (list) {
    case 0: return status == 200;
    case 1: return status == 100 || status == 404 || status == 599;
    case 2: return status >= 200 && status <= 299;
    case 3: return (status >= 100 && status <= 199) || (status >= 400 && status <= 599);
    case 4: return (status >= 300 && status <= 399) || status == 204;
    default: return true;
    }
}

static void a_status_is_in_the_list(void **state)
{
    static const char *const conditions[] = {
        "{status: 200}",
        "{status: [100, 404, 599]}",
        "{status: 2xx}",
        "{status: ['1xx', '4xx', '5xx']}",
        "{status: ['3xx', 204, 204]}",
        "{empty: true}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++)
        for (int status = -1; status < 1000; status += status == 0 ? 99 : 1)
            if (holds(conditions[i], status, "") != status_is_listed(i, status))
                fail_msg("%s with %d", conditions[i], status);
}

/* --- Matchers -------------------------------------------------------------------------------------------------- */

/* Each value with its type; where two of them are equal, and where none is there. */
static void types_are_strict(void **state)
{
    static const char *const values[] = {
        "null", "true", "false", "0", "0.0", "1", "1.5", "\"0\"", "\"\"", "\"null\"", "\"true\"", "[]", "{}", "[0]",
    };
    static const char *const expected[] = {
        "null", "true", "false", "0", "0.0", "1", "1.5", "'0'", "''", "'null'", "'true'",
    };
    char condition[100];
    char body[100];

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            (void)snprintf(body, sizeof body, "{\"a\": %s}", values[j]);
            (void)snprintf(condition, sizeof condition, "{json: {/a: %s}}", expected[i]);
            assert_int_equal(holds(condition, 200, body), i == j);
            (void)snprintf(condition, sizeof condition, "{json: {/a: {not: %s}}}", expected[i]);
            assert_int_equal(holds(condition, 200, body), i != j);
            (void)snprintf(condition, sizeof condition, "{json: {/a: {in: [nothing, %s]}}}", expected[i]);
            assert_int_equal(holds(condition, 200, body), i == j);
        }
        (void)snprintf(condition, sizeof condition, "{json: {/a: {not: %s}}}", expected[i]);
        assert_false(holds(condition, 200, "{}"));
        (void)snprintf(condition, sizeof condition, "{json: {/a: %s}}", expected[i]);
        assert_false(holds(condition, 200, "{}"));
    }
}

static void each_matcher_holds_for_what_it_says(void **state)
{
    static const struct row rows[] = {
        {"{json: {/a: approved}}", "{\"a\": \"approved\"}", true},
        {"{json: {/a: approved}}", "{\"a\": \"Approved\"}", false},
        {"{json: {/a: approved}}", "{\"a\": \"approved \"}", false},
        {"{json: {/a: approved}}", "{\"b\": \"approved\"}", false},
        {"{json: {/a: approved}}", "{\"a\": [\"approved\"]}", false},
        {"{json: {/a: {in: [x, 1, true]}}}", "{\"a\": 1}", true},
        {"{json: {/a: {in: [x, 1, true]}}}", "{\"a\": true}", true},
        {"{json: {/a: {in: [x, 1, true]}}}", "{\"a\": \"1\"}", false},
        {"{json: {/a: {in: [x]}}}", "{}", false},
        {"{json: {/a: {not: x}}}", "{\"a\": \"y\"}", true},
        {"{json: {/a: {not: x}}}", "{\"a\": \"x\"}", false},
        {"{json: {/a: {not: x}}}", "{}", false},
        {"{json: {/a: {exists: true}}}", "{\"a\": null}", true},
        {"{json: {/a: {exists: true}}}", "{\"a\": {}}", true},
        {"{json: {/a: {exists: true}}}", "{}", false},
        {"{json: {/a/0: {exists: true}}}", "{\"a\": [0]}", true},
        {"{json: {/a/0: {exists: true}}}", "{\"a\": []}", false},
        {"{json: {/a: {exists: false}}}", "{}", true},
        {"{json: {/a: {exists: false}}}", "[]", true},
        {"{json: {/a: {exists: false}}}", "5", true},
        {"{json: {/a: {exists: false}}}", "{\"a\": null}", false},
        {"{json: {/a: {matches: '(?i)^expired'}}}", "{\"a\": \"EXPIRED code\"}", true},
        {"{json: {/a: {matches: '(?i)^expired'}}}", "{\"a\": \"code expired\"}", false},
        {"{json: {/a: {matches: '^5$'}}}", "{\"a\": 5}", false},
        {"{json: {/a: {matches: '^true$'}}}", "{\"a\": true}", false},
        {"{json: {/a: {matches: '.*'}}}", "{\"a\": null}", false},
        {"{json: {/a: {matches: '.*'}}}", "{}", false},
        {"{json: {'': 5}}", "5", true},
        {"{json: {'': '5'}}", "\"5\"", true},
        {"{json: {/a: 9223372036854775807}}", "{\"a\": 9223372036854775807}", true},
        {"{json: {/a: -0.25}}", "{\"a\": -2.5e-1}", true},
        {"{json: {/a: \"caf\\u00e9\"}}", "{\"a\": \"caf\\u00e9\"}", true},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

/* It is the nearest real, and no integer. */
static void an_integer_beyond_64_bits_spoils_no_answer(void **state)
{
    static const struct row rows[] = {
        {"{json: {/b: x}}", "{\"a\": 18446744073709551616, \"b\": \"x\"}", true},
        {"{json: {/a: {exists: true}}}", "{\"a\": -18446744073709551616}", true},
        {"{json: {/a: 9223372036854775807}}", "{\"a\": 9223372036854775808}", false},
        {"{json: {/a: {not: 9223372036854775807}}}", "{\"a\": 9223372036854775808}", true},
        {"{json: {/a: '18446744073709551616'}}", "{\"a\": 18446744073709551616}", false},
        {"{json: {/a: 18446744073709551616.0}}", "{\"a\": 18446744073709551616}", true},
        {"{json: {/a: 18446744073709551616.0}}", "{\"a\": 18446744073709555712}", false},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void a_byte_order_mark_is_no_part_of_an_answer(void **state)
{
    static const struct row rows[] = {
        {"{json: {/a: x}}", "\xef\xbb\xbf{\"a\": \"x\"}", true},
        {"{json: {/a: x}}", "\xef\xbb\xbf{\"a\": \"y\"}", false},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void expected_values_are_templates_whose_result_is_a_string(void **state)
{
    static const struct row rows[] = {
        {"{json: {/a: '{{ name }}'}}", "{\"a\": \"a/b~c\"}", true},
        {"{json: {/a: 'x-{{ name }}-{{ number }}'}}", "{\"a\": \"x-a/b~c-5\"}", true},
        {"{json: {/a: '{{ number }}'}}", "{\"a\": \"5\"}", true},
        {"{json: {/a: '{{ number }}'}}", "{\"a\": 5}", false},
        {"{json: {/a: '{{ truth }}'}}", "{\"a\": true}", false},
        {"{json: {/a: '{{ empty }}'}}", "{\"a\": \"\"}", true},
        {"{json: {/a: '{{ empty }}'}}", "{\"a\": null}", false},
        {"{json: {/a: '{{ line }}'}}", "{\"a\": \"a\\nb\"}", true},
        {"{json: {/a: '{{ code }}'}}", "{\"a\": \"012345\"}", true},
        {"{json: {/a: {in: [x, '{{ name }}']}}}", "{\"a\": \"a/b~c\"}", true},
        {"{json: {/a: {not: '{{ name }}'}}}", "{\"a\": \"a/b~c\"}", false},
        {"{json: {/a: {not: '{{ name }}'}}}", "{\"a\": \"b\"}", true},
        {"{json: {'/{{ name }}/x': z}}", "{\"a/b~c\": {\"x\": \"z\"}}", true},
        {"{json: {'/{{ name }}/x': z}}", "{\"a\": {\"b~c\": {\"x\": \"z\"}}}", false},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void what_cannot_be_rendered_cannot_be_checked(void **state)
{
    static const struct {
        const char *condition;
        enum mfa_status status;
    } cases[] = {
        {"{json: {/a: '{{ missing }}'}}", MFA_ERR_NOT_FOUND},
        {"{json: {/a: {not: '{{ missing }}'}}}", MFA_ERR_NOT_FOUND},
        {"{json: {/a: {in: [x, '{{ missing }}']}}}", MFA_ERR_NOT_FOUND},
        {"{json: {'/{{ missing }}': {exists: false}}}", MFA_ERR_NOT_FOUND},
        {"{json: {/a: '{{ empty | digits }}'}}", MFA_ERR_REFUSED},
        {"{json: {/b: '{{ missing }}'}}", MFA_ERR_NOT_FOUND},
    };
    static const char body[] = "{\"a\": \"y\"}";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfa_condition_failure failure;

        assert_int_equal(check_bytes(cases[i].condition, 200, body, strlen(body), &failure), cases[i].status);
        assert_int_equal(failure.part, MFA_PART_MEMBER);
    }
}

/* --- Bodies ---------------------------------------------------------------------------------------------------- */

static void what_is_no_json_meets_no_condition_on_it(void **state)
{
    static const char *const bodies[] = {
        "",
        "ok",
        "{",
        "{\"a\": 1,}",
        "{'a': 1}",
        "{\"a\": 1}{\"a\": 1}",
        "{\"a\": 1} x",
        "{\"b\": 1, \"b\": 1}",
        "{\"a\": \"\xff\"}",
        "{\"a\": \"\\u0000\"}",
        "{\"a\": NaN}",
        "<a/>",
        "nul",
    };
    static const char *const conditions[] = {"{json: {/x: {exists: false}}}", "{json: {/a: {not: 2}}}",
                                             "{json: {'': {exists: true}}}"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (size_t j = 0; j < sizeof conditions / sizeof conditions[0]; j++) {
            struct mfa_condition_failure failure;

            assert_int_equal(check_bytes(conditions[j], 200, bodies[i], strlen(bodies[i]), &failure), MFA_OK);
            assert_int_equal(failure.part, MFA_PART_JSON);
        }
    }
}

static void the_body_is_read_once(void **state)
{
    static const char *const bodies[] = {"{\"a\": 1}", "no"};
    const struct mfa_variables variables = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mfa_gateway_answer answer = {.body = bodies[i], .body_len = strlen(bodies[i])};
        struct mfa_reading reading = {.answer = &answer, .variables = &variables};
        const json_t *first = NULL;
        const json_t *second = NULL;

        assert_int_equal(mfa_reading_json(&reading, &first), MFA_OK);
        answer = (struct mfa_gateway_answer){.body = "5", .body_len = 1};
        assert_int_equal(mfa_reading_json(&reading, &second), MFA_OK);
        assert_ptr_equal(first, second);
        assert_int_equal(first != NULL, i == 0);
        mfa_reading_clear(&reading);
    }
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

static void a_lack_of_memory_is_no_lack_of_json(void **state)
{
    const struct mfa_gateway_answer answer = {.body = "{}", .body_len = 2};
    struct mfa_reading reading = {.answer = &answer};
    const json_t *json = NULL;
    json_malloc_t allocate = NULL;
    json_free_t release = NULL;
    enum mfa_status status;

    (void)state;
    json_get_alloc_funcs(&allocate, &release);
    json_set_alloc_funcs(no_memory, release);
    status = mfa_reading_json(&reading, &json);
    json_set_alloc_funcs(allocate, release);
    assert_int_equal(status, MFA_ERR_MEMORY);
    assert_int_equal(mfa_reading_json(&reading, &json), MFA_OK);
    assert_non_null(json);
    mfa_reading_clear(&reading);
}

static void deep_json_is_no_trouble(void **state)
{
    static char body[65536];
    struct mfa_condition_failure failure;

    (void)state;
    memset(body, '[', sizeof body);
    assert_int_equal(check_bytes("{json: {/a: 1}}", 200, body, sizeof body, &failure), MFA_OK);
    assert_int_equal(failure.part, MFA_PART_JSON);
    memset(body, '[', 2000);
    memset(body + 2000, ']', 2000);
    assert_int_equal(check_bytes("{json: {/0/0: {exists: true}}}", 200, body, 4000, &failure), MFA_OK);
    assert_int_equal(failure.part, MFA_PART_NONE);
}

static void text_is_looked_for_in_the_bytes_of_the_body(void **state)
{
    static const struct row rows[] = {
        {"{text: '^0 \\|'}", "0 | accepted", true},
        {"{text: '^0 \\|'}", "31 | wrong", false},
        {"{text: \"^\\\\{\\\"a\\\": 1\\\\}$\"}", "{\"a\": 1}", true},
        {"{text: '^$'}", "", true},
        {"{text: x}", "", false},
    };
    struct mfa_condition_failure failure;

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
    assert_int_equal(check_bytes("{text: ok}", 200, "\0\xff ok", 5, &failure), MFA_OK);
    assert_int_equal(failure.part, MFA_PART_NONE);
}

static void empty_is_nothing_but_white_space(void **state)
{
    static const struct row rows[] = {
        {"{empty: true}", "", true},      {"{empty: true}", " \t\r\n", true}, {"{empty: true}", "{}", false},
        {"{empty: true}", "x", false},    {"{empty: true}", "\v", false},     {"{empty: false}", "", false},
        {"{empty: false}", " \n", false}, {"{empty: false}", "{}", true},     {"{empty: false}", "x", true},
    };
    struct mfa_condition_failure failure;

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
    assert_int_equal(check_bytes("{empty: true}", 200, "\0", 1, &failure), MFA_OK);
    assert_int_equal(failure.part, MFA_PART_BODY);
}

/* --- The whole ------------------------------------------------------------------------------------------------- */

static void all_parts_must_hold(void **state)
{
    static const char condition[] = "{status: 201, json: {/a: 1, /b: 2}, text: '^\\{', empty: false}";
    static const struct {
        int http_status;
        const char *body;
        enum mfa_condition_part part;
    } cases[] = {
        {201, "{\"a\": 1, \"b\": 2}", MFA_PART_NONE},
        {200, "{\"a\": 1, \"b\": 2}", MFA_PART_STATUS},
        {201, "{\"a\": 1, \"b\": 3}", MFA_PART_MEMBER},
        {201, "{\"a\": 3, \"b\": 2}", MFA_PART_MEMBER},
        {201, " {\"a\": 1, \"b\": 2}", MFA_PART_TEXT},
        {201, "", MFA_PART_BODY},
        {201, "a", MFA_PART_JSON},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfa_condition_failure failure;

        assert_int_equal(check_bytes(condition, cases[i].http_status, cases[i].body, strlen(cases[i].body), &failure),
                         MFA_OK);
        assert_int_equal(failure.part, cases[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_is_in_the_list),
        cmocka_unit_test(types_are_strict),
        cmocka_unit_test(each_matcher_holds_for_what_it_says),
        cmocka_unit_test(an_integer_beyond_64_bits_spoils_no_answer),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_an_answer),
        cmocka_unit_test(expected_values_are_templates_whose_result_is_a_string),
        cmocka_unit_test(what_cannot_be_rendered_cannot_be_checked),
        cmocka_unit_test(what_is_no_json_meets_no_condition_on_it),
        cmocka_unit_test(the_body_is_read_once),
        cmocka_unit_test(a_lack_of_memory_is_no_lack_of_json),
        cmocka_unit_test(deep_json_is_no_trouble),
        cmocka_unit_test(text_is_looked_for_in_the_bytes_of_the_body),
        cmocka_unit_test(empty_is_nothing_but_white_space),
        cmocka_unit_test(all_parts_must_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
