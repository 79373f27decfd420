/* SPDX-License-Identifier: Apache-2.0
 *
 * The built plugin as a host of version 1.0 sees it, without any host: its descriptor, what it refuses, and its instances.
 * It is compiled with the headers of frozen-1.0/.
 */
#include "nothing.h"

#include <string.h>

static void its_descriptor_says_what_it_is_and_needs(void **state)
{
    (void)state;
    assert_int_equal(plugin->magic, CORE_PLUGIN_MAGIC);
    assert_true(plugin->struct_size >= sizeof *plugin);
    assert_int_equal(plugin->api_major, 1);
    assert_int_equal(plugin->requires_minor, 0);
    assert_string_equal(plugin->name, "mfa");
    assert_string_equal(plugin->config_section, "services.mfa");
    assert_string_equal(plugin->profile_fields[0], "mfa");
}

static void it_refuses_a_host_whose_table_is_shorter_than_that_of_1_0(void **state)
{
    (void)state;
    for (size_t size = offsetof(struct core_host, log); size < sizeof(struct core_host); size += sizeof(void *)) {
        struct nothing nothing;
        void *instance = &nothing;
        nothing_init(&nothing);
        nothing_shorten(&nothing, size);
        assert_int_equal(nothing_create(&nothing, NOTHING_SINGLE, &instance), CORE_ERR_VERSION);
        assert_null(instance);
        assert_int_equal(nothing.route_count, 0);
        if (size > offsetof(struct core_host, log))
            assert_string_equal(nothing.error, "the host offers less than version 1.0 of the plugin API");
        nothing_clear(&nothing);
    }
}

static void it_starts_in_a_host_whose_table_is_that_of_1_0(void **state)
{
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    nothing_init(&nothing);
    assert_int_equal(nothing_create(&nothing, NOTHING_SINGLE, &instance), CORE_OK);
    assert_true(nothing.route_count > 0);
    assert_int_equal(nothing.errors, 0);
    nothing_end(instance);
    nothing_clear(&nothing);
}

/* `capability` alone may be NULL: it is about what a host need not have. */
static void it_refuses_a_host_that_lacks_a_function(void **state)
{
    (void)state;
    for (size_t at = offsetof(struct core_host, log); at < offsetof(struct core_host, capability);
         at += sizeof(void *)) {
        struct nothing nothing;
        void *instance = &nothing;
        nothing_init(&nothing);
        memset((char *)nothing.table + at, 0, sizeof(void *));
        assert_int_equal(nothing_create(&nothing, NOTHING_SINGLE, &instance), CORE_ERR_VERSION);
        assert_null(instance);
        assert_int_equal(nothing.errors, nothing.table->log != NULL ? 1 : 0);
        nothing_clear(&nothing);
    }
}

static void it_starts_in_a_host_without_capabilities(void **state)
{
    struct nothing nothing;
    void *instance = NULL;

    (void)state;
    nothing_init(&nothing);
    nothing.table->capability = NULL;
    assert_int_equal(nothing_create(&nothing, NOTHING_SINGLE, &instance), CORE_OK);
    nothing_end(instance);
    nothing_clear(&nothing);
}

static void it_refuses_a_configuration_it_cannot_read(void **state)
{
    struct nothing nothing;
    struct core_config config = {.struct_size = sizeof config, .format = 3};
    void *instance = NULL;

    (void)state;
    nothing_init(&nothing);
    assert_int_equal(plugin->create(nothing.table, &config, &instance), CORE_ERR_CONFIG);
    assert_int_equal(nothing_create(&nothing, "mode: [", &instance), CORE_ERR_CONFIG);
    assert_null(instance);
    assert_int_equal(nothing.errors, 2);
    nothing_clear(&nothing);
}

static void instances_live_side_by_side_and_one_after_the_other(void **state)
{
    struct nothing first, second;
    void *a = NULL, *b = NULL;

    (void)state;
    nothing_init(&first);
    nothing_init(&second);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nothing_create(&first, NOTHING_SINGLE, &a), CORE_OK);
        assert_int_equal(nothing_create(&second, "mode: disabled\n", &b), CORE_OK);
        nothing_end(a);
        nothing_end(b);
    }
    assert_int_equal(first.route_count, second.route_count);
    plugin->destroy(NULL);
    nothing_clear(&first);
    nothing_clear(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_descriptor_says_what_it_is_and_needs),
        cmocka_unit_test(it_refuses_a_host_whose_table_is_shorter_than_that_of_1_0),
        cmocka_unit_test(it_starts_in_a_host_whose_table_is_that_of_1_0),
        cmocka_unit_test(it_refuses_a_host_that_lacks_a_function),
        cmocka_unit_test(it_starts_in_a_host_without_capabilities),
        cmocka_unit_test(it_refuses_a_configuration_it_cannot_read),
        cmocka_unit_test(instances_live_side_by_side_and_one_after_the_other),
    };

    return cmocka_run_group_tests(tests, nothing_load, nothing_unload);
}
