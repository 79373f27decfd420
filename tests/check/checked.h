/* SPDX-License-Identifier: Apache-2.0
 *
 * checked.h: runs $BUILD/mfa-check as an operator does, with files of the test's own. All functions assert with cmocka
 * what they promise. $HOST_WRAPPER, split at blanks, goes before the command, as it does for the sample host.
 */
#ifndef CHECKED_H
#define CHECKED_H

#include "folder.h"
#include "harness.h"

#define CONFIG "override-config.yml"

/* What a run has left. */
struct checked {
    int status;
    char *out;
    char *err;
    json_t *json; /* of `out`; NULL: it is none */
};

/* A folder for the files of a group, in which what is run finds itself; for cmocka. */
int checked_setup(void **state);
int checked_teardown(void **state);

/* The same, and a service beside it, which is there as long. */
extern struct gateway *gateway;
int checked_setup_with_gateway(void **state);
int checked_teardown_with_gateway(void **state);

/* Writes a file. */
void checked_write(const char *name, const char *text);

/* All that is in a file of the project; owned by caller, release with free. */
char *checked_read(const char *path);

/* The path of a file; owned by caller, release with free. */
char *checked_path(const char *name);

/* Writes CONFIG with these lines of `services.mfa`, not indented, the first of which is line 9. */
void checked_configure(const char *mfa);

/* Likewise, with the gateway's address wherever `GATEWAY` stands. */
void checked_configure_for_gateway(const char *mfa);

/* Runs the tool with these arguments, which end in NULL; release with checked_clear. */
struct checked checked_run(const char *const arguments[]);
#define CHECKED_RUN(...) checked_run((const char *const[]){__VA_ARGS__, NULL})

/* Runs a line of the shell; likewise. */
struct checked checked_run_shell(char *line);

void checked_clear(struct checked *checked);

/* Runs, asserts the status and that `out` and `err` hold these texts (NULL: nothing at all), and clears. */
void checked_expect(struct checked checked, int status, const char *out, const char *err);

/* The JSON at a path of keys and numbers, joined by '/', which must be there; borrowed. */
const json_t *checked_at(const struct checked *checked, const char *path);
const char *checked_text(const struct checked *checked, const char *path);

#endif
