/* SPDX-License-Identifier: Apache-2.0 */
#include "core_plugin.h"

static core_status refuse(void *instance, const struct core_config *config)
{
    (void)instance, (void)config;
    return CORE_ERR_CONFIG;
}

#define RECONFIGURE refuse
#include "bad_plugin.h"
