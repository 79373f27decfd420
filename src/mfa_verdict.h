/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict: what the communication service's answer means. Pure; decides nothing about sessions or clients.
 */
#ifndef MFA_VERDICT_H
#define MFA_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "mfa_ports.h"
#include "mfa_rules.h"
#include "mfa_template.h"

/* What the service was asked to do. */
enum mfa_call {
    MFA_CALL_SEND,   /* send a message: the endpoints `single` and `challenge` */
    MFA_CALL_VERIFY, /* check a code: the endpoint `verify` */
};

/* 0 is the failure: only an answer that was recognised is anything else. */
enum mfa_verdict {
    MFA_VERDICT_ERROR = 0, /* the service failed, refused, or said something unrecognised */
    MFA_VERDICT_TIMEOUT,   /* no answer in time; the message may have been sent all the same */
    MFA_VERDICT_THROTTLED, /* asked too often */
    MFA_VERDICT_EXPIRED,   /* the code has expired */
    MFA_VERDICT_REJECTED,  /* the code is wrong */
    MFA_VERDICT_SENT,      /* the message is on its way; only of MFA_CALL_SEND */
    MFA_VERDICT_ACCEPTED,  /* the code is right; only of MFA_CALL_VERIFY */
};

/* Room for the longest `why`. */
#define MFA_FINDING_WHY_SIZE 160

/* A verdict with what belongs to it. */
struct mfa_finding {
    enum mfa_verdict verdict;
    uint32_t retry_after_s;  /* of THROTTLED, at most a day; 0: the service does not say */
    json_t *captures_secret; /* of SENT: an object of strings by name; owned; NULL: the rules capture nothing */
    bool is_definite;        /* of MFA_CALL_SEND: no message was sent for this request, and none will be */
    char why
        [MFA_FINDING_WHY_SIZE]; /* for the log, in ASCII without control characters; nothing of the answer, of variables
                                     * or of expected values is in it */
};

/* Says what `answer` means to the call that was made, by the first of these that applies:
 * - there is none: TIMEOUT, or else ERROR;
 * - the first of the `outcomes` whose condition holds says it; ACCEPTED of MFA_CALL_SEND is SENT;
 * - `expect` and `success` hold: SENT or ACCEPTED;
 * - it is a 429: THROTTLED;
 * - there is no `expect` or `success`, and the status is 2xx: a message is SENT; a code is ACCEPTED when the body is empty or
 *   `{}` (JSON's white space aside), because many services answer a wrong code with 200 and say so in the body;
 * - ERROR.
 * A condition that cannot be checked is an ERROR, and so is SENT without one of the captures, which must be a string, integer
 * or boolean of [A-Za-z0-9._~:+=/@-]{1,256}.
 * A send is definite when it never reached the service, when one of the `outcomes` says that it failed, and when the answer is
 * a failure with a 4xx or 5xx that comes from the service itself (not 408, 502, 504).
 * All is borrowed until return; `variables` are those of the request. The caller owns the finding, released with
 * mfa_finding_clear. */
void mfa_verdict_of(const struct mfa_rules *rules, enum mfa_call call, const struct mfa_gateway_answer *answer,
                    const struct mfa_variables *variables, struct mfa_finding *finding);

/* Wipes and frees what a finding owns and zeroes it. Accepts a zeroed struct. */
void mfa_finding_clear(struct mfa_finding *finding);

/* Names a verdict as the endpoint language spells it: "rejected". Static. */
const char *mfa_verdict_name(enum mfa_verdict verdict);

#endif
