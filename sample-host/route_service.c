/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"
#include "routes.h"

#define HOME "https://pryv.github.io/"

static void get_service_info(struct exchange *exchange)
{
    const char *address = exchange->host->address;
    json_t *info =
        json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",                //
                  "register", json_sprintf("http://%s/", address),                     //
                  "access", json_sprintf("http://%s/access/", address),                //
                  "api", json_sprintf("http://%s/{username}/", address),               //
                  "name", "Sample host", "home", HOME, "support", HOME, "terms", HOME, //
                  "eventTypes", HOME "event-types/flat.json", "version", ANSWER_API_VERSION, "serial", ANSWER_SERIAL);

    exchange_answer(exchange, 200, answer_json(info)); /* transferred */
}

core_status route_service_add(struct router *router)
{
    return router_add(router, &(struct route){.method = "GET",
                                              .path = "/service/info",
                                              .auth = CORE_AUTH_NONE,
                                              .max_body_len = 0,
                                              .handler = get_service_info});
}
