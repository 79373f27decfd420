/* SPDX-License-Identifier: Apache-2.0
 *
 * Pending sessions, created, found and taken: one thread against a uthash table with keys of the same size, and eight
 * threads against one, with the same sessions. There are always WAITING sessions in a ring, or elements of the uthash
 * table: each step creates one, finds the one that is half as old as the oldest, and takes the oldest.
 *
 * What threads share goes from one processor to the other and back. How long that takes is measured as well: on a virtual
 * machine it may be five times as long from one minute to the next, when its processors are moved apart.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "crowd.h"
#include "measure.h"
#include "mfa_session_shard.h"

#define ROUNDS 11
#define WAITING 1000
#define LOGINS 20000
#define STEPS 100000
#define THREADS 8
#define WORK_MS 150
#define NOW_MS 86399977

struct ring {
    struct mfa_sessions *sessions;
    struct crowd_login *logins;
    struct mfa_session_ref *refs;
    size_t count;
    _Alignas(MFA_CACHE_LINE) size_t steps; /* gone by a crew; apart from those of other threads */
};

static struct ring *ring_new(struct mfa_sessions *sessions, size_t first, size_t count)
{
    struct ring *ring = aligned_alloc(_Alignof(struct ring), sizeof *ring);

    *ring = (struct ring){.sessions = sessions,
                          .logins = calloc(count, sizeof *ring->logins),
                          .refs = calloc(count, sizeof *ring->refs),
                          .count = count};
    for (size_t i = 0; i < count; i++) {
        crowd_name(first + i, &ring->logins[i]);
        ring->refs[i] = crowd_ref(sessions, &ring->logins[i]);
    }
    return ring;
}

static void ring_free(struct ring *ring)
{
    free(ring->logins);
    free(ring->refs);
    free(ring);
}

static struct mfa_session_ref *ref_at(const struct ring *ring, size_t i)
{
    return &ring->refs[i % ring->count];
}

static void take(const struct ring *ring, size_t i)
{
    struct mfa_session *session = mfa_sessions_take(ring->sessions, NOW_MS, ref_at(ring, i));

    if (session == NULL)
        abort();
    mfa_sessions_use_up(ring->sessions, session);
    mfa_session_free(session);
}

/* Step number `i` since the ring was filled. */
static void step(const struct ring *ring, size_t i)
{
    crowd_open(ring->sessions, NOW_MS, ref_at(ring, i + WAITING));
    if (!mfa_sessions_has(ring->sessions, NOW_MS, ref_at(ring, i + WAITING / 2)))
        abort();
    take(ring, i);
}

static void fill(const struct ring *ring)
{
    for (size_t i = 0; i < WAITING; i++)
        crowd_open(ring->sessions, NOW_MS, &ring->refs[i]);
}

/* After so many steps. */
static void empty(const struct ring *ring, size_t steps)
{
    for (size_t i = 0; i < WAITING; i++)
        take(ring, steps + i);
}

/* Steps per second. */
static double step_sessions(void *context)
{
    const struct ring *ring = context;
    double start_s = 0;

    fill(ring);
    start_s = measure_now_s();
    for (size_t i = 0; i < STEPS; i++)
        step(ring, i);
    start_s = measure_now_s() - start_s;
    empty(ring, STEPS);
    return STEPS / start_s;
}

/* --- What it is compared with ------------------------------------------------------------------------------------- */

struct element {
    UT_hash_handle hh;
    unsigned char key[MFA_SESSION_KEY_LEN];
};

static void insert(struct element **table, const struct mfa_session_ref *ref)
{
    struct element *element = malloc(sizeof *element);

    memcpy(element->key, ref->key, sizeof element->key);
    HASH_ADD(hh, *table, key, sizeof element->key, element);
}

static void find(struct element *table, const struct mfa_session_ref *ref, struct element **found)
{
    HASH_FIND(hh, table, ref->key, sizeof ref->key, *found);
    if (*found == NULL)
        abort();
}

static void delete (struct element **table, const struct mfa_session_ref *ref)
{
    struct element *element = NULL;

    find(*table, ref, &element);
    HASH_DEL(*table, element);
    free(element);
}

static double step_uthash(void *context)
{
    const struct ring *ring = context;
    struct element *table = NULL;
    struct element *found = NULL;
    double start_s = 0;

    for (size_t i = 0; i < WAITING; i++)
        insert(&table, ref_at(ring, i));
    start_s = measure_now_s();
    for (size_t i = 0; i < STEPS; i++) {
        insert(&table, ref_at(ring, i + WAITING));
        find(table, ref_at(ring, i + WAITING / 2), &found);
        delete (&table, ref_at(ring, i));
    }
    start_s = measure_now_s() - start_s;
    for (size_t i = 0; i < WAITING; i++)
        delete (&table, ref_at(ring, STEPS + i));
    return STEPS / start_s;
}

/* --- Eight threads ------------------------------------------------------------------------------------------------ */

struct crew {
    struct ring *rings[THREADS];
    atomic_bool is_over;
};

/* A thread, with the rings from the first up to the last. */
struct hand {
    pthread_t thread;
    struct crew *crew;
    size_t first, last;
};

static void *work(void *arg)
{
    const struct hand *hand = arg;
    struct crew *crew = hand->crew;

    while (!atomic_load_explicit(&crew->is_over, memory_order_relaxed))
        for (size_t i = hand->first; i < hand->last; i++)
            step(crew->rings[i], crew->rings[i]->steps++);
    return NULL;
}

/* Steps per second in all rings, by so many threads together. */
static double step_with(struct crew *crew, size_t threads)
{
    struct hand hands[THREADS];
    size_t steps = 0;

    atomic_store(&crew->is_over, false);
    for (size_t i = 0; i < THREADS; i++) {
        crew->rings[i]->steps = 0;
        fill(crew->rings[i]);
    }
    double start_s = measure_now_s();
    for (size_t i = 0; i < threads; i++) {
        hands[i] = (struct hand){.crew = crew, .first = i * THREADS / threads, .last = (i + 1) * THREADS / threads};
        if (pthread_create(&hands[i].thread, NULL, work, &hands[i]) != 0)
            abort();
    }
    nanosleep(&(struct timespec){.tv_nsec = WORK_MS * 1000000L}, NULL);
    atomic_store(&crew->is_over, true);
    for (size_t i = 0; i < threads; i++)
        pthread_join(hands[i].thread, NULL);
    start_s = measure_now_s() - start_s;
    for (size_t i = 0; i < THREADS; i++) {
        steps += crew->rings[i]->steps;
        empty(crew->rings[i], crew->rings[i]->steps);
    }
    return (double)steps / start_s;
}

static double step_with_all(void *context)
{
    return step_with(context, THREADS);
}

static double step_with_one(void *context)
{
    return step_with(context, 1);
}

/* --- What sharing costs here ---------------------------------------------------------------------------------------- */

#define PASSES 1000000

struct line {
    _Alignas(MFA_CACHE_LINE) atomic_ulong passed; /* even: ours, odd: the other's */
    _Alignas(MFA_CACHE_LINE) atomic_bool is_over;
};

static void *give_back(void *arg)
{
    struct line *line = arg;

    while (!atomic_load(&line->is_over))
        if (atomic_load(&line->passed) % 2 == 1)
            atomic_fetch_add(&line->passed, 1);
    return NULL;
}

/* Nanoseconds for each time there and back. */
static double pass_line(void)
{
    struct line line;
    pthread_t other;
    double start_s = 0;

    atomic_init(&line.passed, 0);
    atomic_init(&line.is_over, false);
    if (pthread_create(&other, NULL, give_back, &line) != 0)
        abort();
    start_s = measure_now_s();
    for (size_t i = 0; i < PASSES; i++) {
        atomic_fetch_add(&line.passed, 1);
        while (atomic_load(&line.passed) % 2 == 1)
            continue;
    }
    start_s = measure_now_s() - start_s;
    atomic_store(&line.is_over, true);
    pthread_join(other, NULL);
    return start_s / PASSES * 1e9;
}

int main(void)
{
    struct mfa_sessions *sessions = crowd_table(100000);
    struct ring *ring = ring_new(sessions, 0, LOGINS);
    struct crew crew;
    struct measure_pair pair = measure_in_turn(step_sessions, step_uthash, ring, ROUNDS);

    measure_print_row(&(struct measure_row){.row = "sessions",
                                            .what = "session create, find and take, one thread",
                                            .against = "uthash insert, find and delete, same key size",
                                            .unit = "steps/s",
                                            .value = pair.value,
                                            .reference = pair.reference,
                                            .goal = MEASURE_AT_LEAST,
                                            .limit = 0.4});
    ring_free(ring);
    for (size_t i = 0; i < THREADS; i++)
        crew.rings[i] = ring_new(sessions, i * LOGINS, LOGINS);
    pair = measure_in_turn(step_with_all, step_with_one, &crew, ROUNDS);
    measure_print_row(&(struct measure_row){.row = "sessions-threads",
                                            .what = "session create, find and take, 8 threads",
                                            .against = "one thread",
                                            .unit = "steps/s",
                                            .value = pair.value,
                                            .reference = pair.reference,
                                            .goal = MEASURE_AT_LEAST,
                                            .limit = 1});
    measure_print_row(&(struct measure_row){.row = "processors",
                                            .what = "a cache line to another processor and back",
                                            .unit = "ns",
                                            .value = pass_line(),
                                            .goal = MEASURE_REPORT});
    for (size_t i = 0; i < THREADS; i++)
        ring_free(crew.rings[i]);
    mfa_sessions_free(sessions);
    return 0;
}
