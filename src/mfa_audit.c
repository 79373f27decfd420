/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_audit.h"

#include <sodium.h>
#include <stdio.h>

#define SESSION_TAG_LEN 4
#define LINE_SIZE 512
#define FIELD_SIZE MFA_USER_ID_SIZE

_Static_assert(MFA_CLIENT_ADDRESS_SIZE <= FIELD_SIZE, "an address does not fit its field");

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

/* The host's word for somebody, as one field: what could begin another field, or another line, becomes "?". */
static void copy_field(char field[static FIELD_SIZE], const char *text)
{
    snprintf(field, FIELD_SIZE, "%s", text[0] != '\0' ? text : "-");
    for (char *c = field; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || *c == '"')
            *c = '?';
}

void mfa_audit_log(const struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    enum mfa_outcome outcome = flow->reply.outcome;
    char session[2 * SESSION_TAG_LEN + 1] = "-";
    char user[FIELD_SIZE], client[FIELD_SIZE];
    char line[LINE_SIZE];

    if (is_left_out(outcome))
        return;
    if (flow->has_session_ref)
        sodium_bin2hex(session, sizeof session, flow->session_ref.key, SESSION_TAG_LEN);
    copy_field(user, flow->username);
    copy_field(client, flow->client_address);
    snprintf(line, sizeof line, "event=%s outcome=%s user=%s session=%s client=%s", flow->event,
             mfa_outcome_name(outcome), user, session, client);
    host->log(host->ctx, level_of(outcome), line);
}
