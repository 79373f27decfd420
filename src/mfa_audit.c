/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_audit.h"

#include <sodium.h>
#include <stdio.h>

#define SESSION_TAG_LEN 4
#define LINE_SIZE 512

static enum mfa_log_level level_of(enum mfa_outcome outcome)
{
    if (outcome == MFA_OUTCOME_INTERNAL)
        return MFA_LOG_ERROR;
    return outcome < MFA_OUTCOME_ALLOWED ? MFA_LOG_WARN : MFA_LOG_INFO;
}

static bool is_left_out(enum mfa_outcome outcome)
{
    return outcome == MFA_OUTCOME_ALLOWED || outcome == MFA_OUTCOME_STATUS;
}

void mfa_audit_log(const struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    enum mfa_outcome outcome = flow->reply.outcome;
    char session[2 * SESSION_TAG_LEN + 1] = "-";
    char line[LINE_SIZE];

    if (is_left_out(outcome))
        return;
    if (flow->has_session_ref)
        sodium_bin2hex(session, sizeof session, flow->session_ref.key, SESSION_TAG_LEN);
    snprintf(line, sizeof line, "event=%s outcome=%s user=%s session=%s client=%s", flow->event,
             mfa_outcome_name(outcome), flow->username, session,
             flow->client_address[0] != '\0' ? flow->client_address : "-");
    host->log(host->ctx, level_of(outcome), line);
}
