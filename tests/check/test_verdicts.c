/* SPDX-License-Identifier: Apache-2.0
 *
 * On every recorded exchange of a real service the tool says what the plugin decides, and for the same reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugin/mfa-check/report.h"
#include "../replay/recording.h"
#include "checked.h"
#include "mfa_config.h"
#include "mfa_verdict.h"

static void say_nothing(void *ctx, bool is_error, const char *line)
{
    (void)ctx;
    (void)is_error;
    (void)line;
}

/* Writes a recording's section as a whole file, and reads it as the plugin does. */
static void configure(struct mfa_config *config, const struct recording *recording)
{
    json_t *whole = json_pack("{s:{s:O}}", "services", "mfa", recorded(recording->data, "config"));
    char *text = json_dumps(whole, 0);
    const struct mfa_config_source source = {
        .text = text, .text_len = strlen(text), .section = "services.mfa", .file = CONFIG, .path = "services.mfa"};

    checked_write(CONFIG, text);
    assert_int_equal(mfa_config_parse(config, &source, say_nothing, NULL), MFA_OK);
    free(text);
    json_decref(whole);
    text = json_dumps(recorded(recording->data, "userData"), 0);
    checked_write("me.json", text);
    free(text);
}

/* --- The answer --------------------------------------------------------------------------------------------------- */

static char *body_of(const json_t *response)
{
    const json_t *body = recorded(response, "body");

    if (json_is_null(body))
        return strdup("");
    return json_is_string(body) ? strdup(json_string_value(body)) : json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* As `curl -i` saves it; owned by caller, release with free. */
static char *saved_answer(const json_t *response, const char *body)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const char *name = NULL;
    json_t *value = NULL;

    assert_non_null(out);
    (void)fprintf(out, "HTTP/1.1 %d Recorded\r\n", (int)json_integer_value(recorded(response, "status")));
    json_object_foreach(json_object_get(response, "headers"), name, value)
    {
        (void)fprintf(out, "%s: %s\r\n", name, json_string_value(value));
    }
    (void)fprintf(out, "\r\n%s", body);
    assert_int_equal(fclose(out), 0);
    return text;
}

static const char *find_header(const struct mfa_gateway_answer *answer, const char *name)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)answer->header_ctx, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return json_string_value(value);
    }
    return NULL;
}

static struct mfa_gateway_answer answer_of(const json_t *response, const char *body)
{
    json_t *headers = json_object_get(response, "headers");
    const char *wait = json_string_value(json_object_get(headers, "retry-after"));

    return (struct mfa_gateway_answer){.delivery = MFA_DELIVERY_ANSWERED,
                                       .http_status = (int)json_integer_value(recorded(response, "status")),
                                       .body = body,
                                       .body_len = strlen(body),
                                       .retry_after_s = wait ? (uint32_t)strtoul(wait, NULL, 10) : 0,
                                       .reason = "answered",
                                       .header = find_header,
                                       .header_ctx = headers};
}

/* --- The comparison ----------------------------------------------------------------------------------------------- */

/* The rule that decided is the last one told, and the reason names it: "outcomes[1]: rejected", "refused: expect.status
 * did not hold and ...". */
static void assert_same_reason(const json_t *rules, const struct mfa_finding *finding)
{
    const json_t *last = json_array_get(rules, json_array_size(rules) - 1);
    const char *rule = json_string_value(json_object_get(last, "rule"));
    const char *text = json_string_value(json_object_get(last, "text"));
    const bool has_held = json_is_true(json_object_get(last, "held"));
    size_t part_len = 0;

    assert_non_null(rule);
    if (has_held && strncmp(finding->why, "refused: capture ", 17) != 0) {
        assert_memory_equal(finding->why, rule, strlen(rule));
        assert_string_equal(finding->why + strlen(rule) + 2, mfa_verdict_name(finding->verdict));
    }
    if (has_held)
        return;
    assert_memory_equal(finding->why, "refused: ", 9);
    if (strstr(finding->why, " did not hold and ") == NULL)
        return;
    part_len = (size_t)(strstr(finding->why, " did not hold") - finding->why - 9);
    assert_memory_equal(text, finding->why + 9, part_len);
}

static const struct mfa_endpoint *endpoint_of(const struct mfa_config *config, const char *call)
{
    if (strcmp(call, "single") == 0)
        return &config->single;
    return strcmp(call, "challenge") == 0 ? &config->challenge : &config->verify;
}

static void judge(struct mfa_finding *finding, const struct mfa_config *config, const struct recording *recording,
                  const json_t *exchange, const char *body)
{
    const char *call = recorded_text(exchange, "call");
    json_t *variables = json_deep_copy(recorded(recording->data, "userData"));
    json_t *captures = recorded_captures(recording, call);
    const struct mfa_gateway_answer answer = answer_of(recorded(exchange, "response"), body);

    json_object_update(variables, captures);
    mfa_verdict_of(&endpoint_of(config, call)->rules, strcmp(call, "verify") == 0 ? MFA_CALL_VERIFY : MFA_CALL_SEND,
                   &answer,
                   &(struct mfa_variables){.user_data = variables,
                                           .code_secret = json_string_value(json_object_get(exchange, "code")),
                                           .code_in_values = strcmp(call, "single") == 0},
                   finding);
    json_decref(captures);
    json_decref(variables);
}

/* What the tool does for `answer`, in this process: there are hundreds. Owned by caller. */
static json_t *ask_tool(const struct recording *recording, const json_t *exchange, const char *text)
{
    const char *call_name = recorded_text(exchange, "call");
    json_t *captures = recorded_captures(recording, call_name);
    char *captured = json_dumps(captures, 0);
    char *config = checked_path(CONFIG);
    char *user = checked_path("me.json");
    const struct arguments arguments = {
        .command = COMMAND_ANSWER,
        .user = user,
        .endpoint = call_name,
        .captured = captured,
        .code = strcmp(call_name, "challenge") == 0 ? NULL : json_string_value(json_object_get(exchange, "code")),
    };
    struct subject subject;
    struct answer answer;
    struct call call;
    json_t *report = NULL;

    assert_true(subject_read(&subject, config, false));
    assert_int_equal(call_init(&call, &subject, &arguments), EXIT_FINE);
    assert_true(answer_parse(&answer, text, strlen(text), 0));
    report = report_answer(&subject, &call, &answer);
    answer_clear(&answer);
    call_clear(&call);
    subject_clear(&subject);
    free(config);
    free(user);
    free(captured);
    json_decref(captures);
    return report;
}

static void compare(const struct mfa_config *config, const struct recording *recording, const json_t *exchange)
{
    char *body = body_of(recorded(exchange, "response"));
    char *text = saved_answer(recorded(exchange, "response"), body);
    json_t *report = ask_tool(recording, exchange, text);
    struct mfa_finding finding;

    judge(&finding, config, recording, exchange, body);
    if (strcmp(recorded_text(report, "verdict"), mfa_verdict_name(finding.verdict)) != 0)
        fail_msg("%s %s: %s", recording->name, recorded_text(exchange, "id"), recorded_text(report, "why"));
    assert_string_equal(recorded_text(report, "why"), finding.why);
    assert_int_equal(json_integer_value(json_object_get(report, "retryAfterSeconds")), finding.retry_after_s);
    assert_same_reason(recorded(json_array_get(recorded(report, "attempts"), 0), "rules"), &finding);
    mfa_finding_clear(&finding);
    json_decref(report);
    free(text);
    free(body);
}

static void tool_and_plugin_agree_on_every_recorded_exchange(void **state)
{
    struct recordings recordings;

    (void)state;
    recordings_load(&recordings);
    for (size_t i = 0; i < recordings.count; i++) {
        struct mfa_config config;
        const json_t *exchange = NULL;
        size_t j = 0;

        configure(&config, &recordings.items[i]);
        json_array_foreach(recorded(recordings.items[i].data, "exchanges"), j, exchange)
        {
            compare(&config, &recordings.items[i], exchange);
        }
        mfa_config_clear(&config);
    }
    recordings_clear(&recordings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tool_and_plugin_agree_on_every_recorded_exchange),
    };

    return cmocka_run_group_tests(tests, checked_setup, checked_teardown);
}
