/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: text with `{{ name }}` placeholders, parsed once when the configuration is read. Each placeholder knows from
 * then on how a value must be encoded to stay one value where it lands. A parsed template is constant: any number of
 * threads may render it at once.
 */
#ifndef MFA_TEMPLATE_H
#define MFA_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "mfa_buffer.h"
#include "mfa_status.h"

/* What the text as a whole is. */
enum mfa_template_kind {
    MFA_TEMPLATE_URL, /* http or https; path and query told apart by the first literal '?'; no placeholder in scheme or
                          * authority, no fragment, no `.` or `..` segment */
    MFA_TEMPLATE_HEADER, /* a header's value: printable ASCII */
    MFA_TEMPLATE_FORM,   /* application/x-www-form-urlencoded */
    MFA_TEMPLATE_JSON,   /* inside a JSON string, or elsewhere, by the quotes of the literal text, which must be JSON
                          * whatever the values are */
    MFA_TEMPLATE_XML,
    MFA_TEMPLATE_POINTER, /* JSON pointer */
    MFA_TEMPLATE_PLAIN,
    MFA_TEMPLATE_COMPARED, /* never sent: values stand as they are */
};

/* The name under which the code is known to templates; reserved in user data. */
#define MFA_VARIABLE_CODE "code"

/* The name of what is fresh for each challenge. */
#define MFA_VARIABLE_NONCE "nonce"

/* What placeholders are replaced with. All borrowed until return of the render. */
struct mfa_variables {
    const json_t *user_data; /* object of strings, numbers and booleans */
    const char *code_secret; /* NUL-terminated, or NULL: there is no code in this request */
    bool code_in_values;     /* `{{ code }}` inside a value is replaced too, once, without recursion (single mode) */
};

struct mfa_template;

/* Parses `text` (NUL-terminated, borrowed until return).
 * On success `*out` is owned by the caller, released with mfa_template_free.
 * Returns MFA_OK; MFA_ERR_SYNTAX with `*problem` a static phrase that says what is wrong and what to do, fit to follow
 * "key (file:line): "; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_template_parse(struct mfa_template **out, const char *text,
                                                  enum mfa_template_kind kind, const char **problem);

void mfa_template_free(struct mfa_template *tmpl);

/* Appends the text with every placeholder replaced and encoded for its place. Never allocates but in `out`, for
 * filters, for a value past 512 bytes in which `{{ code }}` is replaced, and in jansson for a string that stands for a JSON
 * value. Numbers are their JSON text.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: a variable is missing; MFA_ERR_REFUSED: a value cannot stand in its place (a control
 * character in a header, a `..` segment in a path); MFA_ERR_TOO_LARGE; MFA_ERR_MEMORY. What was appended before the
 * failure is to be thrown away. */
MFA_MUST_CHECK enum mfa_status mfa_template_render(const struct mfa_template *tmpl,
                                                   const struct mfa_variables *variables, struct mfa_buffer *out);

/* The text as it was written; borrowed. */
const char *mfa_template_text(const struct mfa_template *tmpl);

/* Names the variables used, `code` included, in order of appearance, repetitions and all.
 * Returns the i-th name, borrowed from the template, or NULL past the last. */
const char *mfa_template_variable(const struct mfa_template *tmpl, size_t i);

#endif
