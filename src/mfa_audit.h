/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit log: one line for each request that came to something, in fixed words that people and programs can read:
 *
 *     event=mfa.verify outcome=wrong-code user=julia session=1f9c03aa client=203.0.113.7
 *
 * `session` is the start of a keyed hash, the same in all lines of one session; `-`: none. No line holds a secret or a
 * destination. The words are documented in docs/audit-log.md.
 */
#ifndef MFA_AUDIT_H
#define MFA_AUDIT_H

#include "mfa_flow.h"

/* Logs how a flow ends; `flow->reply.outcome` is set. Logins without MFA and mere questions are left out. */
void mfa_audit_log(const struct mfa_flow *flow);

#endif
