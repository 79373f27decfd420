/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_tally.h"

#include <jansson.h>

#include "mfa_json.h"
#include "mfa_record.h"

#define STORED_MAX_LEN 1024
#define STORED_MAX_DEPTH 2
/* No clock shows a later year than 9999. */
#define LAST_AT_MAX 253402300799.0

static bool read_count(const json_t *root, const char *key, uint32_t *count)
{
    const json_t *value = json_object_get(root, key);
    json_int_t number = json_integer_value(value);

    *count = (uint32_t)number;
    return json_is_integer(value) && number >= 0 && number <= INT32_MAX;
}

static enum mfa_status parse(struct mfa_tally *out, const struct mfa_buffer *text)
{
    json_t *root = NULL;
    const json_t *last_at = NULL;
    enum mfa_status status = mfa_json_parse_object(&root, text->data, text->len, STORED_MAX_DEPTH);

    if (status != MFA_OK)
        return status;
    last_at = json_object_get(root, "lastAt");
    status = MFA_ERR_SYNTAX;
    if (read_count(root, "consecutive", &out->consecutive) && read_count(root, "recent", &out->recent) &&
        json_is_number(last_at) && json_number_value(last_at) >= 0 && json_number_value(last_at) <= LAST_AT_MAX) {
        out->last_wall_ms = (int64_t)(json_number_value(last_at) * 1000 + 0.5);
        status = MFA_OK;
    }
    json_decref(root);
    return status;
}

/* As mfa_tally_load, with the version of what is stored; 0: nothing. */
static enum mfa_status load(struct mfa_tally *out, const struct mfa_host_port *host, const char *user_id,
                            uint64_t *version)
{
    struct mfa_buffer text;
    enum mfa_status status = MFA_ERR_INTERNAL;

    *out = (struct mfa_tally){0};
    mfa_buffer_init(&text, STORED_MAX_LEN);
    status = host->profile_load(host->ctx, MFA_RECORD_ATTEMPTS, user_id, &text, version);
    if (status == MFA_OK)
        status = parse(out, &text);
    else if (status == MFA_ERR_NOT_FOUND)
        status = MFA_OK;
    mfa_buffer_clear(&text);
    if (status != MFA_OK)
        *out = (struct mfa_tally){0};
    return status;
}

enum mfa_status mfa_tally_load(struct mfa_tally *out, const struct mfa_host_port *host, const char *user_id)
{
    uint64_t version = 0;

    return load(out, host, user_id, &version);
}

static enum mfa_status store(const struct mfa_host_port *host, const char *user_id, const struct mfa_tally *tally,
                             uint64_t version)
{
    struct mfa_buffer text;
    json_t *root = json_pack("{s:I, s:I, s:f}", "consecutive", (json_int_t)tally->consecutive, "recent",
                             (json_int_t)tally->recent, "lastAt", (double)tally->last_wall_ms / 1000);
    enum mfa_status status = MFA_ERR_MEMORY;

    mfa_buffer_init(&text, STORED_MAX_LEN);
    if (root != NULL)
        status = mfa_json_encode(root, &text);
    if (status == MFA_OK)
        status = host->profile_store(host->ctx, MFA_RECORD_ATTEMPTS, user_id, version, text.data, text.len);
    json_decref(root);
    mfa_buffer_clear(&text);
    return status;
}

/* A time that could not be read again would keep the user out until an administrator's reset. */
static int64_t readable(int64_t wall_ms)
{
    const int64_t last_ms = (int64_t)LAST_AT_MAX * 1000;

    if (wall_ms < 0)
        return 0;
    return wall_ms < last_ms ? wall_ms : last_ms;
}

static void add_failure(struct mfa_tally *tally, int64_t wall_ms, uint32_t window_s)
{
    if (wall_ms - tally->last_wall_ms > (int64_t)window_s * 1000)
        tally->recent = 0;
    tally->consecutive += tally->consecutive < INT32_MAX;
    tally->recent += tally->recent < INT32_MAX;
    tally->last_wall_ms = wall_ms;
}

enum mfa_status mfa_tally_add_failure(struct mfa_tally *out, const struct mfa_host_port *host, const char *user_id,
                                      uint32_t window_s)
{
    int64_t wall_ms = 0;
    enum mfa_status clock = host->wall_ms(host->ctx, &wall_ms);
    enum mfa_status status = clock == MFA_OK ? MFA_ERR_CONFLICT : clock;

    for (int i = 0; status == MFA_ERR_CONFLICT && i < MFA_RECORD_MAX_TRIES; i++) {
        uint64_t version = 0;
        status = load(out, host, user_id, &version);
        if (status != MFA_OK)
            break;
        add_failure(out, readable(wall_ms), window_s);
        status = store(host, user_id, out, version);
    }
    if (status != MFA_OK)
        *out = (struct mfa_tally){0};
    return status;
}

enum mfa_status mfa_tally_remove(const struct mfa_host_port *host, const char *user_id)
{
    enum mfa_status status = mfa_record_remove(host, MFA_RECORD_ATTEMPTS, user_id);

    return status == MFA_ERR_NOT_FOUND ? MFA_OK : status;
}
