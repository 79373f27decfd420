/* SPDX-License-Identifier: Apache-2.0
 *
 * arguments.h: the command line, and what the tool says of itself.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* How the program ends: all is well; the configuration, the request or the answer is not; it could not be told. */
enum { EXIT_FINE = 0, EXIT_PROBLEM = 1, EXIT_USAGE = 2 };

enum command { COMMAND_CHECK, COMMAND_RENDER, COMMAND_SEND, COMMAND_VERIFY, COMMAND_ANSWER };

/* All text is borrowed from the command line; NULL: not given. */
struct arguments {
    enum command command;
    const char *config;
    const char *user;     /* a file with user data */
    const char *answer;   /* a file with an answer */
    const char *code;     /* as the user would type it */
    const char *endpoint; /* "single", "challenge" or "verify" */
    const char *captured; /* JSON */
    size_t fallback;      /* 0: the endpoint itself, 1: its first fallback, ... */
    int status;           /* of an answer that is nothing but a body; 0: it tells itself */
    bool shows_secrets;
    bool wants_curl;
    bool wants_json;
    bool wants_help;
};

/* Reads the command line. False: it is wrong, which has been said. */
bool arguments_parse(struct arguments *out, int count, char **words);

void arguments_print_help(void);

/* Says on stderr what is wrong. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
