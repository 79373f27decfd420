/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_xml.h"

#include <stdbool.h>
#include <string.h>

#include "secret_name.h"

static bool is_quote(const struct secret_scan *scan, const char *at)
{
    return at < scan->end && (*at == '"' || *at == '\'');
}

/* What follows an attribute's name: `= "value"`, or nothing of the kind. */
static void scan_attribute_value(struct secret_scan *scan, bool is_secret)
{
    const char *value = NULL;

    scan->at = secret_scan_skip_blanks(scan, scan->at);
    if (scan->at == scan->end || *scan->at != '=')
        return;
    scan->at = secret_scan_skip_blanks(scan, scan->at + 1);
    if (!is_quote(scan, scan->at))
        return;
    value = scan->at + 1;
    scan->at = secret_scan_find_any(scan, value, *scan->at == '"' ? "\"" : "'");
    if (is_secret)
        secret_scan_found(scan, value, scan->at);
    scan->at += scan->at < scan->end;
}

/* Up to what follows the tag. */
static void scan_attributes(struct secret_scan *scan)
{
    while ((scan->at = secret_scan_skip_blanks(scan, scan->at)) < scan->end && *scan->at != '>') {
        const char *name = scan->at;

        scan->at = secret_scan_find_any(scan, name, "= \t\r\n/>");
        scan->at += scan->at == name && *name != '='; /* a slash */
        scan_attribute_value(scan, secret_name_is(name, (size_t)(scan->at - name)));
    }
    scan->at += scan->at < scan->end;
}

/* The text that begins here, up to the next tag; `*len` bytes. */
static const char *text_at(const struct secret_scan *scan, size_t *len)
{
    static const char opening[] = "<![CDATA[";
    const size_t left = (size_t)(scan->end - scan->at);
    const bool is_cdata = left >= strlen(opening) && memcmp(scan->at, opening, strlen(opening)) == 0;
    const char *text = is_cdata ? scan->at + strlen(opening) : scan->at;
    const char *end =
        is_cdata ? memmem(text, (size_t)(scan->end - text), "]]>", 3) : secret_scan_find_any(scan, text, "<");

    *len = (size_t)((end != NULL ? end : scan->end) - text);
    return text;
}

/* Blanks stand between tags. */
static void find_text(const struct secret_scan *scan)
{
    size_t len = 0;
    const char *text = text_at(scan, &len);

    if (secret_scan_skip_blanks(scan, text) < text + len)
        secret_scan_found(scan, text, text + len);
}

static bool is_named(const char *name, const char *name_end, const char *wanted)
{
    return (size_t)(name_end - name) == strlen(wanted) && memcmp(name, wanted, strlen(wanted)) == 0;
}

static bool text_says_secret(const struct secret_scan *scan)
{
    size_t len = 0;
    const char *text = text_at(scan, &len);

    return secret_name_is(text, len);
}

/* In XML-RPC the text of one element says what the next one holds. */
void secret_xml_scan(struct secret_scan *scan)
{
    bool is_secret_member = false;

    while ((scan->at = secret_scan_find_any(scan, scan->at, "<")) < scan->end) {
        const bool is_end = scan->at + 1 < scan->end && scan->at[1] == '/';
        const char *name = scan->at + 1 + is_end;
        const char *name_end = secret_scan_find_any(scan, name, " \t\r\n/>");

        scan->at = name_end;
        scan_attributes(scan);
        if (is_end)
            is_secret_member &= !is_named(name, name_end, "member");
        else if (is_named(name, name_end, "name"))
            is_secret_member = text_says_secret(scan);
        else if (is_secret_member || secret_name_is(name, (size_t)(name_end - name)))
            find_text(scan);
    }
}
