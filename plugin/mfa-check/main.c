/* SPDX-License-Identifier: Apache-2.0
 *
 * mfa-check: tries out the configuration of the plugin without a core. docs/man/mfa-check.1 says what it does.
 */
#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>

#include "answer.h"
#include "arguments.h"
#include "call.h"
#include "input.h"
#include "report.h"
#include "sending.h"
#include "subject.h"

/* Headers and body of the longest answer that is looked at, and what makes it too long. */
#define ANSWER_MAX_LEN ((size_t)4 * MFA_GATEWAY_ANSWER_MAX_LEN)

static void print(const json_t *report, const struct arguments *arguments)
{
    if (arguments->wants_json)
        report_print_json(report);
    else if (arguments->command == COMMAND_CHECK)
        report_print_configuration(report, arguments->config);
    else if (arguments->wants_curl)
        report_print_curl(report);
    else if (arguments->command == COMMAND_RENDER)
        report_print_requests(report);
    else
        report_print_verdict(report, arguments);
}

static int check(const struct subject *subject, const struct arguments *arguments)
{
    json_t *report = report_configuration(subject);

    if (!arguments->wants_json) {
        subject_print_problems(subject, "error");
        subject_print_problems(subject, "warning");
    }
    print(report, arguments);
    json_decref(report);
    return subject->is_good ? EXIT_FINE : EXIT_PROBLEM;
}

static int send_request(struct subject *subject, const struct call *call, const struct arguments *arguments)
{
    const bool is_rehearsal = arguments->command == COMMAND_RENDER;
    struct sending sending;
    int status = sending_run(&sending, subject, call, is_rehearsal);

    if (status == EXIT_FINE) {
        json_t *report = is_rehearsal ? report_requests(call, &sending) : report_sending(subject, call, &sending);

        print(report, arguments);
        status = is_rehearsal ? EXIT_FINE : report_exit_status(report);
        json_decref(report);
    }
    sending_clear(&sending);
    return status;
}

static int explain_text(struct subject *subject, const struct call *call, const struct arguments *arguments,
                        const struct mfa_buffer *text)
{
    struct answer answer;
    int status = EXIT_USAGE;

    if (answer_parse(&answer, text->len > 0 ? text->data : "", text->len, arguments->status)) {
        json_t *report = report_answer(subject, call, &answer);

        print(report, arguments);
        status = report_exit_status(report);
        json_decref(report);
    } else {
        complain("%s does not begin with a status line (\"HTTP/1.1 200 OK\"): save the answer with curl -i, or say its "
                 "status with --status",
                 arguments->answer);
    }
    answer_clear(&answer);
    return status;
}

static int explain_file(struct subject *subject, const struct call *call, const struct arguments *arguments)
{
    struct mfa_buffer text;
    int status = EXIT_USAGE;

    if (input_read(arguments->answer, ANSWER_MAX_LEN, &text))
        status = explain_text(subject, call, arguments, &text);
    mfa_buffer_clear(&text);
    return status;
}

static int make_call(struct subject *subject, const struct arguments *arguments)
{
    struct call call;
    int status = EXIT_PROBLEM;

    if (!subject->is_good) {
        subject_print_problems(subject, "error");
        return status;
    }
    status = call_init(&call, subject, arguments);
    if (status == EXIT_FINE)
        status = arguments->command == COMMAND_ANSWER ? explain_file(subject, &call, arguments)
                                                      : send_request(subject, &call, arguments);
    call_clear(&call);
    return status;
}

static int run(const struct arguments *arguments)
{
    struct subject subject;
    int status = EXIT_USAGE;

    if (subject_read(&subject, arguments->config, arguments->shows_secrets))
        status = arguments->command == COMMAND_CHECK ? check(&subject, arguments) : make_call(&subject, arguments);
    subject_clear(&subject);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int status = EXIT_USAGE;

    if (!arguments_parse(&arguments, argc, argv))
        return status;
    if (arguments.wants_help) {
        arguments_print_help();
        return EXIT_FINE;
    }
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        complain("libsodium or libcurl could not be initialised");
        return status;
    }
    status = run(&arguments);
    curl_global_cleanup();
    return status;
}
