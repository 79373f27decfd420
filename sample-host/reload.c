/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include <string.h>

#include "loader.h"
#include "log.h"
#include "plugin.h"

static bool is_reconfigurable(const struct plugin *plugin)
{
    const struct core_plugin_hooks *hooks = plugin->descriptor->hooks;

    return CORE_HAS(hooks, reconfigure) && hooks->reconfigure;
}

static core_status hand_over(struct plugin *plugin, const struct host_config *config)
{
    const struct core_plugin_descriptor *descriptor = plugin->descriptor;
    struct core_config section;

    if (!is_reconfigurable(plugin)) {
        log_line(CORE_LOG_INFO, "plugin %s %s: takes nothing over while it runs; a change of %s takes a restart",
                 descriptor->name, descriptor->version, descriptor->config_section);
        return CORE_OK;
    }
    core_status status = host_config_section(config, descriptor->config_section, &section);
    if (status != CORE_OK)
        return status;
    plugin->is_reconfiguring = true;
    status = descriptor->hooks->reconfigure(plugin->instance, &section);
    plugin->is_reconfiguring = false;
    return status;
}

/* They have run by that configuration before. */
static void put_back(const struct host *host, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        struct plugin *plugin = &host->plugins[i - 1];
        if (is_reconfigurable(plugin) && hand_over(plugin, &host->config) != CORE_OK)
            log_line(CORE_LOG_ERROR, "plugin %s: has kept the new configuration, although another plugin refused it",
                     plugin->descriptor->name);
    }
}

static core_status hand_over_all(const struct host *host, const struct host_config *config)
{
    for (size_t i = 0; i < host->plugin_count; i++) {
        core_status status = hand_over(&host->plugins[i], config);
        if (status != CORE_OK) {
            log_line(CORE_LOG_ERROR, "plugin %s: refuses the new configuration, see above",
                     host->plugins[i].descriptor->name);
            put_back(host, i);
            return status;
        }
    }
    return CORE_OK;
}

static bool differs(const char *text, const char *other)
{
    return text && other ? strcmp(text, other) != 0 : text != other;
}

static void warn_of_restart(const struct host_config *in_use, const struct host_config *fresh)
{
    const struct {
        const char *key;
        bool has_changed;
    } own_keys[] = {
        {"http.ip", differs(fresh->ip, in_use->ip)},
        {"http.port", fresh->port != in_use->port},
        {"http.maxConnectionsPerAddress", fresh->connections_per_address_max != in_use->connections_per_address_max},
        {"auth.adminAccessKey", differs(fresh->secret_admin_key, in_use->secret_admin_key)},
        {"auth.passwordHashing", fresh->passwords_cost != in_use->passwords_cost},
    };

    for (size_t i = 0; i < sizeof(own_keys) / sizeof(own_keys[0]); i++)
        if (own_keys[i].has_changed)
            log_line(CORE_LOG_WARN, "%s (%s): has changed, which takes a restart; the value before stays in use",
                     own_keys[i].key, in_use->path);
}

core_status reload(struct host *host)
{
    struct host_config fresh = {0};

    log_line(CORE_LOG_INFO, "reading %s again", host->config.path);
    core_status status = host_config_load(&fresh, host->config.path);
    if (status == CORE_OK)
        status = loader_check_claimed(host, &fresh);
    if (status == CORE_OK)
        status = hand_over_all(host, &fresh);
    if (status == CORE_OK) {
        warn_of_restart(&host->config, &fresh);
        host_config_swap_text(&host->config, &fresh);
        log_line(CORE_LOG_INFO, "the new configuration is in use");
    } else {
        log_line(CORE_LOG_ERROR, "nothing has changed, the configuration before stays in use");
    }
    host_config_clear(&fresh);
    return status;
}
