/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>
#include <utlist.h>

#include "mfa_flow.h"
#include "mfa_housekeeper.h"
#include "mfa_workers.h"

struct mfa_workers {
    bool is_stopping;
};

struct mfa_housekeeper {
    const struct mfa_host_port *host;
    struct mfa_sessions *sessions;
    struct mfa_throttle *throttle;
    struct mfa_send_limits *send_limits;
};

/* All jobs that wait, oldest first, whichever workers they were given to. */
static struct mfa_job *jobs;
static struct mfa_housekeeper *housekeeper;

/* --- Workers ------------------------------------------------------------------------------------------------------ */

enum mfa_status mfa_workers_new(struct mfa_workers **out, uint32_t thread_count, uint32_t max_queued)
{
    (void)thread_count;
    (void)max_queued; /* an input is too short to fill a queue */
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    return MFA_OK;
}

enum mfa_status mfa_workers_submit(struct mfa_workers *workers, struct mfa_job *job)
{
    if (workers->is_stopping)
        return MFA_ERR_STOPPING;
    DL_APPEND(jobs, job);
    return MFA_OK;
}

void mfa_workers_continue(struct mfa_workers *workers, struct mfa_job *job)
{
    (void)workers;
    DL_APPEND(jobs, job);
}

void mfa_workers_stop(struct mfa_workers *workers)
{
    workers->is_stopping = true;
    while (jobs != NULL)
        scheduler_run(0);
}

void mfa_workers_free(struct mfa_workers *workers)
{
    free(workers);
}

static struct mfa_job *job_at(size_t i)
{
    struct mfa_job *job = jobs;

    while (i-- > 0)
        job = job->next;
    return job;
}

size_t scheduler_waiting(void)
{
    const struct mfa_job *job = NULL;
    size_t count = 0;

    DL_COUNT(jobs, job, count);
    return count;
}

uint64_t scheduler_call(size_t i)
{
    return ((const struct mfa_flow *)(const void *)job_at(i))->call;
}

void scheduler_run(size_t i)
{
    struct mfa_job *job = job_at(i);

    DL_DELETE(jobs, job);
    job->run(job);
}

/* --- Housekeeping ------------------------------------------------------------------------------------------------- */

enum mfa_status mfa_housekeeper_new(struct mfa_housekeeper **out, const struct mfa_host_port *host,
                                    const atomic_size_t *in_flight, struct mfa_sessions *sessions,
                                    struct mfa_throttle *throttle, struct mfa_send_limits *send_limits)
{
    (void)in_flight; /* a metric, which nobody reads here */
    *out = malloc(sizeof **out);
    assert_non_null(*out);
    **out = (struct mfa_housekeeper){host, sessions, throttle, send_limits};
    housekeeper = *out;
    return MFA_OK;
}

void scheduler_keep_house(void)
{
    uint64_t now_ms = 0;

    if (housekeeper->host->monotonic_ms(housekeeper->host->ctx, &now_ms) != MFA_OK)
        return;
    mfa_sessions_expire(housekeeper->sessions, now_ms);
    mfa_throttle_expire(housekeeper->throttle, now_ms);
    mfa_send_limits_expire(housekeeper->send_limits, now_ms);
    mfa_send_limits_write(housekeeper->send_limits, now_ms);
}

void mfa_housekeeper_free(struct mfa_housekeeper *stopped)
{
    if (stopped == NULL)
        return;
    scheduler_keep_house();
    free(stopped);
    housekeeper = NULL;
}
