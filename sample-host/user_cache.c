/* SPDX-License-Identifier: Apache-2.0 */
#include "user_cache.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16384

struct user_cache {
    unsigned char key[crypto_shorthash_KEYBYTES];
    pthread_mutex_t lock; /* guards slots */
    struct storage_user slots[SLOTS];
};

struct user_cache *user_cache_new(void)
{
    struct user_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return NULL;
    crypto_shorthash_keygen(cache->key);
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void user_cache_free(struct user_cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static struct storage_user *slot_of(struct user_cache *cache, const char *username)
{
    unsigned char hash[crypto_shorthash_BYTES];

    (void)crypto_shorthash(hash, (const unsigned char *)username, strlen(username), cache->key);
    return &cache->slots[(hash[0] | (unsigned)hash[1] << 8) % SLOTS];
}

bool user_cache_find(struct user_cache *cache, const char *username, struct storage_user *user)
{
    struct storage_user *slot = slot_of(cache, username);

    pthread_mutex_lock(&cache->lock);
    bool is_there = slot->username[0] && strcmp(slot->username, username) == 0;
    if (is_there)
        *user = *slot;
    pthread_mutex_unlock(&cache->lock);
    return is_there;
}

void user_cache_add(struct user_cache *cache, const struct storage_user *user)
{
    struct storage_user *slot = slot_of(cache, user->username);

    pthread_mutex_lock(&cache->lock);
    *slot = *user;
    pthread_mutex_unlock(&cache->lock);
}
