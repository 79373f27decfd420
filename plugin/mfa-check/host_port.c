/* SPDX-License-Identifier: Apache-2.0 */
#include "host_port.h"

#include <sodium.h>
#include <time.h>

#include "mfa_loop.h"

/* What would be logged is explained. */
static void log_nothing(void *ctx, enum mfa_log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    (void)line;
}

static enum mfa_status monotonic_ms(void *ctx, uint64_t *ms)
{
    (void)ctx;
    *ms = mfa_loop_now_ms();
    return MFA_OK;
}

static enum mfa_status wall_ms(void *ctx, int64_t *ms)
{
    (void)ctx;
    *ms = (int64_t)time(NULL) * 1000;
    return MFA_OK;
}

static enum mfa_status draw_random(void *ctx, void *bytes, size_t len)
{
    (void)ctx;
    randombytes_buf(bytes, len);
    return MFA_OK;
}

const struct mfa_host_port host_port = {
    .log = log_nothing, .monotonic_ms = monotonic_ms, .wall_ms = wall_ms, .random = draw_random};
