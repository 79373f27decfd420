/* SPDX-License-Identifier: Apache-2.0 */
#include "stops.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mfa_housekeeper.h"
#include "mfa_workers.h"
#include "process.h"

/* --- Locks, wrapped by the linker ---------------------------------------------------------------------------------- */

#define MAX_LOCKS 32

static const pthread_mutex_t *used[MAX_LOCKS];
static size_t used_count;
static bool are_off;
static int only_where_used = -1; /* the process; -1: none */
static uint64_t touched_part;    /* behind the next lock */
static bool is_only_look;

void stops_are_off(bool now)
{
    are_off = now;
}

void stops_only_where_used(bool is_on)
{
    only_where_used = is_on ? (int)process_current() : -1;
}

void stops_touch(uint64_t part, bool only_looks)
{
    touched_part = part;
    is_only_look = only_looks;
}

void stops_forget(void)
{
    used_count = 0;
}

static bool is_used(const pthread_mutex_t *mutex)
{
    for (size_t i = 0; i < used_count; i++)
        if (used[i] == mutex)
            return true;
    return false;
}

/* Nothing stops while it holds a lock, so none is ever waited for. */
static void stop_at(const pthread_mutex_t *mutex)
{
    bool was_used = is_used(mutex);
    struct access access = {.object = mutex, .part = touched_part, .writes = !is_only_look};

    stops_touch(0, false);
    if (are_off || (!was_used && process_is_current() && (int)process_current() == only_where_used))
        return;
    if (!was_used) {
        assert_true(used_count < MAX_LOCKS);
        used[used_count++] = mutex;
    }
    process_stop(access);
}

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    stop_at(mutex);
    return __real_pthread_mutex_lock(mutex);
}

/* --- Workers: outside of processes, when a run is prepared, work is done at once ------------------------------------ */

struct mfa_workers {
    char nothing;
};

enum mfa_status mfa_workers_new(struct mfa_workers **out, uint32_t thread_count, uint32_t max_queued)
{
    (void)thread_count;
    (void)max_queued;
    *out = calloc(1, sizeof **out);
    return *out != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

static void work(void *arg)
{
    struct mfa_job *job = arg;

    job->run(job);
}

void mfa_workers_continue(struct mfa_workers *workers, struct mfa_job *job)
{
    (void)workers;
    if (process_is_current())
        process_start(work, job, NULL);
    else
        work(job);
}

enum mfa_status mfa_workers_submit(struct mfa_workers *workers, struct mfa_job *job)
{
    mfa_workers_continue(workers, job);
    return MFA_OK;
}

void mfa_workers_stop(struct mfa_workers *workers)
{
    (void)workers;
}

void mfa_workers_free(struct mfa_workers *workers)
{
    free(workers);
}

/* --- The housekeeper: time passes where the model says ------------------------------------------------------------- */

enum mfa_status mfa_housekeeper_new(struct mfa_housekeeper **out, const struct mfa_host_port *host,
                                    const atomic_size_t *in_flight, struct mfa_sessions *sessions,
                                    struct mfa_throttle *throttle, struct mfa_send_limits *send_limits)
{
    (void)host;
    (void)in_flight;
    (void)sessions;
    (void)throttle;
    (void)send_limits;
    *out = NULL;
    return MFA_OK;
}

void mfa_housekeeper_free(struct mfa_housekeeper *housekeeper)
{
    (void)housekeeper;
}
