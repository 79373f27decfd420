/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_parts.h: what storage.c and storage_profile.c share.
 */
#ifndef STORAGE_PARTS_H
#define STORAGE_PARTS_H

#include "database.h"
#include "storage.h"
#include "user_cache.h"

/* Readers do not wait for a writer that waits for the disk: write-ahead logging lets the connections overlap. What need not
 * outlive a power failure has a connection that does not wait for it either. */
struct storage {
    int lock_fd; /* of the file whose lock keeps other hosts out; -1: none */
    struct user_cache *users;
    struct database reader;
    struct database writer;
    struct database kv;
};

#endif
