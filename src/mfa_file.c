/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#define CHUNK_LEN 4096

static enum mfa_status read_to_end(int fd, struct mfa_buffer *out)
{
    char chunk_secret[CHUNK_LEN];
    enum mfa_status status = MFA_OK;
    ssize_t got = 0;

    do {
        got = read(fd, chunk_secret, sizeof chunk_secret);
        if (got > 0)
            status = mfa_buffer_append(out, chunk_secret, (size_t)got);
    } while (status == MFA_OK && (got > 0 || (got < 0 && errno == EINTR)));
    sodium_memzero(chunk_secret, sizeof chunk_secret);
    return status == MFA_OK && got < 0 ? MFA_ERR_NOT_FOUND : status;
}

enum mfa_status mfa_file_read(const char *path, struct mfa_buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum mfa_status status = MFA_ERR_NOT_FOUND;
    int error = 0;

    if (fd < 0)
        return status;
    status = read_to_end(fd, out);
    error = errno;
    close(fd);
    errno = error;
    return status;
}
