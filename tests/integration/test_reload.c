/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGHUP: another configuration while the host runs, good or bad, with users at work. Each configuration sends to a path of
 * its own, so that it shows which one was used.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "harness_plugins.h"
#include "harness_stage.h"

#define CROWD 20
#define PLACE_SIZE 128

/* Where a configuration sends to: "/before" or "/after" of the gateway. */
static const char *place(const struct stage *stage, const char *path, char url[static PLACE_SIZE])
{
    snprintf(url, PLACE_SIZE, "%s%s", gateway_url(stage->gateway), path);
    return url;
}

static void configure(const struct stage *stage, config_fn *config, const char *path, const char *more)
{
    char url[PLACE_SIZE];
    char *yaml = config(place(stage, path, url), more);

    host_configure(stage->host, yaml);
    free(yaml);
}

static bool reload(const struct stage *stage, config_fn *config, const char *path, const char *more)
{
    configure(stage, config, path, more);
    return host_reload(stage->host);
}

static void open_with_plugins(struct stage *stage, const char *plugins)
{
    char url[PLACE_SIZE];
    char *yaml = NULL;

    stage->gateway = gateway_start();
    yaml = config_single(place(stage, "/before", url), NO_BACKOFF);
    stage->host = host_new(yaml, plugins, NULL);
    host_start(stage->host);
    free(yaml);
    stage_enrol(stage, "julia");
}

static int open_stage(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);

    assert_non_null(stage);
    open_with_plugins(stage, NULL);
    *state = stage;
    return 0;
}

/* Whatever the test before has left. */
static struct stage *at_before(void **state, config_fn *config)
{
    struct stage *stage = *state;

    assert_true(reload(stage, config, "/before", NO_BACKOFF));
    gateway_forget_requests(stage->gateway);
    return stage;
}

static bool was_sent_to(const struct gateway_request *request, const char *path)
{
    return strncmp(request->path, path, strlen(path)) == 0;
}

static void assert_says(const struct stage *stage, const char *text)
{
    if (!host_log_has(stage->host, text))
        fail_msg("the log does not say: %s", text);
}

static void log_in(struct stage *stage, const char *username)
{
    struct pending_login login = stage_login(stage, username);

    free(user_verify(stage_url(stage), username, login.mfa_token, login.code));
    pending_login_clear(&login);
}

/* The login works, and its message goes to that place. */
static void assert_sends_to(struct stage *stage, const char *username, const char *path)
{
    log_in(stage, username);
    assert_true(was_sent_to(gateway_last_request(stage->gateway), path));
}

static void write_secret(const char *path, const char *secret)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(secret, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void the_next_login_goes_by_the_new_configuration(void **state)
{
    struct stage *stage = at_before(state, config_single);

    assert_sends_to(stage, "julia", "/before/");
    assert_true(reload(stage, config_single, "/after", NULL));
    assert_sends_to(stage, "julia", "/after/");
}

static void a_secret_in_a_file_is_read_again(void **state)
{
    struct stage *stage = at_before(state, config_single);
    char path[PATH_MAX], more[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/key", host_data_dir(stage->host));
    snprintf(more, sizeof more, "          headers: {x-key: '${file:%s}'}\n", path);
    write_secret(path, "the-first-key");
    assert_true(reload(stage, config_single, "/after", more));
    write_secret(path, "the-second-key");
    assert_true(host_reload(stage->host));
    log_in(stage, "julia");
    assert_string_equal(json_string_value(json_object_get(gateway_last_request(stage->gateway)->headers, "x-key")),
                        "the-second-key");
    host_assert_log_lacks(stage->host, (const char *const[]){"the-first-key", "the-second-key", NULL});
}

/* The code of ours is good although the next ones are the service's. */
static void a_login_that_waits_is_finished_by_what_it_was_sent_by(void **state)
{
    struct stage *stage = at_before(state, config_single);
    struct pending_login login = stage_login(stage, "julia");
    char *mfa_token = NULL;

    assert_true(reload(stage, config_challenge_verify, "/after", NULL));
    mfa_token = user_login_mfa(stage_url(stage), "julia");
    assert_true(was_sent_to(gateway_last_request(stage->gateway), "/after/mfa/codes"));
    free(user_verify(stage_url(stage), "julia", login.mfa_token, login.code));
    assert_true(reload(stage, config_single, "/before", NULL));
    free(user_verify(stage_url(stage), "julia", mfa_token, "12345"));
    assert_true(was_sent_to(gateway_last_request(stage->gateway), "/after/mfa/codes/verifications"));
    free(mfa_token);
    pending_login_clear(&login);
}

static void a_login_under_way_ends_as_if_nothing_had_happened(void **state)
{
    struct stage *stage = at_before(state, config_single);
    struct http_answer answer;
    char code[GATEWAY_CODE_MAX + 1];

    gateway_answer_next(stage->gateway, (struct gateway_script){.status = 200, .delay_ms = 60000});
    struct http_request request = {.method = "POST", .path = "/julia/auth/login", .json = login_body("julia")};
    struct http_batch *batch = http_begin_all(stage_url(stage), &request, 1);
    gateway_await_requests(stage->gateway, 1, 60000);
    assert_true(reload(stage, config_single, "/after", NULL));
    gateway_release(stage->gateway);
    http_await_all(batch, &answer);
    http_assert_answer(&answer, 200, NULL);
    gateway_last_code(stage->gateway, code);
    free(user_verify(stage_url(stage), "julia", http_json_string(&answer, "mfaToken"), code));
    http_answer_clear(&answer);
    assert_sends_to(stage, "julia", "/after/");
}

/* --- What changes nothing ------------------------------------------------------------------------------------------- */

static void assert_refused(struct stage *stage, const char *said)
{
    assert_false(host_reload(stage->host));
    assert_says(stage, said);
    assert_sends_to(stage, "julia", "/before/");
}

static void a_mistake_is_told_by_key_and_line_as_at_start(void **state)
{
    struct stage *stage = at_before(state, config_single);

    configure(stage, config_single, "/after", "    sessions:\n      ttlSeconds: soon\n    attemps: {}\n");
    assert_refused(stage, "services.mfa.sessions.ttlSeconds (");
    assert_says(stage, "config.yml:17): must be a whole number");
    assert_says(stage, "services.mfa.attemps (");
    assert_says(stage, "plugin mfa: refuses the new configuration, see above");
}

static void mfa_cannot_be_turned_off_while_the_host_runs(void **state)
{
    struct stage *stage = at_before(state, config_single);
    char *yaml = config_with("    mode: disabled\n");

    host_configure(stage->host, yaml);
    assert_refused(stage, "config.yml:9): cannot change from \"single\" to \"disabled\" without a restart");
    host_configure(stage->host, "http: {port: 0}\n");
    assert_refused(stage, "config.yml:1): cannot change from \"single\" to \"disabled\" without a restart");
    free(yaml);
}

static void a_file_that_cannot_be_read_changes_nothing(void **state)
{
    struct stage *stage = at_before(state, config_single);

    host_configure(stage->host, "services: [\n");
    assert_refused(stage, "config.yml:2: is not YAML: did not find expected node content");
    assert_int_equal(unlink(host_config_path(stage->host)), 0);
    assert_refused(stage, "config.yml: cannot be read: No such file or directory");
}

static void a_section_that_no_plugin_reads_changes_nothing(void **state)
{
    struct stage *stage = at_before(state, config_single);

    configure(stage, config_single, "/after", "  mfaa:\n    mode: single\n");
    assert_refused(stage, "services.mfaa (");
}

static void what_the_host_reads_itself_takes_a_restart(void **state)
{
    struct stage *stage = at_before(state, config_single);
    struct http_request request = {.method = "DELETE", .path = "/system/users/peter/mfa", .token = ADMIN_KEY};
    char url[PLACE_SIZE];
    char *yaml = config_single(place(stage, "/after", url), NULL);
    char *key = strstr(yaml, ADMIN_KEY);

    user_register(stage_url(stage), "peter");
    key[0] = 'A';
    host_configure(stage->host, yaml);
    assert_true(host_reload(stage->host));
    assert_says(stage, "has changed, which takes a restart; the value before stays in use");
    assert_false(host_log_has(stage->host, "http.port"));
    assert_sends_to(stage, "julia", "/after/");
    http_expect(http_send(stage_url(stage), request), 204, NULL);
    free(yaml);
}

static void all_plugins_that_have_the_hook_take_it_over_or_none(void **state)
{
    struct stage stage;
    char *plugins = plugins_dir_new();

    (void)state;
    plugins_dir_add(plugins, "plugins/mfa.so", "1.so");
    plugins_dir_add(plugins, "tests/abi/plugins/hook_out_of_bounds.so", "2.so");
    plugins_dir_add(plugins, "tests/abi/plugins/refuses_a_section.so", "3.so");
    open_with_plugins(&stage, plugins);
    assert_true(reload(&stage, config_single, "/between", NULL));
    assert_says(&stage, "plugin out-of-bounds 0: takes nothing over while it runs");
    assert_false(reload(&stage, config_single, "/after", "  bad: {}\n"));
    assert_says(&stage, "plugin bad: refuses the new configuration, see above");
    assert_sends_to(&stage, "julia", "/between/");
    stage_close(&stage);
    plugins_dir_free(plugins);
}

/* --- Many ------------------------------------------------------------------------------------------------------------- */

/* A login per user, or a verify with the tokens of the logins before; the configuration changes while they are under way. */
struct crowd {
    struct http_request requests[CROWD];
    struct http_answer answers[CROWD];
    char paths[CROWD][64];
    size_t count;
};

static void crowd_send(struct crowd *crowd, struct stage *stage, const char *path)
{
    struct http_batch *batch = http_begin_all(stage_url(stage), crowd->requests, crowd->count);

    assert_true(reload(stage, config_challenge_verify, path, NO_BACKOFF));
    http_await_all(batch, crowd->answers);
    for (size_t i = 0; i < crowd->count; i++)
        http_assert_answer(&crowd->answers[i], 200, NULL);
}

static void crowd_clear(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        http_answer_clear(&crowd->answers[i]);
}

static void crowd_logs_in(struct crowd *crowd, struct stage *stage, const char *path)
{
    struct crowd verifies = {.count = crowd->count};
    char username[16];

    for (size_t i = 0; i < crowd->count; i++) {
        snprintf(username, sizeof username, "user-%u", (unsigned)i);
        snprintf(crowd->paths[i], sizeof crowd->paths[i], "/%s/auth/login", username);
        snprintf(verifies.paths[i], sizeof verifies.paths[i], "/%s/mfa/verify", username);
        crowd->requests[i] =
            (struct http_request){.method = "POST", .path = crowd->paths[i], .json = login_body(username)};
    }
    crowd_send(crowd, stage, path);
    for (size_t i = 0; i < crowd->count; i++)
        verifies.requests[i] = (struct http_request){.method = "POST",
                                                     .path = verifies.paths[i],
                                                     .token = http_json_string(&crowd->answers[i], "mfaToken"),
                                                     .json = code_body("12345")};
    crowd_send(&verifies, stage, path);
    crowd_clear(&verifies);
    crowd_clear(crowd);
}

static size_t count_requests(struct stage *stage, const char *path)
{
    size_t count = 0;

    for (size_t i = 0; i < gateway_request_count(stage->gateway); i++)
        count += strcmp(gateway_request(stage->gateway, i)->path, path) == 0;
    return count;
}

static void enrol_at_service(struct stage *stage, const char *username)
{
    char *token = stage_register(stage, username);
    char *mfa_token = user_activate(stage_url(stage), username, token, NULL);

    json_decref(user_confirm(stage_url(stage), username, mfa_token, "12345"));
    free(mfa_token);
    free(token);
}

static void each_code_is_checked_where_it_was_sent_however_often_the_configuration_changes(void **state)
{
    struct stage *stage = at_before(state, config_challenge_verify);
    struct crowd crowd = {.count = host_scale(CROWD, 5)};
    char username[16];

    for (size_t i = 0; i < crowd.count; i++) {
        snprintf(username, sizeof username, "user-%u", (unsigned)i);
        enrol_at_service(stage, username);
    }
    for (size_t i = 0; i < host_scale(10, 2); i++)
        crowd_logs_in(&crowd, stage, i % 2 == 0 ? "/after" : "/before");
    assert_int_equal(count_requests(stage, "/before/mfa/codes"),
                     count_requests(stage, "/before/mfa/codes/verifications"));
    assert_int_equal(count_requests(stage, "/after/mfa/codes"),
                     count_requests(stage, "/after/mfa/codes/verifications"));
}

struct nuisance {
    const struct host *host;
    int process; /* pidfd, since the process may be gone at any time */
};

/* Tells a host that is stopping to reload, until it is gone. */
static void *keep_telling(void *arg)
{
    const struct nuisance *nuisance = arg;

    while (!host_log_has(nuisance->host, "stopping"))
        continue;
    while (pidfd_send_signal(nuisance->process, SIGHUP, NULL, 0) == 0)
        continue;
    return NULL;
}

/* The last test: it closes the stage. */
static void a_host_that_is_told_to_end_does_so_whatever_it_is_told_besides(void **state)
{
    struct stage *stage = *state;
    struct nuisance nuisance = {.host = stage->host, .process = pidfd_open(host_pid(stage->host), 0)};
    pthread_t thread;

    assert_true(nuisance.process >= 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(pidfd_send_signal(nuisance.process, SIGHUP, NULL, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, keep_telling, &nuisance), 0);
    host_stop(stage->host);
    pthread_join(thread, NULL);
    close(nuisance.process);
    host_free(stage->host);
    gateway_stop(stage->gateway);
    free(stage);
}

static void metrics_count_hosts_they_did_not_know_together(void **state)
{
    struct stage *stage = at_before(state, config_single);
    struct http_answer answer;
    char *yaml = NULL;
    char url[PLACE_SIZE];

    snprintf(url, sizeof url, "http://localhost%s", strrchr(gateway_url(stage->gateway), ':'));
    yaml = config_single(url, NULL);
    host_configure(stage->host, yaml);
    assert_true(host_reload(stage->host));
    log_in(stage, "julia");
    answer = http_send(stage_url(stage), (struct http_request){.path = "/metrics"});
    assert_non_null(strstr(answer.body, "mfa_challenges_total{host=\"(other)\",outcome=\"sent\"} 1\n"));
    http_answer_clear(&answer);
    free(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_login_goes_by_the_new_configuration),
        cmocka_unit_test(a_secret_in_a_file_is_read_again),
        cmocka_unit_test(a_login_that_waits_is_finished_by_what_it_was_sent_by),
        cmocka_unit_test(a_login_under_way_ends_as_if_nothing_had_happened),
        cmocka_unit_test(a_mistake_is_told_by_key_and_line_as_at_start),
        cmocka_unit_test(mfa_cannot_be_turned_off_while_the_host_runs),
        cmocka_unit_test(a_file_that_cannot_be_read_changes_nothing),
        cmocka_unit_test(a_section_that_no_plugin_reads_changes_nothing),
        cmocka_unit_test(what_the_host_reads_itself_takes_a_restart),
        cmocka_unit_test(all_plugins_that_have_the_hook_take_it_over_or_none),
        cmocka_unit_test(metrics_count_hosts_they_did_not_know_together),
        cmocka_unit_test(each_code_is_checked_where_it_was_sent_however_often_the_configuration_changes),
        cmocka_unit_test(a_host_that_is_told_to_end_does_so_whatever_it_is_told_besides),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
