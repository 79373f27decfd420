/* SPDX-License-Identifier: Apache-2.0 */
#include "log_writer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"

#define BATCH_SIZE (64 * 1024)
/* To write each line at once, as the first of many, would cost more than it takes to log it. */
#define GATHER_MS 2

_Static_assert(BATCH_SIZE >= LOG_LINE_MAX_LEN, "a line does not fit a batch");

struct batch {
    size_t len;
    char text[BATCH_SIZE];
};

struct log_writer {
    pthread_mutex_t lock; /* guards all below but the batch that is being written */
    pthread_cond_t wake;  /* the writer: there is something to write */
    pthread_cond_t done;  /* who waits for room, or until all is written */
    bool is_writing, is_stopping;
    struct batch *filling, *writing;
    struct batch batches[2];
    pthread_t thread;
};

/* False: there is nothing to write, and never will be. */
static bool wait_for_lines(struct log_writer *writer)
{
    bool has_lines = false;

    pthread_mutex_lock(&writer->lock);
    writer->writing->len = 0;
    writer->is_writing = false;
    pthread_cond_broadcast(&writer->done);
    while (writer->filling->len == 0 && !writer->is_stopping)
        pthread_cond_wait(&writer->wake, &writer->lock);
    has_lines = writer->filling->len > 0;
    pthread_mutex_unlock(&writer->lock);
    return has_lines;
}

static void swap_batches(struct log_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    struct batch *filled = writer->filling;
    writer->filling = writer->writing;
    writer->writing = filled;
    writer->is_writing = true;
    pthread_mutex_unlock(&writer->lock);
}

/* No more at once than a pipe takes as a whole, or lines of the host itself would fall into ours. */
static void write_lines(const char *text, size_t len)
{
    while (len > 0) {
        size_t most = len < LOG_LINE_MAX_LEN ? len : LOG_LINE_MAX_LEN;
        const char *end = memrchr(text, '\n', most);
        size_t whole = end ? (size_t)(end + 1 - text) : most;

        log_write(text, whole);
        text += whole;
        len -= whole;
    }
}

static void *write_batches(void *context)
{
    struct log_writer *writer = context;

    while (wait_for_lines(writer)) {
        (void)nanosleep(&(struct timespec){.tv_nsec = GATHER_MS * 1000000}, NULL);
        swap_batches(writer);
        write_lines(writer->writing->text, writer->writing->len);
    }
    return NULL;
}

struct log_writer *log_writer_new(void)
{
    struct log_writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return NULL;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->wake, NULL);
    pthread_cond_init(&writer->done, NULL);
    writer->filling = &writer->batches[0];
    writer->writing = &writer->batches[1];
    if (pthread_create(&writer->thread, NULL, write_batches, writer) == 0)
        return writer;
    free(writer);
    return NULL;
}

void log_writer_free(struct log_writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->is_stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->done);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

void log_writer_add(struct log_writer *writer, uint32_t level, const char *source, const char *text, size_t len)
{
    char line[LOG_LINE_MAX_LEN];
    size_t line_len = log_format(line, level, source, text, len);

    pthread_mutex_lock(&writer->lock);
    while (line_len > BATCH_SIZE - writer->filling->len)
        pthread_cond_wait(&writer->done, &writer->lock);
    if (writer->filling->len == 0)
        pthread_cond_signal(&writer->wake);
    memcpy(writer->filling->text + writer->filling->len, line, line_len);
    writer->filling->len += line_len;
    pthread_mutex_unlock(&writer->lock);
}

void log_writer_flush(struct log_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->filling->len > 0 || writer->is_writing)
        pthread_cond_wait(&writer->done, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
}
