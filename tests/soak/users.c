/* SPDX-License-Identifier: Apache-2.0 */
#include "users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PASSWORD "correct horse battery staple"
#define DATA_FORMAT                                                                                                    \
    "{\"number\":\"" SERVICE_NUMBER_FORMAT "\",\"message\":\"Your%%20Pryv%%20Lab%%20MFA%%20code%%20is%%3A%%20{{ code " \
    "}}\"}"

enum step { REGISTER, LOG_IN, ACTIVATE, CONFIRM, VERIFY, SEND_AGAIN, LOOK, RENEW, RECOVER, DEACTIVATE };

static const char *const paths[] = {[REGISTER] = "/users",
                                    [LOG_IN] = "/auth/login",
                                    [ACTIVATE] = "/mfa/activate",
                                    [CONFIRM] = "/mfa/confirm",
                                    [VERIFY] = "/mfa/verify",
                                    [SEND_AGAIN] = "/mfa/challenge",
                                    [LOOK] = "/mfa",
                                    [RENEW] = "/mfa/recovery-codes",
                                    [RECOVER] = "/mfa/recover",
                                    [DEACTIVATE] = "/mfa/deactivate"};

struct user {
    char name[16];
    bool is_registered;
    bool is_enrolled;
    bool is_activating; /* what mfa_token is for */
    char *token;        /* NULL: not logged in */
    char *mfa_token;    /* NULL: nothing is pending */
    char *recovery_code;
    enum step step; /* under way */
    char code[GATEWAY_CODE_MAX + 1];
    char path[64];
};

struct users {
    struct service *service;
    uint64_t random;
    struct users_count count;
    struct user users[SERVICE_USERS];
};

/* The same ones in each soak (Knuth's constants). */
static unsigned draw(struct users *users, unsigned below)
{
    users->random = users->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(users->random >> 33) % below;
}

struct users *users_new(struct service *service)
{
    struct users *users = calloc(1, sizeof *users);

    assert_non_null(users);
    users->service = service;
    for (size_t i = 0; i < SERVICE_USERS; i++)
        snprintf(users->users[i].name, sizeof users->users[i].name, "user%04zu", i);
    return users;
}

void users_free(struct users *users)
{
    for (size_t i = 0; i < SERVICE_USERS; i++) {
        free(users->users[i].token);
        free(users->users[i].mfa_token);
        free(users->users[i].recovery_code);
    }
    free(users);
}

/* --- What they send ------------------------------------------------------------------------------------------------ */

static enum step choose(struct users *users, const struct user *user)
{
    static const enum step at_home[] = {LOG_IN, LOG_IN, LOG_IN, LOG_IN, LOOK, LOOK, RENEW, DEACTIVATE};

    if (!user->is_registered)
        return REGISTER;
    if (user->mfa_token != NULL && draw(users, 6) == 0)
        return SEND_AGAIN;
    if (user->mfa_token != NULL)
        return user->is_activating ? CONFIRM : VERIFY;
    if (user->is_enrolled && user->recovery_code != NULL && draw(users, 20) == 0)
        return RECOVER;
    if (user->token == NULL)
        return LOG_IN;
    return user->is_enrolled ? at_home[draw(users, sizeof at_home / sizeof at_home[0])] : ACTIVATE;
}

/* One in four is wrong. */
static void choose_code(struct users *users, size_t number)
{
    struct user *user = &users->users[number];

    service_code(users->service, number, user->code);
    if (user->code[0] == '\0')
        snprintf(user->code, sizeof user->code, "000000");
    if (draw(users, 4) == 0)
        user->code[0] = user->code[0] == '9' ? '0' : (char)(user->code[0] + 1);
}

static json_t *body_of(struct users *users, size_t number)
{
    struct user *user = &users->users[number];
    char data[256];

    switch (user->step) {
    case REGISTER:
    case LOG_IN: return json_pack("{s:s, s:s, s:s}", "username", user->name, "password", PASSWORD, "appId", "soak");
    case ACTIVATE: snprintf(data, sizeof data, DATA_FORMAT, number); return json_loads(data, 0, NULL);
    case CONFIRM:
    case VERIFY: choose_code(users, number); return json_pack("{s:s}", "code", user->code);
    case RECOVER:
        return json_pack("{s:s, s:s, s:s}", "username", user->name, "password", PASSWORD, "recoveryCode",
                         user->recovery_code);
    case LOOK: return NULL;
    default: return json_object();
    }
}

static void name_path(struct user *user)
{
    char path[sizeof user->path];
    int len = user->step == REGISTER ? snprintf(path, sizeof path, "%s", paths[REGISTER])
                                     : snprintf(path, sizeof path, "/%s%s", user->name, paths[user->step]);

    assert_in_range(len, 1, sizeof path - 1);
    memcpy(user->path, path, sizeof path);
}

struct http_request users_next(struct users *users, size_t number)
{
    struct user *user = &users->users[number];
    bool is_pending = false;

    user->step = choose(users, user);
    is_pending = user->step == CONFIRM || user->step == VERIFY || user->step == SEND_AGAIN;
    name_path(user);
    return (struct http_request){.method = user->step == LOOK ? "GET" : "POST",
                                 .path = user->path,
                                 .token = is_pending ? user->mfa_token : user->token,
                                 .json = body_of(users, number)};
}

char *users_in_passing(struct users *users, size_t number)
{
    const struct user *user = &users->users[number];
    char body[128] = "{}";
    char *bytes = NULL;
    bool logs_in = user->mfa_token == NULL;

    if (!user->is_registered)
        return NULL;
    if (logs_in)
        snprintf(body, sizeof body, "{\"username\":\"%s\",\"password\":\"" PASSWORD "\",\"appId\":\"soak\"}",
                 user->name);
    assert_true(asprintf(&bytes,
                         "POST /%s%s HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n%s%s%s"
                         "Content-Length: %zu\r\n\r\n%s",
                         user->name, paths[logs_in ? LOG_IN : SEND_AGAIN], logs_in ? "" : "Authorization: ",
                         logs_in ? "" : user->mfa_token, logs_in ? "" : "\r\n", strlen(body), body) > 0);
    return bytes;
}

/* --- What they are answered ---------------------------------------------------------------------------------------- */

/* `*text` is owned, or NULL. */
static void replace(char **text, const char *by)
{
    free(*text);
    *text = by != NULL ? strdup(by) : NULL;
}

static void take_recovery_code(struct user *user, const struct http_answer *answer)
{
    const json_t *codes = json_object_get(answer->json, "recoveryCodes");

    assert_int_equal(json_array_size(codes), 10);
    replace(&user->recovery_code, json_string_value(json_array_get(codes, 0)));
}

static void take_login(struct user *user, const struct http_answer *answer)
{
    const char *token = http_json_string(answer, "token");
    const char *mfa_token = http_json_string(answer, "mfaToken");

    assert_true(user->is_enrolled ? token == NULL && mfa_token != NULL : token != NULL && mfa_token == NULL);
    replace(&user->token, token);
    replace(&user->mfa_token, mfa_token);
    user->is_activating = false;
}

static void take_enrolment(struct users *users, struct user *user, const struct http_answer *answer)
{
    take_recovery_code(user, answer);
    replace(&user->mfa_token, NULL);
    user->is_enrolled = true;
    users->count.enrolled++;
}

static void take_release(struct users *users, struct user *user, const struct http_answer *answer)
{
    assert_non_null(http_json_string(answer, "token"));
    replace(&user->token, http_json_string(answer, "token"));
    replace(&user->mfa_token, NULL);
    users->count.released++;
}

static void end_enrolment(struct user *user)
{
    user->is_enrolled = false;
    replace(&user->recovery_code, NULL);
    replace(&user->mfa_token, NULL);
}

static void take_success(struct users *users, size_t number, const struct http_answer *answer)
{
    struct user *user = &users->users[number];

    if (user->step == CONFIRM || user->step == VERIFY)
        assert_true(service_has_sent(users->service, number, user->code));
    switch (user->step) {
    case REGISTER: user->is_registered = true; break;
    case LOG_IN: take_login(user, answer); break;
    case ACTIVATE:
        user->is_activating = true;
        replace(&user->mfa_token, http_json_string(answer, "mfaToken"));
        break;
    case CONFIRM: take_enrolment(users, user, answer); break;
    case VERIFY: take_release(users, user, answer); break;
    case RENEW: take_recovery_code(user, answer); break;
    case LOOK: assert_int_equal(json_is_true(json_object_get(answer->json, "active")), user->is_enrolled); break;
    case RECOVER:
    case DEACTIVATE: end_enrolment(user); break;
    case SEND_AGAIN: break;
    }
}

/* Nobody is refused for a fault of ours, and users who are refused begin anew now and then. */
static void take_refusal(struct users *users, struct user *user, const struct http_answer *answer)
{
    bool is_known = answer->status == 400 || answer->status == 401 || answer->status == 403 || answer->status == 429 ||
                    answer->status == 503;

    if (!is_known)
        fail_msg("%s %s: %ld %s", user->name, user->path, answer->status, answer->body);
    if (user->mfa_token != NULL && (answer->status == 401 || draw(users, 8) == 0))
        replace(&user->mfa_token, NULL);
}

void users_take(struct users *users, size_t number, struct http_answer answer)
{
    assert_int_equal(answer.transport, CURLE_OK);
    users->count.by_plugin += users->users[number].step != REGISTER && answer.status != 503;
    if (answer.status < 400)
        take_success(users, number, &answer);
    else
        take_refusal(users, &users->users[number], &answer);
    http_answer_clear(&answer);
}

struct users_count users_count(const struct users *users)
{
    return users->count;
}
