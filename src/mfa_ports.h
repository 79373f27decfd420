/* SPDX-License-Identifier: Apache-2.0
 *
 * The seams of the library: everything it needs from outside goes through one of these structs of functions. The plugin
 * fills them in with the host API and the real gateway; tests put fakes in their place.
 *
 * Every function may be called from any thread and never with a lock of the library held.
 */
#ifndef MFA_PORTS_H
#define MFA_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_buffer.h"
#include "mfa_endpoint.h"
#include "mfa_metrics.h"
#include "mfa_status.h"

enum mfa_log_level { MFA_LOG_ERROR, MFA_LOG_WARN, MFA_LOG_INFO, MFA_LOG_DEBUG };

struct mfa_reply; /* mfa_reply.h */

/* What is kept in a user's private profile. */
enum mfa_record {
    MFA_RECORD_ENROLMENT, /* mfa_profile.h */
    MFA_RECORD_ATTEMPTS,  /* mfa_tally.h */
};

/* What the host does for us. `ctx` is handed to every function. */
struct mfa_host_port {
    void *ctx;

    /* Writes one line, without newline. */
    void (*log)(void *ctx, enum mfa_log_level level, const char *line);

    /* Milliseconds on a clock that never goes back / since 1970. MFA_OK or MFA_ERR_INTERNAL. */
    enum mfa_status (*monotonic_ms)(void *ctx, uint64_t *ms);
    enum mfa_status (*wall_ms)(void *ctx, int64_t *ms);

    /* Fills `len` bytes with unpredictable ones. MFA_OK or MFA_ERR_INTERNAL. */
    enum mfa_status (*random)(void *ctx, void *bytes, size_t len);

    /* Reads one of the user's records into `out` (which is reset first) and its version. May wait for storage.
     * MFA_OK; MFA_ERR_NOT_FOUND: there is none, `*version` is 0; anything else: nothing is known. */
    enum mfa_status (*profile_load)(void *ctx, enum mfa_record record, const char *user_id, struct mfa_buffer *out,
                                    uint64_t *version);

    /* Replaces (or removes, when `data` is NULL) it if it is still at version `expected`. May wait for storage.
     * MFA_OK; MFA_ERR_CONFLICT; anything else: not written. */
    enum mfa_status (*profile_store)(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                                     const char *data, size_t len);

    /* Checks the user's password. May wait for seconds.
     * MFA_OK; MFA_ERR_DENIED: wrong; MFA_ERR_FULL: too busy to check; anything else: nothing is known. */
    enum mfa_status (*password_check)(void *ctx, const char *user_id, const char *password_secret, size_t len);

    /* Ends a call. Never waits. The reply is copied. */
    void (*complete)(void *ctx, uint64_t call, const struct mfa_reply *reply);

    struct mfa_metrics_port metrics; /* zeroed: nobody wants to know */

    /* Until when the host waits for the call's answer, on the monotonic clock; 0: nobody waits any more. */
    uint64_t (*deadline_ms)(void *ctx, uint64_t call);
};

/* A table that outlives the process, keyed by text of [a-z0-9.-]{1,64}. A zeroed port stands for a host without one. */
struct mfa_kv_port {
    void *ctx;

    /* Reads at most `size` bytes and their version. May wait for storage.
     * MFA_OK; MFA_ERR_NOT_FOUND: there is nothing, `*version` is 0; anything else: nothing is known. */
    enum mfa_status (*get)(void *ctx, const char *key, void *value, size_t size, size_t *len, uint64_t *version);

    /* Replaces (or removes, when `value` is NULL) what is stored if it is still at `*version`; 0: there must be nothing.
     * It goes by itself at `expires_ms`, since 1970; 0: never. May wait for storage.
     * MFA_OK: `*version` is the new one, 0 after a removal; MFA_ERR_CONFLICT; anything else: not written. */
    enum mfa_status (*put)(void *ctx, const char *key, const void *value, size_t len, int64_t expires_ms,
                           uint64_t *version);
};

/* What became of a request to the communication service. 0 is a failure. */
enum mfa_delivery {
    MFA_DELIVERY_FAILED,   /* refused, reset, no route, bad certificate, malformed or oversized answer */
    MFA_DELIVERY_TIMEOUT,  /* no whole answer in time: the service may have acted on the request */
    MFA_DELIVERY_STOPPED,  /* the plugin is being stopped */
    MFA_DELIVERY_ANSWERED, /* status and body are there */
};

/* The longest wait that a service can ask for. */
#define MFA_RETRY_AFTER_MAX_S 86400

/* The service's answer; borrowed until the callback returns. */
struct mfa_gateway_answer {
    enum mfa_delivery delivery;
    int http_status;  /* 0 unless answered; a redirect is an answer */
    const char *body; /* NUL-terminated, and may hold NULs; never NULL */
    size_t body_len;
    uint32_t retry_after_s; /* from a Retry-After header; 0: none */
    const char *reason;     /* static phrase for the log: why there is no answer; never NULL, quotes nothing */
    bool was_never_sent;    /* certainly: no connection had come about; false: the service may have the request */

    /* Finds the value of a header, whatever the case of its name; borrowed until the next call. NULL: it is not there, or more
     * than once. The function is NULL where there are no headers. */
    const char *(*header)(const struct mfa_gateway_answer *answer, const char *name);
    void *header_ctx; /* the function's own */
};

/* Receives the answer, exactly once, on the gateway's thread, which it must not keep waiting. */
typedef void mfa_gateway_done_fn(void *arg, const struct mfa_gateway_answer *answer);

/* The communication service. */
struct mfa_gateway_port {
    void *ctx;

    /* Sends `request` and calls `done(arg, ...)` on another thread, possibly before this returns.
     * `request` is transferred when, and only when, this returns MFA_OK.
     * MFA_OK; MFA_ERR_FULL: too many in flight; MFA_ERR_STOPPING; MFA_ERR_MEMORY: `done` is not called. */
    enum mfa_status (*submit)(void *ctx, struct mfa_http_request *request, mfa_gateway_done_fn *done, void *arg);
};

#endif
