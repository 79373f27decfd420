/* SPDX-License-Identifier: Apache-2.0 */
#include "bare.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define WORDS_MAX 64

/* libmicrohttpd adds these by itself. */
static bool is_added_anyway(const char *name)
{
    return strcasecmp(name, "Date") == 0 || strcasecmp(name, "Content-Length") == 0 ||
           strcasecmp(name, "Connection") == 0;
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

/* The command, ending in NULL; each word is owned. */
static void make_command(char *words[WORDS_MAX], const struct http_answer *answer)
{
    size_t count = 0;
    char status[16];
    snprintf(status, sizeof status, "%ld", answer->status);
    words[count++] = build_path("tests/bench/bare_server");
    words[count++] = copy_text(status);
    words[count++] = copy_text(answer->body);
    struct curl_header *header = NULL;
    while ((header = curl_easy_nextheader(answer->curl, CURLH_HEADER, -1, header)) && count + 3 < WORDS_MAX) {
        if (is_added_anyway(header->name))
            continue;
        words[count++] = copy_text(header->name);
        words[count++] = copy_text(header->value);
    }
    words[count] = NULL;
}

static pid_t spawn(char **words, int out)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(out, STDOUT_FILENO) >= 0)
            execv(words[0], words);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

void bare_start(struct bare *bare, const struct http_answer *answer)
{
    char *words[WORDS_MAX];
    int out[2] = {-1, -1};
    make_command(words, answer);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    bare->pid = spawn(words, out[1]);
    close(out[1]);
    ssize_t len = read(out[0], bare->url, sizeof bare->url - 1);
    assert_true(len > 0);
    bare->url[len - 1] = '\0'; /* the end of the line */
    close(out[0]);
    for (char **word = words; *word; word++)
        free(*word);
}

void bare_stop(struct bare *bare)
{
    assert_int_equal(kill(bare->pid, SIGKILL), 0);
    assert_int_equal(waitpid(bare->pid, NULL, 0), bare->pid);
}
