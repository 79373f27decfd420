/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_send_store.h"

#include <sodium.h>
#include <string.h>

#define KEY_NAME "send.key"
#define COUNTER_PREFIX "send.count."
#define FORMAT 1
#define EVENT_LEN 4
#define VALUE_MAX_LEN (1 + EVENT_LEN * MFA_SENDS_MAX)

/* --- The key of the hashes -------------------------------------------------------------------------------------- */

static enum mfa_status read_key(const struct mfa_kv_port *kv, unsigned char key_secret[static MFA_SEND_KEY_LEN])
{
    size_t len = 0;
    uint64_t version = 0;
    enum mfa_status status = kv->get(kv->ctx, KEY_NAME, key_secret, MFA_SEND_KEY_LEN, &len, &version);

    return status == MFA_OK && len != MFA_SEND_KEY_LEN ? MFA_ERR_INTERNAL : status;
}

static enum mfa_status make_key(const struct mfa_kv_port *kv, const struct mfa_host_port *host,
                                unsigned char key_secret[static MFA_SEND_KEY_LEN])
{
    uint64_t version = 0;
    enum mfa_status status = host->random(host->ctx, key_secret, MFA_SEND_KEY_LEN);

    if (status != MFA_OK || kv->put == NULL)
        return status;
    status = kv->put(kv->ctx, KEY_NAME, key_secret, MFA_SEND_KEY_LEN, 0, &version);
    return status == MFA_ERR_CONFLICT ? read_key(kv, key_secret) : status; /* another process was faster */
}

enum mfa_status mfa_send_store_key(const struct mfa_kv_port *kv, const struct mfa_host_port *host,
                                   unsigned char key_secret[static MFA_SEND_KEY_LEN])
{
    enum mfa_status status = kv->get != NULL ? read_key(kv, key_secret) : MFA_ERR_NOT_FOUND;

    if (status == MFA_ERR_NOT_FOUND)
        status = make_key(kv, host, key_secret);
    if (status != MFA_OK)
        sodium_memzero(key_secret, MFA_SEND_KEY_LEN);
    return status;
}

/* --- Counters --------------------------------------------------------------------------------------------------- */

#define COUNTER_NAME_SIZE (sizeof COUNTER_PREFIX + 2 * MFA_COUNTER_KEY_LEN)

static void name_counter(const unsigned char key[static MFA_COUNTER_KEY_LEN], char name[static COUNTER_NAME_SIZE])
{
    memcpy(name, COUNTER_PREFIX, sizeof COUNTER_PREFIX);
    sodium_bin2hex(name + sizeof COUNTER_PREFIX - 1, 2 * MFA_COUNTER_KEY_LEN + 1, key, MFA_COUNTER_KEY_LEN);
}

static enum mfa_status decode(struct mfa_send_record *out, const unsigned char *value, size_t len)
{
    if (len < 1 || value[0] != FORMAT || (len - 1) % EVENT_LEN != 0 || len > VALUE_MAX_LEN)
        return MFA_ERR_INTERNAL;
    for (const unsigned char *at = value + 1; at < value + len; at += EVENT_LEN)
        out->at_s[out->count++] = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    return MFA_OK;
}

static size_t encode(const struct mfa_send_record *record, unsigned char value[static VALUE_MAX_LEN])
{
    size_t len = 0;

    value[len++] = FORMAT;
    for (uint32_t i = 0; i < record->count; i++)
        for (unsigned shift = 0; shift < 32; shift += 8)
            value[len++] = (unsigned char)(record->at_s[i] >> shift);
    return len;
}

enum mfa_status mfa_send_store_load(const struct mfa_kv_port *kv, const unsigned char key[static MFA_COUNTER_KEY_LEN],
                                    struct mfa_send_record *out)
{
    char name[COUNTER_NAME_SIZE];
    unsigned char value[VALUE_MAX_LEN];
    size_t len = 0;
    uint64_t version = 0;
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    *out = (struct mfa_send_record){0};
    name_counter(key, name);
    if (kv->get != NULL)
        status = kv->get(kv->ctx, name, value, sizeof value, &len, &version);
    if (status == MFA_ERR_NOT_FOUND)
        return MFA_OK;
    if (status == MFA_OK)
        status = decode(out, value, len);
    if (status == MFA_OK)
        out->version = version;
    return status;
}

enum mfa_status mfa_send_store_save(const struct mfa_kv_port *kv, const unsigned char key[static MFA_COUNTER_KEY_LEN],
                                    struct mfa_send_record *record, uint32_t empty_at_s)
{
    char name[COUNTER_NAME_SIZE];
    unsigned char value[VALUE_MAX_LEN];
    size_t len = encode(record, value);

    if (record->count == 0 && record->version == 0)
        return MFA_OK;
    name_counter(key, name);
    return kv->put(kv->ctx, name, record->count > 0 ? value : NULL, record->count > 0 ? len : 0,
                   (int64_t)empty_at_s * 1000, &record->version);
}
