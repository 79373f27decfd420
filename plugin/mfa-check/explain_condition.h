/* SPDX-License-Identifier: Apache-2.0
 *
 * explain_condition.h: what of a condition holds of an answer and what does not, in words. All texts are owned by the
 * caller, release with free.
 */
#ifndef EXPLAIN_CONDITION_H
#define EXPLAIN_CONDITION_H

#include "mfa_condition.h"
#include "mfa_reading.h"
#include "secrets.h"

struct explained_condition {
    const struct secrets *secrets;
    const struct mfa_condition *condition;
    struct mfa_reading *reading;
    const struct mfa_condition_failure *failure; /* what mfa_condition_check says */
};

/* The part that failed, as the configuration spells it below `rule`: "expect.json /status". */
char *explain_part(const struct explained_condition *about, const char *rule);

/* Why it failed: "404, not 200 or 201". */
char *explain_failure(const struct explained_condition *about);

/* All that holds: "status 200, /status is \"approved\"". */
char *explain_success(const struct explained_condition *about);

/* Why something cannot be known. Static. */
const char *explain_obstacle(enum mfa_status status);

#endif
