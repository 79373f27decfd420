/* SPDX-License-Identifier: Apache-2.0
 *
 * Mode `disabled`, by name and by leaving it out: logins are as without the plugin, and every route says so.
 */
#include <stdlib.h>

#include "harness_stage.h"

static void assert_every_route_is_unavailable(struct host *host, const char *token)
{
    static const struct {
        const char *method;
        const char *path;
    } routes[] = {
        {"POST", "/julia/mfa/activate"},
        {"POST", "/julia/mfa/confirm"},
        {"POST", "/julia/mfa/challenge"},
        {"POST", "/julia/mfa/verify"},
        {"GET", "/julia/mfa"},
        {"POST", "/julia/mfa/recover"},
        {"POST", "/julia/mfa/deactivate"},
        {"DELETE", "/system/users/julia/mfa"},
    };
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const char *tokens[] = {NULL, token, "unknown"};
        for (size_t j = 0; j < sizeof tokens / sizeof *tokens; j++) {
            struct http_answer answer = http_send(
                host_url(host),
                (struct http_request){.method = routes[i].method, .path = routes[i].path, .token = tokens[j]});
            assert_string_equal(http_json_string(&answer, "error/message"), "MFA is not enabled on this server.");
            http_expect_error(answer, 503, "api-unavailable", NULL);
        }
    }
}

static void assert_logins_are_plain(struct host *host)
{
    struct http_answer answer = user_login_answer(host_url(host), "julia");
    assert_non_null(http_json_string(&answer, "token"));
    assert_non_null(http_json_string(&answer, "apiEndpoint"));
    assert_null(json_object_get(answer.json, "mfaToken"));
    http_expect(answer, 200, NULL);
}

static void assert_is_disabled_with(const char *mfa)
{
    char *yaml = config_with(mfa);
    struct host *host = host_new(yaml, NULL, NULL);
    host_start(host);
    host_await_log(host, " warn mfa services.mfa: mode is disabled: nobody is asked for a second factor\n");
    user_register(host_url(host), "julia");
    char *token = user_login(host_url(host), "julia");
    assert_every_route_is_unavailable(host, token);
    assert_logins_are_plain(host);
    host_stop(host);
    host_free(host);
    free(token);
    free(yaml);
}

static void disabled_by_name_leaves_logins_alone_and_closes_every_route(void **state)
{
    (void)state;
    assert_is_disabled_with("    mode: disabled\n");
}

static void disabled_is_the_default_also_with_the_guide_s_empty_endpoints(void **state)
{
    (void)state;
    assert_is_disabled_with("    sms:\n"
                            "      endpoints:\n"
                            "        single:\n          url: ''\n          method: POST\n          body: ''\n"
                            "          headers: {}\n"
                            "        challenge:\n          url: ''\n          method: POST\n          body: ''\n"
                            "          headers: {}\n"
                            "        verify:\n          url: ''\n          method: POST\n          body: ''\n"
                            "          headers: {}\n"
                            "    sessions:\n      ttlSeconds: 1800\n");
}

/* An operator switches MFA off: the enrolment rests, and counts again when it is switched on. */
static void an_enrolment_rests_while_mfa_is_disabled(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, NULL);
    stage_enrol(&stage, "julia");
    host_stop(stage.host);

    char *disabled = config_with("    mode: disabled\n");
    host_configure(stage.host, disabled);
    host_start(stage.host);
    assert_logins_are_plain(stage.host);
    host_stop(stage.host);

    char *single = config_single(gateway_url(stage.gateway), NULL);
    host_configure(stage.host, single);
    host_start(stage.host);
    struct pending_login login = stage_login(&stage, "julia");
    free(user_verify(stage_url(&stage), "julia", login.mfa_token, login.code));
    pending_login_clear(&login);
    stage_close(&stage);
    free(single);
    free(disabled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disabled_by_name_leaves_logins_alone_and_closes_every_route),
        cmocka_unit_test(disabled_is_the_default_also_with_the_guide_s_empty_endpoints),
        cmocka_unit_test(an_enrolment_rests_while_mfa_is_disabled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
