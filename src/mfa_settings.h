/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: a configuration and the services it names, as one thing that nobody changes any more. A new configuration comes
 * as other settings in their place; whoever began with these goes on with them, so they are counted, and wiped and freed
 * with their last holder.
 */
#ifndef MFA_SETTINGS_H
#define MFA_SETTINGS_H

#include <stdatomic.h>

#include "mfa_config.h"
#include "mfa_ports.h"
#include "mfa_service.h"
#include "mfa_status.h"

struct mfa_settings {
    struct mfa_config config;
    struct mfa_services *services;
    atomic_size_t holders;
};

/* Makes settings with one holder, the caller, who ends that with mfa_settings_release. `host` and `in_flight` are borrowed
 * for as long as anybody holds them; `gateway` is copied. `config` is transferred in any case (it is zeroed).
 * Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_settings_new(struct mfa_settings **out, const struct mfa_host_port *host,
                                                const struct mfa_gateway_port *gateway, atomic_size_t *in_flight,
                                                struct mfa_config *config);

/* Becomes another holder, while somebody is one. Returns the settings. NULL is accepted. [any thread] */
struct mfa_settings *mfa_settings_hold(struct mfa_settings *settings);

/* Ends that. Accepts NULL. [any thread] */
void mfa_settings_release(struct mfa_settings *settings);

#endif
