/* SPDX-License-Identifier: Apache-2.0
 *
 * Services that stand in for one another: the user gets one message, from the first that is there, and none twice.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness_stage.h"

/* Three services: one that is not there, and two at the gateway, told apart by their paths. */
static char *config_three(const char *gateway_url, const char *not_there)
{
    static const char query[] = "?message={{ message }}&numero={{ number }}', method: GET, timeoutMs: 1000";
    char *mfa = NULL;
    assert_true(
        asprintf(&mfa,
                 "    mode: single\n"
                 "    sms:\n"
                 "      sendLimits: {minIntervalSeconds: 0, perUserPerHour: 0, perDestinationPerDay: 0}\n"
                 "      endpoints:\n"
                 "        single:\n"
                 "          {url: '%s/first%s, fallback: [{url: '%s/second%s}, {url: '%s/third%s}]}\n" NO_BACKOFF,
                 not_there, query, gateway_url, query, gateway_url, query) > 0);
    char *yaml = config_with(mfa);
    free(mfa);
    return yaml;
}

/* At a port on which nobody listens, which stays bound as long as this process lives. */
static int open_stage(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    char not_there[64];
    int reserved_port = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(reserved_port, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(reserved_port, (struct sockaddr *)&address, &len), 0);
    snprintf(not_there, sizeof not_there, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return stage_open_for_group(state, config_three, not_there);
}

static void assert_last_is_for(struct stage *stage, const char *path)
{
    assert_string_equal(gateway_last_request(stage->gateway)->path, path);
}

static void a_service_that_is_not_there_is_stood_in_for(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "stands-in");
    assert_int_equal(gateway_request_count(stage->gateway), 1);
    struct pending_login login = stage_login(stage, "stands-in");
    assert_int_equal(gateway_request_count(stage->gateway), 2);
    assert_last_is_for(stage, "/second");
    free(user_verify(stage_url(stage), "stands-in", login.mfa_token, login.code));
    pending_login_clear(&login);
}

/* The same code goes to the next, and it is the one that is right. */
static void what_one_refuses_the_next_sends(void **state)
{
    struct stage *stage = *state;
    static const unsigned refusals[] = {400, 429, 500, 503};
    stage_enrol(stage, "refused");
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        gateway_forget_requests(stage->gateway);
        gateway_answer_next(stage->gateway, (struct gateway_script){.status = refusals[i]});
        struct pending_login login = stage_login(stage, "refused");
        assert_int_equal(gateway_request_count(stage->gateway), 2);
        assert_string_equal(gateway_request(stage->gateway, 0)->path, "/second");
        assert_last_is_for(stage, "/third");
        assert_true(json_equal(gateway_request(stage->gateway, 0)->query, gateway_last_request(stage->gateway)->query));
        free(user_verify(stage_url(stage), "refused", login.mfa_token, login.code));
        pending_login_clear(&login);
    }
}

static void when_all_refuse_there_is_no_message_and_no_session(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "all-refuse");
    for (size_t i = 0; i < 2; i++)
        gateway_answer_next(stage->gateway, (struct gateway_script){.status = 500, .body = "CANARY"});
    struct http_answer answer = user_login_answer(stage_url(stage), "all-refuse");
    assert_null(json_object_get(answer.json, "mfaToken"));
    assert_null(strstr(answer.body, "CANARY"));
    http_expect_error(answer, 400, "invalid-operation", "{\"id\": \"mfa-sms-provider-error\"}");
    host_assert_log_lacks(stage->host, (const char *const[]){"CANARY", NULL});
}

/* The first message may be on its way, whatever came back. */
static void what_one_may_have_sent_nobody_sends_again(void **state)
{
    struct stage *stage = *state;
    static const struct {
        struct gateway_script script;
        const char *data;
    } unclear[] = {
        {{.status = 200, .manner = GATEWAY_STALL}, "{\"id\": \"mfa-sms-provider-timeout\"}"},
        {{.status = 200, .manner = GATEWAY_RESET}, "{\"id\": \"mfa-sms-provider-error\"}"},
        {{.status = 504}, "{\"id\": \"mfa-sms-provider-error\"}"},
    };
    stage_enrol(stage, "unclear");
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
        gateway_forget_requests(stage->gateway);
        gateway_answer_next(stage->gateway, unclear[i].script);
        http_expect_error(user_login_answer(stage_url(stage), "unclear"), 400, "invalid-operation", unclear[i].data);
        assert_int_equal(gateway_request_count(stage->gateway), 1);
        gateway_release(stage->gateway);
    }
    struct pending_login login = stage_login(stage, "unclear");
    assert_int_equal(gateway_request_count(stage->gateway), 2); /* nothing came late */
    pending_login_clear(&login);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_that_is_not_there_is_stood_in_for),
        cmocka_unit_test(what_one_refuses_the_next_sends),
        cmocka_unit_test(when_all_refuse_there_is_no_message_and_no_session),
        cmocka_unit_test(what_one_may_have_sent_nobody_sends_again),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
