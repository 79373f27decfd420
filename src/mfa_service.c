/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_service.h"

#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"

static size_t count_endpoints(const struct mfa_endpoint *const endpoints[], size_t endpoint_count)
{
    size_t count = 0;

    for (size_t i = 0; i < endpoint_count; i++)
        for (const struct mfa_endpoint *endpoint = endpoints[i]; endpoint != NULL; endpoint = endpoint->fallback)
            count++;
    return count;
}

enum mfa_status mfa_services_new(struct mfa_services **out, const struct mfa_host_port *host,
                                 const struct mfa_gateway_port *gateway, atomic_size_t *in_flight,
                                 const struct mfa_endpoint *const endpoints[], size_t endpoint_count)
{
    const size_t count = count_endpoints(endpoints, endpoint_count);
    struct mfa_services *services = calloc(1, sizeof *services);

    *out = NULL;
    if (services == NULL)
        return MFA_ERR_MEMORY;
    services->list = calloc(count + 1, sizeof *services->list);
    if (services->list == NULL) {
        free(services);
        return MFA_ERR_MEMORY;
    }
    services->host = host;
    services->gateway = *gateway;
    services->in_flight = in_flight;
    pthread_mutex_init(&services->mutex, NULL);
    for (size_t i = 0; i < endpoint_count; i++)
        for (const struct mfa_endpoint *endpoint = endpoints[i]; endpoint != NULL; endpoint = endpoint->fallback)
            services->list[services->count++].endpoint = endpoint;
    *out = services; /* transferred */
    return MFA_OK;
}

void mfa_services_free(struct mfa_services *services)
{
    if (services == NULL)
        return;
    for (size_t i = 0; i < services->count; i++) {
        char *secret = services->list[i].token_secret;

        mfa_secret_free(secret, secret != NULL ? strlen(secret) : 0);
    }
    pthread_mutex_destroy(&services->mutex);
    free(services->list);
    free(services);
}

struct mfa_service *mfa_services_find(struct mfa_services *services, const struct mfa_endpoint *endpoint)
{
    size_t i = 0;

    while (i < services->count && services->list[i].endpoint != endpoint)
        i++;
    return &services->list[i];
}

bool mfa_service_is_worth_trying(struct mfa_services *services, struct mfa_service *service, uint64_t now_ms)
{
    bool is_worth_it;

    pthread_mutex_lock(&services->mutex);
    is_worth_it = service->failures < MFA_SERVICE_FAILURES_TO_DOWN || now_ms >= service->next_trial_ms;
    if (is_worth_it && service->failures >= MFA_SERVICE_FAILURES_TO_DOWN)
        service->next_trial_ms = now_ms + MFA_SERVICE_DOWN_MS; /* one trial; the others pass it over until then */
    pthread_mutex_unlock(&services->mutex);
    return is_worth_it;
}

void mfa_service_note(struct mfa_services *services, struct mfa_service *service, bool has_failed, uint64_t now_ms)
{
    pthread_mutex_lock(&services->mutex);
    if (!has_failed)
        service->failures = 0;
    else if (service->failures < MFA_SERVICE_FAILURES_TO_DOWN)
        service->failures++;
    if (service->failures >= MFA_SERVICE_FAILURES_TO_DOWN)
        service->next_trial_ms = now_ms + MFA_SERVICE_DOWN_MS;
    pthread_mutex_unlock(&services->mutex);
}
