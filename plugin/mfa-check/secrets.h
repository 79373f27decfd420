/* SPDX-License-Identifier: Apache-2.0
 *
 * secrets.h: all secrets that are known, so that none is shown, wherever it turns up.
 */
#ifndef SECRETS_H
#define SECRETS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "mfa_buffer.h"

struct secret {
    char *text;
    size_t len;
};

/* Zeroed, none is known; released with secrets_clear. */
struct secrets {
    struct secret *list;
    size_t count;
    bool are_shown; /* the operator wants to see them */
};

void secrets_clear(struct secrets *secrets);

/* Adds a secret, in whatever encoding it stands there, and the others that it may be seen in. A placeholder is none. */
void secrets_add(struct secrets *secrets, const char *value, size_t len);

/* Add what by the names beside it is a secret. */
void secrets_add_from_url(struct secrets *secrets, const char *url, size_t len);
void secrets_add_from_body(struct secrets *secrets, const char *body, size_t len);
void secrets_add_from_header(struct secrets *secrets, const char *name, const char *value);

/* A JSON string of the text in which each secret is `***`; what is no UTF-8 becomes U+FFFD. Owned by caller. */
json_t *secrets_text(const struct secrets *secrets, const char *text, size_t len);

/* Likewise, of a header's value: of one that is named like Authorization nothing but the scheme is left. */
json_t *secrets_header(const struct secrets *secrets, const char *name, const char *value);

/* Likewise, for words of our own, in which a short secret ("sms") stands by chance. Owned by caller, release with
 * free. */
char *secrets_line(const struct secrets *secrets, const char *line);

#endif
