/* SPDX-License-Identifier: Apache-2.0
 *
 * log_writer.h: writes lines of the log on a thread of its own, many at a time, so that who serves a request waits for no
 * disk. A process that is killed loses what was logged in its last moment; log_text loses nothing.
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include <stddef.h>
#include <stdint.h>

struct log_writer;

/* NULL: no memory or no thread. */
struct log_writer *log_writer_new(void);

/* Writes what is left. Accepts NULL. */
void log_writer_free(struct log_writer *writer);

/* As log_text, a little later and in the order of the calls; waits while more is to be written than fits. Any thread. */
void log_writer_add(struct log_writer *writer, uint32_t level, const char *source, const char *text, size_t len);

/* Returns when all that was added before is written. Any thread. */
void log_writer_flush(struct log_writer *writer);

#endif
