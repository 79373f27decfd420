/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge.h"
#include "mfa_config.h"
#include "mfa_profile.h"
#include "process.h"
#include "stops.h"

#define USER_ID "id-alice"
#define OTHER_RECOVERY_CODE "00000000-0000-4000-8000-000000000000"

/* --- The host, which stops where callers meet ---------------------------------------------------------------------- */

/* What they can meet at, besides the product's locks. */
static const char outside;    /* the clock, and whether clients are still there */
static const char records[2]; /* by enum mfa_record */

void scene_change_outside(void)
{
    process_stop((struct access){.object = &outside, .writes = true});
}

static enum mfa_status monotonic_ms(void *ctx, uint64_t *ms)
{
    const struct scene *scene = ctx;

    process_stop((struct access){.object = &outside});
    *ms = scene->fixture.host.monotonic_ms;
    return MFA_OK;
}

static enum mfa_status wall_ms(void *ctx, int64_t *ms)
{
    const struct scene *scene = ctx;

    process_stop((struct access){.object = &outside});
    *ms = scene->fixture.host.wall_ms;
    return MFA_OK;
}

static uint64_t deadline_ms(void *ctx, uint64_t call)
{
    const struct fake_host *host = &((const struct scene *)ctx)->fixture.host;

    (void)call;
    process_stop((struct access){.object = &outside});
    return host->is_cancelled ? 0 : host->monotonic_ms + host->patience_ms;
}

/* Where the id of a stored enrolment begins, its name included. */
static const char *enrolment_id(const char *profile)
{
    const char *found = profile != NULL ? strstr(profile, "\"enrolmentId\"") : NULL;

    return found != NULL ? found : "";
}

static bool is_same_enrolment(const char *before, const char *after)
{
    size_t len = strcspn(enrolment_id(before), ",}");

    return len > 0 && strncmp(enrolment_id(before), enrolment_id(after), len) == 0;
}

static enum mfa_status profile_load(void *ctx, enum mfa_record record, const char *user_id, struct mfa_buffer *out,
                                    uint64_t *version)
{
    struct scene *scene = ctx;
    struct caller *caller = process_owner();

    process_stop((struct access){.object = &records[record]});
    stops_are_off(true);
    enum mfa_status status = scene->host.profile_load(scene->host.ctx, record, user_id, out, version);
    stops_are_off(false);
    if (caller != NULL && record == MFA_RECORD_ENROLMENT) {
        caller->has_loaded = true;
        caller->loaded = scene->enrolment;
        caller->saw_none = status == MFA_ERR_NOT_FOUND;
    }
    return status;
}

static void note_change(struct scene *scene, const char *before)
{
    struct caller *caller = process_owner();
    char *after = fake_host_profile(&scene->fixture.host, USER_ID);

    if (!is_same_enrolment(before, after))
        scene->enrolment++;
    if (caller != NULL)
        caller->stored++;
    free(after);
}

static enum mfa_status profile_store(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                                     const char *data, size_t len)
{
    struct scene *scene = ctx;

    process_stop((struct access){.object = &records[record], .writes = true});
    stops_are_off(true);
    char *before = fake_host_profile(&scene->fixture.host, USER_ID);
    enum mfa_status status = scene->host.profile_store(scene->host.ctx, record, user_id, expected, data, len);
    if (status == MFA_OK && record == MFA_RECORD_ENROLMENT)
        note_change(scene, before);
    stops_are_off(false);
    free(before);
    return status;
}

static void call(void *arg);

static struct caller *add_caller(struct scene *scene, const struct action *action, enum service_answer answer)
{
    struct caller *caller = &scene->callers[scene->caller_count++];

    assert_true(scene->caller_count <= MAX_CALLERS);
    *caller = (struct caller){.scene = scene, .action = action, .answer = answer};
    if (action->session != NO_SESSION)
        caller->pending = &scene->sessions[action->session];
    if (caller->pending != NULL)
        memcpy(caller->code, caller->pending->code, sizeof caller->code);
    if (action->body == WRONG_CODE)
        caller->code[0] = caller->code[0] == '9' ? '0' : (char)(caller->code[0] + 1);
    process_start(call, caller, caller);
    return caller;
}

static struct pending *add_session(struct scene *scene, const char *token, unsigned enrolment)
{
    struct pending *pending = &scene->sessions[scene->session_count++];

    *pending = (struct pending){.grant = "grant-of-a-caller", .enrolment = enrolment};
    memcpy(pending->token, token, sizeof pending->token);
    return pending;
}

/* Who was sent a code may verify with it. */
static void go_on(struct caller *caller, const struct mfa_reply *reply)
{
    struct scene *scene = caller->scene;
    struct pending *pending = caller->pending;

    if (reply->outcome != MFA_OUTCOME_CHALLENGED && reply->outcome != MFA_OUTCOME_CHALLENGE_SENT)
        return;
    if (pending == NULL)
        pending = add_session(scene, reply->token_secret, caller->loaded);
    if (caller->action->then == NULL)
        return;
    struct caller *next = add_caller(scene, caller->action->then, SERVICE_AGREES);
    next->pending = pending;
    memcpy(next->code, caller->sent_code, sizeof next->code);
}

static void complete(void *ctx, uint64_t number, const struct mfa_reply *reply)
{
    struct scene *scene = ctx;
    struct caller *caller = process_owner();

    stops_are_off(true);
    scene->host.complete(scene->host.ctx, number, reply);
    stops_are_off(false);
    if (caller == NULL)
        return;
    caller->completed++;
    caller->outcome = reply->outcome;
    if (reply->grant_secret != NULL)
        snprintf(caller->grant, sizeof caller->grant, "%.*s", (int)reply->grant_len, reply->grant_secret);
    go_on(caller, reply);
}

static void write_log(void *ctx, enum mfa_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static enum mfa_status draw(void *ctx, void *bytes, size_t len)
{
    struct scene *scene = ctx;

    stops_are_off(true);
    enum mfa_status status = scene->host.random(scene->host.ctx, bytes, len);
    stops_are_off(false);
    return status;
}

static enum mfa_status password_check(void *ctx, const char *user_id, const char *password_secret, size_t len)
{
    struct scene *scene = ctx;

    stops_are_off(true);
    enum mfa_status status = scene->host.password_check(scene->host.ctx, user_id, password_secret, len);
    stops_are_off(false);
    return status;
}

static struct mfa_host_port host_port(struct scene *scene)
{
    return (struct mfa_host_port){.ctx = scene,
                                  .log = write_log,
                                  .monotonic_ms = monotonic_ms,
                                  .wall_ms = wall_ms,
                                  .random = draw,
                                  .profile_load = profile_load,
                                  .profile_store = profile_store,
                                  .password_check = password_check,
                                  .complete = complete,
                                  .deadline_ms = deadline_ms};
}

/* --- What is compared, on whose behalf ----------------------------------------------------------------------------- */

static void note_comparison(bool has_matched)
{
    struct caller *caller = process_owner();

    if (caller == NULL)
        return;
    caller->compared++;
    caller->failures += !has_matched;
}

enum mfa_status __real_mfa_session_match(const struct mfa_session *session,
                                         const unsigned char hash[static MFA_CODE_HASH_LEN], uint64_t now_ms);
enum mfa_status __wrap_mfa_session_match(const struct mfa_session *session,
                                         const unsigned char hash[static MFA_CODE_HASH_LEN], uint64_t now_ms);

enum mfa_status __wrap_mfa_session_match(const struct mfa_session *session,
                                         const unsigned char hash[static MFA_CODE_HASH_LEN], uint64_t now_ms)
{
    enum mfa_status status = __real_mfa_session_match(session, hash, now_ms);

    note_comparison(status == MFA_OK);
    return status;
}

enum mfa_status __real_mfa_profile_find_recovery_code(const struct mfa_host_port *host, const char *user_id,
                                                      const char presented[static MFA_RECOVERY_STORED_SIZE]);
enum mfa_status __wrap_mfa_profile_find_recovery_code(const struct mfa_host_port *host, const char *user_id,
                                                      const char presented[static MFA_RECOVERY_STORED_SIZE]);

/* One that is found is looked for again when it is used up. */
enum mfa_status __wrap_mfa_profile_find_recovery_code(const struct mfa_host_port *host, const char *user_id,
                                                      const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    enum mfa_status status = __real_mfa_profile_find_recovery_code(host, user_id, presented);

    if (status == MFA_ERR_DENIED)
        note_comparison(false);
    return status;
}

enum mfa_status __real_mfa_profile_consume(const struct mfa_host_port *host, const char *user_id,
                                           const unsigned char id[static MFA_ENROLMENT_ID_LEN],
                                           const char presented[static MFA_RECOVERY_STORED_SIZE]);
enum mfa_status __wrap_mfa_profile_consume(const struct mfa_host_port *host, const char *user_id,
                                           const unsigned char id[static MFA_ENROLMENT_ID_LEN],
                                           const char presented[static MFA_RECOVERY_STORED_SIZE]);

enum mfa_status __wrap_mfa_profile_consume(const struct mfa_host_port *host, const char *user_id,
                                           const unsigned char id[static MFA_ENROLMENT_ID_LEN],
                                           const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    enum mfa_status status = __real_mfa_profile_consume(host, user_id, id, presented);

    if (status == MFA_OK || status == MFA_ERR_DENIED)
        note_comparison(status == MFA_OK);
    return status;
}

enum mfa_status __real_mfa_profile_recover(const struct mfa_host_port *host, const char *user_id,
                                           const char presented[static MFA_RECOVERY_STORED_SIZE]);
enum mfa_status __wrap_mfa_profile_recover(const struct mfa_host_port *host, const char *user_id,
                                           const char presented[static MFA_RECOVERY_STORED_SIZE]);

enum mfa_status __wrap_mfa_profile_recover(const struct mfa_host_port *host, const char *user_id,
                                           const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    enum mfa_status status = __real_mfa_profile_recover(host, user_id, presented);

    if (status == MFA_OK || status == MFA_ERR_DENIED)
        note_comparison(status == MFA_OK);
    return status;
}

/* --- The service --------------------------------------------------------------------------------------------------- */

static const struct mfa_gateway_answer service_answers[SERVICE_ANSWERS] = {
    [SERVICE_AGREES] = {.delivery = MFA_DELIVERY_ANSWERED, .http_status = 200, .body = "", .reason = ""},
    [SERVICE_REFUSES] = {.delivery = MFA_DELIVERY_ANSWERED, .http_status = 400, .body = "", .reason = ""},
    [SERVICE_IS_SILENT] = {.delivery = MFA_DELIVERY_TIMEOUT, .body = "", .reason = "silent"},
    [SERVICE_IS_AWAY] = {.delivery = MFA_DELIVERY_FAILED, .body = "", .reason = "away", .was_never_sent = true},
};

static void answer(void *arg)
{
    const struct fake_exchange *exchange = arg;
    const struct caller *caller = process_owner();

    caller->scene->answered++;
    exchange->done(exchange->arg, &service_answers[caller->answer]);
}

static enum mfa_status submit(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg)
{
    struct scene *scene = ctx;
    struct caller *caller = process_owner();

    stops_are_off(true);
    enum mfa_status status = scene->gateway.submit(scene->gateway.ctx, request, done, arg);
    stops_are_off(false);
    if (status != MFA_OK || caller == NULL)
        return status;
    caller->was_asked = true;
    fixture_right_code(&scene->fixture, caller->sent_code);
    if (caller->action->body != NO_BODY && caller->answer != SERVICE_IS_AWAY)
        note_comparison(caller->answer == SERVICE_AGREES);
    process_start(answer, &scene->fixture.gateway.exchanges[scene->fixture.gateway.count - 1], NULL);
    return status;
}

/* --- Beginning and end --------------------------------------------------------------------------------------------- */

static void report(void *ctx, bool is_error, const char *line)
{
    (void)ctx;
    if (is_error)
        print_error("%s\n", line);
}

static void start_core(struct scene *scene, const char *yaml)
{
    struct mfa_config_source source = {
        .text = yaml, .text_len = strlen(yaml), .section = "services.mfa", .file = "model.yml"};
    struct mfa_host_port host = host_port(scene);
    struct mfa_gateway_port gateway = {.ctx = scene, .submit = submit};
    struct mfa_config config;

    assert_int_equal(mfa_config_parse(&config, &source, report, NULL), MFA_OK);
    assert_int_equal(mfa_core_new(&scene->fixture.core, &host, &gateway, &(struct mfa_kv_port){0}, &config), MFA_OK);
}

static void start_fakes(struct scene *scene)
{
    fake_host_init(&scene->fixture.host);
    fake_gateway_init(&scene->fixture.gateway);
    scene->host = fake_host_port(&scene->fixture.host);
    scene->gateway = fake_gateway_port(&scene->fixture.gateway);
    scene->fixture.call_count = 0;
}

static void clear_fakes(struct scene *scene)
{
    fake_gateway_clear(&scene->fixture.gateway);
    fake_host_clear(&scene->fixture.host);
}

static void copy_recovery_code(struct scene *scene, const struct fake_completion *confirmed)
{
    json_t *body = fixture_body(confirmed);
    const json_t *code = json_array_get(json_object_get(body, "recoveryCodes"), 0);

    snprintf(scene->recovery_code, sizeof scene->recovery_code, "%s", json_string_value(code));
    json_decref(body);
}

static void read_bounds(struct scene *scene)
{
    const struct mfa_policy *policy = &scene->fixture.core->settings->config.policy;

    scene->attempts_per_session = policy->attempts_per_session;
    scene->attempts_at_once = policy->attempts_max_consecutive;
    if (policy->backoff_base_s > 0)
        scene->attempts_at_once = policy->backoff_free_failures + 1;
    scene->recovery_is_free = policy->backoff_base_s == 0;
}

void scene_open(struct scene *scene, const char *yaml)
{
    char token[MFA_TOKEN_SIZE];
    char code[MFA_CODE_SIZE];
    struct fixture *fixture = &scene->fixture;

    *scene = (struct scene){0};
    start_fakes(scene);
    start_core(scene, yaml);
    fixture_activate(fixture, "alice", token);
    fixture_right_code(fixture, code);
    copy_recovery_code(scene, fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.token = token}, code));
    scene->profile = fake_host_profile(&fixture->host, USER_ID);
    read_bounds(scene);
}

void scene_close(struct scene *scene)
{
    mfa_core_free(scene->fixture.core);
    clear_fakes(scene);
    free(scene->profile);
}

bool scene_is_single(const struct scene *scene)
{
    return scene->fixture.core->settings->config.mode == MFA_MODE_SINGLE;
}

/* --- One run ------------------------------------------------------------------------------------------------------- */

static void call(void *arg)
{
    struct caller *caller = arg;
    struct scene *scene = caller->scene;
    const struct pending *pending = caller->pending;
    char body[256] = "{}";

    switch (caller->action->body) {
    case NO_BODY: break;
    case RIGHT_CODE:
    case WRONG_CODE: snprintf(body, sizeof body, "{\"code\":\"%s\"}", caller->code); break;
    case RECOVERY_CODE: snprintf(body, sizeof body, "{\"recoveryCode\":\"%s\"}", scene->recovery_code); break;
    case WRONG_RECOVERY_CODE: snprintf(body, sizeof body, "{\"recoveryCode\":\"%s\"}", OTHER_RECOVERY_CODE); break;
    case PASSWORD_AND_RECOVERY_CODE:
    case PASSWORD_AND_WRONG_CODE:
        snprintf(body, sizeof body, "{\"username\":\"alice\",\"password\":\"%s\",\"recoveryCode\":\"%s\"}",
                 FAKE_PASSWORD,
                 caller->action->body == PASSWORD_AND_WRONG_CODE ? OTHER_RECOVERY_CODE : scene->recovery_code);
        break;
    }
    if (caller->action->happen != NULL)
        caller->action->happen(scene);
    else
        fixture_begin(
            &scene->fixture, caller->action->flow,
            &(struct fixture_input){.token = pending != NULL ? pending->token : NULL,
                                    .body = body,
                                    .grant = caller->action->flow == mfa_flow_login ? "grant-of-a-caller" : NULL});
}

static bool is_needed(const struct scene *scene, int session)
{
    for (size_t i = 0; i < scene->invited; i++)
        if ((int)scene->invitations[i].action->session == session)
            return true;
    return false;
}

/* Opens one that a caller will use. */
static void open_session(struct scene *scene, int number, const char *grant)
{
    struct pending *pending = &scene->sessions[number];

    *pending = (struct pending){.grant = grant};
    if (!is_needed(scene, number))
        return;
    if (grant == NULL)
        fixture_activate(&scene->fixture, "alice", pending->token);
    else
        fixture_token_of(
            fixture_run_answered(&scene->fixture, mfa_flow_login, &(struct fixture_input){.grant = grant}, 200, ""),
            pending->token);
    fixture_right_code(&scene->fixture, pending->code);
}

/* As nothing is left of the run before but what these remove, the core need not be made anew. */
static void forget_run(struct scene *scene)
{
    struct mfa_core *core = scene->fixture.core;

    mfa_sessions_drop_user(core->sessions, USER_ID, 1u << MFA_PURPOSE_LOGIN | 1u << MFA_PURPOSE_ACTIVATION);
    (void)mfa_throttle_clear(core->throttle, USER_ID);
    clear_fakes(scene);
    start_fakes(scene);
    scene->fixture.host.random_state ^= 1; /* or a run would draw what enrolling her drew */
    stops_forget();
    scene->enrolment = 0;
    scene->has_expired = false;
    scene->have_left = false;
    scene->session_count = ACTIVATION + 1;
}

static void begin(void *ctx)
{
    struct scene *scene = ctx;

    forget_run(scene);
    fake_host_set_profile(&scene->fixture.host, USER_ID, scene->profile);
    open_session(scene, LOGIN_A, "grant-a");
    open_session(scene, LOGIN_B, "grant-b");
    open_session(scene, ACTIVATION, NULL);
    scene->answered = scene->fixture.gateway.answered;
    scene->caller_count = 0;
    for (size_t i = 0; i < scene->invited; i++)
        add_caller(scene, scene->invitations[i].action, scene->invitations[i].answer);
}

static void end(void *ctx)
{
    judge(ctx);
}

void scene_run(struct scene *scene, const struct invitation *invitations, size_t count, struct orders_count *orders)
{
    scene->invitations = invitations;
    scene->invited = count;
    orders_run_all(&(struct orders_subject){.ctx = scene, .begin = begin, .end = end}, orders);
}
