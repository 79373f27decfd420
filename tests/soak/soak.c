/* SPDX-License-Identifier: Apache-2.0
 *
 * soak.c: users in great numbers, over the real host and plugin and a service that fails, for SOAK_SECONDS. In four quarters,
 * the modes taking turns; before each the host is started in this process and the plugin loaded, and after it both are
 * stopped: nothing may be lost, nothing left, and memory must not have grown. `make soak` has it under AddressSanitizer, which
 * finds leaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <ftw.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "served.h"
#include "service.h"
#include "users.h"

#define SECONDS_DEFAULT 60
#define QUARTERS 4
#define AT_ONCE 400
#define MOVING_ON 50 /* of them, after a round; the others stay, so that they get somewhere */
#define LEAVING 40   /* in each round, of those who have moved on */
/* What the second half of the soak may add to the first: to the memory in use when the host has been stopped, no more than
 * the tokens of all users come to; to the resident memory, what the allocator keeps in pieces. */
#define MORE_IN_USE_MAX (512L * 1024)
#define MORE_RESIDENT_MAX (64L * 1024 * 1024)

#define CONFIG(mode, endpoints)                                                                                        \
    "http: {ip: 127.0.0.1, port: 0}\n"                                                                                 \
    "auth: {adminAccessKey: an-administrators-key, passwordHashing: minimum}\n"                                        \
    "services:\n"                                                                                                      \
    "  mfa:\n"                                                                                                         \
    "    mode: " mode "\n"                                                                                             \
    "    attempts: {backoff: {baseSeconds: 1, maxSeconds: 1}}\n"                                                       \
    "    sms:\n"                                                                                                       \
    "      sendLimits: {minIntervalSeconds: 1, perUserPerHour: 0, perDestinationPerDay: 0}\n"                          \
    "      endpoints:\n" endpoints

/* They take turns; the address of the service goes in twice at most. */
static const char *const configs[] = {
    CONFIG("single", "        single:\n"
                     "          url: '%s/send?message={{ message }}&numero={{ number }}'\n"
                     "          method: GET\n"
                     "          timeoutMs: 250\n"),
    CONFIG("challenge-verify", "        challenge:\n"
                               "          url: '%s/codes'\n"
                               "          method: POST\n"
                               "          body: '{\"phone_number\":\"{{ number }}\"}'\n"
                               "          timeoutMs: 250\n"
                               "        verify:\n"
                               "          url: '%s/verifications'\n"
                               "          method: POST\n"
                               "          body: '{\"phone_number\":\"{{ number }}\",\"code\":\"{{ code }}\"}'\n"
                               "          timeoutMs: 250\n"),
};

struct soak {
    char dir[32];
    struct service *service;
    struct users *users;
    size_t sent;
    size_t answered;
    size_t left;
    size_t next; /* user */
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc brings no header for it */
#endif

struct memory {
    long in_use;
    long resident;
};

static struct memory measure_memory(void)
{
    struct memory memory = {0};
    FILE *statm = fopen("/proc/self/statm", "r");
    long size = 0;

    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%ld %ld", &size, &memory.resident), 2);
    fclose(statm);
    memory.resident *= sysconf(_SC_PAGESIZE);
#ifdef __SANITIZE_ADDRESS__
    memory.in_use = (long)__sanitizer_get_current_allocated_bytes();
#else
    memory.in_use = (long)mallinfo2().uordblks;
#endif
    return memory;
}

/* --- One round ----------------------------------------------------------------------------------------------------- */

static int connect_to_host(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)strtoul(strrchr(served_url(), ':') + 1, NULL, 10));
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Users who send something and hang up, whatever has become of it by then. They are none of those who wait. */
static void pass_by(struct soak *soak, size_t first)
{
    int fds[LEAVING];
    size_t count = 0;

    for (size_t i = 0; i < LEAVING; i++) {
        char *bytes = users_in_passing(soak->users, (first + i) % SERVICE_USERS);
        if (bytes == NULL)
            continue;
        fds[count] = connect_to_host();
        assert_int_equal(send(fds[count++], bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
        free(bytes);
    }
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    soak->left += count;
}

static void run_round(struct soak *soak)
{
    struct http_request requests[AT_ONCE];
    struct http_answer answers[AT_ONCE];

    for (size_t i = 0; i < AT_ONCE; i++)
        requests[i] = users_next(soak->users, (soak->next + i) % SERVICE_USERS);
    struct http_batch *batch = http_begin_all(served_url(), requests, AT_ONCE);
    soak->sent += AT_ONCE;
    pass_by(soak, soak->next + SERVICE_USERS - LEAVING);
    http_await_all(batch, answers);
    for (size_t i = 0; i < AT_ONCE; i++)
        users_take(soak->users, (soak->next + i) % SERVICE_USERS, answers[i] /* transferred */);
    soak->answered += AT_ONCE;
    soak->next = (soak->next + MOVING_ON) % SERVICE_USERS;
    service_release(soak->service);
}

/* --- The soak ------------------------------------------------------------------------------------------------------ */

static double seconds_wanted(void)
{
    const char *text = getenv("SOAK_SECONDS");

    return text != NULL ? strtod(text, NULL) : SECONDS_DEFAULT;
}

static void write_config(const struct soak *soak, size_t quarter)
{
    const char *url = service_url(soak->service);
    const char *config = configs[quarter % 2];
    char path[64];
    snprintf(path, sizeof path, "%s/config.yml", soak->dir);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (const char *at = NULL; (at = strstr(config, "%s")) != NULL; config = at + 2)
        assert_true(fprintf(file, "%.*s%s", (int)(at - config), config, url) > 0);
    assert_true(fputs(config, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Returns the memory that is taken when the host has been stopped. */
static struct memory run_quarter(struct soak *soak, size_t quarter)
{
    double until_s = now_s() + seconds_wanted() / QUARTERS;
    size_t requests = 0;
    size_t failed = 0;
    size_t by_plugin = users_count(soak->users).by_plugin;

    soak->sent = soak->answered = soak->left = 0;
    write_config(soak, quarter);
    served_start(soak->dir);
    while (now_s() < until_s)
        run_round(soak);
    size_t calls = served_stop();
    service_take_counts(soak->service, &requests, &failed);
    struct memory memory = measure_memory();
    print_message("%zu requests and answers, and %zu whose clients left; %zu calls of the plugin, each completed once; "
                  "%zu messages, %zu of them failed; %ld KiB in use, %ld resident\n",
                  soak->answered, soak->left, calls, requests, failed, memory.in_use / 1024, memory.resident / 1024);
    assert_int_equal(soak->answered, soak->sent);
    by_plugin = users_count(soak->users).by_plugin - by_plugin;
    assert_in_range(calls, by_plugin, soak->answered + soak->left);
    return memory;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static void nothing_is_lost_and_nothing_left(void **state)
{
    struct soak soak = {.dir = "/tmp/mfa-soak-XXXXXX"};
    struct memory memory[QUARTERS];

    (void)state;
    assert_non_null(mkdtemp(soak.dir));
    soak.service = service_start();
    soak.users = users_new(soak.service);
    for (size_t i = 0; i < QUARTERS; i++)
        memory[i] = run_quarter(&soak, i);
    struct users_count count = users_count(soak.users);
    print_message("%zu logins released, %zu enrolments\n", count.released, count.enrolled);
    assert_true(count.released > 0 && count.enrolled > 0);
    const struct memory *half = &memory[QUARTERS / 2 - 1];
    const struct memory *whole = &memory[QUARTERS - 1];
    assert_true(whole->in_use - half->in_use <= MORE_IN_USE_MAX);
    assert_true(whole->resident - half->resident <= MORE_RESIDENT_MAX);
    users_free(soak.users);
    service_stop(soak.service);
    assert_int_equal(nftw(soak.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_and_nothing_left)};

    json_object_seed(0);
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
