/* SPDX-License-Identifier: Apache-2.0
 *
 * Matchers: what a value in the communication service's answer must be. Types are strict: "0" is not 0, 0 is not 0.0. Of an
 * integer beyond 64 bits the answer has only the real nearest to it. A matcher that was read is constant: any number of
 * threads may use it at once.
 */
#ifndef MFA_MATCHER_H
#define MFA_MATCHER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "mfa_pattern.h"
#include "mfa_status.h"
#include "mfa_template.h"

struct mfa_yaml_node; /* mfa_yaml.h */

enum mfa_matcher_kind {
    MFA_MATCHER_ONE_OF,  /* equal to one of the values */
    MFA_MATCHER_NOT,     /* there, and different from the value */
    MFA_MATCHER_PRESENT, /* there, be it null */
    MFA_MATCHER_ABSENT,
    MFA_MATCHER_PATTERN, /* a string in which the pattern matches */
};

/* A string is a template, whose result is a string whatever it looks like; anything else is as it is written. */
struct mfa_matcher_value {
    struct mfa_template *text; /* NULL: no string */
    json_t *other;             /* null, boolean or number */
};

struct mfa_matcher {
    enum mfa_matcher_kind kind;
    struct mfa_matcher_value *values;
    size_t value_count;
    struct mfa_pattern *pattern;
};

/* Both read a zeroed matcher and report problems on the node they are about; what they leave then is to be cleared as
 * well. A single value means equality; the first takes a mapping with one of `in`, `not`, `exists` and `matches`, too.
 * Return MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_matcher_read(struct mfa_matcher *matcher, const struct mfa_yaml_node *node);
MFA_MUST_CHECK enum mfa_status mfa_matcher_read_value(struct mfa_matcher *matcher, const struct mfa_yaml_node *node);

/* Frees what the matcher owns and zeroes it. Accepts a zeroed struct. */
void mfa_matcher_clear(struct mfa_matcher *matcher);

/* Tells whether `found`, NULL when there is nothing, is what it must be. All is borrowed until return.
 * Returns MFA_OK with the answer in `*matches`, else false there: what mfa_template_render and mfa_pattern_match do. */
MFA_MUST_CHECK enum mfa_status mfa_matcher_check(const struct mfa_matcher *matcher, const json_t *found,
                                                 const struct mfa_variables *variables, bool *matches);

/* Names the `*i`-th variable of the values' templates, borrowed; or takes off `*i` how many there are, and returns NULL. */
const char *mfa_matcher_variable(const struct mfa_matcher *matcher, size_t *i);

#endif
