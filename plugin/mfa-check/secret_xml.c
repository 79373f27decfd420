/* SPDX-License-Identifier: Apache-2.0 */
#include "secret_xml.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "secret_name.h"

/* What of the structure counts: whether what comes is in an element that is secret. */
struct xml_scan {
    struct secret_scan scan;
    size_t depth;        /* of the element around; 1: there is none */
    size_t secret_depth; /* of the outermost element that is secret as a whole; 0: there is none around */
    bool is_said;        /* it is secret by the text of a <name> in it, and not by what it is itself called */
    size_t name_depth;   /* of the <name> around; 0: there is none */
};

struct part {
    const char *text;
    const char *end;
};

struct attribute {
    struct part name;
    struct part value;
};

static bool says_secret(struct part part)
{
    return secret_name_is(part.text, (size_t)(part.end - part.text));
}

static bool is(struct part part, const char *wanted)
{
    const size_t len = strlen(wanted);

    return (size_t)(part.end - part.text) == len && strncasecmp(part.text, wanted, len) == 0;
}

static struct part without_prefix(struct part name)
{
    const char *colon = memchr(name.text, ':', (size_t)(name.end - name.text));

    return (struct part){.text = colon != NULL ? colon + 1 : name.text, .end = name.end};
}

/* --- Attributes --------------------------------------------------------------------------------------------------- */

static bool is_quote(const struct secret_scan *scan, const char *at)
{
    return at < scan->end && (*at == '"' || *at == '\'');
}

/* What follows an attribute's name: `= "value"`, or nothing of the kind. */
static struct part attribute_value(struct secret_scan *scan)
{
    struct part value = {.text = scan->at, .end = scan->at};

    scan->at = secret_scan_skip_blanks(scan, scan->at);
    if (scan->at == scan->end || *scan->at != '=')
        return value;
    scan->at = secret_scan_skip_blanks(scan, scan->at + 1);
    if (!is_quote(scan, scan->at))
        return value;
    value.text = scan->at + 1;
    value.end = secret_scan_find_any(scan, value.text, *scan->at == '"' ? "\"" : "'");
    scan->at = value.end + (value.end < scan->end);
    return value;
}

/* False where the tag ends, or another begins. */
static bool next_attribute(struct secret_scan *scan, struct attribute *attribute)
{
    const char *name = secret_scan_skip_blanks(scan, scan->at);

    scan->at = name;
    if (name == scan->end || *name == '>' || *name == '<')
        return false;
    scan->at = secret_scan_find_any(scan, name, "= \t\r\n/><");
    scan->at += scan->at == name && *name != '='; /* a slash */
    attribute->name = (struct part){.text = name, .end = scan->at};
    attribute->value = attribute_value(scan);
    return true;
}

/* `<param name="password" value="..."/>` */
static bool attributes_say_secret(struct secret_scan tag)
{
    struct attribute attribute;

    while (next_attribute(&tag, &attribute))
        if ((is(attribute.name, "name") || is(attribute.name, "key")) && says_secret(attribute.value))
            return true;
    return false;
}

/* In an element that is secret every attribute is, but for those that only tell what the element is. */
static bool is_secret_attribute(const struct attribute *attribute, bool is_in_secret)
{
    const struct part local = without_prefix(attribute->name);
    const bool is_own = local.text == attribute->name.text;

    if (!is_own && is((struct part){.text = attribute->name.text, .end = local.text - 1}, "xmlns"))
        return false;
    return says_secret(local) ||
           (is_in_secret && is_own && !is(local, "xmlns") && !is(local, "name") && !is(local, "type"));
}

static void find_attributes(struct secret_scan *scan, bool is_in_secret)
{
    struct attribute attribute;

    while (next_attribute(scan, &attribute))
        if (is_secret_attribute(&attribute, is_in_secret))
            secret_scan_found(scan, attribute.value.text, attribute.value.end);
}

/* --- Text --------------------------------------------------------------------------------------------------------- */

static struct part without_blanks(const struct secret_scan *scan, struct part text)
{
    text.text = secret_scan_skip_blanks(scan, text.text);
    while (text.end > text.text && secret_scan_skip_blanks(scan, text.end - 1) > text.end - 1)
        text.end--;
    return text;
}

/* In XML-RPC the text of one element says what the next one holds, up to the end of the element around both. */
static void scan_text(struct xml_scan *xml, const char *text, const char *end)
{
    const struct part words = without_blanks(&xml->scan, (struct part){.text = text, .end = end});

    if (xml->secret_depth > 0) {
        secret_scan_found(&xml->scan, words.text, words.end);
    } else if (xml->depth == xml->name_depth && words.text < words.end && says_secret(words)) {
        xml->secret_depth = xml->depth - 1;
        xml->is_said = true;
    }
}

/* --- Elements ----------------------------------------------------------------------------------------------------- */

static void open_element(struct xml_scan *xml, struct part name)
{
    const bool is_name = is(name, "name");

    xml->depth++;
    if (is_name)
        xml->name_depth = xml->depth;
    if (is_name && xml->is_said && xml->depth == xml->secret_depth + 1)
        xml->secret_depth = 0;
    if (xml->secret_depth == 0 && (says_secret(name) || attributes_say_secret(xml->scan))) {
        xml->secret_depth = xml->depth;
        xml->is_said = false;
    }
}

static void close_element(struct xml_scan *xml)
{
    if (xml->depth == xml->secret_depth)
        xml->secret_depth = 0;
    if (xml->depth == xml->name_depth)
        xml->name_depth = 0;
    xml->depth -= xml->depth > 1;
}

/* --- Tokens -------------------------------------------------------------------------------------------------------- */

static bool begins_with(const struct secret_scan *scan, const char *token)
{
    const size_t len = strlen(token);

    return (size_t)(scan->end - scan->at) >= len && memcmp(scan->at, token, len) == 0;
}

/* Behind the next `token` from `from` on, or `otherwise` where there is none. */
static const char *behind(const struct secret_scan *scan, const char *from, const char *token, const char *otherwise)
{
    const char *found = memmem(from, (size_t)(scan->end - from), token, strlen(token));

    return found != NULL ? found + strlen(token) : otherwise;
}

static void scan_cdata(struct xml_scan *xml)
{
    struct secret_scan *scan = &xml->scan;
    const char *text = scan->at + strlen("<![CDATA[");
    const char *next = behind(scan, text, "]]>", NULL);

    scan_text(xml, text, next != NULL ? next - strlen("]]>") : scan->end);
    scan->at = next != NULL ? next : scan->end;
}

/* Whether a tag begins here, and ends before another does. */
static bool is_tag(const struct secret_scan *scan)
{
    struct secret_scan tag = *scan;
    struct attribute attribute;

    tag.at = secret_scan_find_any(scan, scan->at + 1, " \t\r\n/><");
    if (tag.at == scan->at + 1)
        return false;
    while (next_attribute(&tag, &attribute))
        continue;
    return tag.at < tag.end && *tag.at == '>';
}

static void scan_tag(struct xml_scan *xml)
{
    struct secret_scan *scan = &xml->scan;
    struct part name = {.text = scan->at + 1};

    name.end = scan->at = secret_scan_find_any(scan, name.text, " \t\r\n/><");
    open_element(xml, without_prefix(name));
    find_attributes(scan, xml->secret_depth > 0);
    if (scan->at[-1] == '/')
        close_element(xml);
    scan->at++;
}

static void scan_token(struct xml_scan *xml)
{
    struct secret_scan *scan = &xml->scan;
    const char *at = scan->at;

    if (begins_with(scan, "<!--")) {
        scan->at = behind(scan, at, "-->", at + strlen("<!--"));
    } else if (begins_with(scan, "<![CDATA[")) {
        scan_cdata(xml);
    } else if (begins_with(scan, "</")) {
        close_element(xml);
        scan->at = behind(scan, at, ">", scan->end);
    } else if (begins_with(scan, "<?") || begins_with(scan, "<!")) {
        scan->at = behind(scan, at, ">", scan->end);
    } else if (*at == '<' && is_tag(scan)) {
        scan_tag(xml);
    } else {
        scan->at = secret_scan_find_any(scan, at + 1, "<");
        scan_text(xml, at, scan->at);
    }
}

void secret_xml_scan(struct secret_scan *scan)
{
    struct xml_scan xml = {.scan = *scan, .depth = 1};

    while (xml.scan.at < xml.scan.end)
        scan_token(&xml);
}
