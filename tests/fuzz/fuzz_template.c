/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: whatever the values are, what is rendered has the structure that it has with a harmless value. The input is a
 * byte that chooses the kind, the template, and the values of the variables a, b and c, with a NUL between each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "fuzz.h"
#include "mfa_placeholder.h"
#include "mfa_template.h"
#include "structure.h"

#define CODE "042042"

/* Both fit everywhere, as numbers too. Where they make different structures, the operator has put a variable where none
 * belongs: into the name of a member, or into a tag. */
#define HARMLESS 7310731
#define OTHER_HARMLESS 8420842

static const char *const names[] = {"a", "b", "c"};

#define NAME_COUNT (sizeof names / sizeof names[0])

struct attempt {
    enum mfa_template_kind kind;
    const char *text;
    struct mfa_template *tmpl;
    json_t *values;
    bool code_in_values;
    struct mfa_buffer rendered;
    struct mfa_buffer expected; /* with a harmless value for each variable */
    struct mfa_buffer other;    /* with another harmless one */
};

/* --- Structures --------------------------------------------------------------------------------------------------- */

static bool has_same_types(const json_t *value, const json_t *expected)
{
    const char *name = NULL;
    json_t *member = NULL;
    size_t i = 0;

    /* A variable outside of quotes may be any value. */
    if (json_is_real(expected) && json_real_value(expected) == HARMLESS)
        return true;
    if (value == NULL || json_typeof(value) != json_typeof(expected) ||
        json_object_size(value) != json_object_size(expected) || json_array_size(value) != json_array_size(expected))
        return false;
    json_object_foreach((json_t *)(uintptr_t)expected, name, member)
    {
        if (!has_same_types(json_object_get(value, name), member))
            return false;
    }
    json_array_foreach(expected, i, member)
    {
        if (!has_same_types(json_array_get(value, i), member))
            return false;
    }
    return true;
}

static json_t *read_json(const struct mfa_buffer *text)
{
    return json_loadb(text->data, text->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
}

static void check_json(const struct attempt *attempt)
{
    json_t *value = read_json(&attempt->rendered);
    json_t *expected = read_json(&attempt->expected);
    json_t *other = read_json(&attempt->other);

    /* An operator may write a name twice, which we do not read here. */
    if (expected != NULL && has_same_types(other, expected))
        assert_true(has_same_types(value, expected));
    json_decref(value);
    json_decref(expected);
    json_decref(other);
}

/* As of a request whose URL or body was rendered. */
static char *describe(const struct attempt *attempt, const struct mfa_buffer *text)
{
    static const char *const types[] = {[MFA_TEMPLATE_FORM] = "application/x-www-form-urlencoded",
                                        [MFA_TEMPLATE_XML] = "application/xml",
                                        [MFA_TEMPLATE_PLAIN] = "text/plain"};
    bool is_url = attempt->kind == MFA_TEMPLATE_URL;
    char method[] = "POST";
    struct gateway_request request = {.method = method,
                                      .headers = is_url ? json_object()
                                                        : json_pack("{s:s}", "content-type", types[attempt->kind]),
                                      .body = is_url ? (char[]){""} : text->data,
                                      .body_len = is_url ? 0 : text->len};
    char *structure = structure_of(is_url ? text->data : "http://example.com/", &request);

    json_decref(request.headers);
    return structure;
}

static void check_description(const struct attempt *attempt)
{
    char *structure = describe(attempt, &attempt->rendered);
    char *expected = describe(attempt, &attempt->expected);
    char *other = describe(attempt, &attempt->other);

    /* Nothing at all is described as no body. */
    if (strcmp(other, expected) == 0 && attempt->rendered.len > 0)
        assert_string_equal(structure, expected);
    free(structure);
    free(expected);
    free(other);
}

static size_t count(const struct mfa_buffer *text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text->len; i++)
        n += text->data[i] == c;
    return n;
}

static void check_structure(const struct attempt *attempt)
{
    /* `raw` is for values that the operator trusts, and half a reference is no XML. */
    if (strstr(attempt->text, "raw") != NULL ||
        (attempt->kind == MFA_TEMPLATE_XML && strchr(attempt->text, '&') != NULL))
        return;
    switch (attempt->kind) {
    case MFA_TEMPLATE_HEADER:
        assert_int_equal(strlen(attempt->rendered.data), attempt->rendered.len);
        assert_true(fuzz_is_line(attempt->rendered.data));
        break;
    case MFA_TEMPLATE_JSON: check_json(attempt); break;
    case MFA_TEMPLATE_POINTER: assert_int_equal(count(&attempt->rendered, '/'), count(&attempt->expected, '/')); break;
    case MFA_TEMPLATE_URL:
    case MFA_TEMPLATE_FORM:
    case MFA_TEMPLATE_XML:
    case MFA_TEMPLATE_PLAIN: check_description(attempt); break;
    case MFA_TEMPLATE_COMPARED: break; /* has none */
    }
}

/* --- A slow renderer of plain text without filters -------------------------------------------------------------- */

/* The length of `{{ name }}`; 0: it is none. */
static size_t read_placeholder(const char *text, char name[static 64 + 1])
{
    size_t len = 0;
    size_t blanks = strspn(text + 2, " \t");
    size_t name_len = strspn(text + 2 + blanks, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    if (name_len == 0 || name_len > 64)
        return 0;
    (void)snprintf(name, 64 + 1, "%.*s", (int)name_len, text + 2 + blanks);
    len = 2 + blanks + name_len;
    len += strspn(text + len, " \t");
    return strncmp(text + len, "}}", 2) == 0 ? len + 2 : 0;
}

static void write_value(FILE *out, const char *text, const struct attempt *attempt, bool is_value)
{
    char name[64 + 1];

    while (*text != '\0') {
        size_t len = strncmp(text, "{{", 2) == 0 ? read_placeholder(text, name) : 0;
        const json_t *value = len > 0 && !is_value ? json_object_get(attempt->values, name) : NULL;
        bool is_code = len > 0 && strcmp(name, MFA_VARIABLE_CODE) == 0 && (!is_value || attempt->code_in_values);
        if (is_code)
            fputs(CODE, out);
        else if (json_is_string(value))
            write_value(out, json_string_value(value), attempt, true);
        else if (value != NULL)
            (void)json_dumpf(value, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        else
            len = fputc(*text, out) == EOF ? 0 : 1;
        text += len;
    }
}

static void check_text(const struct attempt *attempt)
{
    char *expected = NULL;
    size_t len = 0;
    FILE *out = NULL;

    if (attempt->kind < MFA_TEMPLATE_PLAIN || strchr(attempt->text, '|') != NULL)
        return;
    out = open_memstream(&expected, &len);
    assert_non_null(out);
    write_value(out, attempt->text, attempt, false);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(attempt->rendered.data, expected);
    free(expected);
}

/* --- The whole ------------------------------------------------------------------------------------------------------ */

static enum mfa_status render(const struct attempt *attempt, const json_t *values, struct mfa_buffer *out)
{
    mfa_buffer_init(out, 1u << 20);
    return mfa_template_render(
        attempt->tmpl,
        &(struct mfa_variables){.user_data = values, .code_secret = CODE, .code_in_values = attempt->code_in_values},
        out);
}

static void check_variables(const struct attempt *attempt)
{
    const char *name = NULL;

    for (size_t i = 0; (name = mfa_template_variable(attempt->tmpl, i)) != NULL; i++)
        assert_true(mfa_placeholder_is_name(name, strlen(name)) && strstr(attempt->text, name) != NULL);
}

static enum mfa_status render_harmless(const struct attempt *attempt, json_int_t harmless, struct mfa_buffer *out)
{
    json_t *values = json_object();
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < NAME_COUNT; i++)
        assert_int_equal(json_object_set_new(values, names[i], json_integer(harmless)), 0);
    status = render(attempt, values, out);
    json_decref(values);
    return status;
}

static void check(struct attempt *attempt)
{
    check_variables(attempt);
    if (render(attempt, attempt->values, &attempt->rendered) == MFA_OK) {
        assert_non_null(attempt->rendered.data);
        check_text(attempt);
        if (render_harmless(attempt, HARMLESS, &attempt->expected) == MFA_OK &&
            render_harmless(attempt, OTHER_HARMLESS, &attempt->other) == MFA_OK)
            check_structure(attempt);
    }
    mfa_buffer_clear(&attempt->rendered);
    mfa_buffer_clear(&attempt->expected);
    mfa_buffer_clear(&attempt->other);
}

/* Behind a `#` stands a number or a boolean; anything else is a string. Only UTF-8 gets as far as here. */
static json_t *read_value(struct fuzz_input *input)
{
    char *text = fuzz_take_text(input);
    json_t *value = text[0] == '#' ? json_loads(text + 1, JSON_DECODE_ANY, NULL) : json_string(text);

    free(text);
    if (json_is_string(value) || json_is_number(value) || json_is_boolean(value))
        return value;
    json_decref(value);
    return json_string("");
}

static json_t *read_values(struct fuzz_input *input)
{
    json_t *values = json_object();

    for (size_t i = 0; i < NAME_COUNT; i++)
        assert_int_equal(json_object_set_new(values, names[i], read_value(input)), 0);
    return values;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input input = {(const char *)data, len};
    unsigned chosen = fuzz_take_byte(&input);
    char *text = fuzz_take_text(&input);
    struct attempt attempt = {.kind = (enum mfa_template_kind)(chosen % (MFA_TEMPLATE_COMPARED + 1)),
                              .text = text,
                              .values = read_values(&input),
                              .code_in_values = (chosen & 0x80) == 0};
    const char *problem = NULL;

    if (mfa_template_parse(&attempt.tmpl, text, attempt.kind, &problem) == MFA_OK) {
        assert_null(problem);
        check(&attempt);
    } else {
        assert_null(attempt.tmpl);
        assert_true(fuzz_is_line(problem));
    }
    mfa_template_free(attempt.tmpl);
    json_decref(attempt.values);
    free(text);
    return 0;
}
