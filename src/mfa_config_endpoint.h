/* SPDX-License-Identifier: Apache-2.0
 *
 * The endpoint language: reads one endpoint of the configuration, with the preset it may name and its fallbacks. Private to
 * mfa_config.
 */
#ifndef MFA_CONFIG_ENDPOINT_H
#define MFA_CONFIG_ENDPOINT_H

#include "mfa_endpoint.h"
#include "mfa_preset.h"
#include "mfa_yaml.h"

/* Where an endpoint stands. */
struct mfa_endpoint_place {
    const struct mfa_yaml *yaml;
    const char *name;      /* "single", "challenge", "verify" */
    const char *needed_by; /* name of the mode, when it is the one chosen; else NULL */
    struct mfa_presets *presets;
};

/* Reads `sms.endpoints.NAME` into a zeroed endpoint, and reports every problem.
 * Returns MFA_OK, problems or not; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_config_read_endpoint(struct mfa_endpoint *endpoint,
                                                        const struct mfa_endpoint_place *place);

#endif
