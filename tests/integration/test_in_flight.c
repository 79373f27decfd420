/* SPDX-License-Identifier: Apache-2.0
 *
 * Thousands of challenges wait for a slow service at once: with a fixed number of threads, in about the time of one, and
 * in nobody's way.
 */
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define CHALLENGES 2000
#define CHALLENGES_WRAPPED 200
/* Logins that are sent at once to open the sessions; the host's queue of passwords is not the subject here. */
#define LOGINS_AT_ONCE 100
#define SERVICE_MS 1000
/* For the detection of a hang or of one challenge waiting for another, not a measure of speed. */
#define PATIENCE_MS 20000

static const char *const config_lines =
    "    sessions:\n      maxPendingPerUser: 0\n    gateway:\n      maxPerHost: 0\n";

/* One challenge each of many pending logins of one user. */
struct crowd {
    size_t count;
    char *mfa_tokens[CHALLENGES];
    struct http_request requests[CHALLENGES];
    struct http_answer answers[CHALLENGES];
};

/* Opens `count` sessions, a multiple of LOGINS_AT_ONCE. */
static void open_sessions(struct stage *stage, char **mfa_tokens, size_t count)
{
    struct http_request requests[LOGINS_AT_ONCE];
    struct http_answer answers[LOGINS_AT_ONCE];
    for (size_t done = 0; done < count; done += LOGINS_AT_ONCE) {
        for (size_t i = 0; i < LOGINS_AT_ONCE; i++)
            requests[i] =
                (struct http_request){.method = "POST", .path = "/waits/auth/login", .json = login_body("waits")};
        http_send_all(stage_url(stage), requests, answers, LOGINS_AT_ONCE);
        for (size_t i = 0; i < LOGINS_AT_ONCE; i++) {
            http_assert_answer(&answers[i], 200, NULL);
            mfa_tokens[done + i] = strdup(http_json_string(&answers[i], "mfaToken"));
            http_answer_clear(&answers[i]);
        }
    }
}

static struct crowd *crowd_new(struct stage *stage)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    crowd->count = host_scale(CHALLENGES, CHALLENGES_WRAPPED);
    stage_enrol(stage, "waits");
    open_sessions(stage, crowd->mfa_tokens, crowd->count);
    for (size_t i = 0; i < crowd->count; i++)
        crowd->requests[i] =
            (struct http_request){.method = "POST", .path = "/waits/mfa/challenge", .token = crowd->mfa_tokens[i]};
    return crowd;
}

static void crowd_expect_success(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        http_expect(crowd->answers[i], 200, NULL);
}

static void crowd_free(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        free(crowd->mfa_tokens[i]);
    free(crowd);
}

/* The service answers nobody before all are waiting, so all must be in flight at the same time. */
static void assert_all_wait_at_once(struct stage *stage, struct crowd *crowd)
{
    size_t threads = host_thread_count(stage->host);
    size_t before = gateway_request_count(stage->gateway);
    gateway_answer(stage->gateway, (struct gateway_script){.status = 200, .delay_ms = 60000});
    struct http_batch *batch = http_begin_all(stage_url(stage), crowd->requests, crowd->count);
    gateway_await_requests(stage->gateway, before + crowd->count, 60000);
    assert_int_equal(host_thread_count(stage->host), threads);

    uint64_t login_ms = hold_now_ms();
    free(user_login(stage_url(stage), "without"));
    login_ms = hold_now_ms() - login_ms;
    assert_true(login_ms < PATIENCE_MS);

    gateway_answer(stage->gateway, (struct gateway_script){.status = 200});
    gateway_release(stage->gateway);
    http_await_all(batch, crowd->answers);
    crowd_expect_success(crowd);
    print_message("%zu challenges in flight with %zu threads; a login without MFA meanwhile took %d ms\n", crowd->count,
                  threads, (int)login_ms);
}

static void assert_all_take_about_as_long_as_one(struct stage *stage, struct crowd *crowd)
{
    gateway_answer(stage->gateway, (struct gateway_script){.status = 200, .delay_ms = SERVICE_MS});
    uint64_t started_ms = hold_now_ms();
    http_send_all(stage_url(stage), crowd->requests, crowd->answers, crowd->count);
    uint64_t elapsed_ms = hold_now_ms() - started_ms;
    crowd_expect_success(crowd);
    print_message("%zu challenges took %.2f times as long as the service takes for one\n", crowd->count,
                  (double)elapsed_ms / SERVICE_MS);
    assert_true(elapsed_ms < PATIENCE_MS);
}

static void challenges_wait_for_a_slow_service_together_and_in_nobody_s_way(void **state)
{
    struct stage *stage = *state;
    user_register(stage_url(stage), "without");
    struct crowd *crowd = crowd_new(stage);
    assert_all_wait_at_once(stage, crowd);
    assert_all_take_about_as_long_as_one(stage, crowd);
    crowd_free(crowd);
}

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, config_lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges_wait_for_a_slow_service_together_and_in_nobody_s_way),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
