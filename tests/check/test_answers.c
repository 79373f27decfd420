/* SPDX-License-Identifier: Apache-2.0
 *
 * `answer`: why an answer that was saved is taken for what it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"

/* An endpoint `verify` with these rules. */
static void configure(const char *rules)
{
    char *mfa = NULL;

    assert_true(asprintf(&mfa,
                         "mode: challenge-verify\n"
                         "sms:\n"
                         "  endpoints:\n"
                         "    challenge: {url: 'http://localhost/{{ phone }}', capture: {id: /id}}\n"
                         "    verify: {url: 'http://localhost/{{ id }}/{{ code }}', %s}\n",
                         rules) > 0);
    checked_configure(mfa);
    free(mfa);
    checked_write("me.json", "{\"phone\": \"+41791231212\"}");
}

static void expect_words(const char *answer, int status, const char *words)
{
    checked_write("answer.txt", answer);
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt", "--endpoint", "verify", "--user", "me.json",
                               "--captured", "{\"id\": \"i-7\"}"),
                   status, words, NULL);
}

#define OK "HTTP/1.1 200 OK\r\n\r\n"

static void each_part_of_a_condition_says_why_it_does_not_hold(void **state)
{
    static const struct {
        const char *rules;
        const char *answer;
        const char *words;
    } cases[] = {
        {"expect: {status: [200, 201, 4xx]}", "HTTP/1.1 302\n\n",
         "\nexpect.status did not hold: 302, not 200 or 201 or 4xx\n"},
        {"expect: {text: a}", "HTTP/2 404 \n\na", "\nexpect.status did not hold: 404, not 2xx\n"},
        {"expect: {text: '^ok'}", OK "no", "\nexpect.text did not hold: the expression matches nowhere in the body\n"},
        {"expect: {empty: true}", OK "no", "\nexpect.empty did not hold: there is a body\n"},
        {"expect: {empty: false}", OK " \n", "\nexpect.empty did not hold: there is no body\n"},
        {"expect: {json: {/a: 1}}", OK "<a>", "\nexpect.json did not hold: the body is not JSON\n"},
        {"expect: {json: {/a: 1}}", OK "{}", "\nexpect.json /a did not hold: nothing stands there, not 1\n"},
        {"expect: {json: {/a: 1}}", OK "{\"a\":\"1\"}", "\nexpect.json /a did not hold: \"1\", not 1\n"},
        {"expect: {json: {/a: {in: [x, null]}}}", OK "{\"a\":[true]}",
         "\nexpect.json /a did not hold: [true], not \"x\" or null\n"},
        {"expect: {json: {/a: '{{ phone }}'}}", OK "{\"a\":\"x\"}",
         "\nexpect.json /a did not hold: \"x\", not \"+41791231212\"\n"},
        {"expect: {json: {/a: {not: x}}}", OK "{\"a\":\"x\"}",
         "\nexpect.json /a did not hold: \"x\", which it must not be\n"},
        {"expect: {json: {/a: {not: x}}}", OK "{}", "\nexpect.json /a did not hold: nothing stands there\n"},
        {"expect: {json: {/a: {exists: true}}}", OK "{}", "\nexpect.json /a did not hold: nothing stands there\n"},
        {"expect: {json: {/a: {exists: false}}}", OK "{\"a\":null}",
         "\nexpect.json /a did not hold: null, where nothing may stand\n"},
        {"expect: {json: {/a: {matches: '^x'}}}", OK "{\"a\":\"y\"}",
         "\nexpect.json /a did not hold: \"y\", which does not match the expression\n"},
        {"success: {jsonPath: 'a[0]', equals: 1}", OK "{\"a\":[2]}", "\nsuccess /a/0 did not hold: 2, not 1\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        configure(cases[i].rules);
        expect_words(cases[i].answer, 1, cases[i].words);
    }
}

static void all_that_holds_is_told(void **state)
{
    (void)state;
    configure("expect: {status: [200], json: {/a: 1, /b: {exists: false}, /c: {matches: x}}, text: a, empty: false}");
    expect_words(OK "{\"a\":1,\"c\":\"xx\"}", 0,
                 "\nexpect held: status 200, /a is 1, /b is not there, /c is \"xx\", the text matches, there is a body "
                 "\u2192 accepted\n");
    configure("outcomes: [{when: {empty: true}, is: accepted}]");
    expect_words(OK, 0, "\noutcomes[0] matched: status 200, no body \u2192 accepted\n");
}

static void a_long_value_is_cut_off(void **state)
{
    char answer[400] = OK "{\"a\":\"";
    const size_t head_len = strlen(answer);
    struct checked checked;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        memcpy(answer + head_len + 2 * i, "\xc3\xa9", 3);
    (void)strcat(answer, "\"}");
    configure("expect: {json: {/a: 1}}");
    checked_write("answer.txt", answer);
    checked = CHECKED_RUN(CONFIG, "answer", "answer.txt", "--endpoint", "verify", "--json");
    assert_non_null(strstr(checked_text(&checked, "attempts/0/rules/0/text"), "\xc3\xa9\u2026, not 1"));
    assert_in_range(strlen(checked_text(&checked, "attempts/0/rules/0/text")), 100, 180);
    checked_expect(checked, 1, "", NULL);
}

static void outcomes_are_told_up_to_the_one_that_decides(void **state)
{
    (void)state;
    configure("outcomes: [{when: {status: [404]}, is: expired}, {when: {json: {/status: pending}}, is: rejected}, "
              "{when: {text: never}, is: error}], expect: {status: 2xx}");
    expect_words(OK "{\"status\": \"pending\"}", 1,
                 "\n"
                 "outcomes[0].status did not hold: 200, not 404\n"
                 "outcomes[1] matched: /status is \"pending\" \u2192 rejected\n"
                 "\n"
                 "Verdict: rejected, the code is wrong (outcomes[1]: rejected)\n");
}

static void what_happens_without_rules_is_told(void **state)
{
    (void)state;
    configure("timeoutMs: 5000");
    expect_words(OK " {} ", 0, "without expect a 2xx with an empty body or {} will do \u2192 accepted\n");
    expect_words(OK "{\"a\":1}", 1, "without expect no answer with a body is taken for a yes: write down under expect");
    expect_words("HTTP/1.1 400 Bad\n\n", 1, "without expect only 2xx will do, not 400\n");
    expect_words(
        "HTTP/1.1 429 Slow\nRetry-After: 7\n\n", 1,
        "status 429, of which no rule says anything \u2192 throttled\n\nVerdict: throttled, the service was asked "
        "too often (status 429: throttled)\nAsks to wait 7 seconds.\n");
}

static void what_cannot_be_checked_is_told_with_what_to_give(void **state)
{
    (void)state;
    configure("expect: {json: {/to: '{{ phone }}'}}");
    checked_write("answer.txt", OK "{\"to\": \"+41791231212\"}");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt", "--endpoint", "verify"), 1,
                   "\nexpect.json /to cannot be checked: a variable is missing; give what the request was made with: "
                   "--user, --code, --captured\n",
                   NULL);
    configure("expect: {json: {/code: '{{ code }}'}}");
    checked_write("answer.txt", OK "{\"code\": \"4711\"}");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt", "--endpoint", "verify"), 1, "cannot be checked", NULL);
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt", "--endpoint", "verify", "--code", "4711"), 0,
                   "expect held: status 200, /code is \"4711\" ", NULL);
}

static void what_cannot_be_checked_at_all_is_told_with_the_reason(void **state)
{
    (void)state;
    configure("expect: {json: {/to: '{{ name | digits }}'}}");
    checked_write("me.json", "{\"phone\": \"+41791231212\", \"name\": \"none\"}");
    expect_words(OK "{\"to\": \"1\"}", 1, "\nexpect.json /to cannot be checked: a variable cannot stand there\n");
    configure("expect: {text: '(a+)+$'}");
    expect_words(OK "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 1,
                 "\nexpect.text cannot be checked: it is too much work\n");
}

/* --- How an answer is saved --------------------------------------------------------------------------------------- */

static void an_answer_may_be_saved_in_any_shape(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nA: b\r\n\r\nyes",
        "HTTP/1.1 200 OK\nA: b\n\nyes",
        "HTTP/2 200 \r\na: b\r\n\r\nyes",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nyes",
        "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nyes",
    };

    (void)state;
    configure("expect: {status: [200], text: '^yes$'}");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        expect_words(answers[i], 0, "Verdict: accepted, ");
    checked_write("answer.txt", "yes");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt", "--endpoint", "verify", "--status", "200"), 0,
                   "Answer: 200\n\nyes\n", NULL);
    checked_write("answer.txt", "HTTP/1.1 200 OK\n\nyes");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt", "--endpoint", "verify", "--status", "200"), 1,
                   "Answer: 200\n\nHTTP/1.1 200 OK\n", NULL);
}

static void an_answer_without_a_status_is_refused_with_the_way_out(void **state)
{
    static const char *const answers[] = {"", "yes", "HTTP/1.1 OK\n\n", "HTTP/1.1 20\n\n", "http/1.1 200 OK\n\n"};

    (void)state;
    configure("expect: {status: [200]}");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        checked_write("answer.txt", answers[i]);
        checked_expect(
            CHECKED_RUN(CONFIG, "answer", "answer.txt"), 2, NULL,
            "answer.txt does not begin with a status line (\"HTTP/1.1 200 OK\"): save the answer with curl -i");
    }
}

static void headers_are_read_as_the_plugin_reads_them(void **state)
{
    (void)state;
    checked_configure("mode: challenge-verify\nsms: {endpoints: {challenge: {url: 'http://localhost/', capture: "
                      "{id: 'header:X-Id'}}, verify: {url: 'http://localhost/{{ id }}/{{ code }}'}}}\n");
    checked_write("answer.txt", "HTTP/1.1 200 OK\r\nx-ID :no\r\nx-iD: \t a7 \r\n\r\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 0, "Captured: {\"id\":\"a7\"}\n", NULL);
    checked_write("answer.txt", "HTTP/1.1 200 OK\r\nno header\r\nX-Id: a7 \t\r\n\r\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 0, "Captured: {\"id\":\"a7\"}\n", NULL);
    checked_write("answer.txt", "HTTP/1.1 103 Early\r\nX-Id: a6\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: a7\r\n\r\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 0, "Captured: {\"id\":\"a7\"}\n", NULL);
    checked_write("answer.txt", "HTTP/1.1 200 OK\r\nX-Id: a7\r\nX-ID: a8\r\n\r\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 1, "capture id is missing from the answer", NULL);
    checked_write("answer.txt", "HTTP/1.1 429 Slow\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n\r\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 1, "Asks to wait 86400 seconds.\n", NULL);
    checked_write("answer.txt", "HTTP/1.1 429 Slow\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 1, "(status 429: throttled)\n", NULL);
}

static void an_answer_that_is_too_long_is_none(void **state)
{
    char *answer = calloc(1, 70000);

    (void)state;
    configure("expect: {status: [200]}");
    memset(stpcpy(answer, OK), 'x', 65537);
    expect_words(answer, 1, "No answer: answer is too long\n");
    answer[strlen(OK) + 65536] = '\0';
    expect_words(answer, 0, "Verdict: accepted, ");
    memset(stpcpy(answer, "HTTP/1.1 200 OK\nA: "), 'x', 65537);
    expect_words(answer, 1, "No answer: answer has too long headers\n");
    free(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_of_a_condition_says_why_it_does_not_hold),
        cmocka_unit_test(all_that_holds_is_told),
        cmocka_unit_test(a_long_value_is_cut_off),
        cmocka_unit_test(outcomes_are_told_up_to_the_one_that_decides),
        cmocka_unit_test(what_happens_without_rules_is_told),
        cmocka_unit_test(what_cannot_be_checked_is_told_with_what_to_give),
        cmocka_unit_test(what_cannot_be_checked_at_all_is_told_with_the_reason),
        cmocka_unit_test(an_answer_may_be_saved_in_any_shape),
        cmocka_unit_test(an_answer_without_a_status_is_refused_with_the_way_out),
        cmocka_unit_test(headers_are_read_as_the_plugin_reads_them),
        cmocka_unit_test(an_answer_that_is_too_long_is_none),
    };

    return cmocka_run_group_tests(tests, checked_setup, checked_teardown);
}
