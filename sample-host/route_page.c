/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "host.h"
#include "page_files.h"
#include "routes.h"

static const struct page_file {
    const char *path;
    const char *media_type;
    const char *text;
} files[] = {
    {"/", "text/html; charset=utf-8", page_html},
    {"/page.js", "text/javascript; charset=utf-8", page_js},
    {"/page.css", "text/css; charset=utf-8", page_css},
    {"/page.svg", "image/svg+xml", page_svg},
};
static const size_t file_count = sizeof(files) / sizeof(files[0]);

/* Passwords and codes are typed into the page: nothing runs in it, and nothing leaves it for elsewhere, that is not of this
 * host. */
static const struct {
    const char *name;
    const char *value;
} headers[] = {
    {"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-cache"},
};

static struct MHD_Response *make_response(const struct page_file *file)
{
    struct MHD_Response *response = answer_text(file->media_type, (struct core_span){file->text, strlen(file->text)});

    for (size_t i = 0; response && i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES) {
            MHD_destroy_response(response);
            return NULL;
        }
    }
    return response;
}

static void get_file(struct exchange *exchange)
{
    const struct page_file *file = files;

    while (strcmp(file->path, exchange->route->path) != 0)
        file++;
    exchange_answer(exchange, 200, make_response(file)); /* transferred */
}

core_status route_page_add(struct router *router)
{
    core_status status = CORE_OK;

    for (size_t i = 0; i < file_count && status == CORE_OK; i++)
        status = router_add(
            router,
            &(struct route){.method = "GET", .path = files[i].path, .auth = CORE_AUTH_NONE, .handler = get_file});
    return status;
}
