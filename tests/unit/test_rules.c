/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rules_fixture.h"

/* Expects exactly this to be reported about a text. */
static void check_refused(const char *text, const char *expected_log)
{
    struct rules_fixture fixture;

    rules_fixture_read(&fixture, text);
    if (strcmp(fixture.log, expected_log) != 0)
        fail_msg("%s\nsays\n%s\nand not\n%s", text, fixture.log, expected_log);
    rules_fixture_clear(&fixture);
}

struct refusal {
    const char *text;
    const char *log;
};

static void check_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_refused(refusals[i].text, refusals[i].log);
}

/* --- What is read ---------------------------------------------------------------------------------------------- */

static void zeroed_rules_say_nothing(void **state)
{
    struct mfa_rules rules = {0};

    (void)state;
    assert_false(mfa_rules_has_expectation(&rules));
    assert_null(mfa_rules_capture_name(&rules, 0));
    assert_false(mfa_rules_captures(&rules, "id"));
    assert_null(mfa_rules_variable(&rules, 0));
    mfa_rules_clear(&rules);
}

static void expect_and_success_are_expectations(void **state)
{
    static const struct {
        const char *text;
        bool has_expectation;
    } cases[] = {
        {"", false},
        {"expect: {status: 200}", true},
        {"success: {jsonPath: a, equals: b}", true},
        {"outcomes: [{when: {status: 404}, is: expired}]\nretryAfter: /r\ncapture: {id: /id}", false},
    };
    struct rules_fixture fixture;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rules_fixture_init(&fixture, cases[i].text);
        assert_int_equal(mfa_rules_has_expectation(&fixture.rules), cases[i].has_expectation);
        rules_fixture_clear(&fixture);
        assert_false(mfa_rules_has_expectation(&fixture.rules));
        rules_fixture_clear(&fixture);
    }
}

static void captures_are_named(void **state)
{
    struct rules_fixture fixture;

    (void)state;
    rules_fixture_init(&fixture, "capture: {id: /id, _x.y-z: 'header:X-Request_Id.1'}");
    assert_string_equal(mfa_rules_capture_name(&fixture.rules, 0), "id");
    assert_string_equal(mfa_rules_capture_name(&fixture.rules, 1), "_x.y-z");
    assert_null(mfa_rules_capture_name(&fixture.rules, 2));
    assert_true(mfa_rules_captures(&fixture.rules, "id"));
    assert_true(mfa_rules_captures(&fixture.rules, "_x.y-z"));
    assert_false(mfa_rules_captures(&fixture.rules, "ID"));
    assert_string_equal(mfa_pointer_text(fixture.rules.captures[0].pointer), "/id");
    assert_null(fixture.rules.captures[0].header);
    assert_string_equal(fixture.rules.captures[1].header, "X-Request_Id.1");
    rules_fixture_clear(&fixture);
}

static void variables_are_named_wherever_they_stand(void **state)
{
    static const char text[] = "expect:\n"
                               "  json:\n"
                               "    '/{{ a }}/{{ b }}': '{{ c }}-{{ a }}'\n"
                               "    /in: {in: [x, '{{ d }}', 5, '{{ e }}']}\n"
                               "    /not: {not: '{{ f }}'}\n"
                               "    '/exists/{{ g }}': {exists: true}\n"
                               "    /matches: {matches: 'a{{ 2 }}'}\n"
                               "success: {jsonPath: s, equals: '{{ h }}'}\n"
                               "outcomes:\n"
                               "  - {when: {status: 404}, is: expired}\n"
                               "  - {when: {json: {'/{{ i }}': '{{ code }}'}}, is: rejected}\n"
                               "capture: {k: '/{{ j }}', l: 'header:X'}\n"
                               "retryAfter: '/{{ k }}'\n";
    static const char *const expected[] = {"a", "b", "c", "a", "d", "e", "f", "g", "h", "i", "code", "j", "k"};
    const size_t count = sizeof expected / sizeof expected[0];
    struct rules_fixture fixture;

    (void)state;
    rules_fixture_init(&fixture, text);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(mfa_rules_variable(&fixture.rules, i));
        assert_string_equal(mfa_rules_variable(&fixture.rules, i), expected[i]);
    }
    assert_null(mfa_rules_variable(&fixture.rules, count));
    assert_null(mfa_rules_variable(&fixture.rules, 1000));
    rules_fixture_clear(&fixture);
}

static void a_json_path_is_a_pointer(void **state)
{
    static const struct {
        const char *path;
        const char *pointer;
    } cases[] = {
        {"status", "/status"},
        {"$.status", "/status"},
        {"a.b.c", "/a/b/c"},
        {"messages[0].status", "/messages/0/status"},
        {"messages.0.status", "/messages/0/status"},
        {"$.messages[12][3]", "/messages/12/3"},
        {"$[0].a", "/0/a"},
        {"[0]", "/0"},
        {"a/b.c~d", "/a~1b/c~0d"},
        {"error-code.x_y z@", "/error-code/x_y z@"},
    };
    struct rules_fixture fixture;
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(text, sizeof text, "success: {jsonPath: \"%s\", equals: x}", cases[i].path);
        rules_fixture_init(&fixture, text);
        assert_int_equal(fixture.rules.expect.member_count, 1);
        assert_string_equal(mfa_pointer_text(fixture.rules.expect.members[0].pointer), cases[i].pointer);
        rules_fixture_clear(&fixture);
    }
}

/* --- What is refused ------------------------------------------------------------------------------------------- */

#define CHOICES " must be one of \"false\", \"true\"\n"
#define NO_STATUS " must be a status from 100 to 599, or a class of them, as 2xx\n"
#define NO_VALUE " must be a single value: a string, a number, true, false or null\n"
#define NO_STRING " must be a string: put it in quotes\n"
#define NO_POINTER " must be a JSON pointer: it begins with \"/\", as in \"/messages/0/status\"\n"
#define NO_MAPPING " must be a mapping (keys with values)\n"
#define UNCLEAR " is not clear: put it in quotes if it is a string, or write true, false, null or a decimal number\n"

static void a_condition_says_something(void **state)
{
    static const struct refusal refusals[] = {
        {"expect: {}", "verify.expect (c.yml:1): must not be empty: it would hold for any answer\n"},
        {"outcomes:\n  - when: {}\n    is: error",
         "verify.outcomes[0].when (c.yml:2): must not be empty: it would hold for any answer\n"},
        {"expect:\n", "verify.expect (c.yml:1):" NO_MAPPING},
        {"expect: [200]", "verify.expect (c.yml:1):" NO_MAPPING},
        {"expect: 200", "verify.expect (c.yml:1):" NO_MAPPING},
        {"expect:\n  status: 200\n  body: x",
         "verify.expect.body (c.yml:3): is not a known key: those known here are \"status\", \"json\", \"text\", "
         "\"empty\"\n"},
        {"expect: {json: {}}", "verify.expect.json (c.yml:1): must have at least one JSON pointer with what stands "
                               "there, as in {/status: approved}\n"},
        {"expect: {json: [/a]}", "verify.expect.json (c.yml:1):" NO_MAPPING},
    };

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}

static void a_status_is_one(void **state)
{
    static const struct refusal refusals[] = {
        {"expect: {status: 99}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: 600}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: 4294967496}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: -200}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: 200.0}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: '200'}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: '2XX'}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: '6xx'}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: '0xx'}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: '2xxx'}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: '2x'}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: ok}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: true}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: }", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: []}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: {}}", "verify.expect.status (c.yml:1):" NO_STATUS},
        {"expect: {status: 0200}", "verify.expect.status (c.yml:1):" UNCLEAR},
        {"expect:\n  status:\n    - 200\n    - 20\n    - [201]\n    - '4xx'\n    - '5yy'",
         "verify.expect.status[1] (c.yml:4):" NO_STATUS "verify.expect.status[2] (c.yml:5):" NO_STATUS
         "verify.expect.status[4] (c.yml:7):" NO_STATUS},
    };

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}

static void a_matcher_is_a_value_or_one_of_four(void **state)
{
    static const struct refusal refusals[] = {
        {"expect: {json: {status: a}}", "verify.expect.json.status (c.yml:1):" NO_POINTER},
        {"expect: {json: {/a~: a}}",
         "verify.expect.json./a~ (c.yml:1): has a \"~\" without 0 or 1 behind it: in a JSON pointer \"~\" is written "
         "~0, and \"/\" in a name ~1\n"},
        {"expect: {json: {'/{{ }}': a}}",
         "verify.expect.json./{{ }} (c.yml:1): has \"{{\" without the name of a variable behind it (a letter or _, "
         "then at most 63 letters, digits, _ . -)\n"},
        {"expect: {json: {/a: '{{ x'}}",
         "verify.expect.json./a (c.yml:1): has \"{{\" and the name of a variable without \"}}\" behind it\n"},
        {"expect: {json: {/a: yes}}", "verify.expect.json./a (c.yml:1):" UNCLEAR},
        {"expect: {json: {/a: 0x1f}}", "verify.expect.json./a (c.yml:1):" UNCLEAR},
        {"expect: {json: {/a: 2024-01-01}}", "verify.expect.json./a (c.yml:1):" UNCLEAR},
        {"expect: {json: {/a: [a, b]}}", "verify.expect.json./a (c.yml:1):" NO_VALUE},
        {"expect: {json: {/a: {}}}", "verify.expect.json./a (c.yml:1):" NO_VALUE},
        {"expect: {json: {/a: {is: a}}}",
         "verify.expect.json./a.is (c.yml:1): is not a known key: those known here are "
         "\"in\", \"not\", \"exists\", \"matches\"\n"},
        {"expect: {json: {/a: {not: a, exists: true}}}",
         "verify.expect.json./a (c.yml:1): must have one key, not several: one of \"in\", \"not\", \"exists\", "
         "\"matches\"\n"},
        {"expect: {json: {/a: {in: a}}}", "verify.expect.json./a.in (c.yml:1): must be a list of at least one value\n"},
        {"expect: {json: {/a: {in: []}}}",
         "verify.expect.json./a.in (c.yml:1): must be a list of at least one value\n"},
        {"expect:\n  json:\n    /a:\n      in:\n        - a\n        - [b]\n        - {c: d}\n        - no",
         "verify.expect.json./a.in[1] (c.yml:6):" NO_VALUE "verify.expect.json./a.in[2] (c.yml:7):" NO_VALUE
         "verify.expect.json./a.in[3] (c.yml:8):" UNCLEAR},
        {"expect: {json: {/a: {not: [a]}}}", "verify.expect.json./a.not (c.yml:1):" NO_VALUE},
        {"expect: {json: {/a: {not: {in: [a]}}}}", "verify.expect.json./a.not (c.yml:1):" NO_VALUE},
        {"expect: {json: {/a: {exists: 1}}}", "verify.expect.json./a.exists (c.yml:1):" CHOICES},
        {"expect: {json: {/a: {exists: }}}", "verify.expect.json./a.exists (c.yml:1):" CHOICES},
        {"expect: {json: {/a: {matches: 5}}}", "verify.expect.json./a.matches (c.yml:1):" NO_STRING},
        {"expect: {json: {/a: {matches: 'secret('}}}",
         "verify.expect.json./a.matches (c.yml:1): is not a regular expression: missing closing parenthesis, at offset "
         "7\n"},
        {"expect: {json: {/a: b, /a: c}}",
         "verify.expect.json./a (c.yml:1): is there twice, first on line 1: keep one\n"},
    };

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}

static void text_and_empty_have_their_types(void **state)
{
    static const struct refusal refusals[] = {
        {"expect: {text: ''}", "verify.expect.text (c.yml:1): must not be empty: that would match anything\n"},
        {"expect: {text: 200}", "verify.expect.text (c.yml:1):" NO_STRING},
        {"expect: {text: [a]}", "verify.expect.text (c.yml:1):" NO_STRING},
        {"expect:\n  text: '[a-'",
         "verify.expect.text (c.yml:2): is not a regular expression: missing terminating ] for "
         "character class, at offset 3\n"},
        {"expect: {empty: yes}", "verify.expect.empty (c.yml:1):" CHOICES},
        {"expect: {empty: {}}", "verify.expect.empty (c.yml:1):" CHOICES},
    };

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}

static void success_has_a_path_and_a_value(void **state)
{
    static const char *const paths[] = {
        "",     ".",  "a.",  ".a",   "a..b",      "a[", "a[]",    "a[x]",       "a[-1]",   "a[0",       "a[0]b", "$",
        "$..a", "$.", "a.*", "a[*]", "a[?(@.b)]", "a]", "a['b']", "a.length()", "{{ x }}", "a.{{ x }}", "a$b",
    };
    static const struct refusal refusals[] = {
        {"success: {}", "verify.success (c.yml:1): must have both \"jsonPath\" and \"equals\"\n"},
        {"success: {jsonPath: a}", "verify.success (c.yml:1): must have both \"jsonPath\" and \"equals\"\n"},
        {"success: {equals: a}", "verify.success (c.yml:1): must have both \"jsonPath\" and \"equals\"\n"},
        {"success: status", "verify.success (c.yml:1):" NO_MAPPING},
        {"success:\n  jsonPath: a\n  equals: b\n  not: c",
         "verify.success.not (c.yml:4): is not a known key: those known here are \"jsonPath\", \"equals\"\n"},
        {"success: {jsonPath: a, equals: [b]}", "verify.success.equals (c.yml:1):" NO_VALUE},
        {"success: {jsonPath: a, equals: {in: [b]}}", "verify.success.equals (c.yml:1):" NO_VALUE},
        {"success: {jsonPath: a, equals: yes}", "verify.success.equals (c.yml:1):" UNCLEAR},
        {"success: {jsonPath: [a], equals: b}", "verify.success.jsonPath (c.yml:1):" NO_STRING},
        {"expect:\n  json: {/a/0: b}\nsuccess:\n  jsonPath: 'a[0]'\n  equals: b",
         "verify.success.jsonPath (c.yml:4): is a place of which expect.json and success both say what stands there: "
         "keep one\n"},
    };
    char text[100];

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        (void)snprintf(text, sizeof text, "success: {jsonPath: \"%s\", equals: b}", paths[i]);
        check_refused(text,
                      "verify.success.jsonPath (c.yml:1): must be names joined by dots, with [0] for an item of a "
                      "list, as in \"messages[0].status\": for anything else use expect.json\n");
    }
}

static void an_outcome_has_a_condition_and_a_meaning(void **state)
{
    static const char no_list[] = "verify.outcomes (c.yml:1): must be a list of rules, each with \"when\" and \"is\"\n";
    static const struct refusal refusals[] = {
        {"outcomes: []", no_list},
        {"outcomes: {}", no_list},
        {"outcomes: {when: {status: 404}, is: expired}", no_list},
        {"outcomes: expired", no_list},
        {"outcomes:\n", no_list},
        {"outcomes: [404]", "verify.outcomes[0] (c.yml:1):" NO_MAPPING},
        {"outcomes:\n  - {when: {status: 404}, is: expired}\n  - {when: {status: 400}}\n  - {is: error}\n  - {}",
         "verify.outcomes[1] (c.yml:3): must have both \"when\" and \"is\"\n"
         "verify.outcomes[2] (c.yml:4): must have both \"when\" and \"is\"\n"
         "verify.outcomes[3] (c.yml:5): must have both \"when\" and \"is\"\n"},
        {"outcomes:\n  - when: {status: 404}\n    is: wrong",
         "verify.outcomes[0].is (c.yml:3): must be one of \"error\", \"throttled\", \"expired\", \"rejected\", "
         "\"accepted\"\n"},
        {"outcomes: [{when: {status: 404}, is: }]",
         "verify.outcomes[0].is (c.yml:1): must be one of \"error\", \"throttled\", \"expired\", \"rejected\", "
         "\"accepted\"\n"},
        {"outcomes: [{when: {status: 404}, is: expired, then: stop}]",
         "verify.outcomes[0].then (c.yml:1): is not a known key: those known here are \"when\", \"is\"\n"},
        {"outcomes: [{when: {status: 40}, is: expired}]", "verify.outcomes[0].when.status (c.yml:1):" NO_STATUS},
    };

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}

#define NO_NAME " is not the name of a variable: a letter or _, then at most 63 letters, digits, _ . -\n"
#define TAKEN " is a name that is taken: captures must not be called \"code\" or \"nonce\"\n"
#define NO_HEADER " must be a JSON pointer or the name of a header, as in \"/request_id\" or \"header:Location\"\n"

static void a_capture_has_a_name_and_a_source(void **state)
{
    static const struct refusal refusals[] = {
        {"capture: [id]", "verify.capture (c.yml:1):" NO_MAPPING},
        {"capture: /id", "verify.capture (c.yml:1):" NO_MAPPING},
        {"capture:\n  code: /code\n  nonce: /nonce\n  9id: /id\n  'a b': /id\n  '': /id",
         "verify.capture.code (c.yml:2):" TAKEN "verify.capture.nonce (c.yml:3):" TAKEN
         "verify.capture.9id (c.yml:4):" NO_NAME "verify.capture.a b (c.yml:5):" NO_NAME
         "verify.capture. (c.yml:6):" NO_NAME},
        {"capture: {id: id}", "verify.capture.id (c.yml:1):" NO_POINTER},
        {"capture: {id: 5}", "verify.capture.id (c.yml:1):" NO_STRING},
        {"capture: {id: }", "verify.capture.id (c.yml:1):" NO_STRING},
        {"capture: {id: [/id]}", "verify.capture.id (c.yml:1):" NO_STRING},
        {"capture: {id: 'header:'}", "verify.capture.id (c.yml:1):" NO_HEADER},
        {"capture: {id: 'header: X'}", "verify.capture.id (c.yml:1):" NO_HEADER},
        {"capture: {id: 'header:X:'}", "verify.capture.id (c.yml:1):" NO_HEADER},
        {"capture: {id: 'header:{{ x }}'}", "verify.capture.id (c.yml:1):" NO_HEADER},
        {"capture: {id: 'Header:X'}", "verify.capture.id (c.yml:1):" NO_POINTER},
    };
    char text[1000] = "capture:\n";

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
    for (int i = 0; i < MFA_RULES_MAX_CAPTURES; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "  v%d: /v\n", i);
    check_refused(text, "");
    strcat(text, "  one: /v\n");
    check_refused(text, "verify.capture.one (c.yml:18): is one capture too many: there can be 16\n");
}

static void retry_after_is_a_pointer(void **state)
{
    static const struct refusal refusals[] = {
        {"retryAfter: retry", "verify.retryAfter (c.yml:1):" NO_POINTER},
        {"retryAfter: 30", "verify.retryAfter (c.yml:1):" NO_STRING},
        {"retryAfter: {}", "verify.retryAfter (c.yml:1):" NO_STRING},
        {"retryAfter:", "verify.retryAfter (c.yml:1):" NO_STRING},
    };

    (void)state;
    check_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}

static void every_mistake_is_reported_with_its_line(void **state)
{
    (void)state;
    check_refused(
        "expect:\n"
        "  status: 0\n"
        "  json:\n"
        "    a: b\n"
        "    /b: [c]\n"
        "  text: '('\n"
        "  empty: 1\n"
        "retryAfter: x\n",
        "verify.expect.status (c.yml:2):" NO_STATUS "verify.expect.json.a (c.yml:4):" NO_POINTER
        "verify.expect.json./b (c.yml:5):" NO_VALUE
        "verify.expect.text (c.yml:6): is not a regular expression: missing closing parenthesis, at offset 1\n"
        "verify.expect.empty (c.yml:7):" CHOICES "verify.retryAfter (c.yml:8):" NO_POINTER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_rules_say_nothing),
        cmocka_unit_test(expect_and_success_are_expectations),
        cmocka_unit_test(captures_are_named),
        cmocka_unit_test(variables_are_named_wherever_they_stand),
        cmocka_unit_test(a_json_path_is_a_pointer),
        cmocka_unit_test(a_condition_says_something),
        cmocka_unit_test(a_status_is_one),
        cmocka_unit_test(a_matcher_is_a_value_or_one_of_four),
        cmocka_unit_test(text_and_empty_have_their_types),
        cmocka_unit_test(success_has_a_path_and_a_value),
        cmocka_unit_test(an_outcome_has_a_condition_and_a_meaning),
        cmocka_unit_test(a_capture_has_a_name_and_a_source),
        cmocka_unit_test(retry_after_is_a_pointer),
        cmocka_unit_test(every_mistake_is_reported_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
