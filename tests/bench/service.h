/* SPDX-License-Identifier: Apache-2.0
 *
 * service.h: a communication service that costs little beside the host it serves: one thread, answers 200 with nothing in
 * it, at once or after a delay, and remembers the code it was given for each number. Takes the customer's single example,
 * with SERVICE_USER_DATA. Asserts with cmocka what it promises.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stddef.h>

/* Numbers end in four digits, by which codes are found. */
#define SERVICE_NUMBERS 10000
#define SERVICE_USER_DATA                                                                                              \
    "{\"number\": \"4179123%04zu\", \"message\": \"Your%%20Pryv%%20Lab%%20MFA%%20code%%20is%%3A%%20{{ code }}\"}"

struct service;

/* Serves until the program ends. */
struct service *service_start(void);

/* "http://127.0.0.1:PORT"; static. */
const char *service_url(const struct service *service);

/* How long answers take from now on; not while one is waiting. [any thread] */
void service_delay(struct service *service, double seconds);

/* How many requests wait for their answer. [any thread] */
size_t service_waiting(struct service *service);

/* The six digits last sent to a number. [any thread] */
unsigned service_code(struct service *service, size_t number);

#endif
