/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a whole file: a secret, a preset.
 */
#ifndef MFA_FILE_H
#define MFA_FILE_H

#include "mfa_buffer.h"
#include "mfa_status.h"

/* Appends what is in the file at `path`, up to the buffer's cap. Never waits for a pipe or device to have something to say.
 * Returns MFA_OK; MFA_ERR_NOT_FOUND: it cannot be read, and errno says why; MFA_ERR_TOO_LARGE; MFA_ERR_MEMORY. */
MFA_MUST_CHECK enum mfa_status mfa_file_read(const char *path, struct mfa_buffer *out);

#endif
