/* SPDX-License-Identifier: Apache-2.0
 *
 * call.h: one call to the communication service: whom, with what. Whatever is wrong with it is said on stderr.
 */
#ifndef CALL_H
#define CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"
#include "mfa_code.h"
#include "mfa_template.h"
#include "mfa_verdict.h"
#include "subject.h"

struct call {
    const char *name; /* of the endpoint: "single", "challenge", "verify" */
    const struct mfa_endpoint *first;
    const struct mfa_endpoint *endpoint;  /* the first, or the fallback that was asked for */
    const struct mfa_endpoint *challenge; /* whose answer is captured; NULL: there is none */
    enum mfa_call kind;
    json_t *variables; /* owned */
    json_t *nonce;     /* {"nonce": ...} or {}; owned */
    char code_secret[MFA_CODE_SIZE];
    bool is_drawn; /* the code */
};

/* Takes the call from the command line. Returns EXIT_FINE, or what to end with. To be cleared in any case. */
int call_init(struct call *call, struct subject *subject, const struct arguments *arguments);

void call_clear(struct call *call);

/* What the templates are filled in with; borrowed. */
struct mfa_variables call_variables(const struct call *call);

/* Names an endpoint of the call's chain: "challenge.fallback[0]"; owned by caller, release with free. */
char *call_endpoint_name(const struct call *call, const struct mfa_endpoint *endpoint);

#endif
