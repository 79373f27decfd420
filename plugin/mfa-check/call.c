/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host_port.h"
#include "input.h"
#include "memory.h"
#include "mfa_destination.h"
#include "mfa_json.h"
#include "mfa_user_data.h"

#define NONCE_LEN 16

void call_clear(struct call *call)
{
    mfa_json_free(call->variables);
    json_decref(call->nonce);
    sodium_memzero(call, sizeof *call);
}

struct mfa_variables call_variables(const struct call *call)
{
    return (struct mfa_variables){.user_data = call->variables,
                                  .code_secret = call->code_secret[0] != '\0' ? call->code_secret : NULL,
                                  .code_in_values = strcmp(call->name, "single") == 0};
}

/* --- Whom --------------------------------------------------------------------------------------------------------- */

static const char *default_endpoint(const struct mfa_config *config, const struct arguments *arguments)
{
    if (arguments->endpoint != NULL)
        return arguments->endpoint;
    if (arguments->command == COMMAND_VERIFY)
        return "verify";
    if (config->mode == MFA_MODE_DISABLED)
        complain("the mode is \"disabled\", and nothing is sent: choose an endpoint with --endpoint");
    return config->mode == MFA_MODE_DISABLED ? NULL : config->mode == MFA_MODE_SINGLE ? "single" : "challenge";
}

static const struct mfa_endpoint *fallback(const struct mfa_endpoint *endpoint, size_t number)
{
    for (; endpoint != NULL && number > 0; number--)
        endpoint = endpoint->fallback;
    return endpoint;
}

static const struct mfa_endpoint *endpoint_named(const struct mfa_config *config, const char *name)
{
    if (strcmp(name, "single") == 0)
        return &config->single;
    return strcmp(name, "challenge") == 0 ? &config->challenge : &config->verify;
}

static int choose_endpoint(struct call *call, const struct mfa_config *config, const struct arguments *arguments)
{
    call->name = default_endpoint(config, arguments);
    if (call->name == NULL)
        return EXIT_PROBLEM;
    call->kind = strcmp(call->name, "verify") == 0 ? MFA_CALL_VERIFY : MFA_CALL_SEND;
    if (arguments->command == COMMAND_SEND && call->kind == MFA_CALL_VERIFY) {
        complain("send sends messages: to have a code checked use verify");
        return EXIT_USAGE;
    }
    call->first = endpoint_named(config, call->name);
    if (call->first->url == NULL) {
        complain("the endpoint %s has no url, with mode \"%s\"", call->name, mfa_mode_name(config->mode));
        return EXIT_PROBLEM;
    }
    call->endpoint = fallback(call->first, arguments->fallback);
    if (call->endpoint == NULL) {
        complain("the endpoint %s has no fallback number %zu", call->name, arguments->fallback);
        return EXIT_USAGE;
    }
    call->challenge =
        call->kind == MFA_CALL_VERIFY ? fallback(&config->challenge, arguments->fallback) : call->endpoint;
    return EXIT_FINE;
}

char *call_endpoint_name(const struct call *call, const struct mfa_endpoint *endpoint)
{
    size_t number = 0;

    for (const struct mfa_endpoint *at = call->first; at != NULL && at != endpoint; at = at->fallback)
        number++;
    return number == 0 ? memory_text("%s", call->name) : memory_text("%s.fallback[%zu]", call->name, number - 1);
}

/* --- The code ----------------------------------------------------------------------------------------------------- */

static int parse_code(struct call *call, const char *code)
{
    const bool is_own = strcmp(call->name, "single") == 0;
    enum mfa_status status = MFA_OK;

    if (strcmp(call->name, "challenge") == 0) {
        complain("the endpoint challenge is given no code, since the service makes it: the request that has it checked "
                 "is that of --endpoint verify");
        return EXIT_USAGE;
    }
    status = is_own ? mfa_code_parse_own(call->code_secret, code, strlen(code))
                    : mfa_code_parse_foreign(call->code_secret, code, strlen(code));
    if (status == MFA_OK)
        return EXIT_FINE;
    complain("the code must be 4 to 10 digits%s: the plugin asks nobody about any other", is_own ? "" : " or letters");
    return EXIT_USAGE;
}

static int take_code(struct call *call, const struct mfa_config *config, const struct arguments *arguments)
{
    if (arguments->code != NULL)
        return parse_code(call, arguments->code);
    if (arguments->command == COMMAND_ANSWER || strcmp(call->name, "challenge") == 0)
        return EXIT_FINE;
    if (strcmp(call->name, "verify") == 0) {
        complain("which code shall be checked? give one with --code");
        return EXIT_USAGE;
    }
    call->is_drawn = true;
    return mfa_code_draw(&host_port, config->policy.code_length, call->code_secret) == MFA_OK ? EXIT_FINE : EXIT_USAGE;
}

/* --- Variables ---------------------------------------------------------------------------------------------------- */

static int read_user_data(struct call *call, const char *path)
{
    struct mfa_buffer text;

    if (input_read(path, MFA_BODY_MAX_LEN, &text))
        call->variables = input_parse_object(path, text.len > 0 ? text.data : "", text.len);
    mfa_buffer_clear(&text);
    return call->variables != NULL ? EXIT_FINE : EXIT_USAGE;
}

/* What the plugin asks of user data at activation. */
static int check_user_data(const struct call *call, const struct mfa_config *config, const char *path)
{
    struct mfa_parameter_problem problem;
    const char *missing = NULL;
    enum mfa_status status = mfa_user_data_check(call->variables, &problem);

    if (status == MFA_OK && call->challenge != NULL)
        status = mfa_destination_check(call->variables, call->challenge, &problem);
    if (status != MFA_OK) {
        complain("%s: the plugin refuses such user data at activation: %s: %s", path, problem.path, problem.message);
        return EXIT_PROBLEM;
    }
    (void)memory_checked(mfa_messages_add(&config->messages, call->variables));
    missing = mfa_endpoint_missing_variable(call->endpoint, call->challenge, call->variables);
    if (missing == NULL)
        return EXIT_FINE;
    complain("%s: the variable %s is needed, and not there or empty", path, missing);
    return EXIT_PROBLEM;
}

/* True of what a challenge leaves for its verify. */
static bool is_of_challenge(const struct call *call, const char *name)
{
    return strcmp(name, MFA_VARIABLE_NONCE) == 0 ||
           (call->challenge != NULL && mfa_rules_captures(&call->challenge->rules, name));
}

/* Takes the place of user data of the same names, also where there is nothing to put there. */
static void forget_of_challenge(struct call *call)
{
    const char *name = NULL;

    json_object_del(call->variables, MFA_VARIABLE_NONCE);
    for (size_t i = 0; call->challenge != NULL && (name = mfa_rules_capture_name(&call->challenge->rules, i)) != NULL;
         i++)
        json_object_del(call->variables, name);
}

static int take_captured(struct call *call, const char *text)
{
    json_t *captured = input_parse_object("--captured", text, strlen(text));
    const char *name = NULL;
    json_t *value = NULL;

    if (captured == NULL)
        return EXIT_USAGE;
    json_object_foreach(captured, name, value)
    {
        if (is_of_challenge(call, name) && json_is_string(value))
            continue;
        complain("--captured: %s is %s", name,
                 json_is_string(value) ? "nothing that the challenge captures"
                                       : "no string, which all that is captured is");
        json_decref(captured);
        return EXIT_USAGE;
    }
    memory_update(call->variables, captured);
    json_decref(captured);
    return EXIT_FINE;
}

/* Fresh for each challenge. */
static void draw_nonce(struct call *call)
{
    unsigned char bytes[NONCE_LEN];
    char text[2 * NONCE_LEN + 1];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    memory_put(call->nonce, MFA_VARIABLE_NONCE, json_string(text));
    memory_put(call->variables, MFA_VARIABLE_NONCE, json_string(text));
}

/* Where a request is made of them, nothing may be missing. */
static int check_captured(const struct call *call)
{
    const char *name = NULL;

    for (size_t i = 0; (name = mfa_endpoint_variable(call->endpoint, i)) != NULL; i++) {
        if (!is_of_challenge(call, name) || json_object_get(call->variables, name) != NULL)
            continue;
        complain("%s uses {{ %s }}, which the challenge leaves: give it with --captured '{\"%s\": \"...\"}', as send "
                 "prints it",
                 call->name, name, name);
        return EXIT_USAGE;
    }
    return EXIT_FINE;
}

static int take_variables(struct call *call, const struct subject *subject, const struct arguments *arguments)
{
    const bool is_answer = arguments->command == COMMAND_ANSWER;
    int status = EXIT_FINE;

    if (arguments->user != NULL)
        status = read_user_data(call, arguments->user);
    else
        call->variables = memory_need_json(json_object());
    if (status == EXIT_FINE && arguments->user != NULL)
        status = check_user_data(call, &subject->config, arguments->user);
    if (status != EXIT_FINE)
        return status;
    forget_of_challenge(call);
    if (arguments->captured != NULL)
        status = take_captured(call, arguments->captured);
    else if (subject->config.uses_nonce && call->kind == MFA_CALL_SEND && !is_answer)
        draw_nonce(call);
    return status == EXIT_FINE && !is_answer ? check_captured(call) : status;
}

/* User data may hold secrets as well, by their names. */
static void add_secrets(const struct call *call, struct secrets *secrets)
{
    char *text = memory_need(json_dumps(call->variables, JSON_COMPACT));

    secrets_add_from_body(secrets, text, strlen(text));
    mfa_secret_free(text, strlen(text));
}

int call_init(struct call *call, struct subject *subject, const struct arguments *arguments)
{
    int status = EXIT_FINE;

    *call = (struct call){.nonce = memory_need_json(json_object())};
    status = choose_endpoint(call, &subject->config, arguments);
    if (status == EXIT_FINE)
        status = take_code(call, &subject->config, arguments);
    if (status == EXIT_FINE)
        status = take_variables(call, subject, arguments);
    if (status == EXIT_FINE)
        add_secrets(call, &subject->secrets);
    return status;
}
