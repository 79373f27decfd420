/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* --- Where a flow begins ------------------------------------------------------------------------------------------ */

/* A service with an answer to remember, and a nonce. */
#define SINGLE(rest) FIXTURE_SINGLE_LIMITED("", rest)
#define SERVICE                                                                                                        \
    "mode: challenge-verify\n"                                                                                         \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    challenge:\n"                                                                                                 \
    "      url: 'https://api.example.com/codes'\n"                                                                     \
    "      method: POST\n"                                                                                             \
    "      body: {to: '{{ number }}', nonce: '{{ nonce }}'}\n"                                                         \
    "      capture: {requestId: /id}\n"                                                                                \
    "    verify:\n"                                                                                                    \
    "      url: 'https://api.example.com/codes/{{ requestId }}/verifications'\n"                                       \
    "      method: POST\n"                                                                                             \
    "      body: {code: '{{ code }}', nonce: '{{ nonce }}'}\n"                                                         \
    "      expect: {json: {/status: approved, /to: '{{ number }}'}}\n"                                                 \
    "      outcomes: [{when: {json: {/status: {matches: '^(pending|wrong)$'}}}, is: rejected}]\n"

/* The first of two services is out of order. */
#define FALLBACK                                                                                                       \
    "mode: single\n"                                                                                                   \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    single:\n"                                                                                                    \
    "      url: 'https://api.example.com/messages'\n"                                                                  \
    "      body: {to: '{{ number }}', text: '{{ message }}'}\n"                                                        \
    "      fallback:\n"                                                                                                \
    "        - url: 'https://api.example.org/send?to={{ number }}&text={{ message }}'\n"                               \
    "          method: GET\n"

/* A service that wants an access token. */
#define TOKEN                                                                                                          \
    "mode: single\n"                                                                                                   \
    "sms:\n"                                                                                                           \
    "  endpoints:\n"                                                                                                   \
    "    single:\n"                                                                                                    \
    "      url: 'https://api.example.com/messages?text={{ message }}'\n"                                               \
    "      body: {to: '{{ number }}'}\n"                                                                               \
    "      auth: {oauth2: {tokenUrl: 'https://auth.example.com/token', clientId: id, clientSecret: secret}}\n"

#define SENT "{\"id\":\"a1b2c3d4-0001-0002\"}"
#define APPROVED "{\"status\":\"approved\",\"to\":\"41791231212\"}"
#define REJECTED "{\"status\":\"pending\",\"to\":\"41791231212\"}"
#define USER_DATA                                                                                                      \
    "{\"number\":\"41791231212\",\"message\":\"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\","                 \
    "\"password\":\"" FAKE_PASSWORD "\"}"
#define WITH_PASSWORD "{\"password\":\"" FAKE_PASSWORD "\"}"

static const struct walk_reply sent[WALK_MAX_REPLIES] = {{200, SENT}};
static const struct walk_reply approved[WALK_MAX_REPLIES] = {{200, APPROVED}};
static const struct walk_reply rejected[WALK_MAX_REPLIES] = {{200, REJECTED}};
static const struct walk_reply sent_by_the_other[WALK_MAX_REPLIES] = {{503, "{}"}, {200, SENT}};
#define ACCESS_TOKEN(seconds)                                                                                          \
    "{\"access_token\":\"a.long.token.of.the.service\",\"token_type\":\"Bearer\",\"expires_in\":" seconds "}"

/* A token that is not good for long enough to be used twice, one that is, and one in the place of one that is not good. */
static const struct walk_reply sent_with_brief_token[WALK_MAX_REPLIES] = {{200, ACCESS_TOKEN("30")}, {200, SENT}};
static const struct walk_reply sent_with_token[WALK_MAX_REPLIES] = {{200, ACCESS_TOKEN("3600")}, {200, SENT}};
static const struct walk_reply sent_with_second_token[WALK_MAX_REPLIES] = {
    {401, "{}"}, {200, ACCESS_TOKEN("30")}, {200, SENT}};

static size_t locked_count(pthread_mutex_t *mutex, const size_t *count)
{
    size_t now = 0;

    pthread_mutex_lock(mutex);
    now = *count;
    pthread_mutex_unlock(mutex);
    return now;
}

/* Answers what the flow asks of the service until it is over. Gives up after a while: then fake_host_wait fails the test. */
static const struct fake_completion *finish(struct fixture *fixture, uint64_t call, const struct walk_reply *reply)
{
    struct fake_host *host = &fixture->host;
    struct fake_gateway *gateway = &fixture->gateway;
    const struct walk_reply *last = reply + WALK_MAX_REPLIES - 1;
    const time_t end = time(NULL) + 20;

    while (locked_count(&host->mutex, &host->completion_count) < call && time(NULL) < end) {
        if (locked_count(&gateway->mutex, &gateway->count) > gateway->answered) {
            fake_gateway_answer(gateway, reply->http_status, reply->body);
            reply += reply < last && reply[1].http_status != 0;
        }
        sched_yield();
    }
    return fake_host_wait(host, call);
}

static const struct fake_completion *run(struct walk_scene *scene, mfa_flow_step_fn *flow,
                                         const struct walk_reply *replies)
{
    return finish(scene->fixture, fixture_begin(scene->fixture, flow, &scene->input), replies != NULL ? replies : sent);
}

const struct fake_completion *walk_run(struct walk_scene *scene, const struct walk_reply *replies)
{
    return run(scene, scene->walk->flow, replies);
}

static void has_no_mfa(struct walk_scene *scene)
{
    scene->input.grant = "grant-alice";
}

static void activates(struct walk_scene *scene)
{
    scene->input.body = USER_DATA;
}

static void has_activated(struct walk_scene *scene)
{
    scene->input = (struct fixture_input){.body = USER_DATA};
    fixture_token_of(run(scene, mfa_flow_activate, scene->walk->opening), scene->token);
    scene->input = (struct fixture_input){.token = scene->token};
}

static void take_code(struct walk_scene *scene, bool is_right)
{
    char code[MFA_CODE_SIZE];

    if (is_right)
        fixture_right_code(scene->fixture, code);
    else
        fixture_wrong_code(scene->fixture, code);
    snprintf(scene->body, sizeof scene->body, "{\"code\":\"%s\"}", code);
    scene->input.body = scene->body;
}

static void confirms(struct walk_scene *scene)
{
    has_activated(scene);
    take_code(scene, true);
}

static void has_enrolled(struct walk_scene *scene)
{
    const struct fake_completion *enrolled = NULL;
    json_t *body = NULL;

    confirms(scene);
    enrolled = run(scene, mfa_flow_confirm, approved);
    assert_true(enrolled->outcome == MFA_OUTCOME_ENROLLED || enrolled->outcome == MFA_OUTCOME_REPLACED);
    body = fixture_body(enrolled);
    snprintf(scene->recovery_code, sizeof scene->recovery_code, "%s",
             json_string_value(json_array_get(json_object_get(body, "recoveryCodes"), 0)));
    json_decref(body);
    scene->input = (struct fixture_input){0};
}

static void logs_in(struct walk_scene *scene)
{
    has_enrolled(scene);
    has_no_mfa(scene);
}

static void has_logged_in(struct walk_scene *scene)
{
    logs_in(scene);
    fixture_token_of(run(scene, mfa_flow_login, scene->walk->opening), scene->token);
    scene->input = (struct fixture_input){.token = scene->token};
}

static void has_failed(struct walk_scene *scene)
{
    has_logged_in(scene);
    take_code(scene, false);
    assert_int_equal(run(scene, mfa_flow_verify, rejected)->outcome, MFA_OUTCOME_WRONG_CODE);
}

/* The host has been started again: what failed before is read from storage. */
static void logs_in_after_restart(struct walk_scene *scene)
{
    has_failed(scene);
    fixture_restart_core(scene->fixture, scene->walk->config);
    scene->input = (struct fixture_input){0};
    has_no_mfa(scene);
}

static void replaces(struct walk_scene *scene)
{
    has_enrolled(scene);
    activates(scene);
}

static void confirms_replacement(struct walk_scene *scene)
{
    has_failed(scene);
    /* With the password: the flow waits for it before it sends. */
    confirms(scene);
}

static void verifies(struct walk_scene *scene)
{
    has_logged_in(scene);
    take_code(scene, true);
}

static void verifies_at_last(struct walk_scene *scene)
{
    has_failed(scene);
    take_code(scene, true);
}

static void guesses(struct walk_scene *scene)
{
    has_failed(scene);
    take_code(scene, false);
}

static void take_recovery_code(struct walk_scene *scene, bool is_right)
{
    if (!is_right)
        scene->recovery_code[0] = scene->recovery_code[0] == '0' ? '1' : '0';
    snprintf(scene->body, sizeof scene->body,
             "{\"username\":\"alice\",\"password\":\"" FAKE_PASSWORD "\",\"recoveryCode\":\"%s\"}",
             scene->recovery_code);
    scene->input.body = scene->body;
}

static void recovers(struct walk_scene *scene)
{
    has_failed(scene);
    take_recovery_code(scene, true);
}

static void guesses_recovery(struct walk_scene *scene)
{
    has_failed(scene);
    take_recovery_code(scene, false);
}

static void asks(struct walk_scene *scene)
{
    has_failed(scene);
    scene->input.body = WITH_PASSWORD;
}

const struct fake_completion *walk_log_in(struct walk_scene *scene)
{
    if (!fixture_is_enrolled(scene->fixture, "alice"))
        has_enrolled(scene);
    scene->input = (struct fixture_input){.grant = "grant-alice"};
    fixture_token_of(run(scene, mfa_flow_login, scene->walk->opening), scene->token);
    scene->input = (struct fixture_input){.token = scene->token};
    take_code(scene, true);
    return run(scene, mfa_flow_verify, approved);
}

/* --- The flows ---------------------------------------------------------------------------------------------------- */

#define STEP_UP "stepUp: {required: true}\n"
#define CONSUME "recovery: {mode: consume}\n"

const struct walk walks[] = {
    {"login without MFA", SINGLE(""), has_no_mfa, mfa_flow_login, .outcome = MFA_OUTCOME_ALLOWED},
    {"login", SINGLE(""), logs_in, mfa_flow_login, .outcome = MFA_OUTCOME_CHALLENGED},
    {"login by a service", SERVICE, logs_in, mfa_flow_login, .outcome = MFA_OUTCOME_CHALLENGED},
    {"login by the other service", FALLBACK, logs_in, mfa_flow_login, .replies = sent_by_the_other,
     .outcome = MFA_OUTCOME_CHALLENGED, .opening = sent_by_the_other},
    {"login with a token", TOKEN, logs_in, mfa_flow_login, .replies = sent_with_brief_token,
     .outcome = MFA_OUTCOME_CHALLENGED, .opening = sent_with_brief_token},
    {"login with a second token", TOKEN, logs_in, mfa_flow_login, .replies = sent_with_second_token,
     .outcome = MFA_OUTCOME_CHALLENGED, .opening = sent_with_token},
    {"login after a restart", SINGLE(""), logs_in_after_restart, mfa_flow_login, .outcome = MFA_OUTCOME_CHALLENGED},
    {"activate", SINGLE(""), activates, mfa_flow_activate, .outcome = MFA_OUTCOME_ACTIVATION_OPENED},
    {"activate by a service", SERVICE, activates, mfa_flow_activate, .outcome = MFA_OUTCOME_ACTIVATION_OPENED},
    {"activate anew", SINGLE(STEP_UP), replaces, mfa_flow_activate, .outcome = MFA_OUTCOME_ACTIVATION_OPENED},
    {"confirm", SINGLE(""), confirms, mfa_flow_confirm, .outcome = MFA_OUTCOME_ENROLLED},
    {"confirm by a service", SERVICE, confirms, mfa_flow_confirm, .replies = approved, .outcome = MFA_OUTCOME_ENROLLED},
    {"confirm anew", SINGLE(""), confirms_replacement, mfa_flow_confirm, .outcome = MFA_OUTCOME_REPLACED,
     .half = MFA_OUTCOME_REPLACED},
    {"challenge", SINGLE(""), has_logged_in, mfa_flow_challenge, .outcome = MFA_OUTCOME_CHALLENGE_SENT},
    {"challenge by a service", SERVICE, has_logged_in, mfa_flow_challenge, .outcome = MFA_OUTCOME_CHALLENGE_SENT},
    {"verify", SINGLE(""), verifies, mfa_flow_verify, .outcome = MFA_OUTCOME_VERIFIED},
    {"verify by a service", SERVICE, verifies, mfa_flow_verify, .replies = approved, .outcome = MFA_OUTCOME_VERIFIED},
    {"verify at last", SINGLE(""), verifies_at_last, mfa_flow_verify, .outcome = MFA_OUTCOME_VERIFIED},
    {"guess", SINGLE(""), guesses, mfa_flow_verify, .outcome = MFA_OUTCOME_WRONG_CODE},
    {"guess by a service", SERVICE, guesses, mfa_flow_verify, .replies = rejected, .outcome = MFA_OUTCOME_WRONG_CODE},
    {"consume", SINGLE(CONSUME), recovers, mfa_flow_verify, .outcome = MFA_OUTCOME_VERIFIED,
     .half = MFA_OUTCOME_VERIFIED},
    {"guess to consume", SINGLE(CONSUME), guesses_recovery, mfa_flow_verify, .outcome = MFA_OUTCOME_BAD_RECOVERY_CODE},
    {"deactivate", SINGLE(""), asks, mfa_flow_deactivate, .outcome = MFA_OUTCOME_DEACTIVATED},
    {"deactivate with password", SINGLE(STEP_UP), asks, mfa_flow_deactivate, .outcome = MFA_OUTCOME_DEACTIVATED},
    {"recover", SINGLE(""), recovers, mfa_flow_recover, .outcome = MFA_OUTCOME_DEACTIVATED,
     .half = MFA_OUTCOME_DEACTIVATED},
    {"guess to recover", SINGLE(""), guesses_recovery, mfa_flow_recover, .outcome = MFA_OUTCOME_BAD_RECOVERY_CODE},
    {"recovery codes", SINGLE(STEP_UP), asks, mfa_flow_recovery_codes, .outcome = MFA_OUTCOME_RECOVERY_CODES_RENEWED},
    {"status", SINGLE(""), asks, mfa_flow_status, .outcome = MFA_OUTCOME_STATUS},
    {"reset", SINGLE(""), asks, mfa_flow_reset, .outcome = MFA_OUTCOME_RESET},
};

const size_t walk_count = sizeof walks / sizeof walks[0];
