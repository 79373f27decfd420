/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration: what is refused is refused with reasons, and what is accepted can be used. The input is the section
 * `services.mfa`; behind a NUL the preset "own", without which there are no presets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "files.h"
#include "fuzz.h"
#include "mfa_config.h"

#define SECTION "services.mfa"

/* --- What is said about it ---------------------------------------------------------------------------------------- */

struct log {
    size_t errors;
    bool may_hold_secret; /* the input does so itself */
};

static void check_line(void *ctx, bool is_error, const char *line)
{
    struct log *log = ctx;

    log->errors += is_error;
    /* The key and the file with the line, of the configuration or of a preset. */
    assert_true(strstr(line, ".yml:") != NULL && strstr(line, "): ") != NULL);
    for (; *line != '\0'; line++) {
        assert_true((unsigned char)*line >= ' ' && *line != 0x7f);
        assert_true(log->may_hold_secret || strncmp(line, FILES_SECRET, strlen(FILES_SECRET)) != 0);
    }
}

/* --- What is accepted ----------------------------------------------------------------------------------------------- */

static void check_numbers(const struct mfa_policy *policy)
{
    for (size_t i = 0; i < mfa_policy_limit_count; i++) {
        const struct mfa_policy_limit *limit = &mfa_policy_limits[i];
        uint32_t value = 0;
        memcpy(&value, (const char *)policy + limit->offset, sizeof value);
        assert_true((value >= limit->min && value <= limit->max) || (value == 0 && limit->zero_means != NULL));
    }
    assert_true(policy->code_ttl_s <= policy->session_ttl_s);
}

static void check_request(const struct mfa_http_request *request)
{
    assert_true(strncasecmp(request->url_secret, "http", strlen("http")) == 0);
    assert_int_equal(strlen(request->url_secret), request->url_len);
    for (const char *at = request->url_secret; *at != '\0'; at++)
        assert_true((unsigned char)*at > ' ' && *at != 0x7f && *at != '#');
    for (size_t i = 0; i < request->header_count; i++)
        assert_true(fuzz_is_line(request->header_secrets[i]) && strchr(request->header_secrets[i], ':') != NULL);
}

static void check_rendered(const struct mfa_endpoint *endpoint)
{
    json_t *values = json_object();
    const char *name = NULL;
    struct mfa_http_request *request = NULL;
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; (name = mfa_endpoint_variable(endpoint, i)) != NULL; i++)
        assert_int_equal(json_object_set_new(values, name, json_string("41791231212")), 0);
    status =
        mfa_endpoint_render(endpoint, &(struct mfa_variables){.user_data = values, .code_secret = "123456"}, &request);
    assert_true(status == MFA_OK || status == MFA_ERR_REFUSED || status == MFA_ERR_TOO_LARGE);
    if (status == MFA_OK) {
        check_request(request);
        status = mfa_sign_request(&endpoint->sign, 1700000000123, request);
        assert_true(status == MFA_OK || status == MFA_ERR_TOO_LARGE);
        check_request(request);
    }
    mfa_http_request_free(request);
    json_decref(values);
}

static size_t check_chain(const struct mfa_endpoint *endpoint)
{
    size_t count = 0;

    for (; endpoint != NULL && endpoint->url != NULL; endpoint = endpoint->fallback) {
        check_rendered(endpoint);
        if (endpoint->token != NULL)
            check_rendered(endpoint->token);
        count++;
    }
    return count;
}

static void check_accepted(const struct mfa_config *config)
{
    size_t singles = check_chain(&config->single);
    size_t challenges = check_chain(&config->challenge);
    size_t verifies = check_chain(&config->verify);

    assert_true(config->mode != MFA_MODE_SINGLE || singles > 0);
    assert_true(config->mode != MFA_MODE_CHALLENGE_VERIFY || (challenges > 0 && verifies == challenges));
    check_numbers(&config->policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct mfa_config zeroed;
    struct fuzz_input input = {(const char *)data, len};
    char *text = fuzz_take_text(&input);
    char *preset = input.len > 0 ? fuzz_take_text(&input) : NULL;
    const struct mfa_config_source source = {
        .text = text, .text_len = strlen(text), .section = SECTION, .file = "override-config.yml", .first_line = 41};
    struct log log = {.may_hold_secret = memmem(data, len, FILES_SECRET, strlen(FILES_SECRET)) != NULL};
    struct mfa_config config;
    enum mfa_status status = MFA_OK;

    assert_int_equal(setenv(FILES_SECRET_VARIABLE, FILES_SECRET, 1), 0);
    files_set_presets(preset);
    memset(&config, 0xff, sizeof config);
    status = mfa_config_parse(&config, &source, check_line, &log);
    assert_int_equal(status, log.errors > 0 ? MFA_ERR_CONFIG : MFA_OK);
    if (status == MFA_OK)
        check_accepted(&config);
    else
        assert_memory_equal(&config, &zeroed, sizeof config);
    mfa_config_clear(&config);
    free(text);
    free(preset);
    return 0;
}
