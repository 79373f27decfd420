/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core_plugin.h"

/* Not above PIPE_BUF, so that the lines of many threads never mix. */
#define LINE_MAX_LEN 4096
#define ESCAPE_LEN 4

static const char *level_name(uint32_t level)
{
    switch (level) {
    case CORE_LOG_WARN: return "warn";
    case CORE_LOG_INFO: return "info";
    case CORE_LOG_DEBUG: return "debug";
    default: return "error";
    }
}

/* Most lines of a thread fall into the second of the one before, and the C library takes a lock for each date. */
static const char *stamp_of(time_t second)
{
    static _Thread_local time_t stamped = -1;
    static _Thread_local char stamp[32];
    struct tm utc = {0};

    if (second != stamped && gmtime_r(&second, &utc) && strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc) > 0)
        stamped = second;
    return stamp;
}

static size_t write_prefix(char *line, size_t size, uint32_t level, const char *source)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    int len = snprintf(line, size, "%s.%03ldZ %s %.32s ", stamp_of(now.tv_sec), now.tv_nsec / 1000000,
                       level_name(level), source);
    return len < 0 ? 0 : (size_t)len;
}

/* C0, DEL, and the C1 controls, which in UTF-8 are 0xc2 0x80 to 0x9f: a terminal obeys all of them. */
static bool starts_control(const char *text, size_t left)
{
    unsigned char c = (unsigned char)text[0];

    if (c < 0x20 || c == 0x7f)
        return true;
    return c == 0xc2 && left > 1 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
}

void log_text(uint32_t level, const char *source, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    char line[LINE_MAX_LEN];
    size_t used = write_prefix(line, sizeof(line), level, source);

    for (size_t i = 0; i < len && used + ESCAPE_LEN < sizeof(line); i++) {
        unsigned char c = (unsigned char)text[i];
        if (starts_control(text + i, len - i)) {
            const char escaped[ESCAPE_LEN] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            memcpy(line + used, escaped, ESCAPE_LEN);
            used += ESCAPE_LEN;
        } else {
            line[used++] = (char)c;
        }
    }
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}

void log_line(uint32_t level, const char *format, ...)
{
    char text[LINE_MAX_LEN];
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len < 0)
        return;
    log_text(level, "host", text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}
