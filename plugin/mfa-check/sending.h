/* SPDX-License-Identifier: Apache-2.0
 *
 * sending.h: carries a call out as the plugin does, and keeps what was sent and what came back.
 */
#ifndef SENDING_H
#define SENDING_H

#include <jansson.h>
#include <stdbool.h>

#include "answer.h"
#include "call.h"
#include "subject.h"

/* One request. */
struct attempt {
    struct attempt *next;
    const struct mfa_endpoint *endpoint; /* the token's own, where the request is for an access token */
    bool is_for_token;
    json_t *request; /* request_json */
    struct answer answer;
};

/* Released with sending_clear. */
struct sending {
    struct attempt *attempts; /* in their order */
    enum mfa_verdict verdict; /* what it came to in the end; of a rehearsal nothing */
};

/* Sends; or, as a rehearsal, does everything but that. Returns EXIT_FINE when a request was made, whatever came back;
 * else what to end with, which has been said. To be cleared in any case. */
int sending_run(struct sending *sending, struct subject *subject, const struct call *call, bool is_rehearsal);

void sending_clear(struct sending *sending);

#endif
