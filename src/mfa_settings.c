/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_settings.h"

#include <stdlib.h>
#include <string.h>

/* Each service is known to the metrics by the place of its host among those that were named when the plugin started; the last
 * place is for all others. */
static void label_services(struct mfa_services *services, const char *const *hosts)
{
    for (size_t i = 0; i < services->count && hosts != NULL; i++) {
        struct mfa_service *service = &services->list[i];

        while (hosts[service->host_place + 1] != NULL &&
               strcmp(service->endpoint->origin.host, hosts[service->host_place]) != 0)
            service->host_place++;
    }
}

enum mfa_status mfa_settings_new(struct mfa_settings **out, const struct mfa_host_port *host,
                                 const struct mfa_gateway_port *gateway, atomic_size_t *in_flight,
                                 struct mfa_config *config)
{
    struct mfa_settings *settings = calloc(1, sizeof *settings);
    enum mfa_status status = MFA_ERR_MEMORY;

    *out = NULL;
    if (settings == NULL) {
        mfa_config_clear(config);
        return status;
    }
    const struct mfa_endpoint *const endpoints[] = {&settings->config.single, &settings->config.challenge,
                                                    &settings->config.verify};
    atomic_init(&settings->holders, 1);
    settings->config = *config;
    *config = (struct mfa_config){0}; /* transferred */
    status = mfa_services_new(&settings->services, host, gateway, in_flight, endpoints,
                              sizeof endpoints / sizeof endpoints[0]);
    if (status != MFA_OK) {
        mfa_settings_release(settings);
        return status;
    }
    label_services(settings->services, host->metrics.hosts);
    *out = settings;
    return MFA_OK;
}

struct mfa_settings *mfa_settings_hold(struct mfa_settings *settings)
{
    if (settings != NULL)
        atomic_fetch_add(&settings->holders, 1);
    return settings;
}

void mfa_settings_release(struct mfa_settings *settings)
{
    if (settings == NULL || atomic_fetch_sub(&settings->holders, 1) > 1)
        return;
    mfa_services_free(settings->services);
    mfa_config_clear(&settings->config);
    free(settings);
}
