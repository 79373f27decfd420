/* SPDX-License-Identifier: Apache-2.0
 *
 * Status codes of the library.
 */
#ifndef MFA_STATUS_H
#define MFA_STATUS_H

/* 0 is success. Values are never renumbered. */
enum mfa_status {
    MFA_OK = 0,
    MFA_ERR_INTERNAL = -1,  /* anything that has no name of its own */
    MFA_ERR_MEMORY = -2,    /* an allocation failed */
    MFA_ERR_ARGUMENT = -3,  /* the caller passed something it must not */
    MFA_ERR_CONFIG = -4,    /* the configuration was refused; every problem has been reported */
    MFA_ERR_SYNTAX = -5,    /* malformed input */
    MFA_ERR_TOO_LARGE = -6, /* a bound would be passed */
    MFA_ERR_NOT_FOUND = -7, /* there is no such thing */
    MFA_ERR_CONFLICT = -8,  /* somebody else changed it in between */
    MFA_ERR_FULL = -9,      /* a queue or table is at its limit */
    MFA_ERR_DENIED = -10,   /* a password or code is wrong */
    MFA_ERR_REFUSED = -11,  /* a value cannot be put where the template wants it */
    MFA_ERR_STOPPING = -12, /* the plugin is being stopped */
    MFA_ERR_EXPIRED = -13,  /* it was good once */
};

#define MFA_MUST_CHECK __attribute__((warn_unused_result))

#endif
