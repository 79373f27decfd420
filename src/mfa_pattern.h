/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions, in Perl's syntax as PCRE2 reads it, over UTF-8. They come from the operator; what they are matched
 * against comes from the communication service, and must not be able to make a match run away. A parsed pattern is
 * constant: any number of threads may match it at once.
 */
#ifndef MFA_PATTERN_H
#define MFA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "mfa_status.h"

/* Room for what mfa_pattern_parse has to say. */
#define MFA_PATTERN_PROBLEM_SIZE 192

struct mfa_pattern;
struct mfa_yaml_node; /* mfa_yaml.h */

/* Parses `text` (NUL-terminated, borrowed until return). An empty one is refused, since it would match anything.
 * On success `*out` is owned by the caller, released with mfa_pattern_free.
 * Returns MFA_OK; MFA_ERR_SYNTAX with a phrase in `problem` that says what is wrong and where, fit to follow
 * "key (file:line): " and without a word of the pattern; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_pattern_parse(struct mfa_pattern **out, const char *text,
                                                 char problem[static MFA_PATTERN_PROBLEM_SIZE]);

/* Reads a pattern from the configuration; problems are reported, and leave `*out` NULL. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_pattern_read(struct mfa_pattern **out, const struct mfa_yaml_node *node);

/* The expression as it was written; borrowed. */
const char *mfa_pattern_text(const struct mfa_pattern *pattern);

/* Accepts NULL. */
void mfa_pattern_free(struct mfa_pattern *pattern);

/* Tells whether the pattern matches somewhere in `text` (`len` bytes, which need not be UTF-8: what is not matches
 * nothing).
 * Returns MFA_OK with the answer in `*matches`, else false there: MFA_ERR_TOO_LARGE: neither is known, since it takes too
 * much time or memory to find out; MFA_ERR_MEMORY; MFA_ERR_INTERNAL. */
MFA_MUST_CHECK enum mfa_status mfa_pattern_match(const struct mfa_pattern *pattern, const char *text, size_t len,
                                                 bool *matches);

#endif
