/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1 /* or uthash ends the process */
#include <uthash.h>
#include <utlist.h>

#include "clock.h"
#include "log.h"

/* How late a deadline may be noticed, and how often clients are looked at. */
#define DEADLINE_TICK_MS 50
#define CLIENT_TICK_MS 1000

struct call {
    core_call token;
    UT_hash_handle hh;           /* of calls.open */
    struct call *prev, *next;    /* of calls.unsettled, while it is unsettled */
    const struct plugin *plugin; /* whose call it is */
    enum call_kind kind;
    atomic_uint holders; /* the plugin until it completes, and whoever is just settling the call */
    bool settled;
    bool cancelled;
    uint64_t deadline_ms;
    const struct call_events *events;
    void *owner;
    int client_fd;
};

struct calls {
    pthread_mutex_t lock; /* guards what is not atomic, and every field of the calls that changes after calls_open */
    pthread_cond_t ended; /* the last hook has returned, or the last call has closed, while stopping */
    pthread_cond_t timer_wakes; /* timer_ends was set */
    struct call *open;          /* by token: not yet completed, and `keeper` */
    struct call keeper;         /* for uthash would free the table with its last call, and make it anew for the next */
    struct call *unsettled;     /* in the order they were opened, which is that of their deadlines */
    core_call last_token;
    size_t closing; /* calls that are out of `open`, whose closed() has not returned */
    size_t hooks_running;
    bool stopping;
    bool timer_ends;
    uint64_t deadline_ms;
    uint32_t process_id; /* random; the first half of request ids, so that two runs do not share any */
    pthread_t timer;
};

/* --- settling -------------------------------------------------------------------------------------------------- */

/* Takes the right to settle the call; false: somebody else has it. Called with the lock held. */
static bool take_settling(struct calls *calls, struct call *call)
{
    if (call->settled)
        return false;
    call->settled = true;
    DL_DELETE(calls->unsettled, call);
    return true;
}

static void count_down(struct calls *calls, size_t *count)
{
    pthread_mutex_lock(&calls->lock);
    if (--*count == 0 && calls->stopping)
        pthread_cond_broadcast(&calls->ended);
    pthread_mutex_unlock(&calls->lock);
}

/* Ends one holder's interest in the call; the last one closes it. */
static void release_call(struct calls *calls, struct call *call)
{
    if (atomic_fetch_sub(&call->holders, 1) != 1)
        return;
    call->events->closed(call->owner);
    free(call);
    count_down(calls, &calls->closing);
}

/* The plugin's open call, or NULL. Called with the lock held. */
static struct call *find_open(struct calls *calls, const struct plugin *plugin, core_call token)
{
    struct call *call = NULL;

    HASH_FIND(hh, calls->open, &token, sizeof(token), call);
    return call && call != &calls->keeper && call->plugin == plugin ? call : NULL;
}

/* Removes the call from the open ones, as the plugin's completion does. Called with the lock held. */
static void take_open(struct calls *calls, struct call *call)
{
    HASH_DEL(calls->open, call);
    calls->closing++;
}

core_status calls_complete(struct calls *calls, const struct plugin *plugin, core_call token,
                           const struct core_result *source)
{
    struct call_result *result = NULL;
    const char *objection = NULL;
    bool settles = false;

    pthread_mutex_lock(&calls->lock);
    struct call *call = find_open(calls, plugin, token);
    if (call) {
        take_open(calls, call);
        settles = take_settling(calls, call);
    }
    pthread_mutex_unlock(&calls->lock);
    if (!call)
        return CORE_ERR_CLOSED;

    core_status status = call_result_copy(call->kind, source, &result, &objection);
    if (settles)
        call->events->settled(call->owner, result, objection); /* transferred */
    else
        call_result_free(result);
    release_call(calls, call);
    return status;
}

/* --- the timer --------------------------------------------------------------------------------------------------- */

/* The first call that is past its deadline, held and ready to be settled by the caller, or NULL. */
static struct call *take_expired(struct calls *calls, uint64_t now_ms)
{
    pthread_mutex_lock(&calls->lock);
    struct call *call = calls->unsettled;
    if (call && call->deadline_ms <= now_ms) {
        (void)take_settling(calls, call);
        call->cancelled = true;
        atomic_fetch_add(&call->holders, 1);
    } else {
        call = NULL;
    }
    pthread_mutex_unlock(&calls->lock);
    return call;
}

static void settle_expired(struct calls *calls, uint64_t now_ms)
{
    for (struct call *call = take_expired(calls, now_ms); call; call = take_expired(calls, now_ms)) {
        log_line(CORE_LOG_WARN, "call %08x-%08llx: not completed by its deadline, denied", calls->process_id,
                 (unsigned long long)call->token);
        call->events->settled(call->owner, NULL, NULL);
        release_call(calls, call);
    }
}

/* libmicrohttpd does not look at a suspended connection, so the host does. */
static bool client_has_left(int fd)
{
    struct pollfd client = {.fd = fd, .events = POLLRDHUP};

    return fd >= 0 && poll(&client, 1, 0) == 1;
}

static void cancel_of_absent_clients(struct calls *calls)
{
    struct call *call;

    pthread_mutex_lock(&calls->lock);
    DL_FOREACH(calls->unsettled, call)
    {
        if (!call->cancelled)
            call->cancelled = client_has_left(call->client_fd);
    }
    pthread_mutex_unlock(&calls->lock);
}

/* Waits for one tick; false: the timer shall end. */
static bool wait_for_tick(struct calls *calls)
{
    struct timespec until = {0};
    int waited = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += DEADLINE_TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&calls->lock);
    while (!calls->timer_ends && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&calls->timer_wakes, &calls->lock, &until);
    bool goes_on = !calls->timer_ends;
    pthread_mutex_unlock(&calls->lock);
    return goes_on;
}

static void *run_timer(void *context)
{
    struct calls *calls = context;
    uint64_t now_ms = 0, clients_seen_ms = 0;

    while (wait_for_tick(calls)) {
        if (!clock_monotonic(&now_ms))
            continue;
        settle_expired(calls, now_ms);
        if (now_ms - clients_seen_ms >= CLIENT_TICK_MS) {
            cancel_of_absent_clients(calls);
            clients_seen_ms = now_ms;
        }
    }
    return NULL;
}

/* --- the registry ------------------------------------------------------------------------------------------------ */

static void free_all(struct calls *calls)
{
    HASH_CLEAR(hh, calls->open);
    pthread_cond_destroy(&calls->ended);
    pthread_cond_destroy(&calls->timer_wakes);
    pthread_mutex_destroy(&calls->lock);
    free(calls);
}

struct calls *calls_new(uint64_t deadline_ms)
{
    struct calls *calls = calloc(1, sizeof(*calls));
    pthread_condattr_t monotonic;

    if (!calls)
        return NULL;
    calls->deadline_ms = deadline_ms;
    calls->process_id = randombytes_random();
    pthread_mutex_init(&calls->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&calls->timer_wakes, &monotonic);
    pthread_cond_init(&calls->ended, NULL);
    pthread_condattr_destroy(&monotonic);
    HASH_ADD(hh, calls->open, token, sizeof(calls->keeper.token), &calls->keeper);
    if (calls->keeper.hh.tbl && pthread_create(&calls->timer, NULL, run_timer, calls) == 0)
        return calls;
    free_all(calls);
    return NULL;
}

void calls_free(struct calls *calls)
{
    if (!calls)
        return;
    pthread_mutex_lock(&calls->lock);
    calls->timer_ends = true;
    pthread_cond_signal(&calls->timer_wakes);
    pthread_mutex_unlock(&calls->lock);
    pthread_join(calls->timer, NULL);
    free_all(calls);
}

core_status calls_open(struct calls *calls, const struct plugin *plugin, enum call_kind kind,
                       const struct call_events *events, void *owner, int client_fd, core_call *token)
{
    struct call *call = malloc(sizeof(*call));
    uint64_t now_ms = 0;
    core_status status = CORE_ERR_CLOSED;

    *token = 0;
    if (!call)
        return CORE_ERR_MEMORY;
    if (!clock_monotonic(&now_ms)) {
        free(call);
        return CORE_ERR_INTERNAL;
    }
    *call = (struct call){
        .plugin = plugin, .kind = kind, .holders = 1, .events = events, .owner = owner, .client_fd = client_fd};
    pthread_mutex_lock(&calls->lock);
    if (!calls->stopping) {
        call->token = *token = ++calls->last_token;
        call->deadline_ms = now_ms + calls->deadline_ms;
        HASH_ADD(hh, calls->open, token, sizeof(call->token), call);
        status = call->hh.tbl ? CORE_OK : CORE_ERR_MEMORY;
    }
    if (status == CORE_OK) {
        DL_APPEND(calls->unsettled, call);
        calls->hooks_running++;
        call = NULL; /* transferred */
    } else {
        *token = 0;
    }
    pthread_mutex_unlock(&calls->lock);
    free(call);
    return status;
}

void calls_hook_returned(struct calls *calls)
{
    count_down(calls, &calls->hooks_running);
}

core_status calls_info(struct calls *calls, const struct plugin *plugin, core_call token, struct core_call_info *info)
{
    struct core_call_info known = {0};

    if (!info || info->struct_size < sizeof(known))
        return CORE_ERR_ARGUMENT;
    pthread_mutex_lock(&calls->lock);
    const struct call *call = find_open(calls, plugin, token);
    if (call) {
        known.cancelled = call->cancelled || calls->stopping;
        known.deadline_ms = call->deadline_ms;
    }
    pthread_mutex_unlock(&calls->lock);
    if (!call)
        return CORE_ERR_CLOSED;
    known.struct_size = info->struct_size;
    (void)snprintf(known.request_id, sizeof(known.request_id), "%08x-%08llx", calls->process_id,
                   (unsigned long long)token);
    *info = known;
    return CORE_OK;
}

void calls_stop(struct calls *calls)
{
    pthread_mutex_lock(&calls->lock);
    calls->stopping = true;
    while (calls->hooks_running > 0)
        pthread_cond_wait(&calls->ended, &calls->lock);
    pthread_mutex_unlock(&calls->lock);
}

/* The next open call, taken as its completion would, or NULL. */
static struct call *take_abandoned(struct calls *calls, bool *settles)
{
    pthread_mutex_lock(&calls->lock);
    struct call *call = calls->keeper.hh.next;
    if (call) {
        take_open(calls, call);
        *settles = take_settling(calls, call);
    }
    pthread_mutex_unlock(&calls->lock);
    return call;
}

size_t calls_abandon(struct calls *calls)
{
    size_t abandoned = 0;
    bool settles = false;

    for (struct call *call = take_abandoned(calls, &settles); call; call = take_abandoned(calls, &settles)) {
        abandoned++;
        if (settles)
            call->events->settled(call->owner, NULL, NULL);
        release_call(calls, call);
    }
    pthread_mutex_lock(&calls->lock);
    while (calls->closing > 0)
        pthread_cond_wait(&calls->ended, &calls->lock);
    pthread_mutex_unlock(&calls->lock);
    return abandoned;
}

size_t calls_count(struct calls *calls)
{
    pthread_mutex_lock(&calls->lock);
    size_t count = HASH_COUNT(calls->open) - 1;
    pthread_mutex_unlock(&calls->lock);
    return count;
}
