/* SPDX-License-Identifier: Apache-2.0
 *
 * Of the model, an account's failures: how long they delay the next attempt, and when they stop it.
 */
#ifndef MODEL_ACCOUNT_H
#define MODEL_ACCOUNT_H

#include "model.h"

/* True of what may count as an attempt of the account. */
bool model_is_attempt(const struct model *model, enum model_op op);

/* An attempt has failed. */
void model_fail_account(struct model *model, const struct model_call *call);

/* All failures are forgotten. */
void model_forgive_account(struct model *model, size_t user);

/* Something was compared: a code when the call began, a password or recovery code when a worker came to it. */
void model_check_code_allowed(const struct model *model, const struct model_call *call);
void model_check_secret_allowed(const struct model *model, const struct model_call *call);

#endif
