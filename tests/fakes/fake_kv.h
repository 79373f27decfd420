/* SPDX-License-Identifier: Apache-2.0
 *
 * A key-value table in memory, which can fail, and keeps count. It never expires anything, but remembers when it should.
 */
#ifndef FAKE_KV_H
#define FAKE_KV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mfa_ports.h"

#define FAKE_KV_MAX_ENTRIES 256
#define FAKE_KV_VALUE_MAX 4096

struct fake_kv_entry {
    char key[65]; /* empty: none, and none behind it */
    unsigned char value[FAKE_KV_VALUE_MAX];
    size_t len; /* 0: removed */
    int64_t expires_ms;
    uint64_t version;
};

struct fake_kv {
    pthread_mutex_t mutex; /* guards all below */
    struct fake_kv_entry entries[FAKE_KV_MAX_ENTRIES];
    uint64_t last_version;
    /* What shall go wrong. */
    bool get_fails, put_fails;
    /* What was done. */
    unsigned gets, puts;
};

void fake_kv_init(struct fake_kv *kv);
void fake_kv_clear(struct fake_kv *kv);
struct mfa_kv_port fake_kv_port(struct fake_kv *kv);

/* How many values are there now. */
size_t fake_kv_count(struct fake_kv *kv);

/* The entry of a key, there or not; borrowed, not to be looked at while others write. */
struct fake_kv_entry *fake_kv_entry(struct fake_kv *kv, const char *key);

#endif
