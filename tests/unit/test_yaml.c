/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_yaml.h"

/* Every line reported, each with a newline. */
struct log {
    char text[16384];
};

static void collect(void *ctx, bool is_error, const char *line)
{
    struct log *log = ctx;
    const size_t len = strlen(log->text);

    assert_null(strchr(line, '\n'));
    (void)snprintf(log->text + len, sizeof log->text - len, "%s%s\n", is_error ? "" : "warning: ", line);
}

/* A document with all that must outlive it. */
struct fixture {
    struct mfa_config_source source;
    struct log log;
    struct mfa_yaml *yaml;
    enum mfa_status status;
};

static void parse_bytes(struct fixture *fixture, const char *text, size_t len)
{
    *fixture = (struct fixture){
        .source = {
            .text = text, .text_len = len, .section = "services.mfa", .file = "override-config.yml", .first_line = 41}};
    fixture->status = mfa_yaml_parse(&fixture->yaml, &fixture->source, collect, &fixture->log);
}

static void parse(struct fixture *fixture, const char *text)
{
    parse_bytes(fixture, text, strlen(text));
}

static void check_refused(const char *text, const char *expected_line)
{
    struct fixture fixture;

    parse(&fixture, text);
    assert_int_equal(fixture.status, MFA_ERR_CONFIG);
    assert_null(fixture.yaml);
    assert_string_equal(fixture.log.text, expected_line);
}

/* Parses what has the mistake behind the structure: it can be read, and is counted. */
static const struct mfa_yaml_node *value_of(struct fixture *fixture, const char *text)
{
    parse(fixture, text);
    assert_int_equal(fixture->status, MFA_OK);
    assert_string_equal(fixture->log.text, "");
    return mfa_yaml_find_key(mfa_yaml_root(fixture->yaml), "k");
}

static void nothing_is_an_empty_document(void **state)
{
    static const char *const texts[] = {"", "\n", "# a comment\n", "---\n", "null\n", "~", "---\n...\n"};
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        parse(&fixture, texts[i]);
        assert_int_equal(fixture.status, MFA_OK);
        assert_null(mfa_yaml_root(fixture.yaml));
        assert_int_equal(mfa_yaml_error_count(fixture.yaml), 0);
        mfa_yaml_free(fixture.yaml);
    }
    parse_bytes(&fixture, NULL, 0);
    assert_int_equal(fixture.status, MFA_OK);
    assert_null(mfa_yaml_root(fixture.yaml));
    mfa_yaml_free(fixture.yaml);
    mfa_yaml_free(NULL);
}

static void values_are_found_by_path(void **state)
{
    struct fixture fixture;
    const struct mfa_yaml_node *root;
    const struct mfa_yaml_node *node;

    (void)state;
    parse(&fixture, "a:\n  b:\n    c: 'x'\n    none:\nlist: [1]\nlast: ~\n");
    root = mfa_yaml_root(fixture.yaml);
    node = mfa_yaml_find(root, "a.b.c");
    assert_string_equal(mfa_yaml_string(node), "x");
    assert_string_equal(mfa_yaml_key(node), "c");
    assert_string_equal(mfa_yaml_string(mfa_yaml_find(mfa_yaml_find(root, "a"), "b.c")), "x");
    assert_null(mfa_yaml_find(root, "a.b.d"));
    assert_null(mfa_yaml_find(root, "a.b.c.d"));
    assert_null(mfa_yaml_find(root, "list.a"));
    assert_null(mfa_yaml_find(NULL, "a"));
    assert_null(mfa_yaml_find(root, "a.b.none"));
    assert_non_null(mfa_yaml_find_key(root, "a.b.none"));
    assert_null(mfa_yaml_find(root, "last"));
    assert_ptr_equal(mfa_yaml_entry(root, 2), mfa_yaml_find_key(root, "last"));
    assert_null(mfa_yaml_entry(root, 3));
    assert_null(mfa_yaml_key(root));
    assert_string_equal(fixture.log.text, "");
    mfa_yaml_free(fixture.yaml);
}

static void items_are_found_by_their_number(void **state)
{
    struct fixture fixture;
    const struct mfa_yaml_node *list = value_of(&fixture, "k: [a, ~, [b]]\nm: {n: o}\n");

    (void)state;
    assert_string_equal(mfa_yaml_string(mfa_yaml_item(list, 0)), "a");
    assert_null(mfa_yaml_key(mfa_yaml_item(list, 0)));
    assert_non_null(mfa_yaml_item(list, 1));
    assert_string_equal(mfa_yaml_string(mfa_yaml_item(mfa_yaml_item(list, 2), 0)), "b");
    assert_null(mfa_yaml_item(list, 3));
    assert_null(mfa_yaml_item(mfa_yaml_item(list, 0), 0));
    assert_null(mfa_yaml_item(mfa_yaml_find(mfa_yaml_root(fixture.yaml), "m"), 0));
    assert_null(mfa_yaml_entry(list, 0));
    assert_true(mfa_yaml_is_collection(list));
    assert_true(mfa_yaml_is_collection(mfa_yaml_root(fixture.yaml)));
    assert_false(mfa_yaml_is_collection(mfa_yaml_item(list, 0)));
    assert_string_equal(fixture.log.text, "");
    mfa_yaml_free(fixture.yaml);
}

static void json_is_read_as_yaml(void **state)
{
    struct fixture fixture;
    const struct mfa_yaml_node *root;
    int64_t number = 0;

    (void)state;
    parse(&fixture, "{\n\t\"a\": {\"b\": \"x\\\"y\\\\\\u00e9\\/\"},\n\t\"n\": 5, \"e\": null\n}\n");
    root = mfa_yaml_root(fixture.yaml);
    assert_string_equal(mfa_yaml_string(mfa_yaml_find(root, "a.b")), "x\"y\\\xc3\xa9/");
    assert_true(mfa_yaml_integer(mfa_yaml_find(root, "n"), &number));
    assert_int_equal(number, 5);
    assert_null(mfa_yaml_find(root, "e"));
    mfa_yaml_free(fixture.yaml);
}

static void a_string_is_quoted_or_cannot_be_anything_else(void **state)
{
    static const char *const strings[] = {
        "k: 'x'", "k: \"x\"", "k: x", "k: |-\n  x", "k: >-\n  x", "k: ! x",
    };
    static const char *const quoted[] = {"12", "1.5", "true", "no", "null", "~", "", "2024-01-01", "0x1F", "off"};
    static const char *const plain[] = {
        "GET", "2xx",  "1a",  "4f3a", "0xg",  "challenge-verify", "https://h/?a=1", "Bearer x",
        "a1",  "yess", "1st", "+a",   "12 34"};
    struct fixture fixture;
    char text[100];

    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        assert_string_equal(mfa_yaml_string(value_of(&fixture, strings[i])), "x");
        mfa_yaml_free(fixture.yaml);
    }
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        (void)snprintf(text, sizeof text, "k: '%s'", quoted[i]);
        assert_string_equal(mfa_yaml_string(value_of(&fixture, text)), quoted[i]);
        mfa_yaml_free(fixture.yaml);
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        (void)snprintf(text, sizeof text, "k: %s", plain[i]);
        assert_string_equal(mfa_yaml_string(value_of(&fixture, text)), plain[i]);
        mfa_yaml_free(fixture.yaml);
    }
}

static void plain_text_that_has_a_type_is_no_string(void **state)
{
    static const char *const texts[] = {"12", "-1",   "+41791231212", "0b101", "0xFF_FF",   "12e03",     "1.5",
                                        ".5", "1e3",  "0x1F",         "0o17",  "1_000",     "190:20:30", "true",
                                        "No", "ON",   "off",          "y",     ".inf",      "-.INF",     ".NaN",
                                        "~",  "null", "NULL",         "",      "2024-01-01"};
    struct fixture fixture;
    char text[100];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        (void)snprintf(text, sizeof text, "k: %s", texts[i]);
        assert_null(mfa_yaml_string(value_of(&fixture, text)));
        assert_string_equal(fixture.log.text,
                            "services.mfa.k (override-config.yml:41): must be a string: put it in quotes\n");
        assert_int_equal(mfa_yaml_error_count(fixture.yaml), 1);
        mfa_yaml_free(fixture.yaml);
    }
    assert_null(mfa_yaml_string(value_of(&fixture, "k: [x]")));
    assert_string_equal(fixture.log.text,
                        "services.mfa.k (override-config.yml:41): must be a string: put it in quotes\n");
    mfa_yaml_free(fixture.yaml);
}

static void whole_numbers_are_plain_decimal_digits(void **state)
{
    static const struct {
        const char *text;
        int64_t number;
    } numbers[] = {{"0", 0}, {"5", 5}, {"-7", -7}, {"86400", 86400}, {"99999999999999999999", INT64_MAX}};
    static const char *const others[] = {"'5'", "\"5\"", "5.0", "1e3", "0x10", "010", "+5",
                                         "5s",  "~",     "",    "[5]", "true", "1_0", "{a: 5}"};
    struct fixture fixture;
    char text[100];
    int64_t number;

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)snprintf(text, sizeof text, "k: %s", numbers[i].text);
        assert_true(mfa_yaml_integer(value_of(&fixture, text), &number));
        assert_int_equal(number, numbers[i].number);
        mfa_yaml_free(fixture.yaml);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)snprintf(text, sizeof text, "k: %s", others[i]);
        assert_false(mfa_yaml_integer(value_of(&fixture, text), &number));
        assert_string_equal(fixture.log.text,
                            "services.mfa.k (override-config.yml:41): must be a whole number, without quotes\n");
        mfa_yaml_free(fixture.yaml);
    }
}

static void a_choice_is_one_of_its_names(void **state)
{
    static const char *const names[] = {"one", "two", NULL};
    static const char *const others[] = {"k: three", "k: One", "k:", "k: [one]", "k: ''"};
    struct fixture fixture;
    size_t chosen = 99;

    (void)state;
    assert_true(mfa_yaml_choice(value_of(&fixture, "k: two"), names, &chosen));
    assert_int_equal(chosen, 1);
    mfa_yaml_free(fixture.yaml);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(mfa_yaml_choice(value_of(&fixture, others[i]), names, &chosen));
        assert_int_equal(chosen, 0);
        assert_string_equal(fixture.log.text,
                            "services.mfa.k (override-config.yml:41): must be one of \"one\", \"two\"\n");
        mfa_yaml_free(fixture.yaml);
    }
}

static void unknown_keys_are_all_reported(void **state)
{
    static const char *const known[] = {"a", "b", NULL};
    struct fixture fixture;

    (void)state;
    parse(&fixture, "a: 1\nAA: 2\nb: 3\n'x\ty': 4\n");
    assert_true(mfa_yaml_check_keys(mfa_yaml_root(fixture.yaml), known));
    assert_string_equal(
        fixture.log.text,
        "services.mfa.AA (override-config.yml:42): is not a known key: those known here are \"a\", \"b\"\n"
        "services.mfa.x?y (override-config.yml:44): is not a known key: those known here are \"a\", \"b\"\n");
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 2);
    mfa_yaml_free(fixture.yaml);
    assert_false(mfa_yaml_check_keys(value_of(&fixture, "k: a"), known));
    assert_string_equal(fixture.log.text,
                        "services.mfa.k (override-config.yml:41): must be a mapping (keys with values)\n");
    mfa_yaml_free(fixture.yaml);
}

static void repeated_keys_are_reported_wherever_they_stand(void **state)
{
    struct fixture fixture;

    (void)state;
    parse(&fixture, "a:\n  b: 1\n  c: 2\n  'b': 3\nd:\n  - {e: 1, e: 2}\na: 4\n");
    assert_int_equal(fixture.status, MFA_OK);
    assert_string_equal(fixture.log.text,
                        "services.mfa.a (override-config.yml:47): is there twice, first on line 41: keep one\n"
                        "services.mfa.a.b (override-config.yml:44): is there twice, first on line 42: keep one\n"
                        "services.mfa.d[0].e (override-config.yml:46): is there twice, first on line 46: keep one\n");
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 3);
    mfa_yaml_free(fixture.yaml);
}

static void a_missing_key_has_the_line_of_the_nearest_mapping(void **state)
{
    struct fixture fixture;

    (void)state;
    parse(&fixture, "mode: x\nsms:\n  endpoints:\n    a: 1\n  b:\n    - x\n    - y\n");
    mfa_yaml_error_at(fixture.yaml, "sms.endpoints.single.url", "must be set for %s", "this");
    mfa_yaml_error_at(fixture.yaml, "other", "must be set");
    mfa_yaml_error_at(fixture.yaml, "sms.b[1]", "is there");
    mfa_yaml_error_at(fixture.yaml, "sms.b[2]", "is not");
    mfa_yaml_error_at(fixture.yaml, "sms.c[0]", "is not");
    mfa_yaml_error_at(fixture.yaml, "sms.endpoints[0]", "is not");
    mfa_yaml_warning(mfa_yaml_root(fixture.yaml), "is odd");
    assert_string_equal(fixture.log.text,
                        "services.mfa.sms.endpoints.single.url (override-config.yml:43): must be set for this\n"
                        "services.mfa.other (override-config.yml:41): must be set\n"
                        "services.mfa.sms.b[1] (override-config.yml:47): is there\n"
                        "services.mfa.sms.b[2] (override-config.yml:42): is not\n"
                        "services.mfa.sms.c[0] (override-config.yml:42): is not\n"
                        "services.mfa.sms.endpoints[0] (override-config.yml:42): is not\n"
                        "warning: services.mfa (override-config.yml:41): is odd\n");
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 6);
    mfa_yaml_free(fixture.yaml);
}

static void an_unknown_first_line_counts_from_one(void **state)
{
    struct fixture fixture = {
        .source = {
            .text = "a: 1\na: 2\n", .text_len = 10, .section = "services.mfa", .file = "x.yml", .first_line = 0}};

    (void)state;
    assert_int_equal(mfa_yaml_parse(&fixture.yaml, &fixture.source, collect, &fixture.log), MFA_OK);
    assert_string_equal(fixture.log.text, "services.mfa.a (x.yml:2): is there twice, first on line 1: keep one\n");
    mfa_yaml_free(fixture.yaml);
}

static void broken_yaml_is_reported_with_its_line(void **state)
{
    (void)state;
    check_refused("a: 1\nb: [1\nc: 2\n", "services.mfa (override-config.yml:43): is not valid YAML: "
                                         "while parsing a flow sequence, did not find expected ',' or ']'\n");
    check_refused("a: 'x\n", "services.mfa (override-config.yml:42): is not valid YAML: "
                             "while scanning a quoted scalar, found unexpected end of stream\n");
    check_refused("a: *b\n", "services.mfa (override-config.yml:41): is not valid YAML: found undefined alias\n");
    check_refused("a: 1\nb: \xff\n",
                  "services.mfa (override-config.yml:42): is not valid YAML: invalid leading UTF-8 octet\n");
}

static void one_document_whose_root_is_a_mapping_is_asked_for(void **state)
{
    (void)state;
    check_refused("a: 1\n---\nb: 2\n",
                  "services.mfa (override-config.yml:43): holds a second YAML document: keep one\n");
    check_refused("a: 1\n...\n}\n", "services.mfa (override-config.yml:43): is not valid YAML: "
                                    "did not find expected <document start>\n");
    check_refused("- a\n", "services.mfa (override-config.yml:41): must be a mapping (keys with values)\n");
    check_refused("text\n", "services.mfa (override-config.yml:41): must be a mapping (keys with values)\n");
    check_refused("''\n", "services.mfa (override-config.yml:41): must be a mapping (keys with values)\n");
}

static void aliases_are_refused_also_when_they_run_in_a_circle(void **state)
{
    static const char expected[] = "must not use a YAML alias (\"*name\"): write the value out\n";
    static const char *const texts[] = {"a: &x {b: 1}\nc: *x\n", "a: &x\n  b: *x\n", "&x a: *x\n",
                                        "a: &x [*x]\n",          "&r\na: *r\n",      "a: &x 1\n*x : 2\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fixture fixture;

        parse(&fixture, texts[i]);
        assert_int_equal(fixture.status, MFA_ERR_CONFIG);
        assert_null(fixture.yaml);
        assert_non_null(strstr(fixture.log.text, expected));
    }
}

static void odd_nodes_are_refused(void **state)
{
    (void)state;
    check_refused("a: !!int 5\n",
                  "services.mfa.a (override-config.yml:41): must not have a YAML tag: remove the \"!\" and the word "
                  "behind it\n");
    check_refused("a: !env X\n", "services.mfa.a (override-config.yml:41): must not have a YAML tag: remove the \"!\" "
                                 "and the word behind it\n");
    check_refused(
        "[a]: 5\n",
        "services.mfa (override-config.yml:41): has a key that is not text: a value with {{ }} must be in quotes\n");
    check_refused("a: \"x\\0y\"\n", "services.mfa.a (override-config.yml:41): must not contain the character NUL\n");
}

static void depth_is_bounded(void **state)
{
    char text[400] = "a: ";
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < MFA_YAML_MAX_DEPTH - 1; i++)
        strcat(text, "[");
    for (size_t i = 0; i < MFA_YAML_MAX_DEPTH - 1; i++)
        strcat(text, "]");
    parse(&fixture, text);
    assert_int_equal(fixture.status, MFA_OK);
    mfa_yaml_free(fixture.yaml);
    memmove(text + 4, text + 3, strlen(text + 3) + 1);
    strcat(text, "]");
    parse(&fixture, text);
    assert_int_equal(fixture.status, MFA_ERR_CONFIG);
    assert_non_null(strstr(fixture.log.text, "is nested more than 32 levels deep\n"));
}

static void size_and_entries_are_bounded(void **state)
{
    static char text[MFA_YAML_MAX_LEN + 1];
    struct fixture fixture;
    size_t len = 0;

    (void)state;
    memset(text, '\n', sizeof text);
    parse_bytes(&fixture, text, MFA_YAML_MAX_LEN);
    assert_int_equal(fixture.status, MFA_OK);
    mfa_yaml_free(fixture.yaml);
    parse_bytes(&fixture, text, sizeof text);
    assert_int_equal(fixture.status, MFA_ERR_CONFIG);
    assert_string_equal(fixture.log.text, "services.mfa (override-config.yml:41): is longer than 262144 bytes\n");
    for (size_t i = 0; i <= MFA_YAML_MAX_ENTRIES; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "k%zu: 1\n", i);
    parse_bytes(&fixture, text, len);
    assert_int_equal(fixture.status, MFA_ERR_CONFIG);
    assert_string_equal(fixture.log.text, "services.mfa (override-config.yml:41): has more than 256 entries\n");
}

static void long_keys_leave_room_for_the_remedy(void **state)
{
    char text[10000] = "";
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        size_t len = strlen(text);

        memset(text + len, 'k', 500);
        (void)snprintf(text + len + 500, sizeof text - len - 500, ":\n%*s", (int)i + 1, "");
    }
    strcat(text, "a: 1\n            a: 2\n");
    parse(&fixture, text);
    assert_int_equal(fixture.status, MFA_OK);
    assert_non_null(strstr(fixture.log.text, "is there twice, first on line 53: keep one\n"));
    mfa_yaml_free(fixture.yaml);
}

/* --- Replacing ------------------------------------------------------------------------------------------------- */

static void expand(struct fixture *fixture, const char *text, const char *expected_log)
{
    parse(fixture, text);
    assert_int_equal(fixture->status, MFA_OK);
    assert_int_equal(setenv("MFA_TEST_A", "alpha", 1), 0);
    assert_int_equal(unsetenv("MFA_TEST_MISSING"), 0);
    assert_int_equal(mfa_yaml_expand(mfa_yaml_root(fixture->yaml), NULL), MFA_OK);
    assert_string_equal(fixture->log.text, expected_log);
}

static const char *text_at(const struct fixture *fixture, const char *path)
{
    const struct mfa_yaml_node *node = mfa_yaml_find(mfa_yaml_root(fixture->yaml), path);

    return node == NULL ? NULL : mfa_yaml_string(node);
}

static void sources_are_replaced_in_values_at_any_depth(void **state)
{
    struct fixture fixture;

    (void)state;
    expand(&fixture,
           "a: ${env:MFA_TEST_A}\n"
           "b: {c: {d: 'x ${env:MFA_TEST_A} y'}}\n"
           "e: ['${env:MFA_TEST_A}', {f: \"${env:MFA_TEST_A}\"}, plain]\n"
           "g: |-\n  ${env:MFA_TEST_A}\n"
           "h: ${plain}\n",
           "");
    assert_string_equal(text_at(&fixture, "a"), "alpha");
    assert_string_equal(text_at(&fixture, "b.c.d"), "x alpha y");
    assert_string_equal(mfa_yaml_string(mfa_yaml_item(mfa_yaml_find(mfa_yaml_root(fixture.yaml), "e"), 0)), "alpha");
    assert_string_equal(
        mfa_yaml_string(mfa_yaml_find(mfa_yaml_item(mfa_yaml_find(mfa_yaml_root(fixture.yaml), "e"), 1), "f")),
        "alpha");
    assert_string_equal(text_at(&fixture, "g"), "alpha");
    assert_string_equal(text_at(&fixture, "h"), "${plain}");
    mfa_yaml_free(fixture.yaml);
}

static void keys_are_not_replaced(void **state)
{
    struct fixture fixture;
    const struct mfa_yaml_node *entry;

    (void)state;
    expand(&fixture, "'${env:MFA_TEST_A}': '${env:MFA_TEST_A}'\n'${env:MFA_TEST_MISSING}': {}\n", "");
    entry = mfa_yaml_entry(mfa_yaml_root(fixture.yaml), 0);
    assert_string_equal(mfa_yaml_key(entry), "${env:MFA_TEST_A}");
    assert_string_equal(mfa_yaml_string(entry), "alpha");
    mfa_yaml_free(fixture.yaml);
}

static const char *find_parameter(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "nothing") == 0 ? "" : NULL;
}

static void what_is_put_in_is_a_string_whatever_it_looks_like(void **state)
{
    static const char *const values[] = {"12",  "-1",     "1.5", "true", "no",    "null", "~",   "2024-01-01",
                                         "[a]", "{a: b}", "# a", "*a",   " 'x' ", "a: b", "a\nb"};
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct mfa_yaml_node *node;
        int64_t number;

        assert_int_equal(setenv("MFA_TEST_VALUE", values[i], 1), 0);
        expand(&fixture, "k: ${env:MFA_TEST_VALUE}\n", "");
        node = mfa_yaml_find(mfa_yaml_root(fixture.yaml), "k");
        assert_non_null(node);
        assert_string_equal(mfa_yaml_string(node), values[i]);
        assert_false(mfa_yaml_is_collection(node));
        assert_false(mfa_yaml_integer(node, &number));
        mfa_yaml_free(fixture.yaml);
    }
}

static void an_empty_parameter_is_an_empty_string(void **state)
{
    const struct mfa_expand_parameters parameters = {.find = find_parameter};
    struct fixture fixture;

    (void)state;
    parse(&fixture, "k: ${param:nothing}\nl: ${param:other}\n");
    assert_int_equal(mfa_yaml_expand(mfa_yaml_root(fixture.yaml), &parameters), MFA_OK);
    assert_string_equal(text_at(&fixture, "k"), "");
    assert_string_equal(fixture.log.text,
                        "services.mfa.l (override-config.yml:42): needs the parameter other, which the "
                        "preset does not declare\n");
    mfa_yaml_free(fixture.yaml);
}

static void what_cannot_be_replaced_is_reported_where_it_stands(void **state)
{
    struct fixture fixture;

    (void)state;
    expand(
        &fixture,
        "a: ${env:MFA_TEST_MISSING}\n"
        "b:\n"
        "  - x\n"
        "  - {c: '${vault:x}'}\n"
        "d: ${env:MFA_TEST_A}\n",
        "services.mfa.a (override-config.yml:41): needs the environment variable MFA_TEST_MISSING, which is not set\n"
        "services.mfa.b[1].c (override-config.yml:44): has \"${\" with a source that is not known: write "
        "${env:NAME} or ${file:/path}\n");
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 2);
    assert_string_equal(text_at(&fixture, "d"), "alpha");
    mfa_yaml_free(fixture.yaml);
}

static void what_is_put_in_is_bounded_as_the_document_is(void **state)
{
    static char value[MFA_YAML_MAX_LEN / 8 + 2];
    struct fixture fixture;

    (void)state;
    memset(value, 'x', sizeof value - 1);
    assert_int_equal(setenv("MFA_TEST_LONG", value, 1), 0);
    expand(&fixture,
           "k: ${env:MFA_TEST_LONG}${env:MFA_TEST_LONG}${env:MFA_TEST_LONG}${env:MFA_TEST_LONG}"
           "${env:MFA_TEST_LONG}${env:MFA_TEST_LONG}${env:MFA_TEST_LONG}${env:MFA_TEST_LONG}\n",
           "services.mfa.k (override-config.yml:41): is longer than 262144 bytes\n");
    assert_int_equal(unsetenv("MFA_TEST_LONG"), 0);
    mfa_yaml_free(fixture.yaml);
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

/* Compares with the compact text of the JSON that is made of `k`. */
static void check_json(const char *text, const char *expected)
{
    struct fixture fixture;
    json_t *value = NULL;
    char *made;

    assert_int_equal(mfa_yaml_json(value_of(&fixture, text), &value), MFA_OK);
    assert_string_equal(fixture.log.text, "");
    made = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(made, expected);
    free(made);
    json_decref(value);
    mfa_yaml_free(fixture.yaml);
}

static void check_json_refused(const struct fixture *fixture, const char *expected)
{
    json_t *value = json_true();

    assert_int_equal(mfa_yaml_json(mfa_yaml_find_key(mfa_yaml_root(fixture->yaml), "k"), &value), MFA_ERR_CONFIG);
    assert_null(value);
    assert_string_equal(fixture->log.text, expected);
    assert_int_equal(mfa_yaml_error_count(fixture->yaml), 1);
}

static void yaml_becomes_json_in_its_order(void **state)
{
    (void)state;
    check_json("k: {z: 1, a: [x, {b: ~}, []], m: {}}", "{\"z\":1,\"a\":[\"x\",{\"b\":null},[]],\"m\":{}}");
    check_json("k:\n  - a: b\n    c: |\n      d\n  - - e\n", "[{\"a\":\"b\",\"c\":\"d\\n\"},[\"e\"]]");
}

static void plain_words_of_json_are_what_they_look_like(void **state)
{
    static const struct {
        const char *text;
        const char *json;
    } words[] = {{"k: true", "true"},
                 {"k: false", "false"},
                 {"k: null", "null"},
                 {"k:", "null"},
                 {"k: ~", "null"},
                 {"k: NULL", "null"},
                 {"k: 0", "0"},
                 {"k: -7", "-7"},
                 {"k: 1.5", "1.5"},
                 {"k: 1e3", "1000.0"},
                 {"k: 'true'", "\"true\""},
                 {"k: '1'", "\"1\""},
                 {"k: \"null\"", "\"null\""},
                 {"k: ''", "\"\""},
                 {"k: GET", "\"GET\""},
                 {"k: 1st", "\"1st\""}};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        check_json(words[i].text, words[i].json);
}

static void plain_words_that_readers_of_yaml_disagree_about_are_refused(void **state)
{
    static const char *const words[] = {
        "yes",   "No", "on",     "OFF",  "y",          "True", "FALSE", "+5", "0x1F",  "0o17",
        "1_000", ".5", "190:20", "0041", "2024-01-01", ".inf", ".NaN",  "1.", "1e999", "99999999999999999999"};
    struct fixture fixture;
    char text[60];

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        (void)snprintf(text, sizeof text, "x: 1\nk: %s", words[i]);
        (void)value_of(&fixture, text);
        check_json_refused(&fixture,
                           "services.mfa.k (override-config.yml:42): is not clear: put it in quotes if it is a string, "
                           "or write true, false, null or a decimal number\n");
        mfa_yaml_free(fixture.yaml);
    }
    (void)value_of(&fixture, "k:\n  a:\n    - b\n    - yes\n");
    check_json_refused(
        &fixture, "services.mfa.k.a[1] (override-config.yml:44): is not clear: put it in quotes if it is a string, "
                  "or write true, false, null or a decimal number\n");
    mfa_yaml_free(fixture.yaml);
}

static void what_was_put_in_is_a_string_of_json(void **state)
{
    struct fixture fixture;
    json_t *value = NULL;

    (void)state;
    assert_int_equal(setenv("MFA_TEST_VALUE", "12", 1), 0);
    expand(&fixture, "k: ${env:MFA_TEST_VALUE}\n", "");
    assert_int_equal(mfa_yaml_json(mfa_yaml_find(mfa_yaml_root(fixture.yaml), "k"), &value), MFA_OK);
    assert_string_equal(json_string_value(value), "12");
    json_decref(value);
    mfa_yaml_free(fixture.yaml);
}

static void what_was_put_in_and_is_no_utf8_is_no_json(void **state)
{
    struct fixture fixture;

    (void)state;
    assert_int_equal(setenv("MFA_TEST_VALUE", "caf\xe9", 1), 0);
    expand(&fixture, "k: ${env:MFA_TEST_VALUE}\n", "");
    check_json_refused(&fixture, "services.mfa.k (override-config.yml:41): must be UTF-8: what ${env:} or ${file:} "
                                 "puts in is not\n");
    mfa_yaml_free(fixture.yaml);
}

/* --- Documents that ask for others ------------------------------------------------------------------------------- */

static void problems_of_a_document_count_in_those_that_ask_for_it(void **state)
{
    const struct mfa_config_source inner_source = {
        .text = "x: 1\nx: 2\n", .text_len = 10, .section = "inner", .file = "inner.yml", .first_line = 1};
    const struct mfa_config_source innermost_source = {
        .text = "y:", .text_len = 2, .section = "innermost", .file = "innermost.yml", .first_line = 1};
    struct fixture fixture;
    const struct mfa_yaml_node *place = value_of(&fixture, "k: inner\n");
    struct mfa_yaml *inner = NULL;
    struct mfa_yaml *innermost = NULL;

    (void)state;
    assert_int_equal(mfa_yaml_parse_for(&inner, &inner_source, place), MFA_OK);
    assert_int_equal(mfa_yaml_parse_for(&innermost, &innermost_source, mfa_yaml_entry(mfa_yaml_root(inner), 0)),
                     MFA_OK);
    mfa_yaml_error(mfa_yaml_find_key(mfa_yaml_root(innermost), "y"), "is wrong");
    mfa_yaml_warning(mfa_yaml_find_key(mfa_yaml_root(innermost), "y"), "is odd");
    assert_int_equal(mfa_yaml_error_count(innermost), 1);
    assert_int_equal(mfa_yaml_error_count(inner), 2);
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 2);
    mfa_yaml_error(place, "is wrong too");
    assert_int_equal(mfa_yaml_error_count(inner), 2);
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 3);
    assert_string_equal(fixture.log.text, "inner.x (inner.yml:2): is there twice, first on line 1: keep one\n"
                                          "innermost.y (innermost.yml:1): is wrong\n"
                                          "warning: innermost.y (innermost.yml:1): is odd\n"
                                          "services.mfa.k (override-config.yml:41): is wrong too\n");
    mfa_yaml_free(innermost);
    mfa_yaml_free(inner);
    mfa_yaml_free(fixture.yaml);
}

static void a_document_that_cannot_be_read_counts_as_well(void **state)
{
    const struct mfa_config_source source = {
        .text = "\n- a\n", .text_len = 5, .section = "inner", .file = "inner.yml", .first_line = 1};
    struct fixture fixture;
    struct mfa_yaml *inner = NULL;

    (void)state;
    assert_int_equal(mfa_yaml_parse_for(&inner, &source, value_of(&fixture, "k: inner\n")), MFA_ERR_CONFIG);
    assert_null(inner);
    assert_string_equal(fixture.log.text, "inner (inner.yml:2): must be a mapping (keys with values)\n");
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 1);
    mfa_yaml_free(fixture.yaml);
}

/* --- A section of a larger text ---------------------------------------------------------------------------------- */

static void parse_section(struct fixture *fixture, const char *text)
{
    *fixture = (struct fixture){.source = {.text = text,
                                           .text_len = strlen(text),
                                           .section = "services.mfa",
                                           .file = "override-config.yml",
                                           .path = "services.mfa"}};
    fixture->status = mfa_yaml_parse(&fixture->yaml, &fixture->source, collect, &fixture->log);
}

static void a_section_is_read_where_it_stands_and_nothing_around_it(void **state)
{
    struct fixture fixture;

    (void)state;
    parse_section(&fixture, "http: &p {port: 1, port: !x 2}\n"
                            "again: *p\n"
                            "servicez: {mfa: {mode: elsewhere}}\n"
                            "services:\n"
                            "  [list]: ~\n"
                            "  mfb: {mode: elsewhere}\n"
                            "  other: {a: 1, a: '${env:MFA_TEST_IS_NOT_SET}'}\n"
                            "  mfa:\n"
                            "    mode: &m single\n"
                            "    list: [1,\n"
                            "      2]\n"
                            "mfa: {mode: nowhere, mode: !x {}}\n"
                            "last: *m\n");
    assert_int_equal(fixture.status, MFA_OK);
    assert_string_equal(mfa_yaml_string(mfa_yaml_find(mfa_yaml_root(fixture.yaml), "mode")), "single");
    assert_null(mfa_yaml_find(mfa_yaml_root(fixture.yaml), "services"));
    assert_int_equal(mfa_yaml_expand(mfa_yaml_root(fixture.yaml), NULL), MFA_OK);
    assert_string_equal(fixture.log.text, "");
    mfa_yaml_error(mfa_yaml_root(fixture.yaml), "a");
    mfa_yaml_error(mfa_yaml_item(mfa_yaml_find(mfa_yaml_root(fixture.yaml), "list"), 1), "b");
    mfa_yaml_error_at(fixture.yaml, "mode.x", "c");
    assert_string_equal(fixture.log.text, "services.mfa (override-config.yml:9): a\n"
                                          "services.mfa.list[1] (override-config.yml:11): b\n"
                                          "services.mfa.mode.x (override-config.yml:9): c\n");
    mfa_yaml_free(fixture.yaml);
}

static void a_section_that_is_not_there_is_absent(void **state)
{
    static const char *const texts[] = {"",
                                        "http: {port: 1}\n",
                                        "services:\n",
                                        "services: {}\n",
                                        "mfa: {}\n",
                                        "services: {mfaa: {}, mf: {}, 'm\"fa': {}}"};
    struct fixture fixture;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        parse_section(&fixture, texts[i]);
        assert_int_equal(fixture.status, MFA_OK);
        assert_null(mfa_yaml_root(fixture.yaml));
        assert_string_equal(fixture.log.text, "");
        mfa_yaml_free(fixture.yaml);
    }
}

static void a_section_that_is_not_clear_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *line;
    } cases[] = {
        {"a: 1\nservices: 5\n", "2): cannot be read: what stands above it is no mapping (keys with values)\n"},
        {"- services\n", "1): cannot be read: what stands above it is no mapping (keys with values)\n"},
        {"services: ''\n", "1): cannot be read: what stands above it is no mapping (keys with values)\n"},
        {"services:\n  mfa: {}\n  mfa: {}\n", "3): is there twice: keep one\n"},
        {"services:\n  mfa: {}\nservices: {}\n", "3): is there twice: keep one\n"},
        {"x: &x {}\nservices:\n  mfa: *x\n", "3): must not be a YAML alias (\"*name\"): write the value out\n"},
        {"services: &x\n  mfa: *x\n", "2): must not be a YAML alias (\"*name\"): write the value out\n"},
        {"services:\n  mfa:\n", "2): must be a mapping (keys with values)\n"},
        {"a: 1\nservices: {mfa: ~}\n", "2): must be a mapping (keys with values)\n"},
        {"services:\n  mfa: [1]\n", "2): must be a mapping (keys with values)\n"},
        {"services:\n  mfa: !x {}\n", "2): must not have a YAML tag: remove the \"!\" and the word behind it\n"},
        {"a: 1\n--- {}\n", "2): holds a second YAML document: keep one\n"},
    };
    struct fixture fixture;
    char line[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        parse_section(&fixture, cases[i].text);
        (void)snprintf(line, sizeof line, "services.mfa (override-config.yml:%s", cases[i].line);
        assert_string_equal(fixture.log.text, line);
        assert_int_equal(fixture.status, MFA_ERR_CONFIG);
        assert_null(fixture.yaml);
    }
}

static void a_section_takes_nothing_from_around_it_by_an_alias(void **state)
{
    struct fixture fixture;

    (void)state;
    parse_section(&fixture, "x: &x single\nservices:\n  mfa:\n    mode: *x\n");
    assert_int_equal(fixture.status, MFA_ERR_CONFIG);
    assert_string_equal(fixture.log.text,
                        "services.mfa (override-config.yml:4): must not use a YAML alias (\"*name\"): "
                        "write the value out\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_an_empty_document),
        cmocka_unit_test(values_are_found_by_path),
        cmocka_unit_test(items_are_found_by_their_number),
        cmocka_unit_test(json_is_read_as_yaml),
        cmocka_unit_test(a_string_is_quoted_or_cannot_be_anything_else),
        cmocka_unit_test(plain_text_that_has_a_type_is_no_string),
        cmocka_unit_test(whole_numbers_are_plain_decimal_digits),
        cmocka_unit_test(a_choice_is_one_of_its_names),
        cmocka_unit_test(unknown_keys_are_all_reported),
        cmocka_unit_test(repeated_keys_are_reported_wherever_they_stand),
        cmocka_unit_test(a_missing_key_has_the_line_of_the_nearest_mapping),
        cmocka_unit_test(an_unknown_first_line_counts_from_one),
        cmocka_unit_test(broken_yaml_is_reported_with_its_line),
        cmocka_unit_test(one_document_whose_root_is_a_mapping_is_asked_for),
        cmocka_unit_test(aliases_are_refused_also_when_they_run_in_a_circle),
        cmocka_unit_test(odd_nodes_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(size_and_entries_are_bounded),
        cmocka_unit_test(long_keys_leave_room_for_the_remedy),
        cmocka_unit_test(sources_are_replaced_in_values_at_any_depth),
        cmocka_unit_test(keys_are_not_replaced),
        cmocka_unit_test(what_is_put_in_is_a_string_whatever_it_looks_like),
        cmocka_unit_test(an_empty_parameter_is_an_empty_string),
        cmocka_unit_test(what_cannot_be_replaced_is_reported_where_it_stands),
        cmocka_unit_test(what_is_put_in_is_bounded_as_the_document_is),
        cmocka_unit_test(yaml_becomes_json_in_its_order),
        cmocka_unit_test(plain_words_of_json_are_what_they_look_like),
        cmocka_unit_test(plain_words_that_readers_of_yaml_disagree_about_are_refused),
        cmocka_unit_test(what_was_put_in_is_a_string_of_json),
        cmocka_unit_test(what_was_put_in_and_is_no_utf8_is_no_json),
        cmocka_unit_test(problems_of_a_document_count_in_those_that_ask_for_it),
        cmocka_unit_test(a_document_that_cannot_be_read_counts_as_well),
        cmocka_unit_test(a_section_is_read_where_it_stands_and_nothing_around_it),
        cmocka_unit_test(a_section_that_is_not_there_is_absent),
        cmocka_unit_test(a_section_that_is_not_clear_is_refused),
        cmocka_unit_test(a_section_takes_nothing_from_around_it_by_an_alias),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
