/* SPDX-License-Identifier: Apache-2.0
 *
 * The check of a code that a user typed in, for confirm and verify: by us in single mode, otherwise by the service.
 */
#ifndef MFA_CHECK_H
#define MFA_CHECK_H

#include "mfa_flow.h"

/* Reads the mfaToken, what its session remembers of the challenge, and then the body: who has no session has nothing parsed.
 * Returns MFA_OUTCOME_PENDING, or the outcome. */
enum mfa_outcome mfa_check_read(struct mfa_flow *flow);

/* Reserves an attempt on the session and on the account, before anything is compared. `may_be_stopped`: recovery. It is taken
 * back by itself when nobody waits for the answer any more before it is settled.
 * Returns MFA_OUTCOME_PENDING, or the outcome when there is no attempt to be had. */
enum mfa_outcome mfa_check_begin(struct mfa_flow *flow, enum mfa_purpose purpose, bool may_be_stopped);

/* Books that the attempt failed, on the session and on the account, and ends the flow with what that means. */
enum mfa_outcome mfa_check_fail(struct mfa_flow *flow, enum mfa_outcome outcome);

/* Takes the attempt back from both: nothing was compared, or what was right could not be made use of. */
void mfa_check_return(struct mfa_flow *flow);

/* Ends the flow of an attempt whose session has gone meanwhile, used by another request perhaps: no failure of the account. */
enum mfa_outcome mfa_check_lost(struct mfa_flow *flow);

/* Takes the code from what mfa_check_read has read, reserves an attempt on the session, and checks. Goes on with `then` only
 * when the code is right; the session is still in the table then, for `then` to take, and the account's attempt
 * is still to be booked. `then` runs on the host's thread in single mode, on a storage worker otherwise. */
enum mfa_outcome mfa_check_code(struct mfa_flow *flow, enum mfa_purpose purpose, mfa_flow_step_fn *then);

#endif
