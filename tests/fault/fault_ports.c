/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_gateway.h"
#include "fake_host.h"
#include "fake_kv.h"
#include "fault.h"

#define HOUR_MS 3600000

struct mfa_host_port __real_fake_host_port(struct fake_host *host);
struct mfa_host_port __wrap_fake_host_port(struct fake_host *host);
struct mfa_kv_port __real_fake_kv_port(struct fake_kv *kv);
struct mfa_kv_port __wrap_fake_kv_port(struct fake_kv *kv);
struct mfa_gateway_port __real_fake_gateway_port(struct fake_gateway *gateway);
struct mfa_gateway_port __wrap_fake_gateway_port(struct fake_gateway *gateway);

/* The fakes', which do the work; there is one of each at a time. */
static struct mfa_host_port host_port;
static struct mfa_kv_port kv_port;
static struct mfa_gateway_port gateway_port;

static enum mfa_status monotonic_ms(void *ctx, uint64_t *ms)
{
    enum mfa_status status = host_port.monotonic_ms(ctx, ms);

    if (fault_strikes(FAULT_CLOCK))
        return MFA_ERR_INTERNAL;
    if (fault_strikes(FAULT_HOUR_FORWARD))
        *ms += HOUR_MS;
    if (fault_strikes(FAULT_END_OF_TIME))
        *ms = UINT64_MAX;
    return status;
}

static enum mfa_status wall_ms(void *ctx, int64_t *ms)
{
    enum mfa_status status = host_port.wall_ms(ctx, ms);

    if (fault_strikes(FAULT_CLOCK))
        return MFA_ERR_INTERNAL;
    if (fault_strikes(FAULT_HOUR_FORWARD))
        *ms += HOUR_MS;
    if (fault_strikes(FAULT_HOUR_BACK))
        *ms -= HOUR_MS;
    if (fault_strikes(FAULT_END_OF_TIME))
        *ms = INT64_MAX;
    return status;
}

/* On the monotonic clock, as it goes now. */
static uint64_t deadline_ms(void *ctx, uint64_t call)
{
    uint64_t deadline = host_port.deadline_ms(ctx, call);

    if (fault_strikes(FAULT_PATIENCE))
        return 0;
    if (fault_strikes(FAULT_HOUR_FORWARD))
        return deadline + HOUR_MS;
    return fault_strikes(FAULT_END_OF_TIME) ? UINT64_MAX : deadline;
}

static enum mfa_status draw(void *ctx, void *bytes, size_t len)
{
    return fault_strikes(FAULT_RANDOM) ? MFA_ERR_INTERNAL : host_port.random(ctx, bytes, len);
}

static enum mfa_status load(void *ctx, enum mfa_record record, const char *user_id, struct mfa_buffer *out,
                            uint64_t *version)
{
    if (!fault_strikes(FAULT_LOAD))
        return host_port.profile_load(ctx, record, user_id, out, version);
    mfa_buffer_reset(out);
    *version = 0;
    return MFA_ERR_INTERNAL;
}

static enum mfa_status store(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                             const char *data, size_t len)
{
    enum mfa_status status = MFA_ERR_INTERNAL;
    bool did_count = false;

    if (fault_strikes(FAULT_STORE))
        return MFA_ERR_INTERNAL;
    if (fault_strikes(FAULT_CONFLICT))
        return MFA_ERR_CONFLICT;
    did_count = fault_count(false);
    status = host_port.profile_store(ctx, record, user_id, expected, data, len);
    (void)fault_count(did_count);
    return status;
}

static enum mfa_status check_password(void *ctx, const char *user_id, const char *password_secret, size_t len)
{
    return fault_strikes(FAULT_PASSWORD) ? MFA_ERR_INTERNAL
                                         : host_port.password_check(ctx, user_id, password_secret, len);
}

struct mfa_host_port __wrap_fake_host_port(struct fake_host *host)
{
    struct mfa_host_port port = __real_fake_host_port(host);

    host_port = port;
    port.monotonic_ms = monotonic_ms;
    port.wall_ms = wall_ms;
    port.deadline_ms = deadline_ms;
    port.random = draw;
    port.profile_load = load;
    port.profile_store = store;
    port.password_check = check_password;
    return port;
}

static enum mfa_status get(void *ctx, const char *key, void *value, size_t size, size_t *len, uint64_t *version)
{
    return fault_strikes(FAULT_LOAD) ? MFA_ERR_INTERNAL : kv_port.get(ctx, key, value, size, len, version);
}

static enum mfa_status put(void *ctx, const char *key, const void *value, size_t len, int64_t expires_ms,
                           uint64_t *version)
{
    if (fault_strikes(FAULT_STORE))
        return MFA_ERR_INTERNAL;
    return fault_strikes(FAULT_CONFLICT) ? MFA_ERR_CONFLICT : kv_port.put(ctx, key, value, len, expires_ms, version);
}

struct mfa_kv_port __wrap_fake_kv_port(struct fake_kv *kv)
{
    struct mfa_kv_port port = __real_fake_kv_port(kv);

    kv_port = port;
    port.get = get;
    port.put = put;
    return port;
}

static enum mfa_status submit(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg)
{
    return fault_strikes(FAULT_GATEWAY) ? MFA_ERR_FULL : gateway_port.submit(ctx, request, done, arg);
}

struct mfa_gateway_port __wrap_fake_gateway_port(struct fake_gateway *gateway)
{
    struct mfa_gateway_port port = __real_fake_gateway_port(gateway);

    gateway_port = port;
    port.submit = submit;
    return port;
}
