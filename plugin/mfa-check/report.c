/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "effective.h"
#include "explain.h"
#include "memory.h"

json_t *report_configuration(const struct subject *subject)
{
    json_t *report = memory_need_json(json_object());

    memory_put(report, "problems", json_incref(subject->problems));
    memory_put(report, "configuration", subject->is_good ? effective_section(subject) : json_null());
    return report;
}

/* --- Calls -------------------------------------------------------------------------------------------------------- */

static json_t *begin_report(const struct call *call)
{
    json_t *report = memory_need_json(json_object());

    if (call->is_drawn)
        memory_put(report, "code", json_string(call->code_secret));
    memory_put(report, "attempts", json_array());
    return report;
}

/* Adds an attempt, to be filled in; borrowed from the report. */
static json_t *add_attempt(json_t *report, char *endpoint)
{
    json_t *attempt = memory_need_json(json_object());

    memory_put(attempt, "endpoint", json_string(endpoint));
    memory_append(json_object_get(report, "attempts"), attempt);
    free(endpoint);
    return attempt;
}

static json_t *add_recorded(json_t *report, const struct call *call, const struct attempt *attempt)
{
    json_t *out =
        add_attempt(report, attempt->is_for_token ? memory_text("token") : call_endpoint_name(call, attempt->endpoint));

    memory_put(out, "request", json_incref(attempt->request));
    return out;
}

json_t *report_requests(const struct call *call, const struct sending *sending)
{
    json_t *report = begin_report(call);

    for (const struct attempt *attempt = sending->attempts; attempt != NULL; attempt = attempt->next)
        (void)add_recorded(report, call, attempt);
    return report;
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

static json_t *captured(const struct secrets *secrets, const struct call *call, const struct mfa_finding *finding)
{
    json_t *all = memory_need_json(json_deep_copy(call->nonce));
    json_t *out = memory_need_json(json_object());
    const char *name = NULL;
    json_t *value = NULL;

    if (finding->captures_secret != NULL)
        memory_update(all, finding->captures_secret);
    json_object_foreach(all, name, value)
    {
        memory_put(out, name, secrets_text(secrets, json_string_value(value), json_string_length(value)));
    }
    json_decref(all);
    return out;
}

static void put_verdict(json_t *out, const struct mfa_finding *finding)
{
    memory_put(out, "verdict", json_string(mfa_verdict_name(finding->verdict)));
    memory_put(out, "why", json_string(finding->why));
}

/* Puts what an answer is taken for into the attempt, and into the report: the last one counts. */
static void judge(json_t *report, json_t *attempt, const struct secrets *secrets, const struct call *call,
                  const struct mfa_endpoint *endpoint, const struct answer *answer)
{
    const struct mfa_gateway_answer view = answer_view(answer);
    const struct mfa_variables variables = call_variables(call);
    struct mfa_finding finding;

    mfa_verdict_of(&endpoint->rules, call->kind, &view, &variables, &finding);
    memory_put(attempt, "rules", explain_rules(secrets, &endpoint->rules, call->kind, &view, &variables));
    put_verdict(attempt, &finding);
    put_verdict(report, &finding);
    if (finding.retry_after_s > 0)
        memory_put(report, "retryAfterSeconds", json_integer(finding.retry_after_s));
    else
        json_object_del(report, "retryAfterSeconds");
    if (finding.verdict == MFA_VERDICT_SENT)
        memory_put(report, "captured", captured(secrets, call, &finding));
    mfa_finding_clear(&finding);
}

/* The service was asked for nothing but a token. */
static void judge_token(json_t *report, const struct answer *answer)
{
    const bool is_timeout = answer->given.delivery == MFA_DELIVERY_TIMEOUT;

    memory_put(report, "verdict", json_string(mfa_verdict_name(is_timeout ? MFA_VERDICT_TIMEOUT : MFA_VERDICT_ERROR)));
    memory_put(report, "why",
               json_string("no access token: the answer must be 200 with a JSON member access_token of type Bearer"));
}

json_t *report_sending(const struct subject *subject, const struct call *call, const struct sending *sending)
{
    json_t *report = begin_report(call);

    for (const struct attempt *attempt = sending->attempts; attempt != NULL; attempt = attempt->next) {
        json_t *out = add_recorded(report, call, attempt);

        memory_put(out, "answer", answer_json(&attempt->answer, &subject->secrets));
        if (!attempt->is_for_token)
            judge(report, out, &subject->secrets, call, attempt->endpoint, &attempt->answer);
        else if (attempt->next == NULL || attempt->next->is_for_token)
            judge_token(report, &attempt->answer);
    }
    return report;
}

json_t *report_answer(struct subject *subject, const struct call *call, const struct answer *answer)
{
    json_t *report = begin_report(call);
    json_t *attempt = add_attempt(report, call_endpoint_name(call, call->endpoint));

    secrets_add_from_body(&subject->secrets, answer->body.data, answer->body.len);
    memory_put(attempt, "answer", answer_json(answer, &subject->secrets));
    judge(report, attempt, &subject->secrets, call, call->endpoint, answer);
    return report;
}

int report_exit_status(const json_t *report)
{
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    const bool is_good = strcmp(verdict, mfa_verdict_name(MFA_VERDICT_SENT)) == 0 ||
                         strcmp(verdict, mfa_verdict_name(MFA_VERDICT_ACCEPTED)) == 0;

    return is_good ? EXIT_FINE : EXIT_PROBLEM;
}
