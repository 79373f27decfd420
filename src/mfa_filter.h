/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters: what may stand behind the name in a placeholder, as in `{{ phone | digits }}`. A filter changes the value; what
 * comes out is still encoded for the place where it lands, so that it stays one value there.
 */
#ifndef MFA_FILTER_H
#define MFA_FILTER_H

#include "mfa_encode.h"

struct mfa_filter {
    const char *name;
    mfa_encode_fn *apply; /* NULL: raw, which takes the encoding of the place away */
};

/* Finds a filter by its name, `len` bytes. Static; NULL: there is none. */
const struct mfa_filter *mfa_filter_find(const char *name, size_t len);

/* digits: the digits of a number however it is written, percent-escapes decoded; refused when there are none.
 * e164: `+` and 7 to 15 digits (ITU-T E.164); `00` in front stands for the `+`, and so does nothing at all. Refused when it
 * begins with a single 0, since that number is a national one.
 * lower: ASCII letters in lower case. base64: RFC 4648, 4, with padding.
 * urlencode, json and xml are the encodings of these names in mfa_encode.h. */
MFA_MUST_CHECK mfa_encode_fn mfa_filter_digits;
MFA_MUST_CHECK mfa_encode_fn mfa_filter_e164;
MFA_MUST_CHECK mfa_encode_fn mfa_filter_lower;
MFA_MUST_CHECK mfa_encode_fn mfa_filter_base64;

#endif
