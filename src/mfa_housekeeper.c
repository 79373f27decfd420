/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_housekeeper.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "mfa_thread.h"

struct mfa_housekeeper {
    const struct mfa_host_port *host;
    const atomic_size_t *in_flight;
    struct mfa_sessions *sessions;
    struct mfa_throttle *throttle;
    struct mfa_send_limits *send_limits;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards is_stopping */
    pthread_cond_t wake;
    bool is_stopping;
};

/* Waits a second, or until told to stop; returns whether it was told. */
static bool wait_a_second(struct mfa_housekeeper *housekeeper)
{
    struct timespec until = {0};
    bool is_stopping = false;
    int waited = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&housekeeper->mutex);
    while (!housekeeper->is_stopping && waited == 0)
        waited = pthread_cond_timedwait(&housekeeper->wake, &housekeeper->mutex, &until);
    is_stopping = housekeeper->is_stopping;
    pthread_mutex_unlock(&housekeeper->mutex);
    return is_stopping;
}

static void take_stock(const struct mfa_housekeeper *housekeeper)
{
    const struct mfa_metrics_port *metrics = &housekeeper->host->metrics;

    mfa_metrics_record(metrics, MFA_METRIC_PENDING, 0, 0, (int64_t)mfa_sessions_count(housekeeper->sessions));
    mfa_metrics_record(metrics, MFA_METRIC_IN_FLIGHT, 0, 0, (int64_t)atomic_load(housekeeper->in_flight));
}

static void *keep_house(void *arg)
{
    struct mfa_housekeeper *housekeeper = arg;
    uint64_t now_ms = 0;
    bool is_stopping = false;

    while (!is_stopping) {
        is_stopping = wait_a_second(housekeeper);
        if (housekeeper->host->monotonic_ms(housekeeper->host->ctx, &now_ms) != MFA_OK)
            continue;
        mfa_sessions_expire(housekeeper->sessions, now_ms);
        mfa_throttle_expire(housekeeper->throttle, now_ms);
        mfa_send_limits_expire(housekeeper->send_limits, now_ms);
        mfa_send_limits_write(housekeeper->send_limits, now_ms);
        take_stock(housekeeper);
    }
    return NULL;
}

static void init_wake(pthread_cond_t *wake)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void dispose(struct mfa_housekeeper *housekeeper)
{
    pthread_cond_destroy(&housekeeper->wake);
    pthread_mutex_destroy(&housekeeper->mutex);
    free(housekeeper);
}

enum mfa_status mfa_housekeeper_new(struct mfa_housekeeper **out, const struct mfa_host_port *host,
                                    const atomic_size_t *in_flight, struct mfa_sessions *sessions,
                                    struct mfa_throttle *throttle, struct mfa_send_limits *send_limits)
{
    struct mfa_housekeeper *housekeeper = calloc(1, sizeof *housekeeper);

    *out = NULL;
    if (housekeeper == NULL)
        return MFA_ERR_MEMORY;
    housekeeper->host = host;
    housekeeper->in_flight = in_flight;
    housekeeper->sessions = sessions;
    housekeeper->throttle = throttle;
    housekeeper->send_limits = send_limits;
    /* With such attributes neither can fail on Linux. */
    pthread_mutex_init(&housekeeper->mutex, NULL);
    init_wake(&housekeeper->wake);
    if (mfa_thread_start(&housekeeper->thread, keep_house, housekeeper) != MFA_OK) {
        dispose(housekeeper);
        return MFA_ERR_INTERNAL;
    }
    *out = housekeeper; /* transferred */
    return MFA_OK;
}

void mfa_housekeeper_free(struct mfa_housekeeper *housekeeper)
{
    if (housekeeper == NULL)
        return;
    pthread_mutex_lock(&housekeeper->mutex);
    housekeeper->is_stopping = true;
    pthread_cond_signal(&housekeeper->wake);
    pthread_mutex_unlock(&housekeeper->mutex);
    pthread_join(housekeeper->thread, NULL);
    dispose(housekeeper);
}
