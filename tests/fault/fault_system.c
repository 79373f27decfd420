/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

/* --- Threads ------------------------------------------------------------------------------------------------------ */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);

struct beginning {
    void *(*run)(void *);
    void *arg;
    bool counts;
};

static _Thread_local bool was_started; /* by a thread that counts */

static void *begin(void *arg)
{
    struct beginning beginning = *(struct beginning *)arg;

    free(arg);
    was_started = beginning.counts;
    (void)fault_count(beginning.counts);
    return beginning.run(beginning.arg);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    struct beginning *beginning = NULL;
    bool did_count = false;
    int error = 0;

    if (fault_strikes(FAULT_THREAD))
        return EAGAIN;
    did_count = fault_count(false);
    beginning = malloc(sizeof *beginning);
    *beginning = (struct beginning){run, arg, did_count};
    error = __real_pthread_create(thread, attributes, begin, beginning);
    (void)fault_count(did_count);
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
