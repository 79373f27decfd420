/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions: what an answer of the communication service must look like, as data. A condition that was read is constant:
 * any number of threads may check it at once.
 */
#ifndef MFA_CONDITION_H
#define MFA_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_matcher.h"
#include "mfa_pattern.h"
#include "mfa_pointer.h"
#include "mfa_status.h"

#define MFA_CONDITION_MIN_STATUS 100
#define MFA_CONDITION_MAX_STATUS 599

struct mfa_reading;   /* mfa_reading.h */
struct mfa_yaml_node; /* mfa_yaml.h */

/* What stands in one place of a JSON body. */
struct mfa_condition_member {
    struct mfa_pointer *pointer;
    struct mfa_matcher matcher;
    bool is_success; /* the operator wrote it as `success` */
};

enum mfa_condition_body { MFA_CONDITION_ANY_BODY = 0, MFA_CONDITION_EMPTY_BODY, MFA_CONDITION_FILLED_BODY };

/* All that is said must hold; zeroed, it says nothing. */
struct mfa_condition {
    bool has_status;
    uint8_t
        statuses[(MFA_CONDITION_MAX_STATUS + 1 - MFA_CONDITION_MIN_STATUS + 7) / 8]; /* a bit each, from the least on */
    bool needs_2xx;                                                                  /* unless `has_status` */
    struct mfa_condition_member *members;
    size_t member_count;
    struct mfa_pattern *text; /* NULL: any */
    enum mfa_condition_body body;
};

/* Reads a mapping of `status`, `json`, `text` and `empty` into a condition, which may say something already. Problems are
 * reported on the node they are about. Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_condition_read(struct mfa_condition *condition, const struct mfa_yaml_node *node);

/* Adds a place of the body, and leaves the matcher to the caller. `pointer` is borrowed until return; problems with it, and
 * a place of which both `json` and `success` say something, are reported on `node`.
 * Returns MFA_OK with `*out` borrowed until the next is added, or NULL: reported; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_condition_add(struct mfa_condition *condition, const char *pointer, bool is_success,
                                                 const struct mfa_yaml_node *node, struct mfa_condition_member **out);

/* Frees what the condition owns and zeroes it. Accepts a zeroed struct. */
void mfa_condition_clear(struct mfa_condition *condition);

/* What of a condition an answer does not meet, or what could not be found out. */
enum mfa_condition_part {
    MFA_PART_NONE = 0, /* it meets all */
    MFA_PART_STATUS,
    MFA_PART_JSON,   /* there is no JSON at all */
    MFA_PART_MEMBER, /* something else stands in a place of it, or nothing */
    MFA_PART_TEXT,
    MFA_PART_BODY,
};

struct mfa_condition_failure {
    enum mfa_condition_part part;
    const struct mfa_condition_member *member; /* for JSON and MEMBER; borrowed from the condition */
};

/* Tells the first part that the answer does not meet.
 * Returns MFA_OK; what mfa_matcher_check and mfa_reading_json do, when that part is the one that cannot be known. */
MFA_MUST_CHECK enum mfa_status mfa_condition_check(const struct mfa_condition *condition, struct mfa_reading *reading,
                                                   struct mfa_condition_failure *failure);

/* As mfa_matcher_variable, for pointers and matchers. */
const char *mfa_condition_variable(const struct mfa_condition *condition, size_t *i);

#endif
