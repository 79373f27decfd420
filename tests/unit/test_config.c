/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config_fixture.h"

/* --- Helpers --------------------------------------------------------------------------------------------------- */

#define AT(key, line) CONFIG_AT(key, line)

#define NO_EXPECT(line)                                                                                                \
    "warning: " AT("sms.endpoints.verify",                                                                             \
                   line) "has no expect: a code is only accepted by a 2xx without a body, or with {}; if the service " \
                         "says yes otherwise, write down how, as in expect: {status: [200], json: {/status: "          \
                         "approved}}\n"
#define MUST_BE_MAPPING "must be a mapping (keys with values)\n"

/* --- The documented examples ----------------------------------------------------------------------------------- */

static const char skeleton[] = "mode: %s           # or: challenge-verify | disabled\n" /* 41 */
                               "sms:\n"
                               "  endpoints:\n"
                               "    # Define only the endpoints matching your chosen mode.\n"
                               "    single:\n" /* 45 */
                               "      url: ''\n"
                               "      method: POST\n"
                               "      body: ''\n"
                               "      headers: {}\n"
                               "    challenge:\n" /* 50 */
                               "      url: ''\n"
                               "      method: POST\n"
                               "      body: ''\n"
                               "      headers: {}\n"
                               "    verify:\n" /* 55 */
                               "      url: ''\n"
                               "      method: POST\n"
                               "      body: ''\n"
                               "      headers: {}\n"
                               "sessions:\n" /* 60 */
                               "  ttlSeconds: 1800\n";

static const char single[] =
    "mode: single\n"
    "sms:\n"
    "  endpoints:\n"
    "    single:\n"
    "      url: 'https://api.smsmode.com/http/1.6/"
    "sendSMS.do?accessToken=your-api-key&message={{ message }}&emetteur=Pryv%20Lab&numero={{ number }}'\n"
    "      method: 'GET'\n";

static const char challenge_verify[] = "mode: challenge-verify\n"
                                       "sms:\n"
                                       "  endpoints:\n"
                                       "    challenge:\n"
                                       "      url: 'https://api.smsapi.com/mfa/codes'\n"
                                       "      method: 'POST'\n"
                                       "      body: '{\"phone_number\":\"{{ number }}\"}'\n"
                                       "      headers:\n"
                                       "        authorization: 'Bearer: your-api-key'\n"
                                       "        'content-type': 'application/json'\n"
                                       "    verify:\n"
                                       "      url: 'https://api.smsapi.com/mfa/codes/verifications'\n"
                                       "      method: 'POST'\n"
                                       "      body: '{\"phone_number\":\"{{ number }}\",\"code\":\"{{ code }}\"}'\n"
                                       "      headers:\n"
                                       "        authorization: 'Bearer: your-api-key'\n"
                                       "        'content-type': 'application/json'\n";

static void the_skeleton_loads_disabled(void **state)
{
    struct mfa_config config;
    char text[1000];

    (void)state;
    (void)snprintf(text, sizeof text, skeleton, "disabled");
    config_accept(&config, text, "");
    assert_int_equal(config.mode, MFA_MODE_DISABLED);
    assert_null(config.single.url);
    assert_int_equal(config.policy.session_ttl_s, 1800);
    mfa_config_clear(&config);
}

static void the_skeleton_names_what_a_mode_lacks(void **state)
{
    char text[1000];

    (void)state;
    (void)snprintf(text, sizeof text, skeleton, "single");
    config_refuse(text, AT("sms.endpoints.single.url", 46) "must not be empty when mode is \"single\"\n");
    (void)snprintf(text, sizeof text, skeleton, "challenge-verify");
    config_refuse(text,
                  AT("sms.endpoints.challenge.url", 51) "must not be empty when mode is \"challenge-verify\"\n" AT(
                      "sms.endpoints.verify.url", 56) "must not be empty when mode is \"challenge-verify\"\n");
}

static void the_single_example_loads_to_the_letter(void **state)
{
    struct mfa_config config;
    struct mfa_http_request *request = NULL;

    (void)state;
    config_accept(&config, single, "");
    assert_int_equal(config.mode, MFA_MODE_SINGLE);
    assert_int_equal(config.single.method, MFA_HTTP_GET);
    request = config_render(&config.single, "{\"number\": \"41791231212\","
                                            " \"message\": \"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\"}");
    assert_string_equal(request->url_secret,
                        "https://api.smsmode.com/http/1.6/sendSMS.do?accessToken=your-api-key&message="
                        "Your%20Pryv%20Lab%20MFA%20code%20is%3A%20123456&emetteur=Pryv%20Lab&numero=41791231212");
    assert_null(request->body_secret);
    assert_int_equal(request->header_count, 0);
    mfa_http_request_free(request);
    mfa_config_clear(&config);
}

static void the_challenge_verify_example_loads_to_the_letter(void **state)
{
    struct mfa_config config;
    struct mfa_http_request *request = NULL;

    (void)state;
    config_accept(&config, challenge_verify, NO_EXPECT(51));
    assert_int_equal(config.mode, MFA_MODE_CHALLENGE_VERIFY);
    request = config_render(&config.challenge, "{\"number\": \"41791231212\"}");
    assert_string_equal(request->url_secret, "https://api.smsapi.com/mfa/codes");
    assert_int_equal(request->method, MFA_HTTP_POST);
    assert_string_equal(request->body_secret, "{\"phone_number\":\"41791231212\"}");
    mfa_http_request_free(request);
    request = config_render(&config.verify, "{\"number\": \"41791231212\"}");
    assert_string_equal(request->url_secret, "https://api.smsapi.com/mfa/codes/verifications");
    assert_string_equal(request->body_secret, "{\"phone_number\":\"41791231212\",\"code\":\"123456\"}");
    assert_int_equal(request->header_count, 2);
    assert_string_equal(request->header_secrets[0], "authorization: Bearer: your-api-key");
    assert_string_equal(request->header_secrets[1], "content-type: application/json");
    mfa_http_request_free(request);
    mfa_config_clear(&config);
}

static void the_endpoint_shape_example_loads_to_the_letter(void **state)
{
    struct mfa_config config;
    struct mfa_http_request *request = NULL;

    (void)state;
    config_accept(&config,
                  "mode: single\n"
                  "sms:\n"
                  "  endpoints:\n"
                  "    single:\n"
                  "      url: 'https://api.smsapi.com/mfa/codes?language={{ language }}'\n"
                  "      method: 'POST'\n"
                  "      body: '{\"phone\":\"{{ phone }}\"}'\n"
                  "      headers:\n"
                  "        authorization: 'Bearer: YOUR-COMMUNICATION-SERVER-API-KEY'\n"
                  "        'content-type': 'application/json'\n",
                  "");
    request = config_render(&config.single, "{\"language\": \"en\", \"phone\": \"41791231212\"}");
    assert_string_equal(request->url_secret, "https://api.smsapi.com/mfa/codes?language=en");
    assert_string_equal(request->body_secret, "{\"phone\":\"41791231212\"}");
    assert_string_equal(request->header_secrets[0], "authorization: Bearer: YOUR-COMMUNICATION-SERVER-API-KEY");
    mfa_http_request_free(request);
    mfa_config_clear(&config);
}

static void json_of_the_same_loads_too(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config,
                  "{\"mode\": \"single\", \"sms\": {\"endpoints\": {\"single\": {\"url\": \"https://h/{{ code }}\", "
                  "\"headers\": {\"a\": \"b\"}}}}, \"sessions\": {\"ttlSeconds\": 60}}",
                  "");
    assert_int_equal(config.mode, MFA_MODE_SINGLE);
    assert_int_equal(config.single.header_count, 1);
    assert_int_equal(config.policy.session_ttl_s, 60);
    mfa_config_clear(&config);
}

/* --- Mode ------------------------------------------------------------------------------------------------------ */

static void an_absent_section_is_disabled_with_the_defaults(void **state)
{
    static const char *const texts[] = {NULL, "", "# nothing\n", "~", "sms:\n", "{}"};
    struct mfa_config config;
    struct mfa_policy policy;

    (void)state;
    mfa_policy_init(&policy);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        config_accept(&config, texts[i], "");
        assert_int_equal(config.mode, MFA_MODE_DISABLED);
        assert_memory_equal(&config.policy, &policy, sizeof policy);
        assert_int_equal(config.single.timeout_ms, 10000);
        assert_int_equal(config.verify.connect_timeout_ms, 3000);
        mfa_config_clear(&config);
    }
}

static void a_mode_is_one_of_three_and_never_guessed(void **state)
{
    static const char *const texts[] = {"mode: sms", "mode: Single", "mode: off",   "mode: ''",
                                        "mode:",     "mode: ~",      "mode: false", "mode: [single]"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        config_refuse(texts[i], AT("mode", 41) "must be one of \"disabled\", \"single\", \"challenge-verify\"\n");
}

static void modes_have_names(void **state)
{
    (void)state;
    assert_string_equal(mfa_mode_name(MFA_MODE_DISABLED), "disabled");
    assert_string_equal(mfa_mode_name(MFA_MODE_SINGLE), "single");
    assert_string_equal(mfa_mode_name(MFA_MODE_CHALLENGE_VERIFY), "challenge-verify");
}

/* --- Structure ------------------------------------------------------------------------------------------------- */

/* Writes "a: {b: {c: value}}" for the key "a.b.c". */
static const char *nest(char text[static 100], const char *key, long long value)
{
    size_t len = 0;
    size_t depth = 0;

    for (const char *c = key; *c != '\0' && len < 80; c++) {
        text[len++] = *c == '.' ? ':' : *c;
        if (*c == '.') {
            text[len++] = ' ';
            text[len++] = '{';
            depth++;
        }
    }
    (void)snprintf(text + len, 100 - len, ": %lld%.*s", value, (int)depth, "}}}}");
    return text;
}

static void unknown_keys_are_refused_at_every_level(void **state)
{
    (void)state;
    config_refuse("Mode: single\n",
                  AT("Mode", 41) "is not a known key: those known here are \"mode\", \"sms\", \"sessions\", "
                                 "\"attempts\", \"stepUp\", \"recovery\", \"gateway\", \"presetsDirectory\"\n");
    /* clang-format off */
    config_refuse("sms:\n  endpoint: {}\n  endpoints:\n    singel: {}\n    single:\n      uri: ''\n"
                  "sessions:\n  ttl: 1\nattempts:\n  tries: {}\ngateway:\n  x: 1\n",
        AT("sms.endpoint", 42) "is not a known key: those known here are \"endpoints\", \"codeLength\", "
                               "\"codeTtlSeconds\", \"acceptPreviousCodes\", \"sendLimits\", \"messages\", "
                               "\"webOtpDomain\"\n"
        AT("sms.endpoints.singel", 44) "is not a known key: those known here are \"single\", \"challenge\", \"verify\", "
                                       "\"preset\", \"parameters\"\n"
        AT("sessions.ttl", 48) "is not a known key: those known here are \"ttlSeconds\", \"maxPending\", "
                               "\"maxPendingPerUser\"\n"
        AT("attempts.tries", 50) "is not a known key: those known here are \"perSession\", \"maxConsecutive\", "
                                 "\"perAccountWindowSeconds\", \"backoff\"\n"
        AT("gateway.x", 52) "is not a known key: those known here are \"maxInFlight\", \"maxPerHost\"\n"
        AT("sms.endpoints.single.uri", 46) "is not a known key: those known here are \"url\", \"method\", \"query\", "
            "\"body\", \"form\", \"headers\", \"auth\", \"sign\", \"timeoutMs\", \"connectTimeoutMs\", \"capture\", "
            "\"expect\", \"outcomes\", \"success\", \"retryAfter\", \"preset\", \"parameters\", \"fallback\"\n");
    /* clang-format on */
}

static void every_key_of_the_policy_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        const struct mfa_policy_limit *limit = &mfa_policy_limits[i];
        struct mfa_config config;
        char text[100];

        config_accept(&config, nest(text, limit->key, limit->fallback), "");
        mfa_config_clear(&config);
    }
}

static void repeated_keys_and_broken_yaml_are_refused(void **state)
{
    (void)state;
    config_refuse("mode: disabled\nmode: single\n", AT("mode", 42) "is there twice, first on line 41: keep one\n");
    config_refuse(
        "sms:\n  endpoints:\n    single:\n      headers:\n        a: b\n        a: c\n",
        AT("sms.endpoints.single.headers.a", 46) "is there twice, first on line 45: keep one\n" AT(
            "sms.endpoints.single.headers.a", 46) "is there twice, whatever the case of its letters: keep one\n");
    config_refuse("mode: single\n  sms: x\n",
                  "services.mfa (override-config.yml:42): is not valid YAML: mapping values are not allowed in this "
                  "context\n");
}

static void mappings_must_be_mappings(void **state)
{
    (void)state;
    config_refuse("sms: ''\nsessions: 5\nattempts: []\ngateway: x\n",
                  AT("sms", 41) MUST_BE_MAPPING AT("sessions", 42) MUST_BE_MAPPING AT("attempts", 43)
                      MUST_BE_MAPPING AT("gateway", 44) MUST_BE_MAPPING);
    config_refuse("sms:\n  endpoints: []\n", AT("sms.endpoints", 42) MUST_BE_MAPPING);
    config_refuse("sms:\n  endpoints:\n    single: ''\n", AT("sms.endpoints.single", 43) MUST_BE_MAPPING);
    config_refuse("sms: {endpoints: {single: {headers: []}}}\n",
                  AT("sms.endpoints.single.headers", 41) MUST_BE_MAPPING);
}

static void null_is_not_set_where_text_and_mappings_stand(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(
        &config,
        "mode: single\nsms:\n  endpoints:\n    single:\n      url: http://localhost/?m={{ message }}\n      method:\n"
        "      body: ~\n      headers:\n    verify:\nsessions:\n",
        "");
    assert_int_equal(config.single.method, MFA_HTTP_POST);
    assert_null(config.single.body);
    mfa_config_clear(&config);
    config_refuse("sessions: {ttlSeconds: }\n",
                  AT("sessions.ttlSeconds", 41) "must be a whole number, without quotes\n");
}

/* --- Numbers --------------------------------------------------------------------------------------------------- */

static uint32_t member_of(const struct mfa_policy *policy, const struct mfa_policy_limit *limit)
{
    uint32_t value = 0;

    memcpy(&value, (const char *)policy + limit->offset, sizeof value);
    return value;
}

static void numbers_are_taken_from_one_end_of_their_range_to_the_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        const struct mfa_policy_limit *limit = &mfa_policy_limits[i];
        const uint32_t ends[] = {limit->min, limit->max};

        for (size_t j = 0; j < 2; j++) {
            struct mfa_config config;
            struct config_log log;
            char text[100];

            assert_int_equal(config_read(&config, nest(text, limit->key, ends[j]), &log), MFA_OK);
            assert_int_equal(member_of(&config.policy, limit), ends[j]);
            mfa_config_clear(&config);
        }
    }
}

static void numbers_outside_their_range_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        const struct mfa_policy_limit *limit = &mfa_policy_limits[i];
        const long long others[] = {-1, (long long)limit->max + 1, (1LL << 32) + limit->min, INT64_MAX};
        char expected[200];
        char text[100];

        (void)snprintf(expected, sizeof expected, "services.mfa.%s (override-config.yml:41): must be from %u to %u%s\n",
                       limit->key, limit->min, limit->max,
                       limit->zero_means == NULL ? "" : ", or 0 to switch the limit off");
        for (size_t j = 0; j < sizeof others / sizeof others[0]; j++)
            config_refuse(nest(text, limit->key, others[j]), expected);
        if (limit->min > 1)
            config_refuse(nest(text, limit->key, limit->min - 1), expected);
        if (limit->min > 0 && limit->zero_means == NULL)
            config_refuse(nest(text, limit->key, 0), expected);
    }
}

static void zero_switches_a_limit_off_and_warns_once(void **state)
{
    size_t off_count = 0;

    (void)state;
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        const struct mfa_policy_limit *limit = &mfa_policy_limits[i];
        struct mfa_config config;
        char expected[300];
        char text[100];

        if (limit->zero_means == NULL)
            continue;
        off_count++;
        (void)snprintf(expected, sizeof expected, "warning: services.mfa.%s (override-config.yml:41): is 0: %s\n",
                       limit->key, limit->zero_means);
        config_accept(&config, nest(text, limit->key, 0), expected);
        assert_int_equal(member_of(&config.policy, limit), 0);
        mfa_config_clear(&config);
    }
    assert_int_equal(off_count, 10);
}

static void not_accepting_previous_codes_is_no_warning(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, "sms: {acceptPreviousCodes: 0}", "");
    assert_int_equal(config.policy.accept_previous_codes, 0);
    mfa_config_clear(&config);
}

static void a_process_without_a_limit_of_messages_is_no_warning(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, "sms: {sendLimits: {perDay: 0}}", "");
    assert_int_equal(config.policy.sends_per_day, 0);
    mfa_config_clear(&config);
}

static void short_codes_are_warned_of(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, "sms: {codeLength: 5}",
                  "warning: " AT("sms.codeLength", 41) "is below 6, the least that NIST SP 800-63B-4, 3.1.3 allows\n");
    mfa_config_clear(&config);
    config_accept(&config, "sms: {codeLength: 6}", "");
    mfa_config_clear(&config);
}

static void a_code_lives_no_longer_than_its_session(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, "sessions: {ttlSeconds: 300}", "");
    assert_int_equal(config.policy.code_ttl_s, 300);
    mfa_config_clear(&config);
    config_accept(&config, "sessions: {ttlSeconds: 300}\nsms: {codeTtlSeconds: 300}", "");
    assert_int_equal(config.policy.code_ttl_s, 300);
    mfa_config_clear(&config);
    config_refuse("sessions: {ttlSeconds: 300}\nsms: {codeTtlSeconds: x}",
                  AT("sms.codeTtlSeconds", 42) "must be a whole number, without quotes\n");
    config_refuse("sessions: {ttlSeconds: 300}\nsms: {codeTtlSeconds: 301}",
                  AT("sms.codeTtlSeconds", 42) "must not be above sessions.ttlSeconds: a code ends with its session\n");
}

static void time_outs_belong_to_an_endpoint(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, "sms: {endpoints: {single: {timeoutMs: 100, connectTimeoutMs: 60000}}}", "");
    assert_int_equal(config.single.timeout_ms, 100);
    assert_int_equal(config.single.connect_timeout_ms, 60000);
    assert_int_equal(config.verify.timeout_ms, 10000);
    assert_int_equal(config.verify.connect_timeout_ms, 3000);
    mfa_config_clear(&config);
    config_refuse("sms: {endpoints: {verify: {timeoutMs: 0, connectTimeoutMs: 49}}}",
                  AT("sms.endpoints.verify.timeoutMs", 41) "must be from 100 to 60000\n" AT(
                      "sms.endpoints.verify.connectTimeoutMs", 41) "must be from 50 to 60000\n");
}

/* --- Endpoints ------------------------------------------------------------------------------------------------- */

static void a_missing_endpoint_is_named_with_the_nearest_line(void **state)
{
    (void)state;
    config_refuse("# a comment\nmode: single\n",
                  AT("sms.endpoints.single.url", 42) "must be set when mode is \"single\"\n");
    config_refuse("mode: challenge-verify\nsms:\n  endpoints:\n    challenge: {url: 'https://h/'}\n",
                  AT("sms.endpoints.verify.url", 43) "must be set when mode is \"challenge-verify\"\n");
    config_refuse("mode: challenge-verify\nsms:\n  endpoints:\n    challenge: {}\n    verify:\n",
                  AT("sms.endpoints.challenge.url", 44) "must be set when mode is \"challenge-verify\"\n" AT(
                      "sms.endpoints.verify.url", 45) "must be set when mode is \"challenge-verify\"\n");
    config_refuse("mode: single\nsms:\n", AT("sms.endpoints.single.url", 42) "must be set when mode is \"single\"\n");
}

static void a_template_without_quotes_says_so(void **state)
{
    (void)state;
    config_refuse("sms: {endpoints: {single: {url: 'https://h/', headers: {a: {{ code }}}}}}",
                  AT("sms.endpoints.single.headers.a", 41) "has a key that is not text: a value with {{ }} must be in "
                                                           "quotes\n");
}

static void every_problem_is_reported_and_no_value(void **state)
{
    (void)state;
    /* clang-format off */
    config_refuse(
        "mode: single\n"
        "sms:\n"
        "  codeLength: '6'\n"
        "  endpoints:\n"
        "    single:\n"
        "      url: 'https://secret{{ x }}/'\n"
        "      method: HEAD\n"
        "      body: '{\"a\": secret}'\n"
        "      headers:\n"
        "        host: secret\n"
        "        a: 12345\n"
        "        b: \"secret\\n\"\n"
        "    verify:\n"
        "      url: secret\n"
        "      body: '{{ secret | digit }}'\n",
        AT("sms.codeLength", 43) "must be a whole number, without quotes\n"
        AT("sms.endpoints.single.method", 47) "must be one of \"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"\n"
        AT("sms.endpoints.single.headers.host", 50) "is set by the HTTP client itself: remove it\n"
        AT("sms.endpoints.single.headers.a", 51) "must be a string: put it in quotes\n"
        AT("sms.endpoints.single.headers.b", 52) "has a character that a header cannot carry: only printable ASCII and "
                                                 "spaces can stand here\n"
        AT("sms.endpoints.single.url", 46) "has a variable before the path: user data must not choose whom the request "
                                           "goes to\n"
        AT("sms.endpoints.single.body", 48) "is read as JSON (because of its content-type, or else its first character) "
                                            "and is not valid JSON\n"
        AT("sms.endpoints.verify.url", 54) "must begin with http:// or https://\n"
        AT("sms.endpoints.verify.body", 55) "has an unknown filter behind the name of a variable: those known are digits, "
                                            "e164, urlencode, json, xml, base64, lower and raw\n");
    /* clang-format on */
}

static void an_endpoint_nobody_needs_is_still_checked_for_syntax(void **state)
{
    struct mfa_config config;

    (void)state;
    config_refuse("sms: {endpoints: {single: {url: 'https://h/{{ }}'}}}",
                  AT("sms.endpoints.single.url", 41) "has \"{{\" without the name of a variable behind it (a letter or "
                                                     "_, then at most 63 letters, digits, _ . -)\n");
    config_accept(&config, "sms: {endpoints: {single: {url: 'http://h.example/', body: x}}}", "");
    assert_non_null(config.single.url);
    mfa_config_clear(&config);
}

static void get_has_no_body(void **state)
{
    struct mfa_config config;

    (void)state;
    config_refuse("sms:\n  endpoints:\n    single:\n      url: 'https://h/'\n      body: x\n      method: GET\n",
                  AT("sms.endpoints.single.body", 45) "must be empty when method is \"GET\": move its values into the "
                                                      "url, or use \"POST\"\n");
    config_accept(&config, "sms: {endpoints: {single: {url: 'https://h/', body: '', method: GET}}}", "");
    mfa_config_clear(&config);
}

static void a_method_left_out_is_post(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, "mode: single\nsms: {endpoints: {single: {url: 'https://h/{{ code }}'}}}", "");
    assert_int_equal(config.single.method, MFA_HTTP_POST);
    mfa_config_clear(&config);
}

static void headers_come_before_the_body_wherever_they_stand(void **state)
{
    struct mfa_config config;
    struct mfa_http_request *request = NULL;

    (void)state;
    config_accept(&config,
                  "sms: {endpoints: {single: {url: 'https://h/', body: '{{ x }}', "
                  "headers: {Content-Type: application/xml}}}}",
                  "");
    request = config_render(&config.single, "{\"x\": \"<\"}");
    assert_string_equal(request->body_secret, "&lt;");
    mfa_http_request_free(request);
    mfa_config_clear(&config);
}

static void plain_http_to_another_machine_is_warned_of(void **state)
{
    static const char expected[] =
        "warning: " AT("sms.endpoints.single.url", 42) "is plain http: credentials, "
                                                       "destinations and codes travel in clear; use https\n";
    static const char *const local[] = {"http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:80/",
                                        "https://h.example/"};
    static const char *const remote[] = {"http://h.example/x", "http://10.0.0.1/", "HTTP://127.0.0.1.example/"};
    struct mfa_config config;
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        (void)snprintf(text, sizeof text, "mode: single\nsms: {endpoints: {single: {url: '%s', body: '{{ code }}'}}}",
                       local[i]);
        config_accept(&config, text, "");
        mfa_config_clear(&config);
    }
    for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++) {
        (void)snprintf(text, sizeof text, "mode: single\nsms: {endpoints: {single: {url: '%s', body: '{{ code }}'}}}",
                       remote[i]);
        config_accept(&config, text, expected);
        mfa_config_clear(&config);
    }
}

static void code_stands_where_challenge_verify_has_one(void **state)
{
    struct mfa_config config;

    (void)state;
    config_refuse("mode: challenge-verify\nsms:\n  endpoints:\n    challenge: {url: 'https://h/?c={{ code }}'}\n"
                  "    verify: {url: 'https://h/{{ number }}', body: '{{ Code }}'}\n",
                  AT("sms.endpoints.challenge",
                     44) "must not use {{ code }}: the service makes the code, and it does "
                         "not exist yet\n" AT("sms.endpoints.verify",
                                              45) "must use {{ code }} in url, body or a header: without it any code "
                                                  "would be accepted\n" NO_EXPECT(45));
    config_accept(&config,
                  "mode: challenge-verify\nsms:\n  endpoints:\n    challenge: {url: 'https://h/'}\n"
                  "    verify: {url: 'https://h/', headers: {x-code: '{{ code }}'}}\n",
                  NO_EXPECT(45));
    mfa_config_clear(&config);
    config_accept(&config, "sms: {endpoints: {challenge: {url: 'https://h/{{ code }}'}, verify: {url: 'https://h/'}}}",
                  "");
    mfa_config_clear(&config);
}

static void a_message_that_cannot_carry_a_code_is_warned_of(void **state)
{
    static const char expected[] =
        "warning: " AT("sms.endpoints.single", 42) "has no {{ code }}, nor a variable that "
                                                   "could hold it: no user will get a code\n";
    struct mfa_config config;

    (void)state;
    config_accept(&config,
                  "mode: single\nsms: {endpoints: {single: {url: 'https://h/?to={{ number }}&n={{ nonce }}'}}}",
                  expected);
    mfa_config_clear(&config);
    config_accept(&config, "mode: single\nsms: {endpoints: {single: {url: 'https://h/?m={{ message }}'}}}", "");
    mfa_config_clear(&config);
}

#define TAKES_RESTART " without a restart; put it back, or restart\n"

static void mfa_is_turned_on_or_off_by_a_restart_only(void **state)
{
    struct mfa_config disabled, enabled;

    (void)state;
    config_accept(&disabled, "mode: disabled\n", "");
    config_accept(&enabled, single, "");
    config_refuse_in_place_of(&disabled, single,
                              AT("mode", 41) "cannot change from \"disabled\" to \"single\"" TAKES_RESTART);
    config_refuse_in_place_of(&enabled, "sms: {}\nmode: disabled\n",
                              AT("mode", 42) "cannot change from \"single\" to \"disabled\"" TAKES_RESTART);
    config_refuse_in_place_of(&enabled, NULL,
                              AT("mode", 41) "cannot change from \"single\" to \"disabled\"" TAKES_RESTART);
    config_refuse_in_place_of(&enabled, "mode: nonsense\n",
                              AT("mode", 41) "must be one of \"disabled\", \"single\", \"challenge-verify\"\n");
    mfa_config_clear(&enabled);
    mfa_config_clear(&disabled);
}

static void clearing_is_idempotent(void **state)
{
    static const struct mfa_config zeroed;
    struct mfa_config config;

    (void)state;
    config_accept(&config, challenge_verify, NO_EXPECT(51));
    mfa_config_clear(&config);
    assert_memory_equal(&config, &zeroed, sizeof config);
    mfa_config_clear(&config);
}

static void a_step_up_that_is_not_required_is_warned_of(void **state)
{
    static const char enabled[] =
        "mode: single\nsms: {endpoints: {single: {url: 'https://a.example/{{ number }}', method: GET}}}\n";
    char text[512];
    struct mfa_config config;
    struct config_log log;

    (void)state;
    assert_int_equal(config_read(&config, enabled, &log), MFA_OK);
    assert_int_equal(log.step_up_warnings, 1);
    assert_false(config.step_up_is_required);
    mfa_config_clear(&config);
    (void)snprintf(text, sizeof text, "%sstepUp: {required: true}\nrecovery: {mode: consume}\n", enabled);
    assert_int_equal(config_read(&config, text, &log), MFA_OK);
    assert_int_equal(log.step_up_warnings, 0);
    assert_true(config.step_up_is_required);
    assert_int_equal(config.recovery_mode, MFA_RECOVERY_CONSUME);
    mfa_config_clear(&config);
    assert_int_equal(config_read(&config, "mode: disabled\n", &log), MFA_OK);
    assert_int_equal(log.step_up_warnings, 0);
    config_refuse("stepUp: {required: perhaps}\nrecovery: {mode: never}\n",
                  "services.mfa.recovery.mode (override-config.yml:42): must be one of \"deactivate\", \"consume\"\n"
                  "services.mfa.stepUp.required (override-config.yml:41): must be one of \"false\", \"true\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_skeleton_loads_disabled),
        cmocka_unit_test(the_skeleton_names_what_a_mode_lacks),
        cmocka_unit_test(the_single_example_loads_to_the_letter),
        cmocka_unit_test(the_challenge_verify_example_loads_to_the_letter),
        cmocka_unit_test(the_endpoint_shape_example_loads_to_the_letter),
        cmocka_unit_test(json_of_the_same_loads_too),
        cmocka_unit_test(an_absent_section_is_disabled_with_the_defaults),
        cmocka_unit_test(a_mode_is_one_of_three_and_never_guessed),
        cmocka_unit_test(modes_have_names),
        cmocka_unit_test(unknown_keys_are_refused_at_every_level),
        cmocka_unit_test(every_key_of_the_policy_is_known),
        cmocka_unit_test(repeated_keys_and_broken_yaml_are_refused),
        cmocka_unit_test(mappings_must_be_mappings),
        cmocka_unit_test(null_is_not_set_where_text_and_mappings_stand),
        cmocka_unit_test(numbers_are_taken_from_one_end_of_their_range_to_the_other),
        cmocka_unit_test(numbers_outside_their_range_are_refused),
        cmocka_unit_test(zero_switches_a_limit_off_and_warns_once),
        cmocka_unit_test(not_accepting_previous_codes_is_no_warning),
        cmocka_unit_test(a_process_without_a_limit_of_messages_is_no_warning),
        cmocka_unit_test(short_codes_are_warned_of),
        cmocka_unit_test(a_code_lives_no_longer_than_its_session),
        cmocka_unit_test(time_outs_belong_to_an_endpoint),
        cmocka_unit_test(a_missing_endpoint_is_named_with_the_nearest_line),
        cmocka_unit_test(a_template_without_quotes_says_so),
        cmocka_unit_test(every_problem_is_reported_and_no_value),
        cmocka_unit_test(an_endpoint_nobody_needs_is_still_checked_for_syntax),
        cmocka_unit_test(get_has_no_body),
        cmocka_unit_test(a_method_left_out_is_post),
        cmocka_unit_test(headers_come_before_the_body_wherever_they_stand),
        cmocka_unit_test(plain_http_to_another_machine_is_warned_of),
        cmocka_unit_test(code_stands_where_challenge_verify_has_one),
        cmocka_unit_test(a_message_that_cannot_carry_a_code_is_warned_of),
        cmocka_unit_test(mfa_is_turned_on_or_off_by_a_restart_only),
        cmocka_unit_test(clearing_is_idempotent),
        cmocka_unit_test(a_step_up_that_is_not_required_is_warned_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
