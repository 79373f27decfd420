/* SPDX-License-Identifier: Apache-2.0
 *
 * While it runs, it takes no section over, and the lack of one.
 */
#include "core_plugin.h"

static core_status reconfigure(void *instance, const struct core_config *config)
{
    (void)instance;
    return config->text.data == NULL ? CORE_OK : CORE_ERR_CONFIG;
}

#define RECONFIGURE reconfigure
#include "bad_plugin.h"
