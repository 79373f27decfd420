/* SPDX-License-Identifier: Apache-2.0
 *
 * Two thousand challenges that wait for a slow service at once: how much longer than one they take, what they take of
 * threads and memory, and whether anybody else has to wait for them.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load.h"
#include "measure.h"
#include "scene.h"

#define CHALLENGES 2000
#define SERVICE_S 1.0
#define ROUNDS 5

#define WAITING_USER ((size_t)0)
#define OTHER_USER ((size_t)1) /* without MFA */

/* Logins of others meanwhile. The service takes so long that all still wait when they end. */
#define LOGIN_CONNECTIONS 8
#define LOGIN_S 1.5
#define LONG_SERVICE_S 2.5

struct flight {
    struct scene *scene;
    char *requests[CHALLENGES];
    char *logins[LOGIN_CONNECTIONS];
    size_t threads_before, threads_during;
    double bytes_before, bytes_during; /* resident, of the host */
    double idle_p50_ms, busy_p50_ms;
};

/* --- the sessions ------------------------------------------------------------------------------------------------------ */

static char *login_request(size_t user)
{
    char name[SCENE_USER_SIZE];
    scene_name(name, user);
    json_t *body = login_body(name);
    char *text = json_dumps(body, JSON_COMPACT);
    char *path = scene_path(user, "/auth/login");
    char *request = load_post(path, NULL, text);
    free(path);
    free(text);
    json_decref(body);
    return request;
}

struct opening {
    char *login;
    char *challenge_path;
    char **requests; /* one for each session, to be filled in */
    size_t begun, opened;
};

static const char *open_next(void *context, size_t connection, const struct load_answer *previous)
{
    struct opening *opening = context;
    (void)connection;
    if (previous) {
        char *token = scene_read_token(previous);
        opening->requests[opening->opened++] = load_post(opening->challenge_path, token, NULL);
        free(token);
    }
    return opening->begun++ < CHALLENGES ? opening->login : NULL;
}

static void open_sessions(struct flight *flight)
{
    struct opening opening = {.login = login_request(WAITING_USER),
                              .challenge_path = scene_path(WAITING_USER, "/mfa/challenge"),
                              .requests = flight->requests};
    load_run(&(struct load){
        .url = scene_url(flight->scene), .connections = LOGIN_CONNECTIONS, .next = open_next, .context = &opening});
    assert_int_equal(opening.opened, CHALLENGES);
    free(opening.challenge_path);
    free(opening.login);
}

static int flight_open(void **state)
{
    struct flight *flight = calloc(1, sizeof *flight);
    assert_non_null(flight);
    void *scene = NULL;
    scene_open(&scene);
    flight->scene = scene;
    scene_enrol(scene, WAITING_USER);
    free(scene_register(scene, OTHER_USER));
    open_sessions(flight);
    for (size_t i = 0; i < LOGIN_CONNECTIONS; i++)
        flight->logins[i] = login_request(OTHER_USER);
    *state = flight;
    return 0;
}

static int flight_close(void **state)
{
    struct flight *flight = *state;
    void *scene = flight->scene;
    for (size_t i = 0; i < CHALLENGES; i++)
        free(flight->requests[i]);
    for (size_t i = 0; i < LOGIN_CONNECTIONS; i++)
        free(flight->logins[i]);
    free(flight);
    return scene_close(&scene);
}

/* --- challenges -------------------------------------------------------------------------------------------------------- */

/* One challenge of each session. */
static const char *challenge_once(void *context, size_t connection, const struct load_answer *previous)
{
    const struct flight *flight = context;
    if (previous && previous->status != 200)
        fail_msg("got %u %s", previous->status, previous->body);
    return previous ? NULL : flight->requests[connection];
}

static double challenge_seconds(struct flight *flight, size_t count)
{
    return load_run(
               &(struct load){
                   .url = scene_url(flight->scene), .connections = count, .next = challenge_once, .context = flight})
        .seconds;
}

static double seconds_of_all(void *context)
{
    service_delay(((struct flight *)context)->scene->service, SERVICE_S);
    return challenge_seconds(context, CHALLENGES);
}

static double seconds_of_one(void *context)
{
    service_delay(((struct flight *)context)->scene->service, SERVICE_S);
    return challenge_seconds(context, 1);
}

static void *challenge_all(void *context)
{
    (void)challenge_seconds(context, CHALLENGES);
    return NULL;
}

/* Returns when the service has all of the challenges, and answers none for `delay_s`. */
static pthread_t take_off(struct flight *flight, double delay_s)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    pthread_t thread;
    service_delay(flight->scene->service, delay_s);
    assert_int_equal(pthread_create(&thread, NULL, challenge_all, flight), 0);
    while (service_waiting(flight->scene->service) < CHALLENGES)
        nanosleep(&moment, NULL);
    return thread;
}

/* --- what they take ---------------------------------------------------------------------------------------------------- */

static double resident_bytes(pid_t pid)
{
    char path[64];
    double kib = -1;
    char line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %lf kB", &kib) == 1)
            break;
    fclose(file);
    assert_true(kib > 0);
    return kib * 1024;
}

static void look_at_resources(struct flight *flight)
{
    const struct host *host = flight->scene->host;
    flight->threads_before = host_thread_count(host);
    flight->bytes_before = resident_bytes(host_pid(host));
    pthread_t thread = take_off(flight, SERVICE_S);
    flight->threads_during = host_thread_count(host);
    flight->bytes_during = resident_bytes(host_pid(host));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void challenges_in_flight(void **state)
{
    struct flight *flight = *state;
    look_at_resources(flight); /* first: memory that was once used stays */
    struct measure_pair pair = measure_in_turn(seconds_of_all, seconds_of_one, flight, ROUNDS);
    measure_print_row(&(struct measure_row){.row = "in-flight-time",
                                            .what = "2,000 challenges at once, gateway takes 1 s",
                                            .against = "one challenge",
                                            .unit = "s",
                                            .value = pair.value,
                                            .reference = pair.reference,
                                            .goal = MEASURE_AT_MOST,
                                            .limit = 1.5});
    measure_print_row(
        &(struct measure_row){.row = "in-flight-threads",
                              .what = "threads more while they are in flight",
                              .unit = "threads",
                              .value = (double)flight->threads_during - (double)flight->threads_before,
                              .goal = MEASURE_AT_MOST,
                              .limit = 0,
                              .context = json_pack("{s:I}", "threads", (json_int_t)flight->threads_before)});
    measure_print_row(
        &(struct measure_row){.row = "in-flight-memory",
                              .what = "resident memory more while they are in flight",
                              .unit = "MiB",
                              .value = (flight->bytes_during - flight->bytes_before) / (1 << 20),
                              .goal = MEASURE_AT_MOST,
                              .limit = 48,
                              .context = json_pack("{s:f}", "resident_MiB_before", flight->bytes_before / (1 << 20))});
}

/* --- others meanwhile -------------------------------------------------------------------------------------------------- */

static struct load_result log_others_in(struct flight *flight)
{
    struct load_fixed fixed = {.requests = (const char *const *)flight->logins, .status = 200};
    return load_run(&(struct load){.url = scene_url(flight->scene),
                                   .connections = LOGIN_CONNECTIONS,
                                   .seconds = LOGIN_S,
                                   .next = load_always,
                                   .context = &fixed});
}

static double busy_p99_ms(void *context)
{
    struct flight *flight = context;
    pthread_t thread = take_off(flight, LONG_SERVICE_S);
    struct load_result result = log_others_in(flight);
    assert_int_equal(service_waiting(flight->scene->service), CHALLENGES);
    assert_int_equal(pthread_join(thread, NULL), 0);
    flight->busy_p50_ms = result.p50_ms;
    return result.p99_ms;
}

static double idle_p99_ms(void *context)
{
    struct flight *flight = context;
    struct load_result result = log_others_in(flight);
    flight->idle_p50_ms = result.p50_ms;
    return result.p99_ms;
}

static void logins_of_others_meanwhile(void **state)
{
    struct flight *flight = *state;
    struct measure_pair pair = measure_in_turn(busy_p99_ms, idle_p99_ms, flight, ROUNDS);
    measure_print_row(
        &(struct measure_row){.row = "in-flight-logins",
                              .what = "logins without MFA meanwhile, p99",
                              .against = "with an idle gateway",
                              .unit = "ms",
                              .value = pair.value,
                              .reference = pair.reference,
                              .goal = MEASURE_AT_MOST,
                              .limit = 1.2,
                              .context = json_pack("{s:i, s:f, s:f}", "connections", LOGIN_CONNECTIONS, "p50_ms",
                                                   flight->busy_p50_ms, "reference_p50_ms", flight->idle_p50_ms)});
}

int main(void)
{
    const struct CMUnitTest measurements[] = {
        cmocka_unit_test(challenges_in_flight),
        cmocka_unit_test(logins_of_others_meanwhile),
    };
    return cmocka_run_group_tests(measurements, flight_open, flight_close);
}
