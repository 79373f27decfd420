/* SPDX-License-Identifier: Apache-2.0
 *
 * How a request ends. A flow decides on an outcome, which is data; the one table in mfa_reply.c turns outcomes into HTTP.
 */
#ifndef MFA_REPLY_H
#define MFA_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mfa_buffer.h"
#include "mfa_recovery.h"
#include "mfa_status.h"

/* What the host is told to do. 0 denies. */
enum mfa_decision {
    MFA_DENY,      /* an error; nothing is released */
    MFA_ALLOW,     /* login: no objection */
    MFA_CHALLENGE, /* login: withheld until verified */
    MFA_ANSWER,    /* a route's success */
    MFA_RELEASE,   /* the login that was withheld */
};

/* 0 is a failure of ours, so that an outcome nobody decided on denies. The comment names the payload of the reply. */
enum mfa_outcome {
    MFA_OUTCOME_INTERNAL = 0,
    MFA_OUTCOME_DISABLED,
    MFA_OUTCOME_NO_TOKEN,
    MFA_OUTCOME_BAD_TOKEN,
    MFA_OUTCOME_BAD_BODY,
    MFA_OUTCOME_BAD_PARAMETER, /* path, detail */
    MFA_OUTCOME_WRONG_CODE,    /* attempts_left */
    MFA_OUTCOME_EXPIRED_CODE,
    MFA_OUTCOME_ATTEMPTS_USED_UP,
    MFA_OUTCOME_THROTTLED,        /* retry_after_s */
    MFA_OUTCOME_TOO_MANY_PENDING, /* retry_after_s */
    MFA_OUTCOME_STOPPED,
    MFA_OUTCOME_STEP_UP_NEEDED,
    MFA_OUTCOME_BAD_STEP_UP,
    MFA_OUTCOME_PROVIDER_ERROR,
    MFA_OUTCOME_PROVIDER_TIMEOUT,
    MFA_OUTCOME_QUEUE_FULL, /* retry_after_s */
    MFA_OUTCOME_BAD_CREDENTIALS,
    MFA_OUTCOME_BAD_RECOVERY_CODE,
    MFA_OUTCOME_NOT_ACTIVE,
    MFA_OUTCOME_OTHER_USERNAME,

    MFA_OUTCOME_ALLOWED,
    MFA_OUTCOME_CHALLENGED,                   /* token */
    MFA_OUTCOME_CHALLENGE_DELAYED,            /* token, retry_after_s */
    MFA_OUTCOME_ACTIVATION_OPENED,            /* token */
    MFA_OUTCOME_ACTIVATION_OPENED_IN_BROWSER, /* token */
    MFA_OUTCOME_ENROLLED,                     /* recovery_codes */
    MFA_OUTCOME_REPLACED,                     /* recovery_codes */
    MFA_OUTCOME_RECOVERY_CODES_RENEWED,       /* recovery_codes */
    MFA_OUTCOME_CHALLENGE_SENT,
    MFA_OUTCOME_VERIFIED, /* grant */
    MFA_OUTCOME_DEACTIVATED,
    MFA_OUTCOME_STATUS, /* enrolment */
    MFA_OUTCOME_RESET,

    MFA_OUTCOME_COUNT,
    MFA_OUTCOME_PENDING = MFA_OUTCOME_COUNT, /* not decided yet: never in a reply */
};

/* What GET /mfa tells. */
struct mfa_enrolment_view {
    bool is_active;
    const char *mode;
    const char *hint; /* masked destination; empty: none */
    size_t recovery_codes_left;
    double confirmed_at; /* seconds since 1970; negative: not known */
};

/* An outcome and its payload, all borrowed. */
struct mfa_reply {
    enum mfa_outcome outcome;
    uint32_t attempts_left;
    uint32_t retry_after_s;
    const char *path;   /* JSON pointer of the parameter: "#/code" */
    const char *detail; /* what is wrong with it */
    const char *token_secret;
    const struct mfa_recovery_codes *recovery_codes_secret;
    const char *grant_secret;
    size_t grant_len;
    const struct mfa_enrolment_view *enrolment;
};

/* A reply as HTTP. Released with mfa_http_reply_clear. */
struct mfa_http_reply {
    enum mfa_decision decision;
    uint32_t status;        /* 0 for MFA_ALLOW and MFA_RELEASE */
    struct mfa_buffer body; /* JSON object; empty: none */
    char retry_after[16];   /* value of the Retry-After header; empty: none */
};

/* Turns a reply into HTTP. Returns MFA_OK; anything else: `*out` is a denial with status 500 and
 * no body. */
MFA_MUST_CHECK enum mfa_status mfa_reply_render(const struct mfa_reply *reply, struct mfa_http_reply *out);

/* Wipes and frees. Accepts a zeroed struct. */
void mfa_http_reply_clear(struct mfa_http_reply *reply);

/* Names an outcome for the log: "wrong-code". Static. */
const char *mfa_outcome_name(enum mfa_outcome outcome);

#endif
