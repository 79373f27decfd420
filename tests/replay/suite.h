/* SPDX-License-Identifier: Apache-2.0
 *
 * suite.h: a group of tests that grows with the recordings.
 */
#ifndef SUITE_H
#define SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recording.h"

/* What a test is about: its state. */
struct subject {
    const struct recording *recording;
    const char *call;       /* `single`, `challenge` or `verify` */
    const json_t *exchange; /* a recorded one; NULL: the call as such */
};

struct suite {
    struct recordings recordings;
    struct CMUnitTest *tests; /* each with a name and a state of its own */
    size_t count;
};

/* Reads the recordings. Release with suite_clear. */
void suite_init(struct suite *suite);
void suite_clear(struct suite *suite);

/* Adds a test, named RECORDING/CALL/NAME. */
void suite_add(struct suite *suite, CMUnitTestFunction test, const struct subject *subject, const char *name);

/* Runs them with what replay.h needs. Returns how many failed. */
int suite_run(const struct suite *suite, const char *name);

#endif
