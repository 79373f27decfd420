/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_name.h: names that say that what stands under them is a secret.
 */
#ifndef SECRET_NAME_H
#define SECRET_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* True when one of the words of a name ("apiKey", "x-auth-token", "/access_token") is a word for a secret. */
bool secret_name_is(const char *name, size_t len);

#endif
