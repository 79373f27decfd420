/* SPDX-License-Identifier: Apache-2.0 */
#include "workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <utlist.h>

struct workers {
    pthread_mutex_t lock; /* guards queue, queued, stopping */
    pthread_cond_t wake;
    struct job *queue;
    size_t queued;
    size_t queue_max;
    bool stopping;
    size_t thread_count;
    pthread_t threads[];
};

/* Waits for the next job; NULL when the queue is empty and the workers are stopping. */
static struct job *take_job(struct workers *workers)
{
    struct job *job = NULL;

    pthread_mutex_lock(&workers->lock);
    while (!workers->queue && !workers->stopping)
        pthread_cond_wait(&workers->wake, &workers->lock);
    job = workers->queue;
    if (job) {
        DL_DELETE(workers->queue, job);
        workers->queued--;
    }
    pthread_mutex_unlock(&workers->lock);
    return job;
}

static void *work(void *context)
{
    struct workers *workers = context;

    for (struct job *job = take_job(workers); job; job = take_job(workers))
        job->run(job->context);
    return NULL;
}

struct workers *workers_new(size_t thread_count, size_t queue_max)
{
    struct workers *workers = calloc(1, sizeof(*workers) + thread_count * sizeof(workers->threads[0]));

    if (!workers)
        return NULL;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->wake, NULL);
    workers->queue_max = queue_max;
    for (; workers->thread_count < thread_count; workers->thread_count++) {
        if (pthread_create(&workers->threads[workers->thread_count], NULL, work, workers) != 0) {
            workers_free(workers);
            return NULL;
        }
    }
    return workers;
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

bool workers_submit(struct workers *workers, struct job *job)
{
    bool queued = false;

    pthread_mutex_lock(&workers->lock);
    if (workers->queued < workers->queue_max) {
        DL_APPEND(workers->queue, job);
        workers->queued++;
        queued = true;
        pthread_cond_signal(&workers->wake);
    }
    pthread_mutex_unlock(&workers->lock);
    return queued;
}
