/* SPDX-License-Identifier: Apache-2.0
 *
 * What replaces `${...}` in an operator's text, and what makes a text of an operator's mapping, against slow and obvious
 * ones. The input is a byte that chooses, and a text, or JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "encoded.h"
#include "files.h"
#include "fuzz.h"
#include "mfa_compose.h"
#include "mfa_expand.h"
#include "mfa_template.h"

/* --- Expansion ------------------------------------------------------------------------------------------------------ */

/* A parameter may hold what looks like an expansion: it is none. */
#define PARAMETER "${env:" FILES_SECRET_VARIABLE "}"

static const char *find_parameter(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "p") == 0 ? PARAMETER : NULL;
}

static const char *find_value(const char *source, const char *name, bool has_parameters)
{
    if (strcmp(source, "env") == 0)
        return getenv(name);
    if (strcmp(source, "file") == 0)
        return strcmp(name, FILES_SECRET_PATH) == 0 ? FILES_SECRET : NULL;
    return has_parameters && strcmp(source, "param") == 0 ? find_parameter(NULL, name) : NULL;
}

/* Writes what `${source:name}` at `*text` stands for and moves behind it; false: nothing does. */
static bool write_value(FILE *out, const char **text, bool has_parameters)
{
    const char *colon = strchr(*text, ':');
    const char *end = strchr(*text, '}');
    char *source = NULL;
    char *name = NULL;
    const char *value = NULL;

    if (end == NULL || end - colon > 256)
        return false;
    source = strndup(*text + 2, (size_t)(colon - *text - 2));
    name = strndup(colon + 1, (size_t)(end - colon - 1));
    value = find_value(source, name, has_parameters);
    free(source);
    free(name);
    *text = end + 1;
    return value != NULL && *value != '\0' && fputs(value, out) >= 0;
}

static bool write_expanded(FILE *out, const char *text, bool has_parameters)
{
    while (*text != '\0') {
        size_t word = strncmp(text, "${", 2) == 0 ? strspn(text + 2, "abcdefghijklmnopqrstuvwxyz") : 0;
        bool is_expansion = word > 0 && text[2 + word] == ':';
        if (is_expansion && !write_value(out, &text, has_parameters))
            return false;
        if (!is_expansion)
            (void)fputc(*text++, out);
    }
    return true;
}

static void check_problem(const char *problem, const char *text)
{
    assert_true(problem[0] != '\0' && strlen(problem) < MFA_EXPAND_PROBLEM_SIZE);
    for (size_t i = 0; problem[i] != '\0'; i++)
        assert_true((unsigned char)problem[i] >= ' ' && problem[i] != 0x7f);
    if (strstr(text, FILES_SECRET) == NULL)
        assert_null(strstr(problem, FILES_SECRET));
}

static void check_expansion(const char *text, bool has_parameters)
{
    const struct mfa_expand_parameters parameters = {.find = find_parameter};
    char problem[MFA_EXPAND_PROBLEM_SIZE];
    struct mfa_buffer out;
    char *expected = NULL;
    size_t expected_len = 0;
    FILE *stream = open_memstream(&expected, &expected_len);
    bool is_good = write_expanded(stream, text, has_parameters);
    enum mfa_status status = MFA_OK;

    mfa_buffer_init(&out, SIZE_MAX);
    status = mfa_expand(&out, text, has_parameters ? &parameters : NULL, problem);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(status, is_good ? MFA_OK : MFA_ERR_SYNTAX);
    if (is_good)
        assert_string_equal(out.data, expected);
    else
        check_problem(problem, text);
    mfa_buffer_clear(&out);
    free(expected);
}

/* --- Mappings ------------------------------------------------------------------------------------------------------- */

/* Stands for every variable; completes no escape. */
#define VALUE "zz"

/* Renders a composed text with VALUE for each variable, whatever its name. */
static void render(const struct mfa_buffer *composed, enum mfa_template_kind kind, struct mfa_buffer *out)
{
    struct mfa_template *tmpl = NULL;
    json_t *values = json_object();
    const char *problem = NULL;
    const char *name = NULL;

    assert_int_equal(mfa_template_parse(&tmpl, composed->data != NULL ? composed->data : "", kind, &problem), MFA_OK);
    for (size_t i = 0; (name = mfa_template_variable(tmpl, i)) != NULL; i++)
        assert_int_equal(json_object_set_new(values, name, json_string(VALUE)), 0);
    assert_int_equal(mfa_template_render(tmpl, &(struct mfa_variables){.user_data = values, .code_secret = VALUE}, out),
                     MFA_OK);
    mfa_template_free(tmpl);
    json_decref(values);
}

/* The text with VALUE for each placeholder, of which there are none but good ones. */
static char *replaced(const char *text)
{
    char *out = calloc(strlen(text) + 1, sizeof VALUE);
    const char *opening = NULL;

    assert_non_null(out);
    while ((opening = strstr(text, "{{")) != NULL) {
        (void)strncat(out, text, (size_t)(opening - text));
        (void)strcat(out, VALUE);
        text = strstr(opening, "}}") + 2;
    }
    return strcat(out, text);
}

/* Also decodes: a percent-escape may be the operator's own. */
static json_t *expected_text(const char *text)
{
    char *with_values = replaced(text);
    char *plus = NULL;
    json_t *pairs = NULL;
    json_t *decoded = NULL;

    /* All but escapes is itself. */
    FILE *stream = open_memstream(&plus, &(size_t){0});
    for (const char *at = with_values; *at != '\0'; at++)
        (void)fprintf(stream, strchr("+&=", *at) != NULL ? "%%%02X" : "%c", *at);
    assert_int_equal(fclose(stream), 0);
    pairs = decode_pairs(plus);
    decoded = json_array_size(pairs) > 0 ? json_incref(json_array_get(json_array_get(pairs, 0), 0)) : json_string("");
    json_decref(pairs);
    free(plus);
    free(with_values);
    return decoded;
}

static json_t *expected_pairs(const json_t *map)
{
    json_t *pairs = json_array();
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        char *number = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        json_t *text = json_is_string(value) ? expected_text(json_string_value(value)) : json_string(number);
        assert_int_equal(json_array_append_new(pairs, json_pack("[o, o]", expected_text(key), text)), 0);
        free(number);
    }
    return pairs;
}

static void check_pairs(const json_t *map, enum mfa_pairs kind)
{
    struct mfa_buffer composed;
    struct mfa_buffer rendered;
    const char *problem = NULL;
    enum mfa_status status = MFA_OK;

    mfa_buffer_init(&composed, SIZE_MAX);
    mfa_buffer_init(&rendered, SIZE_MAX);
    status = mfa_compose_pairs(&composed, map, kind, &problem);
    assert_true(status == MFA_OK || (status == MFA_ERR_SYNTAX && fuzz_is_line(problem)));
    if (status == MFA_OK) {
        json_t *expected = expected_pairs(map);
        json_t *pairs = NULL;
        render(&composed, MFA_TEMPLATE_FORM, &rendered);
        pairs = decode_pairs(rendered.data);
        assert_true(json_equal(pairs, expected));
        json_decref(expected);
        json_decref(pairs);
    }
    mfa_buffer_clear(&composed);
    mfa_buffer_clear(&rendered);
}

static json_t *expected_json(const json_t *value)
{
    json_t *out = json_is_object(value) ? json_object() : json_array();
    const char *key = NULL;
    json_t *member = NULL;
    size_t i = 0;

    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        assert_int_equal(json_object_set_new(out, key, expected_json(member)), 0);
    }
    json_array_foreach(value, i, member)
    {
        assert_int_equal(json_array_append_new(out, expected_json(member)), 0);
    }
    if (!json_is_object(value) && !json_is_array(value)) {
        char *text = json_is_string(value) ? replaced(json_string_value(value))
                                           : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        json_decref(out);
        out = json_is_string(value) ? json_string(text) : json_loads(text, JSON_DECODE_ANY, NULL);
        free(text);
    }
    return out;
}

static void check_composed_json(const json_t *value)
{
    struct mfa_buffer composed;
    struct mfa_buffer rendered;
    const char *problem = NULL;
    enum mfa_status status = MFA_OK;

    mfa_buffer_init(&composed, SIZE_MAX);
    mfa_buffer_init(&rendered, SIZE_MAX);
    status = mfa_compose_json(&composed, value, &problem);
    assert_true(status == MFA_OK || (status == MFA_ERR_SYNTAX && fuzz_is_line(problem)));
    if (status == MFA_OK) {
        json_t *expected = expected_json(value);
        json_t *read = NULL;
        render(&composed, MFA_TEMPLATE_JSON, &rendered);
        read = json_loadb(rendered.data, rendered.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        assert_true(json_equal(read, expected));
        json_decref(expected);
        json_decref(read);
    }
    mfa_buffer_clear(&composed);
    mfa_buffer_clear(&rendered);
}

static void check_composition(const char *text)
{
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    /* What filters do is fuzz_encode.c's. */
    if (value != NULL && strchr(text, '|') == NULL && strstr(text, "\\u007") == NULL) {
        if (json_is_object(value)) {
            check_pairs(value, MFA_PAIRS_QUERY);
            check_pairs(value, MFA_PAIRS_FORM);
        }
        check_composed_json(value);
    }
    json_decref(value);
}

/* --- The whole ------------------------------------------------------------------------------------------------------ */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input input = {(const char *)data, len};
    unsigned chosen = fuzz_take_byte(&input) % 3;
    char *text = fuzz_take_text(&input);

    assert_int_equal(setenv(FILES_SECRET_VARIABLE, FILES_SECRET, 1), 0);
    files_set_presets(NULL);
    if (chosen == 2)
        check_composition(text);
    else
        check_expansion(text, chosen == 1);
    free(text);
    return 0;
}
