/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

struct hold {
    pthread_mutex_t mutex; /* guards entries and stopping */
    pthread_cond_t changed;
    struct hold_entry *entries;
    bool stopping;
    bool joined; /* only the thread that stops and frees looks at it */
    pthread_t thread;
};

uint64_t hold_now_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct hold_entry *take_due(struct hold *hold, uint64_t now_ms)
{
    struct hold_entry *due = NULL;
    struct hold_entry *entry = NULL;
    struct hold_entry *next = NULL;
    DL_FOREACH_SAFE(hold->entries, entry, next)
    {
        if (entry->due_ms <= now_ms) {
            DL_DELETE(hold->entries, entry);
            DL_APPEND(due, entry);
        }
    }
    return due;
}

/* As soon as a connection is resumed its request, and with it the entry, may be gone. */
static void resume_each(struct hold_entry *entries)
{
    struct hold_entry *entry = entries;
    while (entry) {
        struct hold_entry *next = entry->next;
        MHD_resume_connection(entry->connection);
        entry = next;
    }
}

static void wait_for_next(struct hold *hold)
{
    uint64_t due_ms = HOLD_FOREVER_MS;
    struct hold_entry *entry = NULL;
    DL_FOREACH(hold->entries, entry)
    {
        if (entry->due_ms < due_ms)
            due_ms = entry->due_ms;
    }
    if (due_ms == HOLD_FOREVER_MS) {
        pthread_cond_wait(&hold->changed, &hold->mutex);
        return;
    }
    struct timespec until = {.tv_sec = (time_t)(due_ms / 1000), .tv_nsec = (long)(due_ms % 1000) * 1000000};
    pthread_cond_timedwait(&hold->changed, &hold->mutex, &until);
}

static void *run(void *context)
{
    struct hold *hold = context;
    pthread_mutex_lock(&hold->mutex);
    while (!hold->stopping) {
        struct hold_entry *due = take_due(hold, hold_now_ms());
        if (!due) {
            wait_for_next(hold);
            continue;
        }
        pthread_mutex_unlock(&hold->mutex);
        resume_each(due);
        pthread_mutex_lock(&hold->mutex);
    }
    pthread_mutex_unlock(&hold->mutex);
    return NULL;
}

struct hold *hold_new(void)
{
    struct hold *hold = calloc(1, sizeof *hold);
    if (!hold)
        return NULL;

    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&hold->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&hold->mutex, NULL);

    if (pthread_create(&hold->thread, NULL, run, hold) != 0) {
        hold->joined = true;
        hold_free(hold);
        return NULL;
    }
    return hold;
}

bool hold_start(struct hold *hold, struct hold_entry *entry, struct MHD_Connection *connection, uint64_t delay_ms)
{
    uint64_t now_ms = hold_now_ms();
    entry->connection = connection;
    entry->due_ms = delay_ms < HOLD_FOREVER_MS - now_ms ? now_ms + delay_ms : HOLD_FOREVER_MS;

    /* Suspended and listed in one, so that nobody resumes it before it is suspended. */
    pthread_mutex_lock(&hold->mutex);
    bool held = !hold->stopping;
    if (held) {
        MHD_suspend_connection(connection);
        DL_APPEND(hold->entries, entry);
        pthread_cond_signal(&hold->changed);
    }
    pthread_mutex_unlock(&hold->mutex);
    return held;
}

void hold_release_all(struct hold *hold)
{
    pthread_mutex_lock(&hold->mutex);
    struct hold_entry *all = hold->entries;
    hold->entries = NULL; /* transferred */
    pthread_mutex_unlock(&hold->mutex);
    resume_each(all);
}

void hold_stop(struct hold *hold)
{
    if (hold->joined)
        return;
    pthread_mutex_lock(&hold->mutex);
    hold->stopping = true;
    pthread_cond_signal(&hold->changed);
    pthread_mutex_unlock(&hold->mutex);
    pthread_join(hold->thread, NULL);
    hold->joined = true;
    hold_release_all(hold);
}

void hold_free(struct hold *hold)
{
    if (!hold)
        return;
    hold_stop(hold);
    pthread_cond_destroy(&hold->changed);
    pthread_mutex_destroy(&hold->mutex);
    free(hold);
}
