/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_audit.h"

#include <sodium.h>

#include "mfa_buffer.h"

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

/* Texts are known to fit; one that did not would be left out. */
static void append(struct mfa_buffer *line, const char *text)
{
    (void)!mfa_buffer_append_text(line, text);
}

/* The host's word for somebody, as one field: what could begin another field, or another line, becomes "?". */
static void append_field(struct mfa_buffer *line, const char *name, const char *text)
{
    char field[FIELD_SIZE] = "-";
    size_t len = 0;

    for (; len < FIELD_SIZE - 1 && text[len] != '\0'; len++)
        field[len] = text[len] <= ' ' || text[len] > '~' || text[len] == '"' ? '?' : text[len];
    append(line, name);
    append(line, field);
}

void mfa_audit_log(const struct mfa_flow *flow)
{
    const struct mfa_host_port *host = &flow->core->host;
    enum mfa_outcome outcome = flow->reply.outcome;
    char session[2 * SESSION_TAG_LEN + 1] = "-";
    char memory[LINE_SIZE];
    struct mfa_buffer line;

    if (is_left_out(outcome))
        return;
    if (flow->has_session_ref)
        sodium_bin2hex(session, sizeof session, flow->session_ref.key, SESSION_TAG_LEN);
    mfa_buffer_init_in(&line, memory, sizeof memory);
    append(&line, "event=");
    append(&line, flow->event);
    append(&line, " outcome=");
    append(&line, mfa_outcome_name(outcome));
    append_field(&line, " user=", flow->username);
    append(&line, " session=");
    append(&line, session);
    append_field(&line, " client=", flow->client_address);
    host->log(host->ctx, level_of(outcome), line.data);
}
