/* SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "effective_rules.h"
#include "explain_condition.h"
#include "memory.h"
#include "mfa_reading.h"

#define RULE_SIZE 32

struct explanation {
    const struct secrets *secrets;
    const struct mfa_rules *rules;
    enum mfa_call call;
    struct mfa_reading reading;
    json_t *steps;
};

const char *explain_verdict(enum mfa_verdict verdict)
{
    switch (verdict) {
    case MFA_VERDICT_TIMEOUT: return "there was no answer in time";
    case MFA_VERDICT_THROTTLED: return "the service was asked too often";
    case MFA_VERDICT_EXPIRED: return "the code has expired";
    case MFA_VERDICT_REJECTED: return "the code is wrong";
    case MFA_VERDICT_SENT: return "the message is on its way";
    case MFA_VERDICT_ACCEPTED: return "the code is right";
    case MFA_VERDICT_ERROR: break;
    }
    return "the service failed, refused, or said nothing that the rules recognise";
}

/* Adds a step; `held` and `text` are transferred. */
static void add_step(struct explanation *explanation, const char *rule, json_t *held, char *text)
{
    json_t *step = memory_need_json(json_object());

    memory_put(step, "rule", json_string(rule));
    memory_put(step, "held", held);
    memory_put(step, "text", json_string(text));
    memory_append(explanation->steps, step);
    free(text);
}

static const char *good_verdict(const struct explanation *explanation)
{
    return mfa_verdict_name(explanation->call == MFA_CALL_SEND ? MFA_VERDICT_SENT : MFA_VERDICT_ACCEPTED);
}

/* Explains one condition. True: it did not hold, and the next one counts. */
static bool explain_one(struct explanation *explanation, const struct mfa_condition *condition, const char *rule,
                        const char *verb, const char *meaning)
{
    struct mfa_condition_failure failure;
    const enum mfa_status status = memory_checked(mfa_condition_check(condition, &explanation->reading, &failure));
    struct explained_condition about = {
        .secrets = explanation->secrets, .condition = condition, .reading = &explanation->reading, .failure = &failure};
    char *part = explain_part(&about, rule);
    char *why = NULL;

    if (status != MFA_OK) {
        add_step(explanation, rule, json_null(),
                 memory_text("%s cannot be checked: %s", part, explain_obstacle(status)));
    } else if (failure.part == MFA_PART_NONE) {
        why = explain_success(&about);
        add_step(explanation, rule, json_true(), memory_text("%s %s: %s \u2192 %s", rule, verb, why, meaning));
    } else {
        why = explain_failure(&about);
        add_step(explanation, rule, json_false(), memory_text("%s did not hold: %s", part, why));
    }
    free(part);
    free(why);
    return status == MFA_OK && failure.part != MFA_PART_NONE;
}

static bool is_accepted(enum mfa_meaning meaning)
{
    return meaning == MFA_MEANING_ACCEPTED;
}

/* True: none of them held. */
static bool explain_outcomes(struct explanation *explanation)
{
    bool goes_on = true;

    for (size_t i = 0; i < explanation->rules->outcome_count && goes_on; i++) {
        const struct mfa_outcome_rule *outcome = &explanation->rules->outcomes[i];
        const char *meaning = is_accepted(outcome->is) ? good_verdict(explanation) : effective_meaning(outcome->is);
        char rule[RULE_SIZE];

        (void)snprintf(rule, sizeof rule, "outcomes[%zu]", i);
        goes_on = explain_one(explanation, &outcome->when, rule, "matched", meaning);
    }
    return goes_on;
}

static void explain_default(struct explanation *explanation)
{
    const int status = explanation->reading.answer->http_status;
    const bool is_good = status >= 200 && status <= 299;
    struct mfa_finding finding;
    bool holds = false;

    mfa_verdict_of(explanation->rules, explanation->call, explanation->reading.answer, explanation->reading.variables,
                   &finding);
    holds = finding.verdict == MFA_VERDICT_ACCEPTED;
    mfa_finding_clear(&finding);
    if (mfa_rules_say_what_succeeds(explanation->rules))
        add_step(explanation, "outcomes", json_false(),
                 memory_text("outcomes say what is accepted, and none of them matched"));
    else if (!is_good)
        add_step(explanation, "status 2xx", json_false(),
                 memory_text("without expect only 2xx will do, not %d", status));
    else if (explanation->call == MFA_CALL_SEND)
        add_step(explanation, "status 2xx", json_true(),
                 memory_text("without expect a 2xx will do, as %d \u2192 sent", status));
    else if (holds)
        add_step(explanation, "status 2xx", json_true(),
                 memory_text("without expect a 2xx with an empty body or {} will do \u2192 accepted"));
    else
        add_step(explanation, "status 2xx", json_false(),
                 memory_text("without expect no answer with a body is taken for a yes: write down under expect how "
                             "the service says that a code is right"));
}

static void explain_answer(struct explanation *explanation)
{
    const struct mfa_rules *rules = explanation->rules;
    const bool is_throttled = explanation->reading.answer->http_status == 429;

    if (!explain_outcomes(explanation))
        return;
    if (mfa_rules_has_expectation(rules) &&
        !explain_one(explanation, &rules->expect, "expect", "held", good_verdict(explanation)))
        return;
    if (is_throttled)
        add_step(explanation, "status 429", json_true(),
                 memory_text("status 429, of which no rule says anything \u2192 throttled"));
    else if (!mfa_rules_has_expectation(rules))
        explain_default(explanation);
}

json_t *explain_rules(const struct secrets *secrets, const struct mfa_rules *rules, enum mfa_call call,
                      const struct mfa_gateway_answer *answer, const struct mfa_variables *variables)
{
    struct explanation explanation = {.secrets = secrets,
                                      .rules = rules,
                                      .call = call,
                                      .reading = {.answer = answer, .variables = variables},
                                      .steps = memory_need_json(json_array())};

    if (answer->delivery == MFA_DELIVERY_ANSWERED)
        explain_answer(&explanation);
    mfa_reading_clear(&explanation.reading);
    return explanation.steps;
}
