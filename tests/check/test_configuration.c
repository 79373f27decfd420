/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of a configuration: all that is wrong with it, as the plugin says it, or all that it means.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"

/* Everything that an endpoint can say in words of its own. */
#define RICH                                                                                                           \
    "mode: single\n"                                                                                                   \
    "stepUp: {required: true}\n"                                                                                       \
    "recovery: {mode: consume}\n"                                                                                      \
    "presetsDirectory: /presets\n"                                                                                     \
    "sms:\n"                                                                                                           \
    "  codeTtlSeconds: 300\n"                                                                                          \
    "  webOtpDomain: example.com\n"                                                                                    \
    "  messages: {en: 'It''s {{ code }}', fr-CH: \"C'est\\n{{ code }}: \\u00e9\"}\n"                                   \
    "  endpoints:\n"                                                                                                   \
    "    single:\n"                                                                                                    \
    "      url: 'http://127.0.0.1/{{ number | digits }}'\n"                                                            \
    "      query: {a: 'b c'}\n"                                                                                        \
    "      method: PUT\n"                                                                                              \
    "      headers: {X-Text: 'a: # b', content-type: text/plain}\n"                                                    \
    "      body: \"{{ message }}\\n  two\\n\"\n"                                                                       \
    "      timeoutMs: 5000\n"                                                                                          \
    "      retryAfter: /wait\n"                                                                                        \
    "      expect: {status: [200, 4xx], text: \"^'\\\\d\\\"\", empty: false}\n"                                        \
    "      success: {jsonPath: 'a.b[0]', equals: 'yes'}\n"                                                             \
    "      outcomes:\n"                                                                                                \
    "        - {when: {json: {/a: {in: [1, 'x', null]}, /b: {not: '{{ number }}'}}}, is: throttled}\n"                 \
    "        - {when: {json: {/c: {exists: true}, /d: {exists: false}, /e: {matches: '^\\d'}}}, is: accepted}\n"       \
    "        - {when: {empty: true}, is: error}\n"                                                                     \
    "      fallback:\n"                                                                                                \
    "        - {url: 'http://localhost/?m={{ message }}', method: GET}\n"                                              \
    "    challenge: {url: 'http://localhost/', capture: {id: /id, where: 'header:Location'}}\n"                        \
    "    verify: {url: 'http://localhost/{{ id }}/{{ where }}', body: '{{ code }}'}\n"

static void a_good_configuration_is_printed_with_its_defaults(void **state)
{
    static const char expected[] = "# override-config.yml is fine. With all that it leaves out:\n"
                                   "services:\n"
                                   "  mfa:\n"
                                   "    mode: 'single'\n"
                                   "    sessions:\n"
                                   "      ttlSeconds: 60\n"
                                   "      maxPending: 100000\n"
                                   "      maxPendingPerUser: 10\n"
                                   "    sms:\n"
                                   "      codeLength: 6\n"
                                   "      codeTtlSeconds: 60\n"
                                   "      acceptPreviousCodes: 1\n"
                                   "      sendLimits:\n"
                                   "        minIntervalSeconds: 30\n"
                                   "        perUserPerHour: 10\n"
                                   "        perDestinationPerDay: 20\n"
                                   "        perDay: 0\n"
                                   "      endpoints:\n"
                                   "        single:\n"
                                   "          url: 'http://127.0.0.1/?m={{ message }}'\n"
                                   "          method: 'GET'\n"
                                   "          timeoutMs: 10000\n"
                                   "          connectTimeoutMs: 3000\n"
                                   "    attempts:\n"
                                   "      perSession: 5\n"
                                   "      maxConsecutive: 100\n"
                                   "      backoff:\n"
                                   "        freeFailures: 3\n"
                                   "        baseSeconds: 2\n"
                                   "        maxSeconds: 300\n"
                                   "      perAccountWindowSeconds: 900\n"
                                   "    gateway:\n"
                                   "      maxInFlight: 4000\n"
                                   "      maxPerHost: 512\n"
                                   "    stepUp:\n"
                                   "      required: true\n"
                                   "    recovery:\n"
                                   "      mode: 'deactivate'\n"
                                   "    presetsDirectory: '/presets'\n";
    struct checked checked;

    (void)state;
    checked_configure("mode: single\nstepUp: {required: true}\nsessions: {ttlSeconds: 60}\npresetsDirectory: /presets\n"
                      "sms: {endpoints: {single: {method: GET, url: 'http://127.0.0.1/?m={{ message }}'}}}\n");
    checked = CHECKED_RUN(CONFIG);
    assert_string_equal(checked.out, expected);
    checked_expect(checked, 0, "", NULL);
}

static void what_is_printed_means_the_same(void **state)
{
    struct checked first;
    struct checked second;

    (void)state;
    checked_configure(RICH);
    first = CHECKED_RUN(CONFIG);
    assert_string_equal(first.err, "");
    checked_write("again.yml", first.out);
    second = CHECKED_RUN("again.yml");
    assert_string_equal(strchr(second.out, '\n'), strchr(first.out, '\n'));
    checked_expect(first, 0, "", NULL);
    checked_expect(second, 0, "", NULL);
}

static void nothing_of_an_endpoint_is_left_out(void **state)
{
    static const struct {
        const char *path;
        const char *json;
    } cases[] = {
        {"sms/messages", "{\"en\": \"It's {{ code }}\", \"fr-CH\": \"C'est\\n{{ code }}: \\u00e9\"}"},
        {"sms/webOtpDomain", "\"example.com\""},
        {"sms/endpoints/single/url", "\"http://127.0.0.1/{{ number | digits }}?a=b%20c\""},
        {"sms/endpoints/single/method", "\"PUT\""},
        {"sms/endpoints/single/headers", "{\"X-Text\": \"a: # b\", \"content-type\": \"text/plain\"}"},
        {"sms/endpoints/single/body", "\"{{ message }}\\n  two\\n\""},
        {"sms/endpoints/single/timeoutMs", "5000"},
        {"sms/endpoints/single/retryAfter", "\"/wait\""},
        {"sms/endpoints/single/expect",
         "{\"status\": [200, \"4xx\"], \"json\": {\"/a/b/0\": \"yes\"}, \"text\": \"^'\\\\d\\\"\", \"empty\": false}"},
        {"sms/endpoints/single/outcomes",
         "[{\"when\": {\"json\": {\"/a\": {\"in\": [1, \"x\", null]}, \"/b\": {\"not\": \"{{ number }}\"}}}, "
         "\"is\": \"throttled\"},"
         "{\"when\": {\"json\": {\"/c\": {\"exists\": true}, \"/d\": {\"exists\": false}, \"/e\": {\"matches\": "
         "\"^\\\\d\"}}}, \"is\": \"accepted\"}, {\"when\": {\"empty\": true}, \"is\": \"error\"}]"},
        {"sms/endpoints/single/fallback/0/url", "\"http://localhost/?m={{ message }}\""},
        {"sms/endpoints/challenge/capture", "{\"id\": \"/id\", \"where\": \"header:Location\"}"},
        {"recovery/mode", "\"consume\""},
        {"stepUp/required", "true"},
    };
    struct checked checked;

    (void)state;
    checked_configure(RICH);
    checked = CHECKED_RUN(CONFIG, "--json");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *expected = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
        char path[100];

        assert_non_null(expected);
        (void)snprintf(path, sizeof path, "configuration/%s", cases[i].path);
        if (!json_equal(checked_at(&checked, path), expected))
            fail_msg("%s is not %s\n%s", cases[i].path, cases[i].json, checked.out);
        json_decref(expected);
    }
    assert_int_equal(json_array_size(checked_at(&checked, "problems")), 0);
    checked_expect(checked, 0, "", NULL);
}

/* Each way to prove who asks that has words of its own. */
#define PROVED                                                                                                         \
    "mode: single\n"                                                                                                   \
    "stepUp: {required: true}\n"                                                                                       \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    single:\n"                                                                                                    \
    "      url: 'http://localhost/'\n"                                                                                 \
    "      body: '{{ code }}'\n"                                                                                       \
    "      sign: {aws4: {region: eu-central-1, service: sns, accessKeyId: the-id, secretAccessKey: the-key}}\n"        \
    "      fallback:\n"                                                                                                \
    "        - url: 'http://localhost/{{ code }}'\n"                                                                   \
    "          auth: {oauth2: {tokenUrl: 'http://localhost/t', clientId: the-client, clientSecret: the-secret}}\n"     \
    "        - url: 'http://localhost/{{ code }}'\n"                                                                   \
    "          auth:\n"                                                                                                \
    "            oauth2: {tokenUrl: 'http://localhost/t', clientId: the-client, clientSecret: the-secret, "            \
    "credentials: body}\n"

static void what_proves_a_request_is_printed_but_for_its_secrets(void **state)
{
    static const struct {
        const char *path;
        const char *text;
    } cases[] = {
        {"single/sign/aws4/region", "eu-central-1"},
        {"single/sign/aws4/service", "sns"},
        {"single/sign/aws4/accessKeyId", "***"},
        {"single/sign/aws4/secretAccessKey", "***"},
        {"single/fallback/0/auth/oauth2/tokenUrl", "http://localhost/t"},
        {"single/fallback/0/auth/oauth2/clientSecret", "***"},
        {"single/fallback/0/auth/oauth2/credentials", "basic"},
        {"single/fallback/1/auth/oauth2/credentials", "body"},
    };
    struct checked checked;

    (void)state;
    checked_configure(PROVED);
    checked = CHECKED_RUN(CONFIG, "--json");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[100];

        (void)snprintf(path, sizeof path, "configuration/sms/endpoints/%s", cases[i].path);
        assert_string_equal(checked_text(&checked, path), cases[i].text);
    }
    assert_null(strstr(checked.out, "the-"));
    checked_expect(checked, 0, "", NULL);
    checked_expect(CHECKED_RUN(CONFIG, "--show-secrets"), 0, "secretAccessKey: 'the-key'\n", NULL);
}

static void messages_without_a_domain_are_printed_whole(void **state)
{
    struct checked checked;

    (void)state;
    checked_configure("mode: single\nsms: {messages: {en: 'It is {{ code }}'}, endpoints: {single: {url: "
                      "'http://localhost/', body: {m: '{{ message }}'}}}}\n");
    checked = CHECKED_RUN(CONFIG, "--json");
    assert_string_equal(checked_text(&checked, "configuration/sms/messages/en"), "It is {{ code }}");
    assert_null(strstr(checked.out, "webOtpDomain"));
    checked_expect(checked, 0, "", NULL);
}

static void a_placeholder_is_no_secret(void **state)
{
    struct checked checked;

    (void)state;
    checked_configure("mode: single\nsms: {endpoints: {single: {url: 'http://localhost/{{ code }}', query: {token: '{{ "
                      "code }}'}}}}\n");
    checked = CHECKED_RUN(CONFIG, "--json");
    assert_string_equal(checked_text(&checked, "configuration/sms/endpoints/single/url"),
                        "http://localhost/{{ code }}?token={{ code }}");
    checked_expect(checked, 0, "", NULL);
}

/* --- Problems ----------------------------------------------------------------------------------------------------- */

#define WRONG                                                                                                          \
    "mode: single\n"                                                                                                   \
    "colour: red\n"                                                                                                    \
    "sms:\n"                                                                                                           \
    "  codeLength: 99\n"                                                                                               \
    "  endpoints:\n"                                                                                                   \
    "    single:\n"                                                                                                    \
    "      url: 'http://{{ host }}/'\n"                                                                                \
    "      metod: GET\n"

static void every_problem_is_told_at_once_with_key_file_and_line(void **state)
{
    struct checked checked;

    (void)state;
    checked_configure(WRONG);
    checked = CHECKED_RUN(CONFIG);
    assert_non_null(strstr(checked.err, "services.mfa.colour (override-config.yml:10): is not a known key: "));
    assert_non_null(
        strstr(checked.err, "services.mfa.sms.codeLength (override-config.yml:12): must be from 4 to 10\n"));
    assert_non_null(strstr(checked.err, "services.mfa.sms.endpoints.single.url (override-config.yml:15): "));
    assert_non_null(strstr(checked.err, "services.mfa.sms.endpoints.single.metod (override-config.yml:16): "));
    assert_non_null(strstr(checked.err, "warning: services.mfa (override-config.yml:9): stepUp.required is not true"));
    checked_expect(checked, 1, NULL, "");
}

static void scripts_get_the_same(void **state)
{
    struct checked checked;

    (void)state;
    checked_configure(WRONG);
    checked = CHECKED_RUN(CONFIG, "--json");
    assert_int_equal(json_array_size(checked_at(&checked, "problems")), 5);
    assert_string_equal(checked_text(&checked, "problems/2/severity"), "error");
    assert_string_equal(checked_text(&checked, "problems/2/text"),
                        "services.mfa.sms.codeLength (override-config.yml:12): must be from 4 to 10");
    assert_string_equal(checked_text(&checked, "problems/1/severity"), "warning");
    assert_true(json_is_null(checked_at(&checked, "configuration")));
    checked_expect(checked, 1, "", NULL);
}

static void nothing_is_sent_with_a_configuration_that_is_wrong(void **state)
{
    static const char said[] = "services.mfa.sms.codeLength (override-config.yml:12): must be from 4 to 10\n";

    (void)state;
    checked_configure(WRONG);
    checked_write("me.json", "{}");
    checked_expect(CHECKED_RUN(CONFIG, "render", "me.json"), 1, NULL, said);
    checked_expect(CHECKED_RUN(CONFIG, "send", "me.json"), 1, NULL, said);
    checked_expect(CHECKED_RUN(CONFIG, "verify", "me.json", "1234"), 1, NULL, said);
    checked_expect(CHECKED_RUN(CONFIG, "answer", "me.json"), 1, NULL, said);
}

/* Runs the tool on the very file of a host that refuses to start. */
static void the_plugin_says_the_same_in_the_host(void **state)
{
    struct host *host = NULL;
    struct checked checked;
    char *config = NULL;
    const json_t *problem = NULL;
    char *data_dir = NULL;
    char *yaml = config_with("    mode: single\n    colour: red\n    sms:\n      codeLength: 99\n");
    size_t i = 0;

    (void)state;
    host = host_new(yaml, NULL, NULL);
    assert_int_equal(host_start_refused(host), 1);
    data_dir = strdup(host_data_dir(host));
    assert_true(asprintf(&config, "%s/config.yml", dirname(data_dir)) > 0);
    checked = CHECKED_RUN(config, "--json");
    assert_int_equal(json_array_size(checked_at(&checked, "problems")), 4);
    json_array_foreach(checked_at(&checked, "problems"), i, problem)
    {
        assert_true(host_log_has(host, json_string_value(json_object_get(problem, "text"))));
    }
    checked_expect(checked, 1, "", NULL);
    host_free(host);
    free(config);
    free(data_dir);
    free(yaml);
}

static void warnings_are_no_problems(void **state)
{
    (void)state;
    checked_configure("mode: single\nsms: {codeLength: 4, endpoints: {single: {url: 'http://localhost/{{ x }}'}}}\n");
    checked_expect(CHECKED_RUN(CONFIG), 0, "codeLength: 4\n",
                   "warning: services.mfa.sms.codeLength (override-config.yml:10): is below 6");
}

static void a_mode_that_asks_nobody_is_warned_of(void **state)
{
    (void)state;
    checked_configure("mode: disabled\n");
    checked_expect(CHECKED_RUN(CONFIG), 0, "mode: 'disabled'\n",
                   "warning: services.mfa: mode is disabled: nobody is asked for a second factor\n");
}

static void a_section_that_is_not_there_is_warned_of(void **state)
{
    static const char *const texts[] = {"", "http: {port: 1}\n", "mfa: {mode: single}\n", "services:\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        checked_write(CONFIG, texts[i]);
        checked_expect(CHECKED_RUN(CONFIG), 0, "    mode: 'disabled'\n",
                       "warning: services.mfa is not there: nobody is asked for a second factor\n");
    }
}

static void a_section_that_is_empty_is_refused(void **state)
{
    (void)state;
    checked_write(CONFIG, "services:\n  mfa:\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL, "services.mfa (override-config.yml:2): must be a mapping");
}

static void yaml_that_cannot_be_read_is_named_with_its_line(void **state)
{
    (void)state;
    checked_write(CONFIG, "a: 1\nservices:\n  mfa: {mode: single\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL, "services.mfa (override-config.yml:4): is not valid YAML: ");
    checked_write(CONFIG, "services: [1]\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL, "services.mfa (override-config.yml:1): cannot be read: ");
}

/* --- Presets ------------------------------------------------------------------------------------------------------ */

static void write_preset(void)
{
    checked_write("acme.yml", "title: Acme\n"
                              "parameters: {sender: {description: who, default: Acme}, phoneKey: what}\n"
                              "endpoints:\n"
                              "  single:\n"
                              "    url: 'https://sms.example.com/'\n"
                              "    form: {from: '${param:sender}', to: '{{ phone }}', text: '{{ code }}'}\n"
                              "    auth: {bearer: '${param:phoneKey}'}\n"
                              "    timeoutMs: 4000\n");
}

static void a_preset_is_printed_as_what_it_stands_for(void **state)
{
    struct checked checked;

    (void)state;
    write_preset();
    checked_configure("mode: single\npresetsDirectory: .\nsms:\n  endpoints:\n    preset: acme\n"
                      "    parameters: {phoneKey: a-secret-of-acme}\n    single: {timeoutMs: 5000}\n");
    checked = CHECKED_RUN(CONFIG, "--json");
    assert_string_equal(checked_text(&checked, "configuration/sms/endpoints/single/body"),
                        "from=Acme&to={{ phone }}&text={{ code }}");
    assert_string_equal(checked_text(&checked, "configuration/sms/endpoints/single/headers/authorization"),
                        "Bearer ***");
    assert_int_equal(json_integer_value(checked_at(&checked, "configuration/sms/endpoints/single/timeoutMs")), 5000);
    assert_null(json_object_get(checked_at(&checked, "configuration/sms/endpoints"), "preset"));
    checked_expect(checked, 0, "", NULL);
}

static void a_preset_that_is_not_there_is_named(void **state)
{
    (void)state;
    write_preset();
    checked_configure("mode: single\npresetsDirectory: .\nsms: {endpoints: {preset: acne}}\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL,
                   "services.mfa.sms.endpoints.preset (override-config.yml:11): is not the name of a preset in .: "
                   "those there are acme");
    checked_configure("mode: single\npresetsDirectory: .\nsms: {endpoints: {preset: ./acme}}\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL, ": is not the name of a preset in .: those there are acme");
}

static void a_preset_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    checked_write("broken.yml", "endpoints: {single: {\n");
    checked_configure("mode: single\npresetsDirectory: .\nsms: {endpoints: {preset: broken}}\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL, "broken (./broken.yml:2): is not valid YAML: ");
}

static void a_source_without_its_end_is_named(void **state)
{
    (void)state;
    checked_configure("mode: single\nsms: {endpoints: {single: {url: 'http://localhost/${env:A'}}}\n");
    checked_expect(CHECKED_RUN(CONFIG), 1, NULL, "services.mfa.sms.endpoints.single.url (override-config.yml:10): ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_configuration_is_printed_with_its_defaults),
        cmocka_unit_test(what_is_printed_means_the_same),
        cmocka_unit_test(nothing_of_an_endpoint_is_left_out),
        cmocka_unit_test(what_proves_a_request_is_printed_but_for_its_secrets),
        cmocka_unit_test(messages_without_a_domain_are_printed_whole),
        cmocka_unit_test(a_placeholder_is_no_secret),
        cmocka_unit_test(every_problem_is_told_at_once_with_key_file_and_line),
        cmocka_unit_test(scripts_get_the_same),
        cmocka_unit_test(nothing_is_sent_with_a_configuration_that_is_wrong),
        cmocka_unit_test(the_plugin_says_the_same_in_the_host),
        cmocka_unit_test(warnings_are_no_problems),
        cmocka_unit_test(a_mode_that_asks_nobody_is_warned_of),
        cmocka_unit_test(a_section_that_is_not_there_is_warned_of),
        cmocka_unit_test(a_section_that_is_empty_is_refused),
        cmocka_unit_test(yaml_that_cannot_be_read_is_named_with_its_line),
        cmocka_unit_test(a_preset_is_printed_as_what_it_stands_for),
        cmocka_unit_test(a_preset_that_is_not_there_is_named),
        cmocka_unit_test(a_preset_that_cannot_be_read_is_named),
        cmocka_unit_test(a_source_without_its_end_is_named),
    };

    return cmocka_run_group_tests(tests, checked_setup, checked_teardown);
}
