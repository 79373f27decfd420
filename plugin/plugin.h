/* SPDX-License-Identifier: Apache-2.0
 *
 * One instance of the plugin, as its own files see it. This folder is the boundary: it translates between the host API and
 * the library, and decides nothing.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdatomic.h>
#include <stdint.h>

#include "core_plugin.h"
#include "mfa_core.h"
#include "mfa_flow.h"
#include "mfa_gateway.h"

#define PLUGIN_NAME "mfa"
#define PLUGIN_SECTION "services.mfa"
/* Fields of the private profile: the enrolment, as Pryv.io names it, and the tally of failures. */
#define PLUGIN_FIELD_ENROLMENT "mfa"
#define PLUGIN_FIELD_ATTEMPTS "mfa-attempts"

/* Most hosts of services that metrics name; the rest, and those of a later configuration, are one more. */
#define PLUGIN_MAX_HOSTS 32

/* What the key-value port works on. */
struct plugin_kv {
    const struct core_host *host;
    const struct core_cap_kv *table; /* NULL: the host has none */
};

/* What the metrics port works on. */
struct plugin_metrics {
    const struct core_host *host;
    const struct core_cap_metrics *table; /* NULL: the host has none */
    uint64_t ids[MFA_METRIC_COUNT];
    char *hosts[PLUGIN_MAX_HOSTS + 2]; /* label values, as mfa_metrics_port has them; owned */
};

struct plugin_instance {
    const struct core_host *host;
    struct plugin_kv kv;
    struct plugin_metrics metrics;
    struct mfa_gateway *gateway; /* NULL with `mode: disabled` */
    struct mfa_core *core;
    struct plugin_route *routes; /* what the registered routes point to */
};

/* host_ports.c: a NUL-terminated text as a span, and a status of the host as one of the library. */
struct core_span plugin_text_span(const char *text);
enum mfa_status plugin_from_core(core_status status);

/* host_ports.c: the library's seams, made of the host's functions. `host` is static. */
struct mfa_host_port plugin_host_port(const struct core_host *host);

/* kv_port.c: the host's key-value table, zeroed when it offers none; to be called in create. `kv` is filled in, and must
 * last as long as the port. `host` is static. */
struct mfa_kv_port plugin_kv_port(struct plugin_kv *kv, const struct core_host *host);

/* metrics_port.c: defines the metrics, with the hosts that `config` names, and gives the port to them, zeroed when the host
 * offers none; to be called in create. `metrics` is filled in, and must last as long as the port.
 * Returns MFA_OK; MFA_ERR_MEMORY; MFA_ERR_INTERNAL: the host does not take a definition. */
MFA_MUST_CHECK enum mfa_status plugin_metrics_port(struct plugin_metrics *metrics, const struct core_host *host,
                                                   const struct mfa_config *config, struct mfa_metrics_port *out);

/* metrics_port.c: frees what the port works on. Accepts a zeroed struct. */
void plugin_metrics_clear(struct plugin_metrics *metrics);

/* dispatch.c: registers the routes. Returns what the host said. */
core_status plugin_register_routes(struct plugin_instance *instance);

/* dispatch.c: the login hook; `context` is the instance. */
void plugin_login(void *context, core_call call, const struct core_login *login);

#endif
