/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_yaml_document.h"

/* Longest line of a report; the rest is cut off. Keys are cut first, so that the remedy is not. */
#define LINE_MAX_LEN 1024
#define PATH_MAX_LEN 384
#define KEY_MAX_LEN 64

static size_t line_of(const struct mfa_yaml *yaml, size_t mark_line)
{
    return mark_line + (yaml->source->first_line == 0 ? 1 : yaml->source->first_line);
}

size_t mfa_yaml_line(const struct mfa_yaml_node *node)
{
    const struct mfa_yaml_node *where = node->key != NULL ? node->key : node;

    return line_of(node->document, where->yaml->start_mark.line);
}

void mfa_yaml_append(char *text, size_t size, const char *format, ...)
{
    const size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text + len, size - len, format, args);
    va_end(args);
}

static void append_path(char *path, size_t size, const struct mfa_yaml_node *node)
{
    if (node->parent == NULL) {
        mfa_yaml_append(path, size, "%s", node->document->source->section);
        return;
    }
    append_path(path, size, node->parent);
    if (node->key != NULL)
        mfa_yaml_append(path, size, ".%.*s", KEY_MAX_LEN, mfa_yaml_scalar(node->key));
    else
        mfa_yaml_append(path, size, "[%zu]", node->index);
}

/* Keys come from a file, and go into a log: nothing in one may look like the end of a line. */
static void make_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static void report(struct mfa_yaml *yaml, bool is_error, const char *path, size_t line, const char *format,
                   va_list args) __attribute__((format(printf, 5, 0)));

static void report(struct mfa_yaml *yaml, bool is_error, const char *path, size_t line, const char *format,
                   va_list args)
{
    char text[LINE_MAX_LEN] = {0};
    size_t len;

    mfa_yaml_append(text, sizeof text, "%s (%s:%zu): ", path, yaml->source->file, line);
    len = strlen(text);
    (void)vsnprintf(text + len, sizeof text - len, format, args);
    make_one_line(text);
    for (struct mfa_yaml *counting = yaml; counting != NULL; counting = counting->includer)
        counting->error_count += is_error;
    yaml->report(yaml->report_ctx, is_error, text);
}

static void report_node(const struct mfa_yaml_node *node, bool is_error, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void report_node(const struct mfa_yaml_node *node, bool is_error, const char *format, va_list args)
{
    char path[PATH_MAX_LEN] = {0};

    append_path(path, sizeof path, node);
    report(node->document, is_error, path, mfa_yaml_line(node), format, args);
}

void mfa_yaml_error(const struct mfa_yaml_node *node, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report_node(node, true, format, args);
    va_end(args);
}

enum mfa_status mfa_yaml_problem(const struct mfa_yaml_node *node, enum mfa_status status, const char *problem)
{
    if (status == MFA_OK || status == MFA_ERR_MEMORY)
        return status;
    mfa_yaml_error(node, "%s", status == MFA_ERR_TOO_LARGE ? "is too long" : problem);
    return MFA_OK;
}

void mfa_yaml_warning(const struct mfa_yaml_node *node, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report_node(node, false, format, args);
    va_end(args);
}

void mfa_yaml_document_error(struct mfa_yaml *yaml, size_t mark_line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(yaml, true, yaml->source->section, line_of(yaml, mark_line), format, args);
    va_end(args);
}

/* What is at `path`, or the nearest above it that is there. The last key may have the number of an item behind it. */
static const struct mfa_yaml_node *find_nearest(const struct mfa_yaml *yaml, const char *path)
{
    const char *rest;
    const struct mfa_yaml_node *nearest = mfa_yaml_descend(yaml->root, path, &rest);
    const char *number = strchr(rest, '[');
    const struct mfa_yaml_node *list = NULL;
    const struct mfa_yaml_node *item = NULL;
    char key[KEY_MAX_LEN];

    if (number != NULL) {
        (void)snprintf(key, sizeof key, "%.*s", (int)(number - rest), rest);
        list = mfa_yaml_find_key(nearest, key);
    }
    if (list != NULL)
        item = mfa_yaml_item(list, strtoul(number + 1, NULL, 10));
    return item != NULL ? item : nearest;
}

static void report_path(const struct mfa_yaml *yaml, bool is_error, const char *path, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static void report_path(const struct mfa_yaml *yaml, bool is_error, const char *path, const char *format, va_list args)
{
    char full_path[PATH_MAX_LEN] = {0};
    const struct mfa_yaml_node *nearest = yaml->root != NULL ? find_nearest(yaml, path) : NULL;

    mfa_yaml_append(full_path, sizeof full_path, "%s.%s", yaml->source->section, path);
    if (nearest != NULL)
        report(nearest->document, is_error, full_path, mfa_yaml_line(nearest), format, args);
    else
        report((struct mfa_yaml *)(uintptr_t)yaml, is_error, full_path, line_of(yaml, 0), format, args);
}

void mfa_yaml_error_at(const struct mfa_yaml *yaml, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report_path(yaml, true, path, format, args);
    va_end(args);
}

void mfa_yaml_warning_at(const struct mfa_yaml *yaml, const char *path, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report_path(yaml, false, path, format, args);
    va_end(args);
}
