/* SPDX-License-Identifier: Apache-2.0 */
#include "checked.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define OUT "stdout"
#define ERR "stderr"

extern char **environ;

static struct folder folder;
static char *program;
struct gateway *gateway;

int checked_setup(void **state)
{
    char *relative = build_path("mfa-check");

    (void)state;
    folder_init(&folder);
    program = realpath(relative, NULL);
    assert_non_null(program);
    free(relative);
    return 0;
}

int checked_teardown(void **state)
{
    (void)state;
    free(program);
    folder_clear(&folder);
    return 0;
}

int checked_setup_with_gateway(void **state)
{
    gateway = gateway_start();
    return checked_setup(state);
}

int checked_teardown_with_gateway(void **state)
{
    gateway_stop(gateway);
    return checked_teardown(state);
}

void checked_write(const char *name, const char *text)
{
    (void)folder_write(&folder, name, text);
}

char *checked_path(const char *name)
{
    char *path = strdup(folder_path(&folder, name));

    assert_non_null(path);
    return path;
}

void checked_configure(const char *mfa)
{
    char *indented = malloc(5 * strlen(mfa) + 5);
    char *to = indented;

    assert_non_null(indented);
    for (const char *at = mfa; *at != '\0'; at++) {
        if (at == mfa || at[-1] == '\n')
            to = stpcpy(to, "    ");
        *to++ = *at;
    }
    *to = '\0';
    to = config_with(indented);
    checked_write(CONFIG, to);
    free(to);
    free(indented);
}

void checked_configure_for_gateway(const char *mfa)
{
    static const char placeholder[] = "GATEWAY";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const char *next = NULL;

    assert_non_null(out);
    for (; (next = strstr(mfa, placeholder)); mfa = next + strlen(placeholder))
        assert_true(fprintf(out, "%.*s%s", (int)(next - mfa), mfa, gateway_url(gateway)) > 0);
    assert_true(fputs(mfa, out) >= 0);
    assert_int_equal(fclose(out), 0);
    checked_configure(text);
    free(text);
}

/* --- Running ------------------------------------------------------------------------------------------------------ */

char *checked_read(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t len = 0;

    assert_non_null(file);
    if (getdelim(&text, &len, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    assert_int_equal(fclose(file), 0);
    return text;
}

static pid_t spawn(char *const arguments[])
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.path);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, OUT, flags, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, ERR, flags, 0600);
    assert_int_equal(posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static struct checked run(char *const arguments[])
{
    struct checked checked = {0};
    pid_t pid = spawn(arguments);
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    checked.status = WEXITSTATUS(status);
    checked.out = checked_read(folder_path(&folder, OUT));
    checked.err = checked_read(folder_path(&folder, ERR));
    checked.json = json_loads(checked.out, 0, NULL);
    return checked;
}

struct checked checked_run(const char *const arguments[])
{
    const char *wrapper_value = getenv("HOST_WRAPPER");
    char *wrapper = strdup(wrapper_value ? wrapper_value : "");
    char *all[ARGUMENTS_MAX + 1] = {NULL};
    struct checked checked;
    char *rest = NULL;
    size_t count = 0;

    for (char *word = strtok_r(wrapper, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        all[count++] = word;
    all[count++] = program;
    for (size_t i = 0; arguments[i]; i++) {
        assert_true(count < ARGUMENTS_MAX);
        all[count++] = (char *)(uintptr_t)arguments[i];
    }
    checked = run(all);
    free(wrapper);
    return checked;
}

struct checked checked_run_shell(char *line)
{
    static char shell[] = "sh";
    static char option[] = "-c";

    return run((char *const[]){shell, option, line, NULL});
}

void checked_clear(struct checked *checked)
{
    free(checked->out);
    free(checked->err);
    json_decref(checked->json);
}

/* --- Looking ------------------------------------------------------------------------------------------------------ */

static void expect_text(const struct checked *checked, const char *text, const char *expected)
{
    if (expected ? !strstr(text, expected) : *text != '\0')
        fail_msg("not there: %s\nout: %s\nerr: %s", expected ? expected : "nothing", checked->out, checked->err);
}

void checked_expect(struct checked checked, int status, const char *out, const char *err)
{
    expect_text(&checked, checked.out, out);
    expect_text(&checked, checked.err, err);
    assert_int_equal(checked.status, status);
    checked_clear(&checked);
}

const json_t *checked_at(const struct checked *checked, const char *path)
{
    const json_t *value = checked->json;
    char *copy = strdup(path);
    char *rest = NULL;

    for (char *key = strtok_r(copy, "/", &rest); key && value; key = strtok_r(NULL, "/", &rest))
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10)) : json_object_get(value, key);
    free(copy);
    if (!value)
        fail_msg("nothing at %s\nout: %s\nerr: %s", path, checked->out, checked->err);
    return value;
}

const char *checked_text(const struct checked *checked, const char *path)
{
    const char *text = json_string_value(checked_at(checked, path));

    if (!text)
        fail_msg("no text at %s\nout: %s", path, checked->out);
    return text;
}
