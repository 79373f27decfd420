/* SPDX-License-Identifier: Apache-2.0
 *
 * The presets that are installed, plugin/presets: each, with the parameters of tests/data/presets, is what was recorded of
 * its service, tests/data/providers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mfa_config.h"
#include "mfa_verdict.h"
#include "mfa_yaml.h"

#define PRESETS "plugin/presets/"
#define PARAMETERS "tests/data/presets/"
#define RECORDINGS "tests/data/providers/"
#define PAGE "docs/presets.md"

#define NAME_SIZE 64
#define MAX_PRESETS 100

/* --- Helpers --------------------------------------------------------------------------------------------------- */

/* Everything there is about one preset. */
struct preset {
    char *name;
    json_t *file;       /* itself */
    json_t *parameters; /* what makes it the recorded configuration */
    json_t *recording;
};

static struct preset presets[MAX_PRESETS];
static size_t preset_count;

/* Every line reported, each with a newline. */
struct log {
    char text[16384];
};

static void collect(void *ctx, bool is_error, const char *line)
{
    struct log *log = ctx;
    const size_t len = strlen(log->text);

    /* Every enabled configuration says so. */
    if (is_error || strstr(line, "stepUp.required is not true") == NULL)
        (void)snprintf(log->text + len, sizeof log->text - len, "%s%s\n", is_error ? "" : "warning: ", line);
}

static enum mfa_status parse(struct mfa_config *config, const json_t *section, struct log *log)
{
    char *text = json_dumps(section, 0);
    const struct mfa_config_source source = {
        .text = text, .text_len = strlen(text), .section = "services.mfa", .file = "override-config.yml"};
    enum mfa_status status;

    *log = (struct log){0};
    status = mfa_config_parse(config, &source, collect, log);
    free(text);
    return status;
}

/* Expects a section (taken over) that is accepted without a word; the configuration is the caller's. */
static void check_accepted(struct mfa_config *config, json_t *section)
{
    struct log log;
    const enum mfa_status status = parse(config, section, &log);

    assert_string_equal(log.text, "");
    assert_int_equal(status, MFA_OK);
    json_decref(section);
}

/* Expects that a section (taken over) is refused, with `expected` among the lines. */
static void check_refused(json_t *section, const char *expected)
{
    struct mfa_config config;
    struct log log;

    assert_int_equal(parse(&config, section, &log), MFA_ERR_CONFIG);
    if (strstr(log.text, expected) == NULL)
        fail_msg("no \"%s\" in:\n%s", expected, log.text);
    json_decref(section);
}

static json_t *load_json(const char *folder, const char *name)
{
    char path[256];
    json_t *data;

    (void)snprintf(path, sizeof path, "%s%s.json", folder, name);
    data = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(data))
        fail_msg("%s is needed and cannot be read", path);
    return data;
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = calloc(1, MFA_YAML_MAX_LEN);

    if (file == NULL)
        fail_msg("%s is needed and cannot be read", path);
    assert_non_null(text);
    assert_true(fread(text, 1, MFA_YAML_MAX_LEN - 1, file) > 0);
    fclose(file);
    return text;
}

static json_t *load_yaml(const char *path)
{
    char *text = read_text(path);
    const struct mfa_config_source source = {.text = text, .text_len = strlen(text), .section = "preset", .file = path};
    struct log log = {0};
    struct mfa_yaml *yaml = NULL;
    json_t *data = NULL;

    assert_int_equal(mfa_yaml_parse(&yaml, &source, collect, &log), MFA_OK);
    assert_int_equal(mfa_yaml_json(mfa_yaml_root(yaml), &data), MFA_OK);
    assert_string_equal(log.text, "");
    mfa_yaml_free(yaml);
    free(text);
    return data;
}

static bool is_required(const json_t *declared)
{
    return json_is_string(declared);
}

static const char *mode_of(const struct preset *preset)
{
    const json_t *single = json_object_get(json_object_get(preset->file, "endpoints"), "single");

    return single != NULL ? "single" : "challenge-verify";
}

/* A section that names the preset, with `parameters` (taken over). */
static json_t *section_with(const struct preset *preset, json_t *parameters)
{
    json_t *section = json_pack("{s:s, s:s, s:{s:{s:s, s:o}}}", "mode", mode_of(preset), "presetsDirectory", PRESETS,
                                "sms", "endpoints", "preset", preset->name, "parameters", parameters);

    assert_non_null(section);
    return section;
}

static json_t *section_of(const struct preset *preset)
{
    return section_with(preset, json_deep_copy(preset->parameters));
}

/* What the operator writes for one endpoint beside the preset (taken over). */
static void write_beside(json_t *section, const char *endpoint, json_t *own)
{
    json_t *endpoints = json_object_get(json_object_get(section, "sms"), "endpoints");

    assert_int_equal(json_object_set_new(endpoints, endpoint, own), 0);
}

static const struct preset *find_preset(const char *name)
{
    for (size_t i = 0; i < preset_count; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    fail_msg("there is no preset %s", name);
    return NULL;
}

/* --- Loading all ------------------------------------------------------------------------------------------------ */

static void load_preset(const char *path)
{
    struct preset *preset = &presets[preset_count++];
    const char *file = path + strlen(PRESETS);
    json_t *parameters;

    assert_true(preset_count <= MAX_PRESETS);
    preset->name = strndup(file, strcspn(file, "."));
    assert_non_null(preset->name);
    preset->file = load_yaml(path);
    preset->recording = load_json(RECORDINGS, preset->name);
    parameters = load_json(PARAMETERS, preset->name);
    preset->parameters = json_incref(json_object_get(parameters, "parameters"));
    assert_non_null(preset->parameters);
    json_decref(parameters);
}

static int load_all(void **state)
{
    glob_t files;

    (void)state;
    assert_int_equal(glob(PRESETS "*.yml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        load_preset(files.gl_pathv[i]);
    globfree(&files);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        free(presets[i].name);
        json_decref(presets[i].file);
        json_decref(presets[i].parameters);
        json_decref(presets[i].recording);
    }
    return 0;
}

/* --- The files -------------------------------------------------------------------------------------------------- */

static void each_set_of_parameters_has_its_preset(void **state)
{
    glob_t files;

    (void)state;
    assert_int_equal(glob(PARAMETERS "*.json", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *file = files.gl_pathv[i] + strlen(PARAMETERS);
        char *name = strndup(file, strcspn(file, "."));

        (void)find_preset(name);
        free(name);
    }
    globfree(&files);
}

static void each_declared_parameter_is_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        char *text = json_dumps(json_object_get(presets[i].file, "endpoints"), 0);
        const char *name;
        json_t *declared;

        json_object_foreach(json_object_get(presets[i].file, "parameters"), name, declared)
        {
            char use[NAME_SIZE + 16];

            (void)snprintf(use, sizeof use, "${param:%s}", name);
            if (strstr(text, use) == NULL)
                fail_msg("%s declares %s and does not use it", presets[i].name, name);
        }
        free(text);
    }
}

/* The row of the operator's page about a preset; owned by the caller. */
static char *row_of(const char *page, const char *name)
{
    char start[NAME_SIZE + 16];
    const char *row;

    (void)snprintf(start, sizeof start, "\n| `%s`", name);
    row = strstr(page, start);
    if (row == NULL)
        fail_msg("%s is not in " PAGE, name);
    return strndup(row + 1, strcspn(row + 1, "\n"));
}

static void each_preset_is_in_the_operators_page_with_its_parameters(void **state)
{
    char *page = read_text(PAGE);

    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        char *row = row_of(page, presets[i].name);
        const char *name;
        json_t *declared;

        json_object_foreach(json_object_get(presets[i].file, "parameters"), name, declared)
        {
            char cell[NAME_SIZE + 8];

            (void)snprintf(cell, sizeof cell, is_required(declared) ? " `%s` " : "[`%s`]", name);
            if (strstr(row, cell) == NULL)
                fail_msg("%s of %s is not in " PAGE, cell, presets[i].name);
        }
        free(row);
    }
    free(page);
}

/* --- What they come to ------------------------------------------------------------------------------------------ */

static const char *const calls[] = {"single", "challenge", "verify"};

static const struct mfa_endpoint *endpoint_of(const struct mfa_config *config, const char *call)
{
    if (strcmp(call, "single") == 0)
        return &config->single;
    return strcmp(call, "verify") == 0 ? &config->verify : &config->challenge;
}

static const char *text_or_none(const char *text)
{
    return text != NULL ? text : "none";
}

static void print_request(FILE *out, const struct mfa_endpoint *endpoint, const struct mfa_variables *variables)
{
    struct mfa_http_request *request = NULL;

    assert_int_equal(mfa_endpoint_render(endpoint, variables, &request), MFA_OK);
    fprintf(out, "%s %s\n", mfa_http_method_name(request->method), request->url_secret);
    for (size_t i = 0; i < request->header_count; i++)
        fprintf(out, "%s\n", request->header_secrets[i]);
    fprintf(out, "body: %s\nin %u, %u ms\n", text_or_none(request->body_secret), request->connect_timeout_ms,
            request->timeout_ms);
    mfa_http_request_free(request);
}

static void print_sign(FILE *out, const struct mfa_sign *sign)
{
    fprintf(out, "aws4: %s, %s, %s\novh: %s, %s, %s\n", text_or_none(sign->aws4.provider),
            text_or_none(sign->aws4.access_key_id), text_or_none(sign->aws4.secret_access_key_secret),
            text_or_none(sign->ovh.application_key), text_or_none(sign->ovh.application_secret_secret),
            text_or_none(sign->ovh.consumer_key_secret));
}

/* The requests of a configuration, whole; owned by the caller. */
static char *requests_of(const struct preset *preset, const struct mfa_config *config,
                         const struct mfa_variables *variables)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const struct mfa_endpoint *endpoint = endpoint_of(config, calls[i]);

        if (endpoint->url == NULL)
            continue;
        fprintf(out, "%s/%s: ", preset->name, calls[i]);
        print_request(out, endpoint, variables);
        print_sign(out, &endpoint->sign);
        if (endpoint->token != NULL)
            print_request(out, endpoint->token, variables);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

/* What the recording's templates are filled in with; owned by the caller. */
static json_t *recorded_values(const struct preset *preset)
{
    json_t *values = json_deep_copy(json_object_get(preset->recording, "userData"));

    assert_int_equal(json_object_update(values, json_object_get(preset->recording, "captured")), 0);
    return values;
}

static void check_requests(const struct preset *preset)
{
    json_t *values = recorded_values(preset);
    const struct mfa_variables variables = {.user_data = values, .code_secret = "482913"};
    struct mfa_config config;
    struct mfa_config recorded;
    char *made;
    char *expected;

    check_accepted(&config, section_of(preset));
    check_accepted(&recorded, json_incref(json_object_get(preset->recording, "config")));
    made = requests_of(preset, &config, &variables);
    expected = requests_of(preset, &recorded, &variables);
    assert_string_equal(made, expected);
    free(made);
    free(expected);
    mfa_config_clear(&config);
    mfa_config_clear(&recorded);
    json_decref(values);
}

static void each_preset_makes_the_requests_that_were_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++)
        check_requests(&presets[i]);
}

/* The text that a recorded answer's body is; owned by the caller. */
static char *body_of(const json_t *response)
{
    const json_t *body = json_object_get(response, "body");

    return json_is_string(body) ? strdup(json_string_value(body)) : json_dumps(body, JSON_ENCODE_ANY);
}

static void check_exchange(const struct preset *preset, const struct mfa_config *config, const json_t *exchange,
                           const json_t *values)
{
    const char *call = json_string_value(json_object_get(exchange, "call"));
    const json_t *response = json_object_get(exchange, "response");
    char *body = body_of(response);
    const struct mfa_variables variables = {.user_data = values,
                                            .code_secret = json_string_value(json_object_get(exchange, "code"))};
    const struct mfa_gateway_answer answer = {.delivery = MFA_DELIVERY_ANSWERED,
                                              .http_status =
                                                  (int)json_integer_value(json_object_get(response, "status")),
                                              .body = body,
                                              .body_len = strlen(body),
                                              .reason = "answered"};
    struct mfa_finding finding;

    mfa_verdict_of(&endpoint_of(config, call)->rules, strcmp(call, "verify") == 0 ? MFA_CALL_VERIFY : MFA_CALL_SEND,
                   &answer, &variables, &finding);
    if (strcmp(mfa_verdict_name(finding.verdict), json_string_value(json_object_get(exchange, "outcome"))) != 0)
        fail_msg("%s/%s/%s: %s", preset->name, call, json_string_value(json_object_get(exchange, "id")), finding.why);
    mfa_finding_clear(&finding);
    free(body);
}

static void each_preset_takes_the_recorded_answers_for_what_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        json_t *values = recorded_values(&presets[i]);
        struct mfa_config config;
        size_t at;
        json_t *exchange;

        check_accepted(&config, section_of(&presets[i]));
        json_array_foreach(json_object_get(presets[i].recording, "exchanges"), at, exchange)
            check_exchange(&presets[i], &config, exchange, values);
        mfa_config_clear(&config);
        json_decref(values);
    }
}

/* --- Parameters ------------------------------------------------------------------------------------------------- */

#define AT_PARAMETERS "services.mfa.sms.endpoints.parameters"
#define AT_FILE " (override-config.yml:1): "

static void check_missing(const struct preset *preset, const char *name, const json_t *declared)
{
    json_t *parameters = json_deep_copy(preset->parameters);
    char expected[1024];

    assert_int_equal(json_object_del(parameters, name), 0);
    (void)snprintf(expected, sizeof expected,
                   AT_PARAMETERS AT_FILE "must have the parameter %s for the preset %s: %s\n", name, preset->name,
                   json_string_value(declared));
    check_refused(section_with(preset, parameters), expected);
}

static void a_parameter_without_default_must_be_given_and_the_refusal_says_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        const char *name;
        json_t *declared;

        json_object_foreach(json_object_get(presets[i].file, "parameters"), name, declared) if (is_required(declared))
            check_missing(&presets[i], name, declared);
    }
}

static void a_parameter_that_the_preset_does_not_know_is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        json_t *section = section_of(&presets[i]);
        json_t *endpoints = json_object_get(json_object_get(section, "sms"), "endpoints");

        json_object_set_new(json_object_get(endpoints, "parameters"), "acountSid", json_string("x"));
        check_refused(section, AT_PARAMETERS ".acountSid" AT_FILE "is not a known key: those known here are \"");
    }
}

/* --- Beside a preset ------------------------------------------------------------------------------------------- */

static void a_default_gives_way_to_what_is_given(void **state)
{
    const struct preset *preset = find_preset("twilio-verify");
    json_t *parameters = json_deep_copy(preset->parameters);
    json_t *values = recorded_values(preset);
    const struct mfa_variables variables = {.user_data = values};
    struct mfa_http_request *request = NULL;
    struct mfa_config config;

    (void)state;
    assert_int_equal(json_object_set_new(parameters, "channel", json_string("call")), 0);
    check_accepted(&config, section_with(preset, parameters));
    assert_int_equal(mfa_endpoint_render(&config.challenge, &variables, &request), MFA_OK);
    assert_string_equal(request->body_secret, "To=%2B15555550100&Channel=call");
    mfa_http_request_free(request);
    mfa_config_clear(&config);
    json_decref(values);
}

static void a_key_beside_a_preset_stands_for_its_own_and_the_others_stay(void **state)
{
    const struct preset *preset = find_preset("twilio-verify");
    json_t *section = section_of(preset);
    json_t *values = recorded_values(preset);
    const struct mfa_variables variables = {.user_data = values};
    struct mfa_http_request *request = NULL;
    struct mfa_config config;

    (void)state;
    write_beside(section, "challenge",
                 json_pack("{s:i, s:{s:s}}", "timeoutMs", 5000, "form", "Destination", "{{ phone }}"));
    check_accepted(&config, section);
    assert_int_equal(mfa_endpoint_render(&config.challenge, &variables, &request), MFA_OK);
    assert_string_equal(request->url_secret,
                        "https://verify.twilio.com/v2/Services/VA11111111111111111111111111111111/Verifications");
    assert_string_equal(request->body_secret, "Destination=%2B15555550100");
    assert_int_equal(request->timeout_ms, 5000);
    assert_int_equal(config.verify.timeout_ms, 10000);
    mfa_http_request_free(request);
    mfa_config_clear(&config);
    json_decref(values);
}

static void an_authorization_of_the_operators_own_stands_for_the_presets(void **state)
{
    const struct preset *preset = find_preset("twilio-verify");
    json_t *section = section_of(preset);
    json_t *values = recorded_values(preset);
    const struct mfa_variables variables = {.user_data = values};
    struct mfa_http_request *request = NULL;
    struct mfa_config config;

    (void)state;
    write_beside(section, "challenge", json_pack("{s:{s:s}}", "headers", "Authorization", "Bearer mine"));
    check_accepted(&config, section);
    assert_int_equal(mfa_endpoint_render(&config.challenge, &variables, &request), MFA_OK);
    assert_string_equal(request->header_secrets[0], "Authorization: Bearer mine");
    for (size_t i = 1; i < request->header_count; i++)
        assert_int_not_equal(strncasecmp(request->header_secrets[i], "authorization:", 14), 0);
    mfa_http_request_free(request);
    mfa_config_clear(&config);
    json_decref(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_set_of_parameters_has_its_preset),
        cmocka_unit_test(each_declared_parameter_is_used),
        cmocka_unit_test(each_preset_is_in_the_operators_page_with_its_parameters),
        cmocka_unit_test(each_preset_makes_the_requests_that_were_recorded),
        cmocka_unit_test(each_preset_takes_the_recorded_answers_for_what_they_are),
        cmocka_unit_test(a_parameter_without_default_must_be_given_and_the_refusal_says_what_it_is),
        cmocka_unit_test(a_parameter_that_the_preset_does_not_know_is_refused_by_name),
        cmocka_unit_test(a_default_gives_way_to_what_is_given),
        cmocka_unit_test(a_key_beside_a_preset_stands_for_its_own_and_the_others_stay),
        cmocka_unit_test(an_authorization_of_the_operators_own_stands_for_the_presets),
    };

    return cmocka_run_group_tests(tests, load_all, free_all);
}
