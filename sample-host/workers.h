/* SPDX-License-Identifier: Apache-2.0
 *
 * workers.h: a fixed number of threads that run jobs in the order they were submitted. A job is a member of the thing it
 * works on, so submitting one allocates nothing and cannot fail for want of memory.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct workers;

struct job {
    void (*run)(void *context);
    void *context;
    struct job *prev, *next; /* of the queue */
};

/* Starts `thread_count` threads; at most `queue_max` jobs wait. Returns NULL when a thread or memory is not to be had.
 * Owned by caller, release with workers_free. */
struct workers *workers_new(size_t thread_count, size_t queue_max);

/* Runs what still waits, ends the threads and frees. Nobody may submit any more. Accepts NULL. */
void workers_free(struct workers *workers);

/* Queues `job`, whose `run` and `context` are set and which is borrowed until it runs. Returns false, and does nothing,
 * when the queue is full. Any thread. */
bool workers_submit(struct workers *workers, struct job *job) __attribute__((warn_unused_result));

#endif
