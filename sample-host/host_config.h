/* SPDX-License-Identifier: Apache-2.0
 *
 * host_config.h: the operator's configuration file. The host reads `http` and `auth`, strictly, and leaves the rest to
 * others; a plugin gets its section as the text that stands in the file, so that it can name lines.
 *
 *   http:
 *     ip: 127.0.0.1                # default
 *     port: 3000                   # default; 0: any free one
 *     maxConnectionsPerAddress: 0  # of one client's address; 0: no limit, and the default on a loopback address, where all
 *                                  # clients may be behind a proxy; elsewhere 1000
 *   auth:
 *     adminAccessKey: a-secret     # default: none, and no administrator
 *     passwordHashing: interactive # default; or minimum, for tests
 */
#ifndef HOST_CONFIG_H
#define HOST_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "core_plugin.h"
#include "passwords.h"

struct host_config {
    char *path; /* as the operator gave it; owned */
    char *text; /* the file; owned, zeroed when freed: it holds keys */
    size_t text_len;
    char *ip; /* owned */
    uint16_t port;
    uint32_t connections_per_address_max; /* 0: no limit */
    char *secret_admin_key;               /* owned; NULL: none */
    enum passwords_cost passwords_cost;
};

/* Reads the file. CORE_ERR_CONFIG: it was refused and one line per reason has been logged. Release with
 * host_config_clear, in any case. */
core_status host_config_load(struct host_config *config, const char *path) __attribute__((warn_unused_result));

/* Swaps the text, which is what plugins read, and leaves what the host reads itself. Main thread; nobody else looks at it. */
void host_config_swap_text(struct host_config *config, struct host_config *other);

/* Accepts a zeroed one. */
void host_config_clear(struct host_config *config);

/* Finds the section at a dotted path, such as "services.mfa", as core_config wants it: `section->text` is borrowed from
 * `config`, and absent when the file has no such section. CORE_ERR_CONFIG: there is one, but not a mapping that can be
 * cut out of the file; the reason has been logged. */
core_status host_config_section(const struct host_config *config, const char *path, struct core_config *section)
    __attribute__((warn_unused_result));

/* Refuses, with a line in the log for each, what stands below `services` in none of the `claimed` paths: an operator who
 * configured a plugin that is not there would otherwise believe it at work. Returns CORE_OK, CORE_ERR_CONFIG or
 * CORE_ERR_MEMORY. */
core_status host_config_check_claimed(const struct host_config *config, const char *const *claimed, size_t count)
    __attribute__((warn_unused_result));

#endif
