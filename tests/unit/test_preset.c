/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "folder.h"
#include "mfa_preset.h"

#define AT(key, line) "services.mfa." key " (override-config.yml:" #line "): "

static struct folder folder;

static const char acme[] =
    "title: Acme\n"
    "parameters:\n"
    "  apiKey: the key of the account\n"
    "  sender: {description: who sends, default: Acme}\n"
    "  prefix: {description: what comes first, default: ''}\n"
    "endpoints:\n"
    "  single:\n"
    "    url: 'https://acme.example/${param:sender}'\n"
    "    headers: {key: '${param:apiKey}', prefix: '${param:prefix}', twice: '${param:sender}${param:sender}'}\n"
    "    body: [{from: '${param:sender}', to: '{{ phone }}'}]\n";

static int make_world(void **state)
{
    (void)state;
    folder_init(&folder);
    folder_write(&folder, "acme.yml", acme);
    assert_int_equal(setenv("MFA_TEST_A", "alpha", 1), 0);
    assert_int_equal(unsetenv("MFA_TEST_MISSING"), 0);
    return 0;
}

static int remove_world(void **state)
{
    (void)state;
    folder_clear(&folder);
    return 0;
}

/* What an operator wrote, and the preset it names. */
struct fixture {
    struct mfa_config_source source;
    char log[16384]; /* every line reported, each with a newline */
    struct mfa_yaml *yaml;
    struct mfa_presets presets;
    const struct mfa_preset *preset;
};

static void collect(void *ctx, bool is_error, const char *line)
{
    struct fixture *fixture = ctx;
    const size_t len = strlen(fixture->log);

    assert_true(is_error);
    assert_null(strchr(line, '\n'));
    (void)snprintf(fixture->log + len, sizeof fixture->log - len, "%s\n", line);
}

static const struct mfa_preset *get(struct fixture *fixture)
{
    const struct mfa_yaml_node *root = mfa_yaml_root(fixture->yaml);
    const struct mfa_preset *preset = NULL;

    assert_int_equal(
        mfa_presets_get(&fixture->presets, mfa_yaml_find(root, "preset"), mfa_yaml_find(root, "parameters"), &preset),
        MFA_OK);
    return preset;
}

/* Reads the preset of a folder that the text names; its first line is line 41. */
static void read_from(struct fixture *fixture, const char *directory, const char *text)
{
    *fixture = (struct fixture){.source = {.text = text,
                                           .text_len = strlen(text),
                                           .section = "services.mfa",
                                           .file = "override-config.yml",
                                           .first_line = 41},
                                .presets = {.directory = directory}};
    assert_int_equal(mfa_yaml_parse(&fixture->yaml, &fixture->source, collect, fixture), MFA_OK);
    assert_int_equal(mfa_yaml_expand(mfa_yaml_root(fixture->yaml), NULL), MFA_OK);
    fixture->preset = get(fixture);
}

static void clear(struct fixture *fixture)
{
    mfa_presets_clear(&fixture->presets);
    assert_null(fixture->presets.list);
    mfa_yaml_free(fixture->yaml);
}

static void accept(struct fixture *fixture, const char *text)
{
    read_from(fixture, folder.path, text);
    assert_string_equal(fixture->log, "");
    assert_non_null(fixture->preset);
}

/* Expects that nothing comes of it, and exactly these lines, in which %s is the folder. */
static void refuse_from(const char *directory, const char *text, const char *expected_format)
{
    char expected[4096];
    struct fixture fixture;
    size_t len = 0;

    for (const char *c = expected_format; *c != '\0'; c++) {
        const bool is_folder = strncmp(c, "%s", 2) == 0;

        len += (size_t)snprintf(expected + len, sizeof expected - len, "%.*s", is_folder ? (int)strlen(directory) : 1,
                                is_folder ? directory : c);
        c += is_folder;
    }
    read_from(&fixture, directory, text);
    assert_string_equal(fixture.log, expected);
    assert_true(mfa_yaml_error_count(fixture.yaml) > 0);
    clear(&fixture);
}

static void refuse(const char *text, const char *expected_format)
{
    refuse_from(folder.path, text, expected_format);
}

static const char *text_at(const struct fixture *fixture, const char *path)
{
    const struct mfa_yaml_node *node = mfa_yaml_find(mfa_preset_endpoint(fixture->preset, "single"), path);

    return node == NULL ? NULL : mfa_yaml_string(node);
}

/* --- Parameters -------------------------------------------------------------------------------------------------- */

static void parameters_are_filled_in_and_the_others_have_their_defaults(void **state)
{
    struct fixture fixture;

    (void)state;
    accept(&fixture, "preset: acme\nparameters: {apiKey: k3y}\n");
    assert_string_equal(text_at(&fixture, "url"), "https://acme.example/Acme");
    assert_string_equal(text_at(&fixture, "headers.key"), "k3y");
    assert_string_equal(text_at(&fixture, "headers.prefix"), "");
    assert_string_equal(text_at(&fixture, "headers.twice"), "AcmeAcme");
    clear(&fixture);
    accept(&fixture, "preset: acme\nparameters: {apiKey: k3y, sender: Me, prefix: P}\n");
    assert_string_equal(text_at(&fixture, "url"), "https://acme.example/Me");
    assert_string_equal(text_at(&fixture, "headers.prefix"), "P");
    clear(&fixture);
}

static void a_number_may_be_a_parameter(void **state)
{
    struct fixture fixture;

    (void)state;
    accept(&fixture, "preset: acme\nparameters: {apiKey: 9223372036854775807}\n");
    assert_string_equal(text_at(&fixture, "headers.key"), "9223372036854775807");
    clear(&fixture);
    accept(&fixture, "preset: acme\nparameters: {apiKey: '0041'}\n");
    assert_string_equal(text_at(&fixture, "headers.key"), "0041");
    clear(&fixture);
}

static void a_parameter_may_be_a_secret_which_is_not_looked_at_again(void **state)
{
    struct fixture fixture;

    (void)state;
    accept(&fixture, "preset: acme\nparameters: {apiKey: 'x ${env:MFA_TEST_A}'}\n");
    assert_string_equal(text_at(&fixture, "headers.key"), "x alpha");
    clear(&fixture);
    assert_int_equal(setenv("MFA_TEST_NESTED", "${env:MFA_TEST_A}${param:sender}", 1), 0);
    accept(&fixture, "preset: acme\nparameters: {apiKey: '${env:MFA_TEST_NESTED}'}\n");
    assert_string_equal(text_at(&fixture, "headers.key"), "${env:MFA_TEST_A}${param:sender}");
    clear(&fixture);
}

static void a_missing_parameter_is_named_with_what_it_is(void **state)
{
    (void)state;
    refuse("preset: acme\n",
           AT("preset", 41) "must have the parameter apiKey for the preset acme: the key of the account\n");
    refuse("preset: acme\nparameters: {sender: Me}\n",
           AT("parameters", 42) "must have the parameter apiKey for the preset acme: the key of the account\n");
    refuse("preset: acme\nparameters: {apiKey: }\n",
           AT("parameters", 42) "must have the parameter apiKey for the preset acme: the key of the account\n");
    folder_write(&folder, "two.yml",
                 "parameters: {a: one, b: {description: two}, c: {default: x}}\n"
                 "endpoints: {single: {url: '${param:a}${param:b}${param:c}'}}\n");
    refuse("preset: two\n", AT("preset", 41) "must have the parameter a for the preset two: one\n" AT(
                                "preset", 41) "must have the parameter b for the preset two: two\n");
}

static void what_a_preset_says_of_itself_ends_no_line(void **state)
{
    (void)state;
    folder_write(&folder, "lines.yml", "parameters: {\"a\\nb\": \"c\\nd\"}\nendpoints: {single: {url: x}}\n");
    refuse("preset: lines\nparameters: {e: f}\n",
           AT("parameters.e", 42) "is not a known key: those known here are \"a?b\"\n" AT(
               "parameters", 42) "must have the parameter a?b for the preset lines: c?d\n");
}

static void an_unknown_parameter_is_named_with_those_there_are(void **state)
{
    (void)state;
    refuse("preset: acme\nparameters:\n  apiKey: k\n  apikey: k\n",
           AT("parameters.apikey", 44) "is not a known key: those known here are \"apiKey\", \"sender\", \"prefix\"\n");
    folder_write(&folder, "none.yml", "endpoints: {single: {url: 'https://h/'}}\n");
    refuse("preset: none\nparameters: {a: b}\n",
           AT("parameters", 42) "must be empty: the preset none has no parameters\n");
    refuse("preset: none\nparameters: x\n", AT("parameters", 42) "must be a mapping (keys with values)\n");
}

static void no_parameters_are_needed_where_there_are_none(void **state)
{
    struct fixture fixture;

    (void)state;
    folder_write(&folder, "none.yml", "endpoints: {single: {url: 'https://h/'}}\n");
    accept(&fixture, "preset: none\n");
    clear(&fixture);
    accept(&fixture, "preset: none\nparameters: {}\n");
    assert_string_equal(text_at(&fixture, "url"), "https://h/");
    clear(&fixture);
}

static void a_parameter_is_text(void **state)
{
    static const char *const values[] = {"true", "1.5", "[a]", "{a: b}"};
    char text[100];

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        (void)snprintf(text, sizeof text, "preset: acme\nparameters: {apiKey: %s}\n", values[i]);
        refuse(text, AT("parameters.apiKey", 42) "must be a string: put it in quotes\n");
    }
    refuse(
        "preset: acme\nparameters: {apiKey: 0041}\n",
        AT("parameters.apiKey", 42) "is not clear: put it in quotes if it is a string, or write true, false, null or "
                                    "a decimal number\n");
    refuse("preset: acme\nparameters: {apiKey: ''}\n", AT("parameters.apiKey", 42) "must not be empty\n");
    refuse("preset: acme\nparameters: [apiKey]\n",
           AT("parameters", 42) "must be a mapping (keys with values)\n" AT(
               "parameters", 42) "must have the parameter apiKey for the preset acme: the key of the account\n");
}

static void no_problem_with_a_parameter_tells_its_value(void **state)
{
    struct fixture fixture;

    (void)state;
    read_from(&fixture, folder.path,
              "preset: acme\nparameters: {apiKey: [hunter2], sender: {hunter2: hunter2}, x: hunter2}\n");
    assert_null(strstr(fixture.log, "hunter2"));
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 3);
    clear(&fixture);
}

/* --- Names ------------------------------------------------------------------------------------------------------- */

static void an_unknown_name_is_told_those_there_are(void **state)
{
    struct folder other;

    (void)state;
    folder_init(&other);
    folder_write(&other, "zeta.yml", acme);
    folder_write(&other, "alpha.yml", acme);
    folder_write(&other, "alpha.yml.orig", acme);
    folder_write(&other, "README", acme);
    folder_write(&other, "No-Name.yml", acme);
    refuse_from(other.path, "preset: acme\n",
                AT("preset", 41) "is not the name of a preset in %s: those there are alpha, zeta\n");
    folder_clear(&other);
}

static void no_name_leads_out_of_the_folder(void **state)
{
    static const char *const names[] = {"",      "../acme",   "./acme",   "sub/../acme", "/acme",
                                        ".",     "..",        "acme.yml", "a%2e",        "Acme",
                                        "acme ", "acme\\\\x", "acme/",    "sub/acme"};
    struct folder other;
    char path[FOLDER_PATH_SIZE];

    (void)state;
    folder_init(&other);
    (void)snprintf(path, sizeof path, "%s", folder_path(&other, "sub"));
    assert_int_equal(mkdir(path, 0700), 0);
    folder_write(&other, "acme.yml", acme);
    folder_write(&other, "sub/acme.yml", acme);
    folder_write(&other, "sub/good.yml", acme);
    folder_write(&other, "sub/acme.yml.yml", acme);
    folder_write(&other, "sub/.yml", acme);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[100];

        (void)snprintf(text, sizeof text, "preset: \"%s\"\nparameters: {apiKey: k}\n", names[i]);
        refuse_from(path, text, AT("preset", 41) "is not the name of a preset in %s: those there are acme, good\n");
    }
    folder_clear(&other);
}

static void a_name_has_at_most_64_characters(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxyz0";
    struct folder other;

    (void)state;
    folder_init(&other);
    for (int len = 64; len <= 65; len++) {
        char text[100];

        (void)snprintf(text, sizeof text, "%.*s.yml", len, letters);
        folder_write(&other, text, "endpoint: {}");
        (void)snprintf(text, sizeof text, "preset: %.*s\n", len, letters);
        refuse_from(other.path, text,
                    len == 64 ? "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxyz.endpoint "
                                "(%s/abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxyz.yml:1): is not a "
                                "known key: those known here are \"title\", \"parameters\", \"endpoints\"\n"
                              : AT("preset", 41) "is not the name of a preset in %s: those there are "
                                                 "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwxyz\n");
    }
    folder_clear(&other);
}

static void a_name_is_text(void **state)
{
    (void)state;
    refuse("preset: [acme]\n", AT("preset", 41) "must be a string: put it in quotes\n");
    refuse("preset: 12\n", AT("preset", 41) "must be a string: put it in quotes\n");
}

static void a_folder_without_presets_is_named(void **state)
{
    struct folder other;

    (void)state;
    folder_init(&other);
    refuse_from(other.path, "preset: acme\n",
                AT("preset", 41) "cannot be looked up: there are no presets in %s; set presetsDirectory\n");
    folder_clear(&other);
    refuse_from(other.path, "preset: acme\n",
                AT("preset", 41) "cannot be looked up: there are no presets in %s; set presetsDirectory\n");
}

static void a_list_of_names_is_cut_where_the_line_ends(void **state)
{
    struct folder other;
    struct fixture fixture;

    (void)state;
    folder_init(&other);
    for (size_t i = 0; i < 30; i++) {
        char file[100];

        (void)snprintf(file, sizeof file, "preset-with-a-rather-long-name-that-fills-a-line-soon-%02zu.yml", i);
        folder_write(&other, file, acme);
    }
    read_from(&fixture, other.path, "preset: acme\n");
    assert_non_null(strstr(fixture.log, "soon-00, preset-"));
    assert_null(strstr(fixture.log, "soon-29"));
    assert_memory_equal(fixture.log + strlen(fixture.log) - strlen("soon-00\n"), "soon-", strlen("soon-"));
    assert_int_equal(mfa_yaml_error_count(fixture.yaml), 1);
    clear(&fixture);
    folder_clear(&other);
}

/* --- Files ------------------------------------------------------------------------------------------------------- */

static void a_preset_that_cannot_be_read_says_why(void **state)
{
    static char text[MFA_YAML_MAX_LEN + 1];

    (void)state;
    assert_int_equal(mkdir(folder_path(&folder, "folder.yml"), 0700), 0);
    refuse("preset: folder\n", AT("preset", 41) "names a preset that cannot be read, %s/folder.yml: Is a directory\n");
    memset(text, '\n', sizeof text);
    folder_write_bytes(&folder, "long.yml", text, sizeof text);
    refuse("preset: long\n", AT("preset", 41) "names a preset that is too long, %s/long.yml\n");
    assert_int_equal(mkfifo(folder_path(&folder, "pipe.yml"), 0600), 0);
    refuse("preset: pipe\n", AT("preset", 41) "names a preset that is empty, %s/pipe.yml\n");
}

static void a_preset_that_holds_nothing_is_refused(void **state)
{
    static const char *const texts[] = {"", "# nothing\n", "~\n", "---\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        folder_write(&folder, "empty.yml", texts[i]);
        refuse("preset: empty\n", AT("preset", 41) "names a preset that is empty, %s/empty.yml\n");
    }
}

static void a_mistake_inside_a_preset_has_the_presets_file_and_line(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"title: x\nendpoints: [a\n",
         "bad (%s/bad.yml:3): is not valid YAML: while parsing a flow sequence, did not find "
         "expected ',' or ']'\n"},
        {"- a\n", "bad (%s/bad.yml:1): must be a mapping (keys with values)\n"},
        {"title: x\nendpoint: {}\n",
         "bad.endpoint (%s/bad.yml:2): is not a known key: those known here are \"title\", \"parameters\", "
         "\"endpoints\"\n"},
        {"endpoints:\n  single:\n    url: 'x'\n    url: 'y'\n",
         "bad.endpoints.single.url (%s/bad.yml:4): is there twice, first on line 3: keep one\n"},
        {"endpoints:\n  single:\n    url: '${param:apiKey}'\n",
         "bad.endpoints.single.url (%s/bad.yml:3): needs the parameter apiKey, which the preset does not declare\n"},
        {"endpoints:\n  single:\n    body: ['${env:MFA_TEST_MISSING}']\n",
         "bad.endpoints.single.body[0] (%s/bad.yml:3): needs the environment variable MFA_TEST_MISSING, which is not "
         "set\n"},
        {"parameters:\n  n: {default: [1]}\nendpoints: {}\n",
         "bad.parameters.n.default (%s/bad.yml:2): must be a string: put it in quotes\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        folder_write(&folder, "bad.yml", cases[i].text);
        refuse("preset: bad\n", cases[i].expected);
    }
}

static void sources_of_the_operators_machine_may_stand_in_a_preset(void **state)
{
    struct fixture fixture;

    (void)state;
    folder_write(&folder, "env.yml", "endpoints: {single: {url: 'https://h/${env:MFA_TEST_A}'}}\n");
    accept(&fixture, "preset: env\n");
    assert_string_equal(text_at(&fixture, "url"), "https://h/alpha");
    clear(&fixture);
}

static void a_default_may_name_a_source_which_is_looked_up_where_it_is_used(void **state)
{
    struct fixture fixture;

    (void)state;
    folder_write(&folder, "default.yml",
                 "parameters:\n"
                 "  good: {default: 'x ${env:MFA_TEST_A}'}\n"
                 "  none: {default: '${env:MFA_TEST_MISSING}', description: 'as ${env:MFA_TEST_MISSING}'}\n"
                 "endpoints: {single: {url: 'https://h/${param:good}/${param:none}'}}\n");
    accept(&fixture, "preset: default\nparameters: {none: given}\n");
    assert_string_equal(text_at(&fixture, "url"), "https://h/x alpha/given");
    clear(&fixture);
    refuse("preset: default\n", "default.parameters.none.default (%s/default.yml:3): needs the environment variable "
                                "MFA_TEST_MISSING, which is not set\n");
    folder_write(&folder, "default.yml",
                 "parameters: {a: {default: x}, b: {default: '${param:a}'}}\nendpoints: {single: {url: x}}\n");
    refuse("preset: default\n", "default.parameters.b.default (%s/default.yml:1): has \"${\" with a source that is not "
                                "known: write ${env:NAME} or ${file:/path}\n");
}

/* --- All of them ------------------------------------------------------------------------------------------------- */

static void an_endpoint_that_is_not_there_is_none(void **state)
{
    struct fixture fixture;

    (void)state;
    accept(&fixture, "preset: acme\nparameters: {apiKey: k}\n");
    assert_non_null(mfa_preset_endpoint(fixture.preset, "single"));
    assert_null(mfa_preset_endpoint(fixture.preset, "verify"));
    clear(&fixture);
    folder_write(&folder, "odd.yml", "endpoints: single\n");
    accept(&fixture, "preset: odd\n");
    assert_null(mfa_preset_endpoint(fixture.preset, "single"));
    clear(&fixture);
}

static void a_preset_is_read_once_and_its_problems_told_once(void **state)
{
    struct fixture fixture;
    char log[sizeof fixture.log];

    (void)state;
    accept(&fixture, "preset: acme\nparameters: {apiKey: k}\n");
    assert_ptr_equal(get(&fixture), fixture.preset);
    clear(&fixture);
    read_from(&fixture, folder.path, "preset: missing\n");
    assert_null(fixture.preset);
    memcpy(log, fixture.log, sizeof log);
    assert_null(get(&fixture));
    assert_string_equal(fixture.log, log);
    clear(&fixture);
}

static void other_parameters_make_another_preset(void **state)
{
    const struct mfa_preset *other = NULL;
    struct fixture fixture;

    (void)state;
    accept(&fixture, "preset: acme\nparameters: {apiKey: k}\nothers: {apiKey: other}\n");
    assert_int_equal(mfa_presets_get(&fixture.presets, mfa_yaml_find(mfa_yaml_root(fixture.yaml), "preset"),
                                     mfa_yaml_find(mfa_yaml_root(fixture.yaml), "others"), &other),
                     MFA_OK);
    assert_string_equal(text_at(&fixture, "headers.key"), "k");
    fixture.preset = other;
    assert_string_equal(text_at(&fixture, "headers.key"), "other");
    clear(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_filled_in_and_the_others_have_their_defaults),
        cmocka_unit_test(a_number_may_be_a_parameter),
        cmocka_unit_test(a_parameter_may_be_a_secret_which_is_not_looked_at_again),
        cmocka_unit_test(a_missing_parameter_is_named_with_what_it_is),
        cmocka_unit_test(what_a_preset_says_of_itself_ends_no_line),
        cmocka_unit_test(an_unknown_parameter_is_named_with_those_there_are),
        cmocka_unit_test(no_parameters_are_needed_where_there_are_none),
        cmocka_unit_test(a_parameter_is_text),
        cmocka_unit_test(no_problem_with_a_parameter_tells_its_value),
        cmocka_unit_test(an_unknown_name_is_told_those_there_are),
        cmocka_unit_test(no_name_leads_out_of_the_folder),
        cmocka_unit_test(a_name_has_at_most_64_characters),
        cmocka_unit_test(a_name_is_text),
        cmocka_unit_test(a_folder_without_presets_is_named),
        cmocka_unit_test(a_list_of_names_is_cut_where_the_line_ends),
        cmocka_unit_test(a_preset_that_cannot_be_read_says_why),
        cmocka_unit_test(a_preset_that_holds_nothing_is_refused),
        cmocka_unit_test(a_mistake_inside_a_preset_has_the_presets_file_and_line),
        cmocka_unit_test(sources_of_the_operators_machine_may_stand_in_a_preset),
        cmocka_unit_test(a_default_may_name_a_source_which_is_looked_up_where_it_is_used),
        cmocka_unit_test(an_endpoint_that_is_not_there_is_none),
        cmocka_unit_test(a_preset_is_read_once_and_its_problems_told_once),
        cmocka_unit_test(other_parameters_make_another_preset),
    };

    return cmocka_run_group_tests(tests, make_world, remove_world);
}
