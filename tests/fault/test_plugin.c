/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugin itself, as a host sees it: making an instance, and a login, with the first, the second, ... the last thing that
 * is needed failing. What happens within the flows is test_flows.c's business.
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "core_cap_kv.h"
#include "core_cap_metrics.h"
#include "fault.h"
#include "wire_service.h"

extern const struct core_plugin_descriptor core_plugin_descriptor;

/* --- A host --------------------------------------------------------------------------------------------------------- */

#define MONOTONIC_MS 86399977

/* More than the plugin expects, so that it reads twice. */
static const char enrolment[3000] = "{\"content\":{\"number\":\"41791231212\",\"message\":\"{{ code }}\"},"
                                    "\"recoveryCodes\":[],\"confirmedAt\":1.5}";

struct desk {
    struct core_host table;
    struct wire_service service;
    bool has_mfa; /* who logs in */
    unsigned completions;
    uint32_t outcome; /* of the last one */
    bool has_body;
    sem_t completed;
};

static void log_line(const struct core_host *host, uint32_t level, struct core_span line)
{
    (void)host, (void)level, (void)line;
}

static core_status wall_clock(const struct core_host *host, int64_t *unix_ms)
{
    (void)host;
    *unix_ms = 1700000000123;
    return fault_strikes(FAULT_CLOCK) ? CORE_ERR_INTERNAL : CORE_OK;
}

static core_status monotonic_clock(const struct core_host *host, uint64_t *ms)
{
    (void)host;
    *ms = MONOTONIC_MS;
    return fault_strikes(FAULT_CLOCK) ? CORE_ERR_INTERNAL : CORE_OK;
}

static core_status complete(const struct core_host *host, core_call call, const struct core_result *result)
{
    struct desk *desk = host->host_data;

    (void)call;
    desk->completions++;
    desk->outcome = result->outcome;
    desk->has_body = result->body.len > 0;
    sem_post(&desk->completed);
    return CORE_OK;
}

static core_status call_info(const struct core_host *host, core_call call, struct core_call_info *info)
{
    (void)host, (void)call;
    info->cancelled = 0;
    info->deadline_ms = MONOTONIC_MS + 30000;
    return CORE_OK;
}

static core_status profile_load(const struct core_host *host, struct core_span user_id, const char *field, void *buffer,
                                uint64_t size, uint64_t *len, uint64_t *version)
{
    const struct desk *desk = host->host_data;
    const bool is_there = desk->has_mfa && strcmp(field, "mfa") == 0;

    (void)user_id;
    *len = *version = 0;
    if (fault_strikes(FAULT_LOAD))
        return CORE_ERR_INTERNAL;
    if (!is_there)
        return CORE_ERR_NOT_FOUND;
    *len = sizeof enrolment;
    if (size < sizeof enrolment)
        return CORE_ERR_TOO_SMALL;
    memset(buffer, ' ', sizeof enrolment);
    memcpy(buffer, enrolment, strlen(enrolment));
    *version = 1;
    return CORE_OK;
}

static core_status profile_store(const struct core_host *host, struct core_span user_id, const char *field,
                                 uint64_t expected, struct core_span value)
{
    (void)host, (void)user_id, (void)field, (void)expected, (void)value;
    return CORE_ERR_INTERNAL;
}

static core_status password_check(const struct core_host *host, struct core_span user_id, struct core_span password)
{
    (void)host, (void)user_id, (void)password;
    return CORE_ERR_INTERNAL;
}

static core_status register_route(const struct core_host *host, const struct core_route *route)
{
    (void)host, (void)route;
    return fault_strikes(FAULT_REGISTER) ? CORE_ERR_MEMORY : CORE_OK;
}

static core_status kv_get(const struct core_host *host, struct core_span key, void *buffer, uint64_t size,
                          uint64_t *len, uint64_t *version)
{
    (void)host, (void)key, (void)buffer, (void)size;
    *len = *version = 0;
    return fault_strikes(FAULT_LOAD) ? CORE_ERR_INTERNAL : CORE_ERR_NOT_FOUND;
}

static core_status kv_put(const struct core_host *host, struct core_span key, struct core_span value,
                          int64_t expires_ms, uint64_t *version)
{
    (void)host, (void)key, (void)value, (void)expires_ms;
    *version = 1;
    return fault_strikes(FAULT_STORE) ? CORE_ERR_INTERNAL : CORE_OK;
}

static core_status define(const struct core_host *host, const struct core_metric *metric, uint64_t *id)
{
    (void)host, (void)metric;
    *id = 1;
    return fault_strikes(FAULT_REGISTER) ? CORE_ERR_MEMORY : CORE_OK;
}

static void record(const struct core_host *host, uint64_t id, const uint32_t *label_values, int64_t number)
{
    (void)host, (void)id, (void)label_values, (void)number;
}

static const void *capability(const struct core_host *host, const char *id)
{
    static const struct core_cap_kv kv = {.struct_size = sizeof kv, .get = kv_get, .put = kv_put};
    static const struct core_cap_metrics metrics = {.struct_size = sizeof metrics, .define = define, .record = record};

    (void)host;
    return strcmp(id, CORE_CAP_KV_ID) == 0 ? (const void *)&kv : &metrics;
}

static const struct core_host host_table = {.struct_size = sizeof host_table,
                                            .api_major = CORE_API_MAJOR,
                                            .api_minor = CORE_API_MINOR,
                                            .log = log_line,
                                            .wall_clock = wall_clock,
                                            .monotonic_clock = monotonic_clock,
                                            .complete = complete,
                                            .call_info = call_info,
                                            .profile_load = profile_load,
                                            .profile_store = profile_store,
                                            .password_check = password_check,
                                            .register_route = register_route,
                                            .capability = capability};

/* libcurl, and what is below it, is set up once for the whole process. */
static int set_desk(void **state)
{
    static struct desk desk;
    static const struct wire_reply reply = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};

    desk.table = host_table;
    desk.table.host_data = &desk;
    sem_init(&desk.completed, 0, 0);
    (void)fault_count(false);
    wire_service_start(&desk.service, &reply, 1);
    (void)fault_count(true);
    *state = &desk;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int clear_desk(void **state)
{
    struct desk *desk = *state;

    curl_global_cleanup();
    wire_service_stop(&desk->service);
    sem_destroy(&desk->completed);
    return 0;
}

static struct core_span span_of(const char *text)
{
    return (struct core_span){text, strlen(text)};
}

#define YAML_SIZE 256

static struct core_config configure(const struct desk *desk, char yaml[static YAML_SIZE])
{
    struct core_config config = {
        .struct_size = sizeof config, .format = CORE_CONFIG_YAML, .origin = span_of("test.yml"), .origin_line = 1};

    snprintf(yaml, YAML_SIZE,
             "mode: single\n"
             "sms: {endpoints: {single: {url: 'http://127.0.0.1:%u/{{ number }}?text={{ message }}', method: GET}}}\n",
             (unsigned)desk->service.port);
    config.text = span_of(yaml);
    return config;
}

static core_status create(struct desk *desk, void **instance)
{
    char yaml[YAML_SIZE];
    const struct core_config config = configure(desk, yaml);

    return core_plugin_descriptor.create(&desk->table, &config, instance);
}

/* Fails the test when that takes too long. */
static void await_completion(struct desk *desk)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(sem_timedwait(&desk->completed, &until), 0);
}

static void destroy(void *instance)
{
    core_plugin_descriptor.hooks->stop(instance);
    core_plugin_descriptor.destroy(instance);
}

/* --- The tests ------------------------------------------------------------------------------------------------------ */

static bool create_under(void *state, const struct fault *fault)
{
    void *instance = NULL;
    core_status status = CORE_OK;
    bool was_met = false;

    fault_arm(fault);
    status = create(state, &instance);
    was_met = fault_disarm();
    FAULT_EXPECT(fault, (status != CORE_OK) == (instance == NULL));
    /* The gateway's thread goes on after a wait that failed. */
    FAULT_EXPECT(fault, was_met == (status != CORE_OK) || fault->kind == FAULT_IO);
    if (instance != NULL)
        destroy(instance);
    return status != CORE_OK;
}

static void an_instance_is_made_whole_or_not_at_all(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_MEMORY, FAULT_THREAD, FAULT_IO,      FAULT_CLOCK,
                                            FAULT_LOAD,   FAULT_STORE,  FAULT_REGISTER};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        fault_exhaust(state, kinds[i], create_under);
}

static void log_in(struct desk *desk, void *instance)
{
    const struct core_login login = {.struct_size = sizeof login,
                                     .user_id = span_of("id-alice"),
                                     .username = span_of("alice"),
                                     .client_address = span_of("203.0.113.7"),
                                     .grant = span_of("a grant")};

    desk->completions = 0;
    core_plugin_descriptor.hooks->login(instance, 1, &login);
    await_completion(desk);
}

static bool log_in_under(void *state, const struct fault *fault)
{
    struct desk *desk = state;
    const uint32_t expected = desk->has_mfa ? CORE_CHALLENGE : CORE_ALLOW;
    void *instance = NULL;
    bool was_met = false;

    assert_int_equal(create(desk, &instance), CORE_OK);
    fault_arm(fault);
    log_in(desk, instance);
    was_met = fault_disarm();
    destroy(instance);
    FAULT_EXPECT(fault, desk->completions == 1);
    if (was_met && !desk->has_mfa)
        FAULT_EXPECT(fault, desk->outcome == CORE_DENY);
    if (was_met && desk->outcome == CORE_DENY)
        return true;
    FAULT_EXPECT(fault, desk->outcome == expected && desk->has_body == desk->has_mfa);
    return was_met;
}

static void no_fault_lets_a_user_in(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_MEMORY, FAULT_CLOCK, FAULT_LOAD};
    struct desk *desk = *state;

    for (int has_mfa = 0; has_mfa < 2; has_mfa++) {
        desk->has_mfa = has_mfa != 0;
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            fault_exhaust(state, kinds[i], log_in_under);
    }
}

static bool reconfigure_under(void *state, const struct fault *fault)
{
    struct desk *desk = state;
    char yaml[YAML_SIZE];
    const struct core_config config = configure(desk, yaml);
    core_status status = CORE_OK;
    void *instance = NULL;
    bool was_met = false;

    assert_int_equal(create(desk, &instance), CORE_OK);
    fault_arm(fault);
    status = core_plugin_descriptor.hooks->reconfigure(instance, &config);
    was_met = fault_disarm();
    log_in(desk, instance);
    destroy(instance);
    FAULT_EXPECT(fault, status == (was_met ? CORE_ERR_MEMORY : CORE_OK));
    FAULT_EXPECT(fault, desk->outcome == CORE_CHALLENGE);
    return was_met;
}

static void an_instance_outlives_a_configuration_it_cannot_take_over(void **state)
{
    struct desk *desk = *state;

    desk->has_mfa = true;
    fault_exhaust(state, FAULT_MEMORY, reconfigure_under);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_is_made_whole_or_not_at_all),
        cmocka_unit_test(no_fault_lets_a_user_in),
        cmocka_unit_test(an_instance_outlives_a_configuration_it_cannot_take_over),
    };

    return cmocka_run_group_tests(tests, set_desk, clear_desk);
}
