/* SPDX-License-Identifier: Apache-2.0
 *
 * Flows in any order and as interleaved as they can be: each byte of the input begins a call, runs a step of one, answers for
 * the service, moves the clock, or makes something fail; the first chooses the configuration. The model says what may come
 * of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz.h"
#include "model.h"
#include "scheduler.h"

#define SMALL_LIMITS "  sendLimits: {minIntervalSeconds: 10, perUserPerHour: 6, perDestinationPerDay: 9}\n"
#define SMALL_ATTEMPTS                                                                                                 \
    "attempts: {perSession: 3, maxConsecutive: 7, perAccountWindowSeconds: 60,"                                        \
    " backoff: {freeFailures: 2, baseSeconds: 2, maxSeconds: 16}}\n"
#define SMALL_SESSIONS "sessions: {ttlSeconds: 120, maxPendingPerUser: 3}\n"

static const char *const configs[] = {
    FIXTURE_SINGLE_LIMITED("  codeTtlSeconds: 60\n" SMALL_LIMITS, SMALL_ATTEMPTS SMALL_SESSIONS),
    FIXTURE_CHALLENGE_VERIFY_LIMITED(SMALL_LIMITS, SMALL_ATTEMPTS SMALL_SESSIONS),
    FIXTURE_SINGLE("  acceptPreviousCodes: 0\n  codeTtlSeconds: 0\n",
                   SMALL_ATTEMPTS SMALL_SESSIONS "stepUp: {required: true}\nrecovery: {mode: consume}\n"),
    FIXTURE_CHALLENGE_VERIFY(SMALL_ATTEMPTS SMALL_SESSIONS "stepUp: {required: true}\nrecovery: {mode: consume}\n"),
    FIXTURE_SINGLE("", FIXTURE_NO_THROTTLING SMALL_SESSIONS "recovery: {mode: consume}\n"),
    FIXTURE_CHALLENGE_VERIFY(FIXTURE_NO_THROTTLING SMALL_SESSIONS "recovery: {mode: consume}\n"),
};

static const char *const numbers[] = {"41791231212", "+41 79 123 12 12", "0041791231212", "41790000000"};

struct run {
    struct fuzz_input input;
    const char *config;
    struct fixture *fixture;
    struct model model;
};

/* --- Steps ---------------------------------------------------------------------------------------------------------- */

static unsigned take(struct run *run, size_t count)
{
    return fuzz_take_byte(&run->input) % (unsigned)count;
}

static void run_job(struct run *run, size_t i)
{
    uint64_t call = scheduler_call(i);

    scheduler_run(i);
    model_step(&run->model, call);
}

static const struct {
    enum mfa_delivery delivery;
    int status;
    const char *body;
    bool was_never_sent;
    bool is_sent; /* a message */
    bool is_accepted;
    bool is_definite; /* no message was sent */
} answers[] = {
    {.delivery = MFA_DELIVERY_ANSWERED, .status = 200, .body = "", .is_sent = true, .is_accepted = true},
    {.delivery = MFA_DELIVERY_ANSWERED, .status = 200, .body = "{\"ok\":false}", .is_sent = true},
    {.delivery = MFA_DELIVERY_ANSWERED, .status = 500, .body = "", .is_definite = true},
    {.delivery = MFA_DELIVERY_ANSWERED, .status = 429, .body = "", .is_definite = true},
    {.delivery = MFA_DELIVERY_ANSWERED, .status = 502, .body = ""},
    {.delivery = MFA_DELIVERY_TIMEOUT, .body = ""},
    {.delivery = MFA_DELIVERY_FAILED, .body = ""},
    {.delivery = MFA_DELIVERY_FAILED, .body = "", .was_never_sent = true, .is_definite = true},
    {.delivery = MFA_DELIVERY_STOPPED, .body = ""},
};

#define ANSWER_COUNT (sizeof answers / sizeof answers[0])
#define STOPPED (ANSWER_COUNT - 1)

static void answer(struct run *run, size_t i)
{
    const struct mfa_gateway_answer given = {.delivery = answers[i].delivery,
                                             .http_status = answers[i].status,
                                             .body = answers[i].body,
                                             .body_len = strlen(answers[i].body),
                                             .reason = "no answer",
                                             .was_never_sent = answers[i].was_never_sent};
    uint64_t call = 0;

    if (run->fixture->gateway.answered == run->fixture->gateway.count)
        return;
    call = model_answer(&run->model, answers[i].is_accepted, answers[i].is_definite, answers[i].was_never_sent);
    fake_gateway_answer_with(&run->fixture->gateway, &given);
    model_step(&run->model, call);
}

static void run_to_the_end(struct run *run, size_t how)
{
    do {
        answer(run, how);
        if (scheduler_waiting() > 0)
            run_job(run, 0);
    } while (scheduler_waiting() > 0 || run->fixture->gateway.answered < run->fixture->gateway.count);
}

/* --- Calls ---------------------------------------------------------------------------------------------------------- */

static struct model_call *begin(struct run *run, const struct model_call *call, mfa_flow_step_fn *first_step,
                                const struct fixture_input *input)
{
    struct fixture_input with_user = *input;
    struct model_call *begun = NULL;

    if (run->fixture->call_count + 1 == MODEL_CALLS)
        return NULL;
    with_user.user = model_users[call->user];
    begun = model_begin(&run->model, call);
    model_step(&run->model, fixture_begin(run->fixture, first_step, &with_user));
    return begun;
}

static void login(struct run *run)
{
    struct model_call call = {.op = MODEL_LOGIN, .user = take(run, MODEL_USERS)};

    (void)snprintf(call.grant, sizeof call.grant, "grant-%u", (unsigned)run->fixture->call_count);
    (void)begin(run, &call, mfa_flow_login, &(struct fixture_input){.grant = call.grant});
}

static const char *take_password(struct run *run, struct model_call *call)
{
    call->is_password_right = take(run, 4) != 0;
    return call->is_password_right ? FAKE_PASSWORD : "wrong";
}

static void activate(struct run *run)
{
    struct model_call call = {.op = MODEL_ACTIVATE, .user = take(run, MODEL_USERS)};
    const char *number = numbers[take(run, sizeof numbers / sizeof numbers[0])];
    char body[256];

    (void)snprintf(body, sizeof body,
                   "{\"number\":\"%s\",\"message\":\"Your%%20Pryv%%20Lab%%20MFA%%20code%%20is%%3A%%20{{ code }}\","
                   "\"password\":\"%s\"}",
                   number, take_password(run, &call));
    (void)begin(run, &call, mfa_flow_activate, &(struct fixture_input){.body = body});
}

/* A session that was opened once; NULL: none was. */
static struct model_session *take_session(struct run *run)
{
    unsigned back = fuzz_take_byte(&run->input);
    size_t count = run->model.session_count;

    return count == 0 ? NULL : &run->model.sessions[count - 1 - back % count];
}

static void read_code(const struct run *run, const struct model_session *session, size_t back,
                      char code[static MFA_CODE_SIZE])
{
    bool is_there = back < session->code_count;

    (void)snprintf(code, MFA_CODE_SIZE, "%s",
                   !run->model.makes_code || !is_there ? FIXTURE_SERVICE_CODE
                                                       : session->codes[session->code_count - 1 - back].text);
}

enum choice { NEWEST, BEFORE, OLDER, WRONG, OF_ANOTHER, MALFORMED, RECOVERY, WRONG_RECOVERY, CHOICE_COUNT };

static void read_recovery_code(struct run *run, size_t user, bool is_right, char code[static MFA_RECOVERY_CODE_SIZE])
{
    (void)snprintf(code, MFA_RECOVERY_CODE_SIZE, "%s",
                   is_right ? run->model.users[user].recovery_codes[take(run, MFA_RECOVERY_CODE_COUNT)]
                            : "00000000-0000-4000-8000-000000000000");
}

static void choose_code(struct run *run, struct model_call *call, char body[static 128])
{
    const struct model_session *session = call->session;
    enum choice choice = (enum choice)take(run, CHOICE_COUNT);

    if (choice >= RECOVERY) {
        read_recovery_code(run, call->user, choice == RECOVERY, call->recovery_code);
        (void)snprintf(body, 128, "{\"recoveryCode\":\"%s\"}", call->recovery_code);
        return;
    }
    if (choice == OF_ANOTHER)
        session = take_session(run);
    read_code(run, session, choice == BEFORE ? 1 : choice == OLDER ? 2 : 0, call->presented);
    if (choice == WRONG)
        call->presented[0] = call->presented[0] == '9' ? '0' : (char)(call->presented[0] + 1);
    if (choice == MALFORMED)
        call->presented[2] = '\0';
    (void)snprintf(body, 128, "{\"code\":\"%s\"}", call->presented);
}

/* Confirm or verify, whichever the session is for, but for once in a while. */
static void check(struct run *run)
{
    struct model_session *session = take_session(run);
    unsigned bits = fuzz_take_byte(&run->input);
    struct model_call call = {.session = session};
    bool is_verify = false;
    char body[128];

    if (session == NULL)
        return;
    is_verify = session->is_login == ((bits & 7) != 0);
    call.op = is_verify ? MODEL_VERIFY : MODEL_CONFIRM;
    call.user = (bits & 0x70) == 0x70 ? 1 - session->user : session->user;
    choose_code(run, &call, body);
    (void)begin(run, &call, is_verify ? mfa_flow_verify : mfa_flow_confirm,
                &(struct fixture_input){.token = session->token, .body = body});
}

/* With nothing else going on the right code works. */
static void succeed(struct run *run)
{
    struct model_session *session = take_session(run);
    struct model_call call = {.session = session};
    const struct model_call *begun = NULL;
    char body[128];

    if (session == NULL || !model_must_succeed(&run->model, session) || run->fixture->host.store_fails ||
        run->fixture->host.load_fails || run->fixture->host.is_cancelled || run->fixture->gateway.is_full)
        return;
    call.op = session->is_login ? MODEL_VERIFY : MODEL_CONFIRM;
    call.user = session->user;
    read_code(run, session, 0, call.presented);
    (void)snprintf(body, sizeof body, "{\"code\":\"%s\"}", call.presented);
    begun = begin(run, &call, session->is_login ? mfa_flow_verify : mfa_flow_confirm,
                  &(struct fixture_input){.token = session->token, .body = body});
    run_to_the_end(run, 0);
    assert_true(begun == NULL || session->is_used);
}

static void send_again(struct run *run)
{
    struct model_session *session = take_session(run);
    struct model_call call = {.op = MODEL_CHALLENGE, .session = session};

    if (session == NULL)
        return;
    call.user = session->user;
    (void)begin(run, &call, mfa_flow_challenge, &(struct fixture_input){.token = session->token});
}

static void recover(struct run *run)
{
    struct model_call call = {.op = MODEL_RECOVER, .user = take(run, MODEL_USERS)};
    const char *password = take_password(run, &call);
    char body[256];

    read_recovery_code(run, call.user, take(run, 4) != 0, call.recovery_code);
    (void)snprintf(body, sizeof body, "{\"username\":\"%s\",\"password\":\"%s\",\"recoveryCode\":\"%s\"}",
                   model_users[call.user], password, call.recovery_code);
    (void)begin(run, &call, mfa_flow_recover, &(struct fixture_input){.body = body});
}

static void with_password(struct run *run, enum model_op op, mfa_flow_step_fn *first_step)
{
    struct model_call call = {.op = op, .user = take(run, MODEL_USERS)};
    char body[64];

    (void)snprintf(body, sizeof body, "{\"password\":\"%s\"}", take_password(run, &call));
    (void)begin(run, &call, first_step, &(struct fixture_input){.body = body});
}

static void deactivate(struct run *run)
{
    with_password(run, MODEL_DEACTIVATE, mfa_flow_deactivate);
}

static void renew(struct run *run)
{
    with_password(run, MODEL_RENEW, mfa_flow_recovery_codes);
}

static void show_status(struct run *run)
{
    with_password(run, MODEL_STATUS, mfa_flow_status);
}

static void reset(struct run *run)
{
    with_password(run, MODEL_RESET, mfa_flow_reset);
}

/* --- What else happens ---------------------------------------------------------------------------------------------- */

static void give_answer(struct run *run)
{
    answer(run, take(run, ANSWER_COUNT));
}

static void run_any_job(struct run *run)
{
    unsigned i = fuzz_take_byte(&run->input);

    if (scheduler_waiting() > 0)
        run_job(run, i % scheduler_waiting());
}

static void advance(struct run *run)
{
    static const uint64_t steps_ms[] = {1,     500,   1000,  2000,   8000,    10000,   16000,
                                        59999, 60000, 61000, 119999, 3600000, 86400000};

    fake_host_advance(&run->fixture->host, steps_ms[take(run, sizeof steps_ms / sizeof steps_ms[0])]);
}

static void keep_house(struct run *run)
{
    (void)run;
    scheduler_keep_house();
}

static void make_fail(struct run *run)
{
    unsigned bits = fuzz_take_byte(&run->input);
    struct fake_host *host = &run->fixture->host;

    host->store_fails = (bits & 3) == 3;
    host->load_fails = (bits & 12) == 12;
    host->is_cancelled = (bits & 0x30) == 0x30;
    run->fixture->gateway.is_full = (bits & 0xc0) == 0xc0;
    host->conflicts = bits == 0x41 ? 2 : 0;
}

static void finish(struct run *run)
{
    run_to_the_end(run, 0);
}

/* The core is stopped once its calls have ended. */
static void restart(struct run *run)
{
    run->fixture->host.load_fails = run->fixture->host.store_fails = false;
    run_to_the_end(run, STOPPED);
    fixture_restart_core(run->fixture, run->config);
    model_restart(&run->model);
}

/* The same configuration once more, to which nobody's call may end otherwise. Either takes as long as all the rest, so they
 * are rare. */
static void restart_or_reconfigure(struct run *run)
{
    unsigned chosen = take(run, 8);

    if (chosen == 0)
        restart(run);
    else if (chosen == 1)
        fixture_reconfigure(run->fixture, run->config);
}

/* --- The whole ------------------------------------------------------------------------------------------------------ */

static void (*const events[])(struct run *run) = {
    login,       activate, check,       check,  succeed,     send_again, deactivate, recover,   renew,
    show_status, reset,    give_answer, finish, run_any_job, advance,    keep_house, make_fail, restart_or_reconfigure,
    succeed,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct run run;
    void *state = NULL;

    run.input = (struct fuzz_input){(const char *)data, len};
    run.config = configs[take(&run, sizeof configs / sizeof configs[0])];
    assert_int_equal(fixture_setup(&state, run.config), 0);
    run.fixture = state;
    model_init(&run.model, run.fixture);
    while (run.input.len > 0)
        events[take(&run, sizeof events / sizeof events[0])](&run);
    run_to_the_end(&run, STOPPED);
    fixture_teardown(&state);
    return 0;
}
