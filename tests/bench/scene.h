/* SPDX-License-Identifier: Apache-2.0
 *
 * scene.h: a host with the plugin, in the customer's mode `single` and with throttling and send limits off, and a service
 * for it. User number N is called userNNNN and has the number that ends in N. Asserts with cmocka what it promises.
 */
#ifndef SCENE_H
#define SCENE_H

#include "harness.h"
#include "load.h"
#include "service.h"

#define SCENE_USER_SIZE 32

struct scene {
    struct service *service;
    struct host *host;
};

/* For a group's setup and teardown; `*state` is a struct scene. */
int scene_open(void **state);
int scene_close(void **state);

const char *scene_url(const struct scene *scene);

/* "userNNNN". */
void scene_name(char name[static SCENE_USER_SIZE], size_t user);

/* "/userNNNN{rest}"; owned by caller, release with free. */
char *scene_path(size_t user, const char *rest);

/* Registers a user and logs in. Returns the personal token; owned by caller, release with free. */
char *scene_register(struct scene *scene, size_t user);

/* Registers and enrols. */
void scene_enrol(struct scene *scene, size_t user);

/* {"code": ...} with the code last sent to the user, plus `off_by`; owned by caller, release with free. */
char *scene_code_body(struct scene *scene, size_t user, unsigned off_by);

/* The mfaToken in an answer, found by its key without a parser, which would cost more than the host; owned by caller,
 * release with free. */
char *scene_read_token(const struct load_answer *answer);

#endif
