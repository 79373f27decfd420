/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* uthash must report a failed allocation, not end the host's process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

/* One account. There is an entry for whoever tries a code, which takes a password or a personal token. */
struct account {
    UT_hash_handle hh; /* by user_id */
    struct account *prev, *next;
    uint32_t consecutive;
    uint32_t recent;
    uint64_t until_ms;             /* no attempt before; monotonic; 0: at any time */
    uint64_t until_before_last_ms; /* what it was before the last attempt */
    uint64_t last_used_ms;         /* monotonic */
    bool is_stored;                /* the profile has a tally */
    char user_id[];
};

struct mfa_throttle {
    pthread_mutex_t mutex; /* guards all below */
    struct mfa_policy policy;
    struct account *accounts;
    struct account *by_use; /* the same, least recently used first */
};

enum mfa_status mfa_throttle_new(struct mfa_throttle **out, const struct mfa_policy *policy)
{
    struct mfa_throttle *throttle = calloc(1, sizeof *throttle);

    *out = NULL;
    if (throttle == NULL)
        return MFA_ERR_MEMORY;
    throttle->policy = *policy;
    pthread_mutex_init(&throttle->mutex, NULL); /* with default attributes it cannot fail on Linux */
    *out = throttle;
    return MFA_OK;
}

void mfa_throttle_set_policy(struct mfa_throttle *throttle, const struct mfa_policy *policy)
{
    pthread_mutex_lock(&throttle->mutex);
    throttle->policy = *policy;
    pthread_mutex_unlock(&throttle->mutex);
}

static void drop(struct mfa_throttle *throttle, struct account *account)
{
    HASH_DEL(throttle->accounts, account);
    DL_DELETE(throttle->by_use, account);
    free(account);
}

void mfa_throttle_free(struct mfa_throttle *throttle)
{
    if (throttle == NULL)
        return;
    while (throttle->accounts != NULL)
        drop(throttle, throttle->accounts);
    pthread_mutex_destroy(&throttle->mutex);
    free(throttle);
}

/* --- One account; all with the mutex held ------------------------------------------------------------------------- */

static struct account *find(struct mfa_throttle *throttle, const char *user_id)
{
    struct account *account = NULL;

    HASH_FIND_STR(throttle->accounts, user_id, account);
    return account;
}

static struct account *add(struct mfa_throttle *throttle, const char *user_id, uint64_t now_ms)
{
    size_t size = sizeof(struct account) + strlen(user_id) + 1;
    struct account *account = calloc(1, size);

    if (account == NULL)
        return NULL;
    account->last_used_ms = now_ms;
    memcpy(account->user_id, user_id, size - sizeof *account);
    HASH_ADD_STR(throttle->accounts, user_id, account);
    if (account->hh.tbl == NULL) {
        free(account);
        return NULL;
    }
    DL_APPEND(throttle->by_use, account);
    return account;
}

/* The delay behind the last of `recent` failures: base, 2 * base, 4 * base, ... up to the maximum. */
static uint64_t delay_ms(const struct mfa_policy *policy, uint32_t recent)
{
    uint64_t delay_s = policy->backoff_base_s;

    if (delay_s == 0 || recent <= policy->backoff_free_failures)
        return 0;
    for (uint32_t i = policy->backoff_free_failures + 1; i < recent && delay_s < policy->backoff_max_s; i++)
        delay_s *= 2;
    return 1000 * (delay_s < policy->backoff_max_s ? delay_s : policy->backoff_max_s);
}

static bool is_stopped(const struct mfa_policy *policy, const struct account *account)
{
    return policy->attempts_max_consecutive > 0 && account->consecutive >= policy->attempts_max_consecutive;
}

/* How long nobody has tried. A flow that waited in a queue may be older than the last attempt. */
static uint64_t idle_ms(const struct account *account, uint64_t now_ms)
{
    return now_ms > account->last_used_ms ? now_ms - account->last_used_ms : 0;
}

static void count_failure(const struct mfa_policy *policy, struct account *account, uint64_t now_ms)
{
    uint64_t delay = 0;

    if (idle_ms(account, now_ms) > (uint64_t)policy->backoff_window_s * 1000)
        account->recent = 0;
    account->consecutive += account->consecutive < INT32_MAX;
    account->recent += account->recent < INT32_MAX;
    if (now_ms > account->last_used_ms)
        account->last_used_ms = now_ms;
    delay = delay_ms(policy, account->recent);
    account->until_before_last_ms = account->until_ms;
    account->until_ms = delay > 0 ? now_ms + delay : 0;
}

/* --- The table ---------------------------------------------------------------------------------------------------- */

bool mfa_throttle_knows(struct mfa_throttle *throttle, const char *user_id)
{
    bool is_known = false;

    pthread_mutex_lock(&throttle->mutex);
    is_known = find(throttle, user_id) != NULL;
    pthread_mutex_unlock(&throttle->mutex);
    return is_known;
}

static void raise_to(const struct mfa_policy *policy, struct account *account, const struct mfa_tally *tally,
                     uint64_t now_ms, int64_t wall_ms)
{
    /* A wall clock that went back shows no time as passed. */
    uint64_t passed_ms = wall_ms > tally->last_wall_ms ? (uint64_t)(wall_ms - tally->last_wall_ms) : 0;
    bool is_recent = passed_ms <= (uint64_t)policy->backoff_window_s * 1000;
    uint64_t left_ms = delay_ms(policy, is_recent ? tally->recent : 0);

    left_ms = left_ms > passed_ms ? left_ms - passed_ms : 0;
    if (tally->consecutive > account->consecutive)
        account->consecutive = tally->consecutive;
    if (is_recent && tally->recent > account->recent)
        account->recent = tally->recent;
    if (left_ms > 0 && now_ms + left_ms > account->until_ms)
        account->until_ms = now_ms + left_ms;
    account->is_stored = account->is_stored || tally->consecutive > 0;
}

enum mfa_status mfa_throttle_learn(struct mfa_throttle *throttle, const char *user_id, const struct mfa_tally *tally,
                                   uint64_t now_ms, int64_t wall_ms)
{
    struct account *account = NULL;

    pthread_mutex_lock(&throttle->mutex);
    account = find(throttle, user_id);
    if (account == NULL)
        account = add(throttle, user_id, now_ms);
    if (account != NULL)
        raise_to(&throttle->policy, account, tally, now_ms, wall_ms);
    pthread_mutex_unlock(&throttle->mutex);
    return account != NULL ? MFA_OK : MFA_ERR_MEMORY;
}

bool mfa_throttle_is_stopped(struct mfa_throttle *throttle, const char *user_id)
{
    const struct account *account = NULL;
    bool stopped = false;

    pthread_mutex_lock(&throttle->mutex);
    account = find(throttle, user_id);
    stopped = account != NULL && is_stopped(&throttle->policy, account);
    pthread_mutex_unlock(&throttle->mutex);
    return stopped;
}

bool mfa_throttle_is_stored(struct mfa_throttle *throttle, const char *user_id)
{
    const struct account *account = NULL;
    bool is_stored = false;

    pthread_mutex_lock(&throttle->mutex);
    account = find(throttle, user_id);
    is_stored = account != NULL && account->is_stored;
    pthread_mutex_unlock(&throttle->mutex);
    return is_stored;
}

static enum mfa_status reserve(const struct mfa_policy *policy, struct account *account, uint64_t now_ms,
                               bool may_be_stopped, uint32_t *retry_after_s)
{
    if (!may_be_stopped && is_stopped(policy, account))
        return MFA_ERR_DENIED;
    if (now_ms < account->until_ms) {
        *retry_after_s = (uint32_t)((account->until_ms - now_ms + 999) / 1000);
        return MFA_ERR_FULL;
    }
    count_failure(policy, account, now_ms);
    return MFA_OK;
}

enum mfa_status mfa_throttle_reserve(struct mfa_throttle *throttle, const char *user_id, uint64_t now_ms,
                                     bool may_be_stopped, uint32_t *retry_after_s)
{
    struct account *account = NULL;
    enum mfa_status status = MFA_ERR_NOT_FOUND;

    *retry_after_s = 0;
    pthread_mutex_lock(&throttle->mutex);
    account = find(throttle, user_id);
    if (account != NULL) {
        status = reserve(&throttle->policy, account, now_ms, may_be_stopped, retry_after_s);
        DL_DELETE(throttle->by_use, account);
        DL_APPEND(throttle->by_use, account);
    }
    pthread_mutex_unlock(&throttle->mutex);
    return status;
}

void mfa_throttle_return(struct mfa_throttle *throttle, const char *user_id, uint64_t reserved_ms)
{
    struct account *account = NULL;

    pthread_mutex_lock(&throttle->mutex);
    account = find(throttle, user_id);
    if (account != NULL && account->consecutive > 0 && account->recent > 0) {
        account->consecutive--;
        account->recent--;
        /* The delay goes too, unless another attempt has been made since. */
        if (account->last_used_ms == reserved_ms)
            account->until_ms = account->until_before_last_ms;
    }
    pthread_mutex_unlock(&throttle->mutex);
}

bool mfa_throttle_clear(struct mfa_throttle *throttle, const char *user_id)
{
    struct account *account = NULL;
    bool was_stored = false;

    pthread_mutex_lock(&throttle->mutex);
    account = find(throttle, user_id);
    if (account != NULL) {
        was_stored = account->is_stored;
        drop(throttle, account);
    }
    pthread_mutex_unlock(&throttle->mutex);
    return was_stored;
}

void mfa_throttle_expire(struct mfa_throttle *throttle, uint64_t now_ms)
{
    const struct mfa_policy *policy = &throttle->policy;
    uint64_t kept_s = 0;

    pthread_mutex_lock(&throttle->mutex);
    kept_s = policy->backoff_window_s > policy->backoff_max_s ? policy->backoff_window_s : policy->backoff_max_s;
    while (throttle->by_use != NULL && idle_ms(throttle->by_use, now_ms) > kept_s * 1000)
        drop(throttle, throttle->by_use);
    pthread_mutex_unlock(&throttle->mutex);
}
