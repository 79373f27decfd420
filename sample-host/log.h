/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h: the host's log, one line per message on standard error: `time level source message`. Control characters are
 * written as \xNN, and a message that is too long for one line is cut. Nothing here may hold a secret. Any thread.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>
#include <stdint.h>

/* Not above PIPE_BUF, so that the lines of many threads never mix. */
#define LOG_LINE_MAX_LEN 4096

/* Writes `len` bytes of `text` as one line. `level` is a CORE_LOG_ value; an unknown one counts as an error. `source` is
 * "host" or the name of a plugin. */
void log_text(uint32_t level, const char *source, const char *text, size_t len);

/* Writes a formatted line of the host itself. */
void log_line(uint32_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The two halves of log_text: makes the line, and returns its length; writes whole lines. */
size_t log_format(char line[static LOG_LINE_MAX_LEN], uint32_t level, const char *source, const char *text, size_t len);
void log_write(const char *text, size_t len);

#endif
