/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_parts.h: what storage.c and storage_profile.c share.
 */
#ifndef STORAGE_PARTS_H
#define STORAGE_PARTS_H

#include "database.h"
#include "storage.h"
#include "user_cache.h"

#define STORAGE_READERS 4

/* Readers wait neither for each other nor for a writer that waits for the disk: write-ahead logging lets the connections
 * overlap. What need not outlive a power failure has a connection that does not wait for it either. */
struct storage {
    int lock_fd; /* of the file whose lock keeps other hosts out; -1: none */
    struct user_cache *users;
    struct database readers[STORAGE_READERS];
    struct database writer;
    struct database kv;
};

/* Takes the lock of a reader: of one that is free, if there is one. */
struct database *storage_lock_reader(struct storage *storage);

#endif
