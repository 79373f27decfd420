/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <string.h>

#include "mfa_reply.h"
#include "plugin.h"

/* Longest field of a profile that is read without memory of its own. */
#define SHORT_PROFILE_LEN 2048

static struct core_span span(const void *data, size_t len)
{
    return (struct core_span){.data = data, .len = len};
}

struct core_span plugin_text_span(const char *text)
{
    return span(text, strlen(text));
}

enum mfa_status plugin_from_core(core_status status)
{
    switch (status) {
    case CORE_OK: return MFA_OK;
    case CORE_ERR_MEMORY: return MFA_ERR_MEMORY;
    case CORE_ERR_NOT_FOUND: return MFA_ERR_NOT_FOUND;
    case CORE_ERR_CONFLICT: return MFA_ERR_CONFLICT;
    case CORE_ERR_TOO_SMALL: return MFA_ERR_TOO_LARGE;
    case CORE_ERR_DENIED: return MFA_ERR_DENIED;
    case CORE_ERR_BUSY: return MFA_ERR_FULL;
    default: return MFA_ERR_INTERNAL;
    }
}

static void log_line(void *ctx, enum mfa_log_level level, const char *line)
{
    static const uint32_t levels[] = {[MFA_LOG_ERROR] = CORE_LOG_ERROR,
                                      [MFA_LOG_WARN] = CORE_LOG_WARN,
                                      [MFA_LOG_INFO] = CORE_LOG_INFO,
                                      [MFA_LOG_DEBUG] = CORE_LOG_DEBUG};
    const struct core_host *host = ctx;

    host->log(host, levels[level], plugin_text_span(line));
}

static enum mfa_status monotonic_ms(void *ctx, uint64_t *ms)
{
    const struct core_host *host = ctx;

    return plugin_from_core(host->monotonic_clock(host, ms));
}

static enum mfa_status wall_ms(void *ctx, int64_t *ms)
{
    const struct core_host *host = ctx;

    return plugin_from_core(host->wall_clock(host, ms));
}

static enum mfa_status draw_random(void *ctx, void *bytes, size_t len)
{
    (void)ctx;
    randombytes_buf(bytes, len);
    return MFA_OK;
}

static const char *const fields[] = {
    [MFA_RECORD_ENROLMENT] = PLUGIN_FIELD_ENROLMENT, [MFA_RECORD_ATTEMPTS] = PLUGIN_FIELD_ATTEMPTS};

static enum mfa_status load_into(const struct core_host *host, const char *field, const char *user_id, char *memory,
                                 size_t size, uint64_t *len, uint64_t *version)
{
    enum mfa_status status =
        plugin_from_core(host->profile_load(host, plugin_text_span(user_id), field, memory, size, len, version));

    return status == MFA_OK && *len > size ? MFA_ERR_INTERNAL : status;
}

/* Most profiles are short, and most logins are of users that have none. */
static enum mfa_status load_short(const struct core_host *host, const char *field, const char *user_id,
                                  struct mfa_buffer *out, uint64_t *len, uint64_t *version)
{
    char memory_secret[SHORT_PROFILE_LEN];
    enum mfa_status status = load_into(host, field, user_id, memory_secret, sizeof memory_secret, len, version);

    if (status == MFA_OK)
        status = mfa_buffer_append(out, memory_secret, (size_t)*len);
    if (status != MFA_ERR_NOT_FOUND)
        sodium_memzero(memory_secret, sizeof memory_secret);
    return status;
}

static enum mfa_status load_long(const struct core_host *host, const char *field, const char *user_id,
                                 struct mfa_buffer *out, uint64_t *len, uint64_t *version)
{
    const size_t size = (size_t)*len;
    enum mfa_status status = mfa_buffer_reserve(out, size);

    if (status == MFA_OK)
        status = load_into(host, field, user_id, out->data, size, len, version);
    if (status == MFA_OK) {
        out->len = (size_t)*len;
        out->data[out->len] = '\0';
    }
    return status;
}

static enum mfa_status profile_load(void *ctx, enum mfa_record record, const char *user_id, struct mfa_buffer *out,
                                    uint64_t *version)
{
    uint64_t len = 0;
    enum mfa_status status = MFA_ERR_INTERNAL;

    mfa_buffer_reset(out);
    status = load_short(ctx, fields[record], user_id, out, &len, version);
    /* A second time only: a field that grows between the two is nobody's honest enrolment. */
    if (status == MFA_ERR_TOO_LARGE && len > SHORT_PROFILE_LEN && len <= out->max_len)
        status = load_long(ctx, fields[record], user_id, out, &len, version);
    return status == MFA_ERR_TOO_LARGE ? MFA_ERR_INTERNAL : status;
}

static enum mfa_status profile_store(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                                     const char *data, size_t len)
{
    const struct core_host *host = ctx;

    return plugin_from_core(
        host->profile_store(host, plugin_text_span(user_id), fields[record], expected, span(data, len)));
}

static enum mfa_status password_check(void *ctx, const char *user_id, const char *password_secret, size_t len)
{
    const struct core_host *host = ctx;

    return plugin_from_core(host->password_check(host, plugin_text_span(user_id), span(password_secret, len)));
}

static void complete(void *ctx, uint64_t call, const struct mfa_reply *reply)
{
    static const uint32_t outcomes[] = {[MFA_DENY] = CORE_DENY,
                                        [MFA_ALLOW] = CORE_ALLOW,
                                        [MFA_CHALLENGE] = CORE_CHALLENGE,
                                        [MFA_ANSWER] = CORE_ANSWER,
                                        [MFA_RELEASE] = CORE_RELEASE};
    const struct core_host *host = ctx;
    struct mfa_http_reply http;
    enum mfa_status status = mfa_reply_render(reply, &http);
    struct core_header retry_after = {.name = plugin_text_span("Retry-After"),
                                      .value = plugin_text_span(http.retry_after)};
    struct core_result result = {.struct_size = sizeof result,
                                 .outcome = outcomes[http.decision],
                                 .http_status = http.status,
                                 .header_count = http.retry_after[0] != '\0' ? 1 : 0,
                                 .body = span(http.body.data, http.body.len),
                                 .headers = &retry_after};

    if (status == MFA_OK && http.decision == MFA_RELEASE)
        result.grant = span(reply->grant_secret, reply->grant_len);
    if (host->complete(host, call, &result) != CORE_OK)
        host->log(host, CORE_LOG_ERROR, plugin_text_span("the host did not take the result of a call"));
    mfa_http_reply_clear(&http);
}

static uint64_t deadline_ms(void *ctx, uint64_t call)
{
    const struct core_host *host = ctx;
    struct core_call_info info = {.struct_size = sizeof info};

    return host->call_info(host, call, &info) == CORE_OK && info.cancelled == 0 ? info.deadline_ms : 0;
}

struct mfa_host_port plugin_host_port(const struct core_host *host)
{
    return (struct mfa_host_port){.ctx = (void *)(uintptr_t)host,
                                  .log = log_line,
                                  .monotonic_ms = monotonic_ms,
                                  .wall_ms = wall_ms,
                                  .random = draw_random,
                                  .profile_load = profile_load,
                                  .profile_store = profile_store,
                                  .password_check = password_check,
                                  .complete = complete,
                                  .deadline_ms = deadline_ms};
}
