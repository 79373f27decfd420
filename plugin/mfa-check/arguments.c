/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_condition.h"

#define FALLBACK_MAX 99

static const char help[] =
    "usage: mfa-check CONFIG.yml [--json] [--show-secrets]\n"
    "       mfa-check CONFIG.yml render USER.json [--code CODE] [--curl] [...]\n"
    "       mfa-check CONFIG.yml send USER.json [--code CODE] [...]\n"
    "       mfa-check CONFIG.yml verify USER.json CODE [--captured JSON] [...]\n"
    "       mfa-check CONFIG.yml answer FILE [--user USER.json] [--status N] [...]\n"
    "\n"
    "Checks the section services.mfa of a core's configuration as the plugin does, and tries out what it says.\n"
    "CONFIG.yml is the whole file, such as override-config.yml; USER.json holds what a user gives at activation,\n"
    "such as {\"phone\": \"+41 79 123 12 12\"}.\n"
    "\n"
    "  (no command)      says everything that is wrong, and prints the configuration with all defaults\n"
    "  render            prints the request that would be sent, and sends nothing\n"
    "  send              sends one message to that user, and explains the service's answer rule by rule\n"
    "  verify            asks the service whether CODE is right, and explains its answer\n"
    "  answer            explains an answer that was saved: with `curl -i`, or its body alone and --status\n"
    "\n"
    "  --code CODE       the code; for a message one is drawn if it is left out\n"
    "  --endpoint NAME   single, challenge or verify; by default what sends the message\n"
    "  --fallback N      its N-th fallback\n"
    "  --captured JSON   what the challenge left for verify, as send prints it\n"
    "  --user USER.json  user data, where rules compare an answer with them\n"
    "  --status N        FILE is nothing but the body of an answer with that status\n"
    "  --curl            print the request as a line for the shell\n"
    "  --json            print JSON, for scripts\n"
    "  --show-secrets    print passwords, keys and tokens, which are *** otherwise\n"
    "  --help            print this\n"
    "\n"
    "Ends with 0 if all is well, with 1 if something is wrong with the configuration, or the message was not sent or\n"
    "the code not accepted, and with 2 if that could not be found out: wrong usage, or a file that cannot be read.\n"
    "\n"
    "Before you let users in:\n"
    "\n"
    "  mfa-check override-config.yml\n"
    "  echo '{\"phone\": \"+41791231212\"}' > me.json\n"
    "  mfa-check override-config.yml render me.json\n"
    "  mfa-check override-config.yml send me.json\n"
    "\n"
    "and with mode \"challenge-verify\" the code that you then get, and a wrong one:\n"
    "\n"
    "  mfa-check override-config.yml verify me.json 123456\n"
    "  mfa-check override-config.yml verify me.json 000000\n"
    "\n"
    "When a service answers in a way that you did not expect, save the answer and write rules until they fit:\n"
    "\n"
    "  sh -c \"$(mfa-check override-config.yml render me.json --curl --show-secrets) -i\" > answer.txt\n"
    "  mfa-check override-config.yml answer answer.txt --user me.json\n";

void arguments_print_help(void)
{
    (void)fputs(help, stdout);
}

void complain(const char *format, ...)
{
    va_list args;

    (void)fputs("mfa-check: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputs("\n", stderr);
}

/* --- Options ------------------------------------------------------------------------------------------------------ */

enum { OPTION_FIRST = 256, CODE, ENDPOINT, FALLBACK, CAPTURED, USER, STATUS, CURL, JSON, SHOW_SECRETS, HELP };

#define FOR(command) (1u << COMMAND_##command)
#define FOR_REQUESTS (FOR(RENDER) | FOR(SEND) | FOR(VERIFY))
#define FOR_CALLS (FOR_REQUESTS | FOR(ANSWER))

static const struct option options[] = {
    {"code", required_argument, NULL, CODE},
    {"endpoint", required_argument, NULL, ENDPOINT},
    {"fallback", required_argument, NULL, FALLBACK},
    {"captured", required_argument, NULL, CAPTURED},
    {"user", required_argument, NULL, USER},
    {"status", required_argument, NULL, STATUS},
    {"curl", no_argument, NULL, CURL},
    {"json", no_argument, NULL, JSON},
    {"show-secrets", no_argument, NULL, SHOW_SECRETS},
    {"help", no_argument, NULL, HELP},
    {0},
};

/* Which commands an option is for, in the order of their numbers. */
static const unsigned commands_of[] = {
    [CODE - OPTION_FIRST] = FOR(RENDER) | FOR(SEND) | FOR(ANSWER),
    [ENDPOINT - OPTION_FIRST] = FOR(RENDER) | FOR(SEND) | FOR(ANSWER),
    [FALLBACK - OPTION_FIRST] = FOR_CALLS,
    [CAPTURED - OPTION_FIRST] = FOR(RENDER) | FOR(VERIFY) | FOR(ANSWER),
    [USER - OPTION_FIRST] = FOR(ANSWER),
    [STATUS - OPTION_FIRST] = FOR(ANSWER),
    [CURL - OPTION_FIRST] = FOR(RENDER),
    [JSON - OPTION_FIRST] = FOR(CHECK) | FOR_CALLS,
    [SHOW_SECRETS - OPTION_FIRST] = FOR(CHECK) | FOR_CALLS,
    [HELP - OPTION_FIRST] = FOR(CHECK) | FOR_CALLS,
};

static const struct {
    const char *name;
    const char *operands;
    size_t operand_count;
} commands[] = {
    [COMMAND_CHECK] = {"checking", NULL, 0},   [COMMAND_RENDER] = {"render", "USER.json", 1},
    [COMMAND_SEND] = {"send", "USER.json", 1}, [COMMAND_VERIFY] = {"verify", "USER.json and CODE", 2},
    [COMMAND_ANSWER] = {"answer", "FILE", 1},
};

static bool parse_number(const char *option, const char *text, long min, long max, long *out)
{
    char *end = NULL;

    *out = strtol(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == '\0' && *out >= min && *out <= max)
        return true;
    complain("--%s must be a number from %ld to %ld, not \"%s\"", option, min, max, text);
    return false;
}

static bool parse_endpoint(struct arguments *out, const char *name)
{
    out->endpoint = name;
    if (strcmp(name, "single") == 0 || strcmp(name, "challenge") == 0 || strcmp(name, "verify") == 0)
        return true;
    complain("--endpoint must be single, challenge or verify, not \"%s\"", name);
    return false;
}

static bool parse_value(struct arguments *out, int option)
{
    long number = 0;

    switch (option) {
    case CODE: out->code = optarg; return true;
    case ENDPOINT: return parse_endpoint(out, optarg);
    case CAPTURED: out->captured = optarg; return true;
    case USER: out->user = optarg; return true;
    case FALLBACK:
        if (!parse_number("fallback", optarg, 1, FALLBACK_MAX, &number))
            return false;
        out->fallback = (size_t)number;
        return true;
    default:
        if (!parse_number("status", optarg, MFA_CONDITION_MIN_STATUS, MFA_CONDITION_MAX_STATUS, &number))
            return false;
        out->status = (int)number;
        return true;
    }
}

static bool parse_option(struct arguments *out, int option, char **words)
{
    switch (option) {
    case CURL: out->wants_curl = true; return true;
    case JSON: out->wants_json = true; return true;
    case SHOW_SECRETS: out->shows_secrets = true; return true;
    case HELP: out->wants_help = true; return true;
    case '?':
        if (optopt > 0 && optopt < OPTION_FIRST)
            complain("-%c is not an option; mfa-check --help lists them", optopt);
        else
            complain("%s is not an option; mfa-check --help lists them", words[optind - 1]);
        return false;
    case ':': complain("%s needs a value; mfa-check --help says which", words[optind - 1]); return false;
    default: return parse_value(out, option);
    }
}

static bool parse_options(struct arguments *out, int count, char **words, unsigned *given)
{
    int option = 0;

    opterr = 0;
    while ((option = getopt_long(count, words, ":", options, NULL)) != -1) {
        if (!parse_option(out, option, words))
            return false;
        *given |= 1u << (option - OPTION_FIRST);
    }
    return true;
}

/* --- Words -------------------------------------------------------------------------------------------------------- */

static bool parse_command(struct arguments *out, const char *word)
{
    for (size_t i = COMMAND_RENDER; i <= COMMAND_ANSWER; i++) {
        if (strcmp(commands[i].name, word) == 0) {
            out->command = (enum command)i;
            return true;
        }
    }
    complain("\"%s\" is not a command: those there are are render, send, verify and answer", word);
    return false;
}

static bool parse_words(struct arguments *out, size_t count, char **words)
{
    if (count == 0) {
        complain("which configuration? mfa-check CONFIG.yml checks one, mfa-check --help says what else there is");
        return false;
    }
    out->config = words[0];
    if (count > 1 && !parse_command(out, words[1]))
        return false;
    if (count > 1 && count - 2 != commands[out->command].operand_count) {
        complain("%s takes %s: mfa-check --help shows how", commands[out->command].name,
                 commands[out->command].operands);
        return false;
    }
    if (out->command == COMMAND_ANSWER)
        out->answer = words[2];
    else if (count > 1)
        out->user = words[2];
    if (out->command == COMMAND_VERIFY)
        out->code = words[3];
    return true;
}

static bool check_options(const struct arguments *arguments, unsigned given)
{
    for (size_t i = 0; options[i].name != NULL; i++) {
        const int place = options[i].val - OPTION_FIRST;

        if ((given >> place & 1) == 0 || (commands_of[place] >> arguments->command & 1) != 0)
            continue;
        complain("--%s is not for %s; mfa-check --help says what it is for", options[i].name,
                 commands[arguments->command].name);
        return false;
    }
    if (!arguments->wants_curl || !arguments->wants_json)
        return true;
    complain("--curl and --json cannot both be had");
    return false;
}

bool arguments_parse(struct arguments *out, int count, char **words)
{
    unsigned given = 0;

    *out = (struct arguments){.command = COMMAND_CHECK};
    if (!parse_options(out, count, words, &given))
        return false;
    return out->wants_help || (parse_words(out, (size_t)(count - optind), words + optind) && check_options(out, given));
}
