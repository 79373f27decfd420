/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_record.h"

/* The version of what is stored now, whatever it is; 0: nothing. The host tells it with the bytes only, however many. */
static enum mfa_status load_version(const struct mfa_host_port *host, enum mfa_record record, const char *user_id,
                                    uint64_t *version)
{
    struct mfa_buffer stored;
    enum mfa_status status = MFA_ERR_INTERNAL;

    *version = 0;
    mfa_buffer_init(&stored, SIZE_MAX);
    status = host->profile_load(host->ctx, record, user_id, &stored, version);
    mfa_buffer_clear(&stored);
    return status;
}

enum mfa_status mfa_record_remove(const struct mfa_host_port *host, enum mfa_record record, const char *user_id)
{
    enum mfa_status status = MFA_ERR_CONFLICT;

    for (int i = 0; status == MFA_ERR_CONFLICT && i < MFA_RECORD_MAX_TRIES; i++) {
        uint64_t version = 0;
        status = load_version(host, record, user_id, &version);
        if (status == MFA_OK)
            status = host->profile_store(host->ctx, record, user_id, version, NULL, 0);
    }
    return status;
}
