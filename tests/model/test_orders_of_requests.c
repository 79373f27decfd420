/* SPDX-License-Identifier: Apache-2.0
 *
 * Any two requests to one account at once, or any MODEL_CALLERS, in every order, README.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

#define CALLERS_DEFAULT 2
#define CALLERS_MAX 3

static size_t callers_wanted(void)
{
    const char *text = getenv("MODEL_CALLERS");
    long callers = text != NULL ? strtol(text, NULL, 10) : CALLERS_DEFAULT;

    assert_in_range(callers, 1, CALLERS_MAX);
    return (size_t)callers;
}

struct party {
    struct scene *scene;
    struct invitation invitations[CALLERS_MAX];
    size_t size;
    struct orders_count orders;
    unsigned count; /* of parties */
};

static bool has_something_sent(const struct invitation *invitation)
{
    return invitation->action->asks_service[0];
}

/* Two at once that have something sent are much the same whatever comes of it, and there are many orders. */
static bool is_welcome(const struct party *party, size_t invited)
{
    size_t sending = 0;
    size_t plainly = 0;

    for (size_t i = 0; i <= invited; i++) {
        const struct invitation *one = &party->invitations[i];
        sending += has_something_sent(one);
        plainly += has_something_sent(one) && one->action->then == NULL && one->answer == SERVICE_AGREES;
    }
    return sending < 2 || sending == plainly;
}

static void invite(struct party *party, size_t invited, size_t first);

static void invite_with(struct party *party, size_t invited, size_t next, enum service_answer answer)
{
    party->invitations[invited] = (struct invitation){&actions[next], answer};
    if (is_welcome(party, invited))
        invite(party, invited + 1, next);
}

/* Invites the rest of a party, in the order of the list, since who is named first makes no difference. */
static void invite(struct party *party, size_t invited, size_t first)
{
    bool is_single = scene_is_single(party->scene);

    if (invited == party->size) {
        scene_run(party->scene, party->invitations, party->size, &party->orders);
        party->count++;
        return;
    }
    for (size_t next = first; next < action_count; next++) {
        enum service_answer last = actions[next].asks_service[!is_single] ? SERVICE_IS_AWAY : SERVICE_AGREES;
        for (enum service_answer answer = SERVICE_AGREES; answer <= last; answer++)
            invite_with(party, invited, next, answer);
    }
}

static void run_all(const char *yaml)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct party party = {.scene = scene, .size = callers_wanted()};

    assert_non_null(scene);
    scene_open(scene, yaml);
    invite(&party, 0, 0);
    print_message("%u parties of %zu: %llu orders, %llu more abandoned, at most %u steps\n", party.count, party.size,
                  (unsigned long long)party.orders.runs, (unsigned long long)party.orders.abandoned,
                  party.orders.longest);
    scene_close(scene);
    free(scene);
}

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < action_count; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    fail_msg("no action is called %s", name);
    return NULL;
}

#define CONSUME "recovery: {mode: consume}\n"
/* So tight that two callers can pass a limit. */
#define ONE_PER_SESSION CONSUME "attempts: {perSession: 1, maxConsecutive: 0, backoff: {baseSeconds: 0}}\n"
#define ONE_BEFORE_A_DELAY CONSUME "attempts: {maxConsecutive: 0, backoff: {freeFailures: 0, baseSeconds: 2}}\n"
#define ONE_IN_A_ROW CONSUME "attempts: {maxConsecutive: 1, backoff: {baseSeconds: 0}}\n"

static void a_session_with_one_attempt_in_single(void **state)
{
    (void)state;
    run_all(FIXTURE_SINGLE("", ONE_PER_SESSION));
}

static void an_account_with_one_attempt_before_a_delay_in_single(void **state)
{
    (void)state;
    run_all(FIXTURE_SINGLE("", ONE_BEFORE_A_DELAY));
}

static void an_account_with_one_attempt_before_it_stops_in_single(void **state)
{
    (void)state;
    run_all(FIXTURE_SINGLE("", ONE_IN_A_ROW));
}

static void a_session_with_one_attempt_in_challenge_verify(void **state)
{
    (void)state;
    run_all(FIXTURE_CHALLENGE_VERIFY(ONE_PER_SESSION));
}

static void an_account_with_one_attempt_before_a_delay_in_challenge_verify(void **state)
{
    (void)state;
    run_all(FIXTURE_CHALLENGE_VERIFY(ONE_BEFORE_A_DELAY));
}

/* Renewed between the look and the use, a recovery code lets go of the session again. */
static void a_code_beside_a_recovery_code_that_is_renewed(void **state)
{
    const struct invitation three[] = {{.action = find_action("verify")},
                                       {.action = find_action("verify with a recovery code")},
                                       {.action = find_action("renew the recovery codes")}};
    struct scene *scene = calloc(1, sizeof *scene);
    struct orders_count orders = {0};

    (void)state;
    assert_non_null(scene);
    scene_open(scene, FIXTURE_SINGLE("", CONSUME));
    scene_run(scene, three, sizeof three / sizeof three[0], &orders);
    print_message("a party of 3: %llu orders\n", (unsigned long long)orders.runs);
    scene_close(scene);
    free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_with_one_attempt_in_single),
        cmocka_unit_test(an_account_with_one_attempt_before_a_delay_in_single),
        cmocka_unit_test(an_account_with_one_attempt_before_it_stops_in_single),
        cmocka_unit_test(a_session_with_one_attempt_in_challenge_verify),
        cmocka_unit_test(an_account_with_one_attempt_before_a_delay_in_challenge_verify),
        cmocka_unit_test(a_code_beside_a_recovery_code_that_is_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
