/* SPDX-License-Identifier: Apache-2.0
 *
 * The built plugin in a host that fails, or breaks the contract: it refuses to start, or denies, and each call ends once.
 */
#include "nothing.h"

#include <string.h>

#include "core_cap_kv.h"
#include "core_cap_metrics.h"

#define ID_OF(text)                                                                                                    \
    {                                                                                                                  \
        .data = (text), .len = sizeof(text) - 1                                                                        \
    }

/* --- What fails at the start -------------------------------------------------------------------------------------- */

static core_status no_wall_clock(const struct core_host *host, int64_t *unix_ms)
{
    (void)host;
    *unix_ms = 0;
    return CORE_ERR_INTERNAL;
}

static core_status wall_clock_before_1970(const struct core_host *host, int64_t *unix_ms)
{
    (void)host;
    *unix_ms = -1;
    return CORE_OK;
}

static core_status no_monotonic_clock(const struct core_host *host, uint64_t *ms)
{
    (void)host;
    *ms = 0;
    return CORE_ERR_INTERNAL;
}

static core_status monotonic_clock_at_its_end(const struct core_host *host, uint64_t *ms)
{
    (void)host;
    *ms = UINT64_MAX;
    return CORE_OK;
}

static core_status no_fourth_route(const struct core_host *host, const struct core_route *route)
{
    (void)route;
    return ++nothing_of(host)->route_count < 4 ? CORE_OK : CORE_ERR_ARGUMENT;
}

static core_status get_more_than_there_is_room(const struct core_host *host, struct core_span key, void *buffer,
                                               uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    (void)host, (void)key;
    memset(buffer, 1, (size_t)buffer_size);
    *len = buffer_size + 1;
    *version = 1;
    return CORE_OK;
}

static core_status put_nothing(const struct core_host *host, struct core_span key, struct core_span value,
                               int64_t expires_ms, uint64_t *version)
{
    (void)host, (void)key, (void)value, (void)expires_ms, (void)version;
    return CORE_ERR_INTERNAL;
}

static const void *odd_kv(const struct core_host *host, const char *id)
{
    static const struct core_cap_kv kv = {
        .struct_size = sizeof kv, .get = get_more_than_there_is_room, .put = put_nothing};

    (void)host;
    return strcmp(id, CORE_CAP_KV_ID) == 0 ? &kv : NULL;
}

static core_status define_nothing(const struct core_host *host, const struct core_metric *metric, uint64_t *id)
{
    (void)host, (void)metric, (void)id;
    return CORE_ERR_ARGUMENT;
}

static void record_nothing(const struct core_host *host, uint64_t id, const uint32_t *label_values, int64_t number)
{
    (void)host, (void)id, (void)label_values, (void)number;
    fail_msg("a metric that was not defined is recorded");
}

static const void *odd_metrics(const struct core_host *host, const char *id)
{
    static const struct core_cap_metrics metrics = {
        .struct_size = sizeof metrics, .define = define_nothing, .record = record_nothing};

    (void)host;
    return strcmp(id, CORE_CAP_METRICS_ID) == 0 ? &metrics : NULL;
}

static void assert_does_not_start(struct nothing *nothing, core_status status)
{
    void *instance = nothing;

    assert_int_equal(nothing_create(nothing, NOTHING_SINGLE, &instance), status);
    assert_null(instance);
    assert_string_equal(nothing->error,
                        "libcurl, a clock, a thread, a route, the key-value table or a metric could not be set up");
    nothing_clear(nothing);
}

static void it_does_not_start_without_a_clock(void **state)
{
    core_wall_clock_fn *const wall_clocks[] = {no_wall_clock, wall_clock_before_1970};
    core_monotonic_clock_fn *const monotonic_clocks[] = {no_monotonic_clock, monotonic_clock_at_its_end};
    struct nothing nothing;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        nothing_init(&nothing);
        nothing.table->wall_clock = wall_clocks[i];
        assert_does_not_start(&nothing, CORE_ERR_INTERNAL);
        nothing_init(&nothing);
        nothing.table->monotonic_clock = monotonic_clocks[i];
        assert_does_not_start(&nothing, CORE_ERR_INTERNAL);
    }
}

static void it_does_not_start_without_one_of_its_routes(void **state)
{
    struct nothing nothing;

    (void)state;
    nothing_init(&nothing);
    nothing.table->register_route = no_fourth_route;
    assert_does_not_start(&nothing, CORE_ERR_ARGUMENT);
    assert_int_equal(nothing.route_count, 4);
}

static void it_does_not_start_with_a_capability_that_fails(void **state)
{
    core_capability_fn *const capabilities[] = {odd_kv, odd_metrics};

    (void)state;
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        struct nothing nothing;
        nothing_init(&nothing);
        nothing.table->capability = capabilities[i];
        assert_does_not_start(&nothing, CORE_ERR_INTERNAL);
    }
}

static core_status no_memory_for_a_metric(const struct core_host *host, const struct core_metric *metric, uint64_t *id)
{
    (void)host, (void)metric, (void)id;
    return CORE_ERR_MEMORY;
}

static const void *metrics_without_memory(const struct core_host *host, const char *id)
{
    static const struct core_cap_metrics metrics = {
        .struct_size = sizeof metrics, .define = no_memory_for_a_metric, .record = record_nothing};

    (void)host;
    return strcmp(id, CORE_CAP_METRICS_ID) == 0 ? &metrics : NULL;
}

static void it_says_that_memory_was_short(void **state)
{
    struct nothing nothing;
    void *instance = &nothing;

    (void)state;
    nothing_init(&nothing);
    nothing.table->capability = metrics_without_memory;
    assert_int_equal(nothing_create(&nothing, NOTHING_SINGLE, &instance), CORE_ERR_MEMORY);
    assert_null(instance);
    assert_string_equal(nothing.error, "not enough memory to start");
    nothing_clear(&nothing);
}

static void a_file_name_that_is_too_long_or_absent_is_left_out(void **state)
{
    static char name[5000];
    struct core_config config = {.struct_size = sizeof config,
                                 .format = CORE_CONFIG_JSON,
                                 .text = ID_OF("{\"mode\": 7}"),
                                 .origin = {.data = name, .len = sizeof name}};
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    memset(name, 'n', sizeof name);
    nothing_init(&nothing);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(plugin->create(nothing.table, &config, &instance), CORE_ERR_CONFIG);
        assert_string_equal(nothing.error, "services.mfa.mode (the configuration:1): must be one of \"disabled\", "
                                           "\"single\", \"challenge-verify\"");
        nothing.error[0] = '\0';
        config.origin = (struct core_span){0};
    }
    nothing_clear(&nothing);
}

/* --- What a hook is given ----------------------------------------------------------------------------------------- */

static void start(struct nothing *nothing, void **instance)
{
    nothing_init(nothing);
    assert_int_equal(nothing_create(nothing, NOTHING_SINGLE, instance), CORE_OK);
}

static void end(struct nothing *nothing, void *instance)
{
    nothing_end(instance);
    nothing_clear(nothing);
}

static const char long_text[CORE_GRANT_MAX + 1];

static const struct core_span no_names[] = {
    {0}, ID_OF("ju\0lia"), {.data = long_text, .len = CORE_USER_ID_MAX + 1}, {.data = "a", .len = UINT64_MAX}};
#define NO_NAME_COUNT (sizeof no_names / sizeof no_names[0])

static const struct core_span no_grants[] = {
    {0}, {.data = "", .len = 0}, {.data = long_text, .len = sizeof long_text}, {.data = "g", .len = UINT64_MAX}};
#define NO_GRANT_COUNT (sizeof no_grants / sizeof no_grants[0])

static void assert_denied(struct nothing *nothing)
{
    assert_int_equal(nothing->completions, 1);
    assert_int_equal(nothing->result.outcome, CORE_DENY);
    assert_int_equal(nothing->result.http_status, 500);
    assert_null(nothing->result.grant.data);
    nothing->completions = 0;
}

static void assert_login_denied(struct nothing *nothing, void *instance, const struct core_login *login)
{
    plugin->hooks->login(instance, 1, login);
    assert_denied(nothing);
}

static const struct core_login good_login = {.struct_size = sizeof good_login,
                                             .user_id = ID_OF("id-julia"),
                                             .username = ID_OF("julia"),
                                             .client_address = ID_OF("203.0.113.7"),
                                             .grant = ID_OF("grant")};

static core_status load_no_field(const struct core_host *host, struct core_span user_id, const char *field,
                                 void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    (void)host, (void)user_id, (void)field, (void)buffer, (void)buffer_size;
    *len = *version = 0;
    return CORE_ERR_NOT_FOUND;
}

static void a_login_whose_input_is_not_as_promised_is_denied(void **state)
{
    struct nothing nothing;
    void *instance = NULL;
    struct core_login login;

    (void)state;
    start(&nothing, &instance);
    nothing.table->profile_load = load_no_field; /* who is not enrolled is let in otherwise */
    for (size_t i = 0; i < NO_NAME_COUNT; i++) {
        login = good_login;
        login.user_id = no_names[i];
        assert_login_denied(&nothing, instance, &login);
        login = good_login;
        login.username = no_names[i];
        assert_login_denied(&nothing, instance, &login);
    }
    for (size_t i = 0; i < NO_GRANT_COUNT; i++) {
        login = good_login;
        login.grant = no_grants[i];
        assert_login_denied(&nothing, instance, &login);
    }
    end(&nothing, instance);
}

static void a_login_needs_no_client_address(void **state)
{
    struct nothing nothing;
    void *instance = NULL;
    struct core_login login = good_login;

    (void)state;
    start(&nothing, &instance);
    nothing.table->profile_load = load_no_field;
    login.client_address = (struct core_span){0};
    plugin->hooks->login(instance, 1, &login);
    assert_int_equal(nothing.completions, 1);
    assert_int_equal(nothing.result.outcome, CORE_ALLOW);
    end(&nothing, instance);
}

static void a_request_whose_user_is_not_as_promised_is_denied(void **state)
{
    const struct core_request good = {
        .struct_size = sizeof good, .user_id = ID_OF("id-julia"), .username = ID_OF("julia")};
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    start(&nothing, &instance);
    for (size_t i = 0; i < NO_NAME_COUNT * nothing.route_count; i++) {
        const struct core_route *route = &nothing.routes[i / NO_NAME_COUNT];
        struct core_request request = good;
        request.user_id = no_names[i % NO_NAME_COUNT];
        route->hook(route->context, 1, &request);
        assert_denied(&nothing);
        request = good;
        request.username = no_names[i % NO_NAME_COUNT];
        route->hook(route->context, 1, &request);
        assert_denied(&nothing);
    }
    end(&nothing, instance);
}

/* --- What the host says of a user --------------------------------------------------------------------------------- */

static struct {
    core_status status;
    uint64_t len;
    unsigned loads;
} said;

static core_status load_as_said(const struct core_host *host, struct core_span user_id, const char *field, void *buffer,
                                uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    (void)host, (void)user_id, (void)field;
    memset(buffer, ' ', (size_t)buffer_size);
    said.loads++;
    *len = said.len;
    *version = 1;
    return said.status;
}

static void who_may_be_enrolled_for_all_the_host_says_is_not_let_in(void **state)
{
    static const struct {
        core_status status;
        uint64_t len;
        unsigned loads;
    } answers[] = {
        {CORE_OK, 0, 1},
        {CORE_OK, UINT64_MAX / 2, 1},
        {CORE_ERR_TOO_SMALL, 0, 1},
        {CORE_ERR_TOO_SMALL, UINT64_MAX, 1},
        {CORE_ERR_TOO_SMALL, 5000, 2}, /* a field that keeps growing is not run after */
        {CORE_ERR_INTERNAL, 0, 1},
        {CORE_ERR_MEMORY, 0, 1},
        {CORE_ERR_ARGUMENT, 0, 1},
        {CORE_ERR_CONFLICT, 0, 1},
        {CORE_ERR_DENIED, 0, 1},
        {CORE_ERR_BUSY, 0, 1},
        {-1000, 0, 1},
        {1, 0, 1},
    };
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    start(&nothing, &instance);
    nothing.table->profile_load = load_as_said;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        said.status = answers[i].status;
        said.len = answers[i].len;
        said.loads = 0;
        assert_login_denied(&nothing, instance, &good_login);
        assert_int_equal(said.loads, answers[i].loads);
    }
    end(&nothing, instance);
}

static core_status load_enrolment(const struct core_host *host, struct core_span user_id, const char *field,
                                  void *buffer, uint64_t buffer_size, uint64_t *len, uint64_t *version)
{
    static const char profile[] = "{\"content\":{\"number\":\"41791231212\"},\"recoveryCodes\":[]}";

    if (strcmp(field, "mfa") != 0)
        return load_no_field(host, user_id, field, buffer, buffer_size, len, version);
    memcpy(buffer, profile, sizeof profile - 1);
    *len = sizeof profile - 1;
    *version = 1;
    return CORE_OK;
}

static core_status call_is_cancelled(const struct core_host *host, core_call call, struct core_call_info *info)
{
    (void)host, (void)call;
    info->deadline_ms = UINT64_MAX;
    info->cancelled = 1;
    return CORE_OK;
}

static void for_a_call_that_nobody_waits_for_no_message_is_sent(void **state)
{
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    start(&nothing, &instance);
    nothing.table->profile_load = load_enrolment;
    for (int i = 0; i < 2; i++) {
        plugin->hooks->login(instance, 1, &good_login);
        assert_int_equal(nothing.completions, i + 1);
        assert_int_equal(nothing.result.outcome, CORE_DENY);
        assert_non_null(strstr(nothing.body, "mfa-sms-provider-timeout"));
        nothing.table->call_info = call_is_cancelled;
    }
    end(&nothing, instance);
}

static core_status take_no_result(const struct core_host *host, core_call call, const struct core_result *result)
{
    (void)call, (void)result;
    nothing_of(host)->completions++;
    return CORE_ERR_CLOSED;
}

static void a_result_that_the_host_does_not_take_is_logged(void **state)
{
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    start(&nothing, &instance);
    nothing.table->complete = take_no_result;
    plugin->hooks->login(instance, 1, &good_login);
    assert_int_equal(nothing.completions, 1);
    assert_string_equal(nothing.error, "the host did not take the result of a call");
    end(&nothing, instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_not_start_without_a_clock),
        cmocka_unit_test(it_does_not_start_without_one_of_its_routes),
        cmocka_unit_test(it_does_not_start_with_a_capability_that_fails),
        cmocka_unit_test(it_says_that_memory_was_short),
        cmocka_unit_test(a_file_name_that_is_too_long_or_absent_is_left_out),
        cmocka_unit_test(a_login_whose_input_is_not_as_promised_is_denied),
        cmocka_unit_test(a_login_needs_no_client_address),
        cmocka_unit_test(a_request_whose_user_is_not_as_promised_is_denied),
        cmocka_unit_test(who_may_be_enrolled_for_all_the_host_says_is_not_let_in),
        cmocka_unit_test(for_a_call_that_nobody_waits_for_no_message_is_sent),
        cmocka_unit_test(a_result_that_the_host_does_not_take_is_logged),
    };

    return cmocka_run_group_tests(tests, nothing_load, nothing_unload);
}
