/* SPDX-License-Identifier: Apache-2.0
 *
 * reload.h: another configuration for a host that runs. Plugins are handed their sections; what the host reads itself takes
 * a restart.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "core_plugin.h"
#include "host.h"

/* Reads the configuration's file again and has the plugins take it over, all or none. Says in the log what it does, and why
 * not. Anything but CORE_OK: the configuration in use stays. Main thread, between host_listen and host_stop. */
core_status reload(struct host *host);

#endif
