/* SPDX-License-Identifier: Apache-2.0
 *
 * Its table of hooks has the size of version 1.0, and what stands behind it is not a hook of the host's business.
 */
#include "core_plugin.h"

static core_status reconfigure(void *instance, const struct core_config *config)
{
    (void)instance, (void)config;
    return CORE_ERR_INTERNAL;
}

#define NAME "out-of-bounds"
#define CONFIG_SECTION "services.outOfBounds"
#define PROFILE_FIELD "out"
#define HOOKS_SIZE offsetof(struct core_plugin_hooks, reconfigure)
#define RECONFIGURE reconfigure
#include "bad_plugin.h"
