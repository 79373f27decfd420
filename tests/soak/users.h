/* SPDX-License-Identifier: Apache-2.0
 *
 * Users who do one thing after the other, whatever suits where they are: register, log in, enrol, verify, rightly and wrongly,
 * have the code sent again, renew their recovery codes, recover, deactivate; and judge what they are answered.
 */
#ifndef USERS_H
#define USERS_H

#include <stddef.h>

#include "harness_http.h"
#include "service.h"

struct users;

/* All of them; the service is borrowed until users_free. */
struct users *users_new(struct service *service);
void users_free(struct users *users);

/* What user number `user`, who is not waiting for an answer, sends next; borrowed until the answer is given. */
struct http_request users_next(struct users *users, size_t user);

/* What came of it. Asserts that it is an answer, and one that may be given. Transferred: it is cleared. */
void users_take(struct users *users, size_t user, struct http_answer answer);

/* What a user who will not wait for an answer sends, as the bytes of an HTTP request, owned by caller, release with free; NULL:
 * nothing suits. Where the user is does not change with it. */
char *users_in_passing(struct users *users, size_t user);

/* What they have been answered so far. */
struct users_count {
    size_t by_plugin; /* for certain: a host that is too busy answers by itself */
    size_t released;  /* logins, with a second factor */
    size_t enrolled;
};
struct users_count users_count(const struct users *users);

#endif
