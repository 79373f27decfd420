/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_buffer.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SIZE 64

void mfa_secret_free(void *block, size_t len)
{
    if (block == NULL)
        return;
    sodium_memzero(block, len);
    free(block);
}

void mfa_buffer_init(struct mfa_buffer *buffer, size_t max_len)
{
    *buffer = (struct mfa_buffer){.max_len = max_len};
}

void mfa_buffer_init_in(struct mfa_buffer *buffer, char *memory, size_t size)
{
    *buffer = (struct mfa_buffer){.data = memory, .size = size, .max_len = size - 1};
    memory[0] = '\0';
}

void mfa_buffer_clear(struct mfa_buffer *buffer)
{
    mfa_secret_free(buffer->data, buffer->size);
    mfa_buffer_init(buffer, buffer->max_len);
}

void mfa_buffer_reset(struct mfa_buffer *buffer)
{
    if (buffer->data != NULL)
        sodium_memzero(buffer->data, buffer->len);
    buffer->len = 0;
}

/* Not realloc: it may leave a copy of the old contents behind. */
static enum mfa_status move(struct mfa_buffer *buffer, size_t size)
{
    char *data = malloc(size);

    if (data == NULL)
        return MFA_ERR_MEMORY;
    if (buffer->len > 0)
        memcpy(data, buffer->data, buffer->len);
    data[buffer->len] = '\0';
    mfa_secret_free(buffer->data, buffer->size);
    buffer->data = data; /* transferred */
    buffer->size = size;
    return MFA_OK;
}

enum mfa_status mfa_buffer_reserve(struct mfa_buffer *buffer, size_t extra)
{
    size_t needed;
    size_t size;

    if (extra > buffer->max_len - buffer->len || extra > SIZE_MAX - 1 - buffer->len)
        return MFA_ERR_TOO_LARGE;
    needed = buffer->len + extra + 1;
    if (needed <= buffer->size)
        return MFA_OK;
    size = needed > SIZE_MAX / 2 ? needed : needed * 2;
    if (size < MIN_SIZE)
        size = MIN_SIZE;
    if (size - 1 > buffer->max_len)
        size = buffer->max_len + 1; /* what fits into the memory is within the cap */
    return move(buffer, size);
}

enum mfa_status mfa_buffer_append_slowly(struct mfa_buffer *buffer, const void *bytes, size_t len)
{
    enum mfa_status status = mfa_buffer_reserve(buffer, len);

    return status == MFA_OK ? mfa_buffer_append(buffer, bytes, len) : status;
}

enum mfa_status mfa_buffer_append_text(struct mfa_buffer *buffer, const char *text)
{
    return mfa_buffer_append(buffer, text, strlen(text));
}

char *mfa_buffer_take(struct mfa_buffer *buffer, size_t *len)
{
    char *data = buffer->data;

    *len = buffer->len;
    mfa_buffer_init(buffer, buffer->max_len); /* transferred */
    return data;
}
