/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_config.h"

static core_status load(struct host_config *config, const char *text)
{
    char path[] = "/tmp/test_host_config_XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    core_status status = host_config_load(config, path);
    (void)unlink(path);
    return status;
}

static void assert_refused(const char *text)
{
    struct host_config config;

    assert_int_equal(load(&config, text), CORE_ERR_CONFIG);
    host_config_clear(&config);
}

static void assert_section(const char *text, const char *expected, uint32_t line)
{
    struct host_config config;
    struct core_config section;

    assert_int_equal(load(&config, text), CORE_OK);
    assert_int_equal(host_config_section(&config, "services.mfa", &section), CORE_OK);
    if (expected) {
        assert_non_null(section.text.data);
        assert_int_equal(section.text.len, strlen(expected));
        assert_memory_equal(section.text.data, expected, strlen(expected));
        assert_int_equal(section.origin_line, line);
        assert_int_equal(section.format, CORE_CONFIG_YAML);
    } else {
        assert_null(section.text.data);
    }
    host_config_clear(&config);
}

static void assert_section_refused(const char *text)
{
    struct host_config config;
    struct core_config section;

    assert_int_equal(load(&config, text), CORE_OK);
    assert_int_equal(host_config_section(&config, "services.mfa", &section), CORE_ERR_CONFIG);
    assert_null(section.text.data);
    host_config_clear(&config);
}

static void own_keys_are_read(void **state)
{
    struct host_config config;

    (void)state;
    assert_int_equal(load(&config, "http: {ip: 127.0.0.2, port: 0}\nauth:\n  adminAccessKey: k\n"
                                   "  passwordHashing: minimum\nother: [1]\n"),
                     CORE_OK);
    assert_string_equal(config.ip, "127.0.0.2");
    assert_int_equal(config.port, 0);
    assert_string_equal(config.secret_admin_key, "k");
    assert_int_equal(config.passwords_cost, PASSWORDS_MINIMUM);
    host_config_clear(&config);
}

static void what_is_not_said_has_a_default(void **state)
{
    struct host_config config;

    (void)state;
    assert_int_equal(load(&config, ""), CORE_OK);
    assert_string_equal(config.ip, "127.0.0.1");
    assert_int_equal(config.port, 3000);
    assert_int_equal(config.connections_per_address_max, 0);
    assert_null(config.secret_admin_key);
    assert_int_equal(config.passwords_cost, PASSWORDS_INTERACTIVE);
    host_config_clear(&config);
}

static void one_address_has_a_limit_unless_it_may_be_that_of_all(void **state)
{
    static const struct {
        const char *text;
        uint32_t most;
    } rows[] = {
        {"http: {ip: 0.0.0.0}", 1000},
        {"http: {ip: 192.0.2.1, maxConnectionsPerAddress: 0}", 0},
        {"http: {maxConnectionsPerAddress: 7, ip: 192.0.2.1}", 7},
        {"http: {ip: 127.0.0.2}", 0},
        {"http: {ip: 127.0.0.2, maxConnectionsPerAddress: 65535}", 65535},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct host_config config;
        assert_int_equal(load(&config, rows[i].text), CORE_OK);
        assert_int_equal(config.connections_per_address_max, rows[i].most);
        host_config_clear(&config);
    }
}

static void a_broken_configuration_is_refused(void **state)
{
    (void)state;
    assert_refused("http: {port: 65536}");
    assert_refused("http: {port: -1}");
    assert_refused("http: {port: x}");
    assert_refused("http: {prot: 80}");
    assert_refused("http: {maxConnectionsPerAddress: -1}");
    assert_refused("http: {maxConnectionsPerAddress: all}");
    assert_refused("http: {ip: localhost}");
    assert_refused("http: 80");
    assert_refused("http: {}\nhttp: {}");
    assert_refused("http: {port: 1, port: 2}");
    assert_refused("auth: {adminAccessKey: ''}");
    assert_refused("auth: {adminAccessKey: [a]}");
    assert_refused("auth: {passwordHashing: fast}");
    assert_refused("auth: {passwordHash: minimum}");
    assert_refused("- a list");
    assert_refused("a: [");
    assert_refused("a: 1\n---\nhttp: {port: 1}\n");
}

static void a_block_is_cut_out_as_whole_lines(void **state)
{
    (void)state;
    assert_section("services:\n  mfa:\n    mode: single\n    sms: {a: 1}\n  other: 1\n",
                   "    mode: single\n    sms: {a: 1}\n", 3);
    assert_section("services:\n  mfa: # a comment\n    # another\n    mode: single\n", "    mode: single\n", 4);
    assert_section("services:\n  mfa:\n    mode: single", "    mode: single", 3);
    assert_section("services:\n  mfa: &anchor\n    mode: single\n...\n", "    mode: single\n", 3);
    assert_section("services:\r\n  mfa:\r\n    mode: single\r\nz: 1\r\n", "    mode: single\r\n", 3);
}

static void bytes_and_characters_are_told_apart(void **state)
{
    (void)state;
    assert_section("name: \u00e9\u20ac\nservices:\n  mfa:\n    mode: '\u00e9'\n  z: 1\n", "    mode: '\u00e9'\n", 4);
    assert_section("\ufeffservices: {mfa: {m: \u00e9}}\n", "{m: \u00e9}", 1);
}

static void a_flow_collection_is_cut_out_exactly(void **state)
{
    (void)state;
    assert_section("services: {mfa: {mode: single}, z: 1}\n", "{mode: single}", 1);
    assert_section("services:\n  mfa: {mode: single,\n    a: 1} # end\n  z: 1\n", "{mode: single,\n    a: 1}", 2);
}

static void a_section_that_is_not_there_is_absent(void **state)
{
    (void)state;
    assert_section("", NULL, 0);
    assert_section("services:\n", NULL, 0);
    assert_section("services:\n  other:\n    mfa: {}\n", NULL, 0);
    assert_section("mfa: {mode: single}\n", NULL, 0);
}

static void a_section_that_cannot_be_cut_out_is_refused(void **state)
{
    (void)state;
    assert_section_refused("services:\n  mfa: single\n");
    assert_section_refused("services:\n  mfa:\n");
    assert_section_refused("services:\n  mfa: [a]\n");
    assert_section_refused("services: mfa\n");
    assert_section_refused("services: [mfa]\n");
    assert_section_refused("a: &x {mode: single}\nservices:\n  mfa: *x\n");
    assert_section_refused("services:\n  mfa: {a: 1}\n  mfa: {a: 2}\n");
    assert_section_refused("services: {mfa: {a: 1}}\nservices: {}\n");
    assert_section_refused("services:\n  ? mfa\n  : mode: single\n    a: 1\n");
}

static void what_no_plugin_reads_is_refused_also_above_what_one_reads(void **state)
{
    static const char *const claimed[] = {"services.mfa.audit", "services.gate", "services.gate.log", "other"};
    static const struct {
        const char *text;
        core_status status;
    } rows[] = {
        {"", CORE_OK},
        {"services:\n", CORE_OK},
        {"services: {mfa: {audit: {a: 1}}, gate: {b: 1}}\n", CORE_OK},
        {"services:\n  mfa:\n", CORE_OK},
        {"services: {gate: {log: {a: 1}, b: 1}}\n", CORE_OK},
        {"services: {mfa: {mode: single}}\n", CORE_ERR_CONFIG},
        {"services: {mfa: {audit: {a: 1}, mode: single}}\n", CORE_ERR_CONFIG},
        {"services: {mfa: {aud: {a: 1}}}\n", CORE_ERR_CONFIG},
        {"services: {mf: {audit: {a: 1}}}\n", CORE_ERR_CONFIG},
        {"services: {mfa.audit: {a: 1}}\n", CORE_ERR_CONFIG},
        {"services: {gates: {a: 1}}\n", CORE_ERR_CONFIG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct host_config config;
        assert_int_equal(load(&config, rows[i].text), CORE_OK);
        if (host_config_check_claimed(&config, claimed, sizeof(claimed) / sizeof(claimed[0])) != rows[i].status)
            fail_msg("is taken for something else: %s", rows[i].text);
        host_config_clear(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_keys_are_read),
        cmocka_unit_test(what_is_not_said_has_a_default),
        cmocka_unit_test(one_address_has_a_limit_unless_it_may_be_that_of_all),
        cmocka_unit_test(a_broken_configuration_is_refused),
        cmocka_unit_test(a_block_is_cut_out_as_whole_lines),
        cmocka_unit_test(bytes_and_characters_are_told_apart),
        cmocka_unit_test(a_flow_collection_is_cut_out_exactly),
        cmocka_unit_test(a_section_that_is_not_there_is_absent),
        cmocka_unit_test(a_section_that_cannot_be_cut_out_is_refused),
        cmocka_unit_test(what_no_plugin_reads_is_refused_also_above_what_one_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
