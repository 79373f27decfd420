/* SPDX-License-Identifier: Apache-2.0
 *
 * service.h: the stand-in communication service on HTTP, on the loopback address only.
 *
 *   GET  /http/1.6/sendSMS.do       smsmode.h
 *   POST /mfa/codes                 smsapi.h
 *   POST /mfa/codes/verifications   smsapi.h
 *   GET  /phone/{number}            {"messages": [{"from", "text"}, ...]}, newest last
 *   POST /behave                    behaviour.h; also lets go of every request that is being held
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdint.h>

struct service;

/* Listens on 127.0.0.1:`port`, or on a free port for 0.
 * Returns    the running service, or NULL with errno set if the system said why. sodium_init has been called before.
 * Ownership  owned by caller, release with service_free.
 * Threads    starts two: one that serves, one that times delays. */
__attribute__((warn_unused_result)) struct service *service_new(uint16_t port);

uint16_t service_port(const struct service *service);

/* Closes every connection and ends the threads. Accepts NULL. */
void service_free(struct service *service);

#endif
