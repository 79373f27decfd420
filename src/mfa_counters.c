/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_counters.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* How many counters are looked at for one that can go. */
#define LOOK_FOR_ROOM 64

struct mfa_counter *mfa_counter_new(const unsigned char key[static MFA_COUNTER_KEY_LEN], uint32_t limit,
                                    uint32_t window_s)
{
    struct mfa_counter *counter = calloc(1, sizeof *counter);

    if (counter == NULL)
        return NULL;
    memcpy(counter->key, key, sizeof counter->key);
    if (mfa_limiter_init(&counter->limiter, limit, window_s) == MFA_OK)
        return counter;
    free(counter);
    return NULL;
}

void mfa_counter_free(struct mfa_counter *counter)
{
    if (counter == NULL)
        return;
    mfa_limiter_clear(&counter->limiter);
    free(counter);
}

static void unlist_change(struct mfa_counters *table, struct mfa_counter *counter)
{
    if (counter->is_changed)
        DL_DELETE2(table->changed, counter, prev_changed, next_changed);
    counter->is_changed = false;
}

static void drop(struct mfa_counters *table, struct mfa_counter *counter)
{
    unlist_change(table, counter);
    DL_DELETE(table->by_use, counter);
    HASH_DEL(table->by_key, counter);
    mfa_counter_free(counter);
}

void mfa_counters_clear(struct mfa_counters *table)
{
    while (table->by_use != NULL)
        drop(table, table->by_use);
}

struct mfa_counter *mfa_counters_use(struct mfa_counters *table, const unsigned char key[static MFA_COUNTER_KEY_LEN])
{
    struct mfa_counter *counter = NULL;

    HASH_FIND(hh, table->by_key, key, MFA_COUNTER_KEY_LEN, counter);
    if (counter == NULL)
        return NULL;
    DL_DELETE(table->by_use, counter);
    DL_APPEND(table->by_use, counter);
    return counter;
}

static bool is_over(const struct mfa_counter *counter, uint32_t now_s)
{
    return mfa_limiter_empty_at_s(&counter->limiter) <= now_s;
}

static bool make_room(struct mfa_counters *table, uint32_t now_s)
{
    struct mfa_counter *counter = table->by_use;

    if (HASH_COUNT(table->by_key) < table->max_count)
        return true;
    for (uint32_t i = 0; i < LOOK_FOR_ROOM && counter != NULL; i++) {
        if (counter->pins == 0 && !counter->is_changed && (table->is_stored || is_over(counter, now_s))) {
            drop(table, counter);
            return true;
        }
        counter = counter->next;
    }
    return false;
}

enum mfa_status mfa_counters_add(struct mfa_counters *table, struct mfa_counter *counter, uint32_t now_s)
{
    if (!make_room(table, now_s))
        return MFA_ERR_FULL;
    HASH_ADD(hh, table->by_key, key, sizeof counter->key, counter);
    if (counter->hh.tbl == NULL)
        return MFA_ERR_MEMORY;
    DL_APPEND(table->by_use, counter);
    return MFA_OK;
}

enum mfa_status mfa_counters_fit(const struct mfa_counters *table, struct mfa_counter *counter)
{
    if (table->limit == 0 || counter->limiter.limit == table->limit)
        return MFA_OK;
    return mfa_limiter_set_limit(&counter->limiter, table->limit);
}

void mfa_counters_note_change(struct mfa_counters *table, struct mfa_counter *counter)
{
    if (!table->is_stored || counter->is_changed)
        return;
    counter->is_changed = true;
    DL_APPEND2(table->changed, counter, prev_changed, next_changed);
}

struct mfa_counter *mfa_counters_take_change(struct mfa_counters *table)
{
    struct mfa_counter *counter = table->changed;

    if (counter != NULL)
        unlist_change(table, counter);
    return counter;
}

/* Who was used last goes last, and is the one whose window ends last, near enough: one that is merely asked stays longer. */
bool mfa_counters_expire(struct mfa_counters *table, uint32_t now_s, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        struct mfa_counter *counter = table->by_use;
        if (counter == NULL || counter->pins > 0 || counter->is_changed || !is_over(counter, now_s))
            return false;
        drop(table, counter);
    }
    return true;
}
