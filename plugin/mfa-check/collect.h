/* SPDX-License-Identifier: Apache-2.0
 *
 * collect.h: finds the secrets of a configuration, before anything is said about it.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "mfa_config.h"
#include "secrets.h"

/* Adds what stands under names for secrets in the section, right or wrong as it is, and in the presets it names; and
 * whatever `${env:}` and `${file:}` put in. `presets_directory` is where presets are looked for. */
void collect_from_section(struct secrets *secrets, const struct mfa_config_source *source,
                          const char *presets_directory);

/* Adds what the endpoints have become: Basic credentials, keys of signatures. */
void collect_from_config(struct secrets *secrets, const struct mfa_config *config);

#endif
