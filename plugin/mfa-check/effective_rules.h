/* SPDX-License-Identifier: Apache-2.0
 *
 * effective_rules.h: what the plugin has understood of an endpoint's answers, and how that is said in words.
 */
#ifndef EFFECTIVE_RULES_H
#define EFFECTIVE_RULES_H

#include <jansson.h>

#include "mfa_rules.h"
#include "secrets.h"

/* Adds `expect`, `outcomes`, `capture` and `retryAfter` to the JSON of an endpoint. */
void effective_put_rules(json_t *endpoint, const struct secrets *secrets, const struct mfa_rules *rules);

/* The statuses of a condition that has some: numbers, and classes ("2xx") where all of one are meant; owned by caller. */
json_t *effective_statuses(const struct mfa_condition *condition);

/* How the configuration spells a meaning. Static. */
const char *effective_meaning(enum mfa_meaning meaning);

#endif
