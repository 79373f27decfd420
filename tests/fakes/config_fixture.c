/* SPDX-License-Identifier: Apache-2.0 */
#include "config_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void collect(void *ctx, bool is_error, const char *line)
{
    struct config_log *log = ctx;
    const size_t len = strlen(log->text);

    if (!is_error && strstr(line, "stepUp.required is not true") != NULL) {
        log->step_up_warnings++;
        return;
    }
    (void)snprintf(log->text + len, sizeof log->text - len, "%s%s\n", is_error ? "" : "warning: ", line);
}

static enum mfa_status read_in_place_of(const struct mfa_config *in_use, struct mfa_config *config, const char *text,
                                        struct config_log *log)
{
    const struct mfa_config_source source = {.text = text,
                                             .text_len = text == NULL ? 0 : strlen(text),
                                             .section = "services.mfa",
                                             .file = "override-config.yml",
                                             .first_line = 41,
                                             .in_use = in_use};

    *log = (struct config_log){0};
    memset(config, 0xff, sizeof *config);
    return mfa_config_parse(config, &source, collect, log);
}

enum mfa_status config_read(struct mfa_config *config, const char *text, struct config_log *log)
{
    return read_in_place_of(NULL, config, text, log);
}

void config_accept(struct mfa_config *config, const char *text, const char *expected_log)
{
    struct config_log log;
    const enum mfa_status status = config_read(config, text, &log);

    assert_string_equal(log.text, expected_log);
    assert_int_equal(status, MFA_OK);
}

void config_refuse_in_place_of(const struct mfa_config *in_use, const char *text, const char *expected_log)
{
    static const struct mfa_config zeroed;
    struct mfa_config config;
    struct config_log log;
    const enum mfa_status status = read_in_place_of(in_use, &config, text, &log);

    assert_string_equal(log.text, expected_log);
    assert_int_equal(status, MFA_ERR_CONFIG);
    assert_memory_equal(&config, &zeroed, sizeof config);
}

void config_refuse(const char *text, const char *expected_log)
{
    config_refuse_in_place_of(NULL, text, expected_log);
}

struct mfa_http_request *config_render(const struct mfa_endpoint *endpoint, const char *user_data)
{
    json_t *values = json_loads(user_data, 0, NULL);
    const struct mfa_variables variables = {.user_data = values, .code_secret = "123456", .code_in_values = true};
    struct mfa_http_request *request = NULL;

    assert_non_null(values);
    assert_int_equal(mfa_endpoint_render(endpoint, &variables, &request), MFA_OK);
    json_decref(values);
    return request;
}
