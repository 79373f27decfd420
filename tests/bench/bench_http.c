/* SPDX-License-Identifier: Apache-2.0
 *
 * What a verify costs through the sample host, beside a bare libmicrohttpd server that answers the same bytes; and how that
 * changes with the number of connections.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare.h"
#include "load.h"
#include "measure.h"
#include "scene.h"

#define CONNECTIONS 32
#define ROUNDS 9
#define TURN_S 0.1
#define TURNS 15
#define CONNECTIONS_MAX 512
#define POINT_S 1.0

/* The host and the bare server, asked the same, one request for each connection. */
struct comparison {
    struct scene *scene;
    struct bare bare;
    struct load_fixed fixed;
    char *requests[CONNECTIONS_MAX];
    struct load_result of_host, of_bare; /* the last round */
    double host_cpu_us, bare_cpu_us;     /* of the server's processor time, for a request */
};

static double cpu_s(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static struct load_result run(const char *url, pid_t pid, struct comparison *comparison, double *cpu_us)
{
    double before_s = cpu_s(pid);
    struct load_result result = load_run(&(struct load){.url = url,
                                                        .connections = CONNECTIONS,
                                                        .seconds = TURN_S,
                                                        .turns = TURNS,
                                                        .next = load_always,
                                                        .context = &comparison->fixed});
    *cpu_us = (cpu_s(pid) - before_s) * 1e6 / (double)result.requests;
    return result;
}

static double host_rate(void *context)
{
    struct comparison *comparison = context;
    struct host *host = comparison->scene->host;
    comparison->of_host = run(host_url(host), host_pid(host), comparison, &comparison->host_cpu_us);
    return comparison->of_host.requests_per_s;
}

static double bare_rate(void *context)
{
    struct comparison *comparison = context;
    comparison->of_bare = run(comparison->bare.url, comparison->bare.pid, comparison, &comparison->bare_cpu_us);
    assert_int_equal(comparison->of_bare.answer_len, comparison->of_host.answer_len);
    return comparison->of_bare.requests_per_s;
}

static json_t *context_of(const struct comparison *comparison)
{
    return json_pack("{s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "connections", CONNECTIONS, "p50_ms",
                     comparison->of_host.p50_ms, "p99_ms", comparison->of_host.p99_ms, "reference_p50_ms",
                     comparison->of_bare.p50_ms, "reference_p99_ms", comparison->of_bare.p99_ms,
                     "server_cpu_us_per_request", comparison->host_cpu_us, "reference_server_cpu_us_per_request",
                     comparison->bare_cpu_us);
}

/* `row` comes with its name, what it is and its goal. */
static void compare(struct comparison *comparison, struct http_answer answer, struct measure_row row)
{
    comparison->fixed =
        (struct load_fixed){.requests = (const char *const *)comparison->requests, .status = (unsigned)answer.status};
    bare_start(&comparison->bare, &answer);
    struct measure_pair pair = measure_in_turn(host_rate, bare_rate, comparison, ROUNDS);
    bare_stop(&comparison->bare);
    row.against = "bare libmicrohttpd, same bytes";
    row.unit = "requests/s";
    row.value = pair.value;
    row.reference = pair.reference;
    row.goal = MEASURE_AT_LEAST;
    row.context = context_of(comparison);
    measure_print_row(&row);
    http_answer_clear(&answer);
}

static struct comparison *comparison_new(struct scene *scene)
{
    struct comparison *comparison = calloc(1, sizeof *comparison);
    assert_non_null(comparison);
    comparison->scene = scene;
    return comparison;
}

static void comparison_free(struct comparison *comparison)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        free(comparison->requests[i]);
    free(comparison);
}

/* --- an unknown token --------------------------------------------------------------------------------------------------- */

#define UNKNOWN_TOKEN "c0ffeec0-ffee-4c0f-8fee-c0ffeec0ffee"

/* How the host takes more and more connections, with the requests of the comparison. */
static void draw_concurrency(struct comparison *comparison)
{
    for (size_t connections = 1; connections <= CONNECTIONS_MAX; connections *= 2) {
        struct load_result result = load_run(&(struct load){.url = scene_url(comparison->scene),
                                                            .connections = connections,
                                                            .seconds = POINT_S,
                                                            .next = load_always,
                                                            .context = &comparison->fixed});
        measure_print_point("concurrency",
                            json_pack("{s:I, s:f, s:f, s:f}", "x", (json_int_t)connections, "requests_per_s",
                                      result.requests_per_s, "p50_ms", result.p50_ms, "p99_ms", result.p99_ms));
    }
}

static void verify_with_an_unknown_token(void **state)
{
    struct scene *scene = *state;
    struct comparison *comparison = comparison_new(scene);
    char name[SCENE_USER_SIZE];
    scene_name(name, 0);
    free(scene_register(scene, 0));
    char *path = scene_path(0, "/mfa/verify");
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        comparison->requests[i] = load_post(path, UNKNOWN_TOKEN, "{\"code\":\"123456\"}");
    compare(
        comparison, user_mfa(scene_url(scene), name, "verify", UNKNOWN_TOKEN, code_body("123456")),
        (struct measure_row){.row = "verify-unknown-token", .what = "POST mfa/verify, unknown token", .limit = 0.85});
    draw_concurrency(comparison);
    free(path);
    comparison_free(comparison);
}

/* --- a wrong code -------------------------------------------------------------------------------------------------------- */

#define FIRST_USER 1000 /* of those that are enrolled, one for each connection */

/* The verify of a new login of this user, with a code that is not the one sent. */
static char *wrong_code_request(struct scene *scene, size_t user, struct http_answer *answer)
{
    char name[SCENE_USER_SIZE];
    scene_name(name, user);
    scene_enrol(scene, user);
    char *mfa_token = user_login_mfa(scene_url(scene), name);
    char *body = scene_code_body(scene, user, 1);
    char *path = scene_path(user, "/mfa/verify");
    char *request = load_post(path, mfa_token, body);
    http_answer_clear(answer);
    *answer = user_mfa(scene_url(scene), name, "verify", mfa_token, json_loads(body, 0, NULL));
    free(path);
    free(body);
    free(mfa_token);
    return request;
}

static void verify_with_a_wrong_code(void **state)
{
    struct comparison *comparison = comparison_new(*state);
    struct http_answer answer = {0};
    for (size_t i = 0; i < CONNECTIONS; i++)
        comparison->requests[i] = wrong_code_request(comparison->scene, FIRST_USER + i, &answer);
    compare(comparison, answer,
            (struct measure_row){
                .row = "verify-wrong-code", .what = "POST mfa/verify, live session, wrong code", .limit = 0.75});
    comparison_free(comparison);
}

int main(void)
{
    const struct CMUnitTest measurements[] = {
        cmocka_unit_test(verify_with_an_unknown_token),
        cmocka_unit_test(verify_with_a_wrong_code),
    };
    return cmocka_run_group_tests(measurements, scene_open, scene_close);
}
