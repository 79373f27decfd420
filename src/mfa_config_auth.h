/* SPDX-License-Identifier: Apache-2.0
 *
 * How an endpoint's requests prove who we are: reads `auth` and `sign`. Private to the reader of the configuration.
 */
#ifndef MFA_CONFIG_AUTH_H
#define MFA_CONFIG_AUTH_H

#include "mfa_endpoint.h"
#include "mfa_yaml.h"

/* Both report every problem and return MFA_OK, problems or not; MFA_ERR_MEMORY. The endpoint has no authorization yet. */
MFA_MUST_CHECK enum mfa_status mfa_config_read_auth(struct mfa_endpoint *endpoint, const struct mfa_yaml_node *node);
MFA_MUST_CHECK enum mfa_status mfa_config_read_sign(struct mfa_sign *sign, const struct mfa_yaml_node *node);

/* Warns when requests to another machine are not encrypted. */
void mfa_config_warn_when_in_clear(const struct mfa_yaml_node *node, const struct mfa_url_origin *origin);

#endif
