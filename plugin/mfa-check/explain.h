/* SPDX-License-Identifier: Apache-2.0
 *
 * explain.h: why an answer is taken for what it is, rule by rule.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <jansson.h>

#include "mfa_verdict.h"
#include "secrets.h"

/* Goes through the rules as the verdict does, up to the one that decides. Returns an array of {"rule", "held" (null: it
 * cannot be known), "text"}, the last of which is the one that decided; owned by caller. */
json_t *explain_rules(const struct secrets *secrets, const struct mfa_rules *rules, enum mfa_call call,
                      const struct mfa_gateway_answer *answer, const struct mfa_variables *variables);

/* What a verdict means, as the end of a sentence. Static. */
const char *explain_verdict(enum mfa_verdict verdict);

#endif
