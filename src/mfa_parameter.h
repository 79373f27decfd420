/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a parameter that a client sent.
 */
#ifndef MFA_PARAMETER_H
#define MFA_PARAMETER_H

#define MFA_PATH_SIZE 80

struct mfa_parameter_problem {
    char path[MFA_PATH_SIZE]; /* a JSON pointer as clients know it: "#/number" */
    const char *message;      /* a sentence; static */
};

#endif
