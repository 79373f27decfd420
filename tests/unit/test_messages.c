/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config_fixture.h"

#define WITH(sms)                                                                                                      \
    "mode: single\nsms:\n" sms "  endpoints:\n    single: {url: 'https://h/?to={{ number }}&text={{ message }}', "     \
    "method: GET}\n"

static void expect_message(const struct mfa_config *config, const char *user_data, const char *expected)
{
    json_t *variables = json_loads(user_data, 0, NULL);

    assert_non_null(variables);
    assert_int_equal(mfa_messages_add(&config->messages, variables), MFA_OK);
    assert_string_equal(json_string_value(json_object_get(variables, MFA_VARIABLE_MESSAGE)), expected);
    json_decref(variables);
}

static void the_language_of_the_user_chooses(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config,
                  WITH("  messages: {en: 'Code {{ code }}', fr: 'Le code {{ code }}', pt-BR: 'Código {{ code }}'}\n"),
                  "");
    expect_message(&config, "{\"language\": \"fr\"}", "Le code {{ code }}");
    expect_message(&config, "{\"language\": \"FR-ch\"}", "Le code {{ code }}");
    expect_message(&config, "{\"language\": \"fr_CH\"}", "Le code {{ code }}");
    expect_message(&config, "{\"language\": \"pt-br\"}", "Código {{ code }}");
    expect_message(&config, "{\"language\": \"pt\"}", "Code {{ code }}");
    expect_message(&config, "{\"language\": \"ja\"}", "Code {{ code }}");
    expect_message(&config, "{\"language\": \"\"}", "Code {{ code }}");
    expect_message(&config, "{\"language\": 7}", "Code {{ code }}");
    expect_message(&config, "{}", "Code {{ code }}");
    mfa_config_clear(&config);
}

static void a_message_of_the_users_own_wins(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, WITH("  messages: {en: 'Code {{ code }}'}\n  webOtpDomain: example.com\n"), "");
    expect_message(&config, "{\"message\": \"mine {{ code }}\"}", "mine {{ code }}");
    mfa_config_clear(&config);
}

static void with_a_domain_the_last_line_is_for_autofill(void **state)
{
    struct mfa_http_request *request = NULL;
    struct mfa_config config;

    (void)state;
    config_accept(&config, WITH("  messages: {en: 'Code {{ code }}'}\n  webOtpDomain: example.com\n"), "");
    expect_message(&config, "{}", "Code {{ code }}\n\n@example.com #{{ code }}");
    request = config_render(&config.single,
                            "{\"number\":\"1\",\"message\":\"Code {{ code }}\\n\\n@example.com #{{ code }}\"}");
    assert_string_equal(request->url_secret, "https://h/?to=1&text=Code%20123456%0A%0A%40example.com%20%23123456");
    mfa_http_request_free(request);
    mfa_config_clear(&config);
}

static void without_messages_nothing_is_added(void **state)
{
    struct mfa_config config;
    json_t *variables = json_object();

    (void)state;
    config_accept(&config, WITH(""), "");
    assert_int_equal(mfa_messages_add(&config.messages, variables), MFA_OK);
    assert_int_equal(json_object_size(variables), 0);
    json_decref(variables);
    mfa_config_clear(&config);
}

#define NO_LANGUAGE "is not a language: write its tag, such as en, fr or pt-BR\n"
#define NO_DOMAIN "must be the domain of the site that the code is typed into, in lower case: example.com\n"

static void what_is_wrong_with_a_message_is_said(void **state)
{
    (void)state;
    config_refuse(WITH("  messages: {en: 'Code'}\n"),
                  CONFIG_AT("sms.messages.en", 43) "must have {{ code }} where the code is to stand\n");
    config_refuse(WITH("  messages: {en: '{{ code }} {{ name }}'}\n"),
                  CONFIG_AT("sms.messages.en", 43) "can have no placeholder but {{ code }}\n");
    config_refuse(WITH("  messages: {en: '{{ code | digits }}'}\n"),
                  CONFIG_AT("sms.messages.en", 43) "can have no placeholder but {{ code }}\n");
    config_refuse(WITH("  messages: {e: '{{ code }}'}\n"), CONFIG_AT("sms.messages.e", 43) NO_LANGUAGE);
    config_refuse(WITH("  messages: {e_n: '{{ code }}'}\n"), CONFIG_AT("sms.messages.e_n", 43) NO_LANGUAGE);
    config_refuse(WITH("  messages: {en: 7}\n"),
                  CONFIG_AT("sms.messages.en", 43) "must be a string: put it in quotes\n");
    config_refuse(WITH("  messages: {}\n"), CONFIG_AT("sms.messages", 43) "must have at least one language\n");
    config_refuse(WITH("  messages: 'Code {{ code }}'\n"),
                  CONFIG_AT("sms.messages", 43) "must be a mapping (keys with values)\n");
    config_refuse(WITH("  webOtpDomain: example.com\n"),
                  CONFIG_AT("sms.webOtpDomain", 43) "needs messages beside it: its line is put at their end\n");
    config_refuse(WITH("  messages: {en: '{{ code }}'}\n  webOtpDomain: 'https://example.com'\n"),
                  CONFIG_AT("sms.webOtpDomain", 44) NO_DOMAIN);
    config_refuse(WITH("  messages: {en: '{{ code }}'}\n  webOtpDomain: ''\n"),
                  CONFIG_AT("sms.webOtpDomain", 44) NO_DOMAIN);
}

static void the_length_of_a_message_is_bounded(void **state)
{
    char section[4096], x[MFA_MESSAGE_MAX_LEN];
    const int most = MFA_MESSAGE_MAX_LEN - (int)strlen("{{ code }}");
    struct mfa_config config;

    (void)state;
    memset(x, 'x', sizeof x);
    snprintf(section, sizeof section, WITH("  messages: {en: '{{ code }}%.*s'}\n"), most, x);
    config_accept(&config, section, "");
    mfa_config_clear(&config);
    snprintf(section, sizeof section, WITH("  messages: {en: '{{ code }}%.*s'}\n"), most + 1, x);
    config_refuse(section, CONFIG_AT("sms.messages.en", 43) "is longer than 1600 bytes\n");
}

static void the_number_of_messages_is_bounded(void **state)
{
    char list[4096] = "", section[8192];
    struct mfa_config config;

    (void)state;
    for (int i = 0; i < MFA_MESSAGES_MAX; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "a%c-%d: '{{ code }}', ", 'a' + i % 26, i);
    snprintf(section, sizeof section, WITH("  messages: {%s}\n"), list);
    config_accept(&config, section, "");
    mfa_config_clear(&config);
    snprintf(section, sizeof section, WITH("  messages: {%szz: '{{ code }}'}\n"), list);
    config_refuse(section, CONFIG_AT("sms.messages.zz", 43) "is one message too many: at most 32 are kept\n");
}

static void the_length_of_a_language_and_of_a_domain_is_bounded(void **state)
{
    char section[1024], x[255];
    struct mfa_config config;

    (void)state;
    memset(x, 'x', sizeof x);
    snprintf(section, sizeof section, WITH("  messages: {%.35s: '{{ code }}'}\n  webOtpDomain: %.253s\n"), x, x);
    config_accept(&config, section, "");
    mfa_config_clear(&config);
    snprintf(section, sizeof section, WITH("  messages: {%.36s: '{{ code }}'}\n"), x);
    config_refuse(section, CONFIG_AT("sms.messages.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 43) NO_LANGUAGE);
    snprintf(section, sizeof section, WITH("  messages: {en: '{{ code }}'}\n  webOtpDomain: %.254s\n"), x);
    config_refuse(section, CONFIG_AT("sms.webOtpDomain", 44) NO_DOMAIN);
}

static void messages_that_nothing_uses_are_refused(void **state)
{
    (void)state;
    config_refuse(
        "mode: single\nsms:\n  messages: {en: '{{ code }}'}\n  endpoints:\n    single: {url: 'https://h/{{ code }}'}\n",
        CONFIG_AT("sms.messages", 43) "is not used: write {{ message }} where the endpoint has the text\n");
    config_refuse(
        "mode: challenge-verify\nsms:\n  messages: {en: '{{ code }}'}\n  endpoints:\n"
        "    challenge: {url: 'https://h/{{ message }}'}\n"
        "    verify: {url: 'https://h/{{ code }}', expect: {status: [200]}}\n",
        CONFIG_AT("sms.messages", 43) "is for mode \"single\": in \"challenge-verify\" the service writes the "
                                      "message\n");
}

static void messages_may_stay_where_mfa_is_switched_off(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, "mode: disabled\nsms:\n  messages: {en: '{{ code }}'}\n", "");
    mfa_config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_language_of_the_user_chooses),
        cmocka_unit_test(a_message_of_the_users_own_wins),
        cmocka_unit_test(with_a_domain_the_last_line_is_for_autofill),
        cmocka_unit_test(without_messages_nothing_is_added),
        cmocka_unit_test(what_is_wrong_with_a_message_is_said),
        cmocka_unit_test(the_length_of_a_message_is_bounded),
        cmocka_unit_test(the_number_of_messages_is_bounded),
        cmocka_unit_test(the_length_of_a_language_and_of_a_domain_is_bounded),
        cmocka_unit_test(messages_that_nothing_uses_are_refused),
        cmocka_unit_test(messages_may_stay_where_mfa_is_switched_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
