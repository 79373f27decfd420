/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mfa_config.h"

/* --- Beginning and end -------------------------------------------------------------------------------------------- */

static void report(void *ctx, bool is_error, const char *line)
{
    (void)ctx;
    if (is_error)
        print_error("%s\n", line);
}

static void parse(struct mfa_config *config, const char *yaml, const struct mfa_config *in_use)
{
    struct mfa_config_source source = {
        .text = yaml, .text_len = strlen(yaml), .section = "services.mfa", .file = "test.yml", .in_use = in_use};

    assert_int_equal(mfa_config_parse(config, &source, report, NULL), MFA_OK);
}

static void start_core(struct fixture *fixture, const char *yaml)
{
    struct mfa_host_port host = fake_host_port(&fixture->host);
    struct mfa_gateway_port gateway = fake_gateway_port(&fixture->gateway);
    struct mfa_kv_port kv = fake_kv_port(&fixture->kv);
    struct mfa_config config;

    parse(&config, yaml, NULL);
    assert_int_equal(mfa_core_new(&fixture->core, &host, &gateway, &kv, &config), MFA_OK);
}

/* The teardown comes here again when a test has failed halfway, and finds it as it was then. */
static void stop_core(struct fixture *fixture)
{
    fake_host_let_passwords_go(&fixture->host);
    mfa_core_free(fixture->core);
    fixture->core = NULL;
}

static void fixture_init(struct fixture *fixture, const char *yaml)
{
    memset(fixture, 0, sizeof *fixture);
    fake_host_init(&fixture->host);
    fake_gateway_init(&fixture->gateway);
    fake_kv_init(&fixture->kv);
    start_core(fixture, yaml);
}

static void fixture_clear(struct fixture *fixture)
{
    stop_core(fixture);
    for (uint64_t call = 1; call <= fixture->call_count; call++)
        fake_host_wait(&fixture->host, call);
    assert_int_equal(fixture->host.completion_count, fixture->call_count);
    fake_kv_clear(&fixture->kv);
    fake_gateway_clear(&fixture->gateway);
    fake_host_clear(&fixture->host);
}

int fixture_setup(void **state, const char *yaml)
{
    *state = malloc(sizeof(struct fixture));
    assert_non_null(*state);
    fixture_init(*state, yaml);
    return 0;
}

int fixture_setup_single(void **state)
{
    return fixture_setup(state, FIXTURE_SINGLE("", FIXTURE_NO_THROTTLING));
}

int fixture_setup_challenge_verify(void **state)
{
    return fixture_setup(state, FIXTURE_CHALLENGE_VERIFY(FIXTURE_NO_THROTTLING));
}

int fixture_teardown(void **state)
{
    fixture_clear(*state);
    free(*state);
    return 0;
}

struct fixture *fixture_restart(void **state, const char *yaml)
{
    fixture_clear(*state);
    fixture_init(*state, yaml);
    return *state;
}

void fixture_restart_core(struct fixture *fixture, const char *yaml)
{
    stop_core(fixture);
    start_core(fixture, yaml);
}

void fixture_reconfigure(struct fixture *fixture, const char *yaml)
{
    struct mfa_config config;

    parse(&config, yaml, &fixture->core->settings->config);
    assert_int_equal(mfa_core_reconfigure(fixture->core, &config), MFA_OK);
}

/* --- One flow ----------------------------------------------------------------------------------------------------- */

uint64_t fixture_begin(struct fixture *fixture, mfa_flow_step_fn *first_step, const struct fixture_input *input)
{
    const char *user = input->user != NULL ? input->user : "alice";
    char user_id[MFA_USER_ID_SIZE];
    uint64_t call = atomic_fetch_add(&fixture->call_count, 1) + 1;
    struct mfa_request request = {.call = call,
                                  .event = "mfa.test",
                                  .user_id = user_id,
                                  .username = user,
                                  .client_address = "203.0.113.7",
                                  .token_secret = input->token,
                                  .token_len = input->token != NULL ? strlen(input->token) : 0,
                                  .body_secret = input->body,
                                  .body_len = input->body != NULL ? strlen(input->body) : 0,
                                  .grant_secret = input->grant,
                                  .grant_len = input->grant != NULL ? strlen(input->grant) : 0,
                                  .is_from_browser = input->is_from_browser};

    snprintf(user_id, sizeof user_id, "id-%s", user);
    mfa_flow_run(fixture->core, &request, first_step);
    /* What was borrowed is gone now. */
    memset(user_id, 'x', sizeof user_id);
    memset(&request, 0xa5, sizeof request);
    return call;
}

struct starter {
    struct fixture *fixture;
    mfa_flow_step_fn *first_step;
    const struct fixture_input *input;
    pthread_barrier_t *start;
};

static void *begin(void *arg)
{
    const struct starter *starter = arg;

    pthread_barrier_wait(starter->start);
    fixture_begin(starter->fixture, starter->first_step, starter->input);
    return NULL;
}

void fixture_begin_at_once(struct fixture *fixture, mfa_flow_step_fn *first_step, const struct fixture_input *input)
{
    pthread_t threads[FIXTURE_THREADS];
    pthread_barrier_t start;
    struct starter starter = {fixture, first_step, input, &start};

    assert_int_equal(pthread_barrier_init(&start, NULL, FIXTURE_THREADS), 0);
    for (size_t i = 0; i < FIXTURE_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, begin, &starter), 0);
    for (size_t i = 0; i < FIXTURE_THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
}

size_t fixture_count_at_once(struct fixture *fixture, enum mfa_outcome outcome)
{
    uint64_t last = fixture->call_count;
    size_t count = 0;

    for (uint64_t call = last - FIXTURE_THREADS + 1; call <= last; call++)
        if (fake_host_wait(&fixture->host, call)->outcome == outcome)
            count++;
    return count;
}

const struct fake_completion *fixture_run(struct fixture *fixture, mfa_flow_step_fn *first_step,
                                          const struct fixture_input *input)
{
    return fake_host_wait(&fixture->host, fixture_begin(fixture, first_step, input));
}

const struct fake_completion *fixture_run_answered(struct fixture *fixture, mfa_flow_step_fn *first_step,
                                                   const struct fixture_input *input, int http_status,
                                                   const char *answer)
{
    uint64_t call = fixture_begin(fixture, first_step, input);

    fake_gateway_answer(&fixture->gateway, http_status, answer);
    return fake_host_wait(&fixture->host, call);
}

const struct fake_completion *fixture_check(struct fixture *fixture, mfa_flow_step_fn *first_step,
                                            const struct fixture_input *input, const char *code)
{
    struct fixture_input with_code = *input;
    size_t requests_before = fixture->gateway.count;
    char body[64];
    uint64_t call = 0;

    snprintf(body, sizeof body, "{\"code\":\"%s\"}", code);
    with_code.body = body;
    call = fixture_begin(fixture, first_step, &with_code);
    if (fixture->gateway.count > requests_before)
        fake_gateway_answer(&fixture->gateway, 200, strcmp(code, FIXTURE_SERVICE_CODE) == 0 ? "" : "{\"ok\":false}");
    return fake_host_wait(&fixture->host, call);
}

/* --- Shortcuts ------------------------------------------------------------------------------------------------------ */

static bool is_single(const struct fixture *fixture)
{
    return fixture->core->settings->config.mode == MFA_MODE_SINGLE;
}

void fixture_activate(struct fixture *fixture, const char *user, char token[static MFA_TOKEN_SIZE])
{
    const char *data = is_single(fixture) ? FIXTURE_SINGLE_DATA : FIXTURE_SERVICE_DATA;
    const struct fake_completion *opened = fixture_run_answered(
        fixture, mfa_flow_activate, &(struct fixture_input){.user = user, .body = data}, 200, "{\"id\":7}");

    assert_int_equal(opened->outcome, MFA_OUTCOME_ACTIVATION_OPENED);
    fixture_token_of(opened, token);
}

void fixture_enrol(struct fixture *fixture, const char *user)
{
    char token[MFA_TOKEN_SIZE];
    char code[MFA_CODE_SIZE];
    const struct fake_completion *confirmed = NULL;

    fixture_activate(fixture, user, token);
    fixture_right_code(fixture, code);
    confirmed = fixture_check(fixture, mfa_flow_confirm, &(struct fixture_input){.user = user, .token = token}, code);
    assert_int_equal(confirmed->outcome, MFA_OUTCOME_ENROLLED);
}

void fixture_open_login(struct fixture *fixture, const char *user, char token[static MFA_TOKEN_SIZE])
{
    const struct fake_completion *challenged = NULL;
    char grant[64];

    snprintf(grant, sizeof grant, "grant-%s", user);
    challenged =
        fixture_run_answered(fixture, mfa_flow_login, &(struct fixture_input){.user = user, .grant = grant}, 200, "");
    assert_int_equal(challenged->outcome, MFA_OUTCOME_CHALLENGED);
    fixture_token_of(challenged, token);
}

void fixture_send_again(struct fixture *fixture, const char *user, const char *token)
{
    const struct fake_completion *sent = fixture_run_answered(
        fixture, mfa_flow_challenge, &(struct fixture_input){.user = user, .token = token}, 200, "");

    assert_int_equal(sent->outcome, MFA_OUTCOME_CHALLENGE_SENT);
}

void fixture_right_code(const struct fixture *fixture, char code[static MFA_CODE_SIZE])
{
    static const char before_code[] = "is%3A%20";
    const char *found = NULL;

    if (!is_single(fixture)) {
        snprintf(code, MFA_CODE_SIZE, "%s", FIXTURE_SERVICE_CODE);
        return;
    }
    found = strstr(fake_gateway_last(&fixture->gateway)->url_secret, before_code);
    assert_non_null(found);
    found += sizeof before_code - 1;
    snprintf(code, MFA_CODE_SIZE, "%.*s", (int)strspn(found, "0123456789"), found);
}

void fixture_wrong_code(const struct fixture *fixture, char code[static MFA_CODE_SIZE])
{
    fixture_right_code(fixture, code);
    code[0] = code[0] == '9' ? '0' : (char)(code[0] + 1);
}

bool fixture_is_enrolled(struct fixture *fixture, const char *user)
{
    char user_id[MFA_USER_ID_SIZE];
    char *profile = NULL;
    bool is_there = false;

    snprintf(user_id, sizeof user_id, "id-%s", user);
    profile = fake_host_profile(&fixture->host, user_id);
    is_there = profile != NULL;
    free(profile);
    return is_there;
}

/* --- Looking at completions ----------------------------------------------------------------------------------------- */

json_t *fixture_body(const struct fake_completion *completion)
{
    json_t *body = NULL;

    assert_non_null(completion->http.body.data);
    body = json_loads(completion->http.body.data, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_object(body));
    return body;
}

void fixture_token_of(const struct fake_completion *completion, char token[static MFA_TOKEN_SIZE])
{
    json_t *body = fixture_body(completion);
    const json_t *text = json_object_get(body, "mfaToken");

    assert_true(json_is_string(text));
    assert_int_equal(json_string_length(text), MFA_TOKEN_SIZE - 1);
    assert_int_equal(json_object_size(body), 1);
    memcpy(token, json_string_value(text), MFA_TOKEN_SIZE);
    json_decref(body);
}

void fixture_assert_error(const struct fake_completion *completion, uint32_t status, const char *id,
                          const char *data_id)
{
    json_t *body = fixture_body(completion);
    const json_t *error = json_object_get(body, "error");
    const json_t *data = json_object_get(error, "data");

    assert_int_equal(completion->http.decision, MFA_DENY);
    assert_int_equal(completion->http.status, status);
    assert_string_equal(completion->grant, "");
    assert_int_equal(json_object_size(body), 1);
    assert_string_equal(json_string_value(json_object_get(error, "id")), id);
    assert_true(json_string_length(json_object_get(error, "message")) > 0);
    if (data_id != NULL)
        assert_string_equal(json_string_value(json_object_get(data, "id")), data_id);
    json_decref(body);
}

void fixture_assert_wrong_code(const struct fake_completion *completion, int attempts_left)
{
    json_t *body = fixture_body(completion);
    const json_t *data = json_object_get(json_object_get(body, "error"), "data");

    fixture_assert_error(completion, 400, "invalid-parameters-format", "invalid-mfa-code");
    assert_int_equal(json_integer_value(json_object_get(data, "attemptsLeft")), attempts_left);
    json_decref(body);
}

void fixture_assert_bad_token(const struct fake_completion *completion)
{
    assert_int_equal(completion->outcome, MFA_OUTCOME_BAD_TOKEN);
    fixture_assert_error(completion, 401, "invalid-access-token", NULL);
}

const struct fixture_failure fixture_send_failures[] = {
    {MFA_DELIVERY_FAILED, 0, 400, "invalid-operation", "mfa-sms-provider-error", true},
    {MFA_DELIVERY_STOPPED, 0, 400, "invalid-operation", "mfa-sms-provider-error", true},
    {MFA_DELIVERY_TIMEOUT, 0, 400, "invalid-operation", "mfa-sms-provider-timeout", true},
    {MFA_DELIVERY_ANSWERED, 302, 400, "invalid-operation", "mfa-sms-provider-error", true},
    {MFA_DELIVERY_ANSWERED, 401, 400, "invalid-operation", "mfa-sms-provider-error", false},
    {MFA_DELIVERY_ANSWERED, 500, 400, "invalid-operation", "mfa-sms-provider-error", false},
    {MFA_DELIVERY_ANSWERED, 0, 400, "invalid-operation", "mfa-sms-provider-error", true},
    {MFA_DELIVERY_ANSWERED, 429, 429, "too-many-attempts", NULL, false},
};
const size_t fixture_send_failure_count = sizeof fixture_send_failures / sizeof fixture_send_failures[0];

void fixture_fail(struct fixture *fixture, const struct fixture_failure *failure)
{
    if (failure->delivery == MFA_DELIVERY_ANSWERED)
        fake_gateway_answer(&fixture->gateway, failure->http_status, "garbage");
    else
        fake_gateway_fail(&fixture->gateway, failure->delivery);
}
