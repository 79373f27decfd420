/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "calls.h"
#include "clock.h"
#include "host.h"
#include "metrics.h"
#include "routes.h"

/* Prometheus text exposition format, version 0.0.4. */
static void write_answers(FILE *out, struct router *router)
{
    (void)fputs("# HELP host_http_answers_total Answers by route and class of status.\n"
                "# TYPE host_http_answers_total counter\n",
                out);
    for (struct route *route = router_routes(router); route; route = route->next) {
        for (int class = 1; class <= 5; class ++) {
            uint_fast64_t count = atomic_load_explicit(&route->answers[class], memory_order_relaxed);
            if (count > 0)
                (void)fprintf(out,
                              "host_http_answers_total{method=\"%s\",route=\"%s\",status=\"%dxx\"} %" PRIuFAST64 "\n",
                              route->method, route->path, class, count);
        }
    }
}

static void write_gauges(FILE *out, struct host *host)
{
    uint64_t now_ms = 0;
    bool knows_time = clock_monotonic(&now_ms);

    (void)fprintf(out,
                  "# HELP host_open_calls Calls of plugins' hooks that are not completed.\n"
                  "# TYPE host_open_calls gauge\nhost_open_calls %zu\n"
                  "# HELP host_open_requests Requests that are not answered.\n"
                  "# TYPE host_open_requests gauge\nhost_open_requests %zu\n",
                  calls_count(host->calls), atomic_load(&host->exchanges));
    if (knows_time)
        (void)fprintf(out,
                      "# HELP host_uptime_seconds Time since the host started.\n"
                      "# TYPE host_uptime_seconds gauge\nhost_uptime_seconds %.3f\n",
                      (double)(now_ms - host->started_ms) / 1000.0);
}

static void get_metrics(struct exchange *exchange)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct MHD_Response *response = NULL;

    if (out) {
        write_answers(out, exchange->host->router);
        write_gauges(out, exchange->host);
        metrics_write(exchange->host->metrics, out);
        if (fclose(out) == 0)
            response = answer_text("text/plain; version=0.0.4", (struct core_span){text, len});
    }
    exchange_answer(exchange, 200, response); /* transferred */
    free(text);
}

core_status route_metrics_add(struct router *router)
{
    return router_add(
        router, &(struct route){.method = "GET", .path = "/metrics", .auth = CORE_AUTH_NONE, .handler = get_metrics});
}
