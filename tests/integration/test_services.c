/* SPDX-License-Identifier: Apache-2.0
 *
 * Logging in with services that check codes themselves, as they are configured in tests/data/providers: they answer 200
 * to a wrong code too, and one of them asks for an id that came with the challenge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness_stage.h"

#define USER_DATA "{\"phone\": \"+15555550100\"}"
#define WRONG_CODE "0000"

/* A service that makes a code for each challenge: 1001 for the first, 1002 for the second, ... [the gateway's thread] */
struct service {
    unsigned challenges;
    char body[256]; /* of an answer, or what it was told */
};

#define CODE_SIZE 16

/* The code of the last challenge, or of one `before` it. */
static const char *code_of(const struct service *service, unsigned before, char code[static CODE_SIZE])
{
    snprintf(code, CODE_SIZE, "%u", 1000 + service->challenges - before);
    return code;
}

/* The recorded configuration `name` with this gateway in the place of the service. */
static char *config_recorded(const char *gateway_url, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tests/data/providers/%s.json", name);
    json_t *recording = json_load_file(path, 0, NULL);
    json_t *config = json_object_get(recording, "config");
    json_t *sms = json_object_get(config, "sms");
    const char *key = NULL;
    json_t *endpoint = NULL;
    json_object_foreach(json_object_get(sms, "endpoints"), key, endpoint)
    {
        const char *url = strstr(json_string_value(json_object_get(endpoint, "url")), "://") + strlen("://");
        json_object_set_new(endpoint, "url", json_sprintf("%s%s", gateway_url, strchr(url, '/')));
    }
    json_object_set_new(sms, "sendLimits", json_pack("{s:i}", "minIntervalSeconds", 0));
    json_object_set_new(config, "attempts", json_pack("{s:{s:i}}", "backoff", "baseSeconds", 0));
    char *json = json_dumps(config, 0);
    char *section = NULL;
    assert_true(asprintf(&section, "    %s\n", json) > 0);
    char *yaml = config_with(section);
    free(section);
    free(json);
    json_decref(recording);
    return yaml;
}

/* Returns the mfaToken of a login; owned by caller, release with free. */
static char *enrol_and_login(struct stage *stage, const char *username, const struct service *service)
{
    char code[CODE_SIZE];
    char *token = stage_register(stage, username);
    char *mfa_token = user_activate(stage_url(stage), username, token, USER_DATA);
    json_decref(user_confirm(stage_url(stage), username, mfa_token, code_of(service, 0, code)));
    free(mfa_token);
    free(token);
    return user_login_mfa(stage_url(stage), username);
}

static void expect_wrong(struct stage *stage, const char *username, const char *mfa_token, const char *code,
                         unsigned attempts_left)
{
    char data[64];
    snprintf(data, sizeof data, "{\"id\": \"invalid-mfa-code\", \"attemptsLeft\": %u}", attempts_left);
    http_expect_error(stage_send_code(stage, username, "verify", mfa_token, code), 400, "invalid-parameters-format",
                      data);
}

/* --- One that knows its challenges by the number ---------------------------------------------------------------- */

static void answer_by_number(void *context, const struct gateway_request *request, struct gateway_script *script)
{
    struct service *service = context;
    char right[CODE_SIZE];
    const char *code = strstr(request->body, "&Code=");
    service->challenges += code == NULL;
    bool is_right = code && strcmp(code + strlen("&Code="), code_of(service, 0, right)) == 0;
    snprintf(service->body, sizeof service->body, "{\"status\":\"%s\",\"to\":\"+15555550100\"}",
             is_right ? "approved" : "pending");
    *script = (struct gateway_script){.status = code ? 200 : 201, .body = service->body};
}

static void a_wrong_code_that_is_answered_with_200_is_refused(void **state)
{
    (void)state;
    struct stage stage;
    struct service service = {0};
    char code[CODE_SIZE];
    stage_open(&stage, config_recorded, "twilio-verify");
    gateway_answer_with(stage.gateway, answer_by_number, &service);
    char *mfa_token = enrol_and_login(&stage, "bynumber", &service);
    expect_wrong(&stage, "bynumber", mfa_token, WRONG_CODE, 4);
    expect_wrong(&stage, "bynumber", mfa_token, code_of(&service, 1, code), 3);
    free(user_verify(stage_url(&stage), "bynumber", mfa_token, code_of(&service, 0, code)));
    free(mfa_token);
    stage_close(&stage);
}

/* --- One that knows them by an id ------------------------------------------------------------------------------- */

static struct service by_id;

static void answer_by_id(void *context, const struct gateway_request *request, struct gateway_script *script)
{
    struct service *service = context;
    const char *asked = strstr(request->body, "&request_id=");
    unsigned id = 0;
    unsigned code = 0;
    bool is_right = asked && sscanf(asked, "&request_id=id-%u&code=%u", &id, &code) == 2 && code == 1000 + id;
    if (!asked)
        id = ++service->challenges;
    snprintf(service->body, sizeof service->body, "{\"request_id\":\"id-%u\",\"status\":\"%s\"}", id,
             is_right || !asked ? "0" : "16");
    *script = (struct gateway_script){.status = 200, .body = service->body};
}

static int open_stage_by_id(void **state)
{
    int failed = stage_open_for_group(state, config_recorded, "vonage-verify-v1");
    gateway_answer_with(((struct stage *)*state)->gateway, answer_by_id, &by_id);
    return failed;
}

static void a_code_is_checked_against_the_challenge_of_its_own_session(void **state)
{
    struct stage *stage = *state;
    char code[CODE_SIZE];
    char *first = enrol_and_login(stage, "sessions", &by_id);
    char *second = user_login_mfa(stage_url(stage), "sessions");
    expect_wrong(stage, "sessions", first, WRONG_CODE, 4);
    expect_wrong(stage, "sessions", first, code_of(&by_id, 0, code), 3);
    expect_wrong(stage, "sessions", second, code_of(&by_id, 1, code), 4);
    free(user_verify(stage_url(stage), "sessions", first, code_of(&by_id, 1, code)));
    free(user_verify(stage_url(stage), "sessions", second, code_of(&by_id, 0, code)));
    free(first);
    free(second);
}

static void after_a_new_challenge_the_service_is_asked_about_that_one(void **state)
{
    struct stage *stage = *state;
    char code[CODE_SIZE];
    char *mfa_token = enrol_and_login(stage, "again", &by_id);
    http_expect(user_mfa(stage_url(stage), "again", "challenge", mfa_token, NULL), 200, NULL);
    expect_wrong(stage, "again", mfa_token, code_of(&by_id, 1, code), 4);
    free(user_verify(stage_url(stage), "again", mfa_token, code_of(&by_id, 0, code)));
    free(mfa_token);
}

static void a_yes_to_another_question_is_refused(void **state)
{
    struct stage *stage = *state;
    char code[CODE_SIZE];
    char *mfa_token = enrol_and_login(stage, "another", &by_id);
    gateway_answer_next(stage->gateway,
                        (struct gateway_script){.status = 200, .body = "{\"request_id\":\"id-1\",\"status\":\"0\"}"});
    http_expect_error(stage_send_code(stage, "another", "verify", mfa_token, WRONG_CODE), 400, "invalid-operation",
                      "{\"id\": \"mfa-sms-provider-error\"}");
    free(user_verify(stage_url(stage), "another", mfa_token, code_of(&by_id, 0, code)));
    free(mfa_token);
}

/* --- One that is told what to know them by ------------------------------------------------------------------------- */

static char *config_by_nonce(const char *gateway_url, const char *more)
{
    (void)more;
    char *section = NULL;
    assert_true(asprintf(&section,
                         "    mode: challenge-verify\n"
                         "    sms:\n"
                         "      endpoints:\n"
                         "        challenge: {url: '%s/start', form: {reference: '{{ nonce }}'}}\n"
                         "        verify: {url: '%s/check', form: {reference: '{{ nonce }}', code: '{{ code }}'}}\n",
                         gateway_url, gateway_url) > 0);
    char *yaml = config_with(section);
    free(section);
    return yaml;
}

static void answer_by_reference(void *context, const struct gateway_request *request, struct gateway_script *script)
{
    struct service *service = context;
    bool is_check = strcmp(request->path, "/check") == 0;
    char code[CODE_SIZE];
    char right[sizeof service->body + CODE_SIZE + 8];
    snprintf(right, sizeof right, "%s&code=%s", service->body, code_of(service, 0, code));
    *script = (struct gateway_script){.status = !is_check || strcmp(request->body, right) == 0 ? 200 : 400};
    if (is_check)
        return;
    service->challenges++;
    snprintf(service->body, sizeof service->body, "%s", request->body);
}

static void what_is_fresh_for_a_challenge_comes_back_when_its_code_is_checked(void **state)
{
    (void)state;
    struct stage stage;
    struct service service = {0};
    char code[CODE_SIZE];
    stage_open(&stage, config_by_nonce, NULL);
    gateway_answer_with(stage.gateway, answer_by_reference, &service);
    char *mfa_token = enrol_and_login(&stage, "reference", &service);
    assert_string_not_equal(gateway_request(stage.gateway, 0)->body, service.body);
    assert_true(strlen(service.body) >= strlen("reference=") + 20);
    free(user_verify(stage_url(&stage), "reference", mfa_token, code_of(&service, 0, code)));
    free(mfa_token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_code_that_is_answered_with_200_is_refused),
        cmocka_unit_test(what_is_fresh_for_a_challenge_comes_back_when_its_code_is_checked),
    };
    const struct CMUnitTest tests_by_id[] = {
        cmocka_unit_test(a_code_is_checked_against_the_challenge_of_its_own_session),
        cmocka_unit_test(after_a_new_challenge_the_service_is_asked_about_that_one),
        cmocka_unit_test(a_yes_to_another_question_is_refused),
        cmocka_unit_test(host_ends_in_good_order),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + cmocka_run_group_tests(tests_by_id, open_stage_by_id, NULL);
}
