/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that was built for version 1.0 (frozen-1.0/old_plugin.c), in today's host, beside today's mfa.so, over HTTP.
 */
#include "harness.h"
#include "harness_plugins.h"

#include <stdlib.h>
#include <string.h>

static char *plugins;
static struct host *host;
static char *token;

static int set_up(void **state)
{
    char *yaml = config_with("    mode: disabled\n  old:\n    say: a word for it\n");

    (void)state;
    plugins = plugins_dir_new();
    plugins_dir_add(plugins, "plugins/mfa.so", "mfa.so");
    plugins_dir_add(plugins, "tests/abi/frozen-1.0/old_plugin.so", "old.so");
    host = host_new(yaml, plugins, NULL);
    host_start(host);
    user_register(host_url(host), "julia");
    token = user_login(host_url(host), "julia");
    free(yaml);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_free(host);
    plugins_dir_free(plugins);
    free(token);
    return 0;
}

static struct http_answer ask(const char *method, const char *path, const char *credential, const char *body)
{
    return http_send(
        host_url(host),
        (struct http_request){
            .method = method, .path = path, .token = credential, .raw = body, .raw_len = body ? strlen(body) : 0});
}

static void the_host_keeps_what_1_0_promised(void **state)
{
    struct http_answer answer = ask("GET", "/julia/old", token, NULL);

    (void)state;
    assert_string_equal(http_json_string(&answer, "broken"), "");
    http_expect(answer, 200, NULL);
    answer = ask("GET", "/metrics", NULL, NULL);
    assert_non_null(strstr(answer.body, "old_reports_total{promises=\"kept\"} 1\n"));
    http_answer_clear(&answer);
    http_expect(ask("DELETE", "/system/users/julia/old", ADMIN_KEY, NULL), 204, NULL);
    http_expect(ask("DELETE", "/system/users/julia/old", token, NULL), 403, "invalid-access-token");
}

static void its_challenge_holds_a_login_back_until_it_releases_it(void **state)
{
    json_t *body = login_body("julia");
    struct http_answer answer = {0};

    (void)state;
    json_object_set_new(body, "appId", json_string("challenge"));
    answer =
        http_send(host_url(host), (struct http_request){.method = "POST", .path = "/julia/auth/login", .json = body});
    assert_string_equal(http_json_string(&answer, "challengedBy"), "old");
    assert_null(http_json_string(&answer, "token"));
    http_expect(answer, 200, NULL);
    http_expect(ask("POST", "/julia/old", NULL, "now"), 403, "impolite");
    answer = ask("POST", "/julia/old", NULL, "please");
    assert_non_null(http_json_string(&answer, "token"));
    assert_string_equal(http_header(&answer, "X-Old"), "1.0");
    http_expect(answer, 200, NULL);
    http_expect(ask("POST", "/julia/old", NULL, "please"), 500, "unexpected-error");
}

static void it_is_not_handed_another_configuration_and_the_host_says_so(void **state)
{
    static const char line[] =
        "plugin old 1: takes nothing over while it runs; a change of services.old takes a restart";

    (void)state;
    assert_false(host_log_has(host, line));
    assert_true(host_reload(host));
    assert_true(host_log_has(host, line));
    its_challenge_holds_a_login_back_until_it_releases_it(state);
}

static void it_ends_with_the_host_and_no_complaint(void **state)
{
    (void)state;
    host_stop(host);
    assert_false(host_log_has(host, "a call did not end exactly once"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_keeps_what_1_0_promised),
        cmocka_unit_test(its_challenge_holds_a_login_back_until_it_releases_it),
        cmocka_unit_test(it_is_not_handed_another_configuration_and_the_host_says_so),
        cmocka_unit_test(it_ends_with_the_host_and_no_complaint),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
