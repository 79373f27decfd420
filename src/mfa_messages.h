/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages: what users read, in their language, for templates that say `{{ message }}`.
 */
#ifndef MFA_MESSAGES_H
#define MFA_MESSAGES_H

#include <jansson.h>
#include <stddef.h>

#include "mfa_status.h"

struct mfa_yaml_node; /* mfa_yaml.h */

#define MFA_MESSAGES_MAX 32
#define MFA_MESSAGE_MAX_LEN 1600

/* The variable that a message is known by to templates, and the one that tells the user's language. */
#define MFA_VARIABLE_MESSAGE "message"
#define MFA_VARIABLE_LANGUAGE "language"

struct mfa_message {
    char *language; /* a tag of BCP 47: "fr", "pt-BR" */
    char *text;     /* with `{{ code }}`, and, when there is a domain, its line for autofill */
};

/* Zeroed, there are none. The first is for everybody else. */
struct mfa_messages {
    struct mfa_message list[MFA_MESSAGES_MAX];
    size_t count;
};

/* Reads `sms.messages`, a mapping of languages and texts, and `sms.webOtpDomain`; either may be NULL. With a domain each text
 * ends with the line by which browsers and phones fill in the code on that site alone ("Origin-bound one-time codes
 * delivered via SMS", WICG). Problems are reported. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_messages_read(struct mfa_messages *messages, const struct mfa_yaml_node *node,
                                                 const struct mfa_yaml_node *domain);

/* Adds the message for the user's language to `variables`, unless they have one. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_messages_add(const struct mfa_messages *messages, json_t *variables);

/* Frees what they own and zeroes them. Accepts a zeroed struct. */
void mfa_messages_clear(struct mfa_messages *messages);

#endif
