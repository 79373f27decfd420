/* SPDX-License-Identifier: Apache-2.0
 *
 * user_cache.h: users that were looked up lately. Every request names one, and asking the database each time costs as much
 * as all the rest of a small request. Nothing is ever invalidated, since users are neither renamed nor removed; that a
 * user does not exist is not remembered.
 */
#ifndef USER_CACHE_H
#define USER_CACHE_H

#include <stdbool.h>

#include "storage.h"

struct user_cache;

/* Returns NULL when there is no memory. Owned by caller, release with user_cache_free. */
struct user_cache *user_cache_new(void);

/* Accepts NULL. */
void user_cache_free(struct user_cache *cache);

/* Copies the user of that name to `*user`; false: not known here, `*user` is untouched. Any thread. */
bool user_cache_find(struct user_cache *cache, const char *username, struct storage_user *user);

/* Remembers a user, in the place of some other one if need be. Any thread. */
void user_cache_add(struct user_cache *cache, const struct storage_user *user);

#endif
