/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <utlist.h>

#include "mfa_thread.h"

struct mfa_workers {
    pthread_mutex_t mutex; /* guards queue, queued and is_stopping */
    pthread_cond_t changed;
    struct mfa_job *queue;
    uint32_t queued;
    bool is_stopping;
    uint32_t max_queued;
    pthread_t *threads;
    uint32_t thread_count; /* of those to join */
};

static void queue_append(struct mfa_workers *workers, struct mfa_job *job)
{
    DL_APPEND(workers->queue, job);
    workers->queued++;
    pthread_cond_signal(&workers->changed);
}

/* Waits for a job; NULL: the queue has been drained and no more will come. */
static struct mfa_job *queue_take(struct mfa_workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    while (!workers->queue && !workers->is_stopping)
        pthread_cond_wait(&workers->changed, &workers->mutex);
    struct mfa_job *job = workers->queue;
    if (job) {
        DL_DELETE(workers->queue, job);
        workers->queued--;
    }
    pthread_mutex_unlock(&workers->mutex);
    return job;
}

static void *worker_main(void *arg)
{
    struct mfa_workers *workers = arg;
    struct mfa_job *job;

    while ((job = queue_take(workers)))
        job->run(job);
    return NULL;
}

enum mfa_status mfa_workers_new(struct mfa_workers **out, uint32_t thread_count, uint32_t max_queued)
{
    *out = NULL;
    if (thread_count == 0)
        return MFA_ERR_ARGUMENT;
    struct mfa_workers *workers = calloc(1, sizeof *workers);
    pthread_t *threads = calloc(thread_count, sizeof *threads);
    if (!workers || !threads) {
        free(threads);
        free(workers);
        return MFA_ERR_MEMORY;
    }
    workers->threads = threads; /* transferred */
    /* With default attributes neither can fail on Linux. */
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->changed, NULL);
    workers->max_queued = max_queued;
    while (workers->thread_count < thread_count) {
        if (mfa_thread_start(&workers->threads[workers->thread_count], worker_main, workers) != MFA_OK) {
            mfa_workers_free(workers);
            return MFA_ERR_INTERNAL;
        }
        workers->thread_count++;
    }
    *out = workers; /* transferred */
    return MFA_OK;
}

enum mfa_status mfa_workers_submit(struct mfa_workers *workers, struct mfa_job *job)
{
    enum mfa_status status = MFA_OK;

    pthread_mutex_lock(&workers->mutex);
    if (workers->is_stopping)
        status = MFA_ERR_STOPPING;
    else if (workers->queued >= workers->max_queued)
        status = MFA_ERR_FULL;
    else
        queue_append(workers, job);
    pthread_mutex_unlock(&workers->mutex);
    return status;
}

void mfa_workers_continue(struct mfa_workers *workers, struct mfa_job *job)
{
    pthread_mutex_lock(&workers->mutex);
    queue_append(workers, job);
    pthread_mutex_unlock(&workers->mutex);
}

void mfa_workers_stop(struct mfa_workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    workers->is_stopping = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);

    while (workers->thread_count > 0)
        pthread_join(workers->threads[--workers->thread_count], NULL);
}

void mfa_workers_free(struct mfa_workers *workers)
{
    if (!workers)
        return;
    mfa_workers_stop(workers);
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->mutex);
    free(workers->threads);
    free(workers);
}
