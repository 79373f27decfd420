/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of a code that a user typed in, for confirm and verify: by us in single mode, otherwise by the service.
 */
#ifndef MFA_CHECK_H
#define MFA_CHECK_H

#include "mfa_flow.h"

/* Reads the token and the code of the request, reserves an attempt, and checks. Goes on with `then` only when the code is
 * right; the session is still in the table then, for `then` to take.
 * `then` runs on the host's thread in single mode, on a storage worker otherwise. */
enum mfa_outcome mfa_check_code(struct mfa_flow *flow, enum mfa_purpose purpose, mfa_flow_step_fn *then);

#endif
