/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads one number of the policy from the operator's YAML. Private to the reader of the configuration.
 */
#ifndef MFA_CONFIG_LIMIT_H
#define MFA_CONFIG_LIMIT_H

#include "mfa_policy.h"
#include "mfa_yaml.h"

/* Stores what `node` says in the limit's member of `object`, or the default when it is NULL or wrong, which is reported. */
void mfa_limit_read(const struct mfa_yaml_node *node, const struct mfa_policy_limit *limit, void *object);

#endif
