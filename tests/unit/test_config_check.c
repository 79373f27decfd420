/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "config_fixture.h"

#define CHALLENGE(line) CONFIG_AT("sms.endpoints.challenge", line)
#define VERIFY(line) CONFIG_AT("sms.endpoints.verify", line)
#define SINGLE(line) CONFIG_AT("sms.endpoints.single", line)

#define NO_CODE "must use {{ code }} in url, body or a header: without it any code would be accepted\n"
#define EARLY_CODE "must not use {{ code }}: the service makes the code, and it does not exist yet\n"
#define EARLY_CAPTURE "must not use {{ id }}: a challenge's answer gives it, and only verify can use it\n"
#define NO_EXPECT                                                                                                      \
    "has no expect: a code is only accepted by a 2xx without a body, or with {}; if the service says yes otherwise, "  \
    "write down how, as in expect: {status: [200], json: {/status: approved}}\n"
#define NOTHING_TO_CAPTURE "cannot capture anything: only what a challenge answers is used, by verify\n"

/* What a verify must have at least. */
#define RIGHT "url: 'https://v/?c={{ code }}', expect: {status: [200]}"

/* A section in which both endpoints are on lines of their own, 44 and 45. Borrowed until the next one. */
static const char *pair(const char *challenge, const char *verify)
{
    static char text[4000];

    (void)snprintf(text, sizeof text,
                   "mode: challenge-verify\nsms:\n  endpoints:\n    challenge: {%s}\n    verify: {%s}\n", challenge,
                   verify);
    return text;
}

static void accept_with(const char *challenge, const char *verify, const char *expected_log)
{
    struct mfa_config config;

    config_accept(&config, pair(challenge, verify), expected_log);
    mfa_config_clear(&config);
}

static void accept(const char *challenge, const char *verify)
{
    accept_with(challenge, verify, "");
}

static void refuse(const char *challenge, const char *verify, const char *expected)
{
    config_refuse(pair(challenge, verify), expected);
}

/* --- The code ---------------------------------------------------------------------------------------------------- */

static void a_challenge_cannot_know_the_code(void **state)
{
    static const char *const challenges[] = {
        "url: 'https://c/{{ code }}'",
        "url: 'https://c/', query: {c: '{{ code }}'}",
        "url: 'https://c/', headers: {c: '{{ code }}'}",
        "url: 'https://c/', form: {c: '{{ code | base64 }}'}",
        "url: 'https://c/', body: {c: ['x{{ code }}']}",
        "url: 'https://c/', expect: {json: {/code: '{{ code }}'}}",
        "url: 'https://c/', outcomes: [{when: {json: {'/{{ code }}': 1}}, is: error}]"};

    (void)state;
    for (size_t i = 0; i < sizeof challenges / sizeof challenges[0]; i++)
        refuse(challenges[i], RIGHT, CHALLENGE(44) EARLY_CODE);
}

static void a_verify_sends_the_code(void **state)
{
    static const char *const wrong[] = {
        "url: 'https://v/', expect: {status: [200]}",
        "url: 'https://v/{{ codes }}', body: {a: '{{ Code }}'}, expect: {status: [200]}",
        "url: 'https://v/', expect: {json: {/code: '{{ code }}'}}"};
    static const char *const right[] = {"url: 'https://v/{{ code }}', expect: {status: [200]}",
                                        "url: 'https://v/', query: {a: '{{ code }}'}, expect: {status: [200]}",
                                        "url: 'https://v/', headers: {a: '{{ code }}'}, expect: {status: [200]}",
                                        "url: 'https://v/', form: {a: '{{ code }}'}, expect: {status: [200]}"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuse("url: 'https://c/'", wrong[i], VERIFY(45) NO_CODE);
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        accept("url: 'https://c/'", right[i]);
}

/* --- Captures ---------------------------------------------------------------------------------------------------- */

static void what_is_captured_is_used(void **state)
{
    static const char challenge[] = "url: 'https://c/', capture: {id: /id}";
    static const char *const users[] = {
        "url: 'https://v/{{ id }}?c={{ code }}', expect: {status: [200]}",
        "url: 'https://v/?c={{ code }}', body: {i: '{{ id }}'}, expect: {status: [200]}",
        "url: 'https://v/?c={{ code }}', headers: {i: '{{ id }}'}, expect: {status: [200]}",
        "url: 'https://v/?c={{ code }}', expect: {json: {/id: '{{ id }}'}}",
        "url: 'https://v/?c={{ code }}', expect: {json: {'/{{ id }}/status': ok}}",
        "url: 'https://v/?c={{ code }}', outcomes: [{when: {json: {/a: {not: '{{ id }}'}}}, is: accepted}]"};

    (void)state;
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
        accept(challenge, users[i]);
    refuse(challenge, RIGHT, CHALLENGE(44) "captures id, which no template of verify uses: use it or remove it\n");
    refuse("url: 'https://c/', capture: {id: /id, other: 'header:X-Other', more: /more}",
           "url: 'https://v/{{ id }}?c={{ code }}', expect: {status: [200]}",
           CHALLENGE(44) "captures other, which no template of verify uses: use it or remove it\n" CHALLENGE(
               44) "captures more, which no template of verify uses: use it or remove it\n");
}

static void only_a_challenge_captures(void **state)
{
    struct mfa_config config;

    (void)state;
    refuse("url: 'https://c/'", RIGHT ", capture: {id: /id}", VERIFY(45) NOTHING_TO_CAPTURE);
    refuse("url: 'https://c/', fallback: [{url: 'https://d/'}]",
           RIGHT ", fallback: [{" RIGHT ", capture: {id: /id, more: /more}}]",
           CONFIG_AT("sms.endpoints.verify.fallback[0]", 45) NOTHING_TO_CAPTURE);
    config_refuse("mode: single\nsms:\n  endpoints:\n    single: {url: 'https://s/{{ code }}', capture: {id: /id}}\n",
                  SINGLE(44) NOTHING_TO_CAPTURE);
    config_accept(&config, "sms: {endpoints: {challenge: {url: 'https://c/', capture: {id: /id}}}}", "");
    mfa_config_clear(&config);
}

static void each_verify_uses_what_its_own_challenge_captures(void **state)
{
    static const char with_id[] = "url: 'https://v/{{ id }}?c={{ code }}', expect: {status: [200]}";
    char challenge[300];
    char verify[300];

    (void)state;
    (void)snprintf(verify, sizeof verify, "%s, fallback: [{%s}]", with_id, with_id);
    accept("url: 'https://c/', capture: {id: /id}, fallback: [{url: 'https://d/', capture: {id: 'header:Id'}}]",
           verify);
    refuse("url: 'https://c/', capture: {id: /id}, fallback: [{url: 'https://d/'}]", verify,
           CONFIG_AT("sms.endpoints.verify.fallback[0]",
                     45) "uses {{ id }}, which the challenge it belongs to does not capture\n");
    refuse("url: 'https://c/', fallback: [{url: 'https://d/', capture: {id: /id}}]", verify,
           VERIFY(45) "uses {{ id }}, which the challenge it belongs to does not capture\n");
    (void)snprintf(challenge, sizeof challenge,
                   "url: 'https://c/', capture: {id: /id}, fallback: [{url: 'https://d/', "
                   "capture: {other: /id}}]");
    (void)snprintf(verify, sizeof verify, "%s, fallback: [{" RIGHT "}]", with_id);
    refuse(challenge, verify,
           CONFIG_AT("sms.endpoints.challenge.fallback[0]",
                     44) "captures other, which no template of verify uses: use it or remove it\n");
}

/* A variable of the user data by that name would not be sent, nor believed. */
static void no_challenge_uses_what_is_captured(void **state)
{
    static const char with_id[] = "url: 'https://v/{{ id }}?c={{ code }}', expect: {status: [200]}";
    static const char *const challenges[] = {
        "url: 'https://c/{{ id }}', capture: {id: /id}",
        "url: 'https://c/', headers: {i: '{{ id }}'}, capture: {id: /id}",
        "url: 'https://c/', capture: {id: /id}, expect: {json: {/id: '{{ id }}'}}",
        "url: 'https://c/', capture: {id: /id}, outcomes: [{when: {json: {'/{{ id }}': 1}}, is: error}]",
    };
    char verify[300];

    (void)state;
    for (size_t i = 0; i < sizeof challenges / sizeof challenges[0]; i++)
        refuse(challenges[i], with_id, CHALLENGE(44) EARLY_CAPTURE);
    (void)snprintf(verify, sizeof verify, "%s, fallback: [{" RIGHT "}]", with_id);
    refuse("url: 'https://c/', capture: {id: /id}, fallback: [{url: 'https://d/{{ id }}'}]", verify,
           CONFIG_AT("sms.endpoints.challenge.fallback[0]", 44) EARLY_CAPTURE);
}

static void what_nobody_captures_is_the_users_own(void **state)
{
    (void)state;
    accept("url: 'https://c/{{ phone }}'",
           "url: 'https://v/{{ phone }}/{{ nonce }}?c={{ code }}', expect: {status: [200]}");
}

/* --- Expectations ------------------------------------------------------------------------------------------------ */

static void a_verify_that_does_not_say_what_is_accepted_is_warned_of(void **state)
{
    static const char *const silent[] = {
        "url: 'https://v/?c={{ code }}'",
        "url: 'https://v/?c={{ code }}', outcomes: [{when: {status: [404]}, is: expired}]",
        "url: 'https://v/?c={{ code }}', retryAfter: /wait",
    };
    static const char *const clear[] = {
        RIGHT,
        "url: 'https://v/?c={{ code }}', expect: {empty: true}",
        "url: 'https://v/?c={{ code }}', success: {jsonPath: status, equals: ok}",
        "url: 'https://v/?c={{ code }}', outcomes: [{when: {text: ok}, is: accepted}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        accept_with("url: 'https://c/'", silent[i], "warning: " VERIFY(45) NO_EXPECT);
    for (size_t i = 0; i < sizeof clear / sizeof clear[0]; i++)
        accept("url: 'https://c/'", clear[i]);
    accept_with("url: 'https://c/', fallback: [{url: 'https://d/'}]",
                RIGHT ", fallback: [{url: 'https://w/?c={{ code }}'}]",
                "warning: " CONFIG_AT("sms.endpoints.verify.fallback[0]", 45) NO_EXPECT);
}

/* --- Fallbacks --------------------------------------------------------------------------------------------------- */

static void who_sent_a_code_is_asked_to_check_it(void **state)
{
    static const char many[] = "must have as many entries as the other's: who sent a code is asked to check it\n";
    char expected[300];

    (void)state;
    accept("url: 'https://c/', fallback: [{url: 'https://d/'}]", RIGHT ", fallback: [{" RIGHT "}]");
    (void)snprintf(expected, sizeof expected, CONFIG_AT("sms.endpoints.verify.fallback", 45) "%s", many);
    refuse("url: 'https://c/', fallback: [{url: 'https://d/'}]", RIGHT, expected);
    refuse("url: 'https://c/', fallback: [{url: 'https://d/'}, {url: 'https://e/'}]", RIGHT ", fallback: [{" RIGHT "}]",
           expected);
    (void)snprintf(expected, sizeof expected, CONFIG_AT("sms.endpoints.challenge.fallback", 44) "%s", many);
    refuse("url: 'https://c/'", RIGHT ", fallback: [{" RIGHT "}]", expected);
}

static void a_fallback_is_held_to_the_same(void **state)
{
    (void)state;
    refuse("url: 'https://c/', fallback: [{url: 'https://d/'}, {url: 'https://e/{{ code }}'}]",
           RIGHT ", fallback: [{" RIGHT "}, {url: 'https://w/', expect: {status: [200]}}]",
           CONFIG_AT("sms.endpoints.challenge.fallback[1]", 44)
               EARLY_CODE CONFIG_AT("sms.endpoints.verify.fallback[1]", 45) NO_CODE);
}

static void a_problem_of_a_fallback_has_its_own_line(void **state)
{
    static const char text[] = "mode: single\n"
                               "sms:\n"
                               "  endpoints:\n"
                               "    single:\n"
                               "      url: 'https://s/{{ phone }}/{{ code }}'\n"
                               "      fallback:\n"
                               "        - url: 'https://t/{{ phone }}/{{ code }}'\n"
                               "        - url: 'https://u/{{ number }}/{{ code }}'\n";

    (void)state;
    config_refuse(text, CONFIG_AT("sms.endpoints.single.fallback[1]",
                                  48) "sends to {{ number }}, and the endpoint it stands in for does not: the limits "
                                      "count only where that one sends\n");
}

/* --- Single ------------------------------------------------------------------------------------------------------ */

static void a_message_without_a_code_is_warned_of(void **state)
{
    static const char warning[] = "has no {{ code }}, nor a variable that could hold it: no user will get a code\n";
    struct mfa_config config;
    char expected[600];

    (void)state;
    (void)snprintf(expected, sizeof expected,
                   "warning: " SINGLE(44) "%swarning: " CONFIG_AT("sms.endpoints.single.fallback[1]", 44) "%s", warning,
                   warning);
    config_accept(
        &config,
        "mode: single\nsms:\n  endpoints:\n"
        "    single: {url: 'https://s/{{ phone }}', fallback: [{url: 'https://t/{{ code }}'}, {url: 'https://u/'}]}",
        expected);
    mfa_config_clear(&config);
}

static void a_fallback_sends_where_the_limits_count(void **state)
{
    struct mfa_config config;

    (void)state;
    config_refuse(
        "mode: single\nsms:\n  endpoints:\n"
        "    single: {url: 'https://s/{{ phone }}/{{ code }}', fallback: [{url: 'https://t/{{ number }}/{{ code }}'}]}",
        CONFIG_AT("sms.endpoints.single.fallback[0]",
                  44) "sends to {{ number }}, and the endpoint it stands in for does not: the limits count only "
                      "where that one sends\n");
    config_accept(
        &config,
        "mode: single\nsms:\n  endpoints:\n"
        "    single: {url: 'https://s/{{ phone }}/{{ code }}', fallback: [{url: 'https://t/{{ phone | digits }}/{{ "
        "code }}'}, {url: 'https://u/{{ chatId }}/{{ code }}'}]}",
        "");
    mfa_config_clear(&config);
}

static void endpoints_of_another_mode_are_not_held_together(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config,
                  "mode: single\nsms:\n  endpoints:\n    single: {url: 'https://s/{{ code }}'}\n"
                  "    challenge: {url: 'https://c/{{ code }}', capture: {id: /id}, fallback: [{url: 'https://d/'}]}\n"
                  "    verify: {url: 'https://v/'}\n",
                  "");
    mfa_config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_challenge_cannot_know_the_code),
        cmocka_unit_test(a_verify_sends_the_code),
        cmocka_unit_test(what_is_captured_is_used),
        cmocka_unit_test(only_a_challenge_captures),
        cmocka_unit_test(each_verify_uses_what_its_own_challenge_captures),
        cmocka_unit_test(no_challenge_uses_what_is_captured),
        cmocka_unit_test(what_nobody_captures_is_the_users_own),
        cmocka_unit_test(a_verify_that_does_not_say_what_is_accepted_is_warned_of),
        cmocka_unit_test(who_sent_a_code_is_asked_to_check_it),
        cmocka_unit_test(a_fallback_is_held_to_the_same),
        cmocka_unit_test(a_problem_of_a_fallback_has_its_own_line),
        cmocka_unit_test(a_message_without_a_code_is_warned_of),
        cmocka_unit_test(a_fallback_sends_where_the_limits_count),
        cmocka_unit_test(endpoints_of_another_mode_are_not_held_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
