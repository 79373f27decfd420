/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that are defined here must not be macros. */
#undef _FORTIFY_SOURCE
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fake_gateway.h"
#include "fake_host.h"
#include "fake_kv.h"

#define HOUR_MS 3600000

static atomic_int armed_kind = FAULT_KINDS; /* FAULT_KINDS: none */
static atomic_uint armed_nth;
static atomic_bool armed_lasts;
static atomic_uint acts;
static _Thread_local bool counts;      /* what this thread does */
static _Thread_local bool was_started; /* by a thread that counts */

/* Other threads begin when the sanitizer has set them up, for which it needs memory. */
__attribute__((constructor)) static void begin_main(void)
{
    counts = true;
}

const char *fault_name(enum fault_kind kind)
{
    static const char *const names[FAULT_KINDS] = {
        [FAULT_MEMORY] = "allocation",
        [FAULT_THREAD] = "thread",
        [FAULT_IO] = "read or write",
        [FAULT_CLOCK] = "clock read",
        [FAULT_RANDOM] = "random draw",
        [FAULT_LOAD] = "load",
        [FAULT_STORE] = "store",
        [FAULT_CONFLICT] = "store in conflict",
        [FAULT_PASSWORD] = "password check",
        [FAULT_REGISTER] = "registration",
        [FAULT_GATEWAY] = "request to the gateway",
        [FAULT_PATIENCE] = "look at the deadline",
        [FAULT_HOUR_FORWARD] = "clock read an hour ahead",
        [FAULT_HOUR_BACK] = "clock read an hour behind",
        [FAULT_END_OF_TIME] = "clock read at the end of time",
    };
    return names[kind];
}

void fault_arm(const struct fault *fault)
{
    atomic_store(&acts, 0);
    atomic_store(&armed_nth, fault->nth);
    atomic_store(&armed_lasts, fault->lasts);
    atomic_store(&armed_kind, fault->kind);
}

bool fault_disarm(void)
{
    atomic_store(&armed_kind, FAULT_KINDS);
    return atomic_load(&acts) >= atomic_load(&armed_nth);
}

void fault_pause(void)
{
    counts = false;
}

void fault_resume(void)
{
    counts = true;
}

bool fault_strikes(enum fault_kind kind)
{
    unsigned act = 0;

    if (atomic_load(&armed_kind) != (int)kind || !counts)
        return false;
    act = atomic_fetch_add(&acts, 1) + 1;
    return act == atomic_load(&armed_nth) || (atomic_load(&armed_lasts) && act > atomic_load(&armed_nth));
}

/* --- Memory ------------------------------------------------------------------------------------------------------- */

/* The sanitizer's own, where there is one, so that it still sees what leaks. */
extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *block, size_t size) __attribute__((weak));
extern void *__interceptor_aligned_alloc(size_t alignment, size_t size) __attribute__((weak));
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static bool has_no_memory(void)
{
    if (!fault_strikes(FAULT_MEMORY))
        return false;
    errno = ENOMEM;
    return true;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    if (has_no_memory())
        return NULL;
    return __interceptor_malloc != NULL ? __interceptor_malloc(size) : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    if (has_no_memory())
        return NULL;
    return __interceptor_calloc != NULL ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *block, size_t size)
{
    /* To make a block smaller takes no memory. */
    if ((block == NULL || size > malloc_usable_size(block)) && has_no_memory())
        return NULL;
    return __interceptor_realloc != NULL ? __interceptor_realloc(block, size) : __libc_realloc(block, size);
}

__attribute__((visibility("default"))) void *reallocarray(void *block, size_t count, size_t size)
{
    size_t total = 0;

    if (!__builtin_mul_overflow(count, size, &total))
        return realloc(block, total);
    errno = ENOMEM;
    return NULL;
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t size)
{
    if (has_no_memory())
        return NULL;
    return __interceptor_aligned_alloc != NULL ? __interceptor_aligned_alloc(alignment, size)
                                               : __libc_memalign(alignment, size);
}

__attribute__((visibility("default"))) char *strndup(const char *text, size_t max_len)
{
    size_t len = strnlen(text, max_len);
    char *copy = malloc(len + 1);

    if (copy == NULL)
        return NULL;
    copy[len] = '\0';
    return memcpy(copy, text, len);
}

__attribute__((visibility("default"))) char *strdup(const char *text)
{
    return strndup(text, strlen(text));
}

/* glibc's own takes some failures without a word, where it would only have spared memory. */
__attribute__((format(printf, 2, 0))) static int print(char **out, const char *format, va_list arguments)
{
    va_list again;
    int len = 0;

    va_copy(again, arguments);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *out = len >= 0 ? malloc((size_t)len + 1) : NULL;
    return *out != NULL ? vsnprintf(*out, (size_t)len + 1, format, arguments) : -1;
}

__attribute__((visibility("default"))) int asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    int len = 0;

    va_start(arguments, format);
    len = print(out, format, arguments);
    va_end(arguments);
    return len;
}

/* What -D_FORTIFY_SOURCE makes of it. */
int __asprintf_chk(char **out, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));

__attribute__((visibility("default"))) int __asprintf_chk(char **out, int flag, const char *format, ...)
{
    va_list arguments;
    int len = 0;

    (void)flag;
    va_start(arguments, format);
    len = print(out, format, arguments);
    va_end(arguments);
    return len;
}

/* libyaml 0.2.5 forgets the items of a mapping or a sequence when there is no memory for one more node; what else a document
 * consists of is allocated elsewhere, and seen when it leaks. */
const char *__lsan_default_suppressions(void);

__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:yaml_parser_load\n";
}

/* --- Threads ------------------------------------------------------------------------------------------------------ */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);

struct beginning {
    void *(*run)(void *);
    void *arg;
    bool counts;
};

static void *begin(void *arg)
{
    struct beginning beginning = *(struct beginning *)arg;

    free(arg);
    was_started = counts = beginning.counts;
    return beginning.run(beginning.arg);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    const bool did_count = counts;
    struct beginning *beginning = NULL;
    int error = 0;

    if (fault_strikes(FAULT_THREAD))
        return EAGAIN;
    counts = false;
    beginning = malloc(sizeof *beginning);
    *beginning = (struct beginning){run, arg, did_count};
    error = __real_pthread_create(thread, attributes, begin, beginning);
    counts = did_count;
    if (error != 0)
        free(beginning);
    return error;
}

int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until);

/* The housekeeper waits until it is told to stop: what it did in between, at whatever moment, would count or not. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    return was_started ? pthread_cond_wait(condition, mutex) : __real_pthread_cond_timedwait(condition, mutex, until);
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)wanted;
    (void)left;
    return 0;
}

/* --- Files and sockets -------------------------------------------------------------------------------------------- */

static bool has_io_error(int error)
{
    if (!fault_strikes(FAULT_IO))
        return false;
    errno = error;
    return true;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
int __real_epoll_create1(int flags);
int __wrap_epoll_create1(int flags);
int __real_epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event);
int __real_epoll_wait(int epoll_fd, struct epoll_event *events, int size, int timeout_ms);
int __wrap_epoll_wait(int epoll_fd, struct epoll_event *events, int size, int timeout_ms);
int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __real_eventfd_read(int fd, eventfd_t *count);
int __wrap_eventfd_read(int fd, eventfd_t *count);

/* Of files that exist already. */
int __wrap_open(const char *path, int flags, ...)
{
    return has_io_error(EIO) ? -1 : __real_open(path, flags);
}

ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    return has_io_error(EIO) ? -1 : __real_read(fd, bytes, size);
}

int __wrap_epoll_create1(int flags)
{
    return has_io_error(EMFILE) ? -1 : __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int epoll_fd, int what, int fd, struct epoll_event *event)
{
    return has_io_error(ENOSPC) ? -1 : __real_epoll_ctl(epoll_fd, what, fd, event);
}

int __wrap_epoll_wait(int epoll_fd, struct epoll_event *events, int size, int timeout_ms)
{
    return has_io_error(EBADF) ? -1 : __real_epoll_wait(epoll_fd, events, size, timeout_ms);
}

int __wrap_eventfd(unsigned count, int flags)
{
    return has_io_error(EMFILE) ? -1 : __real_eventfd(count, flags);
}

int __wrap_eventfd_read(int fd, eventfd_t *count)
{
    return has_io_error(EIO) ? -1 : __real_eventfd_read(fd, count);
}

/* --- The host ----------------------------------------------------------------------------------------------------- */

struct mfa_host_port __real_fake_host_port(struct fake_host *host);
struct mfa_host_port __wrap_fake_host_port(struct fake_host *host);
struct mfa_kv_port __real_fake_kv_port(struct fake_kv *kv);
struct mfa_kv_port __wrap_fake_kv_port(struct fake_kv *kv);
struct mfa_gateway_port __real_fake_gateway_port(struct fake_gateway *gateway);
struct mfa_gateway_port __wrap_fake_gateway_port(struct fake_gateway *gateway);

/* The fakes', which do the work; there is one of each at a time. */
static struct mfa_host_port host_port;
static struct mfa_kv_port kv_port;
static struct mfa_gateway_port gateway_port;

static enum mfa_status monotonic_ms(void *ctx, uint64_t *ms)
{
    enum mfa_status status = host_port.monotonic_ms(ctx, ms);

    if (fault_strikes(FAULT_CLOCK))
        return MFA_ERR_INTERNAL;
    if (fault_strikes(FAULT_HOUR_FORWARD))
        *ms += HOUR_MS;
    if (fault_strikes(FAULT_END_OF_TIME))
        *ms = UINT64_MAX;
    return status;
}

static enum mfa_status wall_ms(void *ctx, int64_t *ms)
{
    enum mfa_status status = host_port.wall_ms(ctx, ms);

    if (fault_strikes(FAULT_CLOCK))
        return MFA_ERR_INTERNAL;
    if (fault_strikes(FAULT_HOUR_FORWARD))
        *ms += HOUR_MS;
    if (fault_strikes(FAULT_HOUR_BACK))
        *ms -= HOUR_MS;
    if (fault_strikes(FAULT_END_OF_TIME))
        *ms = INT64_MAX;
    return status;
}

/* On the monotonic clock, as it goes now. */
static uint64_t deadline_ms(void *ctx, uint64_t call)
{
    uint64_t deadline = host_port.deadline_ms(ctx, call);

    if (fault_strikes(FAULT_PATIENCE))
        return 0;
    if (fault_strikes(FAULT_HOUR_FORWARD))
        return deadline + HOUR_MS;
    return fault_strikes(FAULT_END_OF_TIME) ? UINT64_MAX : deadline;
}

static enum mfa_status draw(void *ctx, void *bytes, size_t len)
{
    return fault_strikes(FAULT_RANDOM) ? MFA_ERR_INTERNAL : host_port.random(ctx, bytes, len);
}

static enum mfa_status load(void *ctx, enum mfa_record record, const char *user_id, struct mfa_buffer *out,
                            uint64_t *version)
{
    if (!fault_strikes(FAULT_LOAD))
        return host_port.profile_load(ctx, record, user_id, out, version);
    mfa_buffer_reset(out);
    *version = 0;
    return MFA_ERR_INTERNAL;
}

static enum mfa_status store(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                             const char *data, size_t len)
{
    enum mfa_status status = MFA_ERR_INTERNAL;

    if (fault_strikes(FAULT_STORE))
        return MFA_ERR_INTERNAL;
    if (fault_strikes(FAULT_CONFLICT))
        return MFA_ERR_CONFLICT;
    fault_pause();
    status = host_port.profile_store(ctx, record, user_id, expected, data, len);
    fault_resume();
    return status;
}

static enum mfa_status check_password(void *ctx, const char *user_id, const char *password_secret, size_t len)
{
    return fault_strikes(FAULT_PASSWORD) ? MFA_ERR_INTERNAL
                                         : host_port.password_check(ctx, user_id, password_secret, len);
}

struct mfa_host_port __wrap_fake_host_port(struct fake_host *host)
{
    struct mfa_host_port port = __real_fake_host_port(host);

    host_port = port;
    port.monotonic_ms = monotonic_ms;
    port.wall_ms = wall_ms;
    port.deadline_ms = deadline_ms;
    port.random = draw;
    port.profile_load = load;
    port.profile_store = store;
    port.password_check = check_password;
    return port;
}

static enum mfa_status get(void *ctx, const char *key, void *value, size_t size, size_t *len, uint64_t *version)
{
    return fault_strikes(FAULT_LOAD) ? MFA_ERR_INTERNAL : kv_port.get(ctx, key, value, size, len, version);
}

static enum mfa_status put(void *ctx, const char *key, const void *value, size_t len, int64_t expires_ms,
                           uint64_t *version)
{
    if (fault_strikes(FAULT_STORE))
        return MFA_ERR_INTERNAL;
    return fault_strikes(FAULT_CONFLICT) ? MFA_ERR_CONFLICT : kv_port.put(ctx, key, value, len, expires_ms, version);
}

struct mfa_kv_port __wrap_fake_kv_port(struct fake_kv *kv)
{
    struct mfa_kv_port port = __real_fake_kv_port(kv);

    kv_port = port;
    port.get = get;
    port.put = put;
    return port;
}

static enum mfa_status submit(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg)
{
    return fault_strikes(FAULT_GATEWAY) ? MFA_ERR_FULL : gateway_port.submit(ctx, request, done, arg);
}

struct mfa_gateway_port __wrap_fake_gateway_port(struct fake_gateway *gateway)
{
    struct mfa_gateway_port port = __real_fake_gateway_port(gateway);

    gateway_port = port;
    port.submit = submit;
    return port;
}
