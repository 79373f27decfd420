/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mfa_json.h"
#include "mfa_verdict.h"
#include "rules_fixture.h"

#define SEND MFA_CALL_SEND
#define VERIFY MFA_CALL_VERIFY

static const enum mfa_call calls[] = {SEND, VERIFY};

/* --- Helpers --------------------------------------------------------------------------------------------------- */

static struct mfa_gateway_answer answered(int http_status, const char *body, size_t body_len)
{
    return (struct mfa_gateway_answer){
        .delivery = MFA_DELIVERY_ANSWERED,
        .http_status = http_status,
        .body = body,
        .body_len = body_len,
        .reason = "answered",
    };
}

/* The variables of every request here. */
static json_t *user_data(void)
{
    return json_pack("{s:s, s:s, s:i, s:s}", "phone", "+15555550100", "id", "a/b", "n", 5, "message",
                     "Hi,\n\t%41 \x7f");
}

/* What must be true of any finding, whatever the rules and the answer. */
static void check_finding(const struct mfa_rules *rules, enum mfa_call call, const struct mfa_finding *finding)
{
    const bool is_sent = finding->verdict == MFA_VERDICT_SENT;

    assert_true(is_sent ? call == SEND : true);
    assert_true(finding->verdict == MFA_VERDICT_ACCEPTED ? call == VERIFY : true);
    assert_true(finding->is_definite ? call == SEND && !is_sent : true);
    assert_true(finding->retry_after_s == 0 || finding->verdict == MFA_VERDICT_THROTTLED);
    assert_int_equal(finding->captures_secret != NULL, is_sent && rules->capture_count > 0);
    if (is_sent)
        assert_int_equal(json_object_size(finding->captures_secret), rules->capture_count);
    assert_true(finding->why[0] != '\0' && strlen(finding->why) < sizeof finding->why);
    for (size_t i = 0; finding->why[i] != '\0'; i++)
        assert_in_range((unsigned char)finding->why[i], 0x20, 0x7e);
}

/* Judges an answer by rules. The finding is the caller's. */
static void judge(const struct mfa_rules *rules, enum mfa_call call, const struct mfa_gateway_answer *answer,
                  struct mfa_finding *finding)
{
    json_t *values = user_data();
    const struct mfa_variables variables = {.user_data = values, .code_secret = "123456"};

    memset(finding, 0xff, sizeof *finding);
    mfa_verdict_of(rules, call, answer, &variables, finding);
    check_finding(rules, call, finding);
    json_decref(values);
}

/* As judge, for rules in YAML and what is left of the finding without its captures. */
static struct mfa_finding found(const char *yaml, enum mfa_call call, int http_status, const char *body)
{
    const struct mfa_gateway_answer answer = answered(http_status, body, strlen(body));
    struct rules_fixture fixture;
    struct mfa_finding finding;

    rules_fixture_init(&fixture, yaml);
    judge(&fixture.rules, call, &answer, &finding);
    mfa_json_free(finding.captures_secret);
    finding.captures_secret = NULL;
    rules_fixture_clear(&fixture);
    return finding;
}

static enum mfa_verdict verdict(const char *yaml, enum mfa_call call, int http_status, const char *body)
{
    return found(yaml, call, http_status, body).verdict;
}

static void check_why(const char *yaml, enum mfa_call call, int http_status, const char *body, const char *expected)
{
    const struct mfa_finding finding = found(yaml, call, http_status, body);

    assert_string_equal(finding.why, expected);
}

/* --- Without an answer ----------------------------------------------------------------------------------------- */

static void a_zeroed_answer_is_an_error(void **state)
{
    static const struct mfa_rules no_rules;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mfa_finding finding;

        judge(&no_rules, calls[i], &(struct mfa_gateway_answer){.body = "", .reason = "none"}, &finding);
        assert_int_equal(finding.verdict, 0);
        assert_string_equal(finding.why, "none");
    }
    assert_int_equal(MFA_VERDICT_ERROR, 0);
}

static void no_delivery_but_an_answer_is_looked_into(void **state)
{
    static const struct {
        enum mfa_delivery delivery;
        enum mfa_verdict verdict;
    } cases[] = {
        {MFA_DELIVERY_FAILED, MFA_VERDICT_ERROR},
        {MFA_DELIVERY_TIMEOUT, MFA_VERDICT_TIMEOUT},
        {MFA_DELIVERY_STOPPED, MFA_VERDICT_ERROR},
        {(enum mfa_delivery)99, MFA_VERDICT_ERROR},
    };
    struct rules_fixture fixture;

    (void)state;
    rules_fixture_init(&fixture, "expect: {status: [200, 404]}\noutcomes: [{when: {empty: true}, is: accepted}]\n");
    for (size_t i = 0; i < 4 * 2 * 2 * 2; i++) {
        struct mfa_gateway_answer answer = answered(i & 1 ? 200 : 404, "", 0);
        const enum mfa_call call = calls[i >> 1 & 1];
        struct mfa_finding finding;

        answer.delivery = cases[i >> 3].delivery;
        answer.was_never_sent = i >> 2 & 1;
        answer.reason = "as the gateway says";
        judge(&fixture.rules, call, &answer, &finding);
        assert_int_equal(finding.verdict, cases[i >> 3].verdict);
        assert_int_equal(finding.is_definite, call == SEND && answer.was_never_sent);
        assert_string_equal(finding.why, "as the gateway says");
    }
    rules_fixture_clear(&fixture);
}

/* --- Without rules --------------------------------------------------------------------------------------------- */

static void every_status_of_a_send(void **state)
{
    static const char *const bodies[] = {"", "{\"error\": 1}"};

    (void)state;
    for (int status = -1; status < 1000; status++) {
        enum mfa_verdict expected = status == 429                   ? MFA_VERDICT_THROTTLED
                                    : status >= 200 && status < 300 ? MFA_VERDICT_SENT
                                                                    : MFA_VERDICT_ERROR;
        bool is_definite = status >= 400 && status <= 599 && status != 408 && status != 502 && status != 504;

        for (size_t i = 0; i < 2; i++) {
            const struct mfa_finding finding = found("", SEND, status, bodies[i]);

            assert_int_equal(finding.verdict, expected);
            assert_int_equal(finding.is_definite, is_definite);
        }
    }
}

static void every_status_of_a_verify(void **state)
{
    (void)state;
    for (int status = -1; status < 1000; status++) {
        enum mfa_verdict expected = status == 429                   ? MFA_VERDICT_THROTTLED
                                    : status >= 200 && status < 300 ? MFA_VERDICT_ACCEPTED
                                                                    : MFA_VERDICT_ERROR;
        assert_int_equal(verdict("", VERIFY, status, ""), expected);
    }
}

static void a_verify_is_accepted_only_when_the_body_says_nothing(void **state)
{
    static const char *const nothing[] = {"", "{}", " ", "\r\n", " {}", "{} ", "{ }", "\t{\r\n }\n", "\xef\xbb\xbf{}"};
    static const char *const something[] = {
        "{",
        "}",
        "{}}",
        "{}{}",
        "{}x",
        "x{}",
        "x",
        "[]",
        "null",
        "0",
        "true",
        "\"\"",
        "{\"status\": \"approved\"}",
        "{\"ok\": true}",
        "{\f}",
        "\v",
        "\xef\xbb\xbf",
        "\xc2\xa0",
        "OK",
        "<html></html>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        assert_int_equal(verdict("", VERIFY, 200, nothing[i]), MFA_VERDICT_ACCEPTED);
        assert_int_equal(verdict("", VERIFY, 400, nothing[i]), MFA_VERDICT_ERROR);
    }
    for (size_t i = 0; i < sizeof something / sizeof something[0]; i++) {
        assert_int_equal(verdict("", VERIFY, 200, something[i]), MFA_VERDICT_ERROR);
        check_why("", VERIFY, 200, something[i], "refused: answer has a body and no expect rule");
    }
}

static void a_nul_does_not_end_the_body(void **state)
{
    static const struct {
        const char *body;
        size_t body_len;
    } cases[] = {{"\0", 1}, {"\0wrong code", 11}, {"{}\0wrong code", 13}, {"{\0}", 3}, {"{}\0", 3}, {"{\"b\":1\0}", 8}};
    static const char *const rules[] = {"", "expect: {empty: true}", "expect: {json: {/a: {exists: false}}}"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mfa_gateway_answer answer = answered(200, cases[i].body, cases[i].body_len);

        for (size_t j = 0; j < sizeof rules / sizeof rules[0]; j++) {
            struct rules_fixture fixture;
            struct mfa_finding finding;

            rules_fixture_init(&fixture, rules[j]);
            judge(&fixture.rules, VERIFY, &answer, &finding);
            assert_int_equal(finding.verdict, MFA_VERDICT_ERROR);
            rules_fixture_clear(&fixture);
        }
    }
}

static void an_unknown_call_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(verdict("", (enum mfa_call)7, 200, ""), MFA_VERDICT_ERROR);
    assert_int_equal(verdict("expect: {status: 200}", (enum mfa_call)7, 200, ""), MFA_VERDICT_ERROR);
    assert_int_equal(verdict("outcomes: [{when: {status: 200}, is: accepted}]", (enum mfa_call)7, 200, ""),
                     MFA_VERDICT_ERROR);
}

/* --- The table ------------------------------------------------------------------------------------------------- */

/* What the rules below make of a body. */
enum meaning_of_body { GOOD, BAD, ODD, NO_JSON, NOTHING };

static const char *const bodies[] = {
    [GOOD] = "{\"s\": \"good\"}", [BAD] = "{\"s\": \"bad\"}", [ODD] = "{\"s\": 1}", [NO_JSON] = "good", [NOTHING] = ""};

#define REJECT_BAD "outcomes: [{when: {json: {/s: bad}}, is: rejected}]\n"
#define EXPECT_GOOD "expect: {json: {/s: good}}\n"
#define ACCEPT_GOOD "outcomes: [{when: {json: {/s: bad}}, is: rejected}, {when: {json: {/s: good}}, is: accepted}]\n"

/* The verdict that a reader of the documentation would give, written down a second time. */
static enum mfa_verdict expected_verdict(const char *yaml, enum mfa_call call, int status, enum meaning_of_body body)
{
    const enum mfa_verdict done = call == SEND ? MFA_VERDICT_SENT : MFA_VERDICT_ACCEPTED;
    const enum mfa_verdict failed = status == 429 ? MFA_VERDICT_THROTTLED : MFA_VERDICT_ERROR;
    const bool is_2xx = status >= 200 && status <= 299;

    if (strstr(yaml, "rejected") != NULL && body == BAD)
        return MFA_VERDICT_REJECTED;
    if (strstr(yaml, "good") != NULL)
        return is_2xx && body == GOOD ? done : failed;
    return is_2xx && (call == SEND || body == NOTHING) ? done : failed;
}

static void every_status_body_rule_and_call(void **state)
{
    static const char *const rules[] = {"", EXPECT_GOOD, REJECT_BAD, EXPECT_GOOD REJECT_BAD, ACCEPT_GOOD};

    (void)state;
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        struct rules_fixture fixture;

        rules_fixture_init(&fixture, rules[r]);
        for (int status = 99; status <= 600; status++) {
            for (size_t i = 0; i < 2 * 5; i++) {
                const enum meaning_of_body body = (enum meaning_of_body)(i / 2);
                const struct mfa_gateway_answer answer = answered(status, bodies[body], strlen(bodies[body]));
                struct mfa_finding finding;

                judge(&fixture.rules, calls[i % 2], &answer, &finding);
                if (finding.verdict != expected_verdict(rules[r], calls[i % 2], status, body))
                    fail_msg("%s, %d, %s: %s", rules[r], status, bodies[body], finding.why);
            }
        }
        rules_fixture_clear(&fixture);
    }
}

static void outcomes_are_tried_in_order_before_expect(void **state)
{
    static const char rules[] = "expect: {status: 200}\n"
                                "outcomes:\n"
                                "  - {when: {json: {/s: a}}, is: rejected}\n"
                                "  - {when: {json: {/s: {in: [a, b]}}}, is: expired}\n"
                                "  - {when: {json: {/s: {in: [b, c]}}}, is: throttled}\n"
                                "  - {when: {json: {/s: {in: [c, d]}}}, is: error}\n"
                                "  - {when: {json: {/s: {in: [d, e]}}, status: 404}, is: accepted}\n"
                                "  - {when: {json: {/s: {in: [f]}}}, is: accepted}\n";
    static const struct {
        const char *body;
        int http_status;
        enum mfa_verdict verdict;
        const char *why;
    } cases[] = {
        {"{\"s\": \"a\"}", 200, MFA_VERDICT_REJECTED, "outcomes[0]: rejected"},
        {"{\"s\": \"a\"}", 500, MFA_VERDICT_REJECTED, "outcomes[0]: rejected"},
        {"{\"s\": \"b\"}", 200, MFA_VERDICT_EXPIRED, "outcomes[1]: expired"},
        {"{\"s\": \"c\"}", 200, MFA_VERDICT_THROTTLED, "outcomes[2]: throttled"},
        {"{\"s\": \"d\"}", 200, MFA_VERDICT_ERROR, "outcomes[3]: error"},
        {"{\"s\": \"d\"}", 429, MFA_VERDICT_ERROR, "outcomes[3]: error"},
        {"{\"s\": \"e\"}", 404, MFA_VERDICT_ACCEPTED, "outcomes[4]: accepted"},
        {"{\"s\": \"e\"}", 403, MFA_VERDICT_ERROR, "refused: expect.status did not hold and no outcomes rule matched"},
        {"{\"s\": \"e\"}", 429, MFA_VERDICT_THROTTLED, "status 429: throttled"},
        {"{\"s\": \"f\"}", 201, MFA_VERDICT_ACCEPTED, "outcomes[5]: accepted"},
        {"{\"s\": \"f\"}", 300, MFA_VERDICT_ERROR, "refused: expect.status did not hold and no outcomes rule matched"},
        {"{\"s\": \"z\"}", 200, MFA_VERDICT_ACCEPTED, "expect: accepted"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfa_finding finding = found(rules, VERIFY, cases[i].http_status, cases[i].body);

        assert_string_equal(finding.why, cases[i].why);
        assert_int_equal(finding.verdict, cases[i].verdict);
        finding = found(rules, SEND, cases[i].http_status, cases[i].body);
        assert_int_equal(finding.verdict,
                         cases[i].verdict == MFA_VERDICT_ACCEPTED ? MFA_VERDICT_SENT : cases[i].verdict);
    }
}

static void a_429_that_is_expected_is_no_throttling(void **state)
{
    (void)state;
    assert_int_equal(verdict("expect: {status: [429]}", VERIFY, 429, ""), MFA_VERDICT_ACCEPTED);
    assert_int_equal(verdict("expect: {status: '4xx'}", SEND, 429, ""), MFA_VERDICT_SENT);
}

static void success_is_another_spelling(void **state)
{
    static const char rules[] = "success: {jsonPath: status, equals: approved}";

    (void)state;
    assert_int_equal(verdict(rules, VERIFY, 200, "{\"status\": \"approved\"}"), MFA_VERDICT_ACCEPTED);
    assert_int_equal(verdict(rules, VERIFY, 400, "{\"status\": \"approved\"}"), MFA_VERDICT_ERROR);
    assert_int_equal(verdict(rules, VERIFY, 200, "{\"status\": \"pending\"}"), MFA_VERDICT_ERROR);
    assert_int_equal(verdict(rules, VERIFY, 200, ""), MFA_VERDICT_ERROR);
    assert_int_equal(verdict("success: {jsonPath: s, equals: a}\nexpect: {json: {/t: b}}", VERIFY, 200,
                             "{\"s\": \"a\", \"t\": \"b\"}"),
                     MFA_VERDICT_ACCEPTED);
    assert_int_equal(verdict("success: {jsonPath: s, equals: a}\nexpect: {json: {/t: b}}", VERIFY, 200,
                             "{\"s\": \"a\", \"t\": \"c\"}"),
                     MFA_VERDICT_ERROR);
    assert_int_equal(verdict("success: {jsonPath: s, equals: a}\nexpect: {json: {/t: b}}", VERIFY, 200,
                             "{\"s\": \"c\", \"t\": \"b\"}"),
                     MFA_VERDICT_ERROR);
}

static void an_answer_is_bound_to_its_request(void **state)
{
    static const char rules[] = "expect: {json: {/status: approved, /to: '{{ phone }}', '/by/{{ id }}': '{{ n }}'}}";

    (void)state;
    assert_int_equal(
        verdict(rules, VERIFY, 200, "{\"status\": \"approved\", \"to\": \"+15555550100\", \"by\": {\"a/b\": \"5\"}}"),
        MFA_VERDICT_ACCEPTED);
    assert_int_equal(
        verdict(rules, VERIFY, 200, "{\"status\": \"approved\", \"to\": \"+15555550199\", \"by\": {\"a/b\": \"5\"}}"),
        MFA_VERDICT_ERROR);
    assert_int_equal(
        verdict(rules, VERIFY, 200, "{\"status\": \"approved\", \"to\": \"+15555550100\", \"by\": {\"a/b\": 5}}"),
        MFA_VERDICT_ERROR);
    assert_int_equal(verdict(rules, VERIFY, 200,
                             "{\"status\": \"approved\", \"to\": \"+15555550100\", \"by\": {\"a\": {\"b\": \"5\"}}}"),
                     MFA_VERDICT_ERROR);
}

static void an_expected_value_is_compared_byte_by_byte(void **state)
{
    static const char rules[] = "expect: {json: {/text: '{{ message }}'}}";

    (void)state;
    assert_int_equal(verdict(rules, VERIFY, 200, "{\"text\": \"Hi,\\n\\t%41 \x7f\"}"), MFA_VERDICT_ACCEPTED);
    assert_int_equal(verdict(rules, VERIFY, 200, "{\"text\": \"Hi,\\n%41 \x7f\"}"), MFA_VERDICT_ERROR);
}

/* --- What cannot be checked ------------------------------------------------------------------------------------ */

static void what_cannot_be_checked_is_an_error(void **state)
{
    static const struct {
        const char *rules;
        const char *why;
    } cases[] = {
        {"expect: {json: {/s: '{{ missing }}'}}", "refused: expect.json /s cannot be checked: a variable is missing"},
        {"expect: {json: {'/{{ missing }}': {exists: false}}}",
         "refused: expect.json /{{ missing }} cannot be checked: a variable is missing"},
        {"expect: {json: {/s: {not: '{{ missing }}'}}}",
         "refused: expect.json /s cannot be checked: a variable is missing"},
        {"success: {jsonPath: s, equals: '{{ missing }}'}",
         "refused: success /s cannot be checked: a variable is missing"},
        {"outcomes: [{when: {json: {/s: '{{ missing }}'}}, is: rejected}]\nexpect: {status: 200}",
         "refused: outcomes[0].json /s cannot be checked: a variable is missing"},
        {"outcomes: [{when: {status: 404}, is: error}, {when: {text: '(a+)+$'}, is: rejected}]\nexpect: {status: 200}",
         "refused: outcomes[1].text cannot be checked: it is too much work"},
        {"expect: {text: '(a+)+$'}", "refused: expect.text cannot be checked: it is too much work"},
        {"expect: {json: {/a: {matches: '(a+)+$'}}}", "refused: expect.json /a cannot be checked: it is too much work"},
    };
    char body[20000] = "{\"s\": \"\", \"a\": \"";
    const size_t len = strlen(body);

    (void)state;
    memset(body + len, 'a', sizeof body - len);
    memcpy(body + sizeof body - 4, "!\"}", 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < 2; j++) {
            const struct mfa_finding finding = found(cases[i].rules, calls[j], 200, body);

            assert_string_equal(finding.why, cases[i].why);
            assert_int_equal(finding.verdict, MFA_VERDICT_ERROR);
        }
    }
}

/* --- Why ------------------------------------------------------------------------------------------------------- */

static void a_refusal_names_what_did_not_hold(void **state)
{
    static const struct {
        const char *rules;
        int http_status;
        const char *body;
        const char *why;
    } cases[] = {
        {"", 200, "{\"secret\": 1}", "refused: answer has a body and no expect rule"},
        {"", 500, "secret", "refused: the status is not 2xx"},
        {"", 204, "", "status 2xx: accepted"},
        {"expect: {status: 201}", 200, "{}", "refused: expect.status did not hold and no outcomes rule matched"},
        {"expect: {empty: true}", 302, "", "refused: the status is not 2xx and no outcomes rule matched"},
        {"expect: {empty: true}", 200, "x", "refused: expect.empty did not hold and no outcomes rule matched"},
        {"expect: {empty: false}", 200, "\n", "refused: expect.empty did not hold and no outcomes rule matched"},
        {"expect: {text: '^ok'}", 200, "no", "refused: expect.text did not hold and no outcomes rule matched"},
        {"expect: {json: {/s: a, /t: b}}", 200, "{\"s\": \"a\"}",
         "refused: expect.json /t did not hold and no outcomes rule matched"},
        {"expect: {json: {/s: a}}", 200, "ok", "refused: the answer is not JSON, which expect.json needs"},
        {"success: {jsonPath: s.t, equals: a}", 200, "{}",
         "refused: success /s/t did not hold and no outcomes rule matched"},
        {"success: {jsonPath: s, equals: a}", 200, "ok", "refused: the answer is not JSON, which success needs"},
        {"success: {jsonPath: s, equals: a}", 500, "ok", "refused: the status is not 2xx and no outcomes rule matched"},
        {"expect: {json: {\"/a\\n\\x7f\\\"\\e\\u00e9\": a}}", 200, "{}",
         "refused: expect.json /a?????? did not hold and no outcomes rule matched"},
        {"expect: {json: {/0123456789012345678901234567890123456789012345678901234567890123456789: a}}", 200, "{}",
         "refused: expect.json /012345678901234567890123456789012345678901234567890123456789012 did not hold and no "
         "outcomes rule matched"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_why(cases[i].rules, VERIFY, cases[i].http_status, cases[i].body, cases[i].why);
}

/* --- Captures -------------------------------------------------------------------------------------------------- */

/* A service with two headers, one of which it sends twice. */
static const char *header_of(const struct mfa_gateway_answer *answer, const char *name)
{
    return strcasecmp(name, "x-request-id") == 0 ? answer->header_ctx : NULL;
}

static struct mfa_finding captured(const char *rules, int http_status, const char *body, const char *header)
{
    char value[1000] = "";
    struct mfa_gateway_answer answer = answered(http_status, body, strlen(body));
    struct rules_fixture fixture;
    struct mfa_finding finding;

    answer.header = header == NULL ? NULL : header_of;
    answer.header_ctx = value;
    (void)snprintf(value, sizeof value, "%s", header == NULL ? "" : header);
    rules_fixture_init(&fixture, rules);
    judge(&fixture.rules, SEND, &answer, &finding);
    rules_fixture_clear(&fixture);
    return finding;
}

static void a_send_takes_the_captures_with_it(void **state)
{
    static const char *const ways[] = {"", "expect: {status: 200}", "outcomes: [{when: {status: 200}, is: accepted}]"};
    json_t *expected = json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", "AZaz09._~:+=/@-", "n", "-9223372036854775808", "t",
                                 "true", "f", "false", "h", "0-1");
    char rules[200];

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct mfa_finding finding;

        (void)snprintf(rules, sizeof rules, "capture: {id: /a/id, n: /n, t: /t, f: '/f', h: 'header:X-REQUEST-id'}\n%s",
                       ways[i]);
        finding = captured(
            rules, 200,
            "{\"a\": {\"id\": \"AZaz09._~:+=/@-\"}, \"n\": -9223372036854775808, \"t\": true, \"f\": false}", "0-1");
        assert_int_equal(finding.verdict, MFA_VERDICT_SENT);
        assert_true(json_equal(finding.captures_secret, expected));
        mfa_finding_clear(&finding);
        assert_null(finding.captures_secret);
        mfa_finding_clear(&finding);
    }
    json_decref(expected);
}

static void a_send_without_its_capture_is_an_error_and_may_have_been_sent(void **state)
{
    static const char missing[] = "refused: capture id is missing from the answer";
    static const char odd[] = "refused: capture id is not 1 to 256 letters, digits or . _ ~ : + = / @ -";
    static const struct {
        const char *body;
        const char *why;
    } cases[] = {
        {"{}", missing},
        {"", missing},
        {"id", missing},
        {"{\"id\": \"a\", \"id\": \"b\"}", missing},
        {"{\"id\": \"\"}", odd},
        {"{\"id\": null}", odd},
        {"{\"id\": 1.0}", odd},
        {"{\"id\": []}", odd},
        {"{\"id\": {}}", odd},
        {"{\"id\": \"a b\"}", odd},
        {"{\"id\": \"a\\nb\"}", odd},
        {"{\"id\": \"a%2F\"}", odd},
        {"{\"id\": \"a&b\"}", odd},
        {"{\"id\": \"{{ code }}\"}", odd},
        {"{\"id\": \"a?b\"}", odd},
        {"{\"id\": \"a#b\"}", odd},
        {"{\"id\": \"\\u00e9\"}", odd},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int status = 200; status < 500; status += 209) {
            const struct mfa_finding finding =
                captured("expect: {status: [200, 409]}\ncapture: {id: /id}", status, cases[i].body, NULL);

            assert_int_equal(finding.verdict, MFA_VERDICT_ERROR);
            assert_string_equal(finding.why, cases[i].why);
            assert_false(finding.is_definite);
        }
    }
    assert_string_equal(captured("capture: {id: '/{{ missing }}'}", 200, "{}", NULL).why,
                        "refused: capture id cannot be read: internal error");
}

static void a_capture_has_a_length(void **state)
{
    char body[400];

    (void)state;
    for (int len = 256; len <= 257; len++) {
        struct mfa_finding finding;

        (void)snprintf(body, sizeof body, "{\"id\": \"%0*d\"}", len, 0);
        finding = captured("capture: {id: /id}", 200, body, NULL);
        assert_int_equal(finding.verdict, len == 256 ? MFA_VERDICT_SENT : MFA_VERDICT_ERROR);
        mfa_finding_clear(&finding);
    }
}

static void a_header_is_captured_when_it_is_there(void **state)
{
    static const char rules[] = "capture: {id: 'header:X-Request-Id'}";

    (void)state;
    assert_string_equal(captured(rules, 200, "", NULL).why, "refused: capture id is missing from the answer");
    assert_string_equal(captured("capture: {id: 'header:Location'}", 200, "", "x").why,
                        "refused: capture id is missing from the answer");
    assert_string_equal(captured(rules, 200, "", "").why,
                        "refused: capture id is not 1 to 256 letters, digits or . _ ~ : + = / @ -");
    assert_string_equal(captured(rules, 200, "", "a, b").why,
                        "refused: capture id is not 1 to 256 letters, digits or . _ ~ : + = / @ -");
}

static void nothing_is_captured_unless_it_was_sent(void **state)
{
    static const char rules[] = "capture: {id: /id}\noutcomes: [{when: {json: {/s: bad}}, is: rejected}]";

    (void)state;
    /* judge() sees to it that nothing is left. */
    assert_int_equal(captured(rules, 200, "{\"s\": \"bad\", \"id\": \"x\"}", NULL).verdict, MFA_VERDICT_REJECTED);
    assert_int_equal(captured(rules, 404, "{\"id\": \"x\"}", NULL).verdict, MFA_VERDICT_ERROR);
    assert_int_equal(verdict(rules, VERIFY, 204, ""), MFA_VERDICT_ACCEPTED);
}

/* --- Throttling and fallback ------------------------------------------------------------------------------------ */

static void the_body_tells_how_long_to_wait_or_else_the_header(void **state)
{
    static const struct {
        const char *body;
        uint32_t retry_after_s;
    } cases[] = {
        {"{\"r\": 30}", 30},
        {"{\"r\": 86400}", 86400},
        {"{\"r\": 86401}", 86400},
        {"{\"r\": 9223372036854775807}", 86400},
        {"{\"r\": 1e300}", 86400},
        {"{\"r\": 0.1}", 1},
        {"{\"r\": 29.5}", 30},
        {"{\"r\": \"30\"}", 30},
        {"{\"r\": \"99999999999999999999999999\"}", 86400},
        {"{\"r\": 0}", 7},
        {"{\"r\": -1}", 7},
        {"{\"r\": -1e300}", 7},
        {"{\"r\": \"\"}", 7},
        {"{\"r\": \"-30\"}", 7},
        {"{\"r\": \"30s\"}", 7},
        {"{\"r\": \" 30\"}", 7},
        {"{\"r\": \"1e3\"}", 7},
        {"{\"r\": \"inf\"}", 7},
        {"{\"r\": \"0x10\"}", 7},
        {"{\"r\": null}", 7},
        {"{\"r\": true}", 7},
        {"{\"r\": [30]}", 7},
        {"{}", 7},
        {"30", 7},
        {"", 7},
    };
    static const struct {
        const char *rules;
        int http_status;
    } ways[] = {{"retryAfter: /r", 429},
                {"retryAfter: /r\nexpect: {status: 200}", 429},
                {"retryAfter: /r\noutcomes: [{when: {status: 503}, is: throttled}]", 503}};

    (void)state;
    for (size_t i = 0; i < 3 * sizeof cases / sizeof cases[0]; i++) {
        const char *body = cases[i / 3].body;
        struct mfa_gateway_answer answer = answered(ways[i % 3].http_status, body, strlen(body));
        struct rules_fixture fixture;
        struct mfa_finding finding;

        answer.retry_after_s = 7;
        rules_fixture_init(&fixture, ways[i % 3].rules);
        judge(&fixture.rules, SEND, &answer, &finding);
        assert_int_equal(finding.verdict, MFA_VERDICT_THROTTLED);
        if (finding.retry_after_s != cases[i / 3].retry_after_s)
            fail_msg("%s: %u", body, finding.retry_after_s);
        rules_fixture_clear(&fixture);
    }
}

static void a_place_that_cannot_be_found_tells_nothing_about_how_long_to_wait(void **state)
{
    struct mfa_gateway_answer answer = answered(429, "{\"r\": 30}", 9);
    struct rules_fixture fixture;
    struct mfa_finding finding;

    (void)state;
    answer.retry_after_s = 7;
    rules_fixture_init(&fixture, "retryAfter: '/{{ missing }}'");
    judge(&fixture.rules, SEND, &answer, &finding);
    assert_int_equal(finding.verdict, MFA_VERDICT_THROTTLED);
    assert_int_equal(finding.retry_after_s, 7);
    rules_fixture_clear(&fixture);
}

static void what_is_not_throttled_has_nothing_to_wait_for(void **state)
{
    struct mfa_gateway_answer answer = answered(503, "{\"r\": 30}", strlen("{\"r\": 30}"));
    struct rules_fixture fixture;
    struct mfa_finding finding;

    (void)state;
    answer.retry_after_s = 7;
    rules_fixture_init(&fixture, "retryAfter: /r");
    judge(&fixture.rules, SEND, &answer, &finding);
    assert_int_equal(finding.verdict, MFA_VERDICT_ERROR);
    assert_int_equal(finding.retry_after_s, 0);
    rules_fixture_clear(&fixture);
}

static void a_failure_is_definite_when_the_service_itself_says_so(void **state)
{
    static const char *const definite[] = {"rejected", "expired", "throttled", "error"};
    char rules[100];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(rules, sizeof rules, "outcomes: [{when: {text: x}, is: %s}]", definite[i]);
        assert_true(found(rules, SEND, 200, "x").is_definite);
        assert_true(found(rules, SEND, 504, "x").is_definite);
        assert_false(found(rules, SEND, 504, "y").is_definite);
        assert_true(found(rules, SEND, 503, "y").is_definite);
        assert_false(found(rules, VERIFY, 200, "x").is_definite);
    }
    assert_false(found("expect: {text: x}", SEND, 200, "y").is_definite);
    assert_false(found("expect: {text: x}", SEND, 302, "y").is_definite);
    assert_true(found("expect: {text: x}", SEND, 400, "x").is_definite);
    assert_true(found("expect: {text: x}", SEND, 429, "x").is_definite);
    assert_false(found("expect: {text: x}", SEND, 600, "x").is_definite);
    assert_false(found("outcomes: [{when: {json: {/s: '{{ missing }}'}}, is: error}]", SEND, 200, "{}").is_definite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_answer_is_an_error),
        cmocka_unit_test(no_delivery_but_an_answer_is_looked_into),
        cmocka_unit_test(every_status_of_a_send),
        cmocka_unit_test(every_status_of_a_verify),
        cmocka_unit_test(a_verify_is_accepted_only_when_the_body_says_nothing),
        cmocka_unit_test(a_nul_does_not_end_the_body),
        cmocka_unit_test(an_unknown_call_is_an_error),
        cmocka_unit_test(every_status_body_rule_and_call),
        cmocka_unit_test(outcomes_are_tried_in_order_before_expect),
        cmocka_unit_test(a_429_that_is_expected_is_no_throttling),
        cmocka_unit_test(success_is_another_spelling),
        cmocka_unit_test(an_answer_is_bound_to_its_request),
        cmocka_unit_test(an_expected_value_is_compared_byte_by_byte),
        cmocka_unit_test(what_cannot_be_checked_is_an_error),
        cmocka_unit_test(a_refusal_names_what_did_not_hold),
        cmocka_unit_test(a_send_takes_the_captures_with_it),
        cmocka_unit_test(a_send_without_its_capture_is_an_error_and_may_have_been_sent),
        cmocka_unit_test(a_capture_has_a_length),
        cmocka_unit_test(a_header_is_captured_when_it_is_there),
        cmocka_unit_test(nothing_is_captured_unless_it_was_sent),
        cmocka_unit_test(the_body_tells_how_long_to_wait_or_else_the_header),
        cmocka_unit_test(a_place_that_cannot_be_found_tells_nothing_about_how_long_to_wait),
        cmocka_unit_test(what_is_not_throttled_has_nothing_to_wait_for),
        cmocka_unit_test(a_failure_is_definite_when_the_service_itself_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
