/* SPDX-License-Identifier: Apache-2.0
 *
 * The section `services.mfa` as an operator writes it, and what is said about it.
 */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include "mfa_config.h"

/* How a line about a key begins. The first line of a section is line 41. */
#define CONFIG_AT(key, line) "services.mfa." key " (override-config.yml:" #line "): "

struct config_log {
    char text[16384];        /* every line reported, each with a newline; but for the next */
    size_t step_up_warnings; /* that stepUp.required is not true, which is said of nearly every section here */
};

/* Reads a section; NULL: there is none. */
enum mfa_status config_read(struct mfa_config *config, const char *text, struct config_log *log);

/* Expects a configuration that is accepted, with these warnings; it is the caller's. */
void config_accept(struct mfa_config *config, const char *text, const char *expected_log);

/* Expects exactly these lines, and nothing of the configuration left. */
void config_refuse(const char *text, const char *expected_log);

/* As config_refuse, of a section that is to take the place of the one in use. */
void config_refuse_in_place_of(const struct mfa_config *in_use, const char *text, const char *expected_log);

/* Renders a request for the code 123456, which is also replaced in values. `user_data` is JSON. Owned by the caller. */
struct mfa_http_request *config_render(const struct mfa_endpoint *endpoint, const char *user_data);

#endif
