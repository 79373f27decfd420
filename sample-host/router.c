/* SPDX-License-Identifier: Apache-2.0 */
#include "router.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define PLACEHOLDER "{username}"
#define PLACEHOLDER_LEN (sizeof(PLACEHOLDER) - 1)

struct router {
    struct route *routes;
};

struct router *router_new(void)
{
    return calloc(1, sizeof(struct router));
}

void router_free(struct router *router)
{
    struct route *route, *next;

    if (!router)
        return;
    LL_FOREACH_SAFE(router->routes, route, next)
    {
        free(route);
    }
    free(router);
}

bool router_is_username(const char *text, size_t len)
{
    if (len < STORAGE_USERNAME_MIN || len > STORAGE_USERNAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9') || text[i] == '-'))
            return false;
    return true;
}

static bool is_placeholder(const char *segment, size_t len)
{
    return len == PLACEHOLDER_LEN && memcmp(segment, PLACEHOLDER, len) == 0;
}

/* Steps to the next segment of a path; `*path` points at its slash. */
static const char *next_segment(const char **path, size_t *len)
{
    const char *segment = *path + 1;

    *path = strchrnul(segment, '/');
    *len = (size_t)(*path - segment);
    return segment;
}

static bool segment_is_literal(const char *segment, size_t len)
{
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = segment[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c)))
            return false;
    }
    return true;
}

static bool path_is_sound(const char *path)
{
    size_t placeholders = 0, len = 0;

    if (strcmp(path, "/") == 0)
        return true;
    if (path[0] != '/')
        return false;
    while (*path) {
        const char *segment = next_segment(&path, &len);
        if (is_placeholder(segment, len))
            placeholders++;
        else if (!segment_is_literal(segment, len))
            return false;
    }
    return placeholders <= 1;
}

/* Whether some request would match both. */
static bool paths_overlap(const char *a, const char *b)
{
    size_t a_len = 0, b_len = 0;

    while (*a && *b) {
        const char *a_segment = next_segment(&a, &a_len), *b_segment = next_segment(&b, &b_len);
        bool either_takes_names = is_placeholder(a_segment, a_len)
                                      ? is_placeholder(b_segment, b_len) || router_is_username(b_segment, b_len)
                                      : is_placeholder(b_segment, b_len) && router_is_username(a_segment, a_len);
        if (!either_takes_names && (a_len != b_len || memcmp(a_segment, b_segment, a_len) != 0))
            return false;
    }
    return *a == *b;
}

static void split(struct route *route)
{
    const char *placeholder = strstr(route->path, PLACEHOLDER);

    route->has_username = placeholder != NULL;
    route->prefix_len = placeholder ? (size_t)(placeholder - route->path) : strlen(route->path);
    route->suffix_len = placeholder ? strlen(placeholder + PLACEHOLDER_LEN) : 0;
}

core_status router_add(struct router *router, const struct route *source)
{
    struct route *route;

    if (!path_is_sound(source->path))
        return CORE_ERR_ARGUMENT;
    LL_FOREACH(router->routes, route)
    {
        if (strcmp(route->method, source->method) == 0 && paths_overlap(route->path, source->path))
            return CORE_ERR_ARGUMENT;
    }
    route = malloc(sizeof(*route));
    if (!route)
        return CORE_ERR_MEMORY;
    *route = *source;
    split(route);
    LL_APPEND(router->routes, route);
    return CORE_OK;
}

/* The last character tells most paths apart. */
static bool ends_with(const char *path, size_t len, const char *suffix, size_t suffix_len)
{
    return suffix_len == 0 ||
           (path[len - 1] == suffix[suffix_len - 1] && memcmp(path + len - suffix_len, suffix, suffix_len) == 0);
}

static bool path_matches(const struct route *route, const char *path, size_t len)
{
    const char *suffix = route->path + route->prefix_len + (route->has_username ? PLACEHOLDER_LEN : 0);

    /* The end first: paths begin alike. */
    if (len < route->prefix_len + route->suffix_len || !ends_with(path, len, suffix, route->suffix_len) ||
        memcmp(path, route->path, route->prefix_len) != 0)
        return false;
    len -= route->prefix_len + route->suffix_len;
    return route->has_username ? router_is_username(path + route->prefix_len, len) : len == 0;
}

struct route *router_find(struct router *router, const char *method, const char *path,
                          char username[static STORAGE_USERNAME_MAX + 1])
{
    size_t len = strlen(path);
    struct route *route;

    username[0] = '\0';
    LL_FOREACH(router->routes, route)
    {
        if (!path_matches(route, path, len) || strcmp(route->method, method) != 0)
            continue;
        if (route->has_username) {
            len -= route->prefix_len + route->suffix_len;
            memcpy(username, path + route->prefix_len, len);
            username[len] = '\0';
        }
        return route;
    }
    return NULL;
}

struct route *router_routes(struct router *router)
{
    return router->routes;
}
