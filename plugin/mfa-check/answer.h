/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.h: an answer of the communication service that is kept: copied when it came, or read from a file.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "mfa_buffer.h"
#include "mfa_ports.h"
#include "mfa_rules.h"
#include "secrets.h"

struct answer_header {
    char *name;
    char *value;
};

/* Zeroed, there is none; released with answer_clear. */
struct answer {
    struct mfa_gateway_answer given; /* but for the headers */
    struct mfa_buffer body;
    struct answer_header *headers;
    size_t header_count;
};

/* Copies an answer, and of its headers those that anybody wants to know of. */
void answer_copy(struct answer *out, const struct mfa_gateway_answer *from, const struct mfa_rules *rules);

/* Reads what `curl -i` saves: status line, headers, blank line, body, with interim answers before or not. With a `status`
 * other than 0 the whole text is the body. False: there is no status. */
bool answer_parse(struct answer *out, const char *text, size_t len, int status);

/* The answer as the plugin gets it; borrowed, and it must not move. */
struct mfa_gateway_answer answer_view(const struct answer *answer);

/* {"status", "headers", "body"}, or {"failure"} where there was none, without the secrets; owned by caller. */
json_t *answer_json(const struct answer *answer, const struct secrets *secrets);

void answer_clear(struct answer *answer);

#endif
