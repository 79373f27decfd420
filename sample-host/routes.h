/* SPDX-License-Identifier: Apache-2.0
 *
 * routes.h: the host's own routes, one file per group.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "core_plugin.h"
#include "exchange.h"
#include "router.h"

/* Each adds the routes of its group. */
core_status route_accesses_add(struct router *router) __attribute__((warn_unused_result));
core_status route_login_add(struct router *router) __attribute__((warn_unused_result));
core_status route_metrics_add(struct router *router) __attribute__((warn_unused_result));
core_status route_page_add(struct router *router) __attribute__((warn_unused_result));
core_status route_profile_add(struct router *router) __attribute__((warn_unused_result));
core_status route_service_add(struct router *router) __attribute__((warn_unused_result));
core_status route_users_add(struct router *router) __attribute__((warn_unused_result));

#endif
