/* SPDX-License-Identifier: Apache-2.0
 *
 * Step-up: what weakens a user's protection takes the password again, where the operator asks for it (OWASP ASVS 5.0, 6.5
 * and 7.5: re-authentication before a change of factors).
 */
#ifndef MFA_STEP_UP_H
#define MFA_STEP_UP_H

#include "mfa_flow.h"

/* Goes on with `then`: at once where no step-up is required; else when the `password` in the body, which was read before,
 * has been found right. Failures count on the account like wrong codes. `then` runs where it may wait only if a step-up was
 * required. */
enum mfa_outcome mfa_step_up(struct mfa_flow *flow, mfa_flow_step_fn *then);

#endif
