/* SPDX-License-Identifier: Apache-2.0
 *
 * A strict reader of the operator's YAML, over libyaml's documents. It knows where everything stands, so that each problem
 * is one line with key, file, line and remedy, and it refuses what YAML would let pass: repeated keys, aliases, tags, a
 * second document, more than 32 levels, 256 entries in one mapping, or 256 KiB.
 *
 * What a scalar is: quoted or block text is a string. Plain text is a string unless YAML 1.1 or 1.2 would read it as null
 * (nothing, `~`, `null`), a boolean (`yes` and `off` included), a number or a date; those must be quoted to be strings.
 * A whole number is plain decimal digits.
 *
 * A document and its nodes belong to one thread at a time.
 */
#ifndef MFA_YAML_H
#define MFA_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_config.h"
#include "mfa_expand.h"
#include "mfa_status.h"

#define MFA_YAML_MAX_LEN 262144
#define MFA_YAML_MAX_DEPTH 32
#define MFA_YAML_MAX_ENTRIES 256

struct mfa_yaml;

/* A value in the document; borrowed from it. */
struct mfa_yaml_node;

/* Reads a document, or of a document what stands at `source->path`. `source`, what it points to, and `report_ctx` are
 * borrowed until mfa_yaml_free.
 * On success `*out` is owned by the caller, released with mfa_yaml_free; mistakes that leave the rest readable (a repeated
 * key) have been reported and counted.
 * Returns MFA_OK; MFA_ERR_CONFIG: nothing can be read, which has been reported; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_yaml_parse(struct mfa_yaml **out, const struct mfa_config_source *source,
                                              mfa_config_report_fn *report, void *report_ctx);

/* Reads a document that `place`, a node of another one, asks for. Problems are reported where the other's are, and count
 * there as well. Borrows and returns as mfa_yaml_parse does. */
MFA_MUST_CHECK enum mfa_status mfa_yaml_parse_for(struct mfa_yaml **out, const struct mfa_config_source *source,
                                                  const struct mfa_yaml_node *place);

/* Replaces `${env:}`, `${file:}` and, with `parameters`, `${param:}` in every string at `from` or below it, which is a string
 * from then on whatever it looks like. What cannot be replaced is reported. A NULL for `from` is nothing to replace.
 * Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_yaml_expand(const struct mfa_yaml_node *from,
                                               const struct mfa_expand_parameters *parameters);

/* Wipes and frees a document. Accepts NULL. */
void mfa_yaml_free(struct mfa_yaml *yaml);

/* The outermost mapping; NULL when the document is empty or null, or what stands at its path is not there. */
const struct mfa_yaml_node *mfa_yaml_root(const struct mfa_yaml *yaml);

/* How many errors have been reported about the document. */
size_t mfa_yaml_error_count(const struct mfa_yaml *yaml);

/* --- Finding --- */

/* Finds the value under `path` ("sms.endpoints.single"), keys joined by dots, below a mapping; NULL when there is none,
 * it is null, or `from` is NULL. */
const struct mfa_yaml_node *mfa_yaml_find(const struct mfa_yaml_node *from, const char *path);

/* As mfa_yaml_find, but finds a null as well: for keys where leaving the value out must not pass for leaving out the key. */
const struct mfa_yaml_node *mfa_yaml_find_key(const struct mfa_yaml_node *from, const char *path);

/* Finds the i-th value of a mapping, nulls included; NULL past the last. */
const struct mfa_yaml_node *mfa_yaml_entry(const struct mfa_yaml_node *mapping, size_t i);

/* Finds the i-th value of a sequence; NULL past the last, and when it is no sequence. */
const struct mfa_yaml_node *mfa_yaml_item(const struct mfa_yaml_node *sequence, size_t i);

/* The key a node stands under; borrowed. NULL when its parent is no mapping. */
const char *mfa_yaml_key(const struct mfa_yaml_node *node);

/* --- Reading: each reports an error when the node is something else --- */

/* True of a mapping or a sequence; reports nothing. */
bool mfa_yaml_is_collection(const struct mfa_yaml_node *node);

/* True when `node` is a mapping. */
bool mfa_yaml_is_mapping(const struct mfa_yaml_node *node);

/* True when `node` is a mapping; reports each key that is not one of `known` (ends with NULL), and lists those. */
bool mfa_yaml_check_keys(const struct mfa_yaml_node *node, const char *const known[]);

/* The text of a string, NUL-terminated, borrowed; NULL when it is none. */
const char *mfa_yaml_string(const struct mfa_yaml_node *node);

/* True when `node` is one of `names` (ends with NULL), whose place is stored in `*out`. The report lists them. */
bool mfa_yaml_choice(const struct mfa_yaml_node *node, const char *const names[], size_t *out);

/* True when `node` is a whole number, stored in `*out`; one beyond 64 bits is stored as the nearest that fits. */
bool mfa_yaml_integer(const struct mfa_yaml_node *node, int64_t *out);

/* Makes JSON of everything below a node: plain `null`, `true`, `false` and decimal numbers are what they look like, everything
 * else is a string. Any other plain text that some reader of YAML would not take for one must be quoted.
 * Returns MFA_OK, `*out` owned by the caller, released with mfa_json_free; MFA_ERR_CONFIG: reported; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_yaml_json(const struct mfa_yaml_node *node, json_t **out);

/* Likewise of what is sent, where a number must be spelled as its JSON is: 5.130 would go out as 5.13. */
MFA_MUST_CHECK enum mfa_status mfa_yaml_json_as_written(const struct mfa_yaml_node *node, json_t **out);

/* --- Reporting, as "key (file:line): message". Messages never hold values. --- */

void mfa_yaml_error(const struct mfa_yaml_node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Turns what a parser of a node's text returned into a report: `problem` is what it said, or NULL. Only memory is worth an end.
 * Returns MFA_OK or MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_yaml_problem(const struct mfa_yaml_node *node, enum mfa_status status,
                                                const char *problem);

void mfa_yaml_warning(const struct mfa_yaml_node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reports about `path` below the root, with the line of the nearest value that is there. The last key may be followed by the
 * number of an item, "fallback[1]". */
void mfa_yaml_error_at(const struct mfa_yaml *yaml, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void mfa_yaml_warning_at(const struct mfa_yaml *yaml, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
