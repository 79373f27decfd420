/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mfa_compose.h"

#define CAP 256

static enum mfa_status compose_pairs(struct mfa_buffer *out, const char *json, enum mfa_pairs pairs,
                                     const char **problem)
{
    json_t *map = json_loads(json, 0, NULL);
    enum mfa_status status;

    assert_non_null(map);
    status = mfa_compose_pairs(out, map, pairs, problem);
    json_decref(map);
    return status;
}

static enum mfa_status compose_json(struct mfa_buffer *out, const char *json, const char **problem)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    enum mfa_status status;

    assert_non_null(value);
    status = mfa_compose_json(out, value, problem);
    json_decref(value);
    return status;
}

static void check_pairs(const char *json, enum mfa_pairs pairs, const char *expected)
{
    const char *problem = "something";
    struct mfa_buffer out;

    mfa_buffer_init(&out, CAP);
    assert_int_equal(mfa_buffer_append(&out, "<", 1), MFA_OK);
    assert_int_equal(compose_pairs(&out, json, pairs, &problem), MFA_OK);
    assert_null(problem);
    assert_string_equal(out.data + 1, expected);
    mfa_buffer_clear(&out);
}

static void check_both(const char *json, const char *expected)
{
    check_pairs(json, MFA_PAIRS_QUERY, expected);
    check_pairs(json, MFA_PAIRS_FORM, expected);
}

static void check_pairs_refused(const char *json, const char *expected)
{
    const char *problem = NULL;
    struct mfa_buffer out;

    mfa_buffer_init(&out, CAP);
    assert_int_equal(compose_pairs(&out, json, MFA_PAIRS_QUERY, &problem), MFA_ERR_SYNTAX);
    assert_string_equal(problem, expected);
    assert_int_equal(compose_pairs(&out, json, MFA_PAIRS_FORM, &problem), MFA_ERR_SYNTAX);
    assert_string_equal(problem, expected);
    mfa_buffer_clear(&out);
}

static void check_json(const char *json, const char *expected)
{
    const char *problem = "something";
    struct mfa_buffer out;

    mfa_buffer_init(&out, CAP);
    assert_int_equal(mfa_buffer_append(&out, "<", 1), MFA_OK);
    assert_int_equal(compose_json(&out, json, &problem), MFA_OK);
    assert_null(problem);
    assert_string_equal(out.data + 1, expected);
    mfa_buffer_clear(&out);
}

static void check_json_refused(const char *json, const char *expected)
{
    const char *problem = NULL;
    struct mfa_buffer out;

    mfa_buffer_init(&out, CAP);
    assert_int_equal(compose_json(&out, json, &problem), MFA_ERR_SYNTAX);
    assert_string_equal(problem, expected);
    mfa_buffer_clear(&out);
}

/* --- Pairs ----------------------------------------------------------------------------------------------------- */

static void pairs_keep_their_order(void **state)
{
    (void)state;
    check_both("{\"z\": \"1\", \"a\": \"2\", \"m\": \"\"}", "z=1&a=2&m=");
    check_both("{}", "");
}

static void literal_text_is_encoded_as_one_value(void **state)
{
    (void)state;
    check_both("{\"a&b=c\": \"d&e=f?g#h+i/j\"}", "a%26b%3Dc=d%26e%3Df%3Fg%23h%2Bi%2Fj");
    check_both("{\"a\": \"\\u00e9\\n\\\"%\"}", "a=%C3%A9%0A%22%25");
    check_both("{\"a\": \"-._~09azAZ\"}", "a=-._~09azAZ");
}

static void what_is_percent_encoded_already_stays(void **state)
{
    (void)state;
    check_both("{\"a%20b\": \"%2B41%zz\"}", "a%20b=%2B41%25zz");
}

static void a_space_is_a_plus_in_forms_alone(void **state)
{
    (void)state;
    check_pairs("{\"a b\": \" c  d \"}", MFA_PAIRS_QUERY, "a%20b=%20c%20%20d%20");
    check_pairs("{\"a b\": \" c  d \"}", MFA_PAIRS_FORM, "a+b=+c++d+");
}

static void numbers_and_booleans_are_their_json(void **state)
{
    (void)state;
    check_both("{\"a\": 1, \"b\": -2.5, \"c\": true, \"d\": false}", "a=1&b=-2.5&c=true&d=false");
}

static void placeholders_stay_as_they_are(void **state)
{
    (void)state;
    check_pairs("{\"a\": \"x y{{ phone | e164 }}&{{code}} {{ a }}{{ b }}\"}", MFA_PAIRS_QUERY,
                "a=x%20y{{ phone | e164 }}%26{{code}}%20{{ a }}{{ b }}");
    check_pairs("{\"a\": \"{{ a }} b\"}", MFA_PAIRS_FORM, "a={{ a }}+b");
    check_both("{\"a\": \"{b}}\"}", "a=%7Bb%7D%7D");
}

static void a_broken_placeholder_is_named_for_what_it_is(void **state)
{
    (void)state;
    check_pairs_refused("{\"a\": \"x {{ phone | digit }}\"}",
                        "has an unknown filter behind the name of a variable: those known are digits, e164, urlencode, "
                        "json, xml, base64, lower and raw");
    check_pairs_refused("{\"a\": \"{{ phone \"}", "has \"{{\" and the name of a variable without \"}}\" behind it");
    check_json_refused("{\"a\": [\"{{ phone | digit }}\"]}",
                       "has an unknown filter behind the name of a variable: those known are digits, e164, urlencode, "
                       "json, xml, base64, lower and raw");
}

static void pairs_hold_no_collections_and_no_null(void **state)
{
    static const char *const maps[] = {"{\"a\": null}", "{\"a\": {}}", "{\"a\": []}", "{\"b\": 1, \"a\": [\"x\"]}"};

    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        check_pairs_refused(maps[i], "must hold only strings, numbers, true and false");
}

static void a_key_has_no_placeholder(void **state)
{
    static const char expected[] = "has a placeholder in a key: only values can have one";

    (void)state;
    check_pairs_refused("{\"a\": 1, \"x{{ key }}\": \"y\"}", expected);
    check_json_refused("{\"{{ key }}\": 1}", expected);
    check_json_refused("{\"a\": [1, {\"b\": {\"{{ key }}\": 1}}], \"c\": 2}", expected);
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

static void json_is_compact_and_keeps_its_order(void **state)
{
    (void)state;
    check_json("{\"z\": [1, \"x\", [], {}], \"a\": {\"c\": null, \"b\": true}}",
               "{\"z\":[1,\"x\",[],{}],\"a\":{\"c\":null,\"b\":true}}");
    check_json("[]", "[]");
    check_json("\"x\"", "\"x\"");
    check_json("-2.5", "-2.5");
}

static void strings_and_keys_are_escaped(void **state)
{
    (void)state;
    check_json("{\"a\\\"\\\\\": \"b\\n\\u0001\\\"\\u00e9/\"}", "{\"a\\\"\\\\\":\"b\\n\\u0001\\\"\xc3\xa9/\"}");
}

static void placeholders_stay_inside_their_strings(void **state)
{
    (void)state;
    check_json("{\"a\": \"\\\"{{ x | json }}\\\"\", \"b\": [\"{{ y }}\"]}",
               "{\"a\":\"\\\"{{ x | json }}\\\"\",\"b\":[\"{{ y }}\"]}");
}

/* --- Bounds ---------------------------------------------------------------------------------------------------- */

static void no_more_is_composed_than_the_buffer_may_hold(void **state)
{
    static const char pairs[] = "{\"a\": \"x %41\", \"b\": \"{{ b }}\", \"c\": 1}";
    const size_t pairs_len = strlen("a=x+%41&b={{ b }}&c=1");
    static const char json[] = "{\"a\":[1,\"{{ b }}\"],\"c\":{},\"d\":[]}";
    const char *problem = NULL;
    struct mfa_buffer out;

    (void)state;
    for (size_t cap = 0; cap <= pairs_len; cap++) {
        mfa_buffer_init(&out, cap);
        assert_int_equal(compose_pairs(&out, pairs, MFA_PAIRS_FORM, &problem),
                         cap < pairs_len ? MFA_ERR_TOO_LARGE : MFA_OK);
        mfa_buffer_clear(&out);
    }
    for (size_t cap = 0; cap <= strlen(json); cap++) {
        mfa_buffer_init(&out, cap);
        assert_int_equal(compose_json(&out, json, &problem), cap < strlen(json) ? MFA_ERR_TOO_LARGE : MFA_OK);
        mfa_buffer_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_keep_their_order),
        cmocka_unit_test(literal_text_is_encoded_as_one_value),
        cmocka_unit_test(what_is_percent_encoded_already_stays),
        cmocka_unit_test(a_space_is_a_plus_in_forms_alone),
        cmocka_unit_test(numbers_and_booleans_are_their_json),
        cmocka_unit_test(placeholders_stay_as_they_are),
        cmocka_unit_test(a_broken_placeholder_is_named_for_what_it_is),
        cmocka_unit_test(pairs_hold_no_collections_and_no_null),
        cmocka_unit_test(a_key_has_no_placeholder),
        cmocka_unit_test(json_is_compact_and_keeps_its_order),
        cmocka_unit_test(strings_and_keys_are_escaped),
        cmocka_unit_test(placeholders_stay_inside_their_strings),
        cmocka_unit_test(no_more_is_composed_than_the_buffer_may_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
