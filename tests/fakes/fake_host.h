/* SPDX-License-Identifier: Apache-2.0
 *
 * A host in memory: a clock that starts at an odd value, can fail and can jump; a store of one field per user that can
 * answer CONFLICT or fail; passwords; and a record of what was logged and completed.
 *
 * Threads: the flows' workers call in from their own; `mutex` guards everything below it.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mfa_ports.h"
#include "mfa_reply.h"

#define FAKE_MAX_USERS 8
#define FAKE_MAX_CALLS 256
#define FAKE_LOG_SIZE 65536

struct fake_record {
    char *text; /* NULL: none */
    uint64_t version;
};

struct fake_user {
    char user_id[64];
    struct fake_record records[2]; /* by enum mfa_record */
};

/* A completed call: the reply as HTTP. */
struct fake_completion {
    uint64_t call;
    unsigned count; /* how often it was completed; anything but 1 is a defect */
    enum mfa_outcome outcome;
    struct mfa_http_reply http;
    char grant[64];
};

struct fake_host {
    pthread_mutex_t mutex;
    pthread_cond_t completed; /* a call was, or a password came to wait or was let go */
    uint64_t monotonic_ms;
    uint64_t patience_ms; /* how long it waits for an answer */
    int64_t wall_ms;
    uint64_t next_version;
    uint64_t random_state;
    struct fake_user users[FAKE_MAX_USERS];
    struct fake_completion completions[FAKE_MAX_CALLS];
    size_t completion_count;
    char log[FAKE_LOG_SIZE];
    /* What shall go wrong. */
    bool clock_fails, wall_clock_fails, random_fails, load_fails, store_fails, is_cancelled;
    bool password_check_is_busy, password_check_fails;
    bool passwords_wait;         /* until fake_host_let_passwords_go */
    unsigned conflicts;          /* this many stores answer CONFLICT first */
    const unsigned char *script; /* these bytes are drawn first, then random ones */
    size_t script_len;
    /* What was done. */
    unsigned loads, stores;
    unsigned waiting_passwords;
};

void fake_host_init(struct fake_host *host);
void fake_host_clear(struct fake_host *host);
struct mfa_host_port fake_host_port(struct fake_host *host);

/* Stores a record as other software would; NULL removes it. The profile is the enrolment. */
void fake_host_set_record(struct fake_host *host, enum mfa_record record, const char *user_id, const char *text);
void fake_host_set_profile(struct fake_host *host, const char *user_id, const char *text);

/* The stored text, or NULL; owned by the caller, released with free. */
char *fake_host_record(struct fake_host *host, enum mfa_record record, const char *user_id);
char *fake_host_profile(struct fake_host *host, const char *user_id);

void fake_host_advance(struct fake_host *host, uint64_t ms);

/* Makes both clocks fail, or work again, while other threads look at them. */
void fake_host_fail_clock(struct fake_host *host, bool fails);

/* Waits until the call has been completed and returns how; fails the test after ten seconds, or when it was completed more
 * than once. Borrowed until the host is cleared. */
const struct fake_completion *fake_host_wait(struct fake_host *host, uint64_t call);

/* Waits until so many password checks wait, and fails the test after ten seconds / lets them all go. */
void fake_host_await_passwords(struct fake_host *host, unsigned count);
void fake_host_let_passwords_go(struct fake_host *host);

/* The right password of every user. */
#define FAKE_PASSWORD "correct horse"

#endif
