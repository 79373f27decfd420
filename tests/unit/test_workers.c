/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mfa_workers.h"

#define JOBS 5000

/* A job that says when it runs, and runs on when it may. */
struct gated_job {
    struct mfa_job job; /* first, so that a pointer to it is one to the whole */
    sem_t started;
    sem_t may_end;
};

struct counting_job {
    struct mfa_job job; /* first */
    struct mfa_workers *workers;
    atomic_int *count;
    int order;
    int rounds_left;
};

static void run_gated(struct mfa_job *job)
{
    struct gated_job *gated = (struct gated_job *)job;

    sem_post(&gated->started);
    sem_wait(&gated->may_end);
}

static struct counting_job *counting(struct mfa_job *job)
{
    return (struct counting_job *)job;
}

static void run_count(struct mfa_job *job)
{
    atomic_fetch_add(counting(job)->count, 1);
}

static void run_count_in_order(struct mfa_job *job)
{
    counting(job)->order = atomic_fetch_add(counting(job)->count, 1);
}

static void run_count_and_free(struct mfa_job *job)
{
    run_count(job);
    free(counting(job));
}

static void run_again(struct mfa_job *job)
{
    atomic_fetch_add(counting(job)->count, 1);
    if (counting(job)->rounds_left-- > 0)
        mfa_workers_continue(counting(job)->workers, job);
}

/* One worker, busy with `gate` until it is opened. */
static struct mfa_workers *busy_worker(struct gated_job *gate, uint32_t max_queued)
{
    struct mfa_workers *workers = NULL;

    *gate = (struct gated_job){.job.run = run_gated};
    sem_init(&gate->started, 0, 0);
    sem_init(&gate->may_end, 0, 0);
    assert_int_equal(mfa_workers_new(&workers, 1, max_queued), MFA_OK);
    assert_int_equal(mfa_workers_submit(workers, &gate->job), MFA_OK);
    sem_wait(&gate->started);
    return workers;
}

static void no_threads_is_refused(void **state)
{
    struct mfa_job somewhere;
    struct mfa_workers *workers = (struct mfa_workers *)&somewhere;

    (void)state;
    assert_int_equal(mfa_workers_new(&workers, 0, 1), MFA_ERR_ARGUMENT);
    assert_null(workers);
}

static void a_full_queue_refuses_and_takes_again(void **state)
{
    struct gated_job gate;
    atomic_int count = 0;
    struct counting_job jobs[3];
    struct mfa_workers *workers = busy_worker(&gate, 2);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        jobs[i] = (struct counting_job){.job.run = run_count, .count = &count};
    assert_int_equal(mfa_workers_submit(workers, &jobs[0].job), MFA_OK);
    assert_int_equal(mfa_workers_submit(workers, &jobs[1].job), MFA_OK);
    assert_int_equal(mfa_workers_submit(workers, &jobs[2].job), MFA_ERR_FULL);
    assert_int_equal(count, 0);
    sem_post(&gate.may_end);
    while (atomic_load(&count) < 2)
        sched_yield();
    assert_int_equal(mfa_workers_submit(workers, &jobs[2].job), MFA_OK);
    mfa_workers_free(workers);
    assert_int_equal(count, 3);
}

static void work_that_was_admitted_goes_on_past_the_limit(void **state)
{
    struct gated_job gate;
    atomic_int count = 0;
    struct counting_job first = {.job.run = run_count, .count = &count};
    struct counting_job rest = first;
    struct mfa_workers *workers = busy_worker(&gate, 1);

    (void)state;
    assert_int_equal(mfa_workers_submit(workers, &first.job), MFA_OK);
    mfa_workers_continue(workers, &rest.job);
    sem_post(&gate.may_end);
    mfa_workers_free(workers);
    assert_int_equal(count, 2);
}

static void jobs_start_in_the_order_they_were_queued(void **state)
{
    struct gated_job gate;
    atomic_int count = 0;
    struct counting_job jobs[10];
    struct mfa_workers *workers = busy_worker(&gate, 10);

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        jobs[i] = (struct counting_job){.job.run = run_count_in_order, .count = &count};
        assert_int_equal(mfa_workers_submit(workers, &jobs[i].job), MFA_OK);
    }
    sem_post(&gate.may_end);
    mfa_workers_free(workers);
    for (int i = 0; i < 10; i++)
        assert_int_equal(jobs[i].order, i);
}

static void wait_for_stop(struct mfa_workers *workers)
{
    struct mfa_job late = {0};

    while (mfa_workers_submit(workers, &late) != MFA_ERR_STOPPING)
        sched_yield();
}

static void *stop(void *workers)
{
    mfa_workers_stop(workers);
    return NULL;
}

static void a_stop_refuses_new_work_and_runs_what_is_queued(void **state)
{
    struct gated_job gate;
    atomic_int count = 0;
    struct counting_job queued = {.job.run = run_count, .count = &count};
    struct mfa_workers *workers = busy_worker(&gate, 1);
    pthread_t stopper;

    (void)state;
    assert_int_equal(mfa_workers_submit(workers, &queued.job), MFA_OK);
    /* The queue is full, so until the stop has begun a submission is refused for that. */
    pthread_create(&stopper, NULL, stop, workers);
    wait_for_stop(workers);
    assert_int_equal(count, 0);
    sem_post(&gate.may_end);
    pthread_join(stopper, NULL);
    assert_int_equal(count, 1);
    mfa_workers_stop(workers);
    mfa_workers_free(workers);
    assert_int_equal(count, 1);
}

static void a_stop_waits_for_work_that_goes_on(void **state)
{
    struct gated_job gate;
    atomic_int count = 0;
    struct mfa_workers *workers = busy_worker(&gate, 1);
    struct counting_job job = {.job.run = run_again, .workers = workers, .count = &count, .rounds_left = 100};

    (void)state;
    assert_int_equal(mfa_workers_submit(workers, &job.job), MFA_OK);
    sem_post(&gate.may_end);
    mfa_workers_free(workers);
    assert_int_equal(count, 101);
}

static void each_job_runs_once_and_may_free_itself(void **state)
{
    struct mfa_workers *workers = NULL;
    atomic_int count = 0;

    (void)state;
    assert_int_equal(mfa_workers_new(&workers, 4, JOBS), MFA_OK);
    for (int i = 0; i < JOBS; i++) {
        struct counting_job *job = calloc(1, sizeof *job);
        assert_non_null(job);
        *job = (struct counting_job){.job.run = run_count_and_free, .count = &count};
        assert_int_equal(mfa_workers_submit(workers, &job->job), MFA_OK);
    }
    mfa_workers_free(workers);
    assert_int_equal(count, JOBS);
}

static void threads_work_at_the_same_time(void **state)
{
    struct mfa_workers *workers = NULL;
    struct gated_job gates[3];

    (void)state;
    assert_int_equal(mfa_workers_new(&workers, 3, 3), MFA_OK);
    for (size_t i = 0; i < 3; i++) {
        gates[i] = (struct gated_job){.job.run = run_gated};
        sem_init(&gates[i].started, 0, 0);
        sem_init(&gates[i].may_end, 0, 0);
        assert_int_equal(mfa_workers_submit(workers, &gates[i].job), MFA_OK);
    }
    for (size_t i = 0; i < 3; i++)
        sem_wait(&gates[i].started);
    for (size_t i = 0; i < 3; i++)
        sem_post(&gates[i].may_end);
    mfa_workers_free(workers);
}

static sigset_t mask_of_worker;

static void run_note_mask(struct mfa_job *job)
{
    (void)job;
    pthread_sigmask(SIG_SETMASK, NULL, &mask_of_worker);
}

static void threads_block_all_signals_and_leave_the_callers_mask(void **state)
{
    struct mfa_workers *workers = NULL;
    struct mfa_job job = {.run = run_note_mask};
    sigset_t none;
    sigset_t before;
    sigset_t after;

    (void)state;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, &before);
    assert_int_equal(mfa_workers_new(&workers, 1, 1), MFA_OK);
    assert_int_equal(mfa_workers_submit(workers, &job), MFA_OK);
    mfa_workers_free(workers);
    pthread_sigmask(SIG_SETMASK, &before, &after);
    static const int signals[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        assert_true(sigismember(&mask_of_worker, signals[i]));
        assert_false(sigismember(&after, signals[i]));
    }
}

static void free_accepts_null(void **state)
{
    (void)state;
    mfa_workers_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_threads_is_refused),
        cmocka_unit_test(a_full_queue_refuses_and_takes_again),
        cmocka_unit_test(work_that_was_admitted_goes_on_past_the_limit),
        cmocka_unit_test(jobs_start_in_the_order_they_were_queued),
        cmocka_unit_test(a_stop_refuses_new_work_and_runs_what_is_queued),
        cmocka_unit_test(a_stop_waits_for_work_that_goes_on),
        cmocka_unit_test(each_job_runs_once_and_may_free_itself),
        cmocka_unit_test(threads_work_at_the_same_time),
        cmocka_unit_test(threads_block_all_signals_and_leave_the_callers_mask),
        cmocka_unit_test(free_accepts_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
