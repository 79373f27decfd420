/* SPDX-License-Identifier: Apache-2.0
 *
 * `render`: the request that would be sent, which is the one that `send` and `verify` send, and nothing is sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"

#define USER                                                                                                           \
    "{\"number\": \"+41 79 123 12 12\", \"name\": \"O'Neill \\\"$HOME\\\" `id` \\\\ & <b>\", \"text\": \"Code {{ "     \
    "code }}\"}"

static void configure(const char *mfa)
{
    checked_configure_for_gateway(mfa);
    checked_write("me.json", USER);
    gateway_forget_requests(gateway);
}

#define SINGLE(rest) "mode: single\nsms: {endpoints: {single: {" rest "}}}\n"

/* The ways in which a request can be written. */
static const char *const shapes[] = {
    SINGLE("method: GET, url: 'GATEWAY/a/{{ number | digits }}?t={{ text }}', query: {n: '{{ name }}'}"),
    SINGLE("url: 'GATEWAY/', form: {t: '{{ text }}', n: '{{ name }} &='}"),
    SINGLE("url: 'GATEWAY/', body: {t: '{{ text }}', n: ['{{ name }}', 1, null]}, headers: {x-number: '{{ number }}'}"),
    SINGLE("method: PUT, url: 'GATEWAY/', body: '<a>{{ name }} {{ text }}</a>', headers: {content-type: text/xml}"),
    SINGLE("method: PATCH, url: 'GATEWAY/', body: 'it''s {{ text }}'"),
    SINGLE("method: DELETE, url: 'GATEWAY/{{ code }}'"),
    SINGLE("url: 'GATEWAY/{{ code }}', headers: {accept: text/plain, user-agent: us}"),
    SINGLE("url: 'GATEWAY/?q=[1-3]{a,b}', body: \"@file\\n{{ code }}\", auth: {basic: {user: u, password: 'p w'}}"),
    SINGLE("url: 'GATEWAY/{{ code }}', sign: {ovh: {applicationKey: k, applicationSecret: s, consumerKey: c}}"),
};

/* A signature is another one each second. */
static bool is_of_a_moment(const char *name)
{
    return strcmp(name, "X-Ovh-Timestamp") == 0 || strcmp(name, "X-Ovh-Signature") == 0;
}

static const char *wire_header(const struct gateway_request *request, const char *name)
{
    char lower[64] = "";

    for (size_t i = 0; name[i] != '\0' && i < sizeof lower - 1; i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    return json_string_value(json_object_get(request->headers, lower));
}

/* The rendered request, at `path` of the report, is what came over the wire; of further headers there are none but those
 * of the connection. */
static void assert_is_on_the_wire(const struct checked *checked, const char *path,
                                  const struct gateway_request *request)
{
    const json_t *rendered = checked_at(checked, path);
    const json_t *headers = json_object_get(rendered, "headers");
    const char *body = json_string_value(json_object_get(rendered, "body"));
    const json_t *header = NULL;
    size_t i = 0;

    assert_string_equal(json_string_value(json_object_get(rendered, "method")), request->method);
    assert_string_equal(json_string_value(json_object_get(rendered, "url")) + strlen(gateway_url(gateway)),
                        request->raw_url);
    assert_string_equal(body ? body : "", request->body);
    json_array_foreach(headers, i, header)
    {
        const char *name = json_string_value(json_object_get(header, "name"));

        assert_non_null(wire_header(request, name));
        if (!is_of_a_moment(name))
            assert_string_equal(json_string_value(json_object_get(header, "value")), wire_header(request, name));
    }
    assert_int_equal(request->header_count, json_array_size(headers) + 1 + !!wire_header(request, "content-length"));
}

static void a_request_is_rendered_as_it_is_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct checked checked;

        configure(shapes[i]);
        checked = CHECKED_RUN(CONFIG, "render", "me.json", "--code", "123 456", "--json", "--show-secrets");
        assert_int_equal(gateway_request_count(gateway), 0);
        checked_expect(CHECKED_RUN(CONFIG, "send", "me.json", "--code", "123456"), 0, "Verdict: sent", NULL);
        assert_int_equal(gateway_request_count(gateway), 1);
        assert_is_on_the_wire(&checked, "attempts/0/request", gateway_last_request(gateway));
        checked_expect(checked, 0, "123456", NULL);
    }
}

/* Whatever quoting it takes. */
static void a_line_for_the_shell_sends_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct checked rendered;
        struct checked line;

        configure(shapes[i]);
        rendered = CHECKED_RUN(CONFIG, "render", "me.json", "--code", "123456", "--json", "--show-secrets");
        line = CHECKED_RUN(CONFIG, "render", "me.json", "--code", "123456", "--curl", "--show-secrets");
        checked_expect(checked_run_shell(line.out), 0, "", "");
        assert_int_equal(gateway_request_count(gateway), 1);
        assert_is_on_the_wire(&rendered, "attempts/0/request", gateway_last_request(gateway));
        checked_expect(line, 0, "curl ", NULL);
        checked_expect(rendered, 0, "", NULL);
    }
}

static void people_read_it_as_it_goes_over_the_wire(void **state)
{
    struct checked checked;
    char *expected = NULL;

    (void)state;
    configure(
        SINGLE("url: 'GATEWAY/send', body: {n: '{{ number }}', c: '{{ code }}'}, auth: {bearer: hunter2hunter2}"));
    checked = CHECKED_RUN(CONFIG, "render", "me.json", "--code", "123456");
    assert_true(asprintf(&expected,
                         "POST %s/send\n"
                         "authorization: Bearer ***\n"
                         "content-type: application/json\n"
                         "user-agent: mfa.so/" MFA_VERSION "\n"
                         "accept: */*\n"
                         "\n"
                         "{\"n\":\"+41 79 123 12 12\",\"c\":\"123456\"}\n",
                         gateway_url(gateway)) > 0);
    assert_string_equal(checked.out, expected);
    free(expected);
    checked_expect(checked, 0, "", NULL);
}

static void a_code_that_is_left_out_is_drawn_and_told(void **state)
{
    char code[7] = "";
    struct checked checked;

    (void)state;
    configure(SINGLE("url: 'GATEWAY/{{ code }}'"));
    checked = CHECKED_RUN(CONFIG, "render", "me.json");
    assert_int_equal(sscanf(checked.out, "The code is %6[0-9].\n", code), 1);
    assert_int_equal(strlen(code), 6);
    assert_non_null(strstr(strstr(checked.out, "POST"), code));
    checked_expect(checked, 0, "", NULL);
}

/* --- Which endpoint ----------------------------------------------------------------------------------------------- */

#define CHALLENGE_VERIFY                                                                                               \
    "mode: challenge-verify\n"                                                                                         \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    single: {url: 'GATEWAY/single/{{ code }}'}\n"                                                                 \
    "    challenge:\n"                                                                                                 \
    "      url: 'GATEWAY/challenge/{{ nonce }}'\n"                                                                     \
    "      capture: {id: /id}\n"                                                                                       \
    "      fallback: [{url: 'http://localhost/fallback/{{ nonce }}'}]\n"                                               \
    "    verify:\n"                                                                                                    \
    "      url: 'GATEWAY/verify/{{ id }}/{{ nonce }}/{{ code }}'\n"                                                    \
    "      expect: {status: 2xx}\n"                                                                                    \
    "      fallback: [{url: 'http://localhost/verify/{{ code }}', expect: {status: 2xx}}]\n"

static void expect_url(const struct checked checked, const char *url)
{
    checked_expect(checked, 0, url, NULL);
}

static void each_endpoint_and_fallback_can_be_rendered(void **state)
{
    (void)state;
    configure(CHALLENGE_VERIFY);
    expect_url(CHECKED_RUN(CONFIG, "render", "me.json"), "/challenge/");
    expect_url(CHECKED_RUN(CONFIG, "render", "me.json", "--endpoint", "challenge", "--fallback", "1"),
               "POST http://localhost/fallback/");
    expect_url(CHECKED_RUN(CONFIG, "render", "me.json", "--endpoint", "single", "--code", "4711"), "/single/4711\n");
    expect_url(CHECKED_RUN(CONFIG, "render", "me.json", "--endpoint", "verify", "--code", "A4711", "--captured",
                           "{\"id\": \"i-7\", \"nonce\": \"n0\"}"),
               "/verify/i-7/n0/A4711\n");
    expect_url(CHECKED_RUN(CONFIG, "render", "me.json", "--endpoint", "verify", "--code", "4711", "--fallback", "1"),
               "POST http://localhost/verify/4711\n");
    assert_int_equal(gateway_request_count(gateway), 0);
}

static void what_verify_lacks_is_said(void **state)
{
    static const struct {
        const char *arguments[12];
        int status;
        const char *said;
    } cases[] = {
        {{CONFIG, "render", "me.json", "--code", "123456"}, 2, "the endpoint challenge is given no code, since the "},
        {{CONFIG, "render", "me.json", "--endpoint", "verify"}, 2, "give one with --code"},
        {{CONFIG, "verify", "me.json", "4711"}, 2, "verify uses {{ id }}, which the challenge leaves: give it with "},
        {{CONFIG, "verify", "me.json", "4711", "--captured", "{\"id\": \"7\"}"}, 2, "verify uses {{ nonce }}, "},
        {{CONFIG, "verify", "me.json", "4711", "--captured", "{\"ide\": \"7\"}"},
         2,
         "--captured: ide is nothing that the challenge captures"},
        {{CONFIG, "verify", "me.json", "4711", "--captured", "{\"id\": 7}"}, 2, "--captured: id is no string"},
        {{CONFIG, "verify", "me.json", "4711", "--captured", "id"}, 2, "--captured is not JSON: "},
        {{CONFIG, "verify", "me.json", "47-11"}, 2, "the code must be 4 to 10 digits or letters: "},
    };

    (void)state;
    configure(CHALLENGE_VERIFY);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        checked_expect(checked_run(cases[i].arguments), cases[i].status, NULL, cases[i].said);
    assert_int_equal(gateway_request_count(gateway), 0);
}

/* As in the plugin, where clients can neither read nor set what belongs to the challenge. */
static void user_data_do_not_stand_in_for_what_is_captured(void **state)
{
    (void)state;
    configure(CHALLENGE_VERIFY);
    checked_write("me.json", "{\"number\": \"41791231212\", \"id\": \"mine\", \"nonce\": \"mine\"}");
    checked_expect(CHECKED_RUN(CONFIG, "verify", "me.json", "4711"), 2, NULL, "verify uses {{ id }}, ");
}

static void an_endpoint_that_is_not_there_is_named(void **state)
{
    (void)state;
    configure(SINGLE("url: 'GATEWAY/{{ code }}'"));
    checked_expect(CHECKED_RUN(CONFIG, "verify", "me.json", "123456"), 1, NULL,
                   "the endpoint verify has no url, with mode \"single\"\n");
    checked_configure("mode: disabled\n");
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 1, NULL,
                   "the mode is \"disabled\", and nothing is sent: choose an endpoint with --endpoint\n");
}

static void messages_are_filled_in_by_language(void **state)
{
    (void)state;
    configure(
        "mode: single\nsms: {messages: {en: 'Code {{ code }}', fr: 'Le code {{ code }}'}, webOtpDomain: a.example,"
        " endpoints: {single: {url: 'GATEWAY/', body: {m: '{{ message }}'}}}}\n");
    checked_write("me.json", "{\"language\": \"fr\"}");
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json", "--code", "123456"), 0,
                   "{\"m\":\"Le code 123456\\n\\n@a.example #123456\"}\n", NULL);
}

/* --- Proofs that are made when it is sent ------------------------------------------------------------------------- */

static void a_token_is_fetched_first(void **state)
{
    struct checked checked;

    (void)state;
    configure(SINGLE("url: 'GATEWAY/{{ code }}', auth: {oauth2: {tokenUrl: 'GATEWAY/token', clientId: me, "
                     "clientSecret: hunter2hunter2, credentials: body}}"));
    checked = CHECKED_RUN(CONFIG, "render", "me.json", "--code", "123456", "--json");
    assert_string_equal(checked_text(&checked, "attempts/0/endpoint"), "token");
    assert_string_equal(checked_text(&checked, "attempts/0/request/body"),
                        "grant_type=client_credentials&client_id=***&client_secret=***");
    assert_string_equal(checked_text(&checked, "attempts/1/endpoint"), "single");
    assert_string_equal(checked_text(&checked, "attempts/1/request/headers/0/value"), "Bearer ***");
    checked_expect(checked, 0, "", NULL);
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json", "--code", "123456"), 0, "--- the access token ---\nPOST ",
                   NULL);
    assert_int_equal(gateway_request_count(gateway), 0);
}

static void a_signature_of_aws_is_left_to_the_client(void **state)
{
    (void)state;
    configure(SINGLE("url: 'GATEWAY/', form: {a: '{{ code }}'}, sign: {aws4: {region: eu-west-1, service: sns, "
                     "accessKeyId: AKIDEXAMPLE, secretAccessKey: hunter2hunter2}}"));
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 0,
                   "(and the headers of AWS Signature Version 4, aws:amz:eu-west-1:sns, which is made when it is sent)",
                   NULL);
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json", "--curl"), 0,
                   " --aws-sigv4 'aws:amz:eu-west-1:sns' --user '***:***' ", NULL);
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json", "--curl", "--show-secrets"), 0,
                   " --user 'AKIDEXAMPLE:hunter2hunter2' ", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_rendered_as_it_is_sent),
        cmocka_unit_test(a_line_for_the_shell_sends_the_same),
        cmocka_unit_test(people_read_it_as_it_goes_over_the_wire),
        cmocka_unit_test(a_code_that_is_left_out_is_drawn_and_told),
        cmocka_unit_test(each_endpoint_and_fallback_can_be_rendered),
        cmocka_unit_test(what_verify_lacks_is_said),
        cmocka_unit_test(user_data_do_not_stand_in_for_what_is_captured),
        cmocka_unit_test(an_endpoint_that_is_not_there_is_named),
        cmocka_unit_test(messages_are_filled_in_by_language),
        cmocka_unit_test(a_token_is_fetched_first),
        cmocka_unit_test(a_signature_of_aws_is_left_to_the_client),
    };

    return cmocka_run_group_tests(tests, checked_setup_with_gateway, checked_teardown_with_gateway);
}
