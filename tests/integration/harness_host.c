/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define ARGUMENTS_MAX 32
#define LISTENING "listening on "
/* How the host says what came of reading its configuration again. */
#define TAKEN_OVER "the new configuration is in use"
#define NOT_TAKEN_OVER "nothing has changed, the configuration before stays in use"

struct host {
    char *dir;
    char *config_path;
    char *log_path;
    char *data_dir;
    char *plugins_dir;
    pid_t pid; /* 0: not running */
    int out;   /* the host's stdout */
    char url[64];
};

static char *format_path(const char *dir, const char *name)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    return path;
}

char *build_path(const char *name)
{
    const char *build = getenv("BUILD");
    return format_path(build && *build ? build : "build", name);
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

static char *make_temporary_dir(void)
{
    const char *parent = getenv("TMPDIR");
    char *dir = format_path(parent && *parent ? parent : "/tmp", "mfa-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

struct host *host_new(const char *yaml, const char *plugins_dir, const char *data_dir)
{
    struct host *host = calloc(1, sizeof *host);
    assert_non_null(host);
    host->out = -1;
    host->dir = make_temporary_dir();
    host->config_path = format_path(host->dir, "config.yml");
    host->log_path = format_path(host->dir, "host.log");
    host->data_dir = data_dir ? copy_text(data_dir) : format_path(host->dir, "data");
    host->plugins_dir = plugins_dir ? copy_text(plugins_dir) : build_path("plugins");
    assert_true(mkdir(host->data_dir, 0700) == 0 || errno == EEXIST);
    host_configure(host, yaml);
    return host;
}

void host_configure(struct host *host, const char *yaml)
{
    FILE *config = fopen(host->config_path, "w");
    assert_non_null(config);
    assert_true(fputs(yaml, config) >= 0);
    assert_int_equal(fclose(config), 0);
}

/* Splits $HOST_WRAPPER in place and puts the host's own command behind it. */
static void build_arguments(const struct host *host, char *wrapper, char *program, char *arguments[ARGUMENTS_MAX + 1])
{
    static char plugins_option[] = "--plugins";
    static char data_option[] = "--data";
    char *own[] = {program, host->config_path, plugins_option, host->plugins_dir, data_option, host->data_dir};
    const size_t own_count = sizeof own / sizeof *own;

    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(wrapper, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count + own_count < ARGUMENTS_MAX);
        arguments[count++] = word;
    }
    memcpy(arguments + count, own, sizeof own);
    arguments[count + own_count] = NULL;
}

/* Only what is async-signal-safe happens here: the test process has threads. */
static _Noreturn void become_host(char *const *arguments, int out, int log)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(out, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0) {
        close_range(STDERR_FILENO + 1, ~0U, 0);
        execvp(arguments[0], arguments);
    }
    _exit(127);
}

static void spawn(struct host *host)
{
    assert_int_equal(host->pid, 0);
    const char *wrapper_value = getenv("HOST_WRAPPER");
    char *wrapper = copy_text(wrapper_value ? wrapper_value : "");
    char *program = build_path("sample-host");
    char *arguments[ARGUMENTS_MAX + 1];
    build_arguments(host, wrapper, program, arguments);

    int out[2] = {-1, -1};
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    int log = open(host->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(log >= 0);

    pid_t pid = fork();
    if (pid == 0)
        become_host(arguments, out[1], log);
    assert_true(pid > 0);
    host->pid = pid;
    host->out = out[0];
    close(out[1]);
    close(log);
    free(program);
    free(wrapper);
}

/* Reads on from the host's stdout.
 * Returns 1: something was read; 0: the host has ended; -1: nothing happened in time. */
static int read_out(struct host *host, char *buffer, size_t size, size_t *len, uint64_t deadline_ms)
{
    uint64_t now_ms = hold_now_ms();
    struct pollfd readable = {.fd = host->out, .events = POLLIN};
    if (now_ms >= deadline_ms || poll(&readable, 1, (int)(deadline_ms - now_ms)) <= 0)
        return -1;
    ssize_t got = read(host->out, buffer + *len, size - *len);
    if (got <= 0)
        return 0;
    *len += (size_t)got;
    return 1;
}

static bool find_url(struct host *host, const char *out)
{
    const char *line = strstr(out, LISTENING);
    const char *end = line ? strchr(line, '\n') : NULL;
    if (!end)
        return false;
    line += strlen(LISTENING);
    size_t len = (size_t)(end - line);
    assert_true(len > 0 && len < sizeof host->url);
    memcpy(host->url, line, len);
    host->url[len] = '\0';
    return true;
}

/* Returns whether the host has begun to listen; otherwise it has ended. */
static bool await_listening(struct host *host)
{
    char out[4096] = "";
    size_t len = 0;
    uint64_t deadline_ms = hold_now_ms() + PATIENCE_MS;
    while (len < sizeof out - 1) {
        int progress = read_out(host, out, sizeof out - 1, &len, deadline_ms);
        if (progress < 0)
            fail_msg("the host neither listened nor ended within %d ms", PATIENCE_MS);
        if (progress == 0)
            return false;
        out[len] = '\0';
        if (find_url(host, out))
            return true;
    }
    fail_msg("the host prints, but never says that it listens");
    return false;
}

/* Waits for the end of a host that is on its way out. Its stdout closes when it ends. */
static int reap(struct host *host)
{
    char discarded[1024];
    size_t len = 0;
    int progress = 1;
    uint64_t deadline_ms = hold_now_ms() + PATIENCE_MS;
    while ((progress = read_out(host, discarded, sizeof discarded, &len, deadline_ms)) > 0)
        len = 0;
    if (progress < 0)
        fail_msg("the host did not end within %d ms", PATIENCE_MS);

    int wait_status = 0;
    assert_int_equal(waitpid(host->pid, &wait_status, 0), host->pid);
    close(host->out);
    host->out = -1;
    host->pid = 0;
    return wait_status;
}

static void print_log(const struct host *host)
{
    char *log = host_log(host);
    print_error("--- the host's log ---\n%s---\n", log);
    free(log);
}

static int reap_exit_status(struct host *host)
{
    int wait_status = reap(host);
    if (WIFEXITED(wait_status))
        return WEXITSTATUS(wait_status);
    print_log(host);
    fail_msg("the host was ended by signal %d", WTERMSIG(wait_status));
    return -1;
}

void host_start(struct host *host)
{
    spawn(host);
    if (await_listening(host))
        return;
    print_log(host);
    fail_msg("the host did not start; exit status %d", reap_exit_status(host));
}

int host_start_refused(struct host *host)
{
    spawn(host);
    if (await_listening(host)) {
        host_kill(host);
        fail_msg("the host started, but should have refused to");
    }
    return reap_exit_status(host);
}

/* What valgrind says of every descriptor that is open at the end, and of those the host did not open itself. */
#define OPEN_DESCRIPTOR "Open file descriptor"
#define INHERITED "<inherited from parent>"

static void assert_descriptors_closed(const struct host *host)
{
    char *log = host_log(host);
    for (const char *at = strstr(log, OPEN_DESCRIPTOR); at; at = strstr(at + 1, OPEN_DESCRIPTOR)) {
        const char *line = strchr(at, '\n');
        size_t line_len = line ? strcspn(line + 1, "\n") : 0;
        if (!line || !memmem(line + 1, line_len, INHERITED, strlen(INHERITED))) {
            print_log(host);
            fail_msg("the host ended with a descriptor open: %.200s", at);
        }
    }
    free(log);
}

void host_stop(struct host *host)
{
    assert_true(host->pid > 0);
    assert_int_equal(kill(host->pid, SIGTERM), 0);
    int status = reap_exit_status(host);
    if (status != 0)
        print_log(host);
    assert_int_equal(status, 0);
    assert_descriptors_closed(host);
}

void host_kill(struct host *host)
{
    assert_true(host->pid > 0);
    assert_int_equal(kill(host->pid, SIGKILL), 0);
    reap(host);
}

static size_t count_in_log(const struct host *host, const char *text)
{
    char *log = host_log(host);
    size_t count = 0;
    for (const char *at = strstr(log, text); at; at = strstr(at + 1, text))
        count++;
    free(log);
    return count;
}

bool host_reload(struct host *host)
{
    size_t taken = count_in_log(host, TAKEN_OVER);
    size_t refused = count_in_log(host, NOT_TAKEN_OVER);
    uint64_t deadline_ms = hold_now_ms() + PATIENCE_MS;
    assert_int_equal(kill(host_pid(host), SIGHUP), 0);
    while (hold_now_ms() < deadline_ms) {
        if (count_in_log(host, TAKEN_OVER) > taken)
            return true;
        if (count_in_log(host, NOT_TAKEN_OVER) > refused)
            return false;
        usleep(5 * 1000);
    }
    fail_msg("the host did not say within %d ms what came of SIGHUP", PATIENCE_MS);
    return false;
}

const char *host_url(const struct host *host)
{
    return host->url;
}

pid_t host_pid(const struct host *host)
{
    assert_true(host->pid > 0);
    return host->pid;
}

size_t host_thread_count(const struct host *host)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/task", (long)host->pid);
    DIR *tasks = opendir(path);
    size_t count = 0;
    for (const struct dirent *task = NULL; tasks && (task = readdir(tasks));)
        count += task->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    assert_true(count > 0);
    return count;
}

const char *host_config_path(const struct host *host)
{
    return host->config_path;
}

const char *host_data_dir(const struct host *host)
{
    return host->data_dir;
}

size_t host_scale(size_t natively, size_t wrapped)
{
    const char *wrapper = getenv("HOST_WRAPPER");
    return wrapper && *wrapper ? wrapped : natively;
}

char *host_log(const struct host *host)
{
    char *log = NULL;
    size_t len = 0;
    FILE *copy = open_memstream(&log, &len);
    assert_non_null(copy);
    FILE *file = fopen(host->log_path, "r");
    for (int c = file ? getc(file) : EOF; c != EOF; c = getc(file))
        putc(c ? c : '?', copy);
    if (file)
        fclose(file);
    assert_int_equal(fclose(copy), 0);
    return log;
}

bool host_log_has(const struct host *host, const char *text)
{
    char *log = host_log(host);
    bool has = strstr(log, text) != NULL;
    free(log);
    return has;
}

void host_await_log(const struct host *host, const char *text)
{
    for (int tries = 0; !host_log_has(host, text); tries++) {
        if (tries == 2000) /* ten seconds */
            fail_msg("not in the log: %s", text);
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

void host_assert_log_lacks(const struct host *host, const char *const *secrets)
{
    for (; *secrets; secrets++) {
        if (host_log_has(host, *secrets)) {
            print_log(host);
            fail_msg("the log has a secret in it: %s", *secrets);
        }
    }
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void host_free(struct host *host)
{
    if (!host)
        return;
    if (host->pid > 0)
        host_kill(host);
    nftw(host->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(host->dir);
    free(host->config_path);
    free(host->log_path);
    free(host->data_dir);
    free(host->plugins_dir);
    free(host);
}
