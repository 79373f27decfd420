/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_json.h"
#include "mfa_reading.h"

/* Room for a rule's name, "outcomes[255]"; for a pointer, cut off past it; for both, with ".json " between. */
#define RULE_SIZE 32
#define POINTER_SIZE 65
#define PART_SIZE (RULE_SIZE + POINTER_SIZE + 8)

/* One answer while it is judged. */
struct judgement {
    const struct mfa_rules *rules;
    enum mfa_call call;
    struct mfa_reading reading;
    struct mfa_finding *finding;
};

/* --- Words ----------------------------------------------------------------------------------------------------- */

const char *mfa_verdict_name(enum mfa_verdict verdict)
{
    switch (verdict) {
    case MFA_VERDICT_TIMEOUT: return "timeout";
    case MFA_VERDICT_THROTTLED: return "throttled";
    case MFA_VERDICT_EXPIRED: return "expired";
    case MFA_VERDICT_REJECTED: return "rejected";
    case MFA_VERDICT_SENT: return "sent";
    case MFA_VERDICT_ACCEPTED: return "accepted";
    case MFA_VERDICT_ERROR: break;
    }
    return "error";
}

static void conclude(struct judgement *judgement, enum mfa_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void conclude(struct judgement *judgement, enum mfa_verdict verdict, const char *format, ...)
{
    va_list args;

    judgement->finding->verdict = verdict;
    va_start(args, format);
    (void)vsnprintf(judgement->finding->why, sizeof judgement->finding->why, format, args);
    va_end(args);
}

/* A pointer is the operator's, and goes into a line of the log, between quotes. */
static void copy_pointer(char to[static POINTER_SIZE], const struct mfa_condition_member *member)
{
    const char *text = member == NULL ? "" : mfa_pointer_text(member->pointer);
    size_t i = 0;

    for (; i < POINTER_SIZE - 1 && text[i] != '\0'; i++)
        to[i] = text[i] < 0x20 || text[i] > 0x7e || text[i] == '"' ? '?' : text[i];
    to[i] = '\0';
}

/* Names a part of a condition as it stands in the configuration: "expect.json /status". */
static void name_part(char name[static PART_SIZE], const char *rule, const struct mfa_condition_failure *failure)
{
    static const char *const parts[] = {
        [MFA_PART_NONE] = "",        [MFA_PART_STATUS] = ".status", [MFA_PART_JSON] = ".json",
        [MFA_PART_MEMBER] = ".json", [MFA_PART_TEXT] = ".text",     [MFA_PART_BODY] = ".empty"};
    const bool is_success = failure->member != NULL && failure->member->is_success;
    const bool has_pointer = failure->part == MFA_PART_MEMBER;
    char pointer[POINTER_SIZE];

    copy_pointer(pointer, has_pointer ? failure->member : NULL);
    (void)snprintf(name, PART_SIZE, "%s%s%s%s", is_success ? "success" : rule, is_success ? "" : parts[failure->part],
                   has_pointer ? " " : "", pointer);
}

static const char *obstacle_name(enum mfa_status status)
{
    switch (status) {
    case MFA_ERR_NOT_FOUND: return "a variable is missing";
    case MFA_ERR_REFUSED: return "a variable cannot stand there";
    case MFA_ERR_TOO_LARGE: return "it is too much work";
    case MFA_ERR_MEMORY: return "out of memory";
    default: return "internal error";
    }
}

static void conclude_unknown(struct judgement *judgement, const char *rule, enum mfa_status status,
                             const struct mfa_condition_failure *failure)
{
    char part[PART_SIZE];

    name_part(part, rule, failure);
    conclude(judgement, MFA_VERDICT_ERROR, "refused: %s cannot be checked: %s", part, obstacle_name(status));
}

static void conclude_unexpected(struct judgement *judgement, const struct mfa_condition_failure *failure)
{
    char part[PART_SIZE];

    name_part(part, "expect", failure);
    if (failure->part == MFA_PART_JSON)
        conclude(judgement, MFA_VERDICT_ERROR, "refused: the answer is not JSON, which %s needs", part);
    else if (failure->part == MFA_PART_STATUS && !judgement->rules->expect.has_status)
        conclude(judgement, MFA_VERDICT_ERROR, "refused: the status is not 2xx and no outcomes rule matched");
    else
        conclude(judgement, MFA_VERDICT_ERROR, "refused: %s did not hold and no outcomes rule matched", part);
}

/* --- Conclusions ----------------------------------------------------------------------------------------------- */

static void conclude_uncaptured(struct judgement *judgement, const char *name, enum mfa_status status)
{
    if (status == MFA_ERR_NOT_FOUND)
        conclude(judgement, MFA_VERDICT_ERROR, "refused: capture %s is missing from the answer", name);
    else if (status == MFA_ERR_REFUSED)
        conclude(judgement, MFA_VERDICT_ERROR,
                 "refused: capture %s is not 1 to %d letters, digits or . _ ~ : + = / @ -", name, MFA_CAPTURE_MAX_LEN);
    else
        conclude(judgement, MFA_VERDICT_ERROR, "refused: capture %s cannot be read: %s", name, obstacle_name(status));
}

static enum mfa_status take_capture(struct judgement *judgement, const struct mfa_capture *capture)
{
    json_t *value_secret = NULL;
    enum mfa_status status = mfa_capture_take(capture, &judgement->reading, &value_secret);

    if (status == MFA_OK &&
        json_object_set_new(judgement->finding->captures_secret, capture->name, value_secret) != 0) /* transferred */
        status = MFA_ERR_MEMORY;
    return status;
}

static bool take_captures(struct judgement *judgement)
{
    const struct mfa_rules *rules = judgement->rules;

    if (rules->capture_count > 0)
        judgement->finding->captures_secret = json_object();
    for (size_t i = 0; i < rules->capture_count; i++) {
        enum mfa_status status = take_capture(judgement, &rules->captures[i]);

        if (status != MFA_OK) {
            mfa_json_free(judgement->finding->captures_secret);
            judgement->finding->captures_secret = NULL;
            conclude_uncaptured(judgement, rules->captures[i].name, status);
            return false;
        }
    }
    return true;
}

/* By `rule` the service did what it was asked to do. */
static void conclude_done(struct judgement *judgement, const char *rule)
{
    judgement->finding->is_definite = false;
    switch (judgement->call) {
    case MFA_CALL_SEND:
        if (take_captures(judgement))
            conclude(judgement, MFA_VERDICT_SENT, "%s: sent", rule);
        return;
    case MFA_CALL_VERIFY: conclude(judgement, MFA_VERDICT_ACCEPTED, "%s: accepted", rule); return;
    }
    conclude(judgement, MFA_VERDICT_ERROR, "refused: unknown call");
}

/* A number, or digits in a string; 0: neither. */
static uint32_t seconds_of(const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    const bool is_digits = *text != '\0' && text[strspn(text, "0123456789")] == '\0';
    const double seconds = is_digits ? strtod(text, NULL) : json_number_value(value);

    if (!(seconds > 0))
        return 0;
    if (seconds >= MFA_RETRY_AFTER_MAX_S)
        return MFA_RETRY_AFTER_MAX_S;
    return (uint32_t)seconds + (seconds > (uint32_t)seconds);
}

static void conclude_throttled(struct judgement *judgement, const char *rule)
{
    const struct mfa_pointer *pointer = judgement->rules->retry_after;
    const json_t *value = NULL;
    uint32_t seconds = 0;

    if (pointer != NULL && mfa_reading_find(&judgement->reading, pointer, &value) == MFA_OK)
        seconds = seconds_of(value);
    judgement->finding->retry_after_s = seconds > 0 ? seconds : judgement->reading.answer->retry_after_s;
    conclude(judgement, MFA_VERDICT_THROTTLED, "%s: throttled", rule);
}

/* --- The decision table ---------------------------------------------------------------------------------------- */

static void judge_silence(struct judgement *judgement)
{
    const struct mfa_gateway_answer *answer = judgement->reading.answer;

    judgement->finding->is_definite = answer->was_never_sent;
    conclude(judgement, answer->delivery == MFA_DELIVERY_TIMEOUT ? MFA_VERDICT_TIMEOUT : MFA_VERDICT_ERROR, "%s",
             answer->reason);
}

static void conclude_outcome(struct judgement *judgement, enum mfa_meaning meaning, const char *rule)
{
    judgement->finding->is_definite = true;
    switch (meaning) {
    case MFA_MEANING_ACCEPTED: conclude_done(judgement, rule); return;
    case MFA_MEANING_THROTTLED: conclude_throttled(judgement, rule); return;
    case MFA_MEANING_EXPIRED: conclude(judgement, MFA_VERDICT_EXPIRED, "%s: expired", rule); return;
    case MFA_MEANING_REJECTED: conclude(judgement, MFA_VERDICT_REJECTED, "%s: rejected", rule); return;
    case MFA_MEANING_ERROR: break;
    }
    conclude(judgement, MFA_VERDICT_ERROR, "%s: error", rule);
}

static bool judge_by_outcomes(struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->rules->outcome_count; i++) {
        const struct mfa_outcome_rule *outcome = &judgement->rules->outcomes[i];
        struct mfa_condition_failure failure;
        enum mfa_status status = mfa_condition_check(&outcome->when, &judgement->reading, &failure);
        char rule[RULE_SIZE];

        (void)snprintf(rule, sizeof rule, "outcomes[%zu]", i);
        if (status != MFA_OK)
            conclude_unknown(judgement, rule, status, &failure);
        else if (failure.part == MFA_PART_NONE)
            conclude_outcome(judgement, outcome->is, rule);
        else
            continue;
        return true;
    }
    return false;
}

static void judge_by_expectation(struct judgement *judgement)
{
    struct mfa_condition_failure failure;
    enum mfa_status status = mfa_condition_check(&judgement->rules->expect, &judgement->reading, &failure);

    if (status != MFA_OK)
        conclude_unknown(judgement, "expect", status, &failure);
    else if (failure.part == MFA_PART_NONE)
        conclude_done(judgement, "expect");
    else if (judgement->reading.answer->http_status == 429)
        conclude_throttled(judgement, "status 429");
    else
        conclude_unexpected(judgement, &failure);
}

/* True of a body that is empty or `{}`. */
static bool body_says_nothing(struct mfa_reading *reading)
{
    const json_t *json = NULL;

    return mfa_reading_is_blank(reading) ||
           (mfa_reading_json(reading, &json) == MFA_OK && json_is_object(json) && json_object_size(json) == 0);
}

static void judge_by_default(struct judgement *judgement)
{
    const int http_status = judgement->reading.answer->http_status;

    if (http_status == 429)
        conclude_throttled(judgement, "status 429");
    else if (mfa_rules_say_what_succeeds(judgement->rules))
        conclude(judgement, MFA_VERDICT_ERROR, "refused: no rule in outcomes matched");
    else if (http_status < 200 || http_status > 299)
        conclude(judgement, MFA_VERDICT_ERROR, "refused: the status is not 2xx");
    else if (judgement->call == MFA_CALL_VERIFY && !body_says_nothing(&judgement->reading))
        conclude(judgement, MFA_VERDICT_ERROR, "refused: answer has a body and no expect rule");
    else
        conclude_done(judgement, "status 2xx");
}

/* A proxy answers with 502 or 504, and whoever lost patience with 408, when the service may have the request. */
static bool is_failure_of_service(int http_status)
{
    return http_status >= 400 && http_status <= 599 && http_status != 408 && http_status != 502 && http_status != 504;
}

void mfa_verdict_of(const struct mfa_rules *rules, enum mfa_call call, const struct mfa_gateway_answer *answer,
                    const struct mfa_variables *variables, struct mfa_finding *finding)
{
    struct judgement judgement = {
        .rules = rules, .call = call, .reading = {.answer = answer, .variables = variables}, .finding = finding};

    *finding = (struct mfa_finding){.is_definite = is_failure_of_service(answer->http_status)};
    if (answer->delivery != MFA_DELIVERY_ANSWERED)
        judge_silence(&judgement);
    else if (!judge_by_outcomes(&judgement)) {
        if (mfa_rules_has_expectation(rules))
            judge_by_expectation(&judgement);
        else
            judge_by_default(&judgement);
    }
    finding->is_definite &= call == MFA_CALL_SEND;
    mfa_reading_clear(&judgement.reading);
}

void mfa_finding_clear(struct mfa_finding *finding)
{
    mfa_json_free(finding->captures_secret);
    *finding = (struct mfa_finding){0};
}
