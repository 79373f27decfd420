/* SPDX-License-Identifier: Apache-2.0
 *
 * host_api.h: the table struct core_host, and the two ways from the host into a plugin.
 */
#ifndef HOST_API_H
#define HOST_API_H

#include "exchange.h"
#include "plugin.h"

/* Fills in `plugin->table`. */
void host_api_init(struct plugin *plugin);

/* The handler of every route that a plugin registered: hands the exchange to the plugin. */
void host_api_call_route(struct exchange *exchange);

/* Asks the plugin about a login; `events` tell the outcome, with the exchange as their owner, which is held meanwhile.
 * Anything but CORE_OK: the plugin was not asked. */
core_status host_api_call_login(struct plugin *plugin, struct exchange *exchange, const struct core_login *login)
    __attribute__((warn_unused_result));

/* Whether the plugin claims this field of the private profile. */
bool host_api_claims_field(const struct plugin *plugin, const char *field);

#endif
