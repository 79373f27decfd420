/* SPDX-License-Identifier: Apache-2.0
 *
 * The product: the first step of every flow, for mfa_flow_run. What each answers is in the client's API document.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include "mfa_flow.h"

/* The password was right: lets a user without MFA go on, and challenges one who has it. */
enum mfa_outcome mfa_flow_login(struct mfa_flow *flow);

/* Opens an enrolment with the user data in the body. Nothing is stored before it is confirmed. */
enum mfa_outcome mfa_flow_activate(struct mfa_flow *flow);

/* Ends the enrolment with the code that was sent; hands out the recovery codes. */
enum mfa_outcome mfa_flow_confirm(struct mfa_flow *flow);

/* Sends the challenge of a pending session again. */
enum mfa_outcome mfa_flow_challenge(struct mfa_flow *flow);

/* Releases a login with the code that was sent. */
enum mfa_outcome mfa_flow_verify(struct mfa_flow *flow);

/* Turns MFA off, for somebody who is logged in. */
enum mfa_outcome mfa_flow_deactivate(struct mfa_flow *flow);

/* Turns MFA off with the password and a recovery code. */
enum mfa_outcome mfa_flow_recover(struct mfa_flow *flow);

/* Replaces the recovery codes, for somebody who is logged in. */
enum mfa_outcome mfa_flow_recovery_codes(struct mfa_flow *flow);

/* Tells whether MFA is active, and where the messages go. */
enum mfa_outcome mfa_flow_status(struct mfa_flow *flow);

/* Turns MFA off and forgets all failures, for an administrator. */
enum mfa_outcome mfa_flow_reset(struct mfa_flow *flow);

#endif
