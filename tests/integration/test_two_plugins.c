/* SPDX-License-Identifier: Apache-2.0
 *
 * Two plugins in one host, mfa.so and one of another kind (tests/abi/plugins/login_hours.c), in either order: a login
 * succeeds only if both agree.
 */
#include "harness.h"
#include "harness_plugins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALWAYS "  loginHours: {from: '00:00', until: '24:00'}\n"
#define FORMAT "  loginHours:\n    from: '%02d:00'\n    until: '%02d:00'\n"

/* Everything in a test's reach; julia has MFA, peter has not. */
struct stage {
    struct gateway *gateway;
    struct host *host;
    char *plugins;
    bool asks_mfa_first;
};

static void configure(const struct stage *stage, const char *hours)
{
    char *yaml = config_single(gateway_url(stage->gateway), hours);

    host_configure(stage->host, yaml);
    free(yaml);
}

/* One hour, and the day's farthest from now. */
static void close_logins(const struct stage *stage)
{
    char hours[128];
    int hour = (int)(time(NULL) / 3600 % 24);

    snprintf(hours, sizeof hours, FORMAT, (hour + 12) % 24, (hour + 13) % 24);
    host_stop(stage->host);
    configure(stage, hours);
    host_start(stage->host);
    gateway_forget_requests(stage->gateway);
}

static int set_up(struct stage *stage, void **state)
{
    char *yaml = NULL;

    *state = stage;
    stage->gateway = gateway_start();
    stage->plugins = plugins_dir_new();
    plugins_dir_add(stage->plugins, "plugins/mfa.so", stage->asks_mfa_first ? "1.so" : "2.so");
    plugins_dir_add(stage->plugins, "tests/abi/plugins/login_hours.so", stage->asks_mfa_first ? "2.so" : "1.so");
    yaml = config_single(gateway_url(stage->gateway), ALWAYS);
    stage->host = host_new(yaml, stage->plugins, NULL);
    free(yaml);
    host_start(stage->host);
    user_register(host_url(stage->host), "peter");
    json_decref(user_enrol(host_url(stage->host), stage->gateway, "julia", NULL));
    return 0;
}

static int set_up_with_mfa_first(void **state)
{
    static struct stage stage;

    stage = (struct stage){.asks_mfa_first = true};
    return set_up(&stage, state);
}

static int set_up_with_hours_first(void **state)
{
    static struct stage stage;

    stage = (struct stage){.asks_mfa_first = false};
    return set_up(&stage, state);
}

static int tear_down(void **state)
{
    const struct stage *stage = *state;

    host_free(stage->host);
    plugins_dir_free(stage->plugins);
    gateway_stop(stage->gateway);
    return 0;
}

static void expect_refusal(struct http_answer answer, long status, const char *error_id)
{
    assert_null(http_json_string(&answer, "token"));
    assert_null(http_json_string(&answer, "mfaToken"));
    assert_null(strstr(answer.body, "apiEndpoint"));
    http_expect(answer, status, error_id);
}

static struct http_answer log_in(const struct stage *stage, const char *username)
{
    return user_login_answer(host_url(stage->host), username);
}

/* Verifies julia's login with the code of the last message. */
static struct http_answer verify(const struct stage *stage, const char *mfa_token)
{
    char code[GATEWAY_CODE_MAX + 1];

    gateway_last_code(stage->gateway, code);
    return user_mfa(host_url(stage->host), "julia", "verify", mfa_token, code_body(code));
}

static void assert_logins_succeed(const struct stage *stage)
{
    char *mfa_token = user_login_mfa(host_url(stage->host), "julia");
    struct http_answer answer = verify(stage, mfa_token);

    assert_non_null(http_json_string(&answer, "token"));
    http_expect(answer, 200, NULL);
    free(user_login(host_url(stage->host), "peter"));
    free(mfa_token);
}

static void assert_mfa_alone_can_refuse(const struct stage *stage)
{
    char *mfa_token = user_login_mfa(host_url(stage->host), "julia");

    expect_refusal(user_mfa(host_url(stage->host), "julia", "verify", mfa_token, code_body("no-code")), 400,
                   "invalid-parameters-format");
    gateway_answer_next(stage->gateway, (struct gateway_script){.status = 500});
    expect_refusal(log_in(stage, "julia"), 400, "invalid-operation");
    free(mfa_token);
}

static void with_mfa_first_a_login_needs_both(void **state)
{
    const struct stage *stage = *state;
    char *mfa_token = NULL;

    assert_logins_succeed(stage);
    assert_mfa_alone_can_refuse(stage);
    close_logins(stage);
    expect_refusal(log_in(stage, "peter"), 403, "forbidden");
    mfa_token = user_login_mfa(host_url(stage->host), "julia");
    expect_refusal(verify(stage, mfa_token), 403, "forbidden");
    expect_refusal(verify(stage, mfa_token), 401, "invalid-access-token");
    host_stop(stage->host);
    free(mfa_token);
}

static void with_hours_first_a_login_needs_both(void **state)
{
    const struct stage *stage = *state;

    assert_logins_succeed(stage);
    assert_mfa_alone_can_refuse(stage);
    close_logins(stage);
    expect_refusal(log_in(stage, "peter"), 403, "forbidden");
    expect_refusal(log_in(stage, "julia"), 403, "forbidden");
    assert_int_equal(gateway_request_count(stage->gateway), 0);
    host_stop(stage->host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_mfa_first_a_login_needs_both, set_up_with_mfa_first, tear_down),
        cmocka_unit_test_setup_teardown(with_hours_first_a_login_needs_both, set_up_with_hours_first, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
