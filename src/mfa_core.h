/* SPDX-License-Identifier: Apache-2.0
 *
 * The core of the plugin: configuration, pending sessions and threads, and the way in for every request.
 */
#ifndef MFA_CORE_H
#define MFA_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_config.h"
#include "mfa_ports.h"
#include "mfa_send_limits.h"
#include "mfa_sessions.h"
#include "mfa_settings.h"
#include "mfa_status.h"
#include "mfa_throttle.h"
#include "mfa_workers.h"

/* One per instance of the plugin. Read-only after mfa_core_new, but for what guards itself. */
struct mfa_core {
    struct mfa_host_port host;
    struct mfa_gateway_port gateway;
    pthread_mutex_t mutex;         /* guards settings; none is taken inside it */
    struct mfa_settings *settings; /* for what begins now; held */
    atomic_size_t in_flight;       /* exchanges with services that are not over */
    struct mfa_sessions *sessions;
    struct mfa_throttle *throttle;
    struct mfa_send_limits *send_limits;
    struct mfa_workers *storage_workers;  /* for what waits for the disk */
    struct mfa_workers *password_workers; /* apart, so that slow hashes never hold up a confirmation */
    struct mfa_housekeeper *housekeeper;
};

/* Makes a core and starts its threads; none with `mode: disabled`. `host`, `gateway` and `kv` are copied. `config` is
 * transferred in any case (it is zeroed). `*out` is owned by the caller, released with mfa_core_free.
 * Returns MFA_OK, MFA_ERR_MEMORY or MFA_ERR_INTERNAL. */
MFA_MUST_CHECK enum mfa_status mfa_core_new(struct mfa_core **out, const struct mfa_host_port *host,
                                            const struct mfa_gateway_port *gateway, const struct mfa_kv_port *kv,
                                            struct mfa_config *config);

/* Puts another configuration in the place of the one in use, for all that begins from now on; what has begun ends by the one
 * it began with. It is transferred in any case, and has passed mfa_config_parse with the one in use. One thread at a time.
 * Returns MFA_OK; MFA_ERR_MEMORY: nothing has changed. */
MFA_MUST_CHECK enum mfa_status mfa_core_reconfigure(struct mfa_core *core, struct mfa_config *config);

/* The settings for what begins now, held for the caller, who ends that with mfa_settings_release. [any thread] */
struct mfa_settings *mfa_core_settings(struct mfa_core *core);

/* Runs what is queued to its end, writes what is to be written, and joins the threads. To be called after the gateway has
 * been stopped and the last request has come in; when it returns, every call has been completed. A second call does
 * nothing. */
void mfa_core_stop(struct mfa_core *core);

/* Stops if need be; wipes and frees. Accepts NULL. */
void mfa_core_free(struct mfa_core *core);

#endif
