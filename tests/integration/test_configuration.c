/* SPDX-License-Identifier: Apache-2.0
 *
 * What an operator reads when the configuration is wrong: one line with key, file, line and remedy, and no core.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* The configuration of config_with before `services.mfa` takes eight lines. */
#define LINE(n) "config.yml:" #n ")"

static void assert_says(const struct host *host, const char *text)
{
    char *log = host_log(host);

    if (strstr(log, text) == NULL)
        fail_msg("the log does not say: %s\n%s", text, log);
    free(log);
}

static void assert_refused(const char *mfa, const char *key, const char *line, const char *reason)
{
    char *yaml = config_with(mfa);
    struct host *host = host_new(yaml, NULL, NULL);

    assert_int_equal(host_start_refused(host), 1);
    assert_says(host, key);
    assert_says(host, line);
    assert_says(host, reason);
    host_free(host);
    free(yaml);
}

#define SINGLE(url, rest) "    mode: single\n    sms:\n      endpoints:\n        single:\n          url: " url "\n" rest

static void an_endpoint_missing_for_the_mode_is_refused_by_key_and_line(void **state)
{
    (void)state;
    assert_refused(SINGLE("''", ""), "services.mfa.sms.endpoints.single.url (", LINE(13),
                   "must not be empty when mode is \"single\"");
    assert_refused("    mode: single\n", "services.mfa.sms.endpoints.single", LINE(9), "mode is \"single\"");
    assert_refused("    mode: challenge-verify\n", "services.mfa.sms.endpoints.verify", LINE(9),
                   "mode is \"challenge-verify\"");
}

static void unknown_and_duplicate_keys_are_refused(void **state)
{
    (void)state;
    assert_refused(SINGLE("'http://127.0.0.1:1/'", "          metod: GET\n"),
                   "services.mfa.sms.endpoints.single.metod (", LINE(14), "is not a known key");
    assert_refused(SINGLE("'http://127.0.0.1:1/'", "          method: GET\n          method: POST\n"),
                   "services.mfa.sms.endpoints.single.method (", LINE(15), "twice");
    assert_refused("    mode: disabled\n    sesions: {}\n", "services.mfa.sesions (", LINE(10), "is not a known key");
}

static void wrong_types_and_ranges_are_refused(void **state)
{
    (void)state;
    assert_refused("    mode: sometimes\n", "services.mfa.mode (", LINE(9), "must be one of");
    assert_refused("    sessions:\n      ttlSeconds: soon\n", "services.mfa.sessions.ttlSeconds (", LINE(10),
                   "must be a whole number");
    assert_refused("    sms:\n      codeLength: 3\n", "services.mfa.sms.codeLength (", LINE(10), "from 4 to 10");
    assert_refused("    sessions: 5\n", "services.mfa.sessions (", LINE(9), "must be a");
}

static void user_data_can_never_choose_the_host(void **state)
{
    (void)state;
    assert_refused(SINGLE("'http://{{ host }}/send'", ""), "services.mfa.sms.endpoints.single.url (", LINE(13),
                   "variable before the path");
}

static void every_problem_is_told_at_once(void **state)
{
    char *yaml = config_with("    mode: single\n    sms:\n      codeLength: 99\n      unknown: 1\n");
    struct host *host = host_new(yaml, NULL, NULL);

    (void)state;
    assert_int_equal(host_start_refused(host), 1);
    assert_says(host, "services.mfa.sms.codeLength (");
    assert_says(host, "services.mfa.sms.unknown (");
    assert_says(host, "services.mfa.sms.endpoints.single");
    host_free(host);
    free(yaml);
}

static void the_customers_skeleton_loads_when_disabled(void **state)
{
    char *yaml = config_with("    mode: disabled\n"
                             "    sms:\n"
                             "      endpoints:\n"
                             "        # Define only the endpoints matching your chosen mode.\n"
                             "        single:\n          url: ''\n          method: POST\n          body: ''\n"
                             "          headers: {}\n"
                             "        challenge:\n          url: ''\n          method: POST\n          body: ''\n"
                             "          headers: {}\n"
                             "        verify:\n          url: ''\n          method: POST\n          body: ''\n"
                             "          headers: {}\n"
                             "    sessions:\n      ttlSeconds: 1800\n");
    struct host *host = host_new(yaml, NULL, NULL);

    (void)state;
    host_start(host);
    host_stop(host);
    host_free(host);
    free(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_missing_for_the_mode_is_refused_by_key_and_line),
        cmocka_unit_test(unknown_and_duplicate_keys_are_refused),
        cmocka_unit_test(wrong_types_and_ranges_are_refused),
        cmocka_unit_test(user_data_can_never_choose_the_host),
        cmocka_unit_test(every_problem_is_told_at_once),
        cmocka_unit_test(the_customers_skeleton_loads_when_disabled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
