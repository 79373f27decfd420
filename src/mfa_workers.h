/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers: a few threads for what may wait (the host's storage, password hashing), fed by one bounded queue.
 */
#ifndef MFA_WORKERS_H
#define MFA_WORKERS_H

#include <stdint.h>

#include "mfa_status.h"

struct mfa_workers;

/* A piece of work, embedded in what it works on, so that queueing cannot fail for want of memory. `run` gets the job back
 * and may free what it is embedded in, or queue it again. */
struct mfa_job {
    void (*run)(struct mfa_job *job);
    struct mfa_job *prev, *next; /* the queue's own */
};

/* Starts `thread_count` threads (at least 1), which take jobs in the order they were queued; they block all signals.
 * `max_queued` bounds the jobs that wait, not those that run. `*out` is owned by the caller, released with
 * mfa_workers_free.
 * Returns MFA_OK, MFA_ERR_ARGUMENT, MFA_ERR_MEMORY or MFA_ERR_INTERNAL (a thread could not be started; none is left
 * running). */
MFA_MUST_CHECK enum mfa_status mfa_workers_new(struct mfa_workers **out, uint32_t thread_count, uint32_t max_queued);

/* Queues new work. The job is borrowed until its `run` is called.
 * Returns MFA_OK; MFA_ERR_FULL: the queue is at its limit; MFA_ERR_STOPPING. On failure nothing was kept. */
MFA_MUST_CHECK enum mfa_status mfa_workers_submit(struct mfa_workers *workers, struct mfa_job *job);

/* Queues the rest of work that was admitted before (it has already been bounded): accepted past the limit, and also while
 * mfa_workers_stop drains the queue. During a stop only jobs may call this; whatever else continues work (the gateway's
 * callbacks) has to be stopped before the workers are. */
void mfa_workers_continue(struct mfa_workers *workers, struct mfa_job *job);

/* Refuses new work, runs all that is queued, and joins the threads. Not to be called from a job. A second call does
 * nothing. */
void mfa_workers_stop(struct mfa_workers *workers);

/* Stops if need be, and frees. Accepts NULL. */
void mfa_workers_free(struct mfa_workers *workers);

#endif
