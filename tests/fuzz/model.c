/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "model_account.h"
#include "model_messages.h"

const char *const model_users[MODEL_USERS] = {"alice", "bobby"};

static const char *const user_ids[MODEL_USERS] = {"id-alice", "id-bobby"};

/* --- Looking around ------------------------------------------------------------------------------------------------- */

static void copy(char *to, size_t size, const char *text)
{
    assert_non_null(text);
    assert_true(strlen(text) < size);
    memcpy(to, text, strlen(text) + 1);
}

/* The identity of the enrolment that is stored. What is stored is whole. */
static void read_identity(const struct model *model, size_t user, char identity[static 64])
{
    char *text = fake_host_profile(&model->fixture->host, user_ids[user]);
    json_t *root = NULL;

    identity[0] = '\0';
    if (text == NULL)
        return;
    root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(json_object_get(root, "content")));
    assert_true(json_is_array(json_object_get(root, "recoveryCodes")));
    copy(identity, 64, json_string_value(json_object_get(root, "enrolmentId")));
    json_decref(root);
    free(text);
}

struct model_call *model_call(struct model *model, uint64_t number)
{
    assert_true(number < MODEL_CALLS);
    return &model->calls[number];
}

bool model_is_busy(const struct model *model)
{
    for (uint64_t number = 1; number <= model->fixture->call_count; number++)
        if (!model->calls[number].is_done)
            return true;
    return false;
}

static uint64_t expiry_of(const struct model *model, const struct model_session *session)
{
    return session->opened_ms + (uint64_t)model->policy.session_ttl_s * 1000;
}

static bool is_fresh(const struct model *model, const struct model_session *session, const struct model_code *code,
                     uint64_t now_ms)
{
    uint32_t ttl_s = model->policy.code_ttl_s;

    return now_ms < expiry_of(model, session) && (ttl_s == 0 || now_ms < code->made_ms + (uint64_t)ttl_s * 1000);
}

/* A code that was sent for the session, with no more later ones than leave it good. */
static bool is_good_code(const struct model *model, const struct model_session *session, const char *text,
                         uint64_t now_ms)
{
    uint32_t later = 0;

    for (size_t i = session->code_count; i-- > 0 && later <= model->policy.accept_previous_codes;) {
        const struct model_code *code = &session->codes[i];
        if (code->is_withdrawn)
            continue;
        if (strcmp(code->text, text) == 0 && is_fresh(model, session, code, now_ms))
            return true;
        later += code->is_settled;
    }
    return false;
}

/* --- Beginning ------------------------------------------------------------------------------------------------------ */

void model_init(struct model *model, struct fixture *fixture)
{
    const struct mfa_config *config = &fixture->core->settings->config;

    memset(model, 0, sizeof *model);
    model->fixture = fixture;
    model->policy = config->policy;
    model->makes_code = config->mode == MFA_MODE_SINGLE;
    model->step_up_is_required = config->step_up_is_required;
}

void model_restart(struct model *model)
{
    assert_false(model_is_busy(model));
    for (size_t i = 0; i < model->session_count; i++)
        model->sessions[i].is_lost = true;
}

struct model_call *model_begin(struct model *model, const struct model_call *call)
{
    struct model_call *begun = model_call(model, model->fixture->call_count + 1);
    struct model_user *user = &model->users[call->user];

    *begun = *call;
    begun->begun_ms = model->fixture->host.monotonic_ms;
    begun->begun_wall_ms = model->fixture->host.wall_ms;
    copy(begun->identity, sizeof begun->identity, user->identity);
    begun->until_ms = user->until_ms;
    begun->consecutive = user->consecutive;
    user->tries += model_is_attempt(model, call->op);
    if (call->op == MODEL_VERIFY || call->op == MODEL_CONFIRM) {
        call->session->tries++;
        /* A code of ours is compared at once. */
        begun->is_accepted = model->makes_code && is_good_code(model, call->session, call->presented, begun->begun_ms);
    }
    if (call->op == MODEL_ACTIVATE)
        begun->activation = ++user->activations;
    return begun;
}

/* --- Codes ---------------------------------------------------------------------------------------------------------- */

static bool use_recovery_code(struct model *model, const struct model_call *call)
{
    struct model_user *user = &model->users[call->user];

    for (size_t i = 0; call->recovery_code[0] != '\0' && i < MFA_RECOVERY_CODE_COUNT; i++) {
        if (strcmp(user->recovery_codes[i], call->recovery_code) != 0 || user->is_used[i])
            continue;
        user->is_used[i] = true;
        return true;
    }
    return false;
}

/* A session was used, by a confirm or a verify. */
static void use_session(struct model *model, struct model_call *call, bool is_login)
{
    struct model_session *session = call->session;

    assert_non_null(session);
    assert_int_equal(session->is_login, is_login);
    assert_int_equal(session->user, call->user);
    assert_false(session->is_used || session->is_lost);
    assert_true(call->begun_ms < expiry_of(model, session));
    session->is_used = true;
    if (is_login && use_recovery_code(model, call)) {
        model_check_secret_allowed(model, call);
        return;
    }
    model_check_code_allowed(model, call);
    assert_true(model->policy.attempts_per_session == 0 || session->failures < model->policy.attempts_per_session);
    assert_true(call->is_accepted);
}

/* --- How calls end -------------------------------------------------------------------------------------------------- */

static void open_session(struct model *model, struct model_call *call, const struct fake_completion *completion,
                         bool is_login)
{
    struct model_session *session = NULL;
    struct model_user *user = &model->users[call->user];
    json_t *body = fixture_body(completion);

    assert_true(model->session_count < MODEL_SESSIONS);
    session = &model->sessions[model->session_count++];
    user->opened_activations += !is_login;
    *session = (struct model_session){.user = call->user,
                                      .is_login = is_login,
                                      .opened_ms = call->begun_ms,
                                      .activation = call->activation,
                                      .opened_activations = user->opened_activations};
    copy(session->token, sizeof session->token, json_string_value(json_object_get(body, "mfaToken")));
    copy(session->identity, sizeof session->identity, call->identity);
    copy(session->grant, sizeof session->grant, call->grant);
    json_decref(body);
    if (!call->has_sent)
        return;
    assert_true(call->sent.is_settled && !call->sent.is_withdrawn);
    session->codes[session->code_count++] = call->sent;
    session->sent_count = 1;
    session->last_sent_ms = call->begun_ms;
}

static void read_recovery_codes(struct model *model, size_t user, const struct fake_completion *completion)
{
    json_t *body = fixture_body(completion);
    const json_t *codes = json_object_get(body, "recoveryCodes");

    assert_int_equal(json_array_size(codes), MFA_RECOVERY_CODE_COUNT);
    for (size_t i = 0; i < MFA_RECOVERY_CODE_COUNT; i++)
        copy(model->users[user].recovery_codes[i], MFA_RECOVERY_CODE_SIZE, json_string_value(json_array_get(codes, i)));
    memset(model->users[user].is_used, 0, sizeof model->users[user].is_used);
    json_decref(body);
}

/* Whoever finds all attempts of the session reserved has had nothing compared; but not before there were as many others. */
static bool was_compared(const struct model *model, const struct model_call *call, enum mfa_outcome outcome)
{
    return outcome != MFA_OUTCOME_ATTEMPTS_USED_UP || call->has_checked ||
           call->session->tries <= model->policy.attempts_per_session;
}

static void end_with_failure(struct model *model, struct model_call *call, enum mfa_outcome outcome)
{
    struct model_session *session = call->session;

    if (!was_compared(model, call, outcome))
        return;
    if (call->op == MODEL_RECOVER || call->recovery_code[0] != '\0')
        model_check_secret_allowed(model, call);
    else
        model_check_code_allowed(model, call);
    model_fail_account(model, call);
    /* The last of them ends the session and says so instead, perhaps before another one gets that far. */
    if (session == NULL || outcome == MFA_OUTCOME_ATTEMPTS_USED_UP)
        return;
    session->failures++;
    assert_true(model->policy.attempts_per_session == 0 || session->failures < model->policy.attempts_per_session);
}

static void end_enrolled(struct model *model, struct model_call *call, const struct fake_completion *completion,
                         const char *before)
{
    use_session(model, call, false);
    if (completion->outcome == MFA_OUTCOME_ENROLLED)
        assert_string_equal(before, "");
    else
        assert_string_equal(before, call->session->identity);
    assert_string_not_equal(model->users[call->user].identity, "");
    assert_string_not_equal(model->users[call->user].identity, before);
    read_recovery_codes(model, call->user, completion);
    model_forgive_account(model, call->user);
}

static void end_released(struct model *model, struct model_call *call, const struct fake_completion *completion)
{
    use_session(model, call, true);
    assert_string_not_equal(call->session->identity, "");
    assert_string_equal(model->users[call->user].identity, call->session->identity);
    assert_string_equal(completion->grant, call->session->grant);
    model_forgive_account(model, call->user);
}

static void end_deactivated(struct model *model, struct model_call *call)
{
    assert_string_equal(model->users[call->user].identity, "");
    assert_true(call->is_password_right || (call->op == MODEL_DEACTIVATE && !model->step_up_is_required));
    if (call->op != MODEL_RECOVER)
        return;
    assert_true(use_recovery_code(model, call));
    model_check_secret_allowed(model, call);
    model_forgive_account(model, call->user);
}

static void end(struct model *model, struct model_call *call, const struct fake_completion *completion,
                const char *before)
{
    const struct model_user *user = &model->users[call->user];

    switch (completion->outcome) {
    case MFA_OUTCOME_ALLOWED: assert_string_equal(call->identity, ""); break;
    case MFA_OUTCOME_CHALLENGED:
    case MFA_OUTCOME_CHALLENGE_DELAYED:
        assert_string_not_equal(call->identity, "");
        open_session(model, call, completion, true);
        break;
    case MFA_OUTCOME_ACTIVATION_OPENED: open_session(model, call, completion, false); break;
    case MFA_OUTCOME_ENROLLED:
    case MFA_OUTCOME_REPLACED: end_enrolled(model, call, completion, before); break;
    case MFA_OUTCOME_VERIFIED: end_released(model, call, completion); break;
    case MFA_OUTCOME_WRONG_CODE:
    case MFA_OUTCOME_EXPIRED_CODE:
    case MFA_OUTCOME_ATTEMPTS_USED_UP:
    case MFA_OUTCOME_BAD_RECOVERY_CODE: end_with_failure(model, call, completion->outcome); break;
    case MFA_OUTCOME_BAD_STEP_UP:
        assert_false(call->is_password_right);
        model_check_secret_allowed(model, call);
        model_fail_account(model, call);
        break;
    case MFA_OUTCOME_DEACTIVATED: end_deactivated(model, call); break;
    case MFA_OUTCOME_RECOVERY_CODES_RENEWED:
        assert_true(call->is_password_right || !model->step_up_is_required);
        assert_string_not_equal(user->identity, "");
        read_recovery_codes(model, call->user, completion);
        break;
    case MFA_OUTCOME_RESET:
        assert_string_equal(user->identity, "");
        model_forgive_account(model, call->user);
        break;
    default: break;
    }
    if (completion->outcome != MFA_OUTCOME_VERIFIED)
        assert_string_equal(completion->grant, "");
    /* What the service accepted and nobody could use has cost no attempt. */
    if (!model->makes_code && call->is_accepted && !call->session->is_used)
        call->session->checks--;
}

void model_step(struct model *model, uint64_t number)
{
    char before[MODEL_USERS][64];

    model_see_requests(model, number);
    for (size_t i = 0; i < MODEL_USERS; i++) {
        copy(before[i], sizeof before[i], model->users[i].identity);
        read_identity(model, i, model->users[i].identity);
    }
    for (; model->completions_seen < model->fixture->host.completion_count; model->completions_seen++) {
        const struct fake_completion *completion = &model->fixture->host.completions[model->completions_seen];
        struct model_call *call = model_call(model, completion->call);
        assert_int_equal(completion->call, number);
        assert_int_equal(completion->count, 1);
        assert_false(call->is_done);
        call->is_done = true;
        end(model, call, completion, before[call->user]);
    }
}

/* --- What must be ----------------------------------------------------------------------------------------------------- */

/* How many sessions the user may have that are not older, the session itself included. */
static size_t count_younger(const struct model *model, const struct model_session *session)
{
    size_t count = 0;

    for (uint64_t number = 1; number <= model->fixture->call_count; number++) {
        const struct model_call *call = &model->calls[number];
        count += call->user == session->user && call->begun_ms >= session->opened_ms &&
                 (call->op == MODEL_LOGIN || call->op == MODEL_ACTIVATE);
    }
    return count;
}

/* Whether the session has not been used, and no other one has taken its place. */
static bool is_kept(const struct model *model, const struct model_session *session)
{
    const struct model_user *user = &model->users[session->user];

    if (session->is_used || session->is_lost || strcmp(session->identity, user->identity) != 0 ||
        count_younger(model, session) > model->policy.max_pending_per_user)
        return false;
    return session->is_login ||
           (user->activations == session->activation && user->opened_activations == session->opened_activations);
}

static bool has_attempts(const struct model *model, const struct model_session *session)
{
    const struct mfa_policy *policy = &model->policy;
    unsigned tries = model->users[session->user].tries;

    return (policy->attempts_per_session == 0 || session->tries < policy->attempts_per_session) &&
           (policy->backoff_base_s == 0 || tries <= policy->backoff_free_failures) &&
           (policy->attempts_max_consecutive == 0 || tries < policy->attempts_max_consecutive);
}

static bool has_good_code(const struct model *model, const struct model_session *session)
{
    const struct model_code *code = session->code_count > 0 ? &session->codes[session->code_count - 1] : NULL;

    return code != NULL && code->is_settled && !code->is_withdrawn &&
           is_fresh(model, session, code, model->fixture->host.monotonic_ms);
}

bool model_must_succeed(const struct model *model, const struct model_session *session)
{
    return has_good_code(model, session) && is_kept(model, session) && has_attempts(model, session) &&
           model->fixture->gateway.count < FAKE_GATEWAY_MAX && !model_is_busy(model);
}
