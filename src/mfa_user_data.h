/* SPDX-License-Identifier: Apache-2.0
 *
 * User data: the variables a client stores at activation, which the templates are filled in with.
 */
#ifndef MFA_USER_DATA_H
#define MFA_USER_DATA_H

#include <jansson.h>
#include <stddef.h>

#include "mfa_endpoint.h"
#include "mfa_parameter.h"
#include "mfa_status.h"

/* Checks an object of variables against the policy: number of keys, size, names, types.
 * Returns MFA_OK; MFA_ERR_SYNTAX with `*problem` filled in. */
MFA_MUST_CHECK enum mfa_status mfa_user_data_check(const json_t *user_data, struct mfa_parameter_problem *problem);

/* Writes where `endpoint` sends a message, masked so that its owner recognises it and nobody else learns it:
 * "+41 ** *** 12 31", "j***@example.com". Empty when it sends to no destination under a name we know.
 * `endpoint` may be NULL: any. */
#define MFA_HINT_SIZE 128
void mfa_user_data_hint(const json_t *user_data, const struct mfa_endpoint *endpoint, char hint[static MFA_HINT_SIZE]);

#endif
