/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_policy.h"

#include <string.h>

#define MEMBER(name) offsetof(struct mfa_policy, name)

/* clang-format off */
const struct mfa_policy_limit mfa_policy_limits[] = {
    /* key                        member                         fallback  min  max       what 0 means */
    {"sessions.ttlSeconds",       MEMBER(session_ttl_s),         1800,     1,   86400,    NULL},
    {"sessions.maxPending",       MEMBER(max_pending),           100000,   1,   10000000,
     "the number of pending sessions has no limit"},
    {"sessions.maxPendingPerUser", MEMBER(max_pending_per_user), 10,       1,   1000,
     "the number of pending sessions of one user has no limit"},
    {"sms.codeLength",            MEMBER(code_length),           6,        4,   10,       NULL},
    {"sms.codeTtlSeconds",        MEMBER(code_ttl_s),            600,      1,   600,
     "a code stays good as long as its session (NIST SP 800-63B-4, 3.1.3 asks for at most 10 minutes)"},
    {"sms.acceptPreviousCodes",   MEMBER(accept_previous_codes), 1,        0,   1,        NULL},
    {"attempts.perSession",       MEMBER(attempts_per_session),  5,        1,   100,
     "wrong codes are not counted, so a session can be guessed at for as long as it lives"},
    {"attempts.maxConsecutive",   MEMBER(attempts_max_consecutive), 100,   1,   1000,
     "the factor never stops, however often it fails (NIST SP 800-63B-4, 3.2.2 asks for at most 100 times)"},
    {"attempts.backoff.freeFailures", MEMBER(backoff_free_failures), 3,    0,   100,      NULL},
    {"attempts.backoff.baseSeconds", MEMBER(backoff_base_s),     2,        1,   3600,
     "failures delay nothing, so codes can be guessed as fast as the server answers"},
    {"attempts.backoff.maxSeconds", MEMBER(backoff_max_s),       300,      1,   86400,    NULL},
    {"attempts.perAccountWindowSeconds", MEMBER(backoff_window_s), 900,    1,   86400,    NULL},
    {"sms.sendLimits.minIntervalSeconds", MEMBER(resend_interval_s), 30,   1,   3600,
     "a client may ask for one message after the other"},
    {"sms.sendLimits.perUserPerHour", MEMBER(sends_per_user_hour), 10,     1,   MFA_SENDS_MAX,
     "the number of messages to one user has no limit"},
    {"sms.sendLimits.perDestinationPerDay", MEMBER(sends_per_destination_day), 20, 1, MFA_SENDS_MAX,
     "the number of messages to one destination has no limit, whoever asks for them"},
    {"sms.sendLimits.perDay",     MEMBER(sends_per_day),         0,        0,   1000000,  NULL},
    {"gateway.maxInFlight",       MEMBER(gateway_max_in_flight), 4000,     1,   100000,   NULL},
    {"gateway.maxPerHost",        MEMBER(gateway_max_per_host),  512,      1,   65535,
     "the number of connections to one host has no limit"},
};
/* clang-format on */

const size_t mfa_policy_limit_count = sizeof mfa_policy_limits / sizeof mfa_policy_limits[0];

void mfa_limit_set(const struct mfa_policy_limit *limit, void *object, uint32_t value)
{
    memcpy((char *)object + limit->offset, &value, sizeof value);
}

void mfa_policy_init(struct mfa_policy *policy)
{
    for (size_t i = 0; i < mfa_policy_limit_count; i++)
        mfa_limit_set(&mfa_policy_limits[i], policy, mfa_policy_limits[i].fallback);
}
