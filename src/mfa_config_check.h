/* SPDX-License-Identifier: Apache-2.0
 *
 * What only the endpoints together tell: whether each value that one needs can come from another. Private to mfa_config.
 */
#ifndef MFA_CONFIG_CHECK_H
#define MFA_CONFIG_CHECK_H

#include "mfa_config.h"
#include "mfa_yaml.h"

/* Reports every contradiction between the endpoints of the mode. `config` is complete and free of errors otherwise. */
void mfa_config_check_together(const struct mfa_config *config, const struct mfa_yaml *yaml);

#endif
