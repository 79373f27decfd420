/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "memory.h"
#include "report.h"
#include "request.h"
#include "yaml_text.h"

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

void report_print_json(const json_t *report)
{
    char *text = memory_need(json_dumps(report, JSON_INDENT(2)));

    (void)puts(text);
    free(text);
}

/* Prints text that others wrote: nothing in it is an order to the terminal. */
static void print_foreign(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        const bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;

        if (is_c1)
            (void)printf("\\x%02x", *++at);
        else if (*at == '\r' && at[1] == '\n')
            continue;
        else if ((*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f)
            (void)printf("\\x%02x", *at);
        else
            (void)putchar(*at);
    }
}

/* --- The configuration -------------------------------------------------------------------------------------------- */

void report_print_configuration(const json_t *report, const char *file)
{
    json_t *section = json_object_get(report, "configuration");
    json_t *whole = NULL;

    if (!json_is_object(section))
        return;
    whole = memory_need_json(json_pack("{s:{s:O}}", "services", "mfa", section));
    (void)printf("# %s is fine. With all that it leaves out:\n", file);
    if (!yaml_text_print(stdout, whole))
        complain("the configuration cannot be written");
    json_decref(whole);
}

/* --- Requests ----------------------------------------------------------------------------------------------------- */

static void print_headers(const json_t *headers)
{
    const json_t *header = NULL;
    size_t i = 0;

    json_array_foreach(headers, i, header)
    {
        print_foreign(member(header, "name"));
        (void)fputs(": ", stdout);
        print_foreign(member(header, "value"));
        (void)putchar('\n');
    }
}

static void print_body(const char *body)
{
    if (body == NULL || *body == '\0')
        return;
    (void)putchar('\n');
    print_foreign(body);
    (void)putchar('\n');
}

static void print_request(const json_t *request)
{
    const char *provider = member(json_object_get(request, "aws4"), "provider");

    (void)printf("%s ", member(request, "method"));
    print_foreign(member(request, "url"));
    (void)putchar('\n');
    print_headers(json_object_get(request, "headers"));
    if (provider != NULL)
        (void)printf("(and the headers of AWS Signature Version 4, %s, which is made when it is sent)\n", provider);
    print_body(member(request, "body"));
}

/* What an attempt is, where there is more than one. */
static void print_title(const json_t *report, const json_t *attempt)
{
    const char *endpoint = member(attempt, "endpoint");

    if (json_array_size(json_object_get(report, "attempts")) > 1)
        (void)printf("--- %s ---\n", strcmp(endpoint, "token") == 0 ? "the access token" : endpoint);
}

static void print_code(const json_t *report)
{
    if (member(report, "code") != NULL)
        (void)printf("The code is %s.\n\n", member(report, "code"));
}

void report_print_requests(const json_t *report)
{
    const json_t *attempt = NULL;
    size_t i = 0;

    print_code(report);
    json_array_foreach(json_object_get(report, "attempts"), i, attempt)
    {
        (void)fputs(i > 0 ? "\n" : "", stdout);
        print_title(report, attempt);
        print_request(json_object_get(attempt, "request"));
    }
}

void report_print_curl(const json_t *report)
{
    const json_t *attempt = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(report, "attempts"), i, attempt)
    {
        char *line = request_curl(json_object_get(attempt, "request"));

        (void)puts(line);
        free(line);
    }
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

static void print_answer(const json_t *answer)
{
    if (member(answer, "failure") != NULL) {
        (void)printf("No answer: %s\n", member(answer, "failure"));
        return;
    }
    (void)printf("Answer: %d\n", (int)json_integer_value(json_object_get(answer, "status")));
    print_headers(json_object_get(answer, "headers"));
    print_body(member(answer, "body"));
}

static void print_rules(const json_t *rules)
{
    const json_t *rule = NULL;
    size_t i = 0;

    if (json_array_size(rules) > 0)
        (void)putchar('\n');
    json_array_foreach(rules, i, rule)
    {
        print_foreign(member(rule, "text"));
        (void)putchar('\n');
    }
}

static void print_attempt(const json_t *report, const json_t *attempt)
{
    print_title(report, attempt);
    if (json_object_get(attempt, "request") != NULL) {
        print_request(json_object_get(attempt, "request"));
        (void)putchar('\n');
    }
    print_answer(json_object_get(attempt, "answer"));
    print_rules(json_object_get(attempt, "rules"));
    (void)putchar('\n');
}

static enum mfa_verdict verdict_of(const json_t *report)
{
    enum mfa_verdict verdict = MFA_VERDICT_ACCEPTED;

    while (verdict > MFA_VERDICT_ERROR && strcmp(mfa_verdict_name(verdict), member(report, "verdict")) != 0)
        verdict--;
    return verdict;
}

/* How to have a code of this message checked. */
static void print_next(const json_t *report, const struct arguments *arguments)
{
    const json_t *captured = json_object_get(report, "captured");
    char *text = captured != NULL ? memory_need(json_dumps(captured, JSON_COMPACT)) : NULL;

    if (json_object_size(captured) > 0)
        (void)printf("Captured: %s\n", text);
    if (captured != NULL && arguments->command == COMMAND_SEND && member(report, "code") == NULL &&
        arguments->code == NULL)
        (void)printf("To have the code checked: mfa-check %s verify %s CODE%s%s%s\n", arguments->config,
                     arguments->user, json_object_size(captured) > 0 ? " --captured '" : "",
                     json_object_size(captured) > 0 ? text : "", json_object_size(captured) > 0 ? "'" : "");
    free(text);
}

void report_print_verdict(const json_t *report, const struct arguments *arguments)
{
    const json_t *attempt = NULL;
    size_t i = 0;

    print_code(report);
    json_array_foreach(json_object_get(report, "attempts"), i, attempt)
    {
        print_attempt(report, attempt);
    }
    (void)printf("Verdict: %s, %s (%s)\n", member(report, "verdict"), explain_verdict(verdict_of(report)),
                 member(report, "why"));
    if (json_object_get(report, "retryAfterSeconds") != NULL)
        (void)printf("Asks to wait %d seconds.\n",
                     (int)json_integer_value(json_object_get(report, "retryAfterSeconds")));
    print_next(report, arguments);
}
