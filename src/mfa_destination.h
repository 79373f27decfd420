/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a message goes, as far as the user data say so under a name we know.
 */
#ifndef MFA_DESTINATION_H
#define MFA_DESTINATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "mfa_endpoint.h"
#include "mfa_parameter.h"

#define MFA_DESTINATION_NUMBER_SIZE 32
#define MFA_DESTINATION_SIZE 256 /* of a normalised one, with NUL */

/* The i-th name, in the order in which they are looked for; static. NULL past the last. */
const char *mfa_destination_name(size_t i);

/* True for the name of a variable that is taken for a destination. */
bool mfa_destination_is_name(const char *name);

/* Finds the first of `phone`, `phone_number`, `number`, `to` and `email` that has a value. With an endpoint only those
 * count that it uses: what is not sent is no destination, and a client could fill it in to hide the one that is.
 * `endpoint` may be NULL: any. Returns a text, borrowed from the user data or, for a JSON number, `number`; NULL: none. */
const char *mfa_destination_find(const json_t *user_data, const struct mfa_endpoint *endpoint,
                                 char number[static MFA_DESTINATION_NUMBER_SIZE]);

/* Checks that what `endpoint` is told of the destination is one receiver, spelt in a way that normalising makes equal: a list
 * would be counted as one. There is no separator in it, no `{{`, and at most one `@`; an address has no blank, no bracket and no
 * quote; and a number is of ASCII digits and ` +-.()/`, at most 15 digits (ITU-T E.164), behind a URI's scheme perhaps, or a
 * whole number of JSON. A letter and letters, digits and `-._` are a name.
 * Returns MFA_OK; MFA_ERR_SYNTAX with `*problem` filled in. */
MFA_MUST_CHECK enum mfa_status mfa_destination_check(const json_t *user_data, const struct mfa_endpoint *endpoint,
                                                     struct mfa_parameter_problem *problem);

/* Writes the form in which different spellings of one destination are equal, cut to fit. Percent-escapes are decoded, since
 * user data may come encoded, and white space goes. Without an `@`, what has seven digits or more is a number, whose digits
 * stay but for leading zeros: "+41 79 123 12 12", "%2B41791231212" and "0041791231212" are all 41791231212. Anything else
 * becomes lower case. */
void mfa_destination_normalise(const char *text, char normal[static MFA_DESTINATION_SIZE]);

#endif
