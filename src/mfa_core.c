/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_core.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_housekeeper.h"

/* Writes of one disk hardly gain from more; password hashes are the host's own to bound. */
#define STORAGE_THREADS 2
#define PASSWORD_THREADS 2
#define MAX_QUEUED 4096
#define MAX_QUEUED_PASSWORDS 64

static enum mfa_status new_sessions(struct mfa_core *core)
{
    unsigned char seed_secret[MFA_SESSIONS_SEED_LEN] = {0};
    enum mfa_status status = core->host.random(core->host.ctx, seed_secret, sizeof seed_secret);

    if (status == MFA_OK)
        status = mfa_sessions_new(&core->sessions, &core->config.policy, seed_secret);
    sodium_memzero(seed_secret, sizeof seed_secret);
    return status;
}

/* Each service is known to the metrics by the place of its host. */
static void label_services(struct mfa_core *core)
{
    const char *host = NULL;

    for (uint32_t place = 0; (host = mfa_config_host(&core->config, place)) != NULL; place++)
        for (size_t i = 0; i < core->services->count; i++)
            if (strcmp(core->services->list[i].endpoint->origin.host, host) == 0)
                core->services->list[i].host_place = place;
}

static enum mfa_status new_services(struct mfa_core *core, const struct mfa_gateway_port *gateway)
{
    const struct mfa_endpoint *const endpoints[] = {&core->config.single, &core->config.challenge,
                                                    &core->config.verify};

    enum mfa_status status =
        mfa_services_new(&core->services, &core->host, gateway, endpoints, sizeof endpoints / sizeof endpoints[0]);

    if (status == MFA_OK)
        label_services(core);
    return status;
}

static enum mfa_status start(struct mfa_core *core, const struct mfa_gateway_port *gateway,
                             const struct mfa_kv_port *kv)
{
    enum mfa_status status = new_sessions(core);

    if (status == MFA_OK)
        status = new_services(core, gateway);

    if (status == MFA_OK)
        status = mfa_throttle_new(&core->throttle, &core->config.policy);
    if (status == MFA_OK)
        status = mfa_send_limits_new(&core->send_limits, &core->host, kv, &core->config.policy);
    if (status == MFA_OK)
        status = mfa_workers_new(&core->storage_workers, STORAGE_THREADS, MAX_QUEUED);
    if (status == MFA_OK)
        status = mfa_workers_new(&core->password_workers, PASSWORD_THREADS, MAX_QUEUED_PASSWORDS);
    if (status == MFA_OK)
        status = mfa_housekeeper_new(&core->housekeeper, &core->host, core->services, core->sessions, core->throttle,
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
    if (core == NULL)
        return MFA_ERR_MEMORY;
    core->host = *host;
    core->config = *config;
    if (config->mode != MFA_MODE_DISABLED)
        status = start(core, gateway, kv);
    if (status != MFA_OK) {
        core->config = (struct mfa_config){0}; /* stays the caller's */
        mfa_core_free(core);
        return status;
    }
    *config = (struct mfa_config){0}; /* transferred */
    *out = core;
    return MFA_OK;
}

void mfa_core_stop(struct mfa_core *core)
{
    if (core->storage_workers != NULL)
        mfa_workers_stop(core->storage_workers);
    if (core->password_workers != NULL)
        mfa_workers_stop(core->password_workers);
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
    mfa_services_free(core->services);
    mfa_config_clear(&core->config);
    free(core);
}
