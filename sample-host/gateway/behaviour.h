/* SPDX-License-Identifier: Apache-2.0
 *
 * behaviour.h: how the service behaves towards the next sends and verifications, for those who want to see failure.
 */
#ifndef BEHAVIOUR_H
#define BEHAVIOUR_H

#include "reply.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum behaviour_mode {
    BEHAVIOUR_OK = 0,   /* does its work */
    BEHAVIOUR_STALL,    /* takes the request and never answers */
    BEHAVIOUR_ERROR500, /* 500 with a text */
    BEHAVIOUR_REDIRECT, /* 302 to a page of its own */
    BEHAVIOUR_GARBAGE,  /* 200 with a page no service would send */
    BEHAVIOUR_RESET,    /* promises a long answer and resets the connection in the middle */
};

/* Zeroed is the normal behaviour. */
struct behaviour {
    enum behaviour_mode mode;
    uint32_t delay_ms; /* before every answer to a send or a verification */
};

#define BEHAVIOUR_DELAY_MAX_MS 600000

/* Reads {"mode", "delayMs"}, both optional: what is absent is normal.
 * Returns    false when `in` is anything else; `*out` is then zeroed.
 * Ownership  borrowed until return. */
__attribute__((warn_unused_result)) bool behaviour_parse(struct behaviour *out, json_t *in);

/* The answer of a mode that fails, instead of doing any work; none for BEHAVIOUR_STALL. BEHAVIOUR_RESET is bound
 * to its connection. */
struct reply behaviour_reply(enum behaviour_mode mode, struct MHD_Connection *connection);

#endif
