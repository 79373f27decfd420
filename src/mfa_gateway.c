/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_gateway.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "mfa_loop.h"
#include "mfa_thread.h"
#include "mfa_transfer.h"

/* Longest sleep of the gateway's thread, while nothing is due. */
#define TURN_MAX_MS 60000

struct mfa_gateway {
    pthread_mutex_t mutex; /* guards submitted, in_flight, is_stopping, limits and has_new_limits */
    struct mfa_transfer *submitted;
    uint32_t in_flight;
    bool is_stopping;
    struct mfa_gateway_limits limits;
    bool has_new_limits; /* which libcurl is not told yet */
    pthread_t thread;
    /* The thread's own: */
    CURLM *multi;         /* NULL: there is no memory for one */
    struct mfa_loop loop; /* but for its wake-up */
    struct mfa_transfer *running;
    uint64_t next_deadline_ms; /* no running transfer is due before; UINT64_MAX: none is due */
};

/* Takes a transfer out of all books; what remains to be done is to end it. */
static void release(struct mfa_gateway *gateway, struct mfa_transfer *transfer)
{
    DL_DELETE(gateway->running, transfer);
    curl_multi_remove_handle(gateway->multi, transfer->easy);
    pthread_mutex_lock(&gateway->mutex);
    gateway->in_flight--;
    pthread_mutex_unlock(&gateway->mutex);
}

static bool tell_limits(CURLM *multi, const struct mfa_gateway_limits *limits)
{
    long per_host = (long)limits->max_per_host;
    long in_flight = (long)limits->max_in_flight;
    long kept = per_host > 0 && per_host < in_flight ? per_host : in_flight;

    return curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, in_flight) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kept) == CURLM_OK;
}

/* Starts what was submitted since. False: the gateway is being stopped. */
static bool start_submitted(struct mfa_gateway *gateway)
{
    struct mfa_transfer *transfer;
    struct mfa_transfer *next;

    pthread_mutex_lock(&gateway->mutex);
    struct mfa_transfer *submitted = gateway->submitted;
    gateway->submitted = NULL;
    bool is_stopping = gateway->is_stopping;
    struct mfa_gateway_limits limits = gateway->limits;
    bool has_new_limits = gateway->has_new_limits;
    gateway->has_new_limits = false;
    pthread_mutex_unlock(&gateway->mutex);

    /* It has taken the like before; where there is no multi handle, the next one is told. */
    if (has_new_limits)
        (void)tell_limits(gateway->multi, &limits);
    DL_FOREACH_SAFE(submitted, transfer, next)
    {
        DL_DELETE(submitted, transfer);
        DL_APPEND(gateway->running, transfer);
        if (transfer->deadline_ms < gateway->next_deadline_ms)
            gateway->next_deadline_ms = transfer->deadline_ms;
        CURLMcode code = curl_multi_add_handle(gateway->multi, transfer->easy);
        if (code != CURLM_OK) {
            release(gateway, transfer);
            mfa_transfer_abandon(transfer, MFA_DELIVERY_FAILED, curl_multi_strerror(code));
        }
    }
    return !is_stopping;
}

static void complete_finished(struct mfa_gateway *gateway)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(gateway->multi, &left))) {
        struct mfa_transfer *transfer = NULL;
        CURLcode result = message->data.result;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
            continue;
        release(gateway, transfer);
        mfa_transfer_complete(transfer, result);
    }
}

/* Ends what is past its deadline. CURLOPT_TIMEOUT_MS would not do: before 8.8, libcurl does not look at it while a
 * transfer waits for a connection to be free. */
static void expire_overdue(struct mfa_gateway *gateway)
{
    uint64_t now_ms = mfa_loop_now_ms();
    struct mfa_transfer *transfer;
    struct mfa_transfer *next;

    if (now_ms < gateway->next_deadline_ms)
        return;
    gateway->next_deadline_ms = UINT64_MAX;
    DL_FOREACH_SAFE(gateway->running, transfer, next)
    {
        if (transfer->deadline_ms <= now_ms) {
            release(gateway, transfer);
            mfa_transfer_abandon(transfer, MFA_DELIVERY_TIMEOUT, "no answer in time");
        } else if (transfer->deadline_ms < gateway->next_deadline_ms) {
            gateway->next_deadline_ms = transfer->deadline_ms;
        }
    }
}

static uint64_t until_next_deadline_ms(const struct mfa_gateway *gateway)
{
    uint64_t now_ms = mfa_loop_now_ms();
    uint64_t wait_ms = gateway->next_deadline_ms > now_ms ? gateway->next_deadline_ms - now_ms : 0;

    return wait_ms < TURN_MAX_MS ? wait_ms : TURN_MAX_MS;
}

static void abandon_all(struct mfa_gateway *gateway, enum mfa_delivery delivery, const char *reason)
{
    struct mfa_transfer *transfer;
    struct mfa_transfer *next;

    DL_FOREACH_SAFE(gateway->running, transfer, next)
    {
        release(gateway, transfer);
        mfa_transfer_abandon(transfer, delivery, reason);
    }
}

static CURLM *multi_new(const struct mfa_gateway_limits *limits)
{
    CURLM *multi = curl_multi_init();

    if (!multi || curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
        !tell_limits(multi, limits)) {
        curl_multi_cleanup(multi);
        return NULL;
    }
    return multi;
}

/* A multi handle that has lacked memory is of no use any more: libcurl 7.88 keeps sockets in its books that are closed, with
 * a table of no size, by which it divides when their numbers come again. */
static void renew_multi(struct mfa_gateway *gateway)
{
    pthread_mutex_lock(&gateway->mutex);
    struct mfa_gateway_limits limits = gateway->limits;
    pthread_mutex_unlock(&gateway->mutex);

    curl_multi_cleanup(gateway->multi);
    gateway->multi = multi_new(&limits);
    if (gateway->multi && mfa_loop_renew(&gateway->loop, gateway->multi) != MFA_OK) {
        curl_multi_cleanup(gateway->multi);
        gateway->multi = NULL;
    }
}

static void *gateway_main(void *arg)
{
    struct mfa_gateway *gateway = arg;

    while (start_submitted(gateway)) {
        bool is_good = gateway->multi && mfa_loop_turn(&gateway->loop, until_next_deadline_ms(gateway));
        complete_finished(gateway);
        expire_overdue(gateway);
        if (!is_good) {
            /* Out of memory, most likely. Nobody must wait for an answer, nor the processor spin, until it is over. */
            abandon_all(gateway, MFA_DELIVERY_FAILED, "the gateway cannot go on");
            nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
            renew_multi(gateway);
        }
    }
    abandon_all(gateway, MFA_DELIVERY_STOPPED, "the gateway is being stopped");
    return NULL;
}

/* The host, or another instance, may be using libcurl at this moment; and no transfer may hold up the others while its
 * name is resolved. */
static bool libcurl_is_fit(void)
{
    const int needed = CURL_VERSION_THREADSAFE | CURL_VERSION_ASYNCHDNS | CURL_VERSION_SSL;

    return (curl_version_info(CURLVERSION_NOW)->features & needed) == needed;
}

static void gateway_clear(struct mfa_gateway *gateway)
{
    curl_multi_cleanup(gateway->multi);
    mfa_loop_clear(&gateway->loop);
    curl_global_cleanup();
    pthread_mutex_destroy(&gateway->mutex);
}

enum mfa_status mfa_gateway_new(struct mfa_gateway **out, const struct mfa_gateway_limits *limits)
{
    *out = NULL;
    if (!libcurl_is_fit() || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return MFA_ERR_INTERNAL;
    struct mfa_gateway *gateway = calloc(1, sizeof *gateway);
    if (!gateway) {
        curl_global_cleanup();
        return MFA_ERR_MEMORY;
    }
    gateway->limits = *limits;
    pthread_mutex_init(&gateway->mutex, NULL);
    gateway->multi = multi_new(limits);
    gateway->next_deadline_ms = UINT64_MAX;
    gateway->loop = (struct mfa_loop){.epoll_fd = -1, .wake_fd = -1};
    if (!gateway->multi || mfa_loop_init(&gateway->loop, gateway->multi) != MFA_OK ||
        mfa_thread_start(&gateway->thread, gateway_main, gateway) != MFA_OK) {
        gateway_clear(gateway);
        free(gateway);
        return MFA_ERR_INTERNAL;
    }
    *out = gateway; /* transferred */
    return MFA_OK;
}

static enum mfa_status admit(struct mfa_gateway *gateway, struct mfa_transfer *transfer, bool *is_first)
{
    enum mfa_status status = MFA_OK;

    pthread_mutex_lock(&gateway->mutex);
    if (gateway->is_stopping) {
        status = MFA_ERR_STOPPING;
    } else if (gateway->in_flight >= gateway->limits.max_in_flight) {
        status = MFA_ERR_FULL;
    } else {
        *is_first = !gateway->submitted;
        DL_APPEND(gateway->submitted, transfer);
        gateway->in_flight++;
    }
    pthread_mutex_unlock(&gateway->mutex);
    return status;
}

static enum mfa_status gateway_submit(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg)
{
    struct mfa_gateway *gateway = ctx;
    struct mfa_transfer *transfer = NULL;
    bool is_first = false;

    enum mfa_status status = mfa_transfer_new(&transfer, request, done, arg);
    if (status != MFA_OK)
        return status;
    status = admit(gateway, transfer, &is_first);
    if (status != MFA_OK) {
        transfer->request = NULL; /* transferred: back to the caller */
        mfa_transfer_free(transfer);
        return status;
    }
    if (is_first)
        mfa_loop_wake(&gateway->loop);
    return MFA_OK;
}

void mfa_gateway_set_limits(struct mfa_gateway *gateway, const struct mfa_gateway_limits *limits)
{
    pthread_mutex_lock(&gateway->mutex);
    gateway->limits = *limits;
    gateway->has_new_limits = true;
    pthread_mutex_unlock(&gateway->mutex);
    mfa_loop_wake(&gateway->loop);
}

struct mfa_gateway_port mfa_gateway_port(struct mfa_gateway *gateway)
{
    return (struct mfa_gateway_port){.ctx = gateway, .submit = gateway_submit};
}

void mfa_gateway_stop(struct mfa_gateway *gateway)
{
    pthread_mutex_lock(&gateway->mutex);
    bool was_stopping = gateway->is_stopping;
    gateway->is_stopping = true;
    pthread_mutex_unlock(&gateway->mutex);
    if (was_stopping)
        return;
    mfa_loop_wake(&gateway->loop);
    pthread_join(gateway->thread, NULL);
}

void mfa_gateway_free(struct mfa_gateway *gateway)
{
    if (!gateway)
        return;
    mfa_gateway_stop(gateway);
    gateway_clear(gateway);
    free(gateway);
}
