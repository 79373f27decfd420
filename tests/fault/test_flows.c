/* SPDX-License-Identifier: Apache-2.0
 *
 * Every flow, again and again, with the first, the second, ... the last thing it needs failing. README.md says what must
 * hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "walk.h"

#define ENROLMENT MFA_RECORD_ENROLMENT
#define ATTEMPTS MFA_RECORD_ATTEMPTS
#define RECORDS 2
#define SENT_SIZE 4096

/* --- Playing one -------------------------------------------------------------------------------------------------- */

struct play {
    const struct walk *walk;
    struct fault fault; /* nth 0: nothing fails */
    bool has_failed;
    enum mfa_outcome outcome;
    enum mfa_decision decision;
    bool has_grant;
    char *answer; /* to the client; NULL: none */
    char *before[RECORDS];
    char *after[RECORDS];
    char sent[SENT_SIZE]; /* to the service */
};

/* Fails the test and says which walk it was and what went wrong there. */
#define EXPECT(play, condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            refute(play, #condition);                                                                                  \
    } while (0)

static void refute(const struct play *play, const char *condition)
{
    (void)fault_disarm();
    fail_msg(
        "%s, with the %u. %s failing%s: not %s; outcome %s, enrolment\n%s\n%s, attempts\n%s\n%s, sent\n%sanswer %s",
        play->walk->name, play->fault.nth, fault_name(play->fault.kind), play->fault.lasts ? " and all behind it" : "",
        condition, mfa_outcome_name(play->outcome), play->before[ENROLMENT], play->after[ENROLMENT],
        play->before[ATTEMPTS], play->after[ATTEMPTS], play->sent, play->answer);
}

static void add_text(char sent[static SENT_SIZE], const char *text)
{
    const size_t len = strlen(sent);

    (void)snprintf(sent + len, SENT_SIZE - len, "%s\n", text != NULL ? text : "");
}

static void note_sent(const struct fixture *fixture, size_t from, char sent[static SENT_SIZE])
{
    for (size_t i = from; i < fixture->gateway.count; i++) {
        const struct mfa_http_request *request = fixture->gateway.exchanges[i].request;

        add_text(sent, request->url_secret);
        for (size_t j = 0; j < request->header_count; j++)
            add_text(sent, request->header_secrets[j]);
        add_text(sent, request->body_secret);
    }
}

static void note_records(struct fixture *fixture, char *records[static RECORDS])
{
    for (int i = 0; i < RECORDS; i++)
        records[i] = fake_host_record(&fixture->host, (enum mfa_record)i, "id-alice");
}

static void note_completion(struct play *play, const struct fake_completion *completion)
{
    play->outcome = completion->outcome;
    play->decision = completion->http.decision;
    play->has_grant = completion->grant[0] != '\0';
    play->answer = completion->http.body.data != NULL ? strdup(completion->http.body.data) : NULL;
}

/* Plays the walk and leaves what came of it in `*play`, released with forget. */
static void perform(void **state, struct play *play, struct walk_scene *scene)
{
    const struct walk *walk = play->walk;
    struct fixture *fixture = fixture_restart(state, walk->config);
    const struct fake_completion *completion = NULL;
    size_t sent_before = 0;

    *scene = (struct walk_scene){.fixture = fixture, .walk = walk};
    walk->set(scene);
    sent_before = fixture->gateway.count;
    note_records(fixture, play->before);
    if (play->fault.nth > 0)
        fault_arm(&play->fault);
    completion = walk_run(scene, walk->replies);
    play->has_failed = play->fault.nth > 0 && fault_disarm();
    note_completion(play, completion);
    note_sent(fixture, sent_before, play->sent);
    note_records(fixture, play->after);
}

static void forget(struct play *play)
{
    for (int i = 0; i < RECORDS; i++) {
        free(play->before[i]);
        free(play->after[i]);
    }
    free(play->answer);
}

/* --- What must hold ----------------------------------------------------------------------------------------------- */

static bool is_jump(const struct play *play)
{
    return play->fault.kind >= FAULT_HOUR_FORWARD;
}

/* Blanks the number behind a key. */
static void blank(char *text, const char *key)
{
    char *found = strstr(text, key);

    if (found != NULL)
        memset(found + strlen(key), '#', strspn(found + strlen(key), "0123456789.+-e"));
}

/* Numbers that are the time, or follow from it, are as they may be once the clock has jumped. */
static void blank_times(char *text)
{
    char *end = NULL;

    blank(text, "\"confirmedAt\":");
    blank(text, "\"lastAt\":");
    blank(text, "\"recent\":");
    /* However many digits there were. */
    for (char *from = text; (end = strstr(from, "##")) != NULL; from = end)
        memmove(end, end + 1, strlen(end));
}

static bool is_same(const struct play *play, const char *a, const char *b)
{
    char texts[2][8192];

    if (a == NULL || b == NULL)
        return a == b;
    snprintf(texts[0], sizeof texts[0], "%s", a);
    snprintf(texts[1], sizeof texts[1], "%s", b);
    if (is_jump(play))
        for (int i = 0; i < 2; i++)
            blank_times(texts[i]);
    return strcmp(texts[0], texts[1]) == 0;
}

static bool is_as_after(const struct play *play, const struct play *clean, enum mfa_record record)
{
    return is_same(play, play->after[record], clean->after[record]);
}

static bool is_as_before(const struct play *play, enum mfa_record record)
{
    return is_same(play, play->after[record], play->before[record]);
}

/* Half of what there is to write has been written, and the other half cannot be. */
static bool is_half(const struct play *play, const struct play *clean)
{
    return is_as_after(play, clean, ENROLMENT) && !is_as_after(play, clean, ATTEMPTS) && !is_as_before(play, ENROLMENT);
}

static json_int_t consecutive(const char *attempts)
{
    json_t *tally = attempts != NULL ? json_loads(attempts, 0, NULL) : NULL;
    const json_int_t count = json_integer_value(json_object_get(tally, "consecutive"));

    json_decref(tally);
    return count;
}

/* The service has been asked, and may have compared the code: that counts, although its answer is of no use. */
static bool is_counted_guess(const struct play *play)
{
    return play->outcome == MFA_OUTCOME_PROVIDER_ERROR && play->sent[0] != '\0' &&
           consecutive(play->after[ATTEMPTS]) == consecutive(play->before[ATTEMPTS]) + 1;
}

static bool has_no_memory_left(const struct play *play)
{
    return play->fault.kind == FAULT_MEMORY && play->fault.lasts;
}

/* Each record is as before or as after, and never the second alone. */
static void check_records(const struct play *play, const struct play *clean)
{
    EXPECT(play, is_as_after(play, clean, ENROLMENT) || is_as_before(play, ENROLMENT));
    EXPECT(play, is_as_after(play, clean, ATTEMPTS) || is_as_before(play, ATTEMPTS) || is_counted_guess(play));
    if (is_half(play, clean))
        EXPECT(play, play->outcome == play->walk->half || has_no_memory_left(play));
    if (is_as_after(play, clean, ATTEMPTS) && !is_as_before(play, ATTEMPTS))
        EXPECT(play, is_as_after(play, clean, ENROLMENT));
}

/* What may be missing without being missed: the second half; the time, once the service has been asked, since it only goes
 * into statistics then; and whoever meets a conflict tries again. */
static bool is_shrugged_off(const struct play *play, const struct play *clean)
{
    return is_jump(play) || play->fault.kind == FAULT_CONFLICT || is_half(play, clean) ||
           (play->fault.kind == FAULT_CLOCK && play->sent[0] != '\0');
}

/* Each request goes out as it should, or not at all. */
static void check_sent(const struct play *play, const struct play *clean)
{
    EXPECT(play, strstr(clean->sent, play->sent) != NULL);
}

/* An hour or more, from the beginning of the call. */
static bool is_late(const struct play *play)
{
    return (play->fault.kind == FAULT_HOUR_FORWARD || play->fault.kind == FAULT_END_OF_TIME) && play->fault.nth == 1;
}

static void check_end(const struct play *play, const struct play *clean)
{
    EXPECT(play, !is_late(play) || !play->has_grant);
    if (play->outcome != clean->outcome) {
        EXPECT(play, play->fault.kind != FAULT_CONFLICT || play->fault.lasts);
        EXPECT(play, play->decision == MFA_DENY);
        EXPECT(play, !play->has_grant);
        return;
    }
    EXPECT(play, play->decision == MFA_DENY || is_shrugged_off(play, clean));
    EXPECT(play, play->decision == clean->decision && play->has_grant == clean->has_grant);
    EXPECT(play, is_same(play, play->answer, clean->answer));
    EXPECT(play, is_as_after(play, clean, ENROLMENT));
    EXPECT(play, is_as_after(play, clean, ATTEMPTS) || is_half(play, clean));
}

/* Whoever was told of a fault finds everything as it was, or has to log in again. */
static void check_again(struct play *play, const struct play *clean, struct walk_scene *scene)
{
    const struct walk *walk = play->walk;
    const struct fake_completion *again = NULL;

    if ((play->outcome != MFA_OUTCOME_INTERNAL && play->outcome != MFA_OUTCOME_QUEUE_FULL) || is_jump(play))
        return;
    again = walk_run(scene, walk->opening != NULL ? walk->opening : walk->replies);
    EXPECT(play, again->outcome != MFA_OUTCOME_INTERNAL);
    if (play->sent[0] == '\0' && is_as_before(play, ENROLMENT) && is_as_before(play, ATTEMPTS))
        EXPECT(play, again->outcome == clean->outcome || again->outcome == MFA_OUTCOME_BAD_TOKEN);
}

/* The user can log in with a code, after enrolling if need be. A clock is set right, and the host started again. */
static void check_login(const struct play *play, struct walk_scene *scene)
{
    if (is_jump(play))
        fixture_restart_core(scene->fixture, play->walk->config);
    scene->input = (struct fixture_input){.grant = "grant-alice"};
    EXPECT(play, walk_log_in(scene)->outcome == MFA_OUTCOME_VERIFIED);
}

static bool survives(void **state, struct play *play, const struct play *clean)
{
    struct walk_scene scene;
    bool has_failed = false;

    perform(state, play, &scene);
    has_failed = play->has_failed;
    if (has_failed) {
        check_records(play, clean);
        check_sent(play, clean);
        check_end(play, clean);
        check_again(play, clean, &scene);
        check_login(play, &scene);
    } else {
        EXPECT(play, play->outcome == clean->outcome);
    }
    forget(play);
    return has_failed;
}

/* --- The tests ---------------------------------------------------------------------------------------------------- */

/* Returns how many faults the walk has met. */
static unsigned walk_with(void **state, const struct walk *walk, enum fault_kind kind, bool lasts)
{
    struct play clean = {.walk = walk};
    struct walk_scene scene;
    unsigned nth = 0;
    bool has_failed = true;

    perform(state, &clean, &scene);
    EXPECT(&clean, clean.outcome == walk->outcome);
    while (has_failed) {
        struct play play = {.walk = walk, .fault = {kind, ++nth, lasts}};
        has_failed = survives(state, &play, &clean);
    }
    forget(&clean);
    return nth - 1;
}

static void walk_all(void **state, enum fault_kind kind, bool lasts)
{
    unsigned met = 0;

    for (size_t i = 0; i < walk_count; i++)
        met += walk_with(state, &walks[i], kind, lasts);
    print_message("%u times a %s has failed\n", met, fault_name(kind));
    assert_true(met > 0);
}

/* A test: all walks with a kind of fault, each alone, or with all behind it. */
#define SURVIVE(name, kind, lasts)                                                                                     \
    static void flows_survive_##name(void **state)                                                                     \
    {                                                                                                                  \
        walk_all(state, kind, lasts);                                                                                  \
    }

SURVIVE(a_failed_allocation, FAULT_MEMORY, false)
SURVIVE(a_lack_of_memory, FAULT_MEMORY, true)
SURVIVE(a_clock_that_fails_once, FAULT_CLOCK, false)
SURVIVE(a_broken_clock, FAULT_CLOCK, true)
SURVIVE(a_random_draw_that_fails, FAULT_RANDOM, false)
SURVIVE(a_lack_of_randomness, FAULT_RANDOM, true)
SURVIVE(a_read_that_fails, FAULT_LOAD, false)
SURVIVE(unreadable_storage, FAULT_LOAD, true)
SURVIVE(a_write_that_fails, FAULT_STORE, false)
SURVIVE(a_full_disk, FAULT_STORE, true)
SURVIVE(a_conflict, FAULT_CONFLICT, false)
SURVIVE(conflicts_without_end, FAULT_CONFLICT, true)
SURVIVE(a_password_check_that_fails, FAULT_PASSWORD, false)
SURVIVE(a_full_gateway, FAULT_GATEWAY, false)
SURVIVE(a_client_that_leaves_for_a_moment, FAULT_PATIENCE, false)
SURVIVE(a_client_that_leaves, FAULT_PATIENCE, true)
SURVIVE(a_clock_an_hour_ahead, FAULT_HOUR_FORWARD, true)
SURVIVE(a_clock_an_hour_behind, FAULT_HOUR_BACK, true)
SURVIVE(the_end_of_time, FAULT_END_OF_TIME, true)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SINGLE(flows_survive_a_failed_allocation),
        IN_SINGLE(flows_survive_a_lack_of_memory),
        IN_SINGLE(flows_survive_a_clock_that_fails_once),
        IN_SINGLE(flows_survive_a_broken_clock),
        IN_SINGLE(flows_survive_a_random_draw_that_fails),
        IN_SINGLE(flows_survive_a_lack_of_randomness),
        IN_SINGLE(flows_survive_a_read_that_fails),
        IN_SINGLE(flows_survive_unreadable_storage),
        IN_SINGLE(flows_survive_a_write_that_fails),
        IN_SINGLE(flows_survive_a_full_disk),
        IN_SINGLE(flows_survive_a_conflict),
        IN_SINGLE(flows_survive_conflicts_without_end),
        IN_SINGLE(flows_survive_a_password_check_that_fails),
        IN_SINGLE(flows_survive_a_full_gateway),
        IN_SINGLE(flows_survive_a_client_that_leaves_for_a_moment),
        IN_SINGLE(flows_survive_a_client_that_leaves),
        IN_SINGLE(flows_survive_a_clock_an_hour_ahead),
        IN_SINGLE(flows_survive_a_clock_an_hour_behind),
        IN_SINGLE(flows_survive_the_end_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
