/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LIMITS                                                                                                      \
    "    attempts: {perSession: 0, maxConsecutive: 0, backoff: {baseSeconds: 0}}\n"                                    \
    "    sessions: {maxPendingPerUser: 0}\n"                                                                           \
    "    gateway: {maxPerHost: 0}\n"

int scene_open(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    scene->service = service_start();
    char *yaml = config_single(service_url(scene->service), NO_LIMITS);
    scene->host = host_new(yaml, NULL, NULL);
    host_start(scene->host);
    free(yaml);
    *state = scene;
    return 0;
}

int scene_close(void **state)
{
    struct scene *scene = *state;
    host_stop(scene->host);
    host_free(scene->host);
    free(scene);
    return 0;
}

const char *scene_url(const struct scene *scene)
{
    return host_url(scene->host);
}

void scene_name(char name[static SCENE_USER_SIZE], size_t user)
{
    snprintf(name, SCENE_USER_SIZE, "user%04zu", user);
}

char *scene_path(size_t user, const char *rest)
{
    char *path = NULL;
    char name[SCENE_USER_SIZE];
    scene_name(name, user);
    assert_true(asprintf(&path, "/%s%s", name, rest) > 0);
    return path;
}

char *scene_register(struct scene *scene, size_t user)
{
    char name[SCENE_USER_SIZE];
    scene_name(name, user);
    user_register(scene_url(scene), name);
    return user_login(scene_url(scene), name);
}

char *scene_code_body(struct scene *scene, size_t user, unsigned off_by)
{
    char *body = NULL;
    unsigned code = (service_code(scene->service, user) + off_by) % 1000000;
    assert_true(asprintf(&body, "{\"code\":\"%06u\"}", code) > 0);
    return body;
}

void scene_enrol(struct scene *scene, size_t user)
{
    char name[SCENE_USER_SIZE];
    char code[16];
    char *data = NULL;
    scene_name(name, user);
    assert_true(asprintf(&data, SERVICE_USER_DATA, user) > 0);
    char *token = scene_register(scene, user);
    char *mfa_token = user_activate(scene_url(scene), name, token, data);
    snprintf(code, sizeof code, "%06u", service_code(scene->service, user));
    json_decref(user_confirm(scene_url(scene), name, mfa_token, code));
    free(mfa_token);
    free(token);
    free(data);
}

char *scene_read_token(const struct load_answer *answer)
{
    static const char key[] = "\"mfaToken\":\"";
    const char *start = strstr(answer->body, key);
    if (!start)
        fail_msg("no mfaToken in %u %s", answer->status, answer->body);
    start += strlen(key);
    char *token = strndup(start, strcspn(start, "\""));
    assert_non_null(token);
    return token;
}
