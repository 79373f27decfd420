/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const answer_names[SERVICE_ANSWERS] = {"agrees", "refuses", "is silent", "is away"};

static void tell(const struct scene *scene)
{
    for (size_t i = 0; i < scene->caller_count; i++) {
        const struct caller *caller = &scene->callers[i];
        const char *outcome = caller->completed > 0 ? mfa_outcome_name(caller->outcome) : "-";
        print_error("  %s (the service %s): %s, %u times; compared %u, stored %u\n", caller->action->name,
                    answer_names[caller->answer], outcome, caller->completed, caller->compared, caller->stored);
    }
    print_error("  in the order%s\n", orders_current());
}

static void require(const struct scene *scene, bool holds, const char *rule)
{
    if (holds)
        return;
    print_error("broken: %s\n", rule);
    tell(scene);
    fail();
}

static bool is_release(const struct caller *caller)
{
    return caller->outcome == MFA_OUTCOME_VERIFIED;
}

static bool is_enrolling(const struct caller *caller)
{
    return caller->outcome == MFA_OUTCOME_ENROLLED || caller->outcome == MFA_OUTCOME_REPLACED;
}

static bool has_used_recovery_code(const struct caller *caller)
{
    return (caller->action->body == RECOVERY_CODE && is_release(caller)) ||
           (caller->action->body == PASSWORD_AND_RECOVERY_CODE && caller->outcome == MFA_OUTCOME_DEACTIVATED);
}

/* What a caller compared that counts: not a right code that came to nothing, from which nobody learns anything. */
static unsigned counted(const struct caller *caller)
{
    bool came_to_something = is_release(caller) || is_enrolling(caller) || has_used_recovery_code(caller);

    return came_to_something ? caller->compared : caller->failures;
}

static bool is_recovery(const struct caller *caller)
{
    return caller->action->body > WRONG_CODE;
}

/* Whether the failures of the account were forgotten. */
static bool is_forgiving(const struct caller *caller)
{
    return is_release(caller) || is_enrolling(caller) || has_used_recovery_code(caller) ||
           caller->outcome == MFA_OUTCOME_RESET;
}

static unsigned compared_at(const struct scene *scene, const struct pending *pending)
{
    unsigned compared = 0;

    for (size_t i = 0; i < scene->caller_count; i++)
        if (scene->callers[i].pending == pending)
            compared += counted(&scene->callers[i]);
    return compared;
}

/* --- Each caller --------------------------------------------------------------------------------------------------- */

static void judge_release(const struct scene *scene, const struct caller *caller)
{
    bool was_right = caller->compared == 1 && caller->failures == 0;
    bool is_current = caller->has_loaded && caller->loaded == caller->pending->enrolment;

    require(scene, was_right, "no release without a right code");
    require(scene, is_current, "no release after the enrolment has changed");
    require(scene, strcmp(caller->grant, caller->pending->grant) == 0, "what is released is the session's own");
    require(scene, ++caller->pending->released == 1, "at most one release per session");
}

/* Whoever changed what is stored says so, and only they. */
static void judge_storing(const struct scene *scene, const struct caller *caller)
{
    bool must_store =
        is_enrolling(caller) || has_used_recovery_code(caller) || caller->outcome == MFA_OUTCOME_RECOVERY_CODES_RENEWED;
    bool may_store = must_store || caller->outcome == MFA_OUTCOME_DEACTIVATED || caller->outcome == MFA_OUTCOME_RESET;

    require(scene, caller->stored <= may_store && caller->stored >= must_store,
            "the enrolment is as the answers say, and changed once by each");
}

/* For good, or until a recovery code, good when it was looked for, was used by somebody else or renewed: that takes three. */
static bool may_have_had_session(const struct caller *caller)
{
    return is_release(caller) || caller->action->body == RECOVERY_CODE;
}

/* What can keep a right code from being taken, besides limits. */
static bool has_excuse(const struct scene *scene, const struct caller *caller)
{
    if (scene->has_expired || scene->have_left || scene->enrolment > 0 || caller->answer != SERVICE_AGREES)
        return true;
    if (scene->attempts_per_session > 0 && compared_at(scene, caller->pending) >= scene->attempts_per_session)
        return true;
    for (size_t i = 0; i < scene->caller_count; i++)
        if (&scene->callers[i] != caller && scene->callers[i].pending == caller->pending &&
            may_have_had_session(&scene->callers[i]))
            return true;
    return false;
}

static bool is_about_limits(enum mfa_outcome outcome)
{
    return outcome == MFA_OUTCOME_THROTTLED || outcome == MFA_OUTCOME_STOPPED ||
           outcome == MFA_OUTCOME_ATTEMPTS_USED_UP;
}

static void judge_caller(const struct scene *scene, const struct caller *caller)
{
    bool is_request = caller->action->happen == NULL;

    require(scene, caller->completed == is_request, "each call is completed once");
    require(scene, !is_request || caller->outcome != MFA_OUTCOME_INTERNAL || scene->have_left,
            "no fault where nothing fails");
    require(scene, caller->outcome != MFA_OUTCOME_ALLOWED || caller->saw_none, "no login without MFA while enrolled");
    if (is_release(caller))
        judge_release(scene, caller);
    judge_storing(scene, caller);
    if (caller->action->body == RIGHT_CODE && !is_release(caller) && !is_enrolling(caller))
        require(scene, is_about_limits(caller->outcome) || has_excuse(scene, caller), "a right code is taken");
}

/* --- All of them --------------------------------------------------------------------------------------------------- */

static unsigned count(const struct scene *scene, bool (*which)(const struct caller *caller))
{
    unsigned found = 0;

    for (size_t i = 0; i < scene->caller_count; i++)
        found += which(&scene->callers[i]);
    return found;
}

static unsigned stored_failures(struct scene *scene)
{
    char *text = fake_host_record(&scene->fixture.host, MFA_RECORD_ATTEMPTS, "id-alice");
    const char *found = text != NULL ? strstr(text, "\"consecutive\":") : NULL;
    unsigned failures = found != NULL ? (unsigned)strtoul(strchr(found, ':') + 1, NULL, 10) : 0;

    free(text);
    return failures;
}

static void judge_account(struct scene *scene)
{
    unsigned failures = 0;
    unsigned compared = 0;

    require(scene, count(scene, has_used_recovery_code) <= 1, "a recovery code is used once");
    if (scene->attempts_at_once == 0 || count(scene, is_forgiving) > 0)
        return;
    for (size_t i = 0; i < scene->caller_count; i++) {
        failures += scene->callers[i].failures;
        if (!scene->recovery_is_free || !is_recovery(&scene->callers[i]))
            compared += counted(&scene->callers[i]);
    }
    require(scene, compared <= scene->attempts_at_once * (scene->has_expired ? 2 : 1),
            "no more comparisons than the account may have at once");
    require(scene, stored_failures(scene) == failures, "each failure is stored, once");
}

/* --- What is left -------------------------------------------------------------------------------------------------- */

static void judge_session(struct scene *scene, const struct pending *pending)
{
    struct mfa_sessions *sessions = scene->fixture.core->sessions;
    struct mfa_session_ref ref;

    require(scene, scene->attempts_per_session == 0 || compared_at(scene, pending) <= scene->attempts_per_session,
            "no more comparisons than a session may have");
    mfa_sessions_ref(sessions, "id-alice", pending->token, strlen(pending->token), &ref);
    struct mfa_session *session = mfa_sessions_take(sessions, 0, &ref);
    if (session == NULL)
        return;
    require(scene, pending->released == 0, "a session that was released is gone");
    require(scene, session->attempts == session->failures && !session->is_sending,
            "nothing of a session stays reserved");
    mfa_sessions_use_up(sessions, session);
    mfa_session_free(session);
}

static void judge_rest(struct scene *scene)
{
    const struct fixture *fixture = &scene->fixture;

    for (size_t i = LOGIN_A; i < scene->session_count; i++)
        judge_session(scene, &scene->sessions[i]);
    require(scene, mfa_sessions_count(fixture->core->sessions) == 0, "no session is left that nobody knows of");
    require(scene, scene->answered == fixture->gateway.count && atomic_load(&fixture->core->in_flight) == 0,
            "nothing is in flight");
    require(scene, fixture->host.completion_count == fixture->call_count, "each call is completed once");
}

void judge(struct scene *scene)
{
    for (size_t i = 0; i < scene->caller_count; i++)
        judge_caller(scene, &scene->callers[i]);
    judge_account(scene);
    judge_rest(scene);
}
