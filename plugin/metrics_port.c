/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "core_cap_metrics.h"
#include "plugin.h"

/* No host can be called that. */
#define OTHER_HOST "(other)"

/* Milliseconds, up to the longest time-out. */
static const int64_t latency_buckets[] = {5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000};

static const char *const calls[] = {[MFA_CALL_SEND] = "send", [MFA_CALL_VERIFY] = "verify", NULL};

/* The closed sets, as far as they are made when the plugin starts; each ends with NULL. */
struct label_values {
    const char *outcomes[MFA_OUTCOME_COUNT + 1];
    const char *verdicts[MFA_VERDICT_ACCEPTED + 2];
};

/* They outlive the configuration that named them. */
static enum mfa_status copy_hosts(struct plugin_metrics *metrics, const struct mfa_config *config)
{
    char **hosts = metrics->hosts;
    const char *host = NULL;
    size_t count = 0;

    while (count < PLUGIN_MAX_HOSTS && (host = mfa_config_host(config, count)) != NULL) {
        hosts[count] = strdup(host);
        if (hosts[count++] == NULL)
            return MFA_ERR_MEMORY;
    }
    hosts[count] = strdup(OTHER_HOST);
    return hosts[count] != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

static void fill_in(struct label_values *values)
{
    for (size_t i = 0; i < MFA_OUTCOME_COUNT; i++)
        values->outcomes[i] = mfa_outcome_name((enum mfa_outcome)i);
    for (size_t i = 0; i <= MFA_VERDICT_ACCEPTED; i++)
        values->verdicts[i] = mfa_verdict_name((enum mfa_verdict)i);
}

static enum mfa_status define(struct plugin_metrics *metrics)
{
    struct label_values values = {0};
    const struct core_metric_label by_flow[] = {{"flow", mfa_metrics_flows}, {"outcome", values.outcomes}};
    const char *const *hosts = (const char *const *)metrics->hosts;
    const struct core_metric_label by_verdict[] = {{"host", hosts}, {"outcome", values.verdicts}};
    const struct core_metric_label by_call[] = {{"host", hosts}, {"call", calls}};
    const struct core_metric definitions[MFA_METRIC_COUNT] = {
        [MFA_METRIC_REQUESTS] = {.kind = CORE_METRIC_COUNTER,
                                 .name = "mfa_requests_total",
                                 .help = "Requests by what was asked and what came of it.",
                                 .labels = by_flow,
                                 .label_count = 2},
        [MFA_METRIC_CHALLENGES] = {.kind = CORE_METRIC_COUNTER,
                                   .name = "mfa_challenges_total",
                                   .help = "Messages by host of the service and what came of them.",
                                   .labels = by_verdict,
                                   .label_count = 2},
        [MFA_METRIC_GATEWAY_TIME] = {.kind = CORE_METRIC_HISTOGRAM,
                                     .name = "mfa_gateway_seconds",
                                     .help = "Time that the communication service took.",
                                     .labels = by_call,
                                     .label_count = 2,
                                     .buckets = latency_buckets,
                                     .bucket_count = sizeof latency_buckets / sizeof latency_buckets[0],
                                     .unit = 1000},
        [MFA_METRIC_IN_FLIGHT] = {.kind = CORE_METRIC_GAUGE,
                                  .name = "mfa_gateway_in_flight",
                                  .help = "Requests to the communication service that are not answered."},
        [MFA_METRIC_PENDING] = {.kind = CORE_METRIC_GAUGE,
                                .name = "mfa_pending_sessions",
                                .help = "Logins and activations that wait for their code."},
    };

    fill_in(&values);
    for (size_t i = 0; i < MFA_METRIC_COUNT; i++) {
        struct core_metric metric = definitions[i];

        metric.struct_size = sizeof metric;
        metric.unit = metric.unit > 0 ? metric.unit : 1;
        core_status status = metrics->table->define(metrics->host, &metric, &metrics->ids[i]);
        if (status != CORE_OK)
            return status == CORE_ERR_MEMORY ? MFA_ERR_MEMORY : MFA_ERR_INTERNAL;
    }
    return MFA_OK;
}

static void record(void *ctx, enum mfa_metric metric, uint32_t first, uint32_t second, int64_t number)
{
    const struct plugin_metrics *metrics = ctx;

    metrics->table->record(metrics->host, metrics->ids[metric], (const uint32_t[]){first, second}, number);
}

enum mfa_status plugin_metrics_port(struct plugin_metrics *metrics, const struct core_host *host,
                                    const struct mfa_config *config, struct mfa_metrics_port *out)
{
    enum mfa_status status = MFA_OK;

    *out = (struct mfa_metrics_port){0};
    *metrics = (struct plugin_metrics){.host = host, .table = core_cap_metrics_of(host)};
    if (metrics->table == NULL || config->mode == MFA_MODE_DISABLED)
        return MFA_OK;
    status = copy_hosts(metrics, config);
    if (status == MFA_OK)
        status = define(metrics);
    if (status == MFA_OK)
        *out =
            (struct mfa_metrics_port){.ctx = metrics, .hosts = (const char *const *)metrics->hosts, .record = record};
    return status;
}

void plugin_metrics_clear(struct plugin_metrics *metrics)
{
    for (size_t i = 0; metrics->hosts[i] != NULL; i++)
        free(metrics->hosts[i]);
    *metrics = (struct plugin_metrics){0};
}
