/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings: how a value is written so that it stays one value where it lands. Which one applies is decided when a
 * template is parsed.
 */
#ifndef MFA_ENCODE_H
#define MFA_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "mfa_buffer.h"
#include "mfa_status.h"

/* Appends the encoded `value` (`len` bytes, borrowed until return, not inside `out`).
 * Returns MFA_OK; MFA_ERR_REFUSED: the value cannot stand in this place, whatever its encoding; MFA_ERR_TOO_LARGE or
 * MFA_ERR_MEMORY. What was appended before a failure is to be thrown away. */
typedef enum mfa_status mfa_encode_fn(struct mfa_buffer *out, const char *value, size_t len);

/* URL query and form body (RFC 3986, 2.1): all but unreserved characters becomes %XX, `+` and space included. A valid %XX
 * stays, since user data may come percent-encoded. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_query;

/* URL path: as the query; refuses an empty value, which would take a segment away. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_path;

/* Between the quotes of a JSON string (RFC 8259, 7); refuses what is not UTF-8. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_json_string;

/* Where a JSON value is expected: as it is, if it is exactly one JSON value without repeated keys; else refused. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_json_value;

/* Where a JSON value is expected: the value as a JSON string, quotes and all; refuses what is not UTF-8. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_json_quoted;

/* One token of a JSON pointer (RFC 6901, 3): `~` and `/` are escaped. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_pointer;

/* Tells whether `text` is exactly one JSON value, large integers included; `flags` are those of mfa_json_read.
 * Returns MFA_OK; MFA_ERR_SYNTAX; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_encode_check_json(const char *text, size_t len, size_t flags);

/* True of UTF-8 as RFC 3629 has it: no overlong form, no surrogate, at most U+10FFFF. */
bool mfa_encode_is_utf8(const char *text, size_t len);

/* Header value: as it is; refuses all but printable ASCII and space, so that no value ends the line (RFC 9110, 5.5). */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_header;

/* Text or quoted attribute of XML: `& < > " '` become references; refuses control characters other than tab and line ends
 * (XML 1.0, 2.2) and what is not UTF-8. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_xml;

/* Any other text: as it is; refuses control characters, line ends included. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_plain;

/* As it is, for values that the operator trusts; in a URL without spaces, control characters and `#`, which would end it. */
MFA_MUST_CHECK mfa_encode_fn mfa_encode_raw;
MFA_MUST_CHECK mfa_encode_fn mfa_encode_raw_url;

#endif
