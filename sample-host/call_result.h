/* SPDX-License-Identifier: Apache-2.0
 *
 * call_result.h: from what a plugin hands over to what the host works with.
 */
#ifndef CALL_RESULT_H
#define CALL_RESULT_H

#include "core_plugin.h"

enum call_kind { CALL_LOGIN, CALL_ROUTE };

/* A sound copy of a core_result: the outcome is permitted for the kind of call, the status for the outcome, and the body is
 * there where one is needed. All spans point into the same allocation and are followed by a NUL. */
struct call_result {
    size_t size; /* of the whole allocation, in bytes */
    uint32_t outcome;
    uint32_t http_status;
    struct core_span body;
    struct core_span secret_grant;
    size_t header_count;
    struct core_header headers[];
};

/* Copies `source`. Returns CORE_OK: `*out` is owned by caller, release with call_result_free; or NULL, when the table of
 * core_result makes this a denial with the host's own 500. CORE_ERR_ARGUMENT, CORE_ERR_MEMORY: `*out` is NULL. Where it is
 * NULL, `*objection` says why, for the log: static text that goes on behind "its result". */
core_status call_result_copy(enum call_kind kind, const struct core_result *source, struct call_result **out,
                             const char **objection) __attribute__((warn_unused_result));

/* Zeroes and frees. Accepts NULL. */
void call_result_free(struct call_result *result);

#endif
