/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_config_check.h"

#include <stdio.h>
#include <string.h>

#include "mfa_destination.h"

#define PATH_MAX_LEN 64

/* A challenge, the verify that checks its codes, and which of the fallbacks they are: 0 is none of them. */
struct pair {
    const struct mfa_yaml *yaml;
    const struct mfa_endpoint *challenge;
    const struct mfa_endpoint *verify;
    size_t number;
};

/* The path of an endpoint, `number` 0, or of one of its fallbacks. */
static const char *path_of(const char *name, size_t number, char path[static PATH_MAX_LEN])
{
    if (number == 0)
        (void)snprintf(path, PATH_MAX_LEN, "sms.endpoints.%s", name);
    else
        (void)snprintf(path, PATH_MAX_LEN, "sms.endpoints.%s.fallback[%zu]", name, number - 1);
    return path;
}

/* In challenge-verify the service makes the code: there is none to send before, and without it any would be accepted. */
static void check_use_of_code(const struct pair *pair)
{
    char path[PATH_MAX_LEN];

    if (mfa_endpoint_uses_anywhere(pair->challenge, MFA_VARIABLE_CODE))
        mfa_yaml_error_at(pair->yaml, path_of("challenge", pair->number, path),
                          "must not use {{ code }}: the service makes the code, and it does not exist yet");
    if (!mfa_endpoint_uses(pair->verify, MFA_VARIABLE_CODE))
        mfa_yaml_error_at(pair->yaml, path_of("verify", pair->number, path),
                          "must use {{ code }} in url, body or a header: without it any code would be accepted");
}

static void check_captures(const struct pair *pair)
{
    char path[PATH_MAX_LEN];
    const char *name;

    for (size_t i = 0; (name = mfa_rules_capture_name(&pair->challenge->rules, i)) != NULL; i++)
        if (!mfa_endpoint_uses_anywhere(pair->verify, name))
            mfa_yaml_error_at(pair->yaml, path_of("challenge", pair->number, path),
                              "captures %s, which no template of verify uses: use it or remove it", name);
}

/* What is captured is not there before: neither of this challenge's answer nor, in a fallback, of another's. */
static void check_early_capture(const struct pair *pair, const struct mfa_endpoint *other)
{
    char path[PATH_MAX_LEN];
    const char *name;

    for (size_t i = 0; (name = mfa_rules_capture_name(&other->rules, i)) != NULL; i++)
        if (mfa_endpoint_uses_anywhere(pair->challenge, name))
            mfa_yaml_error_at(pair->yaml, path_of("challenge", pair->number, path),
                              "must not use {{ %s }}: a challenge's answer gives it, and only verify can use it", name);
}

/* What another challenge captures and this one does not is missing here: nobody means a variable of the user data by it. */
static void check_foreign_capture(const struct pair *pair, const struct mfa_endpoint *other)
{
    char path[PATH_MAX_LEN];
    const char *name;

    for (size_t i = 0; (name = mfa_rules_capture_name(&other->rules, i)) != NULL; i++)
        if (mfa_endpoint_uses_anywhere(pair->verify, name) && !mfa_rules_captures(&pair->challenge->rules, name))
            mfa_yaml_error_at(pair->yaml, path_of("verify", pair->number, path),
                              "uses {{ %s }}, which the challenge it belongs to does not capture", name);
}

static void warn_without_expectation(const struct pair *pair)
{
    char path[PATH_MAX_LEN];

    if (!mfa_rules_say_what_succeeds(&pair->verify->rules))
        mfa_yaml_warning_at(
            pair->yaml, path_of("verify", pair->number, path),
            "has no expect: a code is only accepted by a 2xx without a body, or with {}; if the service says yes "
            "otherwise, write down how, as in expect: {status: [200], json: {/status: approved}}");
}

static void check_pair(const struct pair *pair, const struct mfa_endpoint *first_challenge)
{
    check_use_of_code(pair);
    check_captures(pair);
    for (const struct mfa_endpoint *other = first_challenge; other != NULL; other = other->fallback) {
        check_early_capture(pair, other);
        check_foreign_capture(pair, other);
    }
    warn_without_expectation(pair);
}

static void check_challenge_verify(const struct mfa_config *config, const struct mfa_yaml *yaml)
{
    struct pair pair = {.yaml = yaml, .challenge = &config->challenge, .verify = &config->verify};

    for (; pair.challenge != NULL && pair.verify != NULL; pair.number++) {
        check_pair(&pair, &config->challenge);
        pair.challenge = pair.challenge->fallback;
        pair.verify = pair.verify->fallback;
    }
    if (pair.challenge != NULL || pair.verify != NULL)
        mfa_yaml_error_at(yaml,
                          pair.challenge != NULL ? "sms.endpoints.verify.fallback" : "sms.endpoints.challenge.fallback",
                          "must have as many entries as the other's: who sent a code is asked to check it");
}

/* The destination that the send limits count, by its variable; NULL: none is known. */
static const char *destination_of(const struct mfa_endpoint *endpoint)
{
    const char *name = NULL;

    for (size_t i = 0; (name = mfa_destination_name(i)) != NULL; i++)
        if (mfa_endpoint_uses(endpoint, name))
            return name;
    return NULL;
}

/* What is counted must be where the message goes, whoever sends it. */
static void check_destinations(const struct mfa_endpoint *first, const struct mfa_yaml *yaml, const char *name)
{
    const char *counted = destination_of(first);
    const struct mfa_endpoint *endpoint = first->fallback;
    char path[PATH_MAX_LEN];

    for (size_t number = 1; endpoint != NULL; endpoint = endpoint->fallback, number++) {
        const char *destination = destination_of(endpoint);

        if (destination != NULL && destination != counted)
            mfa_yaml_error_at(
                yaml, path_of(name, number, path),
                "sends to {{ %s }}, and the endpoint it stands in for does not: the limits count only where "
                "that one sends",
                destination);
    }
}

/* The code may stand in the user data, as in the documented example, but hardly in a number or address. */
static bool can_carry_code(const struct mfa_endpoint *endpoint)
{
    const char *name;

    for (size_t i = 0; (name = mfa_endpoint_variable(endpoint, i)) != NULL; i++)
        if (!mfa_destination_is_name(name) && strcmp(name, MFA_VARIABLE_NONCE) != 0)
            return true;
    return false;
}

static void check_single(const struct mfa_config *config, const struct mfa_yaml *yaml)
{
    const struct mfa_endpoint *endpoint = &config->single;
    char path[PATH_MAX_LEN];

    for (size_t number = 0; endpoint != NULL; endpoint = endpoint->fallback, number++)
        if (!can_carry_code(endpoint))
            mfa_yaml_warning_at(yaml, path_of("single", number, path),
                                "has no {{ code }}, nor a variable that could hold it: no user will get a code");
}

static void check_messages(const struct mfa_config *config, const struct mfa_yaml *yaml)
{
    const struct mfa_endpoint *endpoint = &config->single;

    if (config->messages.count == 0)
        return;
    while (endpoint != NULL && !mfa_endpoint_uses(endpoint, MFA_VARIABLE_MESSAGE))
        endpoint = endpoint->fallback;
    if (config->mode == MFA_MODE_CHALLENGE_VERIFY)
        mfa_yaml_error_at(yaml, "sms.messages",
                          "is for mode \"single\": in \"challenge-verify\" the service writes the message");
    else if (config->mode == MFA_MODE_SINGLE && endpoint == NULL)
        mfa_yaml_error_at(yaml, "sms.messages", "is not used: write {{ message }} where the endpoint has the text");
}

static void check_captures_nothing(const struct mfa_endpoint *endpoint, const struct mfa_yaml *yaml, const char *name)
{
    char path[PATH_MAX_LEN];

    for (size_t number = 0; endpoint != NULL; endpoint = endpoint->fallback, number++)
        if (mfa_rules_capture_name(&endpoint->rules, 0) != NULL)
            mfa_yaml_error_at(yaml, path_of(name, number, path),
                              "cannot capture anything: only what a challenge answers is used, by verify");
}

void mfa_config_check_together(const struct mfa_config *config, const struct mfa_yaml *yaml)
{
    check_captures_nothing(&config->single, yaml, "single");
    check_captures_nothing(&config->verify, yaml, "verify");
    check_messages(config, yaml);
    if (config->mode == MFA_MODE_SINGLE) {
        check_destinations(&config->single, yaml, "single");
        check_single(config, yaml);
    }
    if (config->mode == MFA_MODE_CHALLENGE_VERIFY) {
        check_destinations(&config->challenge, yaml, "challenge");
        check_challenge_verify(config, yaml);
    }
}
