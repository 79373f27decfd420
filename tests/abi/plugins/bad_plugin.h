/* SPDX-License-Identifier: Apache-2.0
 *
 * What the bad plugins beside this file share: everything a good plugin has. Each of them defines the one thing it gets
 * wrong before it includes this. `create` writes a line to the log when it runs, so that a test sees whether it did.
 */
#ifndef BAD_PLUGIN_H
#define BAD_PLUGIN_H

#include "core_plugin.h"

#ifndef MAGIC
#define MAGIC CORE_PLUGIN_MAGIC
#endif
#ifndef STRUCT_SIZE
#define STRUCT_SIZE sizeof(struct core_plugin_descriptor)
#endif
#ifndef MAJOR
#define MAJOR CORE_API_MAJOR
#endif
#ifndef REQUIRES_MINOR
#define REQUIRES_MINOR 0
#endif
#ifndef NAME
#define NAME "bad"
#endif
#ifndef VERSION
#define VERSION "0"
#endif
#ifndef CONFIG_SECTION
#define CONFIG_SECTION "services.bad"
#endif
#ifndef CREATE
#define CREATE create
#endif
#ifndef DESTROY
#define DESTROY stop
#endif
#ifndef HOOKS
#define HOOKS &hooks
#endif
#ifndef HOOKS_SIZE
#define HOOKS_SIZE sizeof(struct core_plugin_hooks)
#endif
#ifndef STOP
#define STOP stop
#endif
#ifndef RECONFIGURE
#define RECONFIGURE NULL
#endif
#ifndef PROFILE_FIELD
#define PROFILE_FIELD "bad"
#endif
#ifndef INSTANCE
#define INSTANCE (void *)line /* it has nothing to keep */
#endif
#ifndef CREATE_STATUS
#define CREATE_STATUS CORE_OK
#endif

static inline core_status create(const struct core_host *host, const struct core_config *config, void **instance)
{
    static char line[] = "create of the bad plugin has run";

    (void)config;
    host->log(host, CORE_LOG_INFO, (struct core_span){.data = line, .len = sizeof line - 1});
    *instance = INSTANCE;
    return CREATE_STATUS;
}

static inline void stop(void *instance)
{
    (void)instance;
}

__attribute__((unused)) static const struct core_plugin_hooks hooks = {
    .struct_size = HOOKS_SIZE, .stop = STOP, .reconfigure = RECONFIGURE};

static const char *const profile_fields[] = {PROFILE_FIELD, NULL};

CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor = {
    .magic = MAGIC,
    .struct_size = STRUCT_SIZE,
    .api_major = MAJOR,
    .api_minor = CORE_API_MINOR,
    .requires_minor = REQUIRES_MINOR,
    .name = NAME,
    .version = VERSION,
    .config_section = CONFIG_SECTION,
    .create = CREATE,
    .destroy = DESTROY,
    .hooks = HOOKS,
    .profile_fields = profile_fields,
};

#endif
