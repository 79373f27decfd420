/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_send_limits.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_buffer.h"
#include "mfa_send_store.h"

#define HOUR_S 3600
#define DAY_S 86400
#define FULL_WAIT_S 60
#define EXPIRE_PER_STEP 256
/* How often another process may write a counter between our load and save. */
#define MAX_TRIES 4

struct mfa_send_limits {
    struct mfa_host_port host;
    struct mfa_kv_port kv;
    int64_t wall_offset_ms; /* what to add to the monotonic time */
    unsigned char hash_secret[MFA_SEND_KEY_LEN];
    bool has_failed;       /* the last write; the writer's own */
    pthread_mutex_t mutex; /* guards all below, and every counter in the tables */
    struct mfa_counters tables[MFA_SEND_COUNTERS];
    struct mfa_limiter per_day; /* its limit is 0: off */
};

/* --- Beginning and end ------------------------------------------------------------------------------------------ */

static enum mfa_status read_clocks(struct mfa_send_limits *limits)
{
    const struct mfa_host_port *host = &limits->host;
    uint64_t monotonic_ms = 0;
    int64_t wall_ms = 0;

    if (host->monotonic_ms(host->ctx, &monotonic_ms) != MFA_OK || host->wall_ms(host->ctx, &wall_ms) != MFA_OK ||
        monotonic_ms > INT64_MAX / 2 || wall_ms < 0)
        return MFA_ERR_INTERNAL;
    limits->wall_offset_ms = wall_ms - (int64_t)monotonic_ms;
    return MFA_OK;
}

static enum mfa_status read_key(struct mfa_send_limits *limits)
{
    const struct mfa_host_port *host = &limits->host;
    enum mfa_status status = mfa_send_store_key(&limits->kv, host, limits->hash_secret);

    if (status != MFA_OK)
        host->log(host->ctx, MFA_LOG_ERROR, "the key of the send limits cannot be read or stored");
    else if (limits->kv.get == NULL)
        host->log(host->ctx, MFA_LOG_WARN,
                  "the host has no key-value table: a restart forgets how many messages were sent");
    return status;
}

static enum mfa_status set_per_day(struct mfa_limiter *per_day, uint32_t limit)
{
    if (limit == 0)
        mfa_limiter_clear(per_day);
    if (limit == per_day->limit)
        return MFA_OK;
    return per_day->limit == 0 ? mfa_limiter_init(per_day, limit, DAY_S) : mfa_limiter_set_limit(per_day, limit);
}

static enum mfa_status set_up(struct mfa_send_limits *limits, const struct mfa_policy *policy)
{
    bool is_stored = limits->kv.get != NULL;
    enum mfa_status status = read_clocks(limits);

    limits->tables[MFA_SEND_PER_USER] = (struct mfa_counters){.limit = policy->sends_per_user_hour,
                                                              .window_s = HOUR_S,
                                                              .max_count = MFA_SEND_COUNTERS_MAX,
                                                              .is_stored = is_stored};
    limits->tables[MFA_SEND_PER_DESTINATION] = (struct mfa_counters){.limit = policy->sends_per_destination_day,
                                                                     .window_s = DAY_S,
                                                                     .max_count = MFA_SEND_COUNTERS_MAX,
                                                                     .is_stored = is_stored};
    if (status == MFA_OK)
        status = read_key(limits);
    if (status == MFA_OK)
        status = set_per_day(&limits->per_day, policy->sends_per_day);
    return status;
}

enum mfa_status mfa_send_limits_new(struct mfa_send_limits **out, const struct mfa_host_port *host,
                                    const struct mfa_kv_port *kv, const struct mfa_policy *policy)
{
    struct mfa_send_limits *limits = calloc(1, sizeof *limits);
    enum mfa_status status = MFA_ERR_INTERNAL;

    *out = NULL;
    if (limits == NULL)
        return MFA_ERR_MEMORY;
    limits->host = *host;
    limits->kv = *kv;
    pthread_mutex_init(&limits->mutex, NULL); /* with default attributes it cannot fail on Linux */
    status = set_up(limits, policy);
    if (status == MFA_OK)
        *out = limits;
    else
        mfa_send_limits_free(limits);
    return status;
}

enum mfa_status mfa_send_limits_set_policy(struct mfa_send_limits *limits, const struct mfa_policy *policy)
{
    enum mfa_status status = MFA_ERR_MEMORY;

    pthread_mutex_lock(&limits->mutex);
    status = set_per_day(&limits->per_day, policy->sends_per_day);
    if (status == MFA_OK) {
        limits->tables[MFA_SEND_PER_USER].limit = policy->sends_per_user_hour;
        limits->tables[MFA_SEND_PER_DESTINATION].limit = policy->sends_per_destination_day;
    }
    pthread_mutex_unlock(&limits->mutex);
    return status;
}

void mfa_send_limits_free(struct mfa_send_limits *limits)
{
    if (limits == NULL)
        return;
    for (size_t i = 0; i < MFA_SEND_COUNTERS; i++)
        mfa_counters_clear(&limits->tables[i]);
    mfa_limiter_clear(&limits->per_day);
    pthread_mutex_destroy(&limits->mutex);
    mfa_secret_free(limits, sizeof *limits);
}

/* --- Time and names --------------------------------------------------------------------------------------------- */

static uint32_t wall_s(const struct mfa_send_limits *limits, uint64_t now_ms)
{
    int64_t s = now_ms <= INT64_MAX / 2 ? ((int64_t)now_ms + limits->wall_offset_ms) / 1000 : INT64_MAX;

    if (s < 0)
        return 0;
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static void hash_name(const struct mfa_send_limits *limits, char what, const char *name,
                      unsigned char key[static MFA_COUNTER_KEY_LEN])
{
    crypto_generichash_state state;
    const unsigned char prefix[] = {(unsigned char)what, ':'};

    crypto_generichash_init(&state, limits->hash_secret, sizeof limits->hash_secret, MFA_COUNTER_KEY_LEN);
    crypto_generichash_update(&state, prefix, sizeof prefix);
    crypto_generichash_update(&state, (const unsigned char *)name, strlen(name));
    crypto_generichash_final(&state, key, MFA_COUNTER_KEY_LEN);
    sodium_memzero(&state, sizeof state);
}

/* --- Counters that are not here yet ----------------------------------------------------------------------------- */

/* Joins what is stored of a counter, which is in no table or pinned, with what is known here. */
static enum mfa_status learn(struct mfa_send_limits *limits, struct mfa_counter *counter, uint32_t now_s)
{
    struct mfa_send_record record;
    enum mfa_status status = mfa_send_store_load(&limits->kv, counter->key, &record);

    if (status != MFA_OK)
        return status;
    pthread_mutex_lock(&limits->mutex);
    counter->version = record.version;
    status = mfa_limiter_merge(&counter->limiter, now_s, record.at_s, record.count);
    pthread_mutex_unlock(&limits->mutex);
    return status;
}

static uint32_t limit_of(struct mfa_send_limits *limits, const struct mfa_counters *table)
{
    uint32_t limit = 0;

    pthread_mutex_lock(&limits->mutex);
    limit = table->limit;
    pthread_mutex_unlock(&limits->mutex);
    return limit;
}

static struct mfa_counter *pin_known(struct mfa_send_limits *limits, struct mfa_counters *table,
                                     const unsigned char key[static MFA_COUNTER_KEY_LEN])
{
    struct mfa_counter *counter = NULL;

    pthread_mutex_lock(&limits->mutex);
    counter = mfa_counters_use(table, key);
    if (counter != NULL)
        counter->pins++;
    pthread_mutex_unlock(&limits->mutex);
    return counter;
}

static enum mfa_status pin_learnt(struct mfa_send_limits *limits, struct mfa_counters *table, uint32_t limit,
                                  const unsigned char key[static MFA_COUNTER_KEY_LEN], uint32_t now_s,
                                  struct mfa_counter **out)
{
    struct mfa_counter *fresh = mfa_counter_new(key, limit, table->window_s);
    enum mfa_status status = fresh != NULL ? learn(limits, fresh, now_s) : MFA_ERR_MEMORY;

    pthread_mutex_lock(&limits->mutex);
    *out = mfa_counters_use(table, key); /* another thread may have been faster */
    if (*out == NULL && status == MFA_OK) {
        status = mfa_counters_add(table, fresh, now_s);
        if (status == MFA_OK) {
            *out = fresh;
            fresh = NULL; /* transferred */
        }
    }
    if (*out != NULL) {
        status = MFA_OK;
        (*out)->pins++;
    }
    pthread_mutex_unlock(&limits->mutex);
    mfa_counter_free(fresh);
    return status;
}

/* Finds or makes both counters, and keeps them where they are; one that is switched off is NULL. */
static enum mfa_status pin(struct mfa_send_limits *limits, const struct mfa_send_reservation *reservation,
                           struct mfa_counter *counters[static MFA_SEND_COUNTERS])
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < MFA_SEND_COUNTERS && status == MFA_OK; i++) {
        struct mfa_counters *table = &limits->tables[i];
        uint32_t limit = limit_of(limits, table);
        if (limit == 0)
            continue;
        counters[i] = pin_known(limits, table, reservation->keys[i]);
        if (counters[i] == NULL)
            status = pin_learnt(limits, table, limit, reservation->keys[i], reservation->at_s, &counters[i]);
    }
    return status;
}

static void unpin(struct mfa_counter *counters[static MFA_SEND_COUNTERS])
{
    for (size_t i = 0; i < MFA_SEND_COUNTERS; i++)
        if (counters[i] != NULL)
            counters[i]->pins--;
}

/* --- Reserving -------------------------------------------------------------------------------------------------- */

static enum mfa_status fit(const struct mfa_send_limits *limits, struct mfa_counter *counters[static MFA_SEND_COUNTERS])
{
    enum mfa_status status = MFA_OK;

    for (size_t i = 0; i < MFA_SEND_COUNTERS && status == MFA_OK; i++)
        if (counters[i] != NULL)
            status = mfa_counters_fit(&limits->tables[i], counters[i]);
    return status;
}

static uint32_t longest_wait_s(struct mfa_send_limits *limits, struct mfa_counter *counters[static MFA_SEND_COUNTERS],
                               uint32_t now_s)
{
    uint32_t longest_s = limits->per_day.limit > 0 ? mfa_limiter_wait_s(&limits->per_day, now_s) : 0;

    for (size_t i = 0; i < MFA_SEND_COUNTERS; i++) {
        uint32_t wait_s = counters[i] != NULL ? mfa_limiter_wait_s(&counters[i]->limiter, now_s) : 0;
        if (wait_s > longest_s)
            longest_s = wait_s;
    }
    return longest_s;
}

static void book(struct mfa_send_limits *limits, struct mfa_counter *counters[static MFA_SEND_COUNTERS], uint32_t now_s)
{
    if (limits->per_day.limit > 0)
        mfa_limiter_add(&limits->per_day, now_s);
    for (size_t i = 0; i < MFA_SEND_COUNTERS; i++) {
        if (counters[i] == NULL)
            continue;
        mfa_limiter_add(&counters[i]->limiter, now_s);
        mfa_counters_note_change(&limits->tables[i], counters[i]);
    }
}

enum mfa_status mfa_send_limits_reserve(struct mfa_send_limits *limits, uint64_t now_ms, const char *user_id,
                                        const char *destination, struct mfa_send_reservation *out, uint32_t *wait_s)
{
    struct mfa_counter *counters[MFA_SEND_COUNTERS] = {NULL};
    enum mfa_status status = MFA_ERR_INTERNAL;

    out->at_s = wall_s(limits, now_ms);
    hash_name(limits, 'u', user_id, out->keys[MFA_SEND_PER_USER]);
    hash_name(limits, destination != NULL ? 'd' : 'n', destination != NULL ? destination : user_id,
              out->keys[MFA_SEND_PER_DESTINATION]);
    status = pin(limits, out, counters);
    *wait_s = status == MFA_ERR_FULL ? FULL_WAIT_S : 0;
    pthread_mutex_lock(&limits->mutex);
    if (status == MFA_OK)
        status = fit(limits, counters);
    if (status == MFA_OK)
        *wait_s = longest_wait_s(limits, counters, out->at_s);
    if (status == MFA_OK && *wait_s > 0)
        status = MFA_ERR_FULL;
    if (status == MFA_OK)
        book(limits, counters, out->at_s);
    unpin(counters);
    pthread_mutex_unlock(&limits->mutex);
    return status;
}

void mfa_send_limits_give_back(struct mfa_send_limits *limits, const struct mfa_send_reservation *reservation)
{
    pthread_mutex_lock(&limits->mutex);
    if (limits->per_day.limit > 0)
        mfa_limiter_take_back(&limits->per_day, reservation->at_s);
    for (size_t i = 0; i < MFA_SEND_COUNTERS; i++) {
        struct mfa_counter *counter = mfa_counters_use(&limits->tables[i], reservation->keys[i]);
        if (counter == NULL)
            continue; /* off, or it had to make room: the message stays counted in the store */
        mfa_limiter_take_back(&counter->limiter, reservation->at_s);
        mfa_counters_note_change(&limits->tables[i], counter);
    }
    pthread_mutex_unlock(&limits->mutex);
}

/* --- Keeping house ---------------------------------------------------------------------------------------------- */

void mfa_send_limits_expire(struct mfa_send_limits *limits, uint64_t now_ms)
{
    uint32_t now_s = wall_s(limits, now_ms);

    for (size_t i = 0; i < MFA_SEND_COUNTERS; i++) {
        bool more = true;
        while (more) {
            pthread_mutex_lock(&limits->mutex);
            more = mfa_counters_expire(&limits->tables[i], now_s, EXPIRE_PER_STEP);
            pthread_mutex_unlock(&limits->mutex);
        }
    }
}

static void note_outcome(struct mfa_send_limits *limits, bool has_failed)
{
    const struct mfa_host_port *host = &limits->host;

    if (has_failed && !limits->has_failed)
        host->log(host->ctx, MFA_LOG_WARN, "the counts of sent messages cannot be written; trying again every second");
    limits->has_failed = has_failed;
}

static enum mfa_status save(struct mfa_send_limits *limits, struct mfa_counter *counter)
{
    struct mfa_send_record record;
    uint32_t empty_at_s = 0;
    enum mfa_status status = MFA_ERR_INTERNAL;

    pthread_mutex_lock(&limits->mutex);
    record.count = mfa_limiter_events(&counter->limiter, record.at_s);
    record.version = counter->version;
    empty_at_s = mfa_limiter_empty_at_s(&counter->limiter);
    pthread_mutex_unlock(&limits->mutex);
    status = mfa_send_store_save(&limits->kv, counter->key, &record, empty_at_s);
    pthread_mutex_lock(&limits->mutex);
    if (status == MFA_OK)
        counter->version = record.version;
    pthread_mutex_unlock(&limits->mutex);
    return status;
}

static enum mfa_status write_counter(struct mfa_send_limits *limits, struct mfa_counter *counter, uint32_t now_s)
{
    enum mfa_status status = save(limits, counter);

    for (int i = 1; i < MAX_TRIES && status == MFA_ERR_CONFLICT; i++) {
        status = learn(limits, counter, now_s);
        if (status == MFA_OK)
            status = save(limits, counter);
    }
    return status;
}

/* Returns false when there is nothing to write, or it cannot be written now. */
static bool write_next(struct mfa_send_limits *limits, struct mfa_counters *table, uint32_t now_s)
{
    struct mfa_counter *counter = NULL;
    enum mfa_status status = MFA_ERR_INTERNAL;

    pthread_mutex_lock(&limits->mutex);
    counter = mfa_counters_take_change(table);
    if (counter != NULL)
        counter->pins++;
    pthread_mutex_unlock(&limits->mutex);
    if (counter == NULL)
        return false;
    status = write_counter(limits, counter, now_s);
    note_outcome(limits, status != MFA_OK);
    pthread_mutex_lock(&limits->mutex);
    counter->pins--;
    if (status != MFA_OK)
        mfa_counters_note_change(table, counter);
    pthread_mutex_unlock(&limits->mutex);
    return status == MFA_OK;
}

void mfa_send_limits_write(struct mfa_send_limits *limits, uint64_t now_ms)
{
    uint32_t now_s = wall_s(limits, now_ms);

    /* No more than a table holds, lest senders in a hurry keep this going for ever. */
    for (size_t i = 0; i < MFA_SEND_COUNTERS; i++)
        for (uint32_t j = 0; j < MFA_SEND_COUNTERS_MAX && write_next(limits, &limits->tables[i], now_s); j++)
            continue;
}
