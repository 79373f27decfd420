/* SPDX-License-Identifier: Apache-2.0
 *
 * A placeholder as it stands in a text: `{{ name }}` or `{{ name | filter | ... }}`, with or without blanks (spaces, tabs)
 * inside the braces. Names are those of user data, [A-Za-z_][A-Za-z0-9_.-]{0,63}.
 */
#ifndef MFA_PLACEHOLDER_H
#define MFA_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "mfa_filter.h"

#define MFA_PLACEHOLDER_MAX_FILTERS 4

/* Points into the text it was read from. */
struct mfa_placeholder {
    const char *name; /* no NUL behind it */
    size_t name_len;
    const struct mfa_filter *filters[MFA_PLACEHOLDER_MAX_FILTERS]; /* in the order in which they are applied */
    size_t filter_count;
    size_t len; /* of the whole, from the first brace to the last */
};

/* Where two opening braces stand in the text, which ends before `end`; NULL: nowhere. */
const char *mfa_placeholder_find(const char *text, const char *end);

/* Reads the placeholder that starts at `text`, where two opening braces stand; the text ends before `end`.
 * Returns NULL; or, static, what is wrong with it and what to do, fit to follow "key (file:line): ". */
const char *mfa_placeholder_parse(struct mfa_placeholder *out, const char *text, const char *end);

/* True when it is the placeholder of `name`, filters or not. */
bool mfa_placeholder_is(const struct mfa_placeholder *placeholder, const char *name);

/* The length of the placeholder of `name`, without filters, that starts at `text`, where two opening braces stand; 0: it is
 * another one, or none. The text ends before `end`. */
size_t mfa_placeholder_len_of(const char *name, const char *text, const char *end);

/* True for the name of a variable: [A-Za-z_][A-Za-z0-9_.-]{0,63}. */
bool mfa_placeholder_is_name(const char *text, size_t len);

#endif
