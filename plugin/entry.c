/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

static void log_line(const struct core_host *host, uint32_t level, const char *line)
{
    host->log(host, level, (struct core_span){.data = line, .len = strlen(line)});
}

static void log_error(const struct core_host *host, const char *line)
{
    log_line(host, CORE_LOG_ERROR, line);
}

static bool offers_what_we_use(const struct core_host *host)
{
    return CORE_HAS(host, capability) && host->log != NULL && host->wall_clock != NULL &&
           host->monotonic_clock != NULL && host->complete != NULL && host->call_info != NULL &&
           host->profile_load != NULL && host->profile_store != NULL && host->password_check != NULL &&
           host->register_route != NULL;
}

static void report(void *ctx, bool is_error, const char *line)
{
    log_line(ctx, is_error ? CORE_LOG_ERROR : CORE_LOG_WARN, line);
}

/* `in_use` is the configuration whose place it is to take; NULL: none. */
static enum mfa_status read_config(const struct core_host *host, const struct core_config *from,
                                   const struct mfa_config *in_use, struct mfa_config *config)
{
    char file[4096] = "the configuration"; /* where the host has no name for it */
    struct mfa_config_source source = {.text = from->text.data,
                                       .text_len = (size_t)from->text.len,
                                       .section = PLUGIN_SECTION,
                                       .file = file,
                                       .first_line = from->origin_line,
                                       .in_use = in_use};

    if (from->format != CORE_CONFIG_YAML && from->format != CORE_CONFIG_JSON) {
        log_error(host, PLUGIN_SECTION ": the host hands over the configuration in a format that is not known here");
        return MFA_ERR_CONFIG;
    }
    if (from->origin.data != NULL && from->origin.len > 0 && from->origin.len < sizeof file)
        snprintf(file, sizeof file, "%.*s", (int)from->origin.len, (const char *)from->origin.data);
    return mfa_config_parse(config, &source, report, (void *)(uintptr_t)host);
}

static struct mfa_gateway_limits gateway_limits(const struct mfa_config *config)
{
    return (struct mfa_gateway_limits){.max_in_flight = config->policy.gateway_max_in_flight,
                                       .max_per_host = config->policy.gateway_max_per_host};
}

static enum mfa_status start(struct plugin_instance *instance, struct mfa_config *config)
{
    struct mfa_host_port port = plugin_host_port(instance->host);
    struct mfa_kv_port kv = plugin_kv_port(&instance->kv, instance->host);
    struct mfa_gateway_port gateway = {0};
    struct mfa_gateway_limits limits = gateway_limits(config);
    enum mfa_status status = MFA_OK;

    status = plugin_metrics_port(&instance->metrics, instance->host, config, &port.metrics);
    if (status != MFA_OK)
        return status;
    if (config->mode != MFA_MODE_DISABLED) {
        status = mfa_gateway_new(&instance->gateway, &limits);
        if (status != MFA_OK)
            return status;
        gateway = mfa_gateway_port(instance->gateway);
    } else {
        log_line(instance->host, CORE_LOG_WARN,
                 PLUGIN_SECTION ": mode is disabled: nobody is asked for a second factor");
    }
    return mfa_core_new(&instance->core, &port, &gateway, &kv, config);
}

static void stop(void *context)
{
    struct plugin_instance *instance = context;

    /* First the gateway, whose last answers still go through the workers. */
    if (instance->gateway != NULL)
        mfa_gateway_stop(instance->gateway);
    if (instance->core != NULL)
        mfa_core_stop(instance->core);
}

static void destroy(void *context)
{
    struct plugin_instance *instance = context;

    if (instance == NULL)
        return;
    mfa_core_free(instance->core);
    mfa_gateway_free(instance->gateway);
    plugin_metrics_clear(&instance->metrics);
    free(instance->routes);
    free(instance);
}

static core_status to_core(enum mfa_status status)
{
    switch (status) {
    case MFA_OK: return CORE_OK;
    case MFA_ERR_MEMORY: return CORE_ERR_MEMORY;
    case MFA_ERR_CONFIG: return CORE_ERR_CONFIG;
    default: return CORE_ERR_INTERNAL;
    }
}

static core_status create_instance(const struct core_host *host, const struct core_config *from,
                                   struct plugin_instance **out)
{
    struct mfa_config config = {0};
    struct plugin_instance *instance = calloc(1, sizeof *instance);
    core_status status = CORE_ERR_MEMORY;

    if (instance == NULL)
        return status;
    instance->host = host;
    status = to_core(read_config(host, from, NULL, &config));
    if (status == CORE_OK)
        status = to_core(start(instance, &config));
    if (status == CORE_OK)
        status = plugin_register_routes(instance);
    mfa_config_clear(&config);
    if (status != CORE_OK) {
        stop(instance);
        destroy(instance);
        return status;
    }
    *out = instance;
    return CORE_OK;
}

static core_status create(const struct core_host *host, const struct core_config *config, void **out)
{
    struct plugin_instance *instance = NULL;
    core_status status = CORE_ERR_INTERNAL;

    *out = NULL;
    if (!offers_what_we_use(host)) {
        if (CORE_HAS(host, log) && host->log != NULL)
            log_error(host, "the host offers less than version 1.0 of the plugin API");
        return CORE_ERR_VERSION;
    }
    if (sodium_init() < 0)
        log_error(host, "libsodium could not be initialised");
    else
        status = create_instance(host, config, &instance);
    if (status == CORE_ERR_MEMORY)
        log_error(host, "not enough memory to start");
    else if (status == CORE_ERR_INTERNAL || status == CORE_ERR_ARGUMENT)
        log_error(host, "libcurl, a clock, a thread, a route, the key-value table or a metric could not be set up");
    *out = instance;
    return status;
}

static core_status reconfigure(void *context, const struct core_config *from)
{
    struct plugin_instance *instance = context;
    struct mfa_settings *in_use = mfa_core_settings(instance->core);
    struct mfa_gateway_limits limits = {0};
    struct mfa_config config = {0};
    enum mfa_status status = read_config(instance->host, from, &in_use->config, &config);

    if (status == MFA_OK) {
        limits = gateway_limits(&config);
        status = mfa_core_reconfigure(instance->core, &config);
    }
    if (status == MFA_OK && instance->gateway != NULL)
        mfa_gateway_set_limits(instance->gateway, &limits);
    if (status == MFA_ERR_MEMORY)
        log_error(instance->host, "not enough memory for another configuration");
    mfa_settings_release(in_use);
    return to_core(status);
}

static const struct core_plugin_hooks hooks = {
    .struct_size = sizeof hooks, .stop = stop, .login = plugin_login, .reconfigure = reconfigure};

static const char *const profile_fields[] = {PLUGIN_FIELD_ENROLMENT, PLUGIN_FIELD_ATTEMPTS, NULL};

CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor = {
    .magic = CORE_PLUGIN_MAGIC,
    .struct_size = sizeof core_plugin_descriptor,
    .api_major = CORE_API_MAJOR,
    .api_minor = CORE_API_MINOR,
    .requires_minor = 0,
    .name = PLUGIN_NAME,
    .version = MFA_VERSION,
    .config_section = PLUGIN_SECTION,
    .create = create,
    .destroy = destroy,
    .hooks = &hooks,
    .profile_fields = profile_fields,
};
