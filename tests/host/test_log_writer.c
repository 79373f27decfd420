/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_plugin.h"
#include "log.h"
#include "log_writer.h"

#define THREADS 4
#define LINES 2000 /* of each: more than two batches hold */
#define STAMP_LEN strlen("2026-11-24T09:00:00.123")

/* Standard error, led into a file while a test runs. */
struct capture {
    FILE *file;
    int kept_fd;
};

static int lead_into_file(void **state)
{
    struct capture *capture = malloc(sizeof *capture);

    assert_non_null(capture);
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->kept_fd = dup(STDERR_FILENO);
    assert_int_equal(dup2(fileno(capture->file), STDERR_FILENO), STDERR_FILENO);
    *state = capture;
    return 0;
}

static int lead_back(void **state)
{
    struct capture *capture = *state;

    assert_int_equal(dup2(capture->kept_fd, STDERR_FILENO), STDERR_FILENO);
    close(capture->kept_fd);
    fclose(capture->file);
    free(capture);
    return 0;
}

static size_t count_lines(struct capture *capture, const char *ending)
{
    char line[LOG_LINE_MAX_LEN + 1];
    size_t count = 0;

    rewind(capture->file);
    while (fgets(line, sizeof line, capture->file)) {
        const char *found = strstr(line, ending);
        assert_true(line[0] == '2'); /* a year: a line is whole */
        if (found && found[strlen(ending)] == '\n')
            count++;
    }
    return count;
}

static void add_text(struct log_writer *writer, const char *text)
{
    log_writer_add(writer, CORE_LOG_WARN, "test", text, strlen(text));
}

static void a_flush_waits_until_all_is_written(void **state)
{
    struct log_writer *writer = log_writer_new();

    assert_non_null(writer);
    log_writer_flush(writer);
    add_text(writer, "one");
    add_text(writer, "two\n");
    log_writer_flush(writer);
    assert_int_equal(count_lines(*state, " warn test one"), 1);
    assert_int_equal(count_lines(*state, " warn test two\\x0a"), 1);
    log_writer_free(writer);
}

static void the_end_writes_what_is_left(void **state)
{
    struct log_writer *writer = log_writer_new();

    assert_non_null(writer);
    add_text(writer, "last");
    log_writer_free(writer);
    log_writer_free(NULL);
    assert_int_equal(count_lines(*state, " warn test last"), 1);
}

static void *add_many(void *context)
{
    for (int i = 0; i < LINES; i++)
        add_text(context, "a line like many others, all of them a little longer than they would have to be");
    return NULL;
}

static void no_line_is_lost_or_torn_when_many_threads_log_more_than_fits(void **state)
{
    struct log_writer *writer = log_writer_new();
    pthread_t threads[THREADS];

    assert_non_null(writer);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, writer), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_writer_free(writer);
    assert_int_equal(count_lines(*state, " than they would have to be"), THREADS * LINES);
}

#define OWN_LINES 3000

static void *log_own_lines(void *context)
{
    for (int i = 0; i < OWN_LINES; i++)
        log_line(CORE_LOG_INFO, "a line of the host's own");
    return context;
}

static void *log_all(void *context)
{
    struct log_writer *writer = log_writer_new();
    pthread_t thread;

    (void)context;
    assert_non_null(writer);
    assert_int_equal(pthread_create(&thread, NULL, log_own_lines, NULL), 0);
    (void)add_many(writer);
    log_writer_free(writer);
    pthread_join(thread, NULL);
    close(STDERR_FILENO); /* the pipe's other end is this thread's */
    return NULL;
}

/* Into a pipe, which breaks what it cannot take as a whole. */
static void the_hosts_own_lines_do_not_fall_into_those_of_plugins(void **state)
{
    struct capture *capture = *state;
    char line[LOG_LINE_MAX_LEN + 1];
    size_t own = 0, others = 0;
    pthread_t thread;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, LOG_LINE_MAX_LEN) > 0); /* as small as can be */
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    assert_int_equal(pthread_create(&thread, NULL, log_all, NULL), 0);
    FILE *log = fdopen(ends[0], "r");
    assert_non_null(log);
    while (fgets(line, sizeof line, log)) {
        own += strstr(line, "Z info host a line of the host's own\n") == line + STAMP_LEN;
        others += strstr(line, "Z warn test a line like many others") == line + STAMP_LEN &&
                  strstr(line, " than they would have to be\n") != NULL;
    }
    pthread_join(thread, NULL);
    fclose(log);
    assert_int_equal(dup2(fileno(capture->file), STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(own, OWN_LINES);
    assert_int_equal(others, LINES);
}

static void a_line_that_is_too_long_is_cut(void **state)
{
    struct log_writer *writer = log_writer_new();
    char *text = malloc(2 * LOG_LINE_MAX_LEN);
    char line[LOG_LINE_MAX_LEN + 2] = "";

    assert_non_null(writer);
    assert_non_null(text);
    memset(text, 'x', 2 * LOG_LINE_MAX_LEN);
    log_writer_add(writer, CORE_LOG_INFO, "test", text, 2 * LOG_LINE_MAX_LEN);
    add_text(writer, "behind it");
    log_writer_free(writer);
    assert_int_equal(count_lines(*state, " warn test behind it"), 1);
    rewind(((struct capture *)*state)->file);
    assert_non_null(fgets(line, sizeof line, ((struct capture *)*state)->file));
    assert_true(strlen(line) <= LOG_LINE_MAX_LEN && line[strlen(line) - 1] == '\n');
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flush_waits_until_all_is_written, lead_into_file, lead_back),
        cmocka_unit_test_setup_teardown(the_end_writes_what_is_left, lead_into_file, lead_back),
        cmocka_unit_test_setup_teardown(no_line_is_lost_or_torn_when_many_threads_log_more_than_fits, lead_into_file,
                                        lead_back),
        cmocka_unit_test_setup_teardown(the_hosts_own_lines_do_not_fall_into_those_of_plugins, lead_into_file,
                                        lead_back),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_cut, lead_into_file, lead_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
