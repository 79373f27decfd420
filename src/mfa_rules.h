/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules: what an endpoint of the configuration says about the answers of the communication service, as data. What they
 * decide is the verdict's business (mfa_verdict.h). Rules that were read are constant: any number of threads may use them
 * at once.
 */
#ifndef MFA_RULES_H
#define MFA_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "mfa_capture.h"
#include "mfa_condition.h"
#include "mfa_pointer.h"
#include "mfa_status.h"

#define MFA_RULES_MAX_CAPTURES 16

struct mfa_yaml_node; /* mfa_yaml.h */

/* What an answer means, as the operator says it. */
enum mfa_meaning {
    MFA_MEANING_ERROR = 0,
    MFA_MEANING_THROTTLED,
    MFA_MEANING_EXPIRED,
    MFA_MEANING_REJECTED,
    MFA_MEANING_ACCEPTED, /* of a message: it is on its way */
};

struct mfa_outcome_rule {
    struct mfa_condition when;
    enum mfa_meaning is;
};

/* Zeroed, nothing is said. */
struct mfa_rules {
    bool has_expectation;
    struct mfa_condition expect; /* `success` included */
    struct mfa_outcome_rule *outcomes;
    size_t outcome_count;
    struct mfa_capture captures[MFA_RULES_MAX_CAPTURES];
    size_t capture_count;
    struct mfa_pointer *retry_after; /* to seconds; NULL: the header tells */
};

/* Each reads one key of an endpoint, at most once, in any order, into rules that were zeroed first. Problems are reported on
 * the node they are about. Return MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_rules_read_expect(struct mfa_rules *rules, const struct mfa_yaml_node *node);
MFA_MUST_CHECK enum mfa_status mfa_rules_read_success(struct mfa_rules *rules, const struct mfa_yaml_node *node);
MFA_MUST_CHECK enum mfa_status mfa_rules_read_outcomes(struct mfa_rules *rules, const struct mfa_yaml_node *node);
MFA_MUST_CHECK enum mfa_status mfa_rules_read_capture(struct mfa_rules *rules, const struct mfa_yaml_node *node);
MFA_MUST_CHECK enum mfa_status mfa_rules_read_retry_after(struct mfa_rules *rules, const struct mfa_yaml_node *node);

/* Frees what the rules own and zeroes them. Accepts a zeroed struct. */
void mfa_rules_clear(struct mfa_rules *rules);

/* True when the endpoint has `expect` or `success`. */
bool mfa_rules_has_expectation(const struct mfa_rules *rules);

/* True when the endpoint says of some answer that it is a success: by `expect`, `success`, or an outcome that is `accepted`.
 * What its rules do not recognise is none then. */
bool mfa_rules_say_what_succeeds(const struct mfa_rules *rules);

/* The name of the i-th capture, borrowed; NULL past the last. */
const char *mfa_rules_capture_name(const struct mfa_rules *rules, size_t i);

/* True when there is a capture of that name. */
bool mfa_rules_captures(const struct mfa_rules *rules, const char *name);

/* The i-th variable used in a pointer or an expected value, repetitions and all; borrowed. NULL past the last. */
const char *mfa_rules_variable(const struct mfa_rules *rules, size_t i);

#endif
