/* SPDX-License-Identifier: Apache-2.0
 *
 * router.h: the routes of the host and of its plugins. Routes are added while the host starts; from then on they are only
 * read, from any thread.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core_plugin.h"
#include "storage.h"

struct exchange;
struct plugin;
struct router;

/* Besides CORE_AUTH_...: any access of the user in the path. Only the host's own routes use it. */
#define ROUTE_AUTH_ANY_ACCESS UINT32_C(0x80000001)

#define ROUTE_BODY_MAX 16384               /* of the host's own routes, in bytes */
#define ROUTE_BODY_LIMIT (8 * 1024 * 1024) /* the longest a plugin may ask for */

/* Answers the exchange, now or later. */
typedef void route_handler_fn(struct exchange *exchange);

struct route {
    const char *method; /* static */
    const char *path;   /* static: "/", or literal segments and "{username}" at most once */
    uint32_t auth;
    size_t max_body_len;
    route_handler_fn *handler;
    struct plugin *plugin;           /* static; NULL: a route of the host */
    core_route_fn *hook;             /* of the plugin */
    void *context;                   /* of the plugin; static */
    atomic_uint_fast64_t answers[6]; /* by status class */
    bool has_username;               /* of the router, as the two below */
    size_t prefix_len;               /* of the path up to {username}, or all of it */
    size_t suffix_len;               /* of the path behind {username} */
    struct route *next;              /* of the router */
};

/* Returns NULL when there is no memory. Owned by caller, release with router_free. */
struct router *router_new(void);

/* Accepts NULL. */
void router_free(struct router *router);

/* Adds a copy of `source`. CORE_ERR_ARGUMENT: a path is malformed, or some request would match two routes;
 * CORE_ERR_MEMORY. */
core_status router_add(struct router *router, const struct route *source) __attribute__((warn_unused_result));

/* Finds the route of a request; NULL: there is none. `username`, empty when the route has none, is what stands in the
 * place of {username}; a segment that no username can be does not match. The result is static. */
struct route *router_find(struct router *router, const char *method, const char *path,
                          char username[static STORAGE_USERNAME_MAX + 1]);

/* The first route; the others follow by `next`. */
struct route *router_routes(struct router *router);

/* Whether the text is 5 to 60 of a-z0-9-. */
bool router_is_username(const char *text, size_t len);

#endif
