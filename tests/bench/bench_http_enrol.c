/* SPDX-License-Identifier: Apache-2.0
 *
 * What it costs to enrol, activate and confirm with a service that answers at once, beside what the parts cost by
 * themselves: two requests to a bare libmicrohttpd server and one of a bare libcurl multi loop to the same service.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"
#include "load.h"
#include "measure.h"
#include "scene.h"

#define CONNECTIONS 32
#define MEMORY_DIR "/dev/shm"
#define USERS 1024
#define PASSES 5 /* over all of them in a round, which takes about as long as each of the parts then */
#define ROUNDS 9
#define ROUND_S 0.6 /* of each of the parts */
#define TURNS 6     /* with new connections to the bare server, as in each pass through the host */

struct person {
    char *activate; /* the whole requests */
    char *confirm;
    char *deactivate;
};

struct enrolment {
    struct scene *scene;
    struct bare bare;
    struct load_fixed fixed; /* for the bare server */
    char *fixed_requests[CONNECTIONS];
    struct person people[USERS];
    size_t current[CONNECTIONS]; /* whose turn it is */
    char message_url[512];
    double bare_rate, curl_rate; /* the last round */
    struct load_result of_host;
};

/* --- through the host ------------------------------------------------------------------------------------------------ */

static const char *confirm(struct enrolment *enrolment, size_t user, const struct load_answer *activated)
{
    struct person *person = &enrolment->people[user];
    char *token = scene_read_token(activated);
    char *body = scene_code_body(enrolment->scene, user, 0);
    char *path = scene_path(user, "/mfa/confirm");
    free(person->confirm);
    person->confirm = load_post(path, token, body);
    free(path);
    free(body);
    free(token);
    return person->confirm;
}

static struct person *next_person(struct enrolment *enrolment, size_t connection, const struct load_answer *previous)
{
    size_t *current = &enrolment->current[connection];
    *current = previous ? *current + CONNECTIONS : connection;
    return *current < USERS ? &enrolment->people[*current] : NULL;
}

static const char *next_enrolment(void *context, size_t connection, const struct load_answer *previous)
{
    struct enrolment *enrolment = context;
    if (previous && previous->status == 302)
        return confirm(enrolment, enrolment->current[connection], previous);
    if (previous && previous->status != 200)
        fail_msg("got %u %s", previous->status, previous->body);
    const struct person *person = next_person(enrolment, connection, previous);
    return person ? person->activate : NULL;
}

static const char *next_deactivation(void *context, size_t connection, const struct load_answer *previous)
{
    const struct person *person = next_person(context, connection, previous);
    return person ? person->deactivate : NULL;
}

static struct load_result visit_all(struct enrolment *enrolment, load_next_fn *next)
{
    return load_run(&(struct load){
        .url = scene_url(enrolment->scene), .connections = CONNECTIONS, .next = next, .context = enrolment});
}

/* Nobody is enrolled before a pass, and nobody after it, which does not count. */
static double host_rate(void *context)
{
    struct enrolment *enrolment = context;
    double took_s = 0;
    for (int i = 0; i < PASSES; i++) {
        enrolment->of_host = visit_all(enrolment, next_enrolment);
        (void)visit_all(enrolment, next_deactivation);
        took_s += enrolment->of_host.seconds;
    }
    return PASSES * USERS / took_s;
}

/* --- the parts by themselves ------------------------------------------------------------------------------------------- */

static double bare_rate(struct enrolment *enrolment)
{
    return load_run(&(struct load){.url = enrolment->bare.url,
                                   .connections = CONNECTIONS,
                                   .seconds = ROUND_S / TURNS,
                                   .turns = TURNS,
                                   .next = load_always,
                                   .context = &enrolment->fixed})
        .requests_per_s;
}

static size_t finish_and_begin_anew(CURLM *multi)
{
    size_t finished = 0;
    int left = 0;
    for (const CURLMsg *message = NULL; (message = curl_multi_info_read(multi, &left)); finished++) {
        CURL *easy = message->easy_handle;
        assert_int_equal(message->data.result, CURLE_OK);
        assert_int_equal(curl_multi_remove_handle(multi, easy), CURLM_OK);
        assert_int_equal(curl_multi_add_handle(multi, easy), CURLM_OK);
    }
    return finished;
}

static double curl_rate(const struct enrolment *enrolment)
{
    CURLM *multi = curl_multi_init();
    CURL *easies[CONNECTIONS];
    for (size_t i = 0; i < CONNECTIONS; i++) {
        easies[i] = curl_easy_init();
        curl_easy_setopt(easies[i], CURLOPT_URL, enrolment->message_url);
        assert_int_equal(curl_multi_add_handle(multi, easies[i]), CURLM_OK);
    }
    double started_s = measure_now_s();
    size_t finished = 0;
    int running = 0;
    while (measure_now_s() < started_s + ROUND_S) {
        assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK);
        size_t just_finished = finish_and_begin_anew(multi);
        finished += just_finished;
        if (just_finished == 0)
            assert_int_equal(curl_multi_poll(multi, NULL, 0, 1000, NULL), CURLM_OK);
    }
    double rate = (double)finished / (measure_now_s() - started_s);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        curl_multi_remove_handle(multi, easies[i]);
        curl_easy_cleanup(easies[i]);
    }
    curl_multi_cleanup(multi);
    return rate;
}

static double rate_of_parts(void *context)
{
    struct enrolment *enrolment = context;
    enrolment->bare_rate = bare_rate(enrolment);
    enrolment->curl_rate = curl_rate(enrolment);
    return 1 / (2 / enrolment->bare_rate + 1 / enrolment->curl_rate);
}

/* --- all of it --------------------------------------------------------------------------------------------------------- */

static char *user_data(size_t user)
{
    char *data = NULL;
    assert_true(asprintf(&data, SERVICE_USER_DATA, user) > 0);
    return data;
}

/* Returns the personal token; owned by caller, release with free. */
static char *person_init(struct enrolment *enrolment, size_t user)
{
    struct person *person = &enrolment->people[user];
    char *token = scene_register(enrolment->scene, user);
    char *data = user_data(user);
    char *path = scene_path(user, "/mfa/activate");
    person->activate = load_post(path, token, data);
    free(path);
    path = scene_path(user, "/mfa/deactivate");
    person->deactivate = load_post(path, token, "{}");
    free(path);
    free(data);
    return token;
}

/* What the bare server is measured with is a confirm of another user: its request and its answer. */
static void start_bare(struct enrolment *enrolment)
{
    char name[SCENE_USER_SIZE];
    scene_name(name, USERS);
    char *token = scene_register(enrolment->scene, USERS);
    char *data = user_data(USERS);
    char *mfa_token = user_activate(scene_url(enrolment->scene), name, token, data);
    char *body = scene_code_body(enrolment->scene, USERS, 0);
    char *path = scene_path(USERS, "/mfa/confirm");
    struct http_answer answer =
        user_mfa(scene_url(enrolment->scene), name, "confirm", mfa_token, json_loads(body, 0, NULL));
    http_assert_answer(&answer, 200, NULL);
    for (size_t i = 0; i < CONNECTIONS; i++)
        enrolment->fixed_requests[i] = load_post(path, mfa_token, body);
    enrolment->fixed = (struct load_fixed){.requests = (const char *const *)enrolment->fixed_requests, .status = 200};
    bare_start(&enrolment->bare, &answer);
    http_answer_clear(&answer);
    free(path);
    free(body);
    free(mfa_token);
    free(data);
    free(token);
}

static struct enrolment *enrolment_new(struct scene *scene)
{
    struct enrolment *enrolment = calloc(1, sizeof *enrolment);
    assert_non_null(enrolment);
    enrolment->scene = scene;
    for (size_t i = 0; i < USERS; i++)
        free(person_init(enrolment, i));
    start_bare(enrolment);
    snprintf(enrolment->message_url, sizeof enrolment->message_url,
             "%s/http/1.6/sendSMS.do?accessToken=your-api-key&message="
             "Your%%20Pryv%%20Lab%%20MFA%%20code%%20is%%3A%%20123456&emetteur=Pryv%%20Lab&numero=41791239999",
             service_url(scene->service));
    return enrolment;
}

static void enrolment_free(struct enrolment *enrolment)
{
    bare_stop(&enrolment->bare);
    for (size_t i = 0; i < CONNECTIONS; i++)
        free(enrolment->fixed_requests[i]);
    for (size_t i = 0; i < USERS; i++) {
        free(enrolment->people[i].activate);
        free(enrolment->people[i].confirm);
        free(enrolment->people[i].deactivate);
    }
    free(enrolment);
}

static void measure(struct scene *scene, const char *row, const char *what)
{
    struct enrolment *enrolment = enrolment_new(scene);
    struct measure_pair pair = measure_in_turn(host_rate, rate_of_parts, enrolment, ROUNDS);
    measure_print_row(&(struct measure_row){
        .row = row,
        .what = what,
        .against = "2 requests to bare libmicrohttpd + 1 of a bare libcurl loop",
        .unit = "enrolments/s",
        .value = pair.value,
        .reference = pair.reference,
        .goal = MEASURE_AT_LEAST,
        .limit = 0.6,
        .context =
            json_pack("{s:i, s:f, s:f, s:f, s:f}", "connections", CONNECTIONS, "p50_ms_of_a_request",
                      enrolment->of_host.p50_ms, "p99_ms_of_a_request", enrolment->of_host.p99_ms,
                      "bare_requests_per_s", enrolment->bare_rate, "curl_requests_per_s", enrolment->curl_rate)});
    enrolment_free(enrolment);
}

static void enrol_on_disk(void **state)
{
    measure(*state, "enrol", "enrol: activate + confirm, gateway answers at once");
}

static void enrol_in_memory(void **state)
{
    measure(*state, "enrol-in-memory", "the same with the host's data in memory: no disk to wait for");
}

int main(void)
{
    const struct CMUnitTest on_disk[] = {cmocka_unit_test(enrol_on_disk)};
    const struct CMUnitTest in_memory[] = {cmocka_unit_test(enrol_in_memory)};
    int failed = cmocka_run_group_tests(on_disk, scene_open, scene_close);
    if (failed > 0 || access(MEMORY_DIR, W_OK) != 0)
        return failed;
    setenv("TMPDIR", MEMORY_DIR, 1); /* for host_new */
    return cmocka_run_group_tests(in_memory, scene_open, scene_close);
}
