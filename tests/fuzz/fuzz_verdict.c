/* SPDX-License-Identifier: Apache-2.0
 *
 * What an answer means by an operator's rules: never what no rule says. Conditions are checked a second time here, slowly,
 * as far as that is simple. The input is four bytes for the call and the status, the rules up to a NUL, and the body.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fuzz.h"
#include "mfa_json.h"
#include "mfa_verdict.h"
#include "rules_fixture.h"

/* In the variables and in no rule. */
#define CANARY "cAnArY-7f3a"

struct trial {
    const struct mfa_rules *rules;
    enum mfa_call call;
    struct mfa_gateway_answer answer;
    struct mfa_finding finding;
    json_t *body; /* NULL: no JSON */
    bool may_name_canary;
};

/* Whether a condition holds: what takes a variable or a regular expression is not known here. */
enum truth { NO, YES, UNKNOWN };

static enum truth truth_of(bool is_true)
{
    return is_true ? YES : NO;
}

/* --- Conditions, slowly --------------------------------------------------------------------------------------------- */

static const json_t *child(const json_t *value, const char *token)
{
    char number[32];

    if (json_is_object(value))
        return json_object_get(value, token);
    for (size_t i = 0; i < json_array_size(value); i++) {
        (void)snprintf(number, sizeof number, "%zu", i);
        if (strcmp(number, token) == 0)
            return json_array_get(value, i);
    }
    return NULL;
}

static void unescape(char *token)
{
    char *to = token;

    for (; *token != '\0'; token++) {
        bool is_escape = token[0] == '~' && (token[1] == '0' || token[1] == '1');
        *to++ = !is_escape ? token[0] : token[1] == '0' ? '~' : '/';
        token += is_escape;
    }
    *to = '\0';
}

static const json_t *follow(const json_t *value, const char *pointer)
{
    while (*pointer == '/' && value != NULL) {
        size_t len = strcspn(pointer + 1, "/");
        char *token = strndup(pointer + 1, len);
        assert_non_null(token);
        unescape(token);
        value = child(value, token);
        free(token);
        pointer += 1 + len;
    }
    return value;
}

static enum truth is_value(const struct mfa_matcher_value *value, const json_t *found)
{
    struct mfa_buffer text;
    bool is_equal = false;

    if (value->text == NULL)
        return truth_of(found != NULL && json_equal(found, value->other));
    if (mfa_template_variable(value->text, 0) != NULL)
        return UNKNOWN;
    mfa_buffer_init(&text, SIZE_MAX);
    assert_int_equal(mfa_template_render(value->text, &(struct mfa_variables){0}, &text), MFA_OK);
    is_equal = json_is_string(found) && strcmp(json_string_value(found), text.data != NULL ? text.data : "") == 0;
    mfa_buffer_clear(&text);
    return truth_of(is_equal);
}

static enum truth is_any_value(const struct mfa_matcher *matcher, const json_t *found)
{
    enum truth truth = NO;

    for (size_t i = 0; i < matcher->value_count && truth == NO; i++)
        truth = is_value(&matcher->values[i], found);
    return truth;
}

static enum truth matches(const struct mfa_matcher *matcher, const json_t *found)
{
    enum truth truth = is_any_value(matcher, found);

    switch (matcher->kind) {
    case MFA_MATCHER_ONE_OF: return truth;
    case MFA_MATCHER_NOT:
        if (truth == UNKNOWN)
            return UNKNOWN;
        return truth_of(found != NULL && truth == NO);
    case MFA_MATCHER_PRESENT: return truth_of(found != NULL);
    case MFA_MATCHER_ABSENT: return truth_of(found == NULL);
    case MFA_MATCHER_PATTERN: return json_is_string(found) ? UNKNOWN : NO;
    }
    return UNKNOWN;
}

static enum truth member_holds(const struct mfa_condition_member *member, const json_t *body)
{
    if (body == NULL)
        return NO;
    if (mfa_pointer_variable(member->pointer, 0) != NULL)
        return UNKNOWN;
    return matches(&member->matcher, follow(body, mfa_pointer_text(member->pointer)));
}

static bool is_2xx(int status)
{
    return status / 100 == 2;
}

static enum truth status_holds(const struct mfa_condition *condition, int status)
{
    if (!condition->has_status)
        return truth_of(!condition->needs_2xx || is_2xx(status));
    return truth_of(status >= 100 && status < 600 &&
                    (condition->statuses[(status - 100) / 8] & 1 << (status - 100) % 8) != 0);
}

static bool is_blank(const struct mfa_gateway_answer *answer)
{
    return strspn(answer->body, " \t\r\n") == answer->body_len;
}

/* Counts the parts of a condition that hold, do not hold, and may hold. */
static void judge(const struct trial *trial, const struct mfa_condition *condition, size_t count[3])
{
    count[status_holds(condition, trial->answer.http_status)]++;
    for (size_t i = 0; i < condition->member_count; i++)
        count[member_holds(&condition->members[i], trial->body)]++;
    count[condition->text == NULL ? YES : UNKNOWN]++;
    if (condition->body != MFA_CONDITION_ANY_BODY)
        count[truth_of(is_blank(&trial->answer) == (condition->body == MFA_CONDITION_EMPTY_BODY))]++;
}

static bool can_hold(const struct trial *trial, const struct mfa_condition *condition)
{
    size_t count[3] = {0};

    judge(trial, condition, count);
    return count[NO] == 0;
}

/* What cannot be known may as well be an error, before what does not hold is seen. */
static enum truth holds(const struct trial *trial, const struct mfa_condition *condition)
{
    size_t count[3] = {0};

    judge(trial, condition, count);
    return count[UNKNOWN] > 0 ? UNKNOWN : truth_of(count[NO] == 0);
}

/* --- What a finding must be ----------------------------------------------------------------------------------------- */

static bool body_says_nothing(const struct trial *trial)
{
    return is_blank(&trial->answer) || (json_is_object(trial->body) && json_object_size(trial->body) == 0);
}

/* Some rule must say that the service did what it was asked to do. */
static bool may_be_done(const struct trial *trial)
{
    const struct mfa_rules *rules = trial->rules;

    for (size_t i = 0; i < rules->outcome_count; i++)
        if (rules->outcomes[i].is == MFA_MEANING_ACCEPTED && can_hold(trial, &rules->outcomes[i].when))
            return true;
    if (mfa_rules_has_expectation(rules))
        return can_hold(trial, &rules->expect);
    return !mfa_rules_say_what_succeeds(rules) && is_2xx(trial->answer.http_status) &&
           (trial->call == MFA_CALL_SEND || body_says_nothing(trial));
}

static void check_done(const struct trial *trial)
{
    const struct mfa_finding *finding = &trial->finding;
    bool lacks_capture = trial->rules->capture_count > 0 && finding->verdict == MFA_VERDICT_ERROR;

    if (trial->call == MFA_CALL_VERIFY)
        assert_int_equal(finding->verdict, MFA_VERDICT_ACCEPTED);
    else
        assert_true(finding->verdict == MFA_VERDICT_SENT || lacks_capture);
}

static void check_meaning(const struct trial *trial, enum mfa_meaning meaning)
{
    static const enum mfa_verdict verdicts[] = {[MFA_MEANING_ERROR] = MFA_VERDICT_ERROR,
                                                [MFA_MEANING_THROTTLED] = MFA_VERDICT_THROTTLED,
                                                [MFA_MEANING_EXPIRED] = MFA_VERDICT_EXPIRED,
                                                [MFA_MEANING_REJECTED] = MFA_VERDICT_REJECTED};

    if (meaning == MFA_MEANING_ACCEPTED)
        check_done(trial);
    else
        assert_int_equal(trial->finding.verdict, verdicts[meaning]);
}

static void check_failed(const struct trial *trial)
{
    assert_int_equal(trial->finding.verdict,
                     trial->answer.http_status == 429 ? MFA_VERDICT_THROTTLED : MFA_VERDICT_ERROR);
}

static void check_without_outcome(const struct trial *trial)
{
    bool has_expectation = mfa_rules_has_expectation(trial->rules);
    bool is_good = !mfa_rules_say_what_succeeds(trial->rules) && is_2xx(trial->answer.http_status) &&
                   (trial->call == MFA_CALL_SEND || body_says_nothing(trial));
    enum truth truth = has_expectation ? holds(trial, &trial->rules->expect) : truth_of(is_good);

    if (truth == YES)
        check_done(trial);
    else if (truth == NO)
        check_failed(trial);
}

/* As far as it is known here which rule is the first to hold. */
static void check_verdict(const struct trial *trial)
{
    const struct mfa_rules *rules = trial->rules;
    enum truth truth = NO;

    for (size_t i = 0; i < rules->outcome_count && truth == NO; i++) {
        truth = holds(trial, &rules->outcomes[i].when);
        if (truth == YES)
            check_meaning(trial, rules->outcomes[i].is);
    }
    if (truth == NO)
        check_without_outcome(trial);
}

static void check_silence(const struct trial *trial)
{
    assert_int_equal(trial->finding.verdict,
                     trial->answer.delivery == MFA_DELIVERY_TIMEOUT ? MFA_VERDICT_TIMEOUT : MFA_VERDICT_ERROR);
    assert_int_equal(trial->finding.is_definite, trial->call == MFA_CALL_SEND && trial->answer.was_never_sent);
}

static void check_captures(const struct trial *trial)
{
    const char *name = NULL;
    json_t *value = NULL;

    assert_int_equal(json_object_size(trial->finding.captures_secret), trial->rules->capture_count);
    json_object_foreach(trial->finding.captures_secret, name, value)
    {
        size_t len = json_string_length(value);
        assert_true(len >= 1 && len <= 256);
        assert_int_equal(strspn(json_string_value(value), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                          "0123456789._~:+=/@-"),
                         len);
    }
}

static void check_finding(const struct trial *trial)
{
    const struct mfa_finding *finding = &trial->finding;
    bool is_sent = finding->verdict == MFA_VERDICT_SENT;
    bool is_done = is_sent || finding->verdict == MFA_VERDICT_ACCEPTED;

    if (is_done) {
        assert_int_equal(trial->answer.delivery, MFA_DELIVERY_ANSWERED);
        assert_int_equal(is_sent, trial->call == MFA_CALL_SEND);
        assert_true(may_be_done(trial));
    }
    assert_true(!finding->is_definite || (trial->call == MFA_CALL_SEND && !is_sent));
    assert_true(finding->retry_after_s <= 86400);
    assert_true(finding->retry_after_s == 0 || finding->verdict == MFA_VERDICT_THROTTLED);
    assert_int_equal(finding->captures_secret != NULL, is_sent && trial->rules->capture_count > 0);
    assert_true(finding->why[0] != '\0' && strlen(finding->why) < sizeof finding->why && fuzz_is_line(finding->why));
    assert_true(trial->may_name_canary || strstr(finding->why, CANARY) == NULL);
    if (is_sent && finding->captures_secret != NULL)
        check_captures(trial);
}

/* --- The whole ------------------------------------------------------------------------------------------------------ */

static const char *header(const struct mfa_gateway_answer *answer, const char *name)
{
    (void)answer;
    if (strcasecmp(name, "x-id") == 0)
        return "h-1";
    return strcasecmp(name, "x-bad") == 0 ? CANARY " 1" : NULL;
}

static void try_rules(struct trial *trial)
{
    json_t *values = json_pack("{s:s, s:s, s:i}", "phone", CANARY "/", "id", "r-1", "n", 7);
    const struct mfa_variables variables = {.user_data = values, .code_secret = "123456"};

    memset(&trial->finding, 0xff, sizeof trial->finding);
    mfa_verdict_of(trial->rules, trial->call, &trial->answer, &variables, &trial->finding);
    check_finding(trial);
    if (trial->answer.delivery == MFA_DELIVERY_ANSWERED)
        check_verdict(trial);
    else
        check_silence(trial);
    mfa_finding_clear(&trial->finding);
    json_decref(values);
}

/* The first byte: bit 0 the call, bits 1 and 2 what became of it otherwise, bit 3 whether that is certain. */
static struct trial read_trial(struct fuzz_input *input)
{
    unsigned bits = fuzz_take_byte(input);
    unsigned hundreds = fuzz_take_byte(input);
    struct trial trial = {.call = (bits & 1) == 0 ? MFA_CALL_VERIFY : MFA_CALL_SEND};

    trial.answer = (struct mfa_gateway_answer){.delivery = (bits & 6) == 0 ? MFA_DELIVERY_ANSWERED
                                                                           : (enum mfa_delivery)((bits >> 1 & 3) - 1),
                                               .http_status = (int)(hundreds % 7 * 100 + fuzz_take_byte(input) % 100),
                                               .retry_after_s = fuzz_take_byte(input),
                                               .reason = "no answer",
                                               .was_never_sent = (bits & 6) != 0 && (bits & 8) != 0,
                                               .header = header};
    return trial;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input input = {(const char *)data, len};
    struct trial trial = read_trial(&input);
    char *rules = fuzz_take_text(&input);
    char *body = fuzz_take_rest(&input, &trial.answer.body_len);
    struct rules_fixture fixture;

    rules_fixture_read(&fixture, rules);
    if (fixture.log[0] == '\0') {
        trial.rules = &fixture.rules;
        trial.answer.body = body;
        (void)mfa_json_parse_answer(&trial.body, body, trial.answer.body_len, MFA_JSON_MAX_DEPTH);
        trial.may_name_canary = strstr(rules, CANARY) != NULL;
        try_rules(&trial);
    }
    rules_fixture_clear(&fixture);
    json_decref(trial.body);
    free(rules);
    free(body);
    return 0;
}
