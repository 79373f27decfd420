/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/audit-log.md has every word that the log says of an outcome, with its level, and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fakes/fake_host.h"
#include "mfa_audit.h"

#define TEXT_SIZE 64

static const char *const level_names[] = {[MFA_LOG_ERROR] = "error", [MFA_LOG_WARN] = "warn", [MFA_LOG_INFO] = "info"};

struct documented {
    struct {
        char word[TEXT_SIZE];
        char level[TEXT_SIZE];
        bool is_logged;
    } rows[MFA_OUTCOME_COUNT];
    size_t count;
};

/* Adds the words in back quotes of the first cell; the second is the level of each. */
static void add_row(struct documented *documented, const char *row)
{
    char cell[1024];
    char level[TEXT_SIZE];

    assert_int_equal(sscanf(row, "| %1023[^|]| %63[a-z] |", cell, level), 2);
    for (const char *at = strchr(cell, '`'); at != NULL; at = strchr(at, '`')) {
        size_t index = documented->count++;
        assert_true(index < MFA_OUTCOME_COUNT);
        assert_int_equal(sscanf(at, "`%63[^`]`", documented->rows[index].word), 1);
        memcpy(documented->rows[index].level, level, sizeof level);
        at += strlen(documented->rows[index].word) + 2;
    }
}

static void read_document(struct documented *documented)
{
    char line[1024];
    bool is_in_table = false;
    FILE *file = fopen("docs/audit-log.md", "r");

    assert_non_null(file);
    *documented = (struct documented){0};
    while (fgets(line, sizeof line, file) != NULL) {
        if (is_in_table && strncmp(line, "| `", 3) == 0)
            add_row(documented, line);
        else if (line[0] != '|' || strncmp(line, "| outcome ", 10) == 0)
            is_in_table = line[0] == '|';
    }
    fclose(file);
}

/* What the log says when a flow ends so. Returns false when it says nothing. */
static bool log_outcome(enum mfa_outcome outcome, int *level, char word[static TEXT_SIZE])
{
    struct fake_host fake;
    struct mfa_core core = {0};
    struct mfa_flow flow = {
        .core = &core, .event = "mfa.verify", .username = "julia", .client_address = "", .reply.outcome = outcome};
    bool is_logged = false;

    fake_host_init(&fake);
    core.host = fake_host_port(&fake);
    mfa_audit_log(&flow);
    is_logged = sscanf(fake.log, "%d event=mfa.verify outcome=%63s", level, word) == 2;
    fake_host_clear(&fake);
    return is_logged;
}

static void assert_is_documented(struct documented *documented, const char *word, const char *level)
{
    for (size_t i = 0; i < documented->count; i++) {
        if (strcmp(documented->rows[i].word, word) != 0)
            continue;
        assert_string_equal(documented->rows[i].level, level);
        documented->rows[i].is_logged = true;
        return;
    }
    fail_msg("not in the document: %s", word);
}

static void the_words_of_the_log_are_those_of_its_document(void **state)
{
    struct documented documented;
    char word[TEXT_SIZE];
    int level = 0;

    (void)state;
    read_document(&documented);
    for (unsigned outcome = 0; outcome < MFA_OUTCOME_COUNT; outcome++)
        if (outcome != MFA_OUTCOME_DISABLED && log_outcome(outcome, &level, word)) /* where MFA is off, no flow runs */
            assert_is_documented(&documented, word, level_names[level]);
    for (size_t i = 0; i < documented.count; i++)
        if (!documented.rows[i].is_logged)
            fail_msg("never logged: %s", documented.rows[i].word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_of_the_log_are_those_of_its_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
