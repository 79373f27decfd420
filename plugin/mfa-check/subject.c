/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "collect.h"
#include "input.h"
#include "memory.h"
#include "mfa_yaml.h"

/* As the plugin says it at start. */
#define NOBODY_IS_ASKED ": nobody is asked for a second factor"

static void say_nothing(void *ctx, bool is_error, const char *line)
{
    (void)ctx;
    (void)is_error;
    (void)line;
}

static void add_problem(void *ctx, bool is_error, const char *line)
{
    struct subject *subject = ctx;
    char *text = secrets_line(&subject->secrets, line);
    const struct secrets none = {0};
    json_t *problem = memory_need_json(json_object());

    memory_put(problem, "severity", json_string(is_error ? "error" : "warning"));
    memory_put(problem, "text", secrets_text(&none, text, strlen(text)));
    memory_append(subject->problems, problem);
    free(text);
}

/* A text of the section; owned by caller, release with free. */
static char *copy_text(const struct mfa_yaml *yaml, const char *path, const char *fallback)
{
    const struct mfa_yaml_node *node = mfa_yaml_find(mfa_yaml_root(yaml), path);
    const char *text = node != NULL ? mfa_yaml_string(node) : fallback;

    return text != NULL ? memory_need(strdup(text)) : NULL;
}

/* What is not kept in the configuration that was read. */
static void read_aside(struct subject *subject)
{
    struct mfa_yaml *yaml = NULL;

    if (memory_checked(mfa_yaml_parse(&yaml, &subject->source, say_nothing, NULL)) != MFA_OK)
        return;
    subject->is_there = mfa_yaml_root(yaml) != NULL;
    if (!subject->is_there)
        add_problem(subject, false, SUBJECT_SECTION " is not there" NOBODY_IS_ASKED);
    (void)memory_checked(mfa_yaml_expand(mfa_yaml_root(yaml), NULL));
    subject->presets_directory = copy_text(yaml, "presetsDirectory", MFA_PRESETS_DIR);
    subject->domain = copy_text(yaml, "sms.webOtpDomain", NULL);
    mfa_yaml_free(yaml);
}

bool subject_read(struct subject *subject, const char *path, bool shows_secrets)
{
    *subject = (struct subject){.secrets = {.are_shown = shows_secrets}};
    subject->problems = memory_need_json(json_array());
    if (!input_read(path, MFA_YAML_MAX_LEN, &subject->text))
        return false;
    subject->source = (struct mfa_config_source){.text = subject->text.data,
                                                 .text_len = subject->text.len,
                                                 .section = SUBJECT_SECTION,
                                                 .file = path,
                                                 .path = SUBJECT_SECTION};
    read_aside(subject);
    if (subject->presets_directory != NULL)
        collect_from_section(&subject->secrets, &subject->source, subject->presets_directory);
    subject->is_good =
        memory_checked(mfa_config_parse(&subject->config, &subject->source, add_problem, subject)) == MFA_OK;
    if (!subject->is_good)
        return true;
    if (subject->is_there && subject->config.mode == MFA_MODE_DISABLED)
        add_problem(subject, false, SUBJECT_SECTION ": mode is disabled" NOBODY_IS_ASKED);
    collect_from_config(&subject->secrets, &subject->config);
    return true;
}

void subject_print_problems(const struct subject *subject, const char *severity)
{
    const json_t *problem = NULL;
    size_t i = 0;

    json_array_foreach(subject->problems, i, problem)
    {
        const bool is_error = strcmp(json_string_value(json_object_get(problem, "severity")), "error") == 0;

        if (strcmp(severity, is_error ? "error" : "warning") == 0)
            (void)fprintf(stderr, "%s%s\n",
                          is_error ? "" : "warning: ", json_string_value(json_object_get(problem, "text")));
    }
}

void subject_clear(struct subject *subject)
{
    mfa_config_clear(&subject->config);
    secrets_clear(&subject->secrets);
    mfa_buffer_clear(&subject->text);
    free(subject->presets_directory);
    free(subject->domain);
    json_decref(subject->problems);
    *subject = (struct subject){0};
}
