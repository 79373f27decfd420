/* SPDX-License-Identifier: Apache-2.0
 *
 * subject.h: the configuration that is looked at.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <jansson.h>
#include <stdbool.h>

#include "mfa_buffer.h"
#include "mfa_config.h"
#include "secrets.h"

#define SUBJECT_SECTION "services.mfa"

struct subject {
    struct mfa_buffer text; /* of the file */
    struct mfa_config_source source;
    struct secrets secrets;
    char *presets_directory;
    char *domain; /* sms.webOtpDomain; NULL: none */
    struct mfa_config config;
    bool is_there;    /* the section */
    bool is_good;     /* the plugin would start with it */
    json_t *problems; /* an array of {"severity": "error" or "warning", "text": "services.mfa.… (file:line): …"} */
};

/* Reads the file at `path`, borrowed until subject_clear. False: it cannot be read, which has been said. */
bool subject_read(struct subject *subject, const char *path, bool shows_secrets);

/* Prints the problems of one severity on stderr. */
void subject_print_problems(const struct subject *subject, const char *severity);

void subject_clear(struct subject *subject);

#endif
