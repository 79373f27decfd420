/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c: arguments and signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "calls.h"
#include "host.h"
#include "log.h"
#include "reload.h"

enum { EXIT_FINE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

#define DESCRIPTORS_WANTED 16384

struct arguments {
    const char *config;
    char plugins[PATH_MAX];
    char data[PATH_MAX];
    bool checks_only;
    bool wants_help;
};

/* --- arguments --------------------------------------------------------------------------------------------------------- */

static void print_usage(FILE *out)
{
    (void)fputs("usage: sample-host CONFIG.yml [--plugins DIR] [--data DIR] [--check] [--help]\n"
                "\n"
                "  CONFIG.yml     the operator's configuration\n"
                "  --plugins DIR  where the plugins (*.so) are; default: plugins, beside this program\n"
                "  --data DIR     where users are kept; default: data, beside CONFIG.yml; made if missing\n"
                "  --check        load everything, do not listen, print \"configuration ok\"\n"
                "  --help         this text\n"
                "\n"
                "SIGHUP has it read CONFIG.yml again: plugins take their sections over, a mistake changes nothing,\n"
                "http and auth take a restart. SIGTERM and SIGINT end it.\n",
                out);
}

/* `name` in the directory of `file`. */
static bool place_beside(char out[static PATH_MAX], const char *file, const char *name)
{
    char copy[PATH_MAX];
    int len = snprintf(copy, sizeof(copy), "%s", file);

    if (len < 0 || (size_t)len >= sizeof(copy))
        return false;
    len = snprintf(out, PATH_MAX, "%s/%s", dirname(copy), name);
    return len > 0 && len < PATH_MAX;
}

static bool set_defaults(struct arguments *arguments)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (len < 0)
        return false;
    program[len] = '\0';
    return (arguments->plugins[0] || place_beside(arguments->plugins, program, "plugins")) &&
           (arguments->data[0] || place_beside(arguments->data, arguments->config, "data"));
}

static bool set_path(char out[static PATH_MAX], const char *path)
{
    int len = snprintf(out, PATH_MAX, "%s", path);

    return len > 0 && len < PATH_MAX;
}

static bool parse_arguments(struct arguments *arguments, int count, char **words)
{
    static const struct option options[] = {{"plugins", required_argument, NULL, 'p'},
                                            {"data", required_argument, NULL, 'd'},
                                            {"check", no_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    bool is_sound = true;
    int option;

    while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
        switch (option) {
        case 'p': is_sound &= set_path(arguments->plugins, optarg); break;
        case 'd': is_sound &= set_path(arguments->data, optarg); break;
        case 'c': arguments->checks_only = true; break;
        case 'h': arguments->wants_help = true; break;
        default: is_sound = false;
        }
    }
    if (!is_sound || arguments->wants_help)
        return is_sound;
    if (optind != count - 1)
        return false;
    arguments->config = words[optind];
    return set_defaults(arguments);
}

/* --- the life of the process ----------------------------------------------------------------------------------------------- */

static void end_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

/* Waits for the signal to end, and reloads meanwhile; a second one then ends the process at once. */
static void wait_for_end(struct host *host)
{
    sigset_t set;
    int received = 0;

    end_signals(&set);
    sigaddset(&set, SIGHUP);
    while (sigwait(&set, &received) == 0 && received == SIGHUP)
        (void)reload(host);
    sigdelset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Every thread is started with the signals blocked; only wait_for_end takes them. One to reload waits until the host is there,
 * and comes to nothing once it ends. */
static void prepare_signals(void)
{
    sigset_t set;

    end_signals(&set);
    sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Thousands of clients may wait at once, each with a descriptor of the host's and one of a plugin's. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_line(CORE_LOG_WARN, "the limit of open files stays as it is: %s", strerror(errno));
}

/* Or the first file that is opened would be where messages go. */
static bool open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    return true;
}

static int serve(struct host *host)
{
    core_status status = host_listen(host);

    if (status == CORE_OK) {
        (void)printf("listening on http://%s\n", host->address);
        (void)fflush(stdout);
        wait_for_end(host);
        log_line(CORE_LOG_INFO, "stopping");
    }
    host_stop(host);
    log_line(CORE_LOG_INFO, "stopped");
    return status == CORE_OK ? EXIT_FINE : EXIT_REFUSED;
}

static int check(struct host *host)
{
    host_stop(host);
    (void)puts("configuration ok");
    return EXIT_FINE;
}

static int run(const struct arguments *arguments)
{
    const struct host_options options = {.config = arguments->config,
                                         .plugins = arguments->plugins,
                                         .data = arguments->checks_only ? NULL : arguments->data,
                                         .call_deadline_ms = CALLS_DEADLINE_MS};
    struct host host = {0};
    int code = EXIT_REFUSED;

    if (host_start(&host, &options) == CORE_OK)
        code = arguments->checks_only ? check(&host) : serve(&host);
    else
        log_line(CORE_LOG_ERROR, "not started");
    host_clear(&host);
    return code;
}

int main(int count, char **words)
{
    struct arguments arguments = {0};

    if (!open_standard_streams())
        return EXIT_REFUSED;
    if (!parse_arguments(&arguments, count, words)) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (arguments.wants_help) {
        print_usage(stdout);
        return EXIT_FINE;
    }
    prepare_signals();
    raise_descriptor_limit();
    json_object_seed(0);
    if (sodium_init() < 0) {
        log_line(CORE_LOG_ERROR, "there is no source of randomness");
        return EXIT_REFUSED;
    }
    return run(&arguments);
}
