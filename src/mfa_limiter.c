/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_limiter.h"

#include <stdlib.h>

static uint32_t *event(const struct mfa_limiter *limiter, uint32_t i)
{
    return &limiter->at_s[((uint64_t)limiter->first + i) % limiter->limit];
}

enum mfa_status mfa_limiter_init(struct mfa_limiter *limiter, uint32_t limit, uint32_t window_s)
{
    *limiter = (struct mfa_limiter){.limit = limit, .window_s = window_s};
    limiter->at_s = calloc(limit, sizeof *limiter->at_s);
    if (limiter->at_s != NULL)
        return MFA_OK;
    *limiter = (struct mfa_limiter){0};
    return MFA_ERR_MEMORY;
}

void mfa_limiter_clear(struct mfa_limiter *limiter)
{
    free(limiter->at_s);
    *limiter = (struct mfa_limiter){0};
}

static void forget_oldest(struct mfa_limiter *limiter)
{
    limiter->first = (uint32_t)(((uint64_t)limiter->first + 1) % limiter->limit);
    limiter->count--;
}

static uint32_t age_s(uint32_t at_s, uint32_t now_s)
{
    return at_s < now_s ? now_s - at_s : 0;
}

uint32_t mfa_limiter_wait_s(struct mfa_limiter *limiter, uint32_t now_s)
{
    while (limiter->count > 0 && age_s(*event(limiter, 0), now_s) >= limiter->window_s)
        forget_oldest(limiter);
    if (limiter->count < limiter->limit)
        return 0;
    return limiter->window_s - age_s(*event(limiter, 0), now_s);
}

/* Events stay in order also when the caller's times do not: threads read the clock before they take the lock. */
void mfa_limiter_add(struct mfa_limiter *limiter, uint32_t now_s)
{
    uint32_t i = limiter->count++;

    for (; i > 0 && *event(limiter, i - 1) > now_s; i--)
        *event(limiter, i) = *event(limiter, i - 1);
    *event(limiter, i) = now_s;
}

void mfa_limiter_take_back(struct mfa_limiter *limiter, uint32_t at_s)
{
    uint32_t i = limiter->count;

    while (i > 0 && *event(limiter, i - 1) > at_s)
        i--;
    if (i == 0 || *event(limiter, i - 1) != at_s)
        return;
    for (; i < limiter->count; i++)
        *event(limiter, i - 1) = *event(limiter, i);
    limiter->count--;
}

static void append(struct mfa_limiter *limiter, uint32_t at_s)
{
    if (limiter->count == limiter->limit)
        forget_oldest(limiter);
    *event(limiter, limiter->count++) = at_s;
}

enum mfa_status mfa_limiter_set_limit(struct mfa_limiter *limiter, uint32_t limit)
{
    struct mfa_limiter changed;

    if (mfa_limiter_init(&changed, limit, limiter->window_s) != MFA_OK)
        return MFA_ERR_MEMORY;
    for (uint32_t i = 0; i < limiter->count; i++)
        append(&changed, *event(limiter, i));
    mfa_limiter_clear(limiter);
    *limiter = changed; /* transferred */
    return MFA_OK;
}

enum mfa_status mfa_limiter_merge(struct mfa_limiter *limiter, uint32_t now_s, const uint32_t *at_s, size_t count)
{
    struct mfa_limiter merged;
    uint32_t mine = 0;

    if (mfa_limiter_init(&merged, limiter->limit, limiter->window_s) != MFA_OK)
        return MFA_ERR_MEMORY;
    for (size_t theirs = 0; theirs < count; theirs++) {
        uint32_t next_s = at_s[theirs] < now_s ? at_s[theirs] : now_s;
        while (mine < limiter->count && *event(limiter, mine) < next_s)
            append(&merged, *event(limiter, mine++));
        if (mine < limiter->count && *event(limiter, mine) == next_s)
            mine++;
        append(&merged, next_s);
    }
    while (mine < limiter->count)
        append(&merged, *event(limiter, mine++));
    mfa_limiter_clear(limiter);
    *limiter = merged; /* transferred */
    return MFA_OK;
}

uint32_t mfa_limiter_events(const struct mfa_limiter *limiter, uint32_t *at_s)
{
    for (uint32_t i = 0; i < limiter->count; i++)
        at_s[i] = *event(limiter, i);
    return limiter->count;
}

uint32_t mfa_limiter_empty_at_s(const struct mfa_limiter *limiter)
{
    uint32_t newest_s = limiter->count > 0 ? *event(limiter, limiter->count - 1) : 0;

    if (limiter->count == 0)
        return 0;
    return newest_s <= UINT32_MAX - limiter->window_s ? newest_s + limiter->window_s : UINT32_MAX;
}
