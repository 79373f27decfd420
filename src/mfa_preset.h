/* SPDX-License-Identifier: Apache-2.0
 *
 * Presets: endpoints of well-known services, as YAML files in the endpoint language with `${param:name}` for what is the
 * operator's own. Private to the reader of the configuration.
 *
 *     title: Name of the service
 *     parameters:
 *       apiKey: what it is and where to find it
 *       sender: {description: what it is, default: Acme}
 *     endpoints:
 *       single: {url: ..., headers: {authorization: 'Bearer ${param:apiKey}'}, ...}
 */
#ifndef MFA_PRESET_H
#define MFA_PRESET_H

#include "mfa_yaml.h"

struct mfa_preset;

/* Reads the preset that `name` names, with the values of `parameters` (NULL: none). Problems are reported, those of the
 * operator on `name` and `parameters`.
 * Returns MFA_OK with `*out` owned by the caller, released with mfa_preset_free, or NULL when there were problems;
 * MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_preset_read(struct mfa_preset **out, const char *directory,
                                               const struct mfa_yaml_node *name,
                                               const struct mfa_yaml_node *parameters);

/* The mapping of an endpoint ("single"), borrowed; NULL: the preset has none of that name. */
const struct mfa_yaml_node *mfa_preset_endpoint(const struct mfa_preset *preset, const char *name);

/* Accepts NULL. */
void mfa_preset_free(struct mfa_preset *preset);

#endif
