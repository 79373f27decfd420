/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.h: carries a recorded call out: the real engine, fed with the recorded configuration, sends a request over the
 * detour to a service on loopback, which answers as recorded.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <jansson.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_host.h"
#include "harness_gateway.h"
#include "mfa_config.h"
#include "mfa_verdict.h"
#include "recording.h"

/* For cmocka: what the functions below need, one for the whole group. */
int replay_setup(void **state);
int replay_teardown(void **state);

/* Reads the recorded configuration. The test fails when it is not accepted. Release with mfa_config_clear. */
void replay_configure(struct mfa_config *out, const struct recording *recording);

/* Sets libcurl's clock to the recorded time, and a fake host's. */
void replay_set_clocks(const struct recording *recording, struct fake_host *host);

/* Forgets all requests and has the service answer a call (`single`, `challenge`, `verify`) as recorded (`response`,
 * borrowed; NULL: an empty 200) from now on. */
void replay_answer(const struct recording *recording, const char *call, const json_t *response);

/* The engine, and how many requests the service has had since replay_answer. */
struct mfa_gateway_port replay_gateway_port(void);
size_t replay_request_count(void);

/* A call to be made. All borrowed. */
struct replay_call {
    const struct recording *recording;
    const char *name;        /* `single`, `challenge` or `verify` */
    const json_t *user_data; /* NULL: the recorded one */
    const char *code;        /* NULL: none */
    const json_t *response;  /* as recorded; NULL: an empty 200 */
};

/* What came of it; release with replayed_clear. */
struct replayed {
    const struct gateway_request *request; /* not one for a token; NULL: none was sent. Borrowed until the next call */
    const char *url;                       /* what it was made to; borrowed likewise */
    struct mfa_finding finding;            /* what the answer was taken for */
    sem_t done;
};

void replay(const struct replay_call *call, struct replayed *out);
void replayed_clear(struct replayed *replayed);

#endif
