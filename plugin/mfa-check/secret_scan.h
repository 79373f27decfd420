/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_scan.h: a text in which secrets are looked for, from its beginning to its end. It may hold zero bytes.
 */
#ifndef SECRET_SCAN_H
#define SECRET_SCAN_H

#include <stddef.h>
#include <string.h>

#include "secret_places.h"

struct secret_scan {
    const char *at; /* up to here it has been looked through */
    const char *end;
    secret_place_fn *found;
    void *ctx;
};

static inline void secret_scan_found(const struct secret_scan *scan, const char *value, const char *end)
{
    if (end > value)
        scan->found(scan->ctx, value, (size_t)(end - value));
}

/* Where one of `ends` stands from `at` on, or the end of the text. */
static inline const char *secret_scan_find_any(const struct secret_scan *scan, const char *at, const char *ends)
{
    while (at < scan->end && (*at == '\0' || strchr(ends, *at) == NULL))
        at++;
    return at;
}

static inline const char *secret_scan_skip_blanks(const struct secret_scan *scan, const char *at)
{
    while (at < scan->end && *at != '\0' && strchr(" \t\r\n", *at) != NULL)
        at++;
    return at;
}

#endif
