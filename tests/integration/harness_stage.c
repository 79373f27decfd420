/* SPDX-License-Identifier: Apache-2.0 */
#include "harness_stage.h"

#include <stdlib.h>
#include <string.h>

void stage_open(struct stage *stage, config_fn *config, const char *more)
{
    stage->gateway = gateway_start();
    char *yaml = config(gateway_url(stage->gateway), more);
    stage->host = host_new(yaml, NULL, NULL);
    host_start(stage->host);
    free(yaml);
}

void stage_close(struct stage *stage)
{
    host_stop(stage->host);
    host_free(stage->host);
    gateway_stop(stage->gateway);
    *stage = (struct stage){0};
}

int stage_open_for_group(void **state, config_fn *config, const char *more)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage_open(stage, config, more);
    *state = stage;
    return 0;
}

void host_ends_in_good_order(void **state)
{
    struct stage *stage = *state;
    stage_close(stage);
    free(stage);
}

const char *stage_url(const struct stage *stage)
{
    return host_url(stage->host);
}

void stage_enrol(struct stage *stage, const char *username)
{
    json_decref(user_enrol(stage_url(stage), stage->gateway, username, NULL));
}

char *stage_register(struct stage *stage, const char *username)
{
    user_register(stage_url(stage), username);
    return user_login(stage_url(stage), username);
}

struct pending_login stage_login(struct stage *stage, const char *username)
{
    struct pending_login login = {.mfa_token = user_login_mfa(stage_url(stage), username)};
    gateway_last_code(stage->gateway, login.code);
    return login;
}

void pending_login_clear(struct pending_login *login)
{
    free(login->mfa_token);
    *login = (struct pending_login){0};
}

void code_spoil(char code[static GATEWAY_CODE_MAX + 1], unsigned more)
{
    code[0] = code[0] == '9' ? '0' : (char)(code[0] + 1);
    code[1] = (char)('0' + more % 10);
    code[2] = (char)('0' + more / 10 % 10);
}

struct http_answer stage_send_code(struct stage *stage, const char *username, const char *step, const char *mfa_token,
                                   const char *code)
{
    return user_mfa(stage_url(stage), username, step, mfa_token, code_body(code));
}

bool stage_is_active(struct stage *stage, const char *username, const char *token)
{
    char path[128];
    assert_true(snprintf(path, sizeof path, "/%s/mfa", username) < (int)sizeof path);
    struct http_answer answer = http_send(stage_url(stage), (struct http_request){.path = path, .token = token});
    http_assert_answer(&answer, 200, NULL);
    bool is_active = json_is_true(json_object_get(answer.json, "active"));
    http_answer_clear(&answer);
    return is_active;
}
