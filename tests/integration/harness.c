/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

void allow_many_descriptors(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

__attribute__((format(printf, 1, 2))) static char *format_text(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    assert_true(len >= 0);
    return text;
}

char *config_with(const char *mfa)
{
    return format_text("http:\n"
                       "  ip: 127.0.0.1\n"
                       "  port: 0\n"
                       "auth:\n"
                       "  adminAccessKey: " ADMIN_KEY "\n"
                       "  passwordHashing: minimum\n"
                       "services:\n"
                       "  mfa:\n"
                       "%s",
                       mfa);
}

static char *config_free_mfa(char *mfa)
{
    char *config = config_with(mfa);
    free(mfa);
    return config;
}

/* One user of a test gets more messages than a customer's would. */
#define NO_SEND_LIMITS "      sendLimits: {minIntervalSeconds: 0, perUserPerHour: 0, perDestinationPerDay: 0}\n"

char *config_single(const char *gateway_url, const char *more)
{
    return config_free_mfa(format_text("    mode: single\n"
                                       "    sms:\n" NO_SEND_LIMITS "      endpoints:\n"
                                       "        single:\n"
                                       "          url: '%s/http/1.6/sendSMS.do?accessToken=your-api-key"
                                       "&message={{ message }}&emetteur=Pryv%%20Lab&numero={{ number }}'\n"
                                       "          method: 'GET'\n"
                                       "%s",
                                       gateway_url, more ? more : ""));
}

char *config_challenge_verify(const char *gateway_url, const char *more)
{
    return config_free_mfa(format_text("    mode: challenge-verify\n"
                                       "    sms:\n" NO_SEND_LIMITS "      endpoints:\n"
                                       "        challenge:\n"
                                       "          url: '%s/mfa/codes'\n"
                                       "          method: 'POST'\n"
                                       "          body: '{\"phone_number\":\"{{ number }}\"}'\n"
                                       "          headers:\n"
                                       "            authorization: 'Bearer: your-api-key'\n"
                                       "            'content-type': 'application/json'\n"
                                       "        verify:\n"
                                       "          url: '%s/mfa/codes/verifications'\n"
                                       "          method: 'POST'\n"
                                       "          body: '{\"phone_number\":\"{{ number }}\",\"code\":\"{{ code }}\"}'\n"
                                       "          headers:\n"
                                       "            authorization: 'Bearer: your-api-key'\n"
                                       "            'content-type': 'application/json'\n"
                                       "%s",
                                       gateway_url, gateway_url, more ? more : ""));
}

json_t *code_body(const char *code)
{
    return json_pack("{s:s}", "code", code);
}

static char *take_string(struct http_answer *answer, const char *path)
{
    const char *value = http_json_string(answer, path);
    if (!value)
        fail_msg("no %s in %s", path, answer->body);
    char *copy = strdup(value);
    assert_non_null(copy);
    http_answer_clear(answer);
    return copy;
}

static struct http_answer post(const char *host_url, const char *token, json_t *body, const char *username,
                               const char *rest)
{
    char *path = format_text("/%s%s", username, rest);
    struct http_answer answer = http_send(
        host_url,
        (struct http_request){.method = "POST", .path = path, .token = token, .json = body /* transferred */});
    free(path);
    return answer;
}

json_t *login_body(const char *username)
{
    return json_pack("{s:s, s:s, s:s}", "username", username, "password", USER_PASSWORD, "appId", "tests");
}

void user_register(const char *host_url, const char *username)
{
    struct http_answer answer = post(host_url, NULL, login_body(username), "users", "");
    http_assert_answer(&answer, 201, NULL);
    http_answer_clear(&answer);
}

struct http_answer user_login_answer(const char *host_url, const char *username)
{
    return post(host_url, NULL, login_body(username), username, "/auth/login");
}

char *user_login(const char *host_url, const char *username)
{
    struct http_answer answer = user_login_answer(host_url, username);
    http_assert_answer(&answer, 200, NULL);
    return take_string(&answer, "token");
}

char *user_login_mfa(const char *host_url, const char *username)
{
    struct http_answer answer = user_login_answer(host_url, username);
    http_assert_answer(&answer, 200, NULL);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(answer.json, key, value)
    {
        if (strcmp(key, "mfaToken") != 0 && strcmp(key, "meta") != 0)
            fail_msg("the answer to a login with MFA also has %s", key);
    }
    return take_string(&answer, "mfaToken");
}

struct http_answer user_mfa(const char *host_url, const char *username, const char *step, const char *token,
                            json_t *body)
{
    char *rest = format_text("/mfa/%s", step);
    struct http_answer answer = post(host_url, token, body, username, rest);
    free(rest);
    return answer;
}

char *user_activate(const char *host_url, const char *username, const char *token, const char *data)
{
    json_t *body = json_loads(data ? data : USER_DATA_SINGLE, 0, NULL);
    assert_non_null(body);
    struct http_answer answer = user_mfa(host_url, username, "activate", token, body /* transferred */);
    http_assert_answer(&answer, 302, NULL);
    assert_null(http_header(&answer, "Location"));
    return take_string(&answer, "mfaToken");
}

json_t *user_confirm(const char *host_url, const char *username, const char *mfa_token, const char *code)
{
    struct http_answer answer = user_mfa(host_url, username, "confirm", mfa_token, code_body(code));
    http_assert_answer(&answer, 200, NULL);
    json_t *recovery_codes = json_incref(json_object_get(answer.json, "recoveryCodes"));
    assert_int_equal(json_array_size(recovery_codes), 10);
    http_answer_clear(&answer);
    return recovery_codes;
}

char *user_verify(const char *host_url, const char *username, const char *mfa_token, const char *code)
{
    struct http_answer answer = user_mfa(host_url, username, "verify", mfa_token, code_body(code));
    http_assert_answer(&answer, 200, NULL);
    return take_string(&answer, "token");
}

json_t *user_enrol(const char *host_url, struct gateway *gateway, const char *username, const char *data)
{
    char code[GATEWAY_CODE_MAX + 1];
    user_register(host_url, username);
    char *token = user_login(host_url, username);
    char *mfa_token = user_activate(host_url, username, token, data);
    gateway_last_code(gateway, code);
    json_t *recovery_codes = user_confirm(host_url, username, mfa_token, code);
    free(mfa_token);
    free(token);
    return recovery_codes;
}
