/* SPDX-License-Identifier: Apache-2.0
 *
 * `send` and `verify`: one call to a real service, and what it came to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"

static const char *const is_json[] = {"content-type", "application/json", NULL};

static void answer(unsigned status, const char *body)
{
    gateway_answer_next(gateway, (struct gateway_script){.status = status, .body = body, .headers = is_json});
}

static void configure(const char *mfa)
{
    checked_configure_for_gateway(mfa);
    checked_write("me.json", "{\"number\": \"41791231212\"}");
    gateway_forget_requests(gateway);
}

#define CHALLENGE_VERIFY                                                                                               \
    "mode: challenge-verify\n"                                                                                         \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    challenge:\n"                                                                                                 \
    "      url: 'GATEWAY/{{ number }}'\n"                                                                              \
    "      capture: {id: /id, place: 'header:Location'}\n"                                                             \
    "      expect: {status: [201], json: {/to: '{{ number }}'}}\n"                                                     \
    "    verify:\n"                                                                                                    \
    "      url: 'GATEWAY/verify/{{ id }}'\n"                                                                           \
    "      body: {code: '{{ code }}', at: '{{ place }}'}\n"                                                            \
    "      retryAfter: /wait\n"                                                                                        \
    "      expect: {json: {/status: approved, /id: '{{ id }}'}}\n"                                                     \
    "      outcomes:\n"                                                                                                \
    "        - {when: {status: [404]}, is: expired}\n"                                                                 \
    "        - {when: {json: {/status: pending}}, is: rejected}\n"

static void a_challenge_leaves_what_verify_needs(void **state)
{
    static const char *const headers[] = {"location", "/at/7", "content-type", "application/json", NULL};

    (void)state;
    configure(CHALLENGE_VERIFY);
    gateway_answer_next(
        gateway,
        (struct gateway_script){.status = 201, .body = "{\"id\": 7, \"to\": \"41791231212\"}", .headers = headers});
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 0,
                   "Answer: 201\n"
                   "content-type: application/json\n"
                   "location: /at/7\n"
                   "\n"
                   "{\"id\": 7, \"to\": \"41791231212\"}\n"
                   "\n"
                   "expect held: status 201, /to is \"41791231212\" \u2192 sent\n"
                   "\n"
                   "Verdict: sent, the message is on its way (expect: sent)\n"
                   "Captured: {\"id\":\"7\",\"place\":\"/at/7\"}\n"
                   "To have the code checked: mfa-check override-config.yml verify me.json CODE --captured "
                   "'{\"id\":\"7\",\"place\":\"/at/7\"}'\n",
                   NULL);
    answer(200, "{\"id\": \"7\", \"status\": \"approved\"}");
    checked_expect(CHECKED_RUN(CONFIG, "verify", "me.json", "4711", "--captured", "{\"id\":\"7\",\"place\":\"/at/7\"}"),
                   0,
                   "outcomes[0].status did not hold: 200, not 404\n"
                   "outcomes[1].json /status did not hold: \"approved\", not \"pending\"\n"
                   "expect held: status 200, /status is \"approved\", /id is \"7\" \u2192 accepted\n"
                   "\n"
                   "Verdict: accepted, the code is right (expect: accepted)\n",
                   NULL);
    assert_string_equal(gateway_last_request(gateway)->raw_url, "/verify/7");
    assert_string_equal(gateway_last_request(gateway)->body, "{\"code\":\"4711\",\"at\":\"/at/7\"}");
}

static void a_challenge_may_leave_nothing(void **state)
{
    (void)state;
    configure("mode: challenge-verify\nsms: {endpoints: {challenge: {url: 'GATEWAY/{{ number }}'}, "
              "verify: {url: 'GATEWAY/{{ number }}/{{ code }}'}}}\n");
    answer(200, "");
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 0,
                   "\nTo have the code checked: mfa-check override-config.yml verify me.json CODE\n", NULL);
}

static void a_capture_that_is_missing_makes_the_message_fail(void **state)
{
    (void)state;
    configure(CHALLENGE_VERIFY);
    answer(201, "{\"id\": 7, \"to\": \"41791231212\"}");
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 1,
                   "Verdict: error, the service failed, refused, or said nothing that the rules recognise (refused: "
                   "capture place is missing from the answer)\n",
                   NULL);
}

static void every_verdict_of_a_check_is_told(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        const char *verdict;
    } cases[] = {
        {200, "{\"status\": \"pending\"}", "Verdict: rejected, the code is wrong (outcomes[1]: rejected)\n"},
        {404, "", "Verdict: expired, the code has expired (outcomes[0]: expired)\n"},
        {429, "{\"wait\": 70}",
         "Verdict: throttled, the service was asked too often (status 429: throttled)\nAsks to wait 70 seconds.\n"},
        {200, "{\"id\": \"8\", \"status\": \"approved\"}",
         "expect.json /id did not hold: \"8\", not \"7\"\n\nVerdict: error, "},
        {500, "<html>", "expect.status did not hold: 500, not 2xx\n\nVerdict: error, "},
    };

    (void)state;
    configure(CHALLENGE_VERIFY);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer(cases[i].status, cases[i].body);
        checked_expect(
            CHECKED_RUN(CONFIG, "verify", "me.json", "4711", "--captured", "{\"id\":\"7\",\"place\":\"/at/7\"}"), 1,
            cases[i].verdict, NULL);
    }
}

static void scripts_get_the_same(void **state)
{
    struct checked checked;

    (void)state;
    configure("mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ code }}'}}}\n");
    answer(200, "{\"ok\": true}");
    checked = CHECKED_RUN(CONFIG, "send", "me.json", "--json");
    assert_string_equal(gateway_last_request(gateway)->raw_url + 1, checked_text(&checked, "code"));
    assert_string_equal(checked_text(&checked, "verdict"), "sent");
    assert_string_equal(checked_text(&checked, "why"), "status 2xx: sent");
    assert_string_equal(checked_text(&checked, "attempts/0/endpoint"), "single");
    assert_string_equal(checked_text(&checked, "attempts/0/request/method"), "POST");
    assert_int_equal(json_integer_value(checked_at(&checked, "attempts/0/answer/status")), 200);
    assert_string_equal(checked_text(&checked, "attempts/0/answer/headers/0/name"), "content-type");
    assert_string_equal(checked_text(&checked, "attempts/0/answer/body"), "{\"ok\": true}");
    assert_string_equal(checked_text(&checked, "attempts/0/rules/0/rule"), "status 2xx");
    assert_true(json_is_true(checked_at(&checked, "attempts/0/rules/0/held")));
    assert_int_equal(json_object_size(checked_at(&checked, "captured")), 0);
    checked_expect(checked, 0, "", NULL);
}

/* --- Ways to fail ------------------------------------------------------------------------------------------------- */

static void a_fallback_is_tried_where_the_plugin_tries_it(void **state)
{
    struct checked checked;

    (void)state;
    configure("mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/first/{{ code }}', fallback: [{url: "
              "'GATEWAY/second/{{ code }}'}]}}}\n");
    answer(500, "");
    answer(200, "");
    checked = CHECKED_RUN(CONFIG, "send", "me.json");
    assert_non_null(strstr(checked.out, "--- single ---\nPOST "));
    assert_non_null(strstr(checked.out, "Answer: 500\n"));
    assert_non_null(strstr(checked.out, "--- single.fallback[0] ---\nPOST "));
    checked_expect(checked, 0, "Verdict: sent, ", NULL);
    assert_int_equal(gateway_request_count(gateway), 2);
    answer(500, "");
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json", "--fallback", "1"), 1, "/second/", NULL);
    assert_int_equal(gateway_request_count(gateway), 3);
}

static void no_answer_is_said_with_the_reason(void **state)
{
    (void)state;
    checked_configure("mode: single\nsms: {endpoints: {single: {url: 'http://127.0.0.1:1/{{ code }}'}}}\n");
    checked_write("me.json", "{}");
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 1, "No answer: Couldn't connect to server\n", NULL);
    configure("mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ code }}', timeoutMs: 100}}}\n");
    gateway_answer_next(gateway, (struct gateway_script){.manner = GATEWAY_STALL});
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 1,
                   "No answer: no answer in time\n\n"
                   "Verdict: timeout, there was no answer in time (no answer in time)\n",
                   NULL);
    gateway_release(gateway);
}

static void a_token_that_is_not_to_be_had_is_the_verdict(void **state)
{
    struct checked checked;

    (void)state;
    configure("mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ code }}', auth: {oauth2: {tokenUrl: "
              "'GATEWAY/token', "
              "clientId: me, clientSecret: hunter2hunter2}}}}}\n");
    answer(401, "{\"error\": \"invalid_client\"}");
    checked = CHECKED_RUN(CONFIG, "send", "me.json");
    assert_non_null(strstr(checked.out, "{\"error\": \"invalid_client\"}\n"));
    checked_expect(checked, 1, "(no access token: the answer must be 200 with a JSON member access_token", NULL);
    assert_int_equal(gateway_request_count(gateway), 1);
}

static void a_token_that_is_refused_is_fetched_once_more(void **state)
{
    (void)state;
    configure("mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ code }}', auth: {oauth2: {tokenUrl: "
              "'GATEWAY/token', "
              "clientId: me, clientSecret: hunter2hunter2}}}}}\n");
    answer(200, "{\"access_token\": \"one-that-is-refused\"}");
    answer(401, "");
    answer(200, "{\"access_token\": \"one-that-is-good\"}");
    answer(200, "one-that-is-good, and one-that-is-refused");
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 0, "***, and ***\n", NULL);
    assert_string_equal(json_string_value(json_object_get(gateway_last_request(gateway)->headers, "authorization")),
                        "Bearer one-that-is-good");
}

/* --- Foreign text ------------------------------------------------------------------------------------------------- */

static void an_answer_gives_no_orders_to_the_terminal(void **state)
{
    struct checked checked;

    (void)state;
    configure("mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ code }}'}}}\n");
    answer(200, "a\x1b[2J\x07\x7f\r\n\tb\rc\xc2\x9b\xff\xc3\xa9\xc2\xa9");
    checked = CHECKED_RUN(CONFIG, "send", "me.json");
    checked_expect(checked, 0, "\na\\x1b[2J\\x07\\x7f\n\tb\\x0dc\\x9b\xef\xbf\xbd\xc3\xa9\xc2\xa9\n", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_challenge_leaves_what_verify_needs),
        cmocka_unit_test(a_challenge_may_leave_nothing),
        cmocka_unit_test(a_capture_that_is_missing_makes_the_message_fail),
        cmocka_unit_test(every_verdict_of_a_check_is_told),
        cmocka_unit_test(scripts_get_the_same),
        cmocka_unit_test(a_fallback_is_tried_where_the_plugin_tries_it),
        cmocka_unit_test(no_answer_is_said_with_the_reason),
        cmocka_unit_test(a_token_that_is_not_to_be_had_is_the_verdict),
        cmocka_unit_test(a_token_that_is_refused_is_fetched_once_more),
        cmocka_unit_test(an_answer_gives_no_orders_to_the_terminal),
    };

    return cmocka_run_group_tests(tests, checked_setup_with_gateway, checked_teardown_with_gateway);
}
