/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "plugin.h"

#define NEVER_MS 600000
#define SOON_MS 20
#define THREADS 8

struct owner {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    int settled;
    int closed;
    struct call_result *result;
    const char *objection;
};

static void on_settled(void *context, struct call_result *result, const char *objection)
{
    struct owner *owner = context;

    pthread_mutex_lock(&owner->lock);
    owner->settled++;
    call_result_free(owner->result);
    owner->result = result; /* transferred */
    owner->objection = objection;
    pthread_cond_broadcast(&owner->changed);
    pthread_mutex_unlock(&owner->lock);
}

static void on_closed(void *context)
{
    struct owner *owner = context;

    pthread_mutex_lock(&owner->lock);
    owner->closed++;
    pthread_cond_broadcast(&owner->changed);
    pthread_mutex_unlock(&owner->lock);
}

static const struct call_events events = {on_settled, on_closed};
static const struct plugin plugin, other_plugin;

struct world {
    struct calls *calls;
    struct owner owner;
    core_call call;
};

static void wait_until_settled(struct owner *owner)
{
    pthread_mutex_lock(&owner->lock);
    while (owner->settled == 0)
        pthread_cond_wait(&owner->changed, &owner->lock);
    pthread_mutex_unlock(&owner->lock);
}

static int start(void **state, uint64_t deadline_ms)
{
    struct world *world = calloc(1, sizeof(*world));

    if (!world || sodium_init() < 0)
        return -1;
    pthread_mutex_init(&world->owner.lock, NULL);
    pthread_cond_init(&world->owner.changed, NULL);
    world->calls = calls_new(deadline_ms);
    *state = world;
    return world->calls ? 0 : -1;
}

static int set_up(void **state)
{
    return start(state, NEVER_MS);
}

static int set_up_with_short_deadline(void **state)
{
    return start(state, SOON_MS);
}

static int tear_down(void **state)
{
    struct world *world = *state;

    calls_stop(world->calls);
    (void)calls_abandon(world->calls);
    calls_free(world->calls);
    call_result_free(world->owner.result);
    pthread_cond_destroy(&world->owner.changed);
    pthread_mutex_destroy(&world->owner.lock);
    free(world);
    return 0;
}

static void open_call(struct world *world, enum call_kind kind)
{
    assert_int_equal(calls_open(world->calls, &plugin, kind, &events, &world->owner, -1, &world->call), CORE_OK);
    assert_int_not_equal(world->call, 0);
    calls_hook_returned(world->calls);
}

static struct core_result result_of(uint32_t outcome, uint32_t http_status, const char *body)
{
    return (struct core_result){.struct_size = sizeof(struct core_result),
                                .outcome = outcome,
                                .http_status = http_status,
                                .body = {body, body ? strlen(body) : 0}};
}

static void a_completion_settles_and_closes(void **state)
{
    struct world *world = *state;
    char body[] = "{\"a\":1}";
    struct core_header header = {{"X-A", 3}, {"b", 1}};
    struct core_result result = result_of(CORE_ANSWER, 200, body);

    result.headers = &header;
    result.header_count = 1;
    open_call(world, CALL_ROUTE);
    assert_int_equal(calls_complete(world->calls, &plugin, world->call, &result), CORE_OK);
    body[2] = 'z';
    assert_int_equal(world->owner.settled, 1);
    assert_int_equal(world->owner.closed, 1);
    assert_memory_equal(world->owner.result->body.data, "{\"a\":1}", 7);
    assert_string_equal(world->owner.result->headers[0].name.data, "X-A");
    assert_int_equal(calls_count(world->calls), 0);
}

static void a_second_completion_is_an_error(void **state)
{
    struct world *world = *state;
    struct core_result result = result_of(CORE_ALLOW, 0, NULL);

    open_call(world, CALL_LOGIN);
    assert_int_equal(calls_complete(world->calls, &plugin, world->call, &result), CORE_OK);
    assert_int_equal(calls_complete(world->calls, &plugin, world->call, &result), CORE_ERR_CLOSED);
    assert_int_equal(world->owner.settled, 1);
}

static void a_token_that_was_never_made_is_an_error(void **state)
{
    struct world *world = *state;
    struct core_result result = result_of(CORE_ALLOW, 0, NULL);

    assert_int_equal(calls_complete(world->calls, &plugin, 0, &result), CORE_ERR_CLOSED);
    assert_int_equal(calls_complete(world->calls, &plugin, 12345, &result), CORE_ERR_CLOSED);
}

static void the_call_of_another_plugin_is_closed(void **state)
{
    struct world *world = *state;
    struct core_result result = result_of(CORE_ALLOW, 0, NULL);
    struct core_call_info info = {.struct_size = sizeof(info)};

    open_call(world, CALL_LOGIN);
    assert_int_equal(calls_info(world->calls, &other_plugin, world->call, &info), CORE_ERR_CLOSED);
    assert_int_equal(calls_complete(world->calls, &other_plugin, world->call, &result), CORE_ERR_CLOSED);
    assert_int_equal(world->owner.settled, 0);
    assert_int_equal(calls_complete(world->calls, &plugin, world->call, &result), CORE_OK);
}

static void *complete(void *context)
{
    struct world *world = context;
    struct core_result result = result_of(CORE_ALLOW, 0, NULL);

    return calls_complete(world->calls, &plugin, world->call, &result) == CORE_OK ? context : NULL;
}

static void of_many_completions_one_counts(void **state)
{
    struct world *world = *state;
    pthread_t threads[THREADS];
    int counted = 0;

    open_call(world, CALL_LOGIN);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, complete, world), 0);
    for (int i = 0; i < THREADS; i++) {
        void *won = NULL;
        assert_int_equal(pthread_join(threads[i], &won), 0);
        counted += won != NULL;
    }
    assert_int_equal(counted, 1);
    assert_int_equal(world->owner.settled, 1);
    assert_int_equal(world->owner.closed, 1);
}

static void a_late_completion_counts_but_changes_nothing(void **state)
{
    struct world *world = *state;
    struct core_result result = result_of(CORE_ALLOW, 0, NULL);
    struct core_call_info info = {.struct_size = sizeof(info)};

    open_call(world, CALL_LOGIN);
    wait_until_settled(&world->owner);
    assert_null(world->owner.result);
    assert_int_equal(world->owner.closed, 0);
    assert_int_equal(calls_info(world->calls, &plugin, world->call, &info), CORE_OK);
    assert_int_not_equal(info.cancelled, 0);
    assert_int_equal(calls_complete(world->calls, &plugin, world->call, &result), CORE_OK);
    assert_int_equal(world->owner.settled, 1);
    assert_null(world->owner.result);
    assert_int_equal(calls_complete(world->calls, &plugin, world->call, &result), CORE_ERR_CLOSED);
}

static void an_open_call_tells_about_itself(void **state)
{
    struct world *world = *state;
    struct core_call_info info = {.struct_size = sizeof(info)}, untouched = {.struct_size = 4};

    open_call(world, CALL_ROUTE);
    assert_int_equal(calls_info(world->calls, &plugin, world->call, &info), CORE_OK);
    assert_int_equal(info.cancelled, 0);
    assert_true(info.deadline_ms > NEVER_MS);
    assert_true(strlen(info.request_id) > 8);
    assert_int_equal(calls_info(world->calls, &plugin, world->call, &untouched), CORE_ERR_ARGUMENT);
    assert_int_equal(calls_info(world->calls, &plugin, world->call + 1, &info), CORE_ERR_CLOSED);
}

static void a_client_that_left_cancels_its_call(void **state)
{
    struct world *world = *state;
    struct core_call_info info = {.struct_size = sizeof(info)};
    int sockets[2];
    const struct timespec pause = {.tv_nsec = 10000000};

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    assert_int_equal(calls_open(world->calls, &plugin, CALL_ROUTE, &events, &world->owner, sockets[0], &world->call),
                     CORE_OK);
    calls_hook_returned(world->calls);
    assert_int_equal(shutdown(sockets[1], SHUT_WR), 0);
    for (int i = 0; i < 1000 && !info.cancelled; i++) {
        assert_int_equal(calls_info(world->calls, &plugin, world->call, &info), CORE_OK);
        (void)nanosleep(&pause, NULL);
    }
    assert_int_not_equal(info.cancelled, 0);
    assert_int_equal(world->owner.settled, 0);
    calls_stop(world->calls);
    assert_int_equal(calls_abandon(world->calls), 1);
    (void)close(sockets[0]);
    (void)close(sockets[1]);
}

static void a_stopped_registry_opens_nothing_and_cancels(void **state)
{
    struct world *world = *state;
    struct core_call_info info = {.struct_size = sizeof(info)};
    core_call refused = 1;

    open_call(world, CALL_ROUTE);
    calls_stop(world->calls);
    assert_int_equal(calls_open(world->calls, &plugin, CALL_ROUTE, &events, &world->owner, -1, &refused),
                     CORE_ERR_CLOSED);
    assert_int_equal(refused, 0);
    assert_int_equal(calls_info(world->calls, &plugin, world->call, &info), CORE_OK);
    assert_int_not_equal(info.cancelled, 0);
}

static void an_abandoned_call_is_denied(void **state)
{
    struct world *world = *state;

    open_call(world, CALL_LOGIN);
    calls_stop(world->calls);
    assert_int_equal(calls_abandon(world->calls), 1);
    assert_int_equal(world->owner.settled, 1);
    assert_int_equal(world->owner.closed, 1);
    assert_null(world->owner.result);
}

/* Completes with `result` and tells whether it was taken for a denial of the host's own. */
static bool is_denied(struct world *world, enum call_kind kind, const struct core_result *result)
{
    world->owner.settled = 0;
    open_call(world, kind);
    (void)calls_complete(world->calls, &plugin, world->call, result);
    assert_int_equal(world->owner.settled, 1);
    assert_true((world->owner.objection == NULL) == (world->owner.result != NULL));
    return !world->owner.result;
}

static bool outcome_is_denied(struct world *world, enum call_kind kind, uint32_t outcome, uint32_t status,
                              const char *body)
{
    struct core_result result = result_of(outcome, status, body);

    return is_denied(world, kind, &result);
}

static void what_is_not_permitted_denies(void **state)
{
    struct world *world = *state;
    struct core_result short_result = result_of(CORE_ALLOW, 0, NULL);

    short_result.struct_size = 8;
    assert_false(outcome_is_denied(world, CALL_LOGIN, CORE_ALLOW, 0, NULL));
    assert_false(outcome_is_denied(world, CALL_LOGIN, CORE_CHALLENGE, 200, "{}"));
    assert_false(outcome_is_denied(world, CALL_ROUTE, CORE_ANSWER, 302, "{}"));
    assert_false(outcome_is_denied(world, CALL_ROUTE, CORE_ANSWER, 204, NULL));
    assert_true(is_denied(world, CALL_LOGIN, NULL));
    assert_true(is_denied(world, CALL_LOGIN, &short_result));
    assert_true(outcome_is_denied(world, CALL_LOGIN, 77, 200, "{}"));
    assert_true(outcome_is_denied(world, CALL_LOGIN, CORE_ANSWER, 200, "{}"));
    assert_true(outcome_is_denied(world, CALL_LOGIN, CORE_RELEASE, 200, "{}"));
    assert_true(outcome_is_denied(world, CALL_LOGIN, CORE_CHALLENGE, 500, "{}"));
    assert_true(outcome_is_denied(world, CALL_LOGIN, CORE_CHALLENGE, 200, NULL));
    assert_true(outcome_is_denied(world, CALL_LOGIN, CORE_DENY, 200, "{}"));
    assert_true(outcome_is_denied(world, CALL_ROUTE, CORE_ALLOW, 200, "{}"));
    assert_true(outcome_is_denied(world, CALL_ROUTE, CORE_CHALLENGE, 200, "{}"));
    assert_true(outcome_is_denied(world, CALL_ROUTE, CORE_RELEASE, 200, "{}"));
    assert_true(outcome_is_denied(world, CALL_ROUTE, CORE_ANSWER, 500, "{}"));
    assert_true(outcome_is_denied(world, CALL_ROUTE, CORE_DENY, 400, NULL));
}

static void a_header_that_would_break_the_answer_denies(void **state)
{
    struct world *world = *state;
    const struct core_header headers[] = {{{"X-A", 3}, {"a\r\nB: c", 7}},
                                          {{"X A", 3}, {"b", 1}},
                                          {{"", 0}, {"b", 1}},
                                          {{"content-length", 14}, {"5", 1}},
                                          {{"Content-Type", 12}, {"text/html", 9}},
                                          {{"access-control-allow-origin", 27}, {"x", 1}},
                                          {{"X-A", 3}, {"", 0}},
                                          {{"X-A", 3}, {NULL, 1}}};

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct core_result result = result_of(CORE_ANSWER, 200, "{}");
        result.headers = &headers[i];
        result.header_count = 1;
        open_call(world, CALL_ROUTE);
        assert_int_equal(calls_complete(world->calls, &plugin, world->call, &result), CORE_ERR_ARGUMENT);
        assert_null(world->owner.result);
    }
}

static void a_result_is_taken_up_to_its_limits(void **state)
{
    struct world *world = *state;
    static char body[1024 * 1024 + 1];
    struct core_header headers[65];
    struct core_result result = result_of(CORE_ANSWER, 200, "{}");

    for (size_t i = 0; i < 65; i++)
        headers[i] = (struct core_header){{"X-A", 3}, {"b", 1}};
    headers[0].value = (struct core_span){body, 8192};
    memset(body, 'b', sizeof(body));
    result.headers = headers;
    result.header_count = 64;
    assert_false(is_denied(world, CALL_ROUTE, &result));
    result.header_count = 65;
    assert_true(is_denied(world, CALL_ROUTE, &result));
    result.header_count = 1;
    headers[0].value.len = 8193;
    assert_true(is_denied(world, CALL_ROUTE, &result));
    headers[0].value.len = 1;
    result.body = (struct core_span){body, sizeof(body) - 1};
    assert_false(is_denied(world, CALL_ROUTE, &result));
    result.body.len++;
    assert_true(is_denied(world, CALL_ROUTE, &result));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_completion_settles_and_closes),
        TEST(a_second_completion_is_an_error),
        TEST(a_token_that_was_never_made_is_an_error),
        TEST(the_call_of_another_plugin_is_closed),
        TEST(of_many_completions_one_counts),
        cmocka_unit_test_setup_teardown(a_late_completion_counts_but_changes_nothing, set_up_with_short_deadline,
                                        tear_down),
        TEST(an_open_call_tells_about_itself),
        TEST(a_client_that_left_cancels_its_call),
        TEST(a_stopped_registry_opens_nothing_and_cancels),
        TEST(an_abandoned_call_is_denied),
        TEST(what_is_not_permitted_denies),
        TEST(a_header_that_would_break_the_answer_denies),
        TEST(a_result_is_taken_up_to_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
