/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are planted wherever they can stand, and then none is in anything that the tool prints, unless the operator
 * wants to see them: so each is seen once, and the test is known to look in the right place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"

static void assert_lacks(const struct checked *checked, const char *secret)
{
    if (strstr(checked->out, secret) || strstr(checked->err, secret))
        fail_msg("%s is in\n%s\n%s", secret, checked->out, checked->err);
}

/* Every canary has this in it, and encodings leave it as it is. */
#define CANARY "canary"

/* Runs a command in every form of output. Nowhere is a canary; with --show-secrets the one is that is asked for. */
static void assert_hides(const char *const arguments[], int status, const char *shown)
{
    static const char *const forms[] = {NULL, "--json", "--curl", "--show-secrets"};
    const bool is_render = arguments[1] && strcmp(arguments[1], "render") == 0;

    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        const char *all[16] = {NULL};
        struct checked checked;
        size_t count = 0;

        if (forms[form] && strcmp(forms[form], "--curl") == 0 && !is_render)
            continue;
        while (arguments[count]) {
            all[count] = arguments[count];
            count++;
        }
        all[count] = forms[form];
        checked = checked_run(all);
        if (form < 3)
            assert_lacks(&checked, CANARY);
        else if (!strstr(checked.out, shown))
            fail_msg("%s is not shown in\n%s\n%s", shown, checked.out, checked.err);
        assert_int_equal(checked.status, status);
        checked_clear(&checked);
    }
}
#define HIDES(status, shown, ...) assert_hides((const char *const[]){__VA_ARGS__, NULL}, status, shown)

/* --- Requests and configurations ---------------------------------------------------------------------------------- */

/* A secret in some place of an endpoint, as it is written and as it is sent. */
static const struct {
    const char *endpoint;
    const char *sent;
} places[] = {
    {"auth: {basic: {user: canary-user, password: 'canary: pass'}}", "Y2FuYXJ5LXVzZXI6Y2FuYXJ5OiBwYXNz"},
    {"auth: {bearer: canary-bearer}", "Bearer canary-bearer"},
    {"auth: {oauth2: {tokenUrl: 'GATEWAY/t?key=canary-q', clientId: canary-id, clientSecret: 'canary-%41 s', "
     "credentials: body}}",
     "client_id=canary-id&client_secret=canary-%2541%20s"},
    {"sign: {ovh: {applicationKey: canary-app, applicationSecret: canary-secret, consumerKey: canary-consumer}}",
     "canary-consumer"},
    {"headers: {Authorization: 'Bearer: canary-1'}", "canary-1"},
    {"headers: {authorization: canary-without-scheme}", "canary-without-scheme"},
    {"headers: {X-API-Key: canary-2, cookie: 's=canary-3', X-Auth: canary-4}", "s=canary-3"},
    {"query: {apiKey: 'canary 5', access_token: canary-6, authkey: canary-7}", "apiKey=canary%205"},
    {"form: {password: 'canary 8 &', user: me}", "password=canary+8+%26"},
    {"body: {a: [{secret: 'canary \"9\"'}]}", "canary \\\"9\\\""},
    {"body: '{\"a\": [{\"key\": {\"b\": \"canary-10\", \"c\": [[1], \"canary-11\"]}}], \"keys\": [[2, 3], "
     "\"canary-12\"]}'",
     "canary-10"},
    {"body: '{\"n\": {{ code | json }}, \"key\": \"canary-13\"}'", "canary-13"},
    {"body: '<a><password>canary-14</password></a>'", "canary-14"},
    {"body: '<a/><b  c d=\"1\" password=\"canary-17\"/>'", "canary-17"},
    {"body: \"<a b='>' token\\n=\\t'canary-18>'>{{ code }}</a>\"", "canary-18>"},
    {"body: '<password a=\"b\"><![CDATA[canary<19>]]></password>'", "canary<19>"},
    {"body: '{\"keys\": {\"token\": {\"a\": \"canary-20\"}, \"b\": \"canary-21\"}}'", "canary-21"},
    {"body: '<member><name>password</name><value><string>canary-22</string></value></member>'", "canary-22"},
    {"body: \"<member>\\n<name> apiKey </name>\\n<value>\\n<string>canary-23</string></value>\\n</member>\"",
     "canary-23"},
    {"body: \"<password>\\n <![CDATA[canary-25]]>\\n</password>\"", "canary-25"},
    {"body: '<password><!-- > --> <!----><![CDATA[]]>canary-26</password>'", "canary-26"},
    {"body: '<token>A<![CDATA[canary]]-27]]>B<![CDATA[canary-28]]></token>'", "canary]]-27"},
    {"body: '<a><auth><b/><user x=\"\">canary-29</user><auth/>canary-30</auth></a>'", "canary-29"},
    {"body: '<a><auth user=\"canary-31\"><b id=\"canary-32\"/></auth></a>'", "canary-32"},
    {"body: "
     "'<member><name>auth</name><value><struct><member><name>user</name><value>canary-33</value></"
     "member><member><name>id</name><value>canary-34</value></member></struct></value></member>'",
     "canary-34"},
    {"body: '<member><name><!-- n --><![CDATA[password]]></name><value>canary-35</value></member>'", "canary-35"},
    {"body: '<Member><Name>password</Name><Value>canary-36</Value></Member>'", "canary-36"},
    {"body: '<a><param name=\"password\" type=\"b\">canary-37</param></a>'", "canary-37"},
    {"body: '<a><param value=\"canary-38\" name=\"password\"/><add key=\"password\" value=\"canary-39\"/></a>'",
     "canary-39"},
    {"body: '<m:name>password</m:name><m:value>canary-40</m:value>'", "canary-40"},
    {"body: '<a><m:auth><m:user>canary-41</m:user></m:auth><b c:pass=\"canary-42\"/></a>'", "canary-42"},
    {"body: '<a><b <password>canary-43 < canary-44 > canary-45</a>'", "canary-45"},
    {"body: '<!-- <a><password>canary-46</password>'", "canary-46"},
    {"query: {secretName: canary-16}", "secretName=canary-16"},
    {"body: 'a=b&auth_token=canary-15&c=d'", "canary-15"},
    {"body: 'a=b&password=Abc#canary-24&d=e'", "Abc#canary-24"},
    {"headers: {x-from: '${env:MFA_TEST_CANARY}'}", "x-from: canary <env>"},
    {"body: {from: 'a ${env:MFA_TEST_CANARY} b'}", "\"a canary <env> b\""},
    {"body: '<a>{{ from }}</a>', query: {from: '${env:MFA_TEST_CANARY}'}", "<a>canary &lt;env&gt;</a>"},
    {"form: {from: '${env:MFA_TEST_CANARY}'}", "from=canary+%3Cenv%3E"},
    {"query: {from: '${env:MFA_TEST_CANARY}'}", "from=canary%20%3Cenv%3E"},
};

static void configure(const char *url, const char *endpoint)
{
    char *mfa = NULL;

    assert_true(asprintf(&mfa,
                         "mode: single\nsms:\n  endpoints:\n    single:\n      url: '%s'\n      headers: {x-code: "
                         "'{{ code }}'}\n      fallback: [{url: '%s', %s}]\n",
                         url, url, endpoint) > 0);
    checked_configure_for_gateway(mfa);
    free(mfa);
}

static void secrets_of_an_endpoint_are_hidden_wherever_they_stand(void **state)
{
    (void)state;
    checked_write("me.json", "{\"from\": \"canary <env>\"}");
    assert_int_equal(setenv("MFA_TEST_CANARY", "canary <env>", 1), 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        configure("GATEWAY/", places[i].endpoint);
        HIDES(0, "", CONFIG);
        HIDES(0, places[i].sent, CONFIG, "render", "me.json", "--fallback", "1");
    }
}

static void secrets_of_a_url_are_hidden(void **state)
{
    (void)state;
    checked_write("me.json", "{}");
    checked_write("secret", "canary-of-a-file\n");
    char *path = checked_path("secret");
    char *url = NULL;

    assert_true(asprintf(&url, "http://canary-user:canary-pass@localhost/bot${file:%s}/a?sig=canary-sig&b=c", path) >
                0);
    configure(url, "body: x");
    HIDES(0, "http://canary-user:canary-pass@localhost/botcanary-of-a-file/a?sig=canary-sig&b=c", CONFIG);
    HIDES(0, "http://canary-user:canary-pass@localhost/botcanary-of-a-file/a?sig=canary-sig&b=c", CONFIG, "render",
          "me.json");
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 0, "POST http://***@localhost/bot***/a?sig=***&b=c\n",
                   NULL);
    free(path);
    free(url);
    configure("http://canary-user@localhost/", "body: x");
    HIDES(0, "http://canary-user@localhost/", CONFIG, "render", "me.json");
}

static void parameters_of_a_preset_are_hidden(void **state)
{
    (void)state;
    checked_write("me.json", "{}");
    checked_write("acme.yml",
                  "title: Acme\n"
                  "parameters: {botToken: what, number: what, of: {default: '${env:MFA_TEST_IN_DEFAULT}'}}\n"
                  "endpoints:\n"
                  "  single:\n"
                  "    url: 'http://localhost/${param:botToken}/${param:number}/${env:MFA_TEST_IN_PRESET}${param:of}'\n"
                  "    body: {code: '{{ code }}'}\n");
    assert_int_equal(setenv("MFA_TEST_IN_PRESET", "canary-in-preset", 1), 0);
    assert_int_equal(setenv("MFA_TEST_IN_DEFAULT", "/canary-in-default", 1), 0);
    checked_configure("mode: single\npresetsDirectory: .\nsms: {endpoints: {preset: acme, parameters: {botToken: "
                      "'1:canary', number: 12}}}\n");
    HIDES(0, "http://localhost/1:canary/12/canary-in-preset/canary-in-default", CONFIG);
    HIDES(0, "http://localhost/1:canary/12/canary-in-preset/canary-in-default", CONFIG, "render", "me.json");
}

/* The name of a parameter need not say what it is for. */
static void what_parameters_become_is_hidden(void **state)
{
    static const char *const proofs[] = {
        "auth: {bearer: '${param:a}'}",
        "sign: {ovh: {applicationKey: '${param:a}', applicationSecret: '${param:b}', consumerKey: '${param:c}'}}",
        "auth: {oauth2: {tokenUrl: 'http://a/', clientId: '${param:a}', clientSecret: s, credentials: body}}",
    };

    (void)state;
    checked_write("me.json", "{}");
    checked_write("answer.txt", "HTTP/1.1 200 OK\n\ncanary-a");
    checked_configure("mode: single\npresetsDirectory: .\nsms: {endpoints: {preset: acme, parameters: {a: canary-a, "
                      "b: canary-b, c: canary-c}}}\n");
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++) {
        char *preset = NULL;

        assert_true(asprintf(&preset,
                             "title: Acme\nparameters: {a: what, b: what, c: what}\nendpoints:\n  single:\n"
                             "    url: 'http://localhost/{{ code }}'\n    body: {a: '${param:a}'}\n    %s\n",
                             proofs[i]) > 0);
        checked_write("acme.yml", preset);
        free(preset);
        HIDES(0, "{\"a\":\"canary-a\"}", CONFIG, "render", "me.json");
        HIDES(0, "\ncanary-a\n", CONFIG, "answer", "answer.txt");
    }
}

static void secrets_of_user_data_are_hidden(void **state)
{
    (void)state;
    checked_configure_for_gateway(
        "mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ code }}', query: {key: '{{ plain }}'}, "
        "body: {otherKey: '{{ simple }}', text: '{{ plain }} {{ simple }}'}}}}\n");
    checked_write("me.json", "{\"plain\": \"canary-q\", \"simple\": \"canary-b\"}");
    HIDES(0, "\"text\":\"canary-q canary-b\"", CONFIG, "render", "me.json");
    checked_write("me.json", "{\"userToken\": \"canary 1\"}");
    checked_configure_for_gateway("mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ userToken }}'}}}\n");
    HIDES(0, "/canary%201\n", CONFIG, "render", "me.json");
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

static void a_service_that_repeats_a_secret_is_not_quoted(void **state)
{
    static const char *const headers[] = {"location", "/?a=canary-bearer", "x-api-key", "canary-header", NULL};

    (void)state;
    checked_write("me.json", "{}");
    checked_configure_for_gateway("mode: single\n"
                                  "sms:\n"
                                  "  endpoints:\n"
                                  "    single:\n"
                                  "      url: 'GATEWAY/{{ code }}'\n"
                                  "      auth: {bearer: canary-bearer}\n"
                                  "      query: {key: 'canary \"q\"'}\n"
                                  "      expect: {json: {/sent: canary-bearer, /token: x}}\n");
    gateway_answer(gateway,
                   (struct gateway_script){.status = 200,
                                           .headers = headers,
                                           .body = "{\"sent\": \"canary-bearer\", \"q\": \"canary \\\"q\\\"\", "
                                                   "\"raw\": \"canary%20%22q%22\", \"token\": \"canary-t\"}"});
    HIDES(1, "canary-bearer", CONFIG, "send", "me.json");
    HIDES(1, "/token did not hold: \"canary-t\", not \"x\"", CONFIG, "send", "me.json");
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 1,
                   "{\"sent\": \"***\", \"q\": \"***\", \"raw\": \"***\", \"token\": \"***\"}\n"
                   "\n"
                   "expect.json /token did not hold: \"***\", not \"***\"\n",
                   NULL);
    gateway_answer(gateway, (struct gateway_script){.status = 200});
    checked_write("answer.txt", "HTTP/1.1 200 OK\r\nSet-Cookie: canary-c\r\n\r\n{\"a\": \"canary-bearer\", \"b\": "
                                "{\"password\": \"canary-p\"}}");
    HIDES(1, "canary-p", CONFIG, "answer", "answer.txt");
}

/* What is written encoded may come back decoded. */
static void a_secret_is_hidden_in_another_encoding(void **state)
{
    (void)state;
    checked_write("me.json", "{}");
    checked_configure_for_gateway(
        "mode: single\nsms: {endpoints: {single: {url: 'GATEWAY/{{ code }}?key=c%61nary+%22', "
        "body: '{\"token\": \"\\u0063anary-b\"}'}}}\n");
    checked_write("answer.txt", "HTTP/1.1 200 OK\n\ncanary \" and canary-b");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 0, "\n\n*** and ***\n", NULL);
}

static void what_stands_beside_a_secret_is_shown(void **state)
{
    (void)state;
    checked_configure("mode: single\nsms: {endpoints: {single: {url: 'http://localhost/{{ code }}'}}}\n");
    checked_write("answer.txt",
                  "HTTP/1.1 200 OK\n\n{\"a\": {\"keys\": [{\"b\": \"canary\"}, [-12]], \"keyword\": \"c\", "
                  "\"key\": true}, \"d\": [\"e\", 3]}");
    checked_expect(
        CHECKED_RUN(CONFIG, "answer", "answer.txt"), 0,
        "\n\n{\"a\": {\"keys\": [{\"b\": \"***\"}, [***]], \"keyword\": \"c\", \"key\": true}, \"d\": [\"e\", 3]}\n",
        NULL);
}

static void what_stands_beside_a_secret_in_xml_is_shown(void **state)
{
    (void)state;
    checked_configure("mode: single\nsms: {endpoints: {single: {url: 'http://localhost/{{ code }}'}}}\n");
    checked_write("answer.txt",
                  "HTTP/1.1 200 OK\n\n<?xml version='1.0'?><auth:a xmlns:auth='b'><c/><password type='d' >\n canary "
                  "</password><key/>e<f name='g'/><param name='token' value='canary'/>h<member><name>pass</name><i>"
                  "<name>canary</name></i><name>j</name>k<name>pass</name>canary</member><name>l</name>m</auth:a>");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 0,
                   "\n\n<?xml version='1.0'?><auth:a xmlns:auth='b'><c/><password type='d' >\n *** "
                   "</password><key/>e<f name='g'/><param name='token' value='***'/>h<member><name>pass</name><i>"
                   "<name>***</name></i><name>j</name>k<name>pass</name>***</member><name>l</name>m</auth:a>",
                   NULL);
}

static void a_secret_within_another_leaves_nothing_of_it(void **state)
{
    (void)state;
    checked_write("answer.txt", "HTTP/1.1 200 OK\n\ncanary-and-more");
    checked_configure(
        "mode: single\nsms: {endpoints: {single: {url: 'http://localhost/{{ code }}', query: {a_key: canary, "
        "b_key: canary-and-more, c_key: canary-and}}}}\n");
    checked_expect(CHECKED_RUN(CONFIG, "answer", "answer.txt"), 0, "\n\n***\n", NULL);
}

static void what_is_captured_under_the_name_of_a_secret_is_hidden(void **state)
{
    (void)state;
    checked_configure("mode: challenge-verify\nsms: {endpoints: {challenge: {url: 'http://localhost/', capture: "
                      "{verifyToken: /token}}, verify: {url: 'http://localhost/{{ verifyToken }}/{{ code }}'}}}\n");
    checked_write("me.json", "{}");
    checked_write("answer.txt", "HTTP/1.1 200 OK\n\n{\"token\": \"canary-t\"}");
    HIDES(0, "Captured: {\"verifyToken\":\"canary-t\"}", CONFIG, "answer", "answer.txt");
    HIDES(0, "/canary-t/4711\n", CONFIG, "render", "me.json", "--endpoint", "verify", "--code", "4711", "--captured",
          "{\"verifyToken\": \"canary-t\"}");
    checked_expect(CHECKED_RUN(CONFIG), 0, "capture:\n            verifyToken: '/token'\n", "warning: ");
}

/* --- Problems ----------------------------------------------------------------------------------------------------- */

static void no_problem_quotes_a_secret(void **state)
{
    static const char *const sections[] = {
        "mode: canary-mode\nsms: {endpoints: {single: {auth: {bearer: canary-mode}}}}\n",
        "mode: single\nsms: {endpoints: {single: {url: canary, auth: {basic: {user: 'a:canary', password: a}}}}}\n",
        "mode: single\nsms: {endpoints: {single: {headers: {'x: canary-key': y}, auth: {bearer: 'canary-key'}}}}\n",
        "mode: single\nsms: {endpoints: {single: {url: 'http://a/', headers: {x-key: \"canary\\n\"}}}}\n",
        "mode: single\nsms: {endpoints: {single: {auth: {bearer: '${env:MFA_TEST_NONE}canary'}}}}\n",
        "mode: single\nsms: {endpoints: {preset: canary-preset, parameters: {token: canary-preset}}}\n",
        "mode: single\nsms: {endpoints: {single: {auth: {bearer: 'canary\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        struct checked checked;

        checked_configure(sections[i]);
        checked = CHECKED_RUN(CONFIG);
        assert_lacks(&checked, CANARY);
        checked_expect(checked, 1, NULL, "services.mfa");
        checked = CHECKED_RUN(CONFIG, "--json");
        assert_lacks(&checked, CANARY);
        checked_expect(checked, 1, "services.mfa", NULL);
    }
}

/* A short secret is hidden where values stand, and not in our own words. */
static void a_short_secret_spoils_no_message(void **state)
{
    (void)state;
    assert_int_equal(setenv("MFA_TEST_SHORT", "sms", 1), 0);
    checked_write("me.json", "{}");
    checked_configure(
        "mode: single\nsms: {codeLength: 99, endpoints: {single: {url: 'http://a/${env:MFA_TEST_SHORT}'}}}\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL, "services.mfa.sms.codeLength (");
    checked_configure("mode: single\nsms: {endpoints: {single: {url: 'http://a/${env:MFA_TEST_SHORT}'}}}\n");
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json", "--code", "1234"), 0, "POST http://a/***\n", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_of_an_endpoint_are_hidden_wherever_they_stand),
        cmocka_unit_test(secrets_of_a_url_are_hidden),
        cmocka_unit_test(parameters_of_a_preset_are_hidden),
        cmocka_unit_test(what_parameters_become_is_hidden),
        cmocka_unit_test(secrets_of_user_data_are_hidden),
        cmocka_unit_test(a_service_that_repeats_a_secret_is_not_quoted),
        cmocka_unit_test(a_secret_is_hidden_in_another_encoding),
        cmocka_unit_test(what_stands_beside_a_secret_is_shown),
        cmocka_unit_test(what_stands_beside_a_secret_in_xml_is_shown),
        cmocka_unit_test(a_secret_within_another_leaves_nothing_of_it),
        cmocka_unit_test(what_is_captured_under_the_name_of_a_secret_is_hidden),
        cmocka_unit_test(no_problem_quotes_a_secret),
        cmocka_unit_test(a_short_secret_spoils_no_message),
    };

    return cmocka_run_group_tests(tests, checked_setup_with_gateway, checked_teardown_with_gateway);
}
