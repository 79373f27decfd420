/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_profile.h"

#include <sodium.h>
#include <string.h>

#include "mfa_code.h"
#include "mfa_json.h"
#include "mfa_policy.h"
#include "mfa_record.h"

#define STORED_MAX_DEPTH 32

enum mfa_status mfa_profile_parse(struct mfa_profile *out, const char *text, size_t len)
{
    json_t *root = NULL;
    enum mfa_status status = mfa_json_parse_object(&root, text, len, STORED_MAX_DEPTH);

    *out = (struct mfa_profile){0};
    if (status != MFA_OK)
        return status;
    if (!json_is_object(json_object_get(root, "content")) || !json_is_array(json_object_get(root, "recoveryCodes"))) {
        mfa_json_free(root);
        return MFA_ERR_SYNTAX;
    }
    out->root = root;
    out->user_data = json_object_get(root, "content");
    return MFA_OK;
}

void mfa_profile_clear(struct mfa_profile *profile)
{
    mfa_json_free(profile->root);
    *profile = (struct mfa_profile){0};
}

enum mfa_status mfa_profile_load(struct mfa_profile *out, const struct mfa_host_port *host, const char *user_id)
{
    struct mfa_buffer stored;
    uint64_t version = 0;
    enum mfa_status status = MFA_ERR_INTERNAL;

    *out = (struct mfa_profile){0};
    mfa_buffer_init(&stored, MFA_RECORD_MAX_LEN);
    status = host->profile_load(host->ctx, MFA_RECORD_ENROLMENT, user_id, &stored, &version);
    if (status == MFA_OK)
        status = mfa_profile_parse(out, stored.data, stored.len);
    if (status == MFA_OK)
        out->version = version;
    mfa_buffer_clear(&stored);
    return status;
}

static enum mfa_status id_of(const struct mfa_buffer *stored, unsigned char id[static MFA_ENROLMENT_ID_LEN])
{
    struct mfa_profile profile;
    enum mfa_status status = mfa_profile_parse(&profile, stored->data, stored->len);

    if (status == MFA_OK)
        status = mfa_profile_enrolment_id(&profile, id);
    if (status == MFA_ERR_SYNTAX) {
        crypto_generichash(id, MFA_ENROLMENT_ID_LEN, (const unsigned char *)stored->data, stored->len, NULL, 0);
        status = MFA_OK;
    }
    mfa_profile_clear(&profile);
    return status;
}

static enum mfa_status load_id(const struct mfa_host_port *host, const char *user_id,
                               unsigned char id[static MFA_ENROLMENT_ID_LEN], uint64_t *version)
{
    struct mfa_buffer stored;
    enum mfa_status status = MFA_ERR_INTERNAL;

    memset(id, 0, MFA_ENROLMENT_ID_LEN);
    mfa_buffer_init(&stored, MFA_RECORD_MAX_LEN);
    status = host->profile_load(host->ctx, MFA_RECORD_ENROLMENT, user_id, &stored, version);
    if (status == MFA_OK)
        status = id_of(&stored, id);
    mfa_buffer_clear(&stored);
    return status == MFA_ERR_NOT_FOUND ? MFA_OK : status;
}

enum mfa_status mfa_profile_load_id(const struct mfa_host_port *host, const char *user_id,
                                    unsigned char id[static MFA_ENROLMENT_ID_LEN])
{
    uint64_t version = 0;

    return load_id(host, user_id, id, &version);
}

/* --- Changing what is stored ------------------------------------------------------------------------------------- */

static json_t *hash_all(const struct mfa_recovery_codes *codes_secret)
{
    json_t *hashes = json_array();

    for (size_t i = 0; hashes != NULL && i < MFA_RECOVERY_CODE_COUNT; i++) {
        char stored[MFA_RECOVERY_STORED_SIZE];
        mfa_recovery_hash(codes_secret->text_secret[i], stored);
        if (json_array_append_new(hashes, json_string(stored)) != 0) {
            json_decref(hashes);
            return NULL;
        }
    }
    return hashes;
}

static enum mfa_status compose(const struct mfa_host_port *host, json_t *user_data,
                               const struct mfa_recovery_codes *codes_secret, json_t **root)
{
    char id[MFA_TOKEN_SIZE];
    int64_t wall_ms = 0;
    enum mfa_status status = mfa_token_draw(host, id);

    *root = NULL;
    if (status == MFA_OK)
        status = host->wall_ms(host->ctx, &wall_ms);
    if (status != MFA_OK)
        return status;
    *root = json_pack("{s:O, s:o, s:f, s:s}", "content", user_data, "recoveryCodes", hash_all(codes_secret),
                      "confirmedAt", (double)wall_ms / 1000, "enrolmentId", id);
    return *root != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

enum mfa_status mfa_profile_remove(const struct mfa_host_port *host, const char *user_id)
{
    return mfa_record_remove(host, MFA_RECORD_ENROLMENT, user_id);
}

/* Whether it is one of the stored ones. Looks at every one, so that the time does not tell which it was. */
static bool has_recovery_code(const struct mfa_profile *profile, const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    const json_t *codes = json_object_get(profile->root, "recoveryCodes");
    const json_t *code = NULL;
    size_t i = 0;
    bool is_found = false;

    json_array_foreach(codes, i, code)
    {
        if (json_is_string(code) && mfa_recovery_matches(json_string_value(code), presented))
            is_found = true;
    }
    return is_found;
}

enum mfa_status mfa_profile_find_recovery_code(const struct mfa_host_port *host, const char *user_id,
                                               const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    struct mfa_profile profile;
    enum mfa_status status = mfa_profile_load(&profile, host, user_id);

    if (status == MFA_OK && !has_recovery_code(&profile, presented))
        status = MFA_ERR_DENIED;
    mfa_profile_clear(&profile);
    return status;
}

static enum mfa_status store(const struct mfa_host_port *host, const char *user_id, const struct mfa_profile *profile)
{
    struct mfa_buffer text;
    enum mfa_status status = MFA_ERR_INTERNAL;

    mfa_buffer_init(&text, MFA_RECORD_MAX_LEN);
    status = mfa_json_encode(profile->root, &text);
    if (status == MFA_OK)
        status = host->profile_store(host->ctx, MFA_RECORD_ENROLMENT, user_id, profile->version, text.data, text.len);
    mfa_buffer_clear(&text);
    return status;
}

static enum mfa_status try_to_replace(const struct mfa_host_port *host, const char *user_id,
                                      const unsigned char replaced_id[static MFA_ENROLMENT_ID_LEN], json_t *root,
                                      bool *was_enrolled)
{
    unsigned char id[MFA_ENROLMENT_ID_LEN];
    struct mfa_profile after = {.root = root};
    enum mfa_status status = load_id(host, user_id, id, &after.version);

    *was_enrolled = status == MFA_OK && !sodium_is_zero(id, sizeof id);
    if (*was_enrolled && sodium_memcmp(id, replaced_id, sizeof id) != 0)
        return MFA_ERR_DENIED;
    return status == MFA_OK ? store(host, user_id, &after) : status;
}

enum mfa_status mfa_profile_replace(const struct mfa_host_port *host, const char *user_id,
                                    const unsigned char replaced_id[static MFA_ENROLMENT_ID_LEN], json_t *user_data,
                                    const struct mfa_recovery_codes *codes_secret, bool *was_enrolled)
{
    json_t *root = NULL;
    enum mfa_status status = compose(host, user_data, codes_secret, &root);

    *was_enrolled = false;
    if (status != MFA_OK)
        return status;
    status = MFA_ERR_CONFLICT;
    for (int i = 0; status == MFA_ERR_CONFLICT && i < MFA_RECORD_MAX_TRIES; i++)
        status = try_to_replace(host, user_id, replaced_id, root, was_enrolled);
    json_decref(root);
    return status;
}

enum mfa_status mfa_profile_renew_recovery_codes(const struct mfa_host_port *host, const char *user_id,
                                                 const struct mfa_recovery_codes *codes_secret)
{
    enum mfa_status status = MFA_ERR_CONFLICT;

    for (int i = 0; status == MFA_ERR_CONFLICT && i < MFA_RECORD_MAX_TRIES; i++) {
        struct mfa_profile profile;
        status = mfa_profile_load(&profile, host, user_id);
        if (status == MFA_OK && json_object_set_new(profile.root, "recoveryCodes", hash_all(codes_secret)) != 0)
            status = MFA_ERR_MEMORY;
        if (status == MFA_OK)
            status = store(host, user_id, &profile);
        mfa_profile_clear(&profile);
    }
    return status;
}

/* Leaves one code out, wherever it stands, and hashes those that are in clear. */
static enum mfa_status leave_out(struct mfa_profile *profile, const char used[static MFA_RECOVERY_STORED_SIZE])
{
    json_t *kept = json_array();
    const json_t *code = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(profile->root, "recoveryCodes"), i, code)
    {
        char stored[MFA_RECOVERY_STORED_SIZE] = "";
        const char *text = json_is_string(code) ? json_string_value(code) : "";
        if (!mfa_recovery_is_hashed(text))
            mfa_recovery_hash_typed(text, strlen(text), stored);
        if (!mfa_recovery_matches(text, used) &&
            json_array_append_new(kept, json_string(stored[0] != '\0' ? stored : text)) != 0) {
            json_decref(kept);
            return MFA_ERR_MEMORY;
        }
    }
    return json_object_set_new(profile->root, "recoveryCodes", kept) == 0 ? MFA_OK : MFA_ERR_MEMORY;
}

static enum mfa_status try_to_consume(const struct mfa_host_port *host, const char *user_id,
                                      const unsigned char enrolment_id[static MFA_ENROLMENT_ID_LEN],
                                      const char presented[static MFA_RECOVERY_STORED_SIZE], bool *has_changed)
{
    struct mfa_profile profile;
    unsigned char id[MFA_ENROLMENT_ID_LEN];
    enum mfa_status status = mfa_profile_load(&profile, host, user_id);

    *has_changed = false;
    if (status == MFA_OK)
        status = mfa_profile_enrolment_id(&profile, id);
    if (status == MFA_OK) {
        *has_changed = sodium_memcmp(id, enrolment_id, sizeof id) != 0;
        if (*has_changed || !has_recovery_code(&profile, presented))
            status = MFA_ERR_DENIED;
    }
    if (status == MFA_OK)
        status = leave_out(&profile, presented);
    if (status == MFA_OK)
        status = store(host, user_id, &profile);
    mfa_profile_clear(&profile);
    return status;
}

enum mfa_status mfa_profile_consume(const struct mfa_host_port *host, const char *user_id,
                                    const unsigned char enrolment_id[static MFA_ENROLMENT_ID_LEN],
                                    const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    bool has_changed = false;
    enum mfa_status status = MFA_ERR_CONFLICT;

    for (int i = 0; status == MFA_ERR_CONFLICT && i < MFA_RECORD_MAX_TRIES; i++)
        status = try_to_consume(host, user_id, enrolment_id, presented, &has_changed);
    if (status == MFA_ERR_CONFLICT)
        return MFA_ERR_INTERNAL;
    return has_changed ? MFA_ERR_CONFLICT : status;
}

enum mfa_status mfa_profile_recover(const struct mfa_host_port *host, const char *user_id,
                                    const char presented[static MFA_RECOVERY_STORED_SIZE])
{
    enum mfa_status status = MFA_ERR_CONFLICT;

    for (int i = 0; status == MFA_ERR_CONFLICT && i < MFA_RECORD_MAX_TRIES; i++) {
        struct mfa_profile profile;
        status = mfa_profile_load(&profile, host, user_id);
        if (status == MFA_OK && !has_recovery_code(&profile, presented))
            status = MFA_ERR_DENIED;
        if (status == MFA_OK)
            status = host->profile_store(host->ctx, MFA_RECORD_ENROLMENT, user_id, profile.version, NULL, 0);
        mfa_profile_clear(&profile);
    }
    return status;
}

/* --- Reading it -------------------------------------------------------------------------------------------------- */

enum mfa_status mfa_profile_enrolment_id(const struct mfa_profile *profile,
                                         unsigned char id[static MFA_ENROLMENT_ID_LEN])
{
    const json_t *stored_id = json_object_get(profile->root, "enrolmentId");
    struct mfa_buffer text;
    enum mfa_status status = MFA_OK;

    memset(id, 0, MFA_ENROLMENT_ID_LEN);
    mfa_buffer_init(&text, MFA_RECORD_MAX_LEN);
    status = mfa_json_encode(stored_id != NULL ? stored_id : profile->user_data, &text);
    if (status == MFA_OK)
        crypto_generichash(id, MFA_ENROLMENT_ID_LEN, (const unsigned char *)text.data, text.len, NULL, 0);
    mfa_buffer_clear(&text);
    return status;
}

size_t mfa_profile_recovery_codes_left(const struct mfa_profile *profile)
{
    return json_array_size(json_object_get(profile->root, "recoveryCodes"));
}

double mfa_profile_confirmed_at(const struct mfa_profile *profile)
{
    const json_t *confirmed_at = json_object_get(profile->root, "confirmedAt");

    return json_is_number(confirmed_at) ? json_number_value(confirmed_at) : -1;
}
