/* SPDX-License-Identifier: Apache-2.0
 *
 * The challenge: getting a code to the user, for a session that is open. In single mode we draw the code; otherwise the
 * service does.
 */
#ifndef MFA_CHALLENGE_H
#define MFA_CHALLENGE_H

#include "mfa_flow.h"

/* Sends the challenge of `flow->session_ref`, if the send limits allow one more, and goes on with `settle` when the service
 * has answered. May wait for storage. Returns MFA_OUTCOME_PENDING, or the outcome when nothing was sent: earlier codes are
 * as good as they were, and no limit has counted it. */
enum mfa_outcome mfa_challenge_send(struct mfa_flow *flow, mfa_flow_step_fn *settle);

/* What `settle` begins with: books what the service answered on the session.
 * Returns MFA_OUTCOME_PENDING: sent, and the session is there; otherwise the outcome. */
enum mfa_outcome mfa_challenge_settle(struct mfa_flow *flow);

/* Opens a session for `user_data` with a fresh token, in `flow->token_secret`, and sends its challenge. The user data of
 * `facts` are filled in here. When nothing could be sent the session is gone again, but for a login past a send limit: the
 * outcome is MFA_OUTCOME_CHALLENGE_DELAYED, and the client can ask for the message later. */
enum mfa_outcome mfa_challenge_open(struct mfa_flow *flow, struct mfa_session_facts facts, const json_t *user_data,
                                    mfa_flow_step_fn *settle);

/* As mfa_challenge_settle, for mfa_challenge_open. */
enum mfa_outcome mfa_challenge_settle_open(struct mfa_flow *flow);

#endif
