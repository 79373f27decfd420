/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin in C++, defined as the header says: what is checked is that it exports its descriptor.
 */
#include "core_plugin.h"

static core_status create(const struct core_host *host, const struct core_config *, void **instance)
{
    *instance = host->host_data;
    return CORE_OK;
}

static void ignore(void *)
{
}

static const struct core_plugin_hooks hooks = {sizeof hooks, 0, ignore, nullptr, nullptr};

CORE_PLUGIN_EXPORT const struct core_plugin_descriptor core_plugin_descriptor = {CORE_PLUGIN_MAGIC,
                                                                                 sizeof core_plugin_descriptor,
                                                                                 CORE_API_MAJOR,
                                                                                 CORE_API_MINOR,
                                                                                 0,
                                                                                 0,
                                                                                 "in-cpp",
                                                                                 "1",
                                                                                 "services.in-cpp",
                                                                                 create,
                                                                                 ignore,
                                                                                 &hooks,
                                                                                 nullptr};
