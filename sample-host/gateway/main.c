/* SPDX-License-Identifier: Apache-2.0
 *
 * sms-gateway: a communication service for people and tests that have none.
 */
#include "service.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define EXIT_USAGE 2

static const char usage[] =
    "usage: sms-gateway [--port N]\n"
    "\n"
    "A stand-in communication service on 127.0.0.1. It prints each message as a phone would show it.\n"
    "\n"
    "  --port N   listen on port N; 0, the default, takes a free one\n"
    "  --help     print this and exit\n"
    "\n"
    "  GET  /http/1.6/sendSMS.do?accessToken=&message=&emetteur=&numero=   send, as smsmode does\n"
    "  POST /mfa/codes {\"phone_number\"}                                    make and send a code, as smsapi does\n"
    "  POST /mfa/codes/verifications {\"phone_number\", \"code\"}              check that code\n"
    "  GET  /phone/NUMBER                                                  the last messages of a number\n"
    "  POST /behave {\"mode\", \"delayMs\"}                                    ok, stall, error500, redirect, garbage\n"
    "                                                                      or reset, for all that follows\n";

static bool parse_port(uint16_t *out, const char *in)
{
    char *end = NULL;
    errno = 0;
    unsigned long port = strtoul(in, &end, 10);
    if (errno != 0 || *in < '0' || *in > '9' || *end != '\0' || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, uint16_t *port)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    for (int option = 0; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (option != 'p' || !parse_port(port, optarg)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return -1;
}

static void allow_many_connections(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    uint16_t port = 0;
    int status = parse_options(argc, argv, &port);
    if (status != -1)
        return status;
    if (sodium_init() < 0) {
        fputs("sms-gateway: no randomness to be had\n", stderr);
        return EXIT_FAILURE;
    }
    allow_many_connections();

    /* Blocked before any thread starts, so that they arrive at sigwait and nowhere else. */
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGTERM);
    sigaddset(&stop_signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);

    errno = 0;
    struct service *service = service_new(port);
    if (!service) {
        fprintf(stderr, "sms-gateway: cannot listen on 127.0.0.1:%" PRIu16 ": %s\n", port, strerror(errno));
        return EXIT_FAILURE;
    }
    printf("listening on http://127.0.0.1:%" PRIu16 "\n", service_port(service));
    fflush(stdout);

    int received = 0;
    sigwait(&stop_signals, &received);
    service_free(service);
    return EXIT_SUCCESS;
}
