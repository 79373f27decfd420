/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mfa_yaml.h"

static void collect(void *ctx, bool is_error, const char *line)
{
    struct rules_fixture *fixture = ctx;
    const size_t len = strlen(fixture->log);

    assert_true(is_error);
    assert_null(strchr(line, '\n'));
    (void)snprintf(fixture->log + len, sizeof fixture->log - len, "%s\n", line);
}

void rules_fixture_read(struct rules_fixture *fixture, const char *text)
{
    static const struct {
        const char *key;
        enum mfa_status (*read)(struct mfa_rules *rules, const struct mfa_yaml_node *node);
    } parts[] = {
        {"expect", mfa_rules_read_expect},          {"success", mfa_rules_read_success},
        {"outcomes", mfa_rules_read_outcomes},      {"capture", mfa_rules_read_capture},
        {"retryAfter", mfa_rules_read_retry_after},
    };
    const struct mfa_config_source source = {
        .text = text, .text_len = strlen(text), .section = "verify", .file = "c.yml", .first_line = 1};
    struct mfa_yaml *yaml = NULL;
    enum mfa_status status = MFA_OK;

    *fixture = (struct rules_fixture){0};
    status = mfa_yaml_parse(&yaml, &source, collect, fixture);
    if (status == MFA_ERR_CONFIG)
        return;
    assert_int_equal(status, MFA_OK);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct mfa_yaml_node *node = mfa_yaml_find_key(mfa_yaml_root(yaml), parts[i].key);

        if (node != NULL)
            assert_int_equal(parts[i].read(&fixture->rules, node), MFA_OK);
    }
    assert_int_equal(mfa_yaml_error_count(yaml) > 0, fixture->log[0] != '\0');
    mfa_yaml_free(yaml);
}

void rules_fixture_init(struct rules_fixture *fixture, const char *text)
{
    rules_fixture_read(fixture, text);
    if (fixture->log[0] != '\0')
        fail_msg("%s\n%s", text, fixture->log);
}

void rules_fixture_clear(struct rules_fixture *fixture)
{
    mfa_rules_clear(&fixture->rules);
}
