/* SPDX-License-Identifier: Apache-2.0 */
#include "attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NO_DELAYS "backoff: {baseSeconds: 0}"
#define NO_SEND_LIMITS "minIntervalSeconds: 0, perUserPerHour: 0, perDestinationPerDay: 0"

static const char guide_single[] = "single: {method: GET, url: 'GATEWAY/http/1.6/sendSMS.do?accessToken=your-api-key"
                                   "&message={{ message }}&emetteur=Pryv%20Lab&numero={{ number }}'}";
static const char guide_challenge_verify[] =
    "challenge: {url: 'GATEWAY/mfa/codes', body: '{\"phone_number\":\"{{ number }}\"}', headers: {authorization: "
    "'Bearer: your-api-key', content-type: application/json}}, verify: {url: 'GATEWAY/mfa/codes/verifications', body: "
    "'{\"phone_number\":\"{{ number }}\",\"code\":\"{{ code }}\"}', headers: {authorization: 'Bearer: your-api-key', "
    "content-type: application/json}}";

/* --- The stage -------------------------------------------------------------------------------------------------- */

static char *fill_in_gateway(const char *text, const char *gateway_url)
{
    static const char mark[] = "GATEWAY";
    char *filled = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&filled, &len);
    assert_non_null(out);
    for (const char *at = NULL; (at = strstr(text, mark)); text = at + strlen(mark))
        fprintf(out, "%.*s%s", (int)(at - text), text, gateway_url);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    return filled;
}

static const char *either(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

char *attack_config(const char *gateway_url, const struct attack_settings *settings)
{
    char *mfa = NULL;
    const char *mode = either(settings->mode, "single");
    const char *guide = strcmp(mode, "single") == 0 ? guide_single : guide_challenge_verify;
    char *endpoints = fill_in_gateway(either(settings->endpoints, guide), gateway_url);
    assert_true(asprintf(&mfa,
                         "    mode: %s\n"
                         "    sms:\n"
                         "      {endpoints: {%s}, sendLimits: {%s}, %s}\n"
                         "    attempts: {%s}\n"
                         "    sessions: {%s}\n"
                         "%s",
                         mode, endpoints, either(settings->send_limits, NO_SEND_LIMITS), either(settings->sms, ""),
                         either(settings->attempts, NO_DELAYS), either(settings->sessions, ""),
                         either(settings->more, "")) > 0);
    char *yaml = config_with(mfa);
    free(endpoints);
    free(mfa);
    return yaml;
}

void stage_attacked_open(struct stage *stage, const struct attack_settings *settings)
{
    stage->gateway = gateway_start();
    char *yaml = attack_config(gateway_url(stage->gateway), settings);
    stage->host = host_new(yaml, NULL, NULL);
    host_start(stage->host);
    free(yaml);
}

int stage_attacked_open_for_group(void **state, const struct attack_settings *settings)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage_attacked_open(stage, settings);
    *state = stage; /* transferred */
    return 0;
}

/* --- Requests --------------------------------------------------------------------------------------------------- */

struct http_answer post_raw(struct stage *stage, const char *path, const char *token, const char *body, size_t body_len)
{
    return http_send(
        stage_url(stage),
        (struct http_request){.method = "POST", .path = path, .token = token, .raw = body, .raw_len = body_len});
}

char *user_path(const char *username, const char *rest)
{
    char *path = NULL;
    assert_true(asprintf(&path, "/%s%s", username, rest) > 0);
    return path;
}

bool opens_access(struct stage *stage, const char *username, const char *token)
{
    char *path = user_path(username, "/access-info");
    struct http_answer answer = http_send(stage_url(stage), (struct http_request){.path = path, .token = token});
    bool opens = answer.status == 200;
    http_answer_clear(&answer);
    free(path);
    return opens;
}

void post_at_once(struct stage *stage, const char *path, const char *token, json_t *const *bodies,
                  struct http_answer *answers, size_t count)
{
    struct http_request *requests = calloc(count, sizeof *requests);
    assert_non_null(requests);
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct http_request){.method = "POST", .path = path, .token = token, .json = bodies[i]};
    http_send_all(stage_url(stage), requests, answers, count);
    free(requests);
}

struct http_answer send_wrong_code(struct stage *stage, const char *username, const struct pending_login *login,
                                   unsigned more)
{
    char wrong[GATEWAY_CODE_MAX + 1];
    memcpy(wrong, login->code, sizeof wrong);
    code_spoil(wrong, more);
    return stage_send_code(stage, username, "verify", login->mfa_token, wrong);
}

void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

long retry_after_s(const struct http_answer *answer, long longest)
{
    const char *header = http_header(answer, "Retry-After");
    const json_t *data = json_object_get(json_object_get(answer->json, "error"), "data");
    assert_non_null(header);
    long seconds = strtol(header, NULL, 10);
    assert_int_equal(json_integer_value(json_object_get(data, "retryAfterSeconds")), seconds);
    assert_in_range(seconds, 1, longest);
    return seconds;
}

/* --- What must hold --------------------------------------------------------------------------------------------- */

static void assert_has_no_secret_key(const json_t *value, const char *body)
{
    static const char *const keys[] = {"token", "mfaToken", "apiEndpoint", "recoveryCodes"};
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;
    for (i = 0; i < LIST_LEN(keys); i++)
        if (json_object_get(value, keys[i]))
            fail_msg("a refusal has %s: %s", keys[i], body);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        assert_has_no_secret_key(member, body);
    }
    json_array_foreach(value, i, member)
    {
        assert_has_no_secret_key(member, body);
    }
}

void assert_gives_nothing(const struct http_answer *answer)
{
    assert_has_no_secret_key(answer->json, answer->body);
    assert_null(http_header(answer, "Set-Cookie"));
    assert_null(http_header(answer, "Authorization"));
}

static void assert_no_text_opens_access(struct stage *stage, const char *username, const json_t *value)
{
    const char *text = json_string_value(value);
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;
    if (text && *text && !strpbrk(text, " \r\n"))
        assert_false(opens_access(stage, username, text));
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        assert_no_text_opens_access(stage, username, member);
    }
    json_array_foreach(value, i, member)
    {
        assert_no_text_opens_access(stage, username, member);
    }
}

void assert_nothing_opens_access(struct stage *stage, const char *username, const struct http_answer *answer)
{
    assert_no_text_opens_access(stage, username, answer->json);
}

void expect_refused(struct stage *stage, const char *username, struct http_answer answer, long status,
                    const char *error_id)
{
    http_assert_answer(&answer, status, error_id);
    assert_gives_nothing(&answer);
    assert_nothing_opens_access(stage, username, &answer);
    http_expect(answer, status, error_id); /* transferred */
}

void expect_right_code_works(struct stage *stage, const char *username, struct pending_login *login)
{
    char *token = user_verify(stage_url(stage), username, login->mfa_token, login->code);
    assert_true(opens_access(stage, username, token));
    free(token);
    pending_login_clear(login);
}

void expect_session_is_dead(struct stage *stage, const char *username, struct pending_login *login)
{
    expect_refused(stage, username, stage_send_code(stage, username, "verify", login->mfa_token, login->code), 401,
                   "invalid-access-token");
    pending_login_clear(login);
    *login = stage_login(stage, username);
    expect_right_code_works(stage, username, login);
}
