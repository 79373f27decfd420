/* SPDX-License-Identifier: Apache-2.0
 *
 * The account a flow is about, as throttling sees it: whether it may try, and what came of it. Joins the count in memory
 * (mfa_throttle.h) with the one in the profile (mfa_tally.h).
 */
#ifndef MFA_ACCOUNT_H
#define MFA_ACCOUNT_H

#include "mfa_flow.h"

/* Refuses an account whose factor has stopped. May wait for storage.
 * Returns MFA_OUTCOME_PENDING, or the outcome. */
enum mfa_outcome mfa_account_admit(struct mfa_flow *flow);

/* Reserves an attempt, before anything is compared. `may_be_stopped`: recovery. May wait for storage.
 * Returns MFA_OUTCOME_PENDING, or the outcome. */
enum mfa_outcome mfa_account_reserve(struct mfa_flow *flow, bool may_be_stopped);

/* Takes a reserved attempt back: nothing was compared. */
void mfa_account_return(struct mfa_flow *flow);

/* Books that a reserved attempt failed, on disk, and then ends the flow with `outcome`, from whatever thread. */
enum mfa_outcome mfa_account_fail(struct mfa_flow *flow, enum mfa_outcome outcome);

/* True when failures are stored, which a success has to remove. */
bool mfa_account_has_failures(const struct mfa_flow *flow);

/* Books that a reserved attempt succeeded: all failures are forgotten. Waits for storage if some are stored.
 * Returns MFA_OUTCOME_PENDING; MFA_OUTCOME_INTERNAL: they could not be removed. */
enum mfa_outcome mfa_account_succeed(struct mfa_flow *flow);

/* Forgets all failures, known here or not: recovery and the administrator. Waits for storage.
 * Returns as mfa_account_succeed does. */
enum mfa_outcome mfa_account_forgive(struct mfa_flow *flow);

#endif
