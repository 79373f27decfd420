/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plugin adds to the login of a user without MFA, in process: the sample host's library, with the built plugin in
 * it, calls the login hook as its login chain does, against the one thing that the hook cannot do without, the host's read
 * of a field that is not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "calls.h"
#include "measure.h"
#include "plugin.h"
#include "resident.h"

#define ROUNDS 11
#define TIMES 50000

struct desk {
    struct resident resident;
    struct storage_user user;
    size_t allowed;
};

static void settle(void *owner, struct call_result *result, const char *objection)
{
    struct desk *desk = owner;

    (void)objection;
    desk->allowed += result != NULL && result->outcome == CORE_ALLOW;
    call_result_free(result);
}

static void close_call(void *owner)
{
    (void)owner;
}

static const struct call_events events = {settle, close_call};

static struct core_span span_of(const char *text)
{
    return (struct core_span){text, strlen(text)};
}

/* Nanoseconds each. */
static double call_hook(void *context)
{
    struct desk *desk = context;
    struct calls *calls = desk->resident.host.calls;
    const struct plugin *plugin = &desk->resident.host.plugins[0];
    const struct core_login login = {.struct_size = sizeof login,
                                     .user_id = span_of(desk->user.id),
                                     .username = span_of(desk->user.username),
                                     .client_address = span_of("203.0.113.7"),
                                     .app_id = span_of("bench"),
                                     .grant = span_of("a grant")};
    core_call call = 0;

    desk->allowed = 0;
    double start_s = measure_now_s();
    for (size_t i = 0; i < TIMES; i++) {
        if (calls_open(calls, plugin, CALL_LOGIN, &events, desk, -1, &call) != CORE_OK)
            abort();
        plugin->descriptor->hooks->login(plugin->instance, call, &login);
        calls_hook_returned(calls);
    }
    start_s = measure_now_s() - start_s;
    if (desk->allowed != TIMES)
        abort();
    return start_s / TIMES * 1e9;
}

static double read_profile(void *context)
{
    struct desk *desk = context;
    const struct core_host *table = &desk->resident.host.plugins[0].table;
    char buffer[2048];
    uint64_t len = 0, version = 0;
    double start_s = measure_now_s();

    for (size_t i = 0; i < TIMES; i++)
        if (table->profile_load(table, span_of(desk->user.id), "mfa", buffer, sizeof buffer, &len, &version) !=
            CORE_ERR_NOT_FOUND)
            abort();
    return (measure_now_s() - start_s) / TIMES * 1e9;
}

/* What the host itself does around every call of a hook, without a hook. */
static double open_call(struct desk *desk)
{
    const struct plugin *plugin = &desk->resident.host.plugins[0];
    const struct core_result allow = {.struct_size = sizeof allow, .outcome = CORE_ALLOW};
    core_call call = 0;
    double start_s = measure_now_s();

    for (size_t i = 0; i < TIMES; i++) {
        if (calls_open(desk->resident.host.calls, plugin, CALL_LOGIN, &events, desk, -1, &call) != CORE_OK ||
            plugin->table.complete(&plugin->table, call, &allow) != CORE_OK)
            abort();
        calls_hook_returned(desk->resident.host.calls);
    }
    return (measure_now_s() - start_s) / TIMES * 1e9;
}

int main(void)
{
    static struct desk desk;
    struct measure_pair pair;

    if (sodium_init() < 0)
        abort();
    resident_start(&desk.resident, RESIDENT_SINGLE);
    snprintf(desk.user.username, sizeof desk.user.username, "julia");
    snprintf(desk.user.language, sizeof desk.user.language, "en");
    if (storage_add_user(desk.resident.host.storage, &desk.user, "julia@example.com", "none") != CORE_OK)
        abort();
    pair = measure_in_turn(call_hook, read_profile, &desk, ROUNDS);
    measure_print_row(&(struct measure_row){
        .row = "login-without-mfa",
        .what = "login hook for a user without MFA, in process",
        .against = "the host's own read of the profile",
        .unit = "ns",
        .value = pair.value,
        .reference = pair.reference,
        .goal = MEASURE_AT_MOST,
        .limit = 1.3,
        .context = json_pack("{s:f}", "of_it_the_host_opening_and_ending_a_call_ns", open_call(&desk))});
    resident_stop(&desk.resident);
    return 0;
}
