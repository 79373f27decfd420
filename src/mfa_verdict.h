/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict: what the communication service's answer means. Pure; decides nothing about sessions or clients.
 */
#ifndef MFA_VERDICT_H
#define MFA_VERDICT_H

#include "mfa_ports.h"

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

/* Says what `answer` (borrowed until return) means to the call that was made:
 * - a 429 is THROTTLED;
 * - a message was sent when the status is 2xx;
 * - a code was accepted when the status is 2xx and the body is empty or `{}` (JSON's white space aside), because many
 *   services answer a wrong code with 200 and say so in the body;
 * - everything else is ERROR, or TIMEOUT when no answer came in time.
 * `*why` is set to a phrase for the log, never NULL, that quotes nothing of the answer: static, or the answer's own
 * `reason` when there was none. */
enum mfa_verdict mfa_verdict_of(enum mfa_call call, const struct mfa_gateway_answer *answer, const char **why);

/* Names a verdict as the endpoint language spells it: "rejected". Static. */
const char *mfa_verdict_name(enum mfa_verdict verdict);

#endif
