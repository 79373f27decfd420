/* SPDX-License-Identifier: Apache-2.0
 *
 * Twenty thousand logins that nobody finishes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"

#define LOGINS 20000
#define LOGINS_WRAPPED 500
#define LOGINS_AT_ONCE 250
#define ATTACKERS 20
/* Far more than what stays, far less than what the flood would leave behind were nothing bounded. */
#define GROWTH_MAX ((size_t)32 * 1024 * 1024)
#define PATIENCE_MS 20000

static size_t resident_bytes(const struct stage *stage)
{
    char path[64];
    unsigned long size = 0;
    unsigned long resident = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)host_pid(stage->host));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

struct flood {
    char paths[ATTACKERS][32];
    char usernames[ATTACKERS][16];
    size_t challenged; /* answers by status */
    size_t refused;
};

/* The attackers' sessions are as large as user data may be. */
static void flood_enrol(struct stage *stage, struct flood *flood)
{
    char *data = NULL;
    assert_true(
        asprintf(&data, "{\"number\": \"41791231212\", \"message\": \"{{ code }}\", \"padding\": \"%03500d\"}", 0) > 0);
    for (size_t i = 0; i < ATTACKERS; i++) {
        snprintf(flood->usernames[i], sizeof flood->usernames[i], "floods-%zu", i);
        snprintf(flood->paths[i], sizeof flood->paths[i], "/floods-%zu/auth/login", i);
        json_decref(user_enrol(stage_url(stage), stage->gateway, flood->usernames[i], data));
    }
    free(data);
}

/* So many logins at once, by all attackers in turn. Every one is challenged or told to wait, and never let in. */
static void flood_send(struct stage *stage, struct flood *flood)
{
    struct http_request requests[LOGINS_AT_ONCE];
    struct http_answer answers[LOGINS_AT_ONCE];
    for (size_t i = 0; i < LOGINS_AT_ONCE; i++)
        requests[i] = (struct http_request){
            .method = "POST", .path = flood->paths[i % ATTACKERS], .json = login_body(flood->usernames[i % ATTACKERS])};
    http_send_all(stage_url(stage), requests, answers, LOGINS_AT_ONCE);
    for (size_t i = 0; i < LOGINS_AT_ONCE; i++) {
        if (answers[i].status == 200) {
            assert_non_null(http_json_string(&answers[i], "mfaToken"));
            assert_null(http_json_string(&answers[i], "token"));
            flood->challenged++;
        } else {
            if (answers[i].status != 503) /* no room in a queue */
                http_assert_answer(&answers[i], 429, NULL);
            assert_gives_nothing(&answers[i]);
            flood->refused++;
        }
        http_answer_clear(&answers[i]);
    }
    gateway_forget_requests(stage->gateway);
}

static void A90_twenty_thousand_logins_without_verify_take_bounded_memory(void **state)
{
    (void)state;
    struct stage stage;
    struct flood flood = {0};
    size_t logins = host_scale(LOGINS, LOGINS_WRAPPED);
    stage_attacked_open(&stage, &(struct attack_settings){0});
    flood_enrol(&stage, &flood);
    stage_enrol(&stage, "bystander");
    user_register(stage_url(&stage), "without-mfa");
    struct pending_login login = stage_login(&stage, "bystander");
    flood_send(&stage, &flood); /* what serving takes anyhow is there now */
    size_t before = resident_bytes(&stage);
    while (flood.challenged + flood.refused < logins) {
        flood_send(&stage, &flood);
        uint64_t started_ms = hold_now_ms();
        free(user_login(stage_url(&stage), "without-mfa"));
        assert_true(hold_now_ms() - started_ms < PATIENCE_MS);
    }
    size_t after = resident_bytes(&stage);
    print_message("%zu challenged, %zu refused, %zu KiB more\n", flood.challenged, flood.refused,
                  after > before ? (after - before) / 1024 : 0);
    assert_true(after < before + GROWTH_MAX);
    expect_right_code_works(&stage, "bystander", &login);
    stage_close(&stage);
}

/* Without the limit per user the one for all holds, and who needs no session still logs in. */
static void A91_past_the_limit_of_all_sessions_who_needs_none_still_logs_in(void **state)
{
    (void)state;
    struct stage stage;
    struct flood flood = {0};
    stage_attacked_open(&stage, &(struct attack_settings){.sessions = "maxPending: 100, maxPendingPerUser: 0"});
    flood_enrol(&stage, &flood);
    stage_enrol(&stage, "bystander");
    user_register(stage_url(&stage), "without-mfa");
    struct pending_login login = stage_login(&stage, "bystander");
    for (size_t i = 0; i < 4; i++)
        flood_send(&stage, &flood);
    assert_int_equal(flood.challenged, 99);
    free(user_login(stage_url(&stage), "without-mfa"));
    expect_right_code_works(&stage, "bystander", &login);
    login = stage_login(&stage, "bystander"); /* the place that has become free */
    expect_right_code_works(&stage, "bystander", &login);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A90_twenty_thousand_logins_without_verify_take_bounded_memory),
        cmocka_unit_test(A91_past_the_limit_of_all_sessions_who_needs_none_still_logs_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
