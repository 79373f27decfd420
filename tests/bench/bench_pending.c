/* SPDX-License-Identifier: Apache-2.0
 *
 * A thousand, a hundred thousand and a million pending sessions: what one takes in memory, how long it takes to create and
 * find one among them by its token, and for how long a request can be held up while all of them expire at once. Latencies
 * are taken with the processor's caches full of other things, as they are when a request comes in, and besides in a loop
 * that does nothing else, where a thousand sessions fit into the caches and a million do not.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "crowd.h"
#include "measure.h"

#define SAMPLES 4000
#define LEVELS 3
#define ROUNDS 5
#define STALL_ROUNDS 3
#define IDLE_MS 500
#define NOW_MS 86399977
#define LATER_MS (NOW_MS + 1800 * 1000)
#define MANY 1000000
/* Logins beyond those that wait; more than ever come while a million expire. */
#define GUESTS 400000
/* As much memory as a processor keeps for itself. */
#define CACHE_BYTES (2 * 1024 * 1024)

static struct crowd_login *logins;

/* 99th percentiles in microseconds. */
struct latency {
    double create_us;
    double find_us;
};

struct level {
    double bytes; /* per session */
    struct latency hot;
    struct latency cold;
};

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void open_login(struct mfa_sessions *sessions, uint64_t now_ms, const struct crowd_login *login)
{
    struct mfa_session_ref ref = crowd_ref(sessions, login);

    crowd_open(sessions, now_ms, &ref);
}

static void find_login(struct mfa_sessions *sessions, uint64_t now_ms, const struct crowd_login *login)
{
    struct mfa_session_ref ref = crowd_ref(sessions, login);

    if (!mfa_sessions_has(sessions, now_ms, &ref))
        abort();
}

static void take_login(struct mfa_sessions *sessions, const struct crowd_login *login)
{
    struct mfa_session_ref ref = crowd_ref(sessions, login);
    struct mfa_session *session = mfa_sessions_take(sessions, NOW_MS, &ref);

    if (session == NULL)
        abort();
    mfa_sessions_use_up(sessions, session);
    mfa_session_free(session);
}

/* Leaves the processor's caches as a request finds them, which comes after other work: without what the last one read. */
static void cool_down(void)
{
    static volatile unsigned char other[CACHE_BYTES];

    for (size_t i = 0; i < CACHE_BYTES; i += 64)
        other[i]++;
}

/* Creates, finds and takes with `pending` sessions waiting; the one found is another each time. */
static struct latency sample(struct mfa_sessions *sessions, size_t pending, bool is_cold)
{
    static double create_us[SAMPLES], find_us[SAMPLES];

    for (size_t i = 0; i < SAMPLES; i++) {
        /* Copies, or what is measured would be how far apart our own logins are in memory. */
        const struct crowd_login created = logins[MANY + i], found = logins[i * 7919 % pending];
        if (is_cold)
            cool_down();
        double start_s = measure_now_s();
        open_login(sessions, NOW_MS, &created);
        create_us[i] = (measure_now_s() - start_s) * 1e6;
        if (is_cold)
            cool_down();
        start_s = measure_now_s();
        find_login(sessions, NOW_MS, &found);
        find_us[i] = (measure_now_s() - start_s) * 1e6;
        take_login(sessions, &created);
    }
    return (struct latency){.create_us = measure_percentile(create_us, SAMPLES, 0.99),
                            .find_us = measure_percentile(find_us, SAMPLES, 0.99)};
}

/* The median of some rounds. */
static struct latency measure_latency(struct mfa_sessions *sessions, size_t pending, bool is_cold)
{
    double create_us[ROUNDS], find_us[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        struct latency latency = sample(sessions, pending, is_cold);
        create_us[i] = latency.create_us;
        find_us[i] = latency.find_us;
    }
    return (struct latency){.create_us = measure_percentile(create_us, ROUNDS, 0.5),
                            .find_us = measure_percentile(find_us, ROUNDS, 0.5)};
}

static struct level measure_level(size_t pending)
{
    struct level level = {0};
    struct mfa_sessions *sessions = crowd_table(MANY + 1);
    size_t before = heap_bytes();

    for (size_t i = 0; i < pending; i++)
        open_login(sessions, NOW_MS, &logins[i]);
    level.bytes = (double)(heap_bytes() - before) / (double)pending;
    level.hot = measure_latency(sessions, pending, false);
    level.cold = measure_latency(sessions, pending, true);
    mfa_sessions_free(sessions);
    return level;
}

/* --- A million that expire at once ------------------------------------------------------------------------------- */

struct sweep {
    struct mfa_sessions *sessions;
    atomic_bool is_over;
    double seconds;
};

static void *expire_all(void *arg)
{
    struct sweep *sweep = arg;
    double start_s = measure_now_s();

    mfa_sessions_expire(sweep->sessions, LATER_MS);
    sweep->seconds = measure_now_s() - start_s;
    atomic_store(&sweep->is_over, true);
    return NULL;
}

/* Seconds that this thread has waited for a processor, by the scheduler's own count; 0 where that is not to be had. */
static double waited_s(int schedstat)
{
    char text[128] = "";
    unsigned long long ran_ns = 0, waited_ns = 0;

    if (pread(schedstat, text, sizeof text - 1, 0) <= 0 || sscanf(text, "%llu %llu", &ran_ns, &waited_ns) != 2)
        return 0;
    return (double)waited_ns / 1e9;
}

/* The longest that one request took, a new login and a look-up, until `is_over`; without the time in which the machine was
 * busy with something else. */
static double longest_ms(struct mfa_sessions *sessions, uint64_t now_ms, const atomic_bool *is_over, size_t *requests)
{
    int schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    double longest_s = 0;

    for (*requests = 0; !atomic_load(is_over) && *requests < GUESTS; ++*requests) {
        double before_s = waited_s(schedstat);
        double start_s = measure_now_s();
        open_login(sessions, now_ms, &logins[MANY + *requests]);
        find_login(sessions, now_ms, &logins[MANY + *requests]);
        double took_s = measure_now_s() - start_s;
        if (took_s > longest_s)
            took_s -= waited_s(schedstat) - before_s;
        longest_s = took_s > longest_s ? took_s : longest_s;
    }
    close(schedstat);
    return longest_s * 1e3;
}

static void *wait_as_long(void *arg)
{
    struct sweep *sweep = arg;

    nanosleep(&(struct timespec){.tv_nsec = IDLE_MS * 1000000L}, NULL);
    atomic_store(&sweep->is_over, true);
    return NULL;
}

/* While `other` runs beside. The table is at its limit, so that what expires makes the room for the first new logins. */
static double stall_ms(struct sweep *sweep, void *(*other)(void *), uint64_t now_ms, size_t *requests)
{
    pthread_t thread;

    atomic_store(&sweep->is_over, false);
    if (pthread_create(&thread, NULL, other, sweep) != 0)
        abort();
    double longest = longest_ms(sweep->sessions, now_ms, &sweep->is_over, requests);
    pthread_join(thread, NULL);
    return longest;
}

static void measure_stall(void)
{
    double longest[STALL_ROUNDS], idle[STALL_ROUNDS];
    struct sweep sweep = {0};
    size_t requests = 0, idle_requests = 0;

    for (size_t i = 0; i < STALL_ROUNDS; i++) {
        sweep.sessions = crowd_table(MANY);
        for (size_t k = 0; k < MANY; k++)
            open_login(sweep.sessions, NOW_MS, &logins[k]);
        longest[i] = stall_ms(&sweep, expire_all, LATER_MS, &requests);
        idle[i] = stall_ms(&sweep, wait_as_long, LATER_MS, &idle_requests);
        mfa_sessions_free(sweep.sessions);
    }
    measure_print_row(&(struct measure_row){
        .row = "pending-expiry",
        .what = "longest request while 1,000,000 sessions expire at once, median of 3",
        .unit = "ms",
        .value = measure_percentile(longest, STALL_ROUNDS, 0.5),
        .goal = MEASURE_AT_MOST,
        .limit = 5,
        .context = json_pack("{s:f, s:f, s:f, s:I}", "longest_of_all_ms", measure_percentile(longest, STALL_ROUNDS, 1),
                             "longest_when_nothing_expires_ms", measure_percentile(idle, STALL_ROUNDS, 0.5),
                             "expiry_took_ms", sweep.seconds * 1e3, "requests_meanwhile", (json_int_t)requests)});
}

static void print_bytes(const struct level *levels)
{
    double data = (double)crowd_data_len();
    double most = 0;

    for (size_t i = 0; i < LEVELS; i++)
        most = levels[i].bytes > most ? levels[i].bytes : most;
    measure_print_row(
        &(struct measure_row){.row = "pending-bytes",
                              .what = "memory of a pending session beyond its data, the most of all three levels",
                              .unit = "bytes",
                              .value = most - data,
                              .goal = MEASURE_AT_MOST,
                              .limit = 200,
                              .context = json_pack("{s:f, s:f, s:f, s:f}", "data", data, "at_1000", levels[0].bytes,
                                                   "at_100000", levels[1].bytes, "at_1000000", levels[2].bytes)});
}

static void print_latency(const char *row, const char *what, double at_most, double at_least, double hot)
{
    measure_print_row(&(struct measure_row){.row = row,
                                            .what = what,
                                            .against = "1,000 pending",
                                            .unit = "us",
                                            .value = at_most,
                                            .reference = at_least,
                                            .goal = MEASURE_AT_MOST,
                                            .limit = 3,
                                            .context = json_pack("{s:f}", "ratio_in_a_tight_loop", hot)});
}

static void print_point(size_t pending, const struct level *level)
{
    measure_print_point("pending",
                        json_pack("{s:I, s:f, s:f, s:f}", "x", (json_int_t)pending, "bytes_per_session", level->bytes,
                                  "create_p99_us", level->cold.create_us, "find_p99_us", level->cold.find_us));
}

static void *measure_all(void *arg)
{
    static const size_t pending[LEVELS] = {1000, 100000, MANY};
    struct level levels[LEVELS];

    logins = calloc(MANY + GUESTS, sizeof *logins);
    if (logins == NULL)
        abort();
    for (size_t i = 0; i < MANY + GUESTS; i++)
        crowd_name(i, &logins[i]);
    for (size_t i = 0; i < LEVELS; i++) {
        levels[i] = measure_level(pending[i]);
        print_point(pending[i], &levels[i]);
    }
    print_bytes(levels);
    print_latency("pending-create", "create a session, p99, 1,000,000 pending", levels[2].cold.create_us,
                  levels[0].cold.create_us, levels[2].hot.create_us / levels[0].hot.create_us);
    print_latency("pending-find", "find a session by its token, p99, 1,000,000 pending", levels[2].cold.find_us,
                  levels[0].cold.find_us, levels[2].hot.find_us / levels[0].hot.find_us);
    measure_stall();
    free(logins);
    return arg;
}

/* As hosts do, not on the main thread: its heap gives back all that was freed below the last block in one step. */
int main(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, measure_all, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 1;
    return 0;
}
