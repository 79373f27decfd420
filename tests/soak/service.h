/* SPDX-License-Identifier: Apache-2.0
 *
 * A communication service that fails a tenth of the time, in every way there is, and remembers what it was to send. User
 * number N has a number that ends in N, SERVICE_NUMBER_FORMAT.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "harness_gateway.h"

#define SERVICE_USERS 2000
#define SERVICE_NUMBER_FORMAT "4179%07zu"

struct service;

struct service *service_start(void);
void service_stop(struct service *service);

const char *service_url(const struct service *service);

/* The code that was last sent to a user, and whether `code` was ever the last or the one before. An empty code: none yet. */
void service_code(struct service *service, size_t user, char code[static GATEWAY_CODE_MAX + 1]);
bool service_has_sent(struct service *service, size_t user, const char *code);

/* Lets go of the requests it never answers, whose clients have given up. */
void service_release(struct service *service);

/* How many requests it got since the last time, and how many of them it failed. */
void service_take_counts(struct service *service, size_t *requests, size_t *failed);

#endif
