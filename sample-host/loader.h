/* SPDX-License-Identifier: Apache-2.0
 *
 * loader.h: from a directory to running plugins, by the refusal rules of core_plugin_descriptor. Each refusal is one line
 * in the log that names the file and the reason. Main thread.
 */
#ifndef LOADER_H
#define LOADER_H

#include "core_plugin.h"
#include "host.h"

/* Loads every *.so of `dir` in the order of their names and creates their instances, into `host->plugins`. Anything but
 * CORE_OK: some plugin was refused, and the host must not start; what was created has been stopped, and loader_unload is to free it. */
core_status loader_load(struct host *host, const char *dir) __attribute__((warn_unused_result));

/* Refuses a configuration with a section that none of the plugins reads. CORE_ERR_CONFIG: the reasons have been logged;
 * CORE_ERR_MEMORY. */
core_status loader_check_claimed(const struct host *host, const struct host_config *config)
    __attribute__((warn_unused_result));

/* Stops all instances, the last one first. The host must have entered its last hook. */
void loader_stop(struct host *host);

/* Destroys the instances and closes the libraries. */
void loader_unload(struct host *host);

/* Judges a descriptor. Returns NULL, or the reason to refuse it: static text. It runs no code of the plugin. */
const char *loader_objection(const struct core_plugin_descriptor *descriptor);

#endif
