/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers of the policy: defaults and the range an operator may choose from. The configuration fills in the struct;
 * the constants at the end are fixed.
 *
 * Sources: NIST SP 800-63B-4 sections 3.1.2 (look-up secrets), 3.1.3 (out-of-band) and 3.2.2 (throttling);
 * OWASP ASVS 5.0 chapter 6.
 */
#ifndef MFA_POLICY_H
#define MFA_POLICY_H

#include <stddef.h>
#include <stdint.h>

struct mfa_policy {
    uint32_t session_ttl_s;            /* sessions.ttlSeconds; fixed when the session opens */
    uint32_t max_pending;              /* sessions.maxPending; 0: no limit */
    uint32_t max_pending_per_user;     /* sessions.maxPendingPerUser; 0: no limit */
    uint32_t code_length;              /* sms.codeLength, decimal digits */
    uint32_t code_ttl_s;               /* sms.codeTtlSeconds; 0: as long as the session */
    uint32_t accept_previous_codes;    /* sms.acceptPreviousCodes, 0 or 1 */
    uint32_t attempts_per_session;     /* attempts.perSession; 0: no limit */
    uint32_t attempts_max_consecutive; /* attempts.maxConsecutive, failures without a success; 0: no limit */
    uint32_t backoff_free_failures;    /* attempts.backoff.freeFailures: what delays nothing */
    uint32_t backoff_base_s;      /* attempts.backoff.baseSeconds: the first delay, doubled by each failure; 0: none */
    uint32_t backoff_max_s;       /* attempts.backoff.maxSeconds: the longest delay */
    uint32_t backoff_window_s;    /* attempts.perAccountWindowSeconds: quiet time after which the delays start anew */
    uint32_t resend_interval_s;   /* sms.sendLimits.minIntervalSeconds, on one session; 0: none */
    uint32_t sends_per_user_hour; /* sms.sendLimits.perUserPerHour; 0: no limit */
    uint32_t sends_per_destination_day; /* sms.sendLimits.perDestinationPerDay; 0: no limit */
    uint32_t sends_per_day;             /* sms.sendLimits.perDay, of the whole process; 0: no limit */
    uint32_t gateway_max_in_flight;     /* gateway.maxInFlight */
    uint32_t gateway_max_per_host;      /* gateway.maxPerHost, connections; 0: no limit */
};

/* One configurable number: its key, where it goes, and what it may be. */
struct mfa_policy_limit {
    const char *key; /* below the section: "sessions.ttlSeconds" */
    size_t offset;   /* of its uint32_t member in the struct it belongs to */
    uint32_t fallback;
    uint32_t min; /* lowest value; 0 besides it when zero_means says so */
    uint32_t max;
    const char
        *zero_means; /* 0 switches the limit off, and this follows "0:" in the warning at start; NULL: it does not */
};

/* Stores a number in its member of `object`. */
void mfa_limit_set(const struct mfa_policy_limit *limit, void *object, uint32_t value);

/* Every configurable number of struct mfa_policy. Static. */
extern const struct mfa_policy_limit mfa_policy_limits[];
extern const size_t mfa_policy_limit_count;

/* Sets every number to its default. */
void mfa_policy_init(struct mfa_policy *policy);

/* User data: what a client may store at activation. */
#define MFA_USER_DATA_MAX_KEYS 32
#define MFA_USER_DATA_MAX_LEN 4096 /* bytes, keys and values */
#define MFA_USER_DATA_KEY_MAX_LEN 64

/* Request bodies. */
#define MFA_BODY_MAX_LEN 16384
#define MFA_BODY_MAX_DEPTH 32

/* Codes: in challenge-verify the service makes them, 4 to 10 letters or digits. */
#define MFA_CODE_MIN_LEN 4
#define MFA_CODE_MAX_LEN 10

#define MFA_RECOVERY_CODE_COUNT 10

/* Highest limit of messages to one user or destination. */
#define MFA_SENDS_MAX 1000

/* Most bytes of a gateway's answer that are read. */
#define MFA_GATEWAY_ANSWER_MAX_LEN 65536

#endif
