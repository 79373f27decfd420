/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detour.h"
#include "mfa_exchange.h"
#include "mfa_gateway.h"

#define TIMEOUT_MS 60000
#define TOKEN "{\"access_token\":\"tok-0001\",\"token_type\":\"Bearer\",\"expires_in\":3600}"

#define HEADERS_MAX 32

static struct gateway *service;
static struct mfa_gateway *engine;

/* What the service answers: to a request for a token one, to any other `response`. */
static struct {
    const char *token_url; /* NULL: none is to be had */
    struct gateway_script response;
    const char *headers[2 * HEADERS_MAX + 1];
    char *body; /* owned */
} answers;

int replay_setup(void **state)
{
    const struct mfa_gateway_limits limits = {.max_in_flight = 8};

    (void)state;
    service = gateway_start();
    detour_to((uint16_t)strtoul(strrchr(gateway_url(service), ':') + 1, NULL, 10));
    assert_int_equal(mfa_gateway_new(&engine, &limits), MFA_OK);
    return 0;
}

int replay_teardown(void **state)
{
    (void)state;
    mfa_gateway_free(engine);
    gateway_stop(service);
    detour_forget_urls();
    free(answers.body);
    return 0;
}

struct mfa_gateway_port replay_gateway_port(void)
{
    return mfa_gateway_port(engine);
}

size_t replay_request_count(void)
{
    return gateway_request_count(service);
}

static void report(void *ctx, bool is_error, const char *line)
{
    (void)ctx;
    if (is_error)
        print_error("%s\n", line);
}

void replay_configure(struct mfa_config *out, const struct recording *recording)
{
    char *text = json_dumps(recorded(recording->data, "config"), JSON_COMPACT);
    const struct mfa_config_source source = {
        .text = text, .text_len = strlen(text), .section = "services.mfa", .file = recording->path, .first_line = 1};

    assert_int_equal(mfa_config_parse(out, &source, report, NULL), MFA_OK);
    free(text);
}

void replay_set_clocks(const struct recording *recording, struct fake_host *host)
{
    const int64_t clock = json_integer_value(recorded(recording->data, "clock"));

    detour_set_clock((time_t)clock);
    host->wall_ms = 1000 * clock;
}

/* --- The service ------------------------------------------------------------------------------------------------ */

static const char *token_url(const struct recording *recording, const char *call)
{
    const json_t *auth = json_object_get(recorded_endpoint(recording, call), "auth");

    return json_string_value(json_object_get(json_object_get(auth, "oauth2"), "tokenUrl"));
}

static void read_response(const json_t *response)
{
    const json_t *body = recorded(response, "body");
    const char *name = NULL;
    json_t *value = NULL;
    size_t i = 0;

    json_object_foreach(json_object_get(response, "headers"), name, value)
    {
        assert_in_range(i, 0, 2 * HEADERS_MAX - 2);
        answers.headers[i++] = name;
        answers.headers[i++] = json_string_value(value);
    }
    if (!json_is_string(body) && !json_is_null(body))
        answers.body = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    answers.response =
        (struct gateway_script){.status = (unsigned)json_integer_value(recorded(response, "status")),
                                .headers = answers.headers,
                                .body = answers.body ? answers.body : json_string_value(body),
                                .body_len = answers.body ? strlen(answers.body) : json_string_length(body)};
}

/* Whether a request is for this URL, whatever the scheme. */
static bool is_for(const struct gateway_request *request, const char *url)
{
    const char *host = json_string_value(json_object_get(request->headers, "host"));
    const char *authority = url ? strstr(url, "://") + strlen("://") : "";

    return host && strncmp(authority, host, strlen(host)) == 0 &&
           strcmp(authority + strlen(host), request->raw_url) == 0;
}

static void answer(void *context, const struct gateway_request *request, struct gateway_script *script)
{
    static const char *const json[] = {"content-type", "application/json", NULL};

    (void)context;
    *script = is_for(request, answers.token_url)
                  ? (struct gateway_script){.status = 200, .headers = json, .body = TOKEN}
                  : answers.response;
}

void replay_answer(const struct recording *recording, const char *call, const json_t *response)
{
    gateway_answer_with(service, NULL, NULL);
    gateway_forget_requests(service);
    detour_forget_urls();
    free(answers.body);
    memset(&answers, 0, sizeof answers);
    answers.token_url = token_url(recording, call);
    answers.response.status = 200;
    if (response)
        read_response(response);
    gateway_answer_with(service, answer, NULL);
}

/* Finds the request that is not for a token: there is one, or, where a token was refused, two. */
static void find_request(struct replayed *out)
{
    size_t count = gateway_request_count(service);

    for (size_t i = 0; i < count; i++) {
        const struct gateway_request *request = gateway_request(service, i);
        if (is_for(request, answers.token_url))
            continue;
        assert_true(!out->request || answers.token_url);
        out->request = request;
        out->url = detour_url(i);
    }
    assert_null(detour_url(count));
}

/* --- The call --------------------------------------------------------------------------------------------------- */

static const struct mfa_endpoint *endpoint_of(const struct mfa_config *config, const char *call)
{
    if (strcmp(call, "single") == 0)
        return &config->single;
    return strcmp(call, "challenge") == 0 ? &config->challenge : &config->verify;
}

static void take_finding(void *arg, struct mfa_finding *finding)
{
    struct replayed *out = arg;

    out->finding = *finding; /* transferred */
    sem_post(&out->done);
}

/* The user data, and what is captured; owned by the caller, to be transferred. */
static json_t *variables_of(const struct replay_call *call)
{
    const json_t *user_data = call->user_data ? call->user_data : recorded(call->recording->data, "userData");
    json_t *variables = json_deep_copy(user_data);
    json_t *captures = recorded_captures(call->recording, call->name);

    json_object_update(variables, captures);
    json_decref(captures);
    return variables;
}

/* Sends the request if it can be rendered, and waits until it has come to something. */
static void carry_out(const struct replay_call *call, const struct mfa_endpoint *endpoint,
                      struct mfa_services *services, struct replayed *out)
{
    uint64_t now_ms = 0;
    assert_int_equal(services->host->monotonic_ms(services->host->ctx, &now_ms), MFA_OK);
    struct mfa_exchange exchange = {
        .services = services,
        .call = strcmp(call->name, "verify") == 0 ? MFA_CALL_VERIFY : MFA_CALL_SEND,
        .endpoint = endpoint,
        .variables = {.user_data = variables_of(call), /* transferred */
                      .code_secret = call->code,
                      .code_in_values = strcmp(call->name, "single") == 0},
        .deadline_ms = now_ms + TIMEOUT_MS,
        .done = take_finding,
        .arg = out,
    };

    if (mfa_exchange_begin(&exchange) == MFA_OK)
        sem_wait(&out->done);
}

static void send_request(const struct replay_call *call, struct replayed *out)
{
    struct mfa_gateway_port gateway = replay_gateway_port();
    struct mfa_services *services = NULL;
    atomic_size_t in_flight = 0;
    struct mfa_config config;
    struct fake_host fake;

    fake_host_init(&fake);
    replay_set_clocks(call->recording, &fake);
    struct mfa_host_port host = fake_host_port(&fake);
    replay_configure(&config, call->recording);
    const struct mfa_endpoint *endpoint = endpoint_of(&config, call->name);
    assert_int_equal(mfa_services_new(&services, &host, &gateway, &in_flight, &endpoint, 1), MFA_OK);
    carry_out(call, endpoint, services, out);
    mfa_services_free(services);
    mfa_config_clear(&config);
    fake_host_clear(&fake);
}

void replay(const struct replay_call *call, struct replayed *out)
{
    *out = (struct replayed){0};
    sem_init(&out->done, 0, 0);
    replay_answer(call->recording, call->name, call->response);
    send_request(call, out);
    find_request(out);
}

void replayed_clear(struct replayed *replayed)
{
    mfa_finding_clear(&replayed->finding);
    sem_destroy(&replayed->done);
}
