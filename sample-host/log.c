/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core_plugin.h"

#define ESCAPE_LEN 4
/* The text is looked at in blocks of so many bytes. */
#define BLOCK_LEN 16
#define SOURCE_MAX_LEN 32

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

static size_t append(char line[static LOG_LINE_MAX_LEN], size_t used, const char *text, size_t len)
{
    size_t fits = len < LOG_LINE_MAX_LEN - used ? len : LOG_LINE_MAX_LEN - used;

    memcpy(line + used, text, fits);
    return used + fits;
}

/* "2026-11-24T09:00:00.123Z warn mfa " */
static size_t append_prefix(char line[static LOG_LINE_MAX_LEN], uint32_t level, const char *source)
{
    struct timespec now = {0};
    const char *stamp = NULL;
    char fraction[] = ".000Z ";

    (void)clock_gettime(CLOCK_REALTIME, &now);
    long ms = now.tv_nsec / 1000000;
    for (int digit = 3; digit > 0; digit--, ms /= 10)
        fraction[digit] = (char)('0' + ms % 10);
    stamp = stamp_of(now.tv_sec);
    size_t used = append(line, 0, stamp, strlen(stamp));
    used = append(line, used, fraction, strlen(fraction));
    used = append(line, used, level_name(level), strlen(level_name(level)));
    used = append(line, used, " ", 1);
    used = append(line, used, source, strnlen(source, SOURCE_MAX_LEN));
    return append(line, used, " ", 1);
}

/* C0, DEL, and the C1 controls, which in UTF-8 are 0xc2 0x80 to 0x9f: a terminal obeys all of them. */
static bool starts_control(const char *text, size_t left)
{
    unsigned char c = (unsigned char)text[0];

    if (c < 0x20 || c == 0x7f)
        return true;
    return c == 0xc2 && left > 1 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
}

/* Without a branch, so that compilers look at a block with a few vector instructions. */
static bool is_printable_ascii(const char block[static BLOCK_LEN])
{
    unsigned char other = 0;

    for (size_t i = 0; i < BLOCK_LEN; i++)
        other |= (unsigned char)(block[i] - ' ') > '~' - ' ';
    return other == 0;
}

static size_t plain_len(const char *text, size_t len)
{
    size_t plain = 0;

    while (len - plain >= BLOCK_LEN && is_printable_ascii(text + plain))
        plain += BLOCK_LEN;
    while (plain < len && !starts_control(text + plain, len - plain))
        plain++;
    return plain;
}

size_t log_format(char line[static LOG_LINE_MAX_LEN], uint32_t level, const char *source, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = append_prefix(line, level, source);

    while (len > 0 && used + ESCAPE_LEN < LOG_LINE_MAX_LEN) {
        size_t taken = plain_len(text, len);
        if (taken > 0) {
            used = append(line, used, text, taken);
        } else {
            const unsigned char c = (unsigned char)text[0];
            used = append(line, used, (const char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, ESCAPE_LEN);
            taken = 1;
        }
        text += taken;
        len -= taken;
    }
    line[used < LOG_LINE_MAX_LEN ? used++ : used - 1] = '\n';
    return used;
}

void log_write(const char *text, size_t len)
{
    /* A log that cannot be written has nobody to be told. */
    if (write(STDERR_FILENO, text, len) < 0)
        return;
}

void log_text(uint32_t level, const char *source, const char *text, size_t len)
{
    char line[LOG_LINE_MAX_LEN];

    log_write(line, log_format(line, level, source, text, len));
}

void log_line(uint32_t level, const char *format, ...)
{
    char text[LOG_LINE_MAX_LEN];
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len < 0)
        return;
    log_text(level, "host", text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}
