/* SPDX-License-Identifier: Apache-2.0
 *
 * The `services.mfa` section: what the operator chose, checked and complete.
 */
#ifndef MFA_CONFIG_H
#define MFA_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_endpoint.h"
#include "mfa_messages.h"
#include "mfa_policy.h"
#include "mfa_status.h"

enum mfa_mode { MFA_MODE_DISABLED, MFA_MODE_SINGLE, MFA_MODE_CHALLENGE_VERIFY };

/* What a recovery code does at verify: nothing, so that it can only turn MFA off; or log in once. */
enum mfa_recovery_mode { MFA_RECOVERY_DEACTIVATE, MFA_RECOVERY_CONSUME };

/* Owned by the caller, released with mfa_config_clear. */
struct mfa_config {
    enum mfa_mode mode;
    enum mfa_recovery_mode recovery_mode;
    bool step_up_is_required; /* turning MFA off or replacing it takes the password again */
    bool uses_nonce;          /* some endpoint does */
    struct mfa_policy policy;
    struct mfa_messages messages;
    struct mfa_endpoint single;
    struct mfa_endpoint challenge;
    struct mfa_endpoint verify;
};

/* Where the text came from, for messages. */
struct mfa_config_source {
    const char *text; /* YAML, or JSON, which is read as YAML; NULL or empty: the section is absent */
    size_t text_len;
    const char *section; /* prefix of every key: "services.mfa" */
    const char *file;    /* as the operator knows it: "override-config.yml" */
    uint32_t first_line; /* line of `file` on which `text` starts, from 1; 0: not known, messages then count from 1 */
    const char *path; /* where in the text the section stands, keys joined by dots: "services.mfa"; what is around it is
                       * not looked at. NULL: the text is the section */
    const struct mfa_config *in_use; /* whose place it is to take in a running plugin; NULL: none */
};

/* Receives one problem or warning as one line, "key (file:line): what is wrong and what to do". No line holds a value that
 * could be a secret. */
typedef void mfa_config_report_fn(void *ctx, bool is_error, const char *line);

/* Reads the section; an absent one is the default, `mode: disabled`. What is left out has its default (`method` is POST);
 * null counts as left out for text and mappings, and is refused for `mode` and numbers. An endpoint that the mode does not
 * use may be incomplete or empty; its syntax is checked all the same. Every problem is reported, not only the first. To turn
 * MFA on or off in a running plugin is one.
 * Returns MFA_OK; MFA_ERR_CONFIG: at least one error was reported; MFA_ERR_MEMORY. `*out` is zeroed on failure. */
MFA_MUST_CHECK enum mfa_status mfa_config_parse(struct mfa_config *out, const struct mfa_config_source *source,
                                                mfa_config_report_fn *report, void *report_ctx);

/* Frees what the configuration owns and zeroes it. Accepts a zeroed struct. */
void mfa_config_clear(struct mfa_config *config);

/* The i-th of the hosts that requests go to, each named once; borrowed. NULL past the last. */
const char *mfa_config_host(const struct mfa_config *config, size_t i);

/* Names a mode as the configuration spells it. Static. */
const char *mfa_mode_name(enum mfa_mode mode);

#endif
