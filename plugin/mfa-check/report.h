/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h: what the tool has found out, as JSON for scripts and as text for people.
 */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "answer.h"
#include "arguments.h"
#include "call.h"
#include "sending.h"
#include "subject.h"

/* Of the configuration: {"problems", "configuration"}; owned by caller. */
json_t *report_configuration(const struct subject *subject);

/* Of a rehearsal: {"code", "attempts": [{"endpoint", "request"}]}; owned by caller. */
json_t *report_requests(const struct call *call, const struct sending *sending);

/* Of what was sent: {"code", "attempts": [{"endpoint", "request", "answer", "rules", "verdict", "why"}], "verdict",
 * "why", "retryAfterSeconds", "captured"}; owned by caller. */
json_t *report_sending(const struct subject *subject, const struct call *call, const struct sending *sending);

/* The same of an answer that was saved, without a request; owned by caller. */
json_t *report_answer(struct subject *subject, const struct call *call, const struct answer *answer);

/* Prints a report. */
void report_print_json(const json_t *report);
void report_print_configuration(const json_t *report, const char *file);
void report_print_requests(const json_t *report);
void report_print_curl(const json_t *report);
void report_print_verdict(const json_t *report, const struct arguments *arguments);

/* EXIT_FINE when the message was sent or the code accepted. */
int report_exit_status(const json_t *report);

#endif
