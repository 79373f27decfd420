/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of an endpoint, read from YAML as an operator writes them.
 */
#ifndef RULES_FIXTURE_H
#define RULES_FIXTURE_H

#include <stdbool.h>

#include "mfa_rules.h"

struct rules_fixture {
    struct mfa_rules rules;
    char log[4096]; /* every line reported, each with a newline */
};

/* Reads the keys of `text`, any of `expect`, `success`, `outcomes`, `capture` and `retryAfter`, the first line being that of
 * the file. Problems are in the log. The fixture is to be cleared. */
void rules_fixture_read(struct rules_fixture *fixture, const char *text);

/* As rules_fixture_read; a problem fails the test. */
void rules_fixture_init(struct rules_fixture *fixture, const char *text);

void rules_fixture_clear(struct rules_fixture *fixture);

#endif
