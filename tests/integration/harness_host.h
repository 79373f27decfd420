/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_host.h: the sample host as a child process, with files of its own in a temporary directory.
 *
 * Built things are found in $BUILD (`build`). $HOST_WRAPPER, split at blanks, goes before the command, for example
 * `valgrind --leak-check=full --error-exitcode=9`. All functions assert with cmocka what they promise, and none is
 * thread-safe.
 */
#ifndef HARNESS_HOST_H
#define HARNESS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct host;

/* Writes `yaml`, the whole configuration (`http.port: 0` takes a free port), and prepares a data directory.
 * `plugins_dir`  NULL: $BUILD/plugins
 * `data_dir`     NULL: one that host_free removes
 * Ownership      all copied; the result is owned by caller, release with host_free. */
struct host *host_new(const char *yaml, const char *plugins_dir, const char *data_dir);

/* Replaces the configuration of the next start, or reload. Copied. */
void host_configure(struct host *host, const char *yaml);

/* Starts the host and waits, at most 60 seconds, until it listens. Also restarts one that was stopped or killed, on the
 * same data; the port, and with it host_url, may be another then. */
void host_start(struct host *host);

/* Starts a host that must refuse to start, and waits for its end.
 * Returns  its exit status. */
int host_start_refused(struct host *host);

/* SIGHUP; waits, at most 60 seconds, until the host says what came of it.
 * Returns  whether the configuration is another now. */
bool host_reload(struct host *host);

/* SIGTERM; asserts that the host ends by itself with status 0 within 60 seconds, and under valgrind with --track-fds=yes
 * also that it has closed every descriptor it opened. */
void host_stop(struct host *host);

/* SIGKILL, at once. */
void host_kill(struct host *host);

/* "http://127.0.0.1:PORT" of the running host; borrowed until the next start. */
const char *host_url(const struct host *host);

/* The running host's process, for a look into /proc. */
pid_t host_pid(const struct host *host);

/* Threads of the running host. */
size_t host_thread_count(const struct host *host);

/* The file with the configuration; borrowed until host_free. */
const char *host_config_path(const struct host *host);

/* The directory with the host's data; borrowed until host_free. */
const char *host_data_dir(const struct host *host);

/* How often a test shall do something slow: `natively`, or `wrapped` when there is a HOST_WRAPPER. */
size_t host_scale(size_t natively, size_t wrapped);

/* All that every run of this host has written to stderr, and its length; NUL-terminated.
 * Ownership  owned by caller, release with free. */
char *host_log(const struct host *host);

/* Whether the log has this text in it. */
bool host_log_has(const struct host *host, const char *text);

/* Waits until the log of a running host, which writes it a moment later, has this text in it. What was logged before that is
 * there then as well. */
void host_await_log(const struct host *host, const char *text);

/* Asserts that none of the secrets, a list that ends in NULL, is in the log of any run. */
void host_assert_log_lacks(const struct host *host, const char *const *secrets);

/* Kills the host if it still runs and removes its files. Accepts NULL. */
void host_free(struct host *host);

/* `$BUILD/name`; owned by caller, release with free. */
char *build_path(const char *name);

#endif
