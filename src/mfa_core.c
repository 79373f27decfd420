/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_core.h"

#include <sodium.h>
#include <stdlib.h>

#include "mfa_buffer.h"
#include "mfa_housekeeper.h"

/* Writes of one disk share its commits, and those of one user are in each other's way; password hashes are the host's own to
 * bound. */
#define STORAGE_THREADS 4
#define PASSWORD_THREADS 2
#define MAX_QUEUED 4096
#define MAX_QUEUED_PASSWORDS 64

static enum mfa_status new_sessions(struct mfa_core *core)
{
    unsigned char seed_secret[MFA_SESSIONS_SEED_LEN] = {0};
    enum mfa_status status = core->host.random(core->host.ctx, seed_secret, sizeof seed_secret);

    if (status == MFA_OK)
        status = mfa_sessions_new(&core->sessions, &core->settings->config.policy, seed_secret);
    sodium_memzero(seed_secret, sizeof seed_secret);
    return status;
}

static enum mfa_status start(struct mfa_core *core, const struct mfa_kv_port *kv)
{
    const struct mfa_policy *policy = &core->settings->config.policy;
    enum mfa_status status = new_sessions(core);

    if (status == MFA_OK)
        status = mfa_throttle_new(&core->throttle, policy);
    if (status == MFA_OK)
        status = mfa_send_limits_new(&core->send_limits, &core->host, kv, policy);
    if (status == MFA_OK)
        status = mfa_workers_new(&core->storage_workers, STORAGE_THREADS, MAX_QUEUED);
    if (status == MFA_OK)
        status = mfa_workers_new(&core->password_workers, PASSWORD_THREADS, MAX_QUEUED_PASSWORDS);
    if (status == MFA_OK)
        status = mfa_housekeeper_new(&core->housekeeper, &core->host, &core->in_flight, core->sessions, core->throttle,
                                     core->send_limits);
    return status;
}

enum mfa_status mfa_core_new(struct mfa_core **out, const struct mfa_host_port *host,
                             const struct mfa_gateway_port *gateway, const struct mfa_kv_port *kv,
                             struct mfa_config *config)
{
    struct mfa_core *core = calloc(1, sizeof *core);
    enum mfa_status status = MFA_OK;

    *out = NULL;
    if (core == NULL) {
        mfa_config_clear(config);
        return MFA_ERR_MEMORY;
    }
    core->host = *host;
    core->gateway = *gateway;
    pthread_mutex_init(&core->mutex, NULL); /* with default attributes it cannot fail on Linux */
    atomic_init(&core->in_flight, 0);
    status = mfa_settings_new(&core->settings, &core->host, &core->gateway, &core->in_flight, config);
    if (status == MFA_OK && core->settings->config.mode != MFA_MODE_DISABLED)
        status = start(core, kv);
    if (status != MFA_OK) {
        mfa_core_free(core);
        return status;
    }
    *out = core;
    return MFA_OK;
}

struct mfa_settings *mfa_core_settings(struct mfa_core *core)
{
    struct mfa_settings *settings = NULL;

    pthread_mutex_lock(&core->mutex);
    settings = mfa_settings_hold(core->settings);
    pthread_mutex_unlock(&core->mutex);
    return settings;
}

static enum mfa_status set_policy(struct mfa_core *core, const struct mfa_policy *policy)
{
    enum mfa_status status = mfa_send_limits_set_policy(core->send_limits, policy);

    if (status != MFA_OK)
        return status;
    mfa_sessions_set_policy(core->sessions, policy);
    mfa_throttle_set_policy(core->throttle, policy);
    return MFA_OK;
}

enum mfa_status mfa_core_reconfigure(struct mfa_core *core, struct mfa_config *config)
{
    struct mfa_settings *settings = NULL;
    enum mfa_status status = mfa_settings_new(&settings, &core->host, &core->gateway, &core->in_flight, config);

    if (status != MFA_OK)
        return status;
    if (settings->config.mode != MFA_MODE_DISABLED)
        status = set_policy(core, &settings->config.policy);
    if (status == MFA_OK) {
        struct mfa_settings *before = core->settings;

        pthread_mutex_lock(&core->mutex);
        core->settings = settings; /* transferred */
        pthread_mutex_unlock(&core->mutex);
        settings = before;
    }
    mfa_settings_release(settings);
    return status;
}

void mfa_core_stop(struct mfa_core *core)
{
    /* First who may have something left to store. */
    if (core->password_workers != NULL)
        mfa_workers_stop(core->password_workers);
    if (core->storage_workers != NULL)
        mfa_workers_stop(core->storage_workers);
    mfa_housekeeper_free(core->housekeeper);
    core->housekeeper = NULL;
}

void mfa_core_free(struct mfa_core *core)
{
    if (core == NULL)
        return;
    mfa_core_stop(core);
    mfa_workers_free(core->storage_workers);
    mfa_workers_free(core->password_workers);
    mfa_throttle_free(core->throttle);
    mfa_sessions_free(core->sessions);
    mfa_send_limits_free(core->send_limits);
    mfa_settings_release(core->settings);
    pthread_mutex_destroy(&core->mutex);
    free(core);
}
