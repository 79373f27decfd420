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

/* The presets that a configuration names, each of which is read once. Zeroed but for the directory; released with
 * mfa_presets_clear. */
struct mfa_presets {
    const char *directory;
    struct mfa_preset *list;
};

/* Finds, or reads, the preset that the node `name` names, with the values of the node `parameters` (NULL: none). Problems
 * are reported the first time, those of the operator on `name` and `parameters`.
 * Returns MFA_OK with `*out` borrowed from `presets`, NULL when there were problems; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_presets_get(struct mfa_presets *presets, const struct mfa_yaml_node *name,
                                               const struct mfa_yaml_node *parameters, const struct mfa_preset **out);

/* The mapping of an endpoint ("single"), borrowed; NULL: the preset has none of that name. */
const struct mfa_yaml_node *mfa_preset_endpoint(const struct mfa_preset *preset, const char *name);

void mfa_presets_clear(struct mfa_presets *presets);

#endif
