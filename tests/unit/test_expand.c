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
#include "mfa_expand.h"

#define SECRET "hunter2"

static struct folder folder;

static int make_world(void **state)
{
    (void)state;
    folder_init(&folder);
    assert_int_equal(setenv("MFA_TEST_A", "alpha", 1), 0);
    assert_int_equal(setenv("MFA_TEST_B", "beta", 1), 0);
    assert_int_equal(setenv("MFA_TEST_NESTED", "${env:MFA_TEST_A}${file:/etc/hostname}", 1), 0);
    assert_int_equal(setenv("MFA_TEST_EMPTY", "", 1), 0);
    assert_int_equal(unsetenv("MFA_TEST_MISSING"), 0);
    return 0;
}

static int remove_world(void **state)
{
    (void)state;
    folder_clear(&folder);
    return 0;
}

/* A preset's parameters: `sender` is "Acme", `nothing` is empty, `nested` looks like a source. */
static const char *find_parameter(void *ctx, const char *name)
{
    assert_ptr_equal(ctx, &folder);
    if (strcmp(name, "sender") == 0)
        return "Acme";
    if (strcmp(name, "nested") == 0)
        return "${param:sender}";
    return strcmp(name, "nothing") == 0 ? "" : NULL;
}

static const struct mfa_expand_parameters parameters = {.find = find_parameter, .ctx = &folder};

static void check_with(const struct mfa_expand_parameters *known, const char *text, const char *expected)
{
    char problem[MFA_EXPAND_PROBLEM_SIZE] = "something";
    struct mfa_buffer out;

    mfa_buffer_init(&out, 2 * MFA_EXPAND_FILE_MAX_LEN);
    assert_int_equal(mfa_expand(&out, text, known, problem), MFA_OK);
    assert_string_equal(problem, "");
    assert_string_equal(out.data, expected);
    assert_int_equal(out.len, strlen(expected));
    mfa_buffer_clear(&out);
}

static void check(const char *text, const char *expected)
{
    check_with(NULL, text, expected);
}

static void check_refused_with(const struct mfa_expand_parameters *known, const char *text, const char *expected)
{
    char problem[MFA_EXPAND_PROBLEM_SIZE];
    struct mfa_buffer out;

    mfa_buffer_init(&out, 2 * MFA_EXPAND_FILE_MAX_LEN);
    assert_int_equal(mfa_expand(&out, text, known, problem), MFA_ERR_SYNTAX);
    assert_string_equal(problem, expected);
    mfa_buffer_clear(&out);
}

static void check_refused(const char *text, const char *expected)
{
    check_refused_with(NULL, text, expected);
}

/* A text that names a file of the folder. */
static const char *naming(const char *name)
{
    static char text[FOLDER_PATH_SIZE + 16];

    (void)snprintf(text, sizeof text, "${file:%s}", folder_path(&folder, name));
    return text;
}

/* Expects that the file is refused with these words behind its path. */
static void check_file_refused(const char *name, const char *expected)
{
    char problem[MFA_EXPAND_PROBLEM_SIZE];

    (void)snprintf(problem, sizeof problem, "needs the file %.256s%s", folder_path(&folder, name), expected);
    check_refused(naming(name), problem);
}

/* --- Text ------------------------------------------------------------------------------------------------------ */

static void text_that_names_no_source_stays(void **state)
{
    static const char *const texts[] = {
        "",      "plain",   "$",         "${",        "a $ {b} $$ ${", "${}",
        "${:}",  "${HOME}", "${ENV:A}",  "$ {env:A}", "{env:A}",       "$env:MFA_TEST_A",
        "${env", "${env}",  "${en v:A}", "${1:A}",    "{{ code }}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check(texts[i], texts[i]);
}

static void what_is_put_in_goes_behind_what_is_there(void **state)
{
    char problem[MFA_EXPAND_PROBLEM_SIZE];
    struct mfa_buffer out;

    (void)state;
    mfa_buffer_init(&out, 10);
    assert_int_equal(mfa_buffer_append(&out, "<<", 2), MFA_OK);
    assert_int_equal(mfa_expand(&out, "${env:MFA_TEST_A}>>", NULL, problem), MFA_OK);
    assert_string_equal(out.data, "<<alpha>>");
    assert_int_equal(mfa_expand(&out, "${env:MFA_TEST_A}", NULL, problem), MFA_ERR_TOO_LARGE);
    assert_string_equal(problem, "");
    mfa_buffer_clear(&out);
}

static void a_source_that_is_not_known_is_refused(void **state)
{
    static const char *const texts[] = {"${vault:secret/x}", "${envs:A}", "${e:A}",
                                        "${param:sender}",   "x${a:b",    "${env:MFA_TEST_A}${vault:x}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_refused(texts[i], "has \"${\" with a source that is not known: write ${env:NAME} or ${file:/path}");
}

static void a_source_without_a_name_is_refused(void **state)
{
    static const char *const envs[] = {"${env:",      "${env:}",     "${env:A",
                                       "${env:A\nB}", "${env:\x7f}", "a ${env:MFA_TEST_A"};
    static const char *const files[] = {"${file:", "${file:}", "${file:/etc/hostname"};

    (void)state;
    for (size_t i = 0; i < sizeof envs / sizeof envs[0]; i++)
        check_refused(envs[i], "has \"${env:\" without a name and \"}\" behind it");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        check_refused(files[i], "has \"${file:\" without a name and \"}\" behind it");
}

static void a_name_has_at_most_255_bytes(void **state)
{
    char name[256];
    char text[300];
    char expected[MFA_EXPAND_PROBLEM_SIZE];

    (void)state;
    memset(name, 'a', sizeof name);
    (void)snprintf(text, sizeof text, "${file:/%.255s}", name);
    check_refused(text, "has \"${file:\" without a name and \"}\" behind it");
    (void)snprintf(text, sizeof text, "${file:/%.254s}", name);
    (void)snprintf(expected, sizeof expected, "needs the file /%.254s, which cannot be read: No such file or directory",
                   name);
    check_refused(text, expected);
}

/* --- Environment ----------------------------------------------------------------------------------------------- */

static void variables_of_the_environment_are_put_in(void **state)
{
    (void)state;
    check("${env:MFA_TEST_A}", "alpha");
    check("Bearer ${env:MFA_TEST_A}:${env:MFA_TEST_B}!", "Bearer alpha:beta!");
    check("${env:MFA_TEST_A}${env:MFA_TEST_A}", "alphaalpha");
    check("$${env:MFA_TEST_A}}", "$alpha}");
}

static void what_was_put_in_is_not_looked_at_again(void **state)
{
    (void)state;
    check("${env:MFA_TEST_NESTED}", "${env:MFA_TEST_A}${file:/etc/hostname}");
    check_with(&parameters, "${param:nested}", "${param:sender}");
}

static void a_variable_that_is_missing_or_empty_is_named(void **state)
{
    (void)state;
    check_refused("${env:MFA_TEST_MISSING}", "needs the environment variable MFA_TEST_MISSING, which is not set");
    check_refused("${env:MFA_TEST_A}${env:MFA_TEST_EMPTY}",
                  "needs the environment variable MFA_TEST_EMPTY, which is empty");
    check_refused("${env: MFA_TEST_A}", "needs the environment variable  MFA_TEST_A, which is not set");
}

/* --- Files ----------------------------------------------------------------------------------------------------- */

static void a_file_is_put_in_without_the_end_of_its_line(void **state)
{
    static const struct {
        const char *content;
        const char *expected;
    } cases[] = {{SECRET, SECRET},
                 {SECRET "\n", SECRET},
                 {SECRET "\r\n", SECRET},
                 {SECRET "\n\n", SECRET "\n"},
                 {"\n " SECRET " \n", "\n " SECRET " "},
                 {"a\r\nb", "a\r\nb"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        folder_write(&folder, "line", cases[i].content);
        check(naming("line"), cases[i].expected);
    }
}

static void a_file_may_stand_in_part_of_a_text(void **state)
{
    char text[FOLDER_PATH_SIZE + 64];

    (void)state;
    folder_write(&folder, "part", "p4rt\n");
    (void)snprintf(text, sizeof text, "${env:MFA_TEST_A}/%s/", naming("part"));
    check(text, "alpha/p4rt/");
}

static void a_file_that_is_missing_or_holds_nothing_is_named(void **state)
{
    (void)state;
    check_file_refused("missing", ", which cannot be read: No such file or directory");
    folder_write(&folder, "empty", "");
    check_file_refused("empty", ", which is empty");
    folder_write(&folder, "line-end", "\r\n");
    check_file_refused("line-end", ", which is empty");
}

static void only_files_are_files(void **state)
{
    (void)state;
    check_file_refused(".", ", which cannot be read: Is a directory");
    folder_write(&folder, "file", SECRET);
    check_file_refused("file/below", ", which cannot be read: Not a directory");
    assert_int_equal(mkfifo(folder_path(&folder, "pipe"), 0600), 0);
    check_file_refused("pipe", ", which is empty");
}

static void a_file_has_at_most_64_kib(void **state)
{
    static char content[MFA_EXPAND_FILE_MAX_LEN + 2];

    (void)state;
    memset(content, 's', MFA_EXPAND_FILE_MAX_LEN + 1);
    folder_write(&folder, "long", content);
    check_file_refused("long", ", which is longer than 64 KiB");
    content[MFA_EXPAND_FILE_MAX_LEN] = '\0';
    folder_write(&folder, "long", content);
    check(naming("long"), content);
}

static void a_nul_is_no_part_of_a_secret(void **state)
{
    (void)state;
    folder_write_bytes(&folder, "nul", SECRET "\0", sizeof SECRET);
    check_file_refused("nul", ", which holds the character NUL");
    folder_write_bytes(&folder, "nul", SECRET "\0x\n", sizeof SECRET + 2);
    check_file_refused("nul", ", which holds the character NUL");
}

static void a_path_begins_at_the_root(void **state)
{
    (void)state;
    check_refused("${file:secret}", "has ${file:secret}, which is no absolute path: write it from the root on, as "
                                    "${file:/run/secrets/name}");
    check_refused("${file:./secret}", "has ${file:./secret}, which is no absolute path: write it from the root on, as "
                                      "${file:/run/secrets/name}");
}

/* --- Parameters ------------------------------------------------------------------------------------------------ */

static void parameters_are_put_in_beside_the_other_sources(void **state)
{
    (void)state;
    check_with(&parameters, "from ${param:sender} ${env:MFA_TEST_B}", "from Acme beta");
    check_with(&parameters, "${param:nothing}", "");
    check_with(&parameters, "${params}", "${params}");
}

static void a_parameter_that_is_not_there_is_named(void **state)
{
    (void)state;
    check_refused_with(&parameters, "${param:Sender}", "needs the parameter Sender, which the preset does not declare");
    check_refused_with(&parameters, "${param:}", "has \"${param:\" without a name and \"}\" behind it");
    check_refused_with(&parameters, "${env:MFA_TEST_MISSING}",
                       "needs the environment variable MFA_TEST_MISSING, which is not set");
}

/* --- Secrets --------------------------------------------------------------------------------------------------- */

static void no_problem_holds_a_value_or_what_stands_around(void **state)
{
    static const char *const texts[] = {"${env:MFA_TEST_SECRET}${env:MFA_TEST_MISSING}",
                                        SECRET "${env:MFA_TEST_EMPTY}",
                                        SECRET "${file:/nowhere}" SECRET,
                                        SECRET "${vault:x}" SECRET,
                                        "${env:MFA_TEST_MISSING}" SECRET,
                                        SECRET "${env:\n}" SECRET};
    char problem[MFA_EXPAND_PROBLEM_SIZE];
    struct mfa_buffer out;

    (void)state;
    assert_int_equal(setenv("MFA_TEST_SECRET", SECRET, 1), 0);
    mfa_buffer_init(&out, 1000);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(mfa_expand(&out, texts[i], NULL, problem), MFA_ERR_SYNTAX);
        assert_null(strstr(problem, SECRET));
        assert_int_equal(problem[strcspn(problem, "\r\n\t")], '\0');
    }
    mfa_buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_names_no_source_stays),
        cmocka_unit_test(what_is_put_in_goes_behind_what_is_there),
        cmocka_unit_test(a_source_that_is_not_known_is_refused),
        cmocka_unit_test(a_source_without_a_name_is_refused),
        cmocka_unit_test(a_name_has_at_most_255_bytes),
        cmocka_unit_test(variables_of_the_environment_are_put_in),
        cmocka_unit_test(what_was_put_in_is_not_looked_at_again),
        cmocka_unit_test(a_variable_that_is_missing_or_empty_is_named),
        cmocka_unit_test(a_file_is_put_in_without_the_end_of_its_line),
        cmocka_unit_test(a_file_may_stand_in_part_of_a_text),
        cmocka_unit_test(a_file_that_is_missing_or_holds_nothing_is_named),
        cmocka_unit_test(only_files_are_files),
        cmocka_unit_test(a_file_has_at_most_64_kib),
        cmocka_unit_test(a_nul_is_no_part_of_a_secret),
        cmocka_unit_test(a_path_begins_at_the_root),
        cmocka_unit_test(parameters_are_put_in_beside_the_other_sources),
        cmocka_unit_test(a_parameter_that_is_not_there_is_named),
        cmocka_unit_test(no_problem_holds_a_value_or_what_stands_around),
    };

    return cmocka_run_group_tests(tests, make_world, remove_world);
}
