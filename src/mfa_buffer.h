/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing run of bytes with a cap, wiped when it is freed or moves in memory. What is rendered, read or stored passes
 * through one, so that no secret stays behind on the heap.
 */
#ifndef MFA_BUFFER_H
#define MFA_BUFFER_H

#include <stddef.h>
#include <string.h>

#include "mfa_status.h"

/* `data` is NULL while nothing was appended or reserved; otherwise a NUL stands behind the last byte, not counted in `len`. */
struct mfa_buffer {
    char *data;
    size_t len;     /* bytes in use */
    size_t size;    /* bytes allocated */
    size_t max_len; /* cap on len */
};

/* Makes an empty buffer that refuses to hold more than `max_len` bytes. Allocates nothing. */
void mfa_buffer_init(struct mfa_buffer *buffer, size_t max_len);

/* Makes an empty buffer in `size` bytes of the caller's memory, to which it is confined. It is to be reset, not cleared. */
void mfa_buffer_init_in(struct mfa_buffer *buffer, char *memory, size_t size);

/* Wipes and frees the contents; the buffer is empty and usable again. Accepts a zeroed struct. */
void mfa_buffer_clear(struct mfa_buffer *buffer);

/* Wipes the contents and keeps the memory. */
void mfa_buffer_reset(struct mfa_buffer *buffer);

/* Makes room for `extra` more bytes and a NUL.
 * Returns MFA_OK, MFA_ERR_TOO_LARGE (past max_len) or MFA_ERR_MEMORY; the contents are unchanged on failure. */
MFA_MUST_CHECK enum mfa_status mfa_buffer_reserve(struct mfa_buffer *buffer, size_t extra);

/* mfa_buffer_append where memory must be made first. */
MFA_MUST_CHECK enum mfa_status mfa_buffer_append_slowly(struct mfa_buffer *buffer, const void *bytes, size_t len);

/* Appends `len` bytes; `bytes` may be NULL when len is 0 and must not lie inside the buffer. Returns as reserve does. */
MFA_MUST_CHECK static inline enum mfa_status mfa_buffer_append(struct mfa_buffer *buffer, const void *bytes, size_t len)
{
    if (buffer->size == 0 || len > buffer->size - 1 - buffer->len)
        return mfa_buffer_append_slowly(buffer, bytes, len);
    if (len > 0)
        memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    buffer->data[buffer->len] = '\0';
    return MFA_OK;
}

/* Appends a NUL-terminated text without its NUL. Returns as reserve does. */
MFA_MUST_CHECK enum mfa_status mfa_buffer_append_text(struct mfa_buffer *buffer, const char *text);

/* Hands the contents to the caller and leaves the buffer empty. Returns NULL when nothing was ever appended.
 * The result is owned by the caller, released with mfa_secret_free (its length is `*len`). */
char *mfa_buffer_take(struct mfa_buffer *buffer, size_t *len);

/* Wipes `len` bytes of a heap block and frees it. Accepts NULL. */
void mfa_secret_free(void *block, size_t len);

#endif
